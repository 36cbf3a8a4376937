/*
 * lines: a text file, line by line, in bounded memory.
 *
 * A line longer than the bytes asked for is told with what it begins with and skipped to its end;
 * so a file without an end of line costs no more than one with. Zero bytes are left out: a log that
 * was cut while a program wrote it begins with as many as were cut, and the first line behind them
 * is as good as any. The last line needs no end.
 */
#ifndef LIB_BASE_LINES_H
#define LIB_BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/err.h"

/* `text` ends with a zero byte in place of the line's end, lives as long as the call and may be
 * changed. `number` counts from 1. */
typedef void lines_fn(void *arg, uint64_t number, char *text, bool is_whole);

/* lines_read gives each line of up to bytes_max bytes, its end aside, to `take`. RC_IO where the
 * file cannot be read any further. */
MUST_CHECK enum rc lines_read(
    FILE *file, size_t bytes_max, lines_fn *take, void *arg, struct err *e);

#endif
