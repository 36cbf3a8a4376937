#include "lib/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static _Atomic int level_shown = LOG_NOTICE;
static _Atomic int log_fd = STDERR_FILENO;

static const char *const level_names[] = {"error", "warn", "notice", "info", "debug"};

void
log_set_level(enum log_level level)
{
    level_shown = (int)level;
}

void
log_set_fd(int fd)
{
    log_fd = fd;
}

static size_t
line_head(char *line, size_t size, enum log_level level, const char *id)
{
    struct timespec ts;
    struct tm tm;
    char when[32];
    int n;

    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
    n = snprintf(
        line, size, "%s.%03ldZ %s %s ", when, ts.tv_nsec / 1000000, level_names[level], id);
    return n < 0 ? 0 : (size_t)n;
}

/* The controls of ASCII, and those behind it (U+0080 to U+009F) that terminals obey too. */
static void
controls_replace(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        unsigned char next = i + 1 < size ? (unsigned char)text[i + 1] : 0;

        if (byte < ' ' || byte == 0x7f)
            text[i] = ' ';
        if (byte == 0xc2 && next >= 0x80 && next <= 0x9f)
            text[i] = text[i + 1] = ' ';
    }
}

void
log_write(enum log_level level, const char *id, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list ap;
    size_t used, start;
    ssize_t written;
    int n, fd = log_fd;

    if (fd < 0 || (int)level > level_shown)
        return;
    start = used = line_head(line, sizeof line - 1, level, id);
    va_start(ap, format);
    n = vsnprintf(line + used, sizeof line - used - 1, format, ap);
    va_end(ap);
    used += n < 0 ? 0 : (size_t)n;
    if (used > sizeof line - 2)
        used = sizeof line - 2;
    controls_replace(line + start, used - start);
    line[used++] = '\n';
    do
        written = write(fd, line, used);
    while (written < 0 && errno == EINTR);
}
