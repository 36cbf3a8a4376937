/* Area produce, second part: batches that are wrong in one place. */
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_fetch.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_produce.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"
#include "lib/wire/kerr.h"

#define MAGIC_0_BYTES 27

static const int16_t invalid[] = {KE_INVALID_RECORD};
static const int16_t corrupt[] = {KE_CORRUPT_MESSAGE};
static const int16_t corrupt_or_invalid[] = {KE_CORRUPT_MESSAGE, KE_INVALID_RECORD};

/* After a refusal the partition takes the next right batch at the offset that was free. */
static void
goes_on(struct kc *kc, const struct kc_topic *topic)
{
    int64_t end = kc_latest(kc, topic, 0);

    kc_int(
        kc, "base_offset_after", kc_append_ok(kc, topic, 0, kc_batch_values(kc, "good", 1)), end);
}

static void
refused(struct kc *kc, struct wire_bytes batch, const int16_t *codes, size_t count)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);

    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "before", 1));
    kc_append_refused(kc, topic, batch, codes, count);
    goes_on(kc, topic);
}

static void
empty_partition_records(struct kc *kc)
{
    refused(kc, (struct wire_bytes){(const uint8_t *)"", 0}, invalid, 1);
}

static void
two_batches_rejected(struct kc *kc)
{
    refused(kc,
        kc_batch_join(kc, kc_batch_values(kc, "first", 1), kc_batch_values(kc, "second", 1)),
        invalid, 1);
}

static void
magic0_rejected(struct kc *kc)
{
    /* Offset 0, length, CRC, magic 0, no attributes, key null, value "v". */
    uint8_t *message = kc_alloc(kc, MAGIC_0_BYTES, 1);

    codec_bytes_put_int32(message + 8, MAGIC_0_BYTES - 12);
    codec_bytes_put_int32(message + 18, -1);
    codec_bytes_put_int32(message + 22, 1);
    message[26] = 'v';
    codec_bytes_put_int32(message + 12, (int32_t)crc32c_old(message + 16, MAGIC_0_BYTES - 16));
    refused(kc, (struct wire_bytes){message, MAGIC_0_BYTES}, invalid, 1);
}

static void
bad_crc(struct kc *kc)
{
    struct wire_bytes batch = kc_batch_values(kc, "value", 3);

    /* One bit of the last value; the CRC stays that of the right batch. */
    batch = kc_batch_put(kc, batch, (size_t)batch.size - 2, 1, batch.data[batch.size - 2] ^ 1);
    refused(kc, batch, corrupt, 1);
}

static void
base_offset_nonzero(struct kc *kc)
{
    refused(kc, kc_batch_put(kc, kc_batch_values(kc, "v", 2), 0, 8, 5), invalid, 1);
}

static void
batch_length_lies(struct kc *kc)
{
    struct wire_bytes batch = kc_batch_values(kc, "v", 2);
    int32_t length = batch.size - BATCH_VIEW_OVERHEAD_BYTES;

    refused(kc, kc_batch_put(kc, batch, BATCH_VIEW_LENGTH_AT, 4, length + 10), corrupt_or_invalid,
        ARRAY_LEN(corrupt_or_invalid));
    refused(kc, kc_batch_put(kc, batch, BATCH_VIEW_LENGTH_AT, 4, 20), corrupt_or_invalid,
        ARRAY_LEN(corrupt_or_invalid));
}

static void
record_count_lies(struct kc *kc)
{
    struct wire_bytes batch = kc_batch_values(kc, "v", 2);

    batch = kc_batch_put(kc, batch, BATCH_VIEW_RECORD_COUNT_AT, 4, 3);
    batch = kc_batch_put(kc, batch, BATCH_VIEW_LAST_OFFSET_DELTA_AT, 4, 2);
    refused(kc, kc_batch_seal(kc, batch), invalid, 1);
}

static void
record_count_huge(struct kc *kc)
{
    struct wire_bytes batch = kc_batch_values(kc, "v", 2);

    batch = kc_batch_put(kc, batch, BATCH_VIEW_RECORD_COUNT_AT, 4, INT32_MAX);
    batch = kc_batch_put(kc, batch, BATCH_VIEW_LAST_OFFSET_DELTA_AT, 4, INT32_MAX - 1);
    refused(kc, kc_batch_seal(kc, batch), corrupt_or_invalid, ARRAY_LEN(corrupt_or_invalid));
}

static void
last_offset_delta_mismatch(struct kc *kc)
{
    struct wire_bytes batch = kc_batch_values(kc, "v", 2);

    batch = kc_batch_put(kc, batch, BATCH_VIEW_LAST_OFFSET_DELTA_AT, 4, 5);
    refused(kc, kc_batch_seal(kc, batch), invalid, 1);
}

static void
header_null_key(struct kc *kc)
{
    struct batch_builder_header header = {"h", "v", 1, 1};
    struct batch_builder_record record = kc_record(NULL, "v", kc_wall_ms());
    struct wire_bytes batch;

    record.headers = &header;
    record.header_count = 1;
    batch = kc_batch(kc, NULL, &record, 1);
    /* The last bytes: length of the key, "h", length of the value, "v". -1 is 1 in zigzag. */
    batch = kc_batch_put(kc, batch, (size_t)batch.size - 4, 1, 1);
    refused(kc, kc_batch_seal(kc, batch), invalid, 1);
}

static void
control_batch_rejected(struct kc *kc)
{
    struct wire_bytes batch = kc_batch_values(kc, "v", 1);

    batch = kc_batch_put(kc, batch, BATCH_VIEW_ATTRIBUTES_AT, 2, BATCH_VIEW_CONTROL);
    refused(kc, kc_batch_seal(kc, batch), invalid, 1);
}

static void
transactional_bit_without_id(struct kc *kc)
{
    static const int16_t denied[] = {KE_TRANSACTIONAL_ID_AUTHORIZATION_FAILED};
    struct kc_producer producer = kc_producer_new(kc);
    struct wire_bytes batch = kc_batch_sequence(kc, &producer, 0, 1);

    batch = kc_batch_put(kc, batch, BATCH_VIEW_ATTRIBUTES_AT, 2, BATCH_VIEW_TRANSACTIONAL);
    refused(kc, kc_batch_seal(kc, batch), denied, 1);
}

static void
seq_negative_with_pid(struct kc *kc)
{
    struct kc_producer producer = kc_producer_new(kc);
    struct wire_bytes batch = kc_batch_sequence(kc, &producer, 0, 1);

    batch = kc_batch_put(kc, batch, BATCH_VIEW_BASE_SEQUENCE_AT, 4, -1);
    refused(kc, kc_batch_seal(kc, batch), invalid, 1);
}

static void
zstd_below_v7(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_produce_options options = kc_produce_defaults();
    struct kc_append append = {topic, 0, kc_batch_codec(kc, COMPRESS_ZSTD, 3)};

    options.version_max = 6;
    kc_code(kc, "error_code",
        kc_produce_part(kc, kc_produce(kc, &options, &append, 1), topic, 0)->error_code,
        KE_UNSUPPORTED_COMPRESSION_TYPE);
    kc_int(kc, "log_end", kc_latest(kc, topic, 0), 0);
    options.version_max = KC_VERSION_MAX;
    kc_code(kc, "error_code_v7",
        kc_produce_part(kc, kc_produce(kc, &options, &append, 1), topic, 0)->error_code, KE_NONE);
}

/* Kafka 4.3 has no code for these two: its own exception becomes -1. Newer brokers may say more. */
static const int16_t unreadable[] = {KE_UNKNOWN_SERVER_ERROR, KE_CORRUPT_MESSAGE, KE_INVALID_RECORD,
    KE_UNSUPPORTED_COMPRESSION_TYPE};

static void
unknown_codec(struct kc *kc)
{
    for (int codec = COMPRESS_CODECS; codec <= BATCH_VIEW_CODEC_MASK; codec++) {
        struct wire_bytes batch = kc_batch_values(kc, "v", 1);

        batch = kc_batch_put(kc, batch, BATCH_VIEW_ATTRIBUTES_AT, 2, codec);
        refused(kc, kc_batch_seal(kc, batch), unreadable, ARRAY_LEN(unreadable));
    }
}

static void
corrupt_compressed_payload(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);

    for (enum compress_codec codec = COMPRESS_GZIP; codec < COMPRESS_CODECS; codec++) {
        struct wire_bytes batch = kc_batch_codec(kc, codec, 20);

        for (size_t at = BATCH_VIEW_HEADER_BYTES; at < BATCH_VIEW_HEADER_BYTES + 12; at++)
            batch = kc_batch_put(kc, batch, at, 1, 0x5a);
        kc_append_refused(kc, topic, kc_batch_seal(kc, batch), unreadable, ARRAY_LEN(unreadable));
        goes_on(kc, topic);
    }
}

/* Records 0 and 2: the batch covers three offsets, and has two records. */
static void
offset_gap_rejected(struct kc *kc)
{
    static const int16_t codes[] = {KE_INVALID_RECORD, KE_UNKNOWN_SERVER_ERROR};

    for (enum compress_codec codec = COMPRESS_NONE; codec < COMPRESS_CODECS; codec++) {
        struct batch_builder_record first = kc_record(NULL, "0", kc_wall_ms());
        struct batch_builder_record second = kc_record(NULL, "2", kc_wall_ms());
        struct batch_builder_options options = batch_builder_defaults();
        struct batch_builder builder;
        struct err e = {0};
        struct buf out;

        options.codec = codec;
        second.offset = 2;
        buf_init(&out, 10000);
        batch_builder_init(&builder, 10000);
        batch_builder_start(&builder, &options);
        if (batch_builder_append(&builder, &first, &e) != RC_OK ||
            batch_builder_append(&builder, &second, &e) != RC_OK ||
            batch_builder_finish(&builder, &out, &e) != RC_OK)
            kc_error(kc, "%s", e.text);
        refused(kc, (struct wire_bytes){out.data, (int32_t)out.size}, codes, ARRAY_LEN(codes));
        batch_builder_fini(&builder);
        buf_fini(&out);
    }
}

/* Kafka looks at the first batch of each partition before it looks for topics. */
static void
no_batch_fails_request(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 2, NULL);
    struct kc_produce_options options = kc_produce_defaults();
    struct wire_bytes good = kc_batch_values(kc, "good", 1);
    const struct wire_bytes damaged[] = {kc_batch_put(kc, good, BATCH_VIEW_MAGIC_AT, 1, 66),
        kc_batch_put(kc, good, BATCH_VIEW_LENGTH_AT, 4, 13)};

    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        const struct kc_append appends[] = {{topic, 0, good}, {topic, 1, damaged[i]}};
        const struct km_produce_response *response =
            kc_produce(kc, &options, appends, ARRAY_LEN(appends));

        for (int32_t k = 0; k < 2; k++)
            kc_code(
                kc, "error_code", kc_produce_part(kc, response, topic, k)->error_code, corrupt[0]);
        kc_int(kc, "latest", kc_latest(kc, topic, 0), 0);
    }
}

static const struct check checks[] = {
    {"produce.empty_partition_records", "no records at all are answered 87", "ProduceRequest", 0, 0,
        {CHECK_NEED(PRODUCE, 3)}, empty_partition_records},
    {"produce.two_batches_rejected", "two batches for one partition are answered 87",
        "ProduceRequest.validateRecords", 0, 0, {CHECK_NEED(PRODUCE, 3)}, two_batches_rejected},
    {"produce.magic0_rejected", "message sets of format v0 are answered 87", "KIP-724, KIP-896", 0,
        0, {CHECK_NEED(PRODUCE, 3)}, magic0_rejected},
    {"produce.bad_crc", "a batch whose CRC does not fit is answered 2 and leaves no trace",
        "UnifiedLog", CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3)}, bad_crc},
    {"produce.base_offset_nonzero", "a batch that does not begin at offset 0 is answered 87",
        "UnifiedLog", 0, 0, {CHECK_NEED(PRODUCE, 3)}, base_offset_nonzero},
    {"produce.batch_length_lies", "a batch longer or shorter than its length is refused",
        "ByteBufferLogInputStream", 0, 0, {CHECK_NEED(PRODUCE, 3)}, batch_length_lies},
    {"produce.no_batch_fails_request",
        "where one partition's records begin with no batch, the whole request is answered 2",
        "RequestUtils.hasTransactionalRecords", 0, 0, {CHECK_NEED(PRODUCE, 3)},
        no_batch_fails_request},
    {"produce.record_count_lies", "a batch with fewer records than it says is answered 87",
        "LogValidator", 0, 0, {CHECK_NEED(PRODUCE, 3)}, record_count_lies},
    {"produce.record_count_huge", "a count of 2^31-1 records is refused", "LogValidator", 0, 0,
        {CHECK_NEED(PRODUCE, 3)}, record_count_huge},
    {"produce.last_offset_delta_mismatch", "a last offset that the count contradicts is 87",
        "LogValidator", 0, 0, {CHECK_NEED(PRODUCE, 3)}, last_offset_delta_mismatch},
    {"produce.offset_gap_rejected", "a batch with a gap inside is refused", "LogValidator", 0, 0,
        {CHECK_NEED(PRODUCE, 7)}, offset_gap_rejected},
    {"produce.header_null_key", "a header whose key is null is answered 87", "DefaultRecord", 0, 0,
        {CHECK_NEED(PRODUCE, 3)}, header_null_key},
    {"produce.control_batch_rejected", "clients write no control batches: 87", "LogValidator", 0, 0,
        {CHECK_NEED(PRODUCE, 3)}, control_batch_rejected},
    {"produce.transactional_bit_without_id",
        "a transactional batch in a request without transactional id is answered 53",
        "KafkaApis.handleProduceRequest", 0, 0,
        {CHECK_NEED(PRODUCE, 3), CHECK_NEED(INIT_PRODUCER_ID, 0)}, transactional_bit_without_id},
    {"produce.seq_negative_with_pid", "a producer id without sequence number is answered 87",
        "LogValidator", 0, 0, {CHECK_NEED(PRODUCE, 3), CHECK_NEED(INIT_PRODUCER_ID, 0)},
        seq_negative_with_pid},
    {"produce.zstd_below_v7", "zstd before Produce v7 is answered 76", "KIP-110", 0, 0,
        {CHECK_NEED(PRODUCE, 7)}, zstd_below_v7},
    {"produce.unknown_codec", "codecs 5 to 7 are refused", "CompressionType", 0, 0,
        {CHECK_NEED(PRODUCE, 3)}, unknown_codec},
    {"produce.corrupt_compressed_payload",
        "broken compressed data under a right CRC is refused, and the partition goes on",
        "ProduceRequestTest", 0, 0, {CHECK_NEED(PRODUCE, 7)}, corrupt_compressed_payload},
};

const struct check_table c_produce_batches_table = CHECK_TABLE("produce", checks);
