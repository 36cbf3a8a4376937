/*
 * bench_wire: what lib/wire costs, each figure beside what it is held against.
 *
 * Every figure is the median of interleaved rounds on one core. Exit 1 where one misses its aim.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/batch_validate.h"
#include "lib/wire/codec.h"
#include "lib/wire/crc32c.h"
#include "lib/wire/frame.h"

#define ROUNDS 9
#define ROUND_US 30000
#define MIB ((size_t)1 << 20)
#define RECORD_BYTES 1000

struct bench {
    struct env env;
    struct arena arena; /* of what is decoded */
    struct arena kept;  /* of the metadata */
    struct buf records; /* one batch of about 1 MiB */
    struct buf packed[COMPRESS_CODECS];
    struct buf request; /* Produce with it */
    struct buf many;    /* Produce of 64 batches, 1 MiB together */
    struct buf out;
    struct buf scratch;
    struct km_metadata_response metadata;
    enum compress_codec codec;
    uint64_t sink; /* keeps the compiler from leaving work out */
};

typedef void bench_fn(struct bench *bench);

static void
crc_run(struct bench *bench)
{
    bench->sink += crc32c_of(bench->records.data, bench->records.size);
}

/* What a broker does with a frame before it looks at checksums: header, body, and the header of
 * every batch. */
static void
request_run(struct bench *bench, const struct buf *frame)
{
    struct km_produce_request body;
    struct frame_request request;
    struct batch_view batch;

    arena_reset(&bench->arena);
    REQUIRE(frame_request_decode(frame->data + FRAME_LENGTH_BYTES, frame->size - FRAME_LENGTH_BYTES,
                &request, NULL) == RC_OK);
    REQUIRE(codec_decode(request.api->request, request.api_version,
                frame->data + FRAME_LENGTH_BYTES + request.header_size,
                frame->size - FRAME_LENGTH_BYTES - request.header_size, &bench->arena, &body, NULL,
                NULL) == RC_OK);
    for (int32_t t = 0; t < body.topic_data.count; t++) {
        const struct km_produce_request_topic_produce_data *topic = &body.topic_data.items[t];

        for (int32_t p = 0; p < topic->partition_data.count; p++) {
            const struct wire_records *records = &topic->partition_data.items[p].records;

            REQUIRE(batch_view_parse(records->data, (size_t)records->size, &batch, NULL) == RC_OK);
            bench->sink += (uint64_t)batch.record_count;
        }
    }
}

static void
one_run(struct bench *bench)
{
    request_run(bench, &bench->request);
}

static void
many_run(struct bench *bench)
{
    request_run(bench, &bench->many);
}

static void
metadata_run(struct bench *bench)
{
    buf_clear(&bench->out);
    REQUIRE(codec_encode(&km_metadata_response_message, 12, &bench->metadata, &bench->out, NULL) ==
            RC_OK);
    bench->sink += bench->out.size;
}

static void
validate_run(struct bench *bench)
{
    const struct buf *batch = &bench->packed[bench->codec];
    struct batch_validate_rules rules = {.timestamp_before_max_ms = INT64_MAX,
        .timestamp_after_max_ms = INT64_MAX,
        .batch_bytes_max = 4 * MIB,
        .uncompressed_bytes_max = 4 * MIB,
        .produce_version = 9};
    struct batch_validate_result result;

    arena_reset(&bench->arena);
    REQUIRE(batch_validate(batch->data, batch->size, &rules, &bench->arena, &bench->scratch,
                &result, NULL) == RC_OK);
    REQUIRE(result.fault == BATCH_VALIDATE_OK);
    bench->sink += (uint64_t)result.max_timestamp;
}

/* Nanoseconds per call in one round. */
static double
round_ns(struct bench *bench, bench_fn *fn)
{
    int64_t start = env_now_us(&bench->env), now = start;
    int64_t calls = 0, step = 1;

    for (; now - start < ROUND_US; now = env_now_us(&bench->env), step *= 2) {
        for (int64_t i = 0; i < step; i++)
            fn(bench);
        calls += step;
    }
    return (double)(now - start) * 1000 / (double)calls;
}

static int
compare(const void *a, const void *b)
{
    double x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static void
records_make(struct bench *bench, size_t size, enum compress_codec codec, struct buf *out)
{
    struct batch_builder_options options = batch_builder_defaults();
    static uint8_t value[RECORD_BYTES];
    struct batch_builder builder;

    options.codec = codec;
    batch_builder_init(&builder, 4 * MIB);
    batch_builder_start(&builder, &options);
    for (int64_t i = 0; batch_builder_size(&builder) + RECORD_BYTES < size; i++) {
        struct batch_builder_record record = {.offset = i,
            .timestamp = 1000 + i,
            .key = "a key",
            .key_size = 5,
            .value = value,
            .value_size = RECORD_BYTES};

        /* Half of a record is chance, half of it is not. */
        env_random_bytes(&bench->env, value, sizeof value / 2);
        REQUIRE(batch_builder_append(&builder, &record, NULL) == RC_OK);
    }
    buf_init(out, 8 * MIB);
    REQUIRE(batch_builder_finish(&builder, out, NULL) == RC_OK);
    batch_builder_fini(&builder);
}

static void
request_make(const struct buf *batch, int32_t count, struct buf *out)
{
    struct km_produce_request_partition_produce_data *parts = xcalloc((size_t)count, sizeof *parts);
    struct km_produce_request_topic_produce_data topic;
    struct km_produce_request request;

    codec_init(&km_produce_request_desc, &request);
    codec_init(&km_produce_request_topic_produce_data_desc, &topic);
    for (int32_t i = 0; i < count; i++) {
        codec_init(&km_produce_request_partition_produce_data_desc, &parts[i]);
        parts[i].index = i;
        parts[i].records = (struct wire_records){batch->data, NULL, (int32_t)batch->size, 0};
    }
    topic.name = (struct wire_string){"topic", 5};
    topic.partition_data.items = parts;
    topic.partition_data.count = count;
    request.acks = -1;
    request.topic_data.items = &topic;
    request.topic_data.count = 1;
    buf_init(out, 8 * MIB);
    REQUIRE(
        frame_request_encode(frame_api(KM_PRODUCE), 9, 1, "bench", &request, out, NULL) == RC_OK);
    free(parts);
}

/* 100 topics of 100 partitions on three brokers. */
static void
metadata_make(struct bench *bench)
{
    static int32_t replicas[] = {1, 2, 3};
    struct km_metadata_response *out = &bench->metadata;

    codec_init(&km_metadata_response_desc, out);
    out->topics.count = 100;
    out->topics.items = codec_array(&bench->kept, &km_metadata_response_topic_desc, 100);
    for (int32_t t = 0; t < 100; t++) {
        struct km_metadata_response_topic *topic = &out->topics.items[t];

        topic->name = (struct wire_string){"a-topic-with-a-usual-name", 25};
        topic->partitions.count = 100;
        topic->partitions.items =
            codec_array(&bench->kept, &km_metadata_response_partition_desc, 100);
        for (int32_t p = 0; p < 100; p++) {
            topic->partitions.items[p].partition_index = p;
            topic->partitions.items[p].replica_nodes.items = replicas;
            topic->partitions.items[p].replica_nodes.count = 3;
            topic->partitions.items[p].isr_nodes.items = replicas;
            topic->partitions.items[p].isr_nodes.count = 3;
        }
    }
}

enum {
    CRC,
    ONE,
    MANY,
    METADATA,
    VALIDATE_NONE,
    VALIDATE_ZSTD = VALIDATE_NONE + COMPRESS_ZSTD,
    FIGURES
};

static void
measure(struct bench *bench, double medians[FIGURES])
{
    static bench_fn *const runs[] = {crc_run, one_run, many_run, metadata_run};
    double rounds[FIGURES][ROUNDS];

    for (int r = 0; r < ROUNDS; r++) {
        for (int f = 0; f < FIGURES; f++) {
            bench->codec = (enum compress_codec)(f < VALIDATE_NONE ? 0 : f - VALIDATE_NONE);
            rounds[f][r] = round_ns(bench, f < VALIDATE_NONE ? runs[f] : validate_run);
        }
    }
    for (int f = 0; f < FIGURES; f++) {
        qsort(rounds[f], ROUNDS, sizeof rounds[f][0], compare);
        medians[f] = rounds[f][ROUNDS / 2];
    }
}

/* Returns 1 where the aim is missed. */
static int
row_print(const char *what, double value, const char *unit, double aim, bool at_least)
{
    bool good = at_least ? value >= aim : value <= aim;

    printf("%-62s %9.3f %-5s aim %s %g  %s\n", what, value, unit, at_least ? ">=" : "<=", aim,
        good ? "ok" : "MISSED");
    return good ? 0 : 1;
}

static int
report(const struct bench *bench, const double ns[FIGURES])
{
    double size = (double)bench->records.size;
    int missed = 0;

    missed += row_print("CRC-32C of 1 MiB", size / ns[CRC], "GB/s", 8, true);
    missed += row_print(
        "Produce of one 1 MiB batch: frame, body, batch header", ns[ONE] / 1000, "us", 2, false);
    missed +=
        row_print("Metadata v12 of 10,000 partitions, encode", ns[METADATA] / 1e6, "ms", 3, false);
    printf("%-62s %9.3f us    = %.4f of its CRC\n", "  the same Produce, beside its CRC",
        ns[ONE] / 1000, ns[ONE] / ns[CRC]);
    printf("%-62s %9.3f us    = %.4f of its CRC\n", "Produce of 64 batches of 16 KiB",
        ns[MANY] / 1000, ns[MANY] / ns[CRC]);
    for (int codec = 0; codec < COMPRESS_CODECS; codec++) {
        char what[64];

        snprintf(what, sizeof what, "validate 1 MiB of %d-byte records, %s", RECORD_BYTES,
            compress_name((enum compress_codec)codec));
        printf("%-62s %9.3f us    = %.2f times the CRC\n", what, ns[VALIDATE_NONE + codec] / 1000,
            ns[VALIDATE_NONE + codec] / ns[CRC]);
    }
    return missed;
}

int
main(void)
{
    struct bench *bench = xcalloc(1, sizeof *bench);
    struct buf small;
    double medians[FIGURES];
    int missed;

    env_init_real(&bench->env);
    arena_init(&bench->kept, 64 * MIB);
    arena_init(&bench->arena, 4 * MIB);
    metadata_make(bench);
    records_make(bench, MIB, COMPRESS_NONE, &bench->records);
    records_make(bench, 16384, COMPRESS_NONE, &small);
    for (int codec = 0; codec < COMPRESS_CODECS; codec++)
        records_make(bench, MIB, (enum compress_codec)codec, &bench->packed[codec]);
    request_make(&bench->records, 1, &bench->request);
    request_make(&small, 64, &bench->many);
    buf_init(&bench->out, 16 * MIB);
    buf_init(&bench->scratch, 16 * MIB);
    measure(bench, medians);
    missed = report(bench, medians);
    arena_fini(&bench->kept);
    arena_fini(&bench->arena);
    buf_fini(&bench->records);
    buf_fini(&bench->request);
    buf_fini(&bench->many);
    buf_fini(&bench->out);
    buf_fini(&bench->scratch);
    buf_fini(&small);
    for (int codec = 0; codec < COMPRESS_CODECS; codec++)
        buf_fini(&bench->packed[codec]);
    free(bench);
    return missed > 0;
}
