/*
 * crowd: many connections to a broker that behave badly, held until standard input closes.
 *
 *   crowd idle|claims|reads-nothing COUNT HOST PORT [TOPIC]
 *
 * idle: each asks for the versions once and then says nothing. claims: each begins a frame of 100
 * MB and sends one byte of it. reads-nothing: each asks 50 times for all of TOPIC and never reads
 * the answers. Prints "ready N" with the number of connections that stand: fewer than COUNT where
 * one is refused or, within ANSWER_SECONDS, not answered.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"

#define REQUEST_BYTES_MAX 65536
#define ASKS 50
#define ANSWER_SECONDS 20
#define FETCH_VERSION 12
#define VERSIONS_VERSION 0

static int
dial(const char *host, uint16_t port)
{
    struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
        inet_pton(AF_INET, host, &address.sin_addr) == 1 &&
        connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool
send_all(int fd, const void *data, size_t size)
{
    if (send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size)
        return true;
    fprintf(stderr, "crowd: a request could not be sent\n");
    return false;
}

static bool
versions_ask(int fd)
{
    struct km_api_versions_request request;
    uint8_t answer[REQUEST_BYTES_MAX];
    struct buf out;
    bool answered;

    codec_init(&km_api_versions_request_desc, &request);
    buf_init(&out, REQUEST_BYTES_MAX);
    REQUIRE(frame_request_encode(frame_api(KM_API_VERSIONS), VERSIONS_VERSION, 1, "crowd", &request,
                &out, NULL) == RC_OK);
    answered = send_all(fd, out.data, out.size) && recv(fd, answer, sizeof answer, 0) > 0;
    if (!answered)
        fprintf(stderr, "crowd: no answer\n");
    buf_fini(&out);
    return answered;
}

static bool
fetch_ask(int fd, const char *topic)
{
    struct km_fetch_request_partition partition;
    struct km_fetch_request_topic of;
    struct km_fetch_request request;
    struct buf out;
    bool sent = true;

    codec_init(&km_fetch_request_desc, &request);
    codec_init(&km_fetch_request_topic_desc, &of);
    codec_init(&km_fetch_request_partition_desc, &partition);
    partition.partition_max_bytes = INT32_MAX;
    of.topic = (struct wire_string){topic, (int32_t)strlen(topic)};
    of.partitions.items = &partition;
    of.partitions.count = 1;
    request.max_bytes = INT32_MAX;
    request.session_epoch = -1;
    request.topics.items = &of;
    request.topics.count = 1;
    buf_init(&out, REQUEST_BYTES_MAX);
    REQUIRE(frame_request_encode(
                frame_api(KM_FETCH), FETCH_VERSION, 1, "crowd", &request, &out, NULL) == RC_OK);
    for (int i = 0; i < ASKS && sent; i++)
        sent = send_all(fd, out.data, out.size);
    buf_fini(&out);
    return sent;
}

int
main(int argc, char **argv)
{
    static const uint8_t claim[] = {0x05, 0xf5, 0xe1, 0x00, 0x00};
    struct rlimit files;
    long count, stand = 0;
    char byte;

    if (argc < 5)
        return 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    count = strtol(argv[2], NULL, 10);
    for (long i = 0; i < count; i++) {
        int fd = dial(argv[3], (uint16_t)strtoul(argv[4], NULL, 10));
        bool stands = fd >= 0;

        if (stands && strcmp(argv[1], "idle") == 0)
            stands = versions_ask(fd);
        else if (stands && strcmp(argv[1], "claims") == 0)
            stands = send_all(fd, claim, sizeof claim);
        else if (stands && argc == 6)
            stands = fetch_ask(fd, argv[5]);
        if (!stands)
            break;
        stand++;
    }
    printf("ready %ld\n", stand);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    return 0;
}
