/*
 * log: one line per event, with a stable id.
 *
 * Ids ("WAL-TAIL-CUT") never change and tests assert them; the text behind them is for people and
 * may. One line goes to stderr (or to the descriptor set by log_set_fd): time, level, id, text.
 * Control characters of the text are replaced, so that a peer cannot forge lines. Secrets never
 * reach a log: callers do not pass them.
 *
 * Thread-safe: a line is written by one write call.
 */
#ifndef LIB_BASE_LOG_H
#define LIB_BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* log_set_level hides what is less urgent than level; LOG_NOTICE at start. */
void log_set_level(enum log_level level);

/* log_set_fd sends lines to another descriptor, -1 to none; the caller keeps it open. */
void log_set_fd(int fd);

#define log_error(id, ...) log_write(LOG_ERROR, (id), __VA_ARGS__)
#define log_warn(id, ...) log_write(LOG_WARN, (id), __VA_ARGS__)
#define log_notice(id, ...) log_write(LOG_NOTICE, (id), __VA_ARGS__)
#define log_info(id, ...) log_write(LOG_INFO, (id), __VA_ARGS__)
#define log_debug(id, ...) log_write(LOG_DEBUG, (id), __VA_ARGS__)

void log_write(enum log_level level, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
