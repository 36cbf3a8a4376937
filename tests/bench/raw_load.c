/*
 * raw_load: what a broker takes, with nothing in front of it: pre-built batches, raw Produce
 * requests, every ack checked.
 *
 *   raw_load HOST PORT TOPIC PARTITIONS BATCH_BYTES CONNECTIONS IN_FLIGHT SECONDS PID [CODEC]
 *
 * Each request carries one batch for every partition. After two seconds of warm-up throughput and
 * latency are measured; then the load ends, and so does what process PID does in its background.
 * Its CPU seconds are those of all this time, for all bytes of it. With a codec the records are
 * such that they become much smaller, and BATCH_BYTES is the size before. Prints figures as
 * "metric<TAB>unit<TAB>value". Exits with 1 where a single ack is wrong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gen/messages.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"
#include "tests/bench/process.h"

#define CONNECTIONS_MAX 256
#define IN_FLIGHT_MAX 64
#define LATENCIES_MAX 1000000
#define PRODUCE_VERSION 9
#define BYTES_MAX ((size_t)256 * 1024 * 1024)
#define RECORD_BYTES 1000
#define WARM_UP_SECONDS 2
#define UNIQUE_BYTES 400 /* of a record, with a codec: hexadecimal digits, the rest is the same */

struct link {
    int fd;
    int64_t sent_us[IN_FLIGHT_MAX]; /* ring of what is under way */
    int first;
    int under_way;
    size_t out_at; /* of the request that is being sent; 0: none */
    bool sending;
    uint8_t *in;
    size_t in_size;
};

struct bench {
    struct env env;
    struct buf request;
    struct link links[CONNECTIONS_MAX];
    int link_count;
    int in_flight;
    int partitions;
    enum compress_codec codec;
    size_t payload_bytes; /* of a request's batches */
    int64_t *latencies;
    size_t latency_count;
    int64_t acked;
    bool ending; /* nothing new is sent */
    bool wrong;
};

static void
value_make(struct env *env, enum compress_codec codec, uint8_t *value, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    env_random_bytes(env, value, size);
    for (size_t i = 0; codec != COMPRESS_NONE && i < size; i++)
        value[i] = (uint8_t)(i < UNIQUE_BYTES ? digits[value[i] % 16] : 'x');
}

static struct buf
batch_make(struct env *env, size_t bytes, enum compress_codec codec)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    struct buf out;
    struct err e;

    options.codec = codec;
    batch_builder_init(&builder, BYTES_MAX);
    batch_builder_start(&builder, &options);
    for (int64_t i = 0; batch_builder_size(&builder) + RECORD_BYTES < bytes || i == 0; i++) {
        struct batch_builder_record record = {.offset = i, .timestamp = env_wall_ms(env)};
        uint8_t value[RECORD_BYTES - 20];

        value_make(env, codec, value, sizeof value);
        record.value = value;
        record.value_size = (int32_t)sizeof value;
        record.key_size = -1;
        REQUIRE(batch_builder_append(&builder, &record, &e) == RC_OK);
    }
    buf_init(&out, BYTES_MAX);
    REQUIRE(batch_builder_finish(&builder, &out, &e) == RC_OK);
    batch_builder_fini(&builder);
    return out;
}

static void
request_make(struct bench *b, const char *topic_name, size_t batch_bytes)
{
    struct km_produce_request_partition_produce_data *partitions =
        xcalloc((size_t)b->partitions, sizeof *partitions);
    struct km_produce_request_topic_produce_data topic;
    struct km_produce_request in;
    struct buf batch = batch_make(&b->env, batch_bytes, b->codec);
    struct err e;

    codec_init(&km_produce_request_desc, &in);
    codec_init(&km_produce_request_topic_produce_data_desc, &topic);
    for (int i = 0; i < b->partitions; i++) {
        codec_init(&km_produce_request_partition_produce_data_desc, &partitions[i]);
        partitions[i].index = i;
        partitions[i].records = (struct wire_records){batch.data, NULL, (int32_t)batch.size, 0};
    }
    topic.name = (struct wire_string){topic_name, (int32_t)strlen(topic_name)};
    topic.partition_data.items = partitions;
    topic.partition_data.count = b->partitions;
    in.acks = -1;
    in.timeout_ms = 60000;
    in.topic_data.items = &topic;
    in.topic_data.count = 1;
    buf_init(&b->request, BYTES_MAX);
    REQUIRE(frame_request_encode(
                frame_api(KM_PRODUCE), PRODUCE_VERSION, 1, "raw", &in, &b->request, &e) == RC_OK);
    b->payload_bytes = batch.size * (size_t)b->partitions;
    buf_fini(&batch);
    free(partitions);
}

static int
dial(const char *host, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    if (inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)(void *)&address, sizeof address) != 0) {
        perror("connect");
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void
link_send(struct bench *b, struct link *link)
{
    while (link->sending || (link->under_way < b->in_flight && !b->ending)) {
        ssize_t n;

        if (!link->sending) {
            link->sending = true;
            link->out_at = 0;
            link->sent_us[(link->first + link->under_way++) % IN_FLIGHT_MAX] = env_now_us(&b->env);
        }
        n = send(
            link->fd, b->request.data + link->out_at, b->request.size - link->out_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        REQUIRE(n > 0);
        link->out_at += (size_t)n;
        link->sending = link->out_at < b->request.size;
    }
}

static void
answer_check(struct bench *b, struct link *link, const uint8_t *frame, size_t size)
{
    struct km_produce_response out;
    struct arena arena;
    int32_t correlation;
    struct err e;

    arena_init(&arena, BYTES_MAX);
    if (frame_response_decode(frame_api(KM_PRODUCE), PRODUCE_VERSION, frame, size, &correlation,
            &arena, &out, &e) != RC_OK ||
        out.responses.count != 1 ||
        out.responses.items[0].partition_responses.count != b->partitions) {
        b->wrong = true;
    } else {
        for (int i = 0; i < b->partitions; i++)
            b->wrong =
                b->wrong || out.responses.items[0].partition_responses.items[i].error_code != 0;
    }
    arena_fini(&arena);
    if (b->latency_count < LATENCIES_MAX)
        b->latencies[b->latency_count++] = env_now_us(&b->env) - link->sent_us[link->first];
    link->first = (link->first + 1) % IN_FLIGHT_MAX;
    link->under_way--;
    b->acked++;
}

static void
link_receive(struct bench *b, struct link *link)
{
    ssize_t n = recv(link->fd, link->in + link->in_size, 65536 - link->in_size, 0);
    size_t at = 0;

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        fprintf(stderr, "the broker closed a connection\n");
        exit(1);
    }
    link->in_size += (size_t)n;
    while (link->in_size - at >= 4) {
        size_t size = (size_t)codec_bytes_int32(link->in + at);

        if (link->in_size - at - 4 < size)
            break;
        answer_check(b, link, link->in + at + 4, size);
        at += 4 + size;
    }
    link->in_size -= at;
    memmove(link->in, link->in + at, link->in_size);
}

static void
run(struct bench *b, double seconds)
{
    struct pollfd fds[CONNECTIONS_MAX];
    int64_t end = env_now_us(&b->env) + (int64_t)(seconds * 1e6);

    while (env_now_us(&b->env) < end && !b->wrong) {
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

/* Takes the answers that are still under way. */
static void
drain(struct bench *b)
{
    bool busy = true;

    b->ending = true;
    while (busy && !b->wrong) {
        run(b, 0.1);
        busy = false;
        for (int i = 0; i < b->link_count; i++)
            busy = busy || b->links[i].under_way > 0;
    }
}

static int
by_time(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Of sorted latencies. */
static double
percentile_ms(const struct bench *b, size_t percent)
{
    size_t at = b->latency_count * percent / 100;

    return (double)b->latencies[at] / 1e3;
}

int
main(int argc, char **argv)
{
    static struct bench b;
    int64_t started, measured, warm;
    double cpu, seconds;

    if (argc < 10 || argc > 11 || (argc == 11 && !compress_find(argv[10], &b.codec))) {
        fprintf(stderr, "usage: raw_load HOST PORT TOPIC PARTITIONS BATCH_BYTES CONNECTIONS "
                        "IN_FLIGHT SECONDS PID [CODEC]\n");
        return 2;
    }
    env_init_real(&b.env);
    b.partitions = (int)strtol(argv[4], NULL, 10);
    b.link_count = (int)strtol(argv[6], NULL, 10);
    b.in_flight = (int)strtol(argv[7], NULL, 10);
    REQUIRE(b.link_count <= CONNECTIONS_MAX && b.in_flight <= IN_FLIGHT_MAX);
    b.latencies = xcalloc(LATENCIES_MAX, sizeof *b.latencies);
    request_make(&b, argv[3], (size_t)strtoull(argv[5], NULL, 10));
    for (int i = 0; i < b.link_count; i++) {
        b.links[i].fd = dial(argv[1], (uint16_t)strtoul(argv[2], NULL, 10));
        b.links[i].in = xmalloc(65536);
    }
    cpu = process_cpu_seconds(argv[9]);
    run(&b, WARM_UP_SECONDS);
    b.latency_count = 0;
    warm = b.acked;
    started = env_now_us(&b.env);
    run(&b, strtod(argv[8], NULL));
    seconds = (double)(env_now_us(&b.env) - started) / 1e6;
    measured = b.acked - warm;
    drain(&b);
    if (b.wrong || measured == 0) {
        fprintf(stderr, "a wrong answer, or none\n");
        return 1;
    }
    REQUIRE(measured <= LATENCIES_MAX);
    cpu = process_settle(argv[9]) - cpu;
    qsort(b.latencies, (size_t)measured, sizeof *b.latencies, by_time);
    printf("throughput\tMB/s\t%.1f\n", (double)measured * (double)b.payload_bytes / seconds / 1e6);
    printf("p50\tms\t%.2f\n", percentile_ms(&b, 50));
    printf("p99\tms\t%.2f\n", percentile_ms(&b, 99));
    printf("CPU\ts/GB\t%.2f\n", cpu / ((double)b.acked * (double)b.payload_bytes / 1e9));
    printf("RSS\tMB\t%.0f\n", process_memory_mb(argv[9], "Rss:"));
    return 0;
}
