/*
 * raw_fetch: what a broker gives to consumers, with nothing behind it: Fetch requests over several
 * connections, every batch checked.
 *
 *   raw_fetch HOST PORT TOPIC PARTITIONS CONNECTIONS SECONDS PID
 *
 * Each connection has its share of the partitions and one request under way, with the limits that
 * consumers have by default (1 MiB of a partition, 50 MiB of an answer), and reads from offset 0 to
 * the end, again and again for SECONDS; with 0 seconds once. Batches have to follow each other
 * without a gap, with the right CRC-32C. The CPU seconds are those of process PID, for all bytes of
 * batches. Prints figures as "metric<TAB>unit<TAB>value". Exits with 1 where a batch is wrong.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_view.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"
#include "lib/wire/frame.h"
#include "tests/bench/measure.h"
#include "tests/bench/process.h"
#include "tests/bench/raw.h"

#define CONNECTIONS_MAX 64
#define PARTITIONS_MAX 1024
#define FETCH_VERSION 12
#define PARTITION_BYTES 1048576
#define ANSWER_BYTES 52428800
#define WAIT_MS 500

struct link {
    int fd;
    struct buf in;
    size_t in_wanted; /* bytes of the frame that is being read, 0 before its length is there */
    int partitions[PARTITIONS_MAX];
    int partition_count;
    bool asked;
};

struct bench {
    struct link links[CONNECTIONS_MAX];
    int link_count;
    const char *topic;
    int64_t next[PARTITIONS_MAX]; /* offset to read */
    bool read[PARTITIONS_MAX];    /* to its end, once */
    bool once;
    bool ending;
    int64_t bytes;
    struct arena arena;
};

static void
wrong(const char *what, int partition, int64_t offset)
{
    fprintf(stderr, "partition %d, offset %lld: %s\n", partition, (long long)offset, what);
    exit(1);
}

/* Asks for all partitions of a connection that are not read yet; false where there are none. */
static bool
link_ask(struct bench *b, struct link *link)
{
    static struct km_fetch_request_partition partitions[PARTITIONS_MAX];
    struct km_fetch_request_topic topic;
    struct km_fetch_request request;
    struct buf out;

    codec_init(&km_fetch_request_desc, &request);
    codec_init(&km_fetch_request_topic_desc, &topic);
    for (int i = 0; i < link->partition_count; i++) {
        int number = link->partitions[i];
        struct km_fetch_request_partition *partition = &partitions[topic.partitions.count];

        if (b->once && b->read[number])
            continue;
        codec_init(&km_fetch_request_partition_desc, partition);
        partition->partition = number;
        partition->fetch_offset = b->next[number];
        partition->partition_max_bytes = PARTITION_BYTES;
        topic.partitions.count++;
    }
    if (topic.partitions.count == 0)
        return false;
    topic.topic = codec_string(b->topic);
    topic.partitions.items = partitions;
    request.max_wait_ms = WAIT_MS;
    request.min_bytes = 1;
    request.max_bytes = ANSWER_BYTES;
    request.session_epoch = -1;
    request.topics.items = &topic;
    request.topics.count = 1;
    buf_init(&out, RAW_BYTES_MAX);
    REQUIRE(frame_request_encode(
                frame_api(KM_FETCH), FETCH_VERSION, 1, "raw", &request, &out, NULL) == RC_OK);
    /* Small beside what a socket takes. */
    REQUIRE(send(link->fd, out.data, out.size, MSG_NOSIGNAL) == (ssize_t)out.size);
    buf_fini(&out);
    link->asked = true;
    return true;
}

static void
partition_take(struct bench *b, const struct km_fetch_response_partition_data *partition)
{
    struct batch_view_cursor cursor = {partition->records.data,
        (size_t)(partition->records.size > 0 ? partition->records.size : 0)};
    int number = partition->partition_index;
    struct batch_view batch;
    bool found = false;

    if (number < 0 || number >= PARTITIONS_MAX || partition->error_code != 0)
        wrong("an error", number, partition->error_code);
    while (cursor.size > 0) {
        if (batch_view_next(&cursor, &batch, &found, NULL) != RC_OK)
            wrong("no batch", number, b->next[number]);
        if (!found)
            break;
        if (batch.base_offset != b->next[number])
            wrong("another batch than the next one", number, b->next[number]);
        if (crc32c_of(batch.data + BATCH_VIEW_ATTRIBUTES_AT,
                batch.size - BATCH_VIEW_ATTRIBUTES_AT) != batch.crc)
            wrong("a wrong checksum", number, b->next[number]);
        b->next[number] = batch_view_next_offset(&batch);
        b->bytes += (int64_t)batch.size;
    }
    if (b->next[number] >= partition->high_watermark) {
        b->read[number] = true;
        b->next[number] = 0;
    }
}

static void
answer_take(struct bench *b, const struct buf *frame)
{
    struct km_fetch_response response;
    int32_t correlation;

    arena_reset(&b->arena);
    if (frame_response_decode(frame_api(KM_FETCH), FETCH_VERSION, frame->data, frame->size,
            &correlation, &b->arena, &response, NULL) != RC_OK ||
        response.error_code != 0)
        wrong("an answer that cannot be read", -1, 0);
    for (int32_t t = 0; t < response.responses.count; t++)
        for (int32_t p = 0; p < response.responses.items[t].partitions.count; p++)
            partition_take(b, &response.responses.items[t].partitions.items[p]);
}

static void
link_receive(struct bench *b, struct link *link)
{
    uint8_t length[FRAME_LENGTH_BYTES];
    ssize_t n;

    if (link->in_wanted == 0) {
        n = recv(link->fd, length, sizeof length, MSG_PEEK);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            wrong("the broker closed a connection", -1, 0);
        if (n < (ssize_t)sizeof length)
            return;
        REQUIRE(recv(link->fd, length, sizeof length, 0) == (ssize_t)sizeof length);
        link->in_wanted = (size_t)codec_bytes_int32(length);
    }
    n = recv(link->fd, buf_reserve(&link->in, link->in_wanted - link->in.size),
        link->in_wanted - link->in.size, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        wrong("the broker closed a connection", -1, 0);
    buf_commit(&link->in, (size_t)n);
    if (link->in.size < link->in_wanted)
        return;
    answer_take(b, &link->in);
    buf_clear(&link->in);
    link->in_wanted = 0;
    link->asked = false;
}

/* Until the time is over and no answer is under way, or all is read once. */
static void
run(struct bench *b, double seconds)
{
    int64_t end = measure_now_us() + (int64_t)(seconds * 1e6);
    struct pollfd fds[CONNECTIONS_MAX];
    bool busy = true;

    while (busy) {
        bool over = !b->once && measure_now_us() >= end;

        busy = false;
        for (int i = 0; i < b->link_count; i++) {
            struct link *link = &b->links[i];

            busy = link->asked || (!over && link_ask(b, link)) || busy;
            fds[i] = (struct pollfd){link->asked ? link->fd : -1, POLLIN, 0};
        }
        if (busy)
            poll(fds, (nfds_t)b->link_count, WAIT_MS);
        for (int i = 0; busy && i < b->link_count; i++)
            if (fds[i].revents != 0)
                link_receive(b, &b->links[i]);
    }
}

int
main(int argc, char **argv)
{
    static struct bench b;
    double cpu, seconds;
    int64_t started;
    int partitions;

    if (argc != 8) {
        fprintf(stderr, "usage: raw_fetch HOST PORT TOPIC PARTITIONS CONNECTIONS SECONDS PID\n");
        return 2;
    }
    b.topic = argv[3];
    partitions = (int)strtol(argv[4], NULL, 10);
    b.link_count = (int)strtol(argv[5], NULL, 10);
    seconds = strtod(argv[6], NULL);
    b.once = seconds <= 0;
    REQUIRE(partitions <= PARTITIONS_MAX && b.link_count <= CONNECTIONS_MAX);
    arena_init(&b.arena, RAW_BYTES_MAX);
    for (int i = 0; i < b.link_count; i++) {
        b.links[i].fd = raw_dial(argv[1], argv[2]);
        raw_unblock(b.links[i].fd);
        buf_init(&b.links[i].in, RAW_BYTES_MAX);
        /* All memory that an answer needs, now and not while it is measured. */
        memset(buf_reserve(&b.links[i].in, ANSWER_BYTES), 0, ANSWER_BYTES);
    }
    for (int i = 0; i < partitions; i++) {
        struct link *link = &b.links[i % b.link_count];

        link->partitions[link->partition_count++] = i;
    }
    cpu = process_cpu_seconds(argv[7]);
    started = measure_now_us();
    run(&b, seconds);
    seconds = (double)(measure_now_us() - started) / 1e6;
    cpu = process_cpu_seconds(argv[7]) - cpu;
    if (b.bytes == 0)
        wrong("nothing to read", -1, 0);
    printf("throughput\tMB/s\t%.1f\n", (double)b.bytes / seconds / 1e6);
    printf("CPU\ts/GB\t%.3f\n", cpu / ((double)b.bytes / 1e9));
    printf("read\tMB\t%.0f\n", (double)b.bytes / 1e6);
    return 0;
}
