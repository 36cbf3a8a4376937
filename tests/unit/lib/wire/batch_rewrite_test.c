#include "lib/wire/batch_rewrite.h"

#include "lib/wire/batch_builder.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/codec_bytes.h"
#include "tests/unit/unit.h"

static struct buf batch;

/* Three records of a producer, CreateTime. */
static struct batch_view
batch_make(enum compress_codec codec)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    struct batch_view view;

    options.codec = codec;
    options.producer_id = 5;
    options.producer_epoch = 6;
    options.base_sequence = 7;
    batch_builder_init(&builder, 1000);
    batch_builder_start(&builder, &options);
    for (int64_t i = 0; i < 3; i++) {
        struct batch_builder_record record = {.offset = i,
            .timestamp = 1000 + i,
            .key = "key",
            .key_size = 3,
            .value = "a value, a value",
            .value_size = 16};

        assert_int_equal(batch_builder_append(&builder, &record, NULL), RC_OK);
    }
    buf_clear(&batch);
    assert_int_equal(batch_builder_finish(&builder, &batch, NULL), RC_OK);
    batch_builder_fini(&builder);
    assert_int_equal(batch_view_parse(batch.data, batch.size, &view, NULL), RC_OK);
    return view;
}

static struct batch_view
rewritten(struct batch_rewrite change)
{
    struct batch_view view;

    batch_rewrite_header(batch.data, batch.size, &change);
    assert_int_equal(batch_view_parse(batch.data, batch.size, &view, NULL), RC_OK);
    assert_true(batch_view_is_intact(&view));
    return view;
}

static void
offset_and_leader_epoch_leave_the_crc(void **state)
{
    struct batch_view before = batch_make(COMPRESS_NONE);
    struct batch_view after = rewritten(
        (struct batch_rewrite){.fields = BATCH_REWRITE_BASE_OFFSET | BATCH_REWRITE_LEADER_EPOCH,
            .base_offset = 1234567890123,
            .leader_epoch = 9});

    (void)state;
    assert_int_equal(after.crc, before.crc);
    assert_int_equal(after.base_offset, 1234567890123);
    assert_int_equal(after.leader_epoch, 9);
    assert_int_equal(after.producer_id, 5);
}

static void
covered_fields_get_a_fresh_crc(void **state)
{
    struct batch_view after;

    (void)state;
    (void)batch_make(COMPRESS_LZ4);
    after = rewritten((struct batch_rewrite){
        .fields = BATCH_REWRITE_TIMESTAMP, .max_timestamp = 5000, .log_append_time = true});
    assert_int_equal(after.max_timestamp, 5000);
    assert_true(batch_view_is_log_append_time(&after));
    assert_int_equal(batch_view_codec(&after), COMPRESS_LZ4);
    after = rewritten((struct batch_rewrite){.fields = BATCH_REWRITE_PRODUCER,
        .producer_id = 50,
        .producer_epoch = 60,
        .base_sequence = 70});
    assert_int_equal(after.producer_id, 50);
    assert_int_equal(after.producer_epoch, 60);
    assert_int_equal(after.base_sequence, 70);
    assert_int_equal(after.max_timestamp, 5000);
    after = rewritten(
        (struct batch_rewrite){.fields = BATCH_REWRITE_TRANSACTIONAL, .transactional = true});
    assert_true(batch_view_is_transactional(&after));
    after = rewritten((struct batch_rewrite){.fields = BATCH_REWRITE_TRANSACTIONAL});
    assert_false(batch_view_is_transactional(&after));
}

/* A wrong CRC stays wrong where nothing that it covers changes: no pass over the batch was made. */
static void
what_stays_the_same_costs_no_crc(void **state)
{
    struct batch_view before = batch_make(COMPRESS_NONE), after;

    (void)state;
    batch.data[BATCH_VIEW_CRC_AT] ^= 1;
    batch_rewrite_header(batch.data, batch.size,
        &(struct batch_rewrite){.fields = ~0u,
            .base_offset = 3,
            .max_timestamp = before.max_timestamp,
            .producer_id = before.producer_id,
            .producer_epoch = before.producer_epoch,
            .base_sequence = before.base_sequence});
    assert_int_equal(batch_view_parse(batch.data, batch.size, &after, NULL), RC_OK);
    assert_int_equal(after.base_offset, 3);
    assert_false(batch_view_is_intact(&after));
}

static void
a_change_of_timestamps_clears_bits_without_meaning(void **state)
{
    struct batch_view after;

    (void)state;
    (void)batch_make(COMPRESS_NONE);
    codec_bytes_put_int16(batch.data + BATCH_VIEW_ATTRIBUTES_AT, (int16_t)0xff90);
    after = rewritten((struct batch_rewrite){.fields = BATCH_REWRITE_TIMESTAMP});
    assert_int_equal(after.attributes, BATCH_VIEW_TRANSACTIONAL);
}

static void
another_codec_keeps_every_record(void **state)
{
    struct buf scratch, packed, plain;

    (void)state;
    buf_init(&scratch, 10000);
    buf_init(&packed, 10000);
    buf_init(&plain, 10000);
    (void)batch_make(COMPRESS_NONE);
    buf_append(&plain, batch.data, batch.size);
    for (int from = 0; from < COMPRESS_CODECS; from++) {
        for (int to = 0; to < COMPRESS_CODECS; to++) {
            struct batch_view view = batch_make((enum compress_codec)from), after;

            buf_clear(&packed);
            assert_int_equal(
                batch_rewrite_codec(&view, (enum compress_codec)to, &scratch, 10000, &packed, NULL),
                RC_OK);
            assert_int_equal(batch_view_parse(packed.data, packed.size, &after, NULL), RC_OK);
            assert_int_equal(after.size, packed.size);
            assert_true(batch_view_is_intact(&after));
            assert_int_equal(batch_view_codec(&after), to);
            assert_int_equal(after.producer_id, 5);
            buf_clear(&batch);
            assert_int_equal(
                batch_rewrite_codec(&after, COMPRESS_NONE, &scratch, 10000, &batch, NULL), RC_OK);
            assert_int_equal(batch.size, plain.size);
            assert_memory_equal(batch.data, plain.data, plain.size);
        }
    }
    buf_fini(&scratch);
    buf_fini(&packed);
    buf_fini(&plain);
}

static void
another_codec_keeps_to_the_limits(void **state)
{
    struct batch_view view = batch_make(COMPRESS_ZSTD);
    struct buf scratch, small;

    (void)state;
    buf_init(&scratch, 10000);
    buf_init(&small, 70);
    assert_int_equal(
        batch_rewrite_codec(&view, COMPRESS_NONE, &scratch, 20, &small, NULL), RC_LIMIT);
    assert_int_equal(
        batch_rewrite_codec(&view, COMPRESS_NONE, &scratch, 10000, &small, NULL), RC_LIMIT);
    batch.data[batch.size - 8] ^= 0x55;
    batch.data[BATCH_VIEW_HEADER_BYTES] ^= 1;
    assert_int_equal(
        batch_rewrite_codec(&view, COMPRESS_NONE, &scratch, 10000, &small, NULL), RC_CORRUPT);
    buf_fini(&scratch);
    buf_fini(&small);
}

static void
an_empty_batch_keeps_range_producer_and_time(void **state)
{
    struct batch_view before = batch_make(COMPRESS_GZIP), after;
    struct buf out, small;

    (void)state;
    buf_init(&out, 100);
    buf_init(&small, 60);
    assert_int_equal(batch_rewrite_empty(&before, &out, NULL), RC_OK);
    assert_int_equal(batch_view_parse(out.data, out.size, &after, NULL), RC_OK);
    assert_int_equal(after.size, BATCH_VIEW_HEADER_BYTES);
    assert_true(batch_view_is_intact(&after));
    assert_int_equal(after.base_offset, before.base_offset);
    assert_int_equal(batch_view_last_offset(&after), batch_view_last_offset(&before));
    assert_int_equal(batch_view_last_sequence(&after), batch_view_last_sequence(&before));
    assert_int_equal(after.producer_id, 5);
    assert_int_equal(after.producer_epoch, 6);
    assert_int_equal(after.max_timestamp, 1002);
    assert_int_equal(after.base_timestamp, BATCH_VIEW_NONE);
    assert_int_equal(after.attributes, 0);
    assert_int_equal(after.record_count, 0);
    assert_int_equal(batch_rewrite_empty(&before, &small, NULL), RC_LIMIT);
    buf_fini(&out);
    buf_fini(&small);
}

static int
batch_fini(void **state)
{
    (void)state;
    buf_fini(&batch);
    return 0;
}

static int
batch_init(void **state)
{
    (void)state;
    buf_init(&batch, 10000);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offset_and_leader_epoch_leave_the_crc),
        cmocka_unit_test(covered_fields_get_a_fresh_crc),
        cmocka_unit_test(what_stays_the_same_costs_no_crc),
        cmocka_unit_test(a_change_of_timestamps_clears_bits_without_meaning),
        cmocka_unit_test(another_codec_keeps_every_record),
        cmocka_unit_test(another_codec_keeps_to_the_limits),
        cmocka_unit_test(an_empty_batch_keeps_range_producer_and_time),
    };

    return cmocka_run_group_tests(tests, batch_init, batch_fini);
}
