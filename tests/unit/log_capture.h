/* log_capture: what a test makes the program log, to assert ids. Not thread-safe. */
#ifndef TESTS_UNIT_LOG_CAPTURE_H
#define TESTS_UNIT_LOG_CAPTURE_H

#include <stddef.h>

/* log_capture_begin sends log lines into memory, log_capture_quiet nowhere. */
void log_capture_begin(void);
void log_capture_quiet(void);

/* log_capture_end sends them to stderr again and returns what came since log_capture_begin, valid
 * until the next begin. */
const char *log_capture_end(void);

/* log_capture_count returns how many times `word` stands in text. */
size_t log_capture_count(const char *text, const char *word);

#endif
