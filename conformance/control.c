#include "conformance/control.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/wire_client.h"
#include "lib/base/xalloc.h"

#define GRACE_MS 2000

static _Noreturn void
child_exec(char *const *argv)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execv("/bin/sh", argv);
    _exit(127);
}

/* Whether the process ended within the time. */
static bool
ended_within(int pidfd, int limit_ms)
{
    int64_t limit_us = wire_client_now_us() + (int64_t)limit_ms * 1000;
    struct pollfd fd = {.fd = pidfd, .events = POLLIN};
    int64_t left_us;

    while ((left_us = limit_us - wire_client_now_us()) > 0)
        if (poll(&fd, 1, (int)(left_us / 1000) + 1) > 0)
            return true;
    return false;
}

/* The status of the ended process; one that does not end in time is ended. */
static int
child_wait(pid_t pid, int limit_ms, bool *was_late)
{
    int pidfd = pidfd_open(pid, 0);
    int status = -1;

    *was_late = pidfd >= 0 && !ended_within(pidfd, limit_ms);
    if (*was_late) {
        kill(pid, SIGTERM);
        if (!ended_within(pidfd, GRACE_MS))
            kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pidfd >= 0)
        close(pidfd);
    return status;
}

enum rc
control_call(
    const char *command, const char *const *words, size_t count, int limit_ms, struct err *e)
{
    char *argv[CONTROL_WORDS_MAX + 5] = {
        xstrdup("sh"), xstrdup("-c"), xasprintf("exec %s \"$@\"", command), xstrdup("sh")};
    bool was_late = false;
    int status = -1;
    pid_t pid;

    REQUIRE(count > 0 && count <= CONTROL_WORDS_MAX);
    for (size_t i = 0; i < count; i++)
        argv[4 + i] = xstrdup(words[i]);
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        child_exec(argv);
    if (pid > 0)
        status = child_wait(pid, limit_ms, &was_late);
    for (size_t i = 0; argv[i] != NULL; i++)
        free(argv[i]);
    if (was_late)
        return err_set(
            e, RC_TIMEOUT, "%s %s did not end within %d s", command, words[0], limit_ms / 1000);
    if (pid < 0 || status != 0)
        return err_set(e, RC_IO, "%s %s ended with %s %d", command, words[0],
            WIFSIGNALED(status) ? "signal" : "code",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return RC_OK;
}

enum rc
control_start(const char *command, const char *const *properties, int limit_ms, struct err *e)
{
    const char *words[CONTROL_WORDS_MAX] = {"start"};
    size_t count = 1;

    for (; properties != NULL && properties[count - 1] != NULL; count++) {
        REQUIRE(count < CONTROL_WORDS_MAX);
        words[count] = properties[count - 1];
    }
    return control_call(command, words, count, limit_ms, e);
}
