#include "tests/unit/log_capture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "tests/unit/unit.h"

static int fd = -1;
static char text[65536];

void
log_capture_begin(void)
{
    assert_int_equal(fd, -1);
    fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(fd >= 0);
    /* Without this, writes of two threads to a memfd can overlap. */
    assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
    log_set_fd(fd);
}

void
log_capture_quiet(void)
{
    log_set_fd(-1);
}

const char *
log_capture_end(void)
{
    ssize_t size;

    log_set_fd(STDERR_FILENO);
    size = pread(fd, text, sizeof text - 1, 0);
    assert_true(size >= 0);
    text[size] = '\0';
    close(fd);
    fd = -1;
    return text;
}

size_t
log_capture_count(const char *haystack, const char *word)
{
    size_t count = 0;

    for (const char *at = haystack; (at = strstr(at, word)) != NULL; at += strlen(word))
        count++;
    return count;
}
