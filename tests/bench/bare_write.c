/*
 * bare_write: what it costs to give bytes to readers over loopback, without any broker: a loop of
 * writes to sockets.
 *
 *   bare_write BYTES CONNECTIONS SECONDS
 *
 * A process of its own holds BYTES in memory and sends them round and round, in pieces of 1 MiB, to
 * each connection that takes some; the reader receives into as much memory as a consumer's answers
 * need and looks at nothing. The CPU seconds are those of the process that sends, for all bytes.
 * Prints figures as "metric<TAB>unit<TAB>value".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "tests/bench/bare_file.h"
#include "tests/bench/measure.h"
#include "tests/bench/raw.h"

#define CONNECTIONS_MAX 64
#define PIECE_BYTES ((size_t)1 << 20)
#define READ_BYTES ((size_t)16 << 20)

/* A socket that listens on loopback, and its port. */
static int
listen_somewhere(char port[8])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)(void *)&address, sizeof address) == 0 &&
            listen(fd, CONNECTIONS_MAX) == 0 &&
            getsockname(fd, (struct sockaddr *)(void *)&address, &size) == 0);
    snprintf(port, 8, "%u", ntohs(address.sin_port));
    return fd;
}

/* Sends until the readers have gone. */
static _Noreturn void
writer_run(int listener, int count, const uint8_t *data, size_t bytes)
{
    struct pollfd fds[CONNECTIONS_MAX];
    size_t at[CONNECTIONS_MAX] = {0};

    for (int i = 0; i < count; i++) {
        fds[i] = (struct pollfd){accept(listener, NULL, NULL), POLLOUT, 0};
        raw_unblock(fds[i].fd);
        at[i] = bytes / (size_t)count * (size_t)i;
    }
    while (poll(fds, (nfds_t)count, -1) > 0) {
        for (int i = 0; i < count; i++) {
            size_t size = bytes - at[i] < PIECE_BYTES ? bytes - at[i] : PIECE_BYTES;
            ssize_t n;

            if (fds[i].revents == 0)
                continue;
            n = send(fds[i].fd, data + at[i], size, MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN)
                _exit(0);
            at[i] = n < 0 ? at[i] : (at[i] + (size_t)n) % bytes;
        }
    }
    _exit(1);
}

/* Returns the bytes that came. */
static int64_t
readers_run(const char *port, int count, double seconds)
{
    uint8_t *memory = bare_file_noise(READ_BYTES * (size_t)count);
    struct pollfd fds[CONNECTIONS_MAX];
    size_t at[CONNECTIONS_MAX] = {0};
    int64_t end, bytes = 0;

    for (int i = 0; i < count; i++) {
        fds[i] = (struct pollfd){raw_dial("127.0.0.1", port), POLLIN, 0};
        raw_unblock(fds[i].fd);
    }
    for (end = measure_now_us() + (int64_t)(seconds * 1e6); measure_now_us() < end;) {
        poll(fds, (nfds_t)count, 100);
        for (int i = 0; i < count; i++) {
            ssize_t n;

            if (fds[i].revents == 0)
                continue;
            n = recv(fds[i].fd, memory + READ_BYTES * (size_t)i + at[i], READ_BYTES - at[i], 0);
            REQUIRE(n > 0 || (n < 0 && errno == EAGAIN));
            at[i] = n < 0 ? at[i] : (at[i] + (size_t)n) % READ_BYTES;
            bytes += n < 0 ? 0 : n;
        }
    }
    for (int i = 0; i < count; i++)
        close(fds[i].fd);
    free(memory);
    return bytes;
}

int
main(int argc, char **argv)
{
    size_t bytes = argc == 4 ? strtoull(argv[1], NULL, 10) : 0;
    int count = argc == 4 ? (int)strtol(argv[2], NULL, 10) : 0, listener, status = 0;
    double seconds = argc == 4 ? strtod(argv[3], NULL) : 0, cpu;
    struct rusage usage;
    int64_t received;
    uint8_t *data;
    char port[8];
    pid_t pid;

    if (bytes == 0 || bytes % BARE_FILE_ALIGN_BYTES != 0 || count < 1 || count > CONNECTIONS_MAX ||
        seconds <= 0) {
        fprintf(stderr, "usage: bare_write BYTES CONNECTIONS SECONDS\n");
        return 2;
    }
    listener = listen_somewhere(port);
    data = bare_file_noise(bytes); /* before the fork: making it is no work of the writer */
    pid = fork();
    if (pid == 0)
        writer_run(listener, count, data, bytes);
    received = readers_run(port, count, seconds);
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status != 0)
        return 1;
    cpu = measure_cpu_seconds(&usage);
    free(data);
    printf("throughput\tMB/s\t%.1f\n", (double)received / seconds / 1e6);
    printf("CPU\ts/GB\t%.3f\n", cpu / ((double)received / 1e9));
    return 0;
}
