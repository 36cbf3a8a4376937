/*
 * judge_peer: our side of the question whether a broker takes a batch (kdl.codec.JudgeOracle asks
 * a real log of Apache Kafka, and has the format).
 *
 *   judge_peer SEED N FILE   writes N batches, most of them wrong in some way, and prints our
 * verdicts
 *
 * A line of `N ?` is not to be compared: Kafka only skims through compressed records and takes some
 * that are malformed, which we refuse (batch_validate.h).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/batch_rewrite.h"
#include "lib/wire/batch_validate.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"

#define NOW INT64_C(1700000000000)
#define BATCH_BYTES_MAX ((size_t)1 << 24)
#define TOPICS 8
#define TOPIC_COMPACTED 1
#define TOPIC_APPEND_TIME 2
#define TOPIC_STRICT_TIME 4

enum damage {
    NO_DAMAGE,
    FIELD,
    PAYLOAD,
    CUT_AND_MENDED,
    CUT,
    TAIL_BEHIND,
    TAIL_INSIDE,
    TWO,
    RECORDS,
    RECORDS_CUT,
    DAMAGES
};

static struct env env;
static struct buf batch;
static struct buf scratch;
static struct arena arena;

static int64_t
dice(int64_t sides)
{
    return (int64_t)env_random_below(&env, (uint64_t)sides);
}

static void
mend(void)
{
    if (batch.size < BATCH_VIEW_HEADER_BYTES)
        return;
    codec_bytes_put_int32(
        batch.data + BATCH_VIEW_LENGTH_AT, (int32_t)(batch.size - BATCH_VIEW_OVERHEAD_BYTES));
    codec_bytes_put_int32(
        batch.data + BATCH_VIEW_CRC_AT, (int32_t)crc32c_of(batch.data + BATCH_VIEW_ATTRIBUTES_AT,
                                            batch.size - BATCH_VIEW_ATTRIBUTES_AT));
}

static int64_t
timestamp(void)
{
    static const int64_t far[] = {-1, 0, NOW - 3600000, NOW + 4600000, INT64_MAX, INT64_MIN};

    return dice(12) == 0 ? far[dice(ARRAY_LEN(far))] : NOW - 500 + dice(1000);
}

static void
good_make(void)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    uint8_t noise[200];

    options.codec = (enum compress_codec)dice(COMPRESS_CODECS);
    if (dice(4) == 0) {
        options.producer_id = dice(1 << 30);
        options.producer_epoch = 0;
        options.base_sequence = 0;
    }
    if (dice(20) == 0)
        options.append_time_ms = timestamp();
    env_random_bytes(&env, noise, sizeof noise / 2);
    memset(noise + sizeof noise / 2, 'x', sizeof noise / 2);
    batch_builder_init(&builder, BATCH_BYTES_MAX);
    batch_builder_start(&builder, &options);
    for (int64_t i = 0, count = 1 + dice(5); i < count; i++) {
        struct batch_builder_header header = {"name", noise, 4, (int32_t)dice(5)};
        struct batch_builder_record record = {.offset = i,
            .timestamp = timestamp(),
            .key = dice(5) == 0 ? NULL : noise,
            .key_size = (int32_t)dice(20),
            .value = dice(5) == 0 ? NULL : noise,
            .value_size = (int32_t)dice(sizeof noise),
            .headers = &header,
            .header_count = (int32_t)dice(2)};

        REQUIRE(batch_builder_append(&builder, &record, NULL) == RC_OK);
    }
    buf_clear(&batch);
    REQUIRE(batch_builder_finish(&builder, &batch, NULL) == RC_OK);
    batch_builder_fini(&builder);
}

static void
field_damage(void)
{
    static const struct {
        uint8_t at, size;
    } fields[] = {{0, 8}, {BATCH_VIEW_LEADER_EPOCH_AT, 4}, {BATCH_VIEW_MAGIC_AT, 1},
        {BATCH_VIEW_CRC_AT, 4}, {BATCH_VIEW_ATTRIBUTES_AT, 2}, {BATCH_VIEW_ATTRIBUTES_AT + 1, 1},
        {BATCH_VIEW_LAST_OFFSET_DELTA_AT, 4}, {BATCH_VIEW_BASE_TIMESTAMP_AT, 8},
        {BATCH_VIEW_MAX_TIMESTAMP_AT, 8}, {BATCH_VIEW_PRODUCER_ID_AT, 8},
        {BATCH_VIEW_PRODUCER_EPOCH_AT, 2}, {BATCH_VIEW_BASE_SEQUENCE_AT, 4},
        {BATCH_VIEW_RECORD_COUNT_AT, 4}};
    static const int64_t values[] = {0, 1, -1, 2, 3, 4, 5, 8, 16, 32, 64, 127, 128, INT16_MAX,
        INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, NOW};
    size_t which = (size_t)dice(ARRAY_LEN(fields));
    uint8_t bytes[8];

    codec_bytes_put_int64(
        bytes, dice(3) == 0 ? (int64_t)env_random(&env) : values[dice(ARRAY_LEN(values))]);
    memcpy(batch.data + fields[which].at, bytes + 8 - fields[which].size, fields[which].size);
    if (fields[which].at != BATCH_VIEW_CRC_AT)
        mend();
}

/* Takes the records out, damages them, and packs them again. */
static void
records_damage(bool cut)
{
    struct batch_view view, packed;
    struct buf plain, out;

    buf_init(&plain, BATCH_BYTES_MAX);
    buf_init(&out, BATCH_BYTES_MAX);
    REQUIRE(batch_view_parse(batch.data, batch.size, &view, NULL) == RC_OK);
    REQUIRE(batch_rewrite_codec(&view, COMPRESS_NONE, &scratch, BATCH_BYTES_MAX, &plain, NULL) ==
            RC_OK);
    if (cut) {
        plain.size -= (size_t)dice((int64_t)(plain.size - BATCH_VIEW_HEADER_BYTES));
        codec_bytes_put_int32(
            plain.data + BATCH_VIEW_LENGTH_AT, (int32_t)(plain.size - BATCH_VIEW_OVERHEAD_BYTES));
    } else {
        size_t span = plain.size - BATCH_VIEW_HEADER_BYTES;

        if (dice(2) == 0 && span > 12)
            span = 12;
        plain.data[BATCH_VIEW_HEADER_BYTES + (size_t)dice((int64_t)span)] =
            (uint8_t)(dice(2) == 0 ? dice(4) : (int64_t)env_random_below(&env, 256));
    }
    REQUIRE(batch_view_parse(plain.data, plain.size, &packed, NULL) == RC_OK);
    REQUIRE(batch_rewrite_codec(
                &packed, batch_view_codec(&view), &scratch, BATCH_BYTES_MAX, &out, NULL) == RC_OK);
    buf_clear(&batch);
    buf_append(&batch, out.data, out.size);
    buf_fini(&plain);
    buf_fini(&out);
}

static void
damage_do(enum damage damage)
{
    uint8_t noise[40];
    struct buf copy;

    env_random_bytes(&env, noise, sizeof noise);
    noise[0] = 0xff; /* what zstd's reader takes for the beginning of a frame, it overlooks */
    switch (damage) {
    case FIELD:
        field_damage();
        break;
    case PAYLOAD:
        batch
            .data[BATCH_VIEW_HEADER_BYTES + dice((int64_t)(batch.size - BATCH_VIEW_HEADER_BYTES))] =
            noise[0];
        mend();
        break;
    case CUT_AND_MENDED:
        batch.size -= (size_t)dice((int64_t)(batch.size - BATCH_VIEW_HEADER_BYTES));
        mend();
        break;
    case CUT:
        batch.size = (size_t)dice((int64_t)batch.size);
        break;
    case TAIL_BEHIND:
    case TAIL_INSIDE:
        buf_append(&batch, noise, 1 + (size_t)dice(sizeof noise));
        if (damage == TAIL_INSIDE)
            mend();
        break;
    case TWO:
        buf_init(&copy, BATCH_BYTES_MAX);
        buf_append(&copy, batch.data, batch.size);
        buf_append(&batch, copy.data, 1 + (size_t)dice((int64_t)copy.size));
        buf_fini(&copy);
        break;
    case RECORDS:
    case RECORDS_CUT:
        records_damage(damage == RECORDS_CUT);
        break;
    default:
        break;
    }
}

/* What Kafka skims; what zlib and Java's inflater make of a broken stream, of which they hand out
 * different amounts before they notice; and our own limit. */
static bool
is_left_out(const struct batch_validate_result *result)
{
    enum compress_codec codec = batch_view_codec(&result->batch);

    return (result->fault == BATCH_VALIDATE_STRUCTURE && codec != COMPRESS_NONE) ||
           (result->fault == BATCH_VALIDATE_COMPRESSION && codec == COMPRESS_GZIP) ||
           result->fault == BATCH_VALIDATE_UNCOMPRESSED_SIZE;
}

/* What would be stored is what Kafka has in its log. */
static void
taken_print(const struct batch_validate_result *result, bool log_append_time)
{
    struct batch_rewrite change = {.fields = BATCH_REWRITE_TIMESTAMP,
        .max_timestamp = result->max_timestamp,
        .log_append_time = log_append_time};
    struct batch_view stored;

    batch_rewrite_header(batch.data, result->batch.size, &change);
    REQUIRE(batch_view_parse(batch.data, result->batch.size, &stored, NULL) == RC_OK);
    printf("taken count=%" PRId32 " last=%" PRId32 " max=%" PRId64 " type=%s size=%zu crc=%" PRIu32
           "\n",
        stored.record_count, stored.last_offset_delta, stored.max_timestamp,
        batch_view_is_log_append_time(&stored) ? "LogAppendTime" : "CreateTime", stored.size,
        stored.crc);
}

static void
verdict_print(unsigned number, int topic, int16_t version)
{
    struct batch_validate_rules rules = {.now_ms = NOW,
        .timestamp_before_max_ms = INT64_MAX,
        .timestamp_after_max_ms = 3600000,
        .batch_bytes_max = 5000000,
        .uncompressed_bytes_max = BATCH_BYTES_MAX,
        .produce_version = version,
        .log_append_time = (topic & TOPIC_APPEND_TIME) != 0,
        .compacted = (topic & TOPIC_COMPACTED) != 0};
    struct batch_validate_result result;

    if ((topic & TOPIC_STRICT_TIME) != 0)
        rules.timestamp_before_max_ms = rules.timestamp_after_max_ms = 1000;
    arena_reset(&arena);
    REQUIRE(
        batch_validate(batch.data, batch.size, &rules, &arena, &scratch, &result, NULL) == RC_OK);
    printf("%u ", number);
    if (result.fault == BATCH_VALIDATE_OK) {
        taken_print(&result, rules.log_append_time);
        return;
    }
    if (is_left_out(&result)) {
        puts("?");
        return;
    }
    printf("refused %d records=", batch_validate_code(result.fault));
    for (int32_t i = 0; i < result.error_count; i++)
        printf("%s%" PRId32, i == 0 ? "" : ",", result.errors[i].batch_index);
    putchar('\n');
}

int
main(int argc, char **argv)
{
    FILE *out = argc == 4 ? fopen(argv[3], "wb") : NULL;
    unsigned count = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    bool good = out != NULL;

    if (out == NULL) {
        fputs("usage: judge_peer SEED N FILE (a file that can be written)\n", stderr);
        return 2;
    }
    env_init_seeded(&env, strtoull(argv[1], NULL, 10), 0);
    arena_init(&arena, 1 << 20);
    buf_init(&batch, BATCH_BYTES_MAX);
    buf_init(&scratch, BATCH_BYTES_MAX);
    for (unsigned i = 0; i < count && good; i++) {
        int topic = (int)dice(TOPICS);
        int16_t version = (int16_t)(dice(6) == 0 ? 3 + dice(5) : 9);
        uint8_t head[7];

        good_make();
        damage_do((enum damage)dice(DAMAGES));
        head[0] = (uint8_t)topic;
        codec_bytes_put_int16(head + 1, version);
        codec_bytes_put_int32(head + 3, (int32_t)batch.size);
        good = fwrite(head, 1, sizeof head, out) == sizeof head &&
               fwrite(batch.data, 1, batch.size, out) == batch.size;
        verdict_print(i, topic, version);
    }
    good = fclose(out) == 0 && good;
    arena_fini(&arena);
    buf_fini(&batch);
    buf_fini(&scratch);
    return good ? 0 : 1;
}
