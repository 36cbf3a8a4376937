/*
 * start_probe: how long a broker takes from its start to its first answer, and what it then holds
 * while nothing happens.
 *
 *   start_probe HOST PORT COMMAND [ARGUMENT]...
 *
 * Starts the command, asks for Metadata every millisecond until an answer comes, waits until the
 * process is idle, prints figures as "metric<TAB>unit<TAB>value", and ends it with SIGTERM. Its
 * output goes to stderr.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/bench/process.h"

#define LIMIT_MS 60000
#define ANSWER_MS 20000

/* Metadata v1 for no topic, correlation id 7. */
static const uint8_t question[] = {0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 7, 0xff, 0xff, 0, 0, 0, 0};

static double
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* One try: connected and answered with at least one broker. */
static int
is_answering(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), good = 0;
    struct pollfd wait = {fd, POLLIN, 0};
    uint8_t answer[12];

    if (fd >= 0 &&
        connect(fd, (const struct sockaddr *)(const void *)address, sizeof *address) == 0)
        good = send(fd, question, sizeof question, MSG_NOSIGNAL) == sizeof question &&
               poll(&wait, 1, ANSWER_MS) == 1 &&
               recv(fd, answer, sizeof answer, MSG_WAITALL) == sizeof answer && answer[7] == 7 &&
               answer[11] > 0;
    if (fd >= 0)
        close(fd);
    return good;
}

static pid_t
command_start(char **command)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

int
main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    double started, answered = 0;
    char text[16];
    pid_t pid;

    if (argc < 4 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: start_probe HOST PORT COMMAND [ARGUMENT]...\n");
        return 2;
    }
    address.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    started = now_ms();
    pid = command_start(argv + 3);
    while (pid > 0 && answered == 0 && now_ms() - started < LIMIT_MS &&
           waitpid(pid, NULL, WNOHANG) == 0) {
        if (is_answering(&address))
            answered = now_ms() - started;
        else
            poll(NULL, 0, 1);
    }
    if (pid > 0 && answered > 0) {
        snprintf(text, sizeof text, "%d", (int)pid);
        printf("first answer\tms\t%.1f\n", answered);
        printf("CPU until idle\ts\t%.2f\n", process_settle(text));
        printf("idle RSS\tMB\t%.1f\n", process_memory_mb(text, "Rss:"));
        printf("idle PSS\tMB\t%.1f\n", process_memory_mb(text, "Pss:"));
    }
    if (pid > 0 && kill(pid, SIGTERM) == 0)
        waitpid(pid, NULL, 0);
    return answered > 0 ? 0 : 1;
}
