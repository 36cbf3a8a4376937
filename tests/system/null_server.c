/*
 * null_server: a server that is no broker, on a free port of 127.0.0.1, whose address it prints.
 *
 *   null_server closes|silent|zeros|garbage
 *
 * closes: at once. silent: takes everything and says nothing. zeros: answers every request with its
 * correlation id and zeros. garbage: answers every request with bytes of no meaning.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_BYTES 65536
#define ANSWER_BYTES 64

/* One connection, one read a request: enough for clients that wait for their answers. */
static void
serve(int fd, const char *mode)
{
    uint8_t request[REQUEST_BYTES], answer[4 + ANSWER_BYTES] = {0, 0, 0, ANSWER_BYTES};
    ssize_t size;

    while ((size = recv(fd, request, sizeof request, 0)) > 0) {
        if (strcmp(mode, "silent") == 0)
            continue;
        if (strcmp(mode, "garbage") == 0)
            memset(answer, 0x5a, sizeof answer);
        else if (size >= 12)
            memcpy(answer + 4, request + 8, 4);
        if (send(fd, answer, sizeof answer, MSG_NOSIGNAL) < 0)
            return;
    }
}

int
main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener, fd;

    if (argc != 2) {
        fprintf(stderr, "usage: null_server closes|silent|zeros|garbage\n");
        return 2;
    }
    listener = socket(AF_INET, SOCK_STREAM, 0);
    signal(SIGCHLD, SIG_IGN);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 100) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        perror("null_server");
        close(listener);
        return 1;
    }
    printf("127.0.0.1:%u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        if (strcmp(argv[1], "closes") != 0 && fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve(fd, argv[1]);
            _exit(0);
        }
        close(fd);
    }
    close(listener);
    return 1;
}
