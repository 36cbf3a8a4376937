/*
 * raw_load: what a broker takes, with nothing in front of it: pre-built batches, raw Produce
 * requests, every ack checked.
 *
 *   raw_load [-s] [-r REQUESTS] HOST PORT TOPIC PARTITIONS BATCH_BYTES CONNECTIONS IN_FLIGHT
 *            SECONDS PID [CODEC]
 *
 * Each request carries one batch for every partition; with -s one batch for one partition, the
 * connection's own. After two seconds of warm-up throughput and latency are measured; then the load
 * ends, and so does what process PID does in its background. Its CPU seconds are those of all this
 * time, for all bytes of it: until the last ack, and until it is idle. With -r there is no warm-up,
 * and the load ends with that many requests. With a codec the records are such that they become
 * much smaller, and BATCH_BYTES is the size before. Prints figures as
 * "metric<TAB>unit<TAB>value". Exits with 1 where a single ack is wrong.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"
#include "tests/bench/measure.h"
#include "tests/bench/process.h"
#include "tests/bench/raw.h"

#define CONNECTIONS_MAX 256
#define IN_FLIGHT_MAX 64
#define LATENCIES_MAX 8000000
#define ANSWER_BYTES_MAX 65536
#define WARM_UP_SECONDS 2

struct link {
    int fd;
    struct buf request;
    int64_t sent_us[IN_FLIGHT_MAX]; /* ring of what is under way */
    int first;
    int under_way;
    size_t out_at; /* of the request that is being sent */
    bool sending;
    uint8_t *in;
    size_t in_size;
};

struct bench {
    struct env env;
    struct link links[CONNECTIONS_MAX];
    int link_count;
    int in_flight;
    int32_t partitions;   /* of a request */
    size_t payload_bytes; /* of a request's batches */
    int64_t *latencies;
    size_t latency_count;
    int64_t to_send; /* requests */
    int64_t acked;
    bool wrong;
};

static void
link_send(struct bench *b, struct link *link)
{
    while (link->sending || (link->under_way < b->in_flight && b->to_send > 0)) {
        ssize_t n;

        if (!link->sending) {
            link->sending = true;
            link->out_at = 0;
            link->sent_us[(link->first + link->under_way++) % IN_FLIGHT_MAX] = measure_now_us();
            b->to_send--;
        }
        n = send(link->fd, link->request.data + link->out_at, link->request.size - link->out_at,
            MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        REQUIRE(n > 0);
        link->out_at += (size_t)n;
        link->sending = link->out_at < link->request.size;
    }
}

static void
answer_check(struct bench *b, struct link *link, const uint8_t *frame, size_t size)
{
    int16_t error = raw_produce_error(frame, size, b->partitions);

    if (error != KE_NONE && !b->wrong)
        fprintf(stderr, "raw_load: %s\n", kerr_name(error));
    b->wrong = b->wrong || error != KE_NONE;
    if (b->latency_count < LATENCIES_MAX)
        b->latencies[b->latency_count++] = measure_now_us() - link->sent_us[link->first];
    link->first = (link->first + 1) % IN_FLIGHT_MAX;
    link->under_way--;
    b->acked++;
}

static void
link_receive(struct bench *b, struct link *link)
{
    ssize_t n = recv(link->fd, link->in + link->in_size, ANSWER_BYTES_MAX - link->in_size, 0);
    size_t at = 0;

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        fprintf(stderr, "the broker closed a connection\n");
        exit(1);
    }
    link->in_size += (size_t)n;
    while (link->in_size - at >= FRAME_LENGTH_BYTES) {
        size_t size = (size_t)codec_bytes_int32(link->in + at);

        if (link->in_size - at - FRAME_LENGTH_BYTES < size)
            break;
        answer_check(b, link, link->in + at + FRAME_LENGTH_BYTES, size);
        at += FRAME_LENGTH_BYTES + size;
    }
    link->in_size -= at;
    memmove(link->in, link->in + at, link->in_size);
}

static bool
is_under_way(const struct bench *b)
{
    for (int i = 0; i < b->link_count; i++)
        if (b->links[i].under_way > 0)
            return true;
    return false;
}

/* Until the time is over, or all is sent and acknowledged. */
static void
run(struct bench *b, double seconds)
{
    struct pollfd fds[CONNECTIONS_MAX];
    int64_t end = measure_now_us() + (int64_t)(seconds * 1e6);

    while (measure_now_us() < end && !b->wrong && (b->to_send > 0 || is_under_way(b))) {
        for (int i = 0; i < b->link_count; i++) {
            link_send(b, &b->links[i]);
            fds[i] = (struct pollfd){
                b->links[i].fd, (short)(POLLIN | (b->links[i].sending ? POLLOUT : 0)), 0};
        }
        poll(fds, (nfds_t)b->link_count, 100);
        for (int i = 0; i < b->link_count; i++)
            if (fds[i].revents & POLLIN)
                link_receive(b, &b->links[i]);
    }
}

static void
links_make(struct bench *b, char **argument, bool single, enum compress_codec codec)
{
    int32_t partitions = (int32_t)strtol(argument[3], NULL, 10);
    struct raw_produce produce = {.topic = argument[2],
        .partitions = single ? 1 : partitions,
        .batch_bytes = (size_t)strtoull(argument[4], NULL, 10),
        .codec = codec};

    b->partitions = produce.partitions;
    b->link_count = (int)strtol(argument[5], NULL, 10);
    b->in_flight = (int)strtol(argument[6], NULL, 10);
    REQUIRE(b->link_count <= CONNECTIONS_MAX && b->in_flight <= IN_FLIGHT_MAX);
    for (int i = 0; i < b->link_count; i++) {
        struct link *link = &b->links[i];

        produce.first_partition = single ? i % partitions : 0;
        buf_init(&link->request, RAW_BYTES_MAX);
        /* Equal requests are one: what a client holds is not to push the broker's data out of the
         * processor's caches. */
        if (single || i == 0)
            b->payload_bytes = raw_produce_make(&b->env, &produce, &link->request);
        else
            link->request = b->links[0].request;
        link->fd = raw_dial(argument[0], argument[1]);
        raw_unblock(link->fd);
        link->in = xmalloc(ANSWER_BYTES_MAX);
    }
}

static int
usage(void)
{
    fprintf(stderr, "usage: raw_load [-s] [-r REQUESTS] HOST PORT TOPIC PARTITIONS BATCH_BYTES "
                    "CONNECTIONS IN_FLIGHT SECONDS PID [CODEC]\n");
    return 2;
}

int
main(int argc, char **argv)
{
    enum compress_codec codec = COMPRESS_NONE;
    int64_t started, measured, requests = 0;
    double cpu, cpu_acked, seconds, gb;
    static struct bench b;
    bool single = false;
    int option;

    while ((option = getopt(argc, argv, "+sr:")) != -1) {
        if (option == '?')
            return usage();
        single = single || option == 's';
        requests = option == 'r' ? strtoll(optarg, NULL, 10) : requests;
    }
    argc -= optind;
    argv += optind;
    if (argc < 9 || argc > 10 || (argc == 10 && !compress_find(argv[9], &codec)))
        return usage();
    env_init_real(&b.env);
    b.latencies = xcalloc(LATENCIES_MAX, sizeof *b.latencies);
    links_make(&b, argv, single, codec);
    b.to_send = requests > 0 ? requests : INT64_MAX;
    cpu = process_cpu_seconds(argv[8]);
    if (requests == 0)
        run(&b, WARM_UP_SECONDS);
    b.latency_count = 0;
    measured = -b.acked;
    started = measure_now_us();
    run(&b, strtod(argv[7], NULL));
    seconds = (double)(measure_now_us() - started) / 1e6;
    measured += b.acked;
    b.to_send = 0;
    while (is_under_way(&b) && !b.wrong)
        run(&b, 1);
    if (b.wrong || measured == 0 || (requests > 0 && b.acked != requests)) {
        fprintf(stderr,
            "raw_load: %s; %" PRId64 " requests acknowledged, %" PRId64 " while measured\n",
            b.wrong ? "a wrong answer" : "fewer answers than there should be", b.acked, measured);
        return 1;
    }
    cpu_acked = process_cpu_seconds(argv[8]) - cpu;
    cpu = process_settle(argv[8]) - cpu;
    gb = (double)b.acked * (double)b.payload_bytes / 1e9;
    REQUIRE((size_t)measured <= b.latency_count);
    printf("throughput\tMB/s\t%.1f\n", (double)measured * (double)b.payload_bytes / seconds / 1e6);
    measure_print_latencies(b.latencies, (size_t)measured);
    printf("CPU to the ack\ts/GB\t%.3f\n", cpu_acked / gb);
    printf("CPU\ts/GB\t%.3f\n", cpu / gb);
    printf("RSS\tMB\t%.0f\n", process_memory_mb(argv[8], "Rss:"));
    return 0;
}
