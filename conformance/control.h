/*
 * control: the command that starts, kills and restarts the target (--ctl; docs/conformance.md has
 * its words).
 *
 * The command is run by sh, with the words as its arguments; what it prints goes to stderr. A
 * control that does not end by its deadline gets SIGTERM, then SIGKILL, and has failed.
 */
#ifndef CONFORMANCE_CONTROL_H
#define CONFORMANCE_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

#define CONTROL_WORDS_MAX 8
#define CONTROL_LIMIT_MS 180000

/* control_call waits for the command's end. RC_IO where that is not 0, RC_TIMEOUT after limit_ms;
 * `e` names command and word. */
MUST_CHECK enum rc control_call(
    const char *command, const char *const *words, size_t count, int limit_ms, struct err *e);

/* control_start calls "start" with properties, NULL-terminated "name=value"; NULL: none. */
MUST_CHECK enum rc control_start(
    const char *command, const char *const *properties, int limit_ms, struct err *e);

#endif
