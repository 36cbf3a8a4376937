/*
 * units: numbers for people: bytes in powers of 1000, counts, times. Each writes to at least
 * UNITS_BYTES bytes.
 */
#ifndef CLI_UNITS_H
#define CLI_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNITS_BYTES 32

/* "412 GB", "3.1 M", "1 h 02 m". */
void units_bytes(uint64_t bytes, char *out);
void units_count(int64_t count, char *out);
void units_seconds(int64_t seconds, char *out);

/* units_seconds_read reads "90s", "10m", "12h" or "7d"; false for anything else, and for 0. */
bool units_seconds_read(const char *text, int64_t *seconds);

/* units_utf8 tells whether the terminal's locale takes more than ASCII. */
bool units_utf8(void);

/* units_columns returns how wide stdout's terminal is, or what COLUMNS says, or `fallback`; at most
 * UNITS_COLUMNS_MAX. */
#define UNITS_COLUMNS_MAX 500
size_t units_columns(size_t fallback);

#endif
