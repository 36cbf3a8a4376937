/* Area produce, third part: what is stored of what was sent: keys, headers, codecs, timestamps. */
#include <inttypes.h>
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_fetch.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_produce.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

#define HOUR_MS ((int64_t)3600 * 1000)
#define CLOCK_SLACK_MS (HOUR_MS * 24)
#define MANY_HEADERS 100

static const int16_t invalid[] = {KE_INVALID_RECORD};
static const int16_t wrong_time[] = {KE_INVALID_TIMESTAMP};

/* The whole of partition 0, which must have so many records. */
static struct kc_log *
stored(struct kc *kc, const struct kc_topic *topic, size_t count)
{
    struct kc_log *log = kc_log_all(kc, topic, 0);

    kc_int(kc, "records", (int64_t)log->record_count, (int64_t)count);
    return log;
}

/* The log read back is, record by record, what a batch holds. */
static void
same_as_sent(struct kc *kc, const struct kc_log *log, size_t first, struct wire_bytes batch)
{
    struct wire_records records = {.data = batch.data, .size = batch.size};
    struct kc_log *sent = kc_alloc(kc, 1, sizeof *sent);

    kc_log_add(kc, sent, &records);
    for (size_t i = 0; i < sent->record_count; i++) {
        kc_that(kc, first + i < log->record_count, "records-missing", "%zu records more",
            sent->record_count - i);
        kc_bytes(kc, "record_key", log->records[first + i].key, sent->records[i].key);
        kc_bytes(kc, "record_value", log->records[first + i].value, sent->records[i].value);
        kc_int(
            kc, "record_timestamp", log->records[first + i].timestamp, sent->records[i].timestamp);
    }
}

/* --- codecs ----------------------------------------------------------------------------------- */

static void
compression_codecs(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct wire_bytes batches[COMPRESS_CODECS];
    struct kc_log *log;

    for (enum compress_codec codec = COMPRESS_NONE; codec < COMPRESS_CODECS; codec++) {
        batches[codec] = kc_batch_codec(kc, codec, 50);
        kc_append_ok(kc, topic, 0, batches[codec]);
    }
    log = stored(kc, topic, (size_t)COMPRESS_CODECS * 50);
    kc_int(kc, "batches", (int64_t)log->batch_count, COMPRESS_CODECS);
    for (enum compress_codec codec = COMPRESS_NONE; codec < COMPRESS_CODECS; codec++) {
        kc_int(kc, "batch_codec", batch_view_codec(&log->batches[codec]), codec);
        same_as_sent(kc, log, (size_t)codec * 50, batches[codec]);
    }
}

/* The records behind the header of a plain batch, in another framing. */
static struct wire_bytes
reframed(struct kc *kc, struct wire_bytes plain, enum compress_codec codec, const void *data,
    size_t size)
{
    struct wire_bytes batch = {plain.data, BATCH_VIEW_HEADER_BYTES};

    batch = kc_batch_join(kc, batch, (struct wire_bytes){data, (int32_t)size});
    batch =
        kc_batch_put(kc, batch, BATCH_VIEW_LENGTH_AT, 4, batch.size - BATCH_VIEW_OVERHEAD_BYTES);
    batch = kc_batch_put(kc, batch, BATCH_VIEW_ATTRIBUTES_AT, 2, codec);
    return kc_batch_seal(kc, batch);
}

static void
snappy_xerial_and_raw(struct kc *kc)
{
    static const char *const values[] = {"one-0", "two-0"};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct wire_bytes plain = kc_batch_values(kc, "one", 1);
    size_t size = (size_t)plain.size - BATCH_VIEW_HEADER_BYTES;
    uint8_t raw[128];
    struct buf framed;
    struct err e = {0};

    buf_init(&framed, 10000);
    if (compress_encode(COMPRESS_SNAPPY, plain.data + BATCH_VIEW_HEADER_BYTES, size, &framed, &e) !=
        RC_OK)
        kc_error(kc, "%s", e.text);
    kc_append_ok(kc, topic, 0, reframed(kc, plain, COMPRESS_SNAPPY, framed.data, framed.size));
    /* One raw block: the size, a literal's tag, the literal. */
    plain = kc_batch_values(kc, "two", 1);
    size = (size_t)plain.size - BATCH_VIEW_HEADER_BYTES;
    kc_that(kc, size < 60, "too-long", "a short record");
    raw[0] = (uint8_t)size;
    raw[1] = (uint8_t)((size - 1) << 2);
    memcpy(raw + 2, plain.data + BATCH_VIEW_HEADER_BYTES, size);
    kc_append_ok(kc, topic, 0, reframed(kc, plain, COMPRESS_SNAPPY, raw, size + 2));
    kc_log_values(kc, kc_log_all(kc, topic, 0), 0, values, 2);
    buf_fini(&framed);
}

static void
recompression(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, "compression.type=gzip", NULL);
    struct wire_bytes plain = kc_batch_codec(kc, COMPRESS_NONE, 20);
    struct wire_bytes lz4 = kc_batch_codec(kc, COMPRESS_LZ4, 20);
    struct kc_log *log;

    kc_append_ok(kc, topic, 0, plain);
    kc_append_ok(kc, topic, 0, lz4);
    log = stored(kc, topic, 40);
    for (size_t i = 0; i < log->batch_count; i++)
        kc_int(kc, "batch_codec", batch_view_codec(&log->batches[i]), COMPRESS_GZIP);
    same_as_sent(kc, log, 0, plain);
    same_as_sent(kc, log, 20, lz4);
}

/* --- keys, values, headers -------------------------------------------------------------------- */

static void
keys_and_values(struct kc *kc, const struct batch_builder_record *records, size_t count)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct wire_bytes batch = kc_batch(kc, NULL, records, count);

    kc_append_ok(kc, topic, 0, batch);
    same_as_sent(kc, stored(kc, topic, count), 0, batch);
}

static void
null_key(struct kc *kc)
{
    struct batch_builder_record record = kc_record(NULL, "v", kc_wall_ms());

    keys_and_values(kc, &record, 1);
}

static void
null_value(struct kc *kc)
{
    struct batch_builder_record record = kc_record("k", NULL, kc_wall_ms());

    keys_and_values(kc, &record, 1);
}

static void
empty_vs_null(struct kc *kc)
{
    int64_t now_ms = kc_wall_ms();
    const struct batch_builder_record records[] = {kc_record(NULL, NULL, now_ms),
        kc_record(NULL, "", now_ms), kc_record("", NULL, now_ms), kc_record("", "", now_ms)};

    keys_and_values(kc, records, ARRAY_LEN(records));
}

static void
headers_are(struct kc *kc, struct batch_records_headers seen,
    const struct batch_builder_header *sent, int32_t count)
{
    struct batch_records_header header;

    kc_int(kc, "headers", seen.left, count);
    for (int32_t i = 0; i < count && batch_records_header_next(&seen, &header); i++) {
        kc_bytes(kc, "header_key", (struct wire_bytes){header.key, header.key_size},
            (struct wire_bytes){sent[i].key, sent[i].key_size});
        kc_bytes(kc, "header_value", (struct wire_bytes){header.value, header.value_size},
            (struct wire_bytes){sent[i].value, sent[i].value_size});
    }
}

static void
headers(struct kc *kc)
{
    static const struct batch_builder_header few[] = {{"a", "1", 1, 1}, {"a", "2", 1, 1},
        {"null", NULL, 4, -1}, {"empty", "", 5, 0}, {"binary", "\0\xff\x80", 6, 3},
        {"", "no name", 0, 7}};
    struct batch_builder_header many[MANY_HEADERS];
    struct batch_builder_record records[3];
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_log *log;

    for (int i = 0; i < MANY_HEADERS; i++) {
        char *text = kc_printf(kc, "header-%d", i);

        many[i] =
            (struct batch_builder_header){text, text, (int32_t)strlen(text), (int32_t)strlen(text)};
    }
    for (size_t i = 0; i < ARRAY_LEN(records); i++)
        records[i] = kc_record("k", "v", kc_wall_ms());
    records[1].headers = few;
    records[1].header_count = ARRAY_LEN(few);
    records[2].headers = many;
    records[2].header_count = MANY_HEADERS;
    kc_append_ok(kc, topic, 0, kc_batch(kc, NULL, records, ARRAY_LEN(records)));
    log = stored(kc, topic, ARRAY_LEN(records));
    headers_are(kc, log->records[0].headers, NULL, 0);
    headers_are(kc, log->records[1].headers, few, ARRAY_LEN(few));
    headers_are(kc, log->records[2].headers, many, MANY_HEADERS);
}

static void
compacted_null_key(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, "cleanup.policy=compact", NULL);
    int64_t now_ms = kc_wall_ms();
    const struct batch_builder_record records[] = {
        kc_record("a", "1", now_ms), kc_record(NULL, "2", now_ms), kc_record("c", "3", now_ms)};
    const struct km_produce_response_partition_produce_response *part =
        kc_append_refused(kc, topic, kc_batch(kc, NULL, records, 3), invalid, 1);

    kc_int(kc, "record_errors", part->record_errors.count, 1);
    kc_int(kc, "batch_index", part->record_errors.items[0].batch_index, 1);
    kc_append_ok(kc, topic, 0, kc_batch(kc, NULL, records, 1));
}

/* --- timestamps ------------------------------------------------------------------------------- */

static void
create_time_kept(struct kc *kc)
{
    int64_t now_ms = kc_wall_ms();
    const int64_t times[] = {1, now_ms, now_ms - HOUR_MS, now_ms + HOUR_MS / 2};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_log *log;

    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        const struct km_produce_response_partition_produce_response *part =
            kc_append(kc, topic, 0, kc_batch_timed(kc, &times[i], 1));

        kc_code(kc, "error_code", part->error_code, KE_NONE);
        kc_int(kc, "log_append_time", part->log_append_time_ms, -1);
    }
    log = stored(kc, topic, ARRAY_LEN(times));
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        kc_int(kc, "record_timestamp", log->records[i].timestamp, times[i]);
}

static void
log_append_time(struct kc *kc)
{
    static const int64_t times[] = {1000, 2000, 3000};
    struct kc_topic *topic = kc_topic_new(kc, 1, "message.timestamp.type=LogAppendTime", NULL);
    int64_t before_ms = kc_wall_ms();
    const struct km_produce_response_partition_produce_response *part =
        kc_append(kc, topic, 0, kc_batch_timed(kc, times, 3));
    int64_t told_ms = part->log_append_time_ms;
    struct kc_log *log;

    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_that(kc, told_ms > before_ms - CLOCK_SLACK_MS && told_ms < before_ms + CLOCK_SLACK_MS,
        told_ms == -1 ? "log_append_time=-1" : "log_append_time-wrong",
        "log_append_time of about now, not %" PRId64, told_ms);
    log = stored(kc, topic, 3);
    kc_that(kc, batch_view_is_log_append_time(&log->batches[0]), "type-bit-unset",
        "the batch's timestamp type LogAppendTime");
    kc_int(kc, "max_timestamp", log->batches[0].max_timestamp, told_ms);
    for (size_t i = 0; i < 3; i++)
        kc_int(kc, "record_timestamp", log->records[i].timestamp, told_ms);
}

static void
timestamp_before_max(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, "message.timestamp.before.max.ms=1000", NULL);
    int64_t now_ms = kc_wall_ms();
    const int64_t times[] = {now_ms - HOUR_MS * 48, now_ms - HOUR_MS * 48};
    const struct km_produce_response_partition_produce_response *part =
        kc_append_refused(kc, topic, kc_batch_timed(kc, times, 2), wrong_time, 1);

    kc_int(kc, "record_errors", part->record_errors.count, 2);
    for (int32_t i = 0; i < 2; i++)
        kc_int(kc, "batch_index", part->record_errors.items[i].batch_index, i);
    kc_that(kc, part->error_message.size > 0, "no-message", "an error message");
}

static void
timestamp_after_max(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, "message.timestamp.after.max.ms=1000", NULL);
    int64_t time = kc_wall_ms() + HOUR_MS * 48;

    kc_append_refused(kc, topic, kc_batch_timed(kc, &time, 1), wrong_time, 1);
}

static void
timestamp_mixed_batch(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, "message.timestamp.before.max.ms=86400000", NULL);
    int64_t now_ms = kc_wall_ms();
    const int64_t times[] = {now_ms, now_ms - HOUR_MS * 48};
    const struct km_produce_response_partition_produce_response *part =
        kc_append_refused(kc, topic, kc_batch_timed(kc, times, 2), wrong_time, 1);

    kc_int(kc, "record_errors", part->record_errors.count, 1);
    kc_int(kc, "batch_index", part->record_errors.items[0].batch_index, 1);
}

static void
timestamp_minus_one(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, "message.timestamp.before.max.ms=1000", NULL);
    int64_t none = -1;

    kc_int(kc, "base_offset", kc_append_ok(kc, topic, 0, kc_batch_timed(kc, &none, 1)), 0);
    kc_int(kc, "record_timestamp", stored(kc, topic, 1)->records[0].timestamp, -1);
}

static void
max_timestamp_recomputed(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    int64_t now_ms = kc_wall_ms(), stored_ms;
    const int64_t times[] = {now_ms, now_ms + 5, now_ms + 1};
    struct wire_bytes batch = kc_batch_timed(kc, times, 3);

    batch = kc_batch_put(kc, batch, BATCH_VIEW_MAX_TIMESTAMP_AT, 8, now_ms + HOUR_MS / 2);
    kc_append_ok(kc, topic, 0, kc_batch_seal(kc, batch));
    stored_ms = stored(kc, topic, 3)->batches[0].max_timestamp;
    kc_classify(kc, stored_ms == now_ms + HOUR_MS / 2 ? "header-believed" : NULL);
    kc_int(kc, "max_timestamp", stored_ms, now_ms + 5);
}

static const struct check checks[] = {
    {"produce.compression_codecs",
        "batches of every codec are taken, kept in their codec, and read back equal",
        "librdkafka 0017", CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 7)}, compression_codecs},
    {"produce.snappy_xerial_and_raw", "snappy in Java's framing and as one raw block is taken",
        "librdkafka 0017", 0, 0, {CHECK_NEED(PRODUCE, 3)}, snappy_xerial_and_raw},
    {"produce.recompression", "compression.type of the topic is the codec of what is stored",
        "BrokerCompressionTest", 0, 0, {CHECK_NEED(PRODUCE, 7)}, recompression},
    {"produce.null_key", "a null key stays null", "librdkafka 0013", CHECK_CORE, 0,
        {CHECK_NEED(PRODUCE, 3)}, null_key},
    {"produce.null_value", "a null value stays null", "librdkafka 0070", 0, 0,
        {CHECK_NEED(PRODUCE, 3)}, null_value},
    {"produce.empty_vs_null", "empty and null keys and values stay what they are",
        "librdkafka 0070", CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3)}, empty_vs_null},
    {"produce.headers", "headers keep order, duplicates, null and binary values", "librdkafka 0073",
        CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3)}, headers},
    {"produce.compacted_null_key",
        "a keyless record in a compacted topic is answered 87 and named by its index",
        "LogValidator", CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 8)}, compacted_null_key},
    {"produce.create_time_kept", "CreateTime keeps the producer's timestamps", "librdkafka 0052",
        CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3)}, create_time_kept},
    {"produce.log_append_time",
        "LogAppendTime stamps batch, records and the answer with the broker's time", "LogValidator",
        CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3)}, log_append_time},
    {"produce.timestamp_before_max",
        "timestamps beyond message.timestamp.before.max.ms are answered 32, each by its index",
        "KIP-937", CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 8)}, timestamp_before_max},
    {"produce.timestamp_after_max",
        "timestamps beyond message.timestamp.after.max.ms are answered 32", "KIP-937", 0, 0,
        {CHECK_NEED(PRODUCE, 8)}, timestamp_after_max},
    {"produce.timestamp_mixed_batch", "one bad timestamp refuses the batch and is named alone",
        "KIP-467", 0, 0, {CHECK_NEED(PRODUCE, 8)}, timestamp_mixed_batch},
    {"produce.timestamp_minus_one", "no timestamp (-1) passes message.timestamp.before.max.ms",
        "LogValidator", 0, 0, {CHECK_NEED(PRODUCE, 3)}, timestamp_minus_one},
    {"produce.max_timestamp_recomputed", "max_timestamp is what the records say", "LogValidator", 0,
        0, {CHECK_NEED(PRODUCE, 3)}, max_timestamp_recomputed},
};

const struct check_table c_produce_content_table = CHECK_TABLE("produce", checks);
