/* The verdicts here are those of Apache Kafka 4.3.1, whose UnifiedLog was given the same batches.
 */
#include "lib/wire/batch_validate.h"

#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/batch_rewrite.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"
#include "lib/wire/kerr.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1700000000000)
#define RECORDS_BYTES 54 /* of what make builds */

static struct buf batch;
static struct buf scratch;
static struct arena arena;
static struct batch_validate_rules rules;
static struct batch_validate_result result;

static const struct batch_validate_rules usual = {.now_ms = NOW,
    .timestamp_before_max_ms = INT64_MAX,
    .timestamp_after_max_ms = 3600000,
    .batch_bytes_max = 1 << 20,
    .uncompressed_bytes_max = 1 << 20,
    .produce_version = 9};

static struct batch_builder_options
options_of(enum compress_codec codec)
{
    struct batch_builder_options options = batch_builder_defaults();

    options.codec = codec;
    options.producer_id = 77;
    options.producer_epoch = 0;
    options.base_sequence = 0;
    return options;
}

/* Records of these timestamps; those of odd index have no key. */
static void
make_of(const struct batch_builder_options *options, const int64_t *timestamps, int count)
{
    struct batch_builder builder;

    batch_builder_init(&builder, 1 << 20);
    batch_builder_start(&builder, options);
    for (int i = 0; i < count; i++) {
        struct batch_builder_record record = {.offset = i,
            .timestamp = timestamps[i],
            .key = i % 2 == 0 ? "key" : NULL,
            .key_size = 3,
            .value = "value",
            .value_size = 5};

        assert_int_equal(batch_builder_append(&builder, &record, NULL), RC_OK);
    }
    buf_clear(&batch);
    assert_int_equal(batch_builder_finish(&builder, &batch, NULL), RC_OK);
    batch_builder_fini(&builder);
}

static void
make(enum compress_codec codec)
{
    static const int64_t timestamps[] = {NOW, NOW + 5, NOW + 5, NOW - 1};
    struct batch_builder_options options = options_of(codec);

    rules = usual;
    make_of(&options, timestamps, ARRAY_LEN(timestamps));
}

static void
crc_fix(void)
{
    codec_bytes_put_int32(
        batch.data + BATCH_VIEW_CRC_AT, (int32_t)crc32c_of(batch.data + BATCH_VIEW_ATTRIBUTES_AT,
                                            batch.size - BATCH_VIEW_ATTRIBUTES_AT));
}

static enum batch_validate_fault
verdict(void)
{
    arena_reset(&arena);
    assert_int_equal(
        batch_validate(batch.data, batch.size, &rules, &arena, &scratch, &result, NULL), RC_OK);
    return result.fault;
}

static void
good_batches_are_taken_in_every_codec(void **state)
{
    (void)state;
    for (int codec = 0; codec < COMPRESS_CODECS; codec++) {
        make((enum compress_codec)codec);
        assert_int_equal(verdict(), BATCH_VALIDATE_OK);
        assert_int_equal(result.batch.size, batch.size);
        assert_int_equal(result.max_timestamp, NOW + 5);
        assert_int_equal(result.max_timestamp_offset_delta, 1);
        assert_true(result.offsets_dense);
        assert_int_equal(result.uncompressed_bytes, RECORDS_BYTES);
        assert_int_equal(result.error_count, 0);
    }
}

static void
every_fault_has_its_code_and_words(void **state)
{
    (void)state;
    assert_int_equal(batch_validate_code(BATCH_VALIDATE_OK), KE_NONE);
    assert_int_equal(batch_validate_code(BATCH_VALIDATE_CRC), 2);
    assert_int_equal(batch_validate_code(BATCH_VALIDATE_SIZE), 10);
    assert_int_equal(batch_validate_code(BATCH_VALIDATE_TIMESTAMP_RANGE), 32);
    assert_int_equal(batch_validate_code(BATCH_VALIDATE_ZSTD_VERSION), 76);
    assert_int_equal(batch_validate_code(BATCH_VALIDATE_CONTROL), 87);
    assert_int_equal(batch_validate_code(BATCH_VALIDATE_COMPRESSION), -1);
    for (int fault = 0; fault <= BATCH_VALIDATE_TIMESTAMP_TYPE; fault++)
        assert_true(strlen(batch_validate_text((enum batch_validate_fault)fault)) > 3);
}

static void
a_header_that_lies_is_found_out(void **state)
{
    static const struct {
        int64_t value;
        uint8_t at, size;
        enum batch_validate_fault fault;
    } lies[] = {
        {1, 0, 8, BATCH_VALIDATE_BASE_OFFSET},
        {-1, 0, 8, BATCH_VALIDATE_BASE_OFFSET},
        {INT64_MAX, 0, 8, BATCH_VALIDATE_BASE_OFFSET},
        {13, BATCH_VIEW_LENGTH_AT, 4, BATCH_VALIDATE_LENGTH},
        {-1, BATCH_VIEW_LENGTH_AT, 4, BATCH_VALIDATE_LENGTH},
        {48, BATCH_VIEW_LENGTH_AT, 4, BATCH_VALIDATE_LENGTH},
        {1 << 20, BATCH_VIEW_LENGTH_AT, 4, BATCH_VALIDATE_NOTHING},
        {-1, BATCH_VIEW_LEADER_EPOCH_AT, 4, BATCH_VALIDATE_OK},
        {5, BATCH_VIEW_LEADER_EPOCH_AT, 4, BATCH_VALIDATE_OK},
        {0, BATCH_VIEW_MAGIC_AT, 1, BATCH_VALIDATE_MAGIC},
        {1, BATCH_VIEW_MAGIC_AT, 1, BATCH_VALIDATE_MAGIC},
        {3, BATCH_VIEW_MAGIC_AT, 1, BATCH_VALIDATE_LENGTH},
        {-1, BATCH_VIEW_MAGIC_AT, 1, BATCH_VALIDATE_LENGTH},
        {5, BATCH_VIEW_ATTRIBUTES_AT, 2, BATCH_VALIDATE_CODEC},
        {7, BATCH_VIEW_ATTRIBUTES_AT, 2, BATCH_VALIDATE_CODEC},
        {1, BATCH_VIEW_ATTRIBUTES_AT, 2, BATCH_VALIDATE_COMPRESSION},
        {2, BATCH_VIEW_ATTRIBUTES_AT, 2, BATCH_VALIDATE_COMPRESSION},
        {3, BATCH_VIEW_ATTRIBUTES_AT, 2, BATCH_VALIDATE_COMPRESSION},
        {4, BATCH_VIEW_ATTRIBUTES_AT, 2, BATCH_VALIDATE_COMPRESSION},
        {0x10, BATCH_VIEW_ATTRIBUTES_AT, 2, BATCH_VALIDATE_OK},
        {0x20, BATCH_VIEW_ATTRIBUTES_AT, 2, BATCH_VALIDATE_CONTROL},
        {0x40, BATCH_VIEW_ATTRIBUTES_AT, 2, BATCH_VALIDATE_OK},
        {-256, BATCH_VIEW_ATTRIBUTES_AT, 2, BATCH_VALIDATE_OK},
        {-1, BATCH_VIEW_LAST_OFFSET_DELTA_AT, 4, BATCH_VALIDATE_OFFSET_RANGE},
        {INT32_MIN, BATCH_VIEW_LAST_OFFSET_DELTA_AT, 4, BATCH_VALIDATE_OFFSET_RANGE},
        {2, BATCH_VIEW_LAST_OFFSET_DELTA_AT, 4, BATCH_VALIDATE_COUNT_MISMATCH},
        {INT32_MAX, BATCH_VIEW_LAST_OFFSET_DELTA_AT, 4, BATCH_VALIDATE_COUNT_MISMATCH},
        {INT64_MAX, BATCH_VIEW_MAX_TIMESTAMP_AT, 8, BATCH_VALIDATE_OK},
        {-1, BATCH_VIEW_MAX_TIMESTAMP_AT, 8, BATCH_VALIDATE_OK},
        {INT64_MIN, BATCH_VIEW_PRODUCER_ID_AT, 8, BATCH_VALIDATE_OK},
        {-1, BATCH_VIEW_BASE_SEQUENCE_AT, 4, BATCH_VALIDATE_SEQUENCE},
        {INT32_MIN, BATCH_VIEW_BASE_SEQUENCE_AT, 4, BATCH_VALIDATE_SEQUENCE},
        {0, BATCH_VIEW_RECORD_COUNT_AT, 4, BATCH_VALIDATE_RECORD_COUNT},
        {-1, BATCH_VIEW_RECORD_COUNT_AT, 4, BATCH_VALIDATE_RECORD_COUNT},
        {INT32_MIN, BATCH_VIEW_RECORD_COUNT_AT, 4, BATCH_VALIDATE_RECORD_COUNT},
        {3, BATCH_VIEW_RECORD_COUNT_AT, 4, BATCH_VALIDATE_COUNT_MISMATCH},
        {INT32_MAX, BATCH_VIEW_RECORD_COUNT_AT, 4, BATCH_VALIDATE_COUNT_MISMATCH},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        uint8_t bytes[8];

        make(COMPRESS_NONE);
        codec_bytes_put_int64(bytes, lies[i].value);
        memcpy(batch.data + lies[i].at, bytes + 8 - lies[i].size, lies[i].size);
        crc_fix();
        assert_int_equal(verdict(), lies[i].fault);
    }
}

static void
counts_that_agree_and_lie_are_found_in_the_records(void **state)
{
    static const int32_t counts[] = {1, 3, 5, 1000, INT32_MAX};

    (void)state;
    for (int codec = 0; codec < COMPRESS_CODECS; codec++) {
        for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
            make((enum compress_codec)codec);
            codec_bytes_put_int32(batch.data + BATCH_VIEW_RECORD_COUNT_AT, counts[i]);
            codec_bytes_put_int32(batch.data + BATCH_VIEW_LAST_OFFSET_DELTA_AT, counts[i] - 1);
            crc_fix();
            assert_int_equal(verdict(), BATCH_VALIDATE_STRUCTURE);
            assert_int_equal(result.error_count, 0);
        }
    }
}

static void
a_wrong_crc_is_corrupt_and_comes_after_the_size(void **state)
{
    (void)state;
    make(COMPRESS_NONE);
    batch.data[batch.size - 1] ^= 1;
    assert_int_equal(verdict(), BATCH_VALIDATE_CRC);
    rules.batch_bytes_max = batch.size;
    assert_int_equal(verdict(), BATCH_VALIDATE_CRC);
    rules.batch_bytes_max = batch.size - 1;
    assert_int_equal(verdict(), BATCH_VALIDATE_SIZE);
}

static void
zstd_needs_version_7(void **state)
{
    (void)state;
    make(COMPRESS_ZSTD);
    rules.produce_version = 6;
    assert_int_equal(verdict(), BATCH_VALIDATE_ZSTD_VERSION);
    rules.produce_version = 7;
    assert_int_equal(verdict(), BATCH_VALIDATE_OK);
}

static void
there_is_one_batch_and_a_cut_one_is_dropped(void **state)
{
    size_t size;

    (void)state;
    make(COMPRESS_NONE);
    size = batch.size;
    assert_int_equal(batch_validate(batch.data, 0, &rules, &arena, &scratch, &result, NULL), RC_OK);
    assert_int_equal(result.fault, BATCH_VALIDATE_NOTHING);
    for (size_t cut = 0; cut < size; cut++) {
        batch.size = cut;
        assert_int_equal(verdict(), BATCH_VALIDATE_NOTHING);
    }
    batch.size = size;
    buf_append(&batch, batch.data, size);
    assert_int_equal(verdict(), BATCH_VALIDATE_BATCH_COUNT);
    batch.size = 2 * size - 1;
    assert_int_equal(verdict(), BATCH_VALIDATE_OK);
    assert_int_equal(result.batch.size, size);
    batch.size = size + 12;
    codec_bytes_put_int32(batch.data + size + BATCH_VIEW_LENGTH_AT, 1);
    assert_int_equal(verdict(), BATCH_VALIDATE_LENGTH);
}

static void
timestamps_out_of_range_are_told_record_by_record(void **state)
{
    static const int64_t timestamps[] = {
        NOW, NOW - 1001, -1, NOW + 2001, NOW - 1000, NOW + 2000, INT64_MAX, INT64_MIN};
    static const int32_t bad[] = {1, 3, 6, 7};
    struct batch_builder_options options = options_of(COMPRESS_NONE);

    (void)state;
    rules = usual;
    rules.timestamp_before_max_ms = 1000;
    rules.timestamp_after_max_ms = 2000;
    for (int codec = 0; codec < COMPRESS_CODECS; codec++) {
        options.codec = (enum compress_codec)codec;
        make_of(&options, timestamps, ARRAY_LEN(timestamps));
        assert_int_equal(verdict(), BATCH_VALIDATE_TIMESTAMPS);
        assert_int_equal(result.error_count, ARRAY_LEN(bad));
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
            assert_int_equal(result.errors[i].batch_index, bad[i]);
            assert_int_equal(result.errors[i].fault, BATCH_VALIDATE_TIMESTAMP_RANGE);
        }
    }
    rules.log_append_time = true;
    assert_int_equal(verdict(), BATCH_VALIDATE_OK);
    assert_int_equal(result.max_timestamp, NOW);
}

static void
a_compacted_topic_wants_keys(void **state)
{
    (void)state;
    for (int codec = 0; codec < COMPRESS_CODECS; codec++) {
        make((enum compress_codec)codec);
        rules.compacted = true;
        assert_int_equal(verdict(), BATCH_VALIDATE_RECORDS);
        assert_int_equal(result.error_count, 2);
        assert_int_equal(result.errors[0].batch_index, 1);
        assert_int_equal(result.errors[0].fault, BATCH_VALIDATE_KEY_MISSING);
        assert_int_equal(result.errors[1].batch_index, 3);
    }
    rules.timestamp_before_max_ms = -1;
    rules.timestamp_after_max_ms = -1;
    assert_int_equal(verdict(), BATCH_VALIDATE_TIMESTAMPS);
    assert_int_equal(result.error_count, 4);
    assert_int_equal(result.errors[1].fault, BATCH_VALIDATE_KEY_MISSING);
    assert_int_equal(result.errors[2].fault, BATCH_VALIDATE_TIMESTAMP_RANGE);
}

/* Kafka lets it pass in a CreateTime topic, as long as the time itself does. */
static void
a_producer_may_not_choose_log_append_time(void **state)
{
    static const int64_t timestamps[] = {NOW, NOW};
    struct batch_builder_options options = options_of(COMPRESS_NONE);

    (void)state;
    rules = usual;
    options.append_time_ms = NOW + 7;
    make_of(&options, timestamps, 2);
    assert_int_equal(verdict(), BATCH_VALIDATE_OK);
    assert_int_equal(result.max_timestamp, NOW + 7);
    rules.log_append_time = true;
    assert_int_equal(verdict(), BATCH_VALIDATE_TIMESTAMPS);
    assert_int_equal(result.error_count, 2);
    assert_int_equal(result.errors[1].fault, BATCH_VALIDATE_TIMESTAMP_TYPE);
}

/* Plain ones Kafka stores as they are; in compressed ones it runs into an error of its own. */
static void
offsets_with_gaps_are_refused_where_kafka_fails(void **state)
{
    (void)state;
    for (int codec = 0; codec < COMPRESS_CODECS; codec++) {
        struct batch_view view;
        struct buf packed;

        make(COMPRESS_NONE);
        batch.data[BATCH_VIEW_HEADER_BYTES + 3] = 8; /* the first record's offset delta */
        crc_fix();
        buf_init(&packed, 1000);
        assert_int_equal(batch_view_parse(batch.data, batch.size, &view, NULL), RC_OK);
        assert_int_equal(
            batch_rewrite_codec(&view, (enum compress_codec)codec, &scratch, 1000, &packed, NULL),
            RC_OK);
        buf_clear(&batch);
        buf_append(&batch, packed.data, packed.size);
        assert_int_equal(verdict(), codec == 0 ? BATCH_VALIDATE_OK : BATCH_VALIDATE_OFFSETS);
        assert_false(result.offsets_dense);
        buf_fini(&packed);
    }
}

static void
records_too_large_when_decompressed_are_refused(void **state)
{
    (void)state;
    for (int codec = 1; codec < COMPRESS_CODECS; codec++) {
        make((enum compress_codec)codec);
        rules.uncompressed_bytes_max = RECORDS_BYTES;
        assert_int_equal(verdict(), BATCH_VALIDATE_OK);
        rules.uncompressed_bytes_max = RECORDS_BYTES - 1;
        assert_int_equal(verdict(), BATCH_VALIDATE_UNCOMPRESSED_SIZE);
    }
}

static void
the_errors_of_records_keep_to_the_arena(void **state)
{
    struct arena small;

    (void)state;
    make(COMPRESS_NONE);
    rules.compacted = true;
    arena_init(&small, 8);
    assert_int_equal(
        batch_validate(batch.data, batch.size, &rules, &small, &scratch, &result, NULL), RC_LIMIT);
    arena_fini(&small);
}

static void
mutated_batches_never_do_more_than_fail(void **state)
{
    struct env env;

    (void)state;
    env_init_seeded(&env, 5, 0);
    for (int round = 0; round < 20000; round++) {
        make((enum compress_codec)(round % COMPRESS_CODECS));
        rules.compacted = round % 2 == 0;
        for (int n = 0; n < 1 + round % 3; n++)
            batch.data[12 + env_random_below(&env, batch.size - 12)] = (uint8_t)env_random(&env);
        if (round % 8 != 0)
            crc_fix();
        (void)verdict();
        assert_true(result.error_count <= 1000);
        assert_true(scratch.capacity <= 1 << 18);
    }
}

static int
set_up(void **state)
{
    (void)state;
    buf_init(&batch, 1 << 20);
    buf_init(&scratch, SIZE_MAX / 4);
    arena_init(&arena, 1 << 16);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    buf_fini(&batch);
    buf_fini(&scratch);
    arena_fini(&arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_batches_are_taken_in_every_codec),
        cmocka_unit_test(every_fault_has_its_code_and_words),
        cmocka_unit_test(a_header_that_lies_is_found_out),
        cmocka_unit_test(counts_that_agree_and_lie_are_found_in_the_records),
        cmocka_unit_test(a_wrong_crc_is_corrupt_and_comes_after_the_size),
        cmocka_unit_test(zstd_needs_version_7),
        cmocka_unit_test(there_is_one_batch_and_a_cut_one_is_dropped),
        cmocka_unit_test(timestamps_out_of_range_are_told_record_by_record),
        cmocka_unit_test(a_compacted_topic_wants_keys),
        cmocka_unit_test(a_producer_may_not_choose_log_append_time),
        cmocka_unit_test(offsets_with_gaps_are_refused_where_kafka_fails),
        cmocka_unit_test(records_too_large_when_decompressed_are_refused),
        cmocka_unit_test(the_errors_of_records_keep_to_the_arena),
        cmocka_unit_test(mutated_batches_never_do_more_than_fail),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
