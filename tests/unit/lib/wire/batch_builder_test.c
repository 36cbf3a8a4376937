#include "lib/wire/batch_builder.h"

#include "lib/base/xalloc.h"
#include "lib/wire/batch_records.h"
#include "tests/unit/unit.h"

#include "tests/unit/lib/wire/batch_vectors.h"

static struct buf out;
static struct buf scratch;

static struct batch_view
view(void)
{
    struct batch_view batch;

    assert_int_equal(batch_view_parse(out.data, out.size, &batch, NULL), RC_OK);
    assert_int_equal(batch.size, out.size);
    assert_true(batch_view_is_intact(&batch));
    return batch;
}

static void
append(struct batch_builder *builder, int64_t offset, int64_t timestamp, const char *value)
{
    struct batch_builder_record record = {.offset = offset,
        .timestamp = timestamp,
        .value = value,
        .value_size = value == NULL ? 0 : (int32_t)strlen(value)};

    assert_int_equal(batch_builder_append(builder, &record, NULL), RC_OK);
}

static void
records_come_back_in_every_codec(void **state)
{
    static const struct batch_builder_header headers[] = {
        {"name", "value", 4, 5}, {"", NULL, 0, 0}, {"n", "", 1, 0}};
    static char large[100000];
    static const struct batch_builder_record records[] = {
        {.offset = 40, .timestamp = 1000, .key = "k", .key_size = 1},
        {.offset = 41, .timestamp = 900, .value = "", .headers = headers, .header_count = 3},
        {.offset = 45, .timestamp = -1, .value = large, .value_size = sizeof large},
    };
    struct batch_builder builder;

    (void)state;
    memset(large, 'x', sizeof large / 2);
    batch_builder_init(&builder, 1 << 20);
    for (int codec = 0; codec < COMPRESS_CODECS; codec++) {
        struct batch_builder_options options = batch_builder_defaults();
        struct batch_records_record record;
        struct batch_records_header header;
        struct batch_records reader;
        struct batch_view batch;
        bool found;

        options.codec = (enum compress_codec)codec;
        options.base_offset = 40;
        batch_builder_start(&builder, &options);
        for (size_t i = 0; i < ARRAY_LEN(records); i++)
            assert_int_equal(batch_builder_append(&builder, &records[i], NULL), RC_OK);
        buf_clear(&out);
        assert_int_equal(batch_builder_finish(&builder, &out, NULL), RC_OK);
        batch = view();
        assert_int_equal(batch_view_codec(&batch), codec);
        assert_int_equal(batch.base_offset, 40);
        assert_int_equal(batch.last_offset_delta, 5);
        assert_int_equal(batch.record_count, 3);
        assert_int_equal(batch.base_timestamp, 1000);
        assert_int_equal(batch.max_timestamp, 1000);
        assert_int_equal(batch_records_open(&reader, &batch, &scratch, 1 << 20, NULL), RC_OK);
        for (size_t i = 0; i < ARRAY_LEN(records); i++) {
            assert_int_equal(batch_records_next(&reader, &record, &found, NULL), RC_OK);
            assert_true(found);
            assert_int_equal(record.offset, records[i].offset);
            assert_int_equal(record.timestamp, records[i].timestamp);
            assert_int_equal(record.key_size, records[i].key == NULL ? -1 : records[i].key_size);
            assert_int_equal(
                record.value_size, records[i].value == NULL ? -1 : records[i].value_size);
            if (record.value_size > 0)
                assert_memory_equal(record.value, records[i].value, (size_t)record.value_size);
            assert_int_equal(record.headers.left, records[i].header_count);
            for (int32_t h = 0; batch_records_header_next(&record.headers, &header); h++) {
                assert_int_equal(header.key_size, headers[h].key_size);
                assert_int_equal(
                    header.value_size, headers[h].value == NULL ? -1 : headers[h].value_size);
            }
        }
        assert_int_equal(batch_records_next(&reader, &record, &found, NULL), RC_OK);
        assert_false(found);
    }
    batch_builder_fini(&builder);
}

/* The second of the vectors, field by field. */
static void
the_bytes_are_those_that_kafka_writes(void **state)
{
    static const struct batch_builder_header headers[] = {
        {"\x69\x4b\x48\x42\x7c\x2a\x37\x36", "\xe6\xea", 8, 2}, {"", "", 0, 0}};
    static const struct batch_builder_record records[] = {
        {.offset = 154833206,
            .key = "\x0e\x36\xd6\x17\x15\x92\xc5",
            .key_size = 7,
            .value = "\xe9\x6d\x86",
            .value_size = 3},
        {.offset = 154833207,
            .timestamp = 1699999970057,
            .key = "\xd9\xcb\x97\x5a\x85\xc8\x4f\xc1",
            .key_size = 8,
            .value = "\x95\x98\x33\x14\xd9\x1d\xce\xc8\x18\x06\x0a",
            .value_size = 11,
            .headers = headers,
            .header_count = 2},
    };
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    size_t size;
    uint8_t *bytes = batch_vector_bytes(batch_vectors[1].hex, &size);

    (void)state;
    options.base_offset = 154833206;
    options.leader_epoch = 263088468;
    options.producer_id = 725464;
    options.producer_epoch = 4;
    options.base_sequence = 419272;
    options.transactional = true;
    batch_builder_init(&builder, 1000);
    batch_builder_start(&builder, &options);
    for (size_t i = 0; i < ARRAY_LEN(records); i++)
        assert_int_equal(batch_builder_append(&builder, &records[i], NULL), RC_OK);
    assert_int_equal(batch_builder_size(&builder), size);
    buf_clear(&out);
    assert_int_equal(batch_builder_finish(&builder, &out, NULL), RC_OK);
    assert_int_equal(out.size, size);
    assert_memory_equal(out.data, bytes, size);
    batch_builder_fini(&builder);
    free(bytes);
}

static void
a_marker_is_the_one_that_kafka_writes(void **state)
{
    struct batch_builder_marker marker = {.base_offset = 1740583689077290,
        .producer_id = 917229,
        .timestamp = 1030782999822185,
        .leader_epoch = 2685609,
        .coordinator_epoch = 0xee,
        .producer_epoch = 59};
    size_t size;
    uint8_t *bytes = batch_vector_bytes(batch_vectors[3].hex, &size);

    (void)state;
    buf_clear(&out);
    assert_int_equal(batch_builder_marker(&marker, &out, NULL), RC_OK);
    assert_int_equal(out.size, size);
    assert_memory_equal(out.data, bytes, size);
    marker.commit = true;
    buf_clear(&out);
    assert_int_equal(batch_builder_marker(&marker, &out, NULL), RC_OK);
    assert_memory_equal(out.data + size - 12, "\0\0\0\1", 4);
    free(bytes);
}

static void
append_time_and_delete_horizon_go_into_the_header(void **state)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    struct batch_view batch;

    (void)state;
    batch_builder_init(&builder, 1000);
    options.append_time_ms = 5000;
    batch_builder_start(&builder, &options);
    append(&builder, 0, 1000, "v");
    buf_clear(&out);
    assert_int_equal(batch_builder_finish(&builder, &out, NULL), RC_OK);
    batch = view();
    assert_true(batch_view_is_log_append_time(&batch));
    assert_int_equal(batch.max_timestamp, 5000);
    options.append_time_ms = BATCH_VIEW_NONE;
    options.delete_horizon_ms = 7000;
    batch_builder_start(&builder, &options);
    append(&builder, 0, 1000, "v");
    buf_clear(&out);
    assert_int_equal(batch_builder_finish(&builder, &out, NULL), RC_OK);
    batch = view();
    assert_int_equal(batch_view_delete_horizon_ms(&batch), 7000);
    assert_int_equal(batch.max_timestamp, 1000);
    batch_builder_fini(&builder);
}

static void
a_range_may_reach_beyond_the_records_and_be_empty(void **state)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    struct batch_view batch;

    (void)state;
    batch_builder_init(&builder, 1000);
    options.base_offset = 100;
    options.codec = COMPRESS_GZIP;
    batch_builder_start(&builder, &options);
    assert_int_equal(batch_builder_finish(&builder, &out, NULL), RC_CONFLICT);
    assert_int_equal(batch_builder_reach(&builder, 99, NULL), RC_CONFLICT);
    assert_int_equal(batch_builder_reach(&builder, 101 + (int64_t)INT32_MAX, NULL), RC_CONFLICT);
    assert_int_equal(batch_builder_reach(&builder, 107, NULL), RC_OK);
    buf_clear(&out);
    assert_int_equal(batch_builder_finish(&builder, &out, NULL), RC_OK);
    batch = view();
    assert_int_equal(batch.size, BATCH_VIEW_HEADER_BYTES);
    assert_int_equal(batch.record_count, 0);
    assert_int_equal(batch_view_last_offset(&batch), 107);
    batch_builder_fini(&builder);
}

static void
offsets_must_ascend_within_reach_of_the_base(void **state)
{
    static const int64_t wrong[] = {INT64_MIN, -1, 99, 102, 101 + (int64_t)INT32_MAX, INT64_MAX};
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;

    (void)state;
    options.base_offset = 100;
    batch_builder_init(&builder, 1000);
    batch_builder_start(&builder, &options);
    append(&builder, 102, 0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct batch_builder_record record = {.offset = wrong[i]};

        assert_int_equal(batch_builder_append(&builder, &record, NULL), RC_CONFLICT);
    }
    append(&builder, 100 + (int64_t)INT32_MAX, 0, NULL);
    options.base_offset = -5;
    batch_builder_start(&builder, &options);
    assert_int_equal(
        batch_builder_append(&builder, &(struct batch_builder_record){.offset = 1}, NULL),
        RC_CONFLICT);
    assert_int_equal(batch_builder_finish(&builder, &out, NULL), RC_CONFLICT);
    batch_builder_fini(&builder);
}

static void
a_full_batch_refuses_a_record_and_stays_good(void **state)
{
    enum { SIZE = BATCH_VIEW_HEADER_BYTES + 2 * 8 };
    struct batch_builder builder;
    struct batch_builder_record large = {.offset = 1, .value = "ab", .value_size = 2};
    struct buf small;

    (void)state;
    batch_builder_init(&builder, SIZE);
    append(&builder, 0, 0, "a");
    assert_int_equal(batch_builder_append(&builder, &large, NULL), RC_LIMIT);
    append(&builder, 1, 0, "b");
    assert_int_equal(batch_builder_size(&builder), SIZE);
    buf_init(&small, SIZE - 1);
    assert_int_equal(batch_builder_finish(&builder, &small, NULL), RC_LIMIT);
    assert_int_equal(small.size, 0);
    buf_fini(&small);
    buf_clear(&out);
    assert_int_equal(batch_builder_finish(&builder, &out, NULL), RC_OK);
    assert_int_equal(view().record_count, 2);
    batch_builder_fini(&builder);
}

static void
a_batch_is_appended_behind_others(void **state)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    struct batch_view_cursor cursor;
    struct batch_view batch;
    bool found;

    (void)state;
    buf_clear(&out);
    batch_builder_init(&builder, 1000);
    for (int64_t i = 0; i < 3; i++) {
        options.base_offset = i;
        batch_builder_start(&builder, &options);
        append(&builder, i, i, "v");
        assert_int_equal(batch_builder_finish(&builder, &out, NULL), RC_OK);
    }
    cursor = (struct batch_view_cursor){out.data, out.size};
    for (int64_t i = 0; i < 3; i++) {
        assert_int_equal(batch_view_next(&cursor, &batch, &found, NULL), RC_OK);
        assert_true(found && batch_view_is_intact(&batch));
        assert_int_equal(batch.base_offset, i);
    }
    batch_builder_fini(&builder);
}

static int
bufs_init(void **state)
{
    (void)state;
    buf_init(&out, 1 << 22);
    buf_init(&scratch, 1 << 22);
    return 0;
}

static int
bufs_fini(void **state)
{
    (void)state;
    buf_fini(&out);
    buf_fini(&scratch);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_in_every_codec),
        cmocka_unit_test(the_bytes_are_those_that_kafka_writes),
        cmocka_unit_test(a_marker_is_the_one_that_kafka_writes),
        cmocka_unit_test(append_time_and_delete_horizon_go_into_the_header),
        cmocka_unit_test(a_range_may_reach_beyond_the_records_and_be_empty),
        cmocka_unit_test(offsets_must_ascend_within_reach_of_the_base),
        cmocka_unit_test(a_full_batch_refuses_a_record_and_stays_good),
        cmocka_unit_test(a_batch_is_appended_behind_others),
    };

    return cmocka_run_group_tests(tests, bufs_init, bufs_fini);
}
