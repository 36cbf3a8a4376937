#include "lib/wire/batch_view.h"

#include "lib/base/buf.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"
#include "tests/unit/unit.h"

#include "tests/unit/lib/wire/batch_vectors.h"

static const struct batch_vector *const plain = &batch_vectors[0];

static void
headers_of_kafkas_batches_read_as_kafka_reads_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(batch_vectors); i++) {
        const struct batch_vector *vector = &batch_vectors[i];
        size_t size;
        uint8_t *bytes = batch_vector_bytes(vector->hex, &size);
        struct batch_view batch;

        assert_int_equal(batch_view_parse(bytes, size, &batch, NULL), RC_OK);
        assert_ptr_equal(batch.data, bytes);
        assert_int_equal(batch.size, size);
        assert_int_equal(batch.magic, vector->batch.magic);
        assert_int_equal(
            batch.base_offset, batch.magic == 2 ? vector->batch.base_offset : vector->last_offset);
        assert_int_equal(batch_view_last_offset(&batch), vector->last_offset);
        assert_int_equal(batch_view_next_offset(&batch), vector->last_offset + 1);
        if (batch.magic == 2)
            assert_int_equal(batch.base_timestamp, vector->batch.base_timestamp);
        assert_int_equal(batch.max_timestamp, vector->batch.max_timestamp);
        assert_int_equal(batch.leader_epoch, vector->batch.leader_epoch);
        assert_int_equal(batch.producer_id, vector->batch.producer_id);
        assert_int_equal(batch.producer_epoch, vector->batch.producer_epoch);
        assert_int_equal(batch.base_sequence, vector->batch.base_sequence);
        assert_int_equal(batch_view_last_sequence(&batch), vector->last_sequence);
        assert_int_equal(batch.crc, vector->batch.crc);
        assert_true(batch_view_is_intact(&batch));
        assert_int_equal(batch_view_codec(&batch), vector->codec);
        assert_int_equal(batch_view_is_log_append_time(&batch), vector->log_append_time);
        assert_int_equal(batch_view_is_transactional(&batch), vector->transactional);
        assert_int_equal(batch_view_is_control(&batch), vector->control);
        assert_int_equal(batch_view_has_producer(&batch), vector->batch.producer_id >= 0);
        assert_int_equal(batch_view_delete_horizon_ms(&batch), vector->delete_horizon_ms);
        free(bytes);
    }
}

static void
every_flipped_bit_behind_the_length_breaks_the_crc(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(batch_vectors); i++) {
        size_t size, start = batch_vectors[i].batch.magic == 2 ? BATCH_VIEW_CRC_AT : 12;
        uint8_t *bytes = batch_vector_bytes(batch_vectors[i].hex, &size);
        struct batch_view batch;

        for (size_t at = start; at < size; at++) {
            if (at == BATCH_VIEW_MAGIC_AT)
                continue;
            bytes[at] ^= 0x10;
            assert_int_equal(batch_view_parse(bytes, size, &batch, NULL), RC_OK);
            assert_false(batch_view_is_intact(&batch));
            bytes[at] ^= 0x10;
        }
        free(bytes);
    }
}

/* A malloc of the exact size lets the address sanitizer see every read behind the end. */
static void
a_batch_cut_at_any_byte_is_truncated(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(batch_vectors); i++) {
        size_t size;
        uint8_t *bytes = batch_vector_bytes(batch_vectors[i].hex, &size);
        struct batch_view batch;

        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *part = xmalloc(cut == 0 ? 1 : cut);

            memcpy(part, bytes, cut);
            assert_int_equal(batch_view_parse(part, cut, &batch, NULL), RC_TRUNCATED);
            free(part);
        }
        free(bytes);
    }
}

static void
lengths_and_magics_that_cannot_be_are_corrupt(void **state)
{
    static const int32_t lengths[] = {INT32_MIN, -1, 0, 13};
    size_t size;
    uint8_t *bytes = batch_vector_bytes(plain->hex, &size);
    struct batch_view batch;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        codec_bytes_put_int32(bytes + BATCH_VIEW_LENGTH_AT, lengths[i]);
        assert_int_equal(batch_view_parse(bytes, size, &batch, NULL), RC_CORRUPT);
        assert_int_equal(batch_view_parse(bytes, 12, &batch, NULL), RC_CORRUPT);
        assert_int_equal(batch_view_begin(bytes, 12, NULL), RC_CORRUPT);
    }
    /* Too short for its own format, but some format begins like this. */
    codec_bytes_put_int32(bytes + BATCH_VIEW_LENGTH_AT, 48);
    assert_int_equal(batch_view_parse(bytes, size, &batch, NULL), RC_CORRUPT);
    assert_int_equal(batch_view_begin(bytes, 17, NULL), RC_OK);
    assert_int_equal(batch_view_begin(bytes, 16, NULL), RC_TRUNCATED);
    codec_bytes_put_int32(bytes + BATCH_VIEW_LENGTH_AT, 49);
    assert_int_equal(batch_view_parse(bytes, size, &batch, NULL), RC_OK);
    assert_int_equal(batch.size, BATCH_VIEW_HEADER_BYTES);
    codec_bytes_put_int32(bytes + BATCH_VIEW_LENGTH_AT, INT32_MAX);
    assert_int_equal(batch_view_parse(bytes, size, &batch, NULL), RC_TRUNCATED);
    codec_bytes_put_int32(bytes + BATCH_VIEW_LENGTH_AT, 49);
    bytes[BATCH_VIEW_MAGIC_AT] = 3;
    assert_int_equal(batch_view_parse(bytes, size, &batch, NULL), RC_CORRUPT);
    bytes[BATCH_VIEW_MAGIC_AT] = 0xff;
    assert_int_equal(batch_view_parse(bytes, size, &batch, NULL), RC_CORRUPT);
    free(bytes);
}

static void
old_messages_have_their_own_least_length(void **state)
{
    uint8_t bytes[34] = {0};
    struct batch_view batch;

    (void)state;
    for (int magic = 0; magic < 2; magic++) {
        int32_t least = magic == 0 ? 14 : 22;

        bytes[BATCH_VIEW_MAGIC_AT] = (uint8_t)magic;
        codec_bytes_put_int32(bytes + BATCH_VIEW_LENGTH_AT, least);
        assert_int_equal(batch_view_parse(bytes, sizeof bytes, &batch, NULL), RC_OK);
        assert_int_equal(batch.record_count, 1);
        codec_bytes_put_int32(bytes + BATCH_VIEW_LENGTH_AT, least - 1);
        assert_int_equal(batch_view_parse(bytes, sizeof bytes, &batch, NULL), RC_CORRUPT);
    }
}

static void
a_row_of_batches_ends_with_the_size_of_a_cut_one(void **state)
{
    struct buf row;
    size_t ends[ARRAY_LEN(batch_vectors) + 1] = {0};

    (void)state;
    buf_init(&row, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(batch_vectors); i++) {
        size_t size;
        uint8_t *bytes = batch_vector_bytes(batch_vectors[i].hex, &size);

        buf_append(&row, bytes, size);
        ends[i + 1] = row.size;
        free(bytes);
    }
    for (size_t cut = 0; cut <= row.size; cut++) {
        struct batch_view_cursor cursor = {row.data, cut};
        struct err before = {.code = RC_OK}, e = before;
        struct batch_view batch;
        size_t count = 0;
        bool found;

        for (;;) {
            assert_int_equal(batch_view_next(&cursor, &batch, &found, &e), RC_OK);
            if (!found)
                break;
            count++;
        }
        assert_memory_equal(&e, &before, sizeof e);
        assert_true(ends[count] <= cut);
        assert_true(count == ARRAY_LEN(batch_vectors) || cut < ends[count + 1]);
        assert_int_equal(cursor.size, cut - ends[count]);
    }
    buf_fini(&row);
}

static void
a_corrupt_batch_stops_a_row_and_the_cursor_stays(void **state)
{
    size_t size;
    uint8_t *bytes = batch_vector_bytes(plain->hex, &size);
    struct batch_view_cursor cursor = {bytes, size};
    struct batch_view batch;
    bool found = true;

    (void)state;
    bytes[BATCH_VIEW_MAGIC_AT] = 9;
    assert_int_equal(batch_view_next(&cursor, &batch, &found, NULL), RC_CORRUPT);
    assert_false(found);
    assert_int_equal(cursor.size, size);
    free(bytes);
}

static void
sequence_numbers_wrap_to_zero(void **state)
{
    struct batch_view batch = {.base_sequence = INT32_MAX - 1, .last_offset_delta = 1};

    (void)state;
    assert_int_equal(batch_view_last_sequence(&batch), INT32_MAX);
    assert_int_equal(batch_view_next_sequence(&batch), 0);
    batch.last_offset_delta = 4;
    assert_int_equal(batch_view_last_sequence(&batch), 2);
    batch.base_sequence = -1;
    assert_int_equal(batch_view_last_sequence(&batch), -1);
    assert_int_equal(batch_view_next_sequence(&batch), -1);
    assert_int_equal(batch_view_sequence_add(INT32_MAX, 1), 0);
}

static void
offsets_that_lie_do_not_overflow(void **state)
{
    struct batch_view batch = {.base_offset = INT64_MAX, .last_offset_delta = INT32_MAX};

    (void)state;
    assert_true(batch_view_last_offset(&batch) < 0);
    batch.base_offset = INT64_MIN;
    batch.last_offset_delta = INT32_MIN;
    assert_true(batch_view_last_offset(&batch) > 0);
}

static void
a_checksum_goes_on_behind_a_batch_by_what_the_batch_carries(void **state)
{
    struct batch_builder_options options = batch_builder_defaults();
    uint8_t value[20000];
    struct batch_builder builder;
    struct buf out;

    (void)state;
    memset(value, 'v', sizeof value);
    batch_builder_init(&builder, SIZE_MAX / 2);
    buf_init(&out, SIZE_MAX / 2);
    for (int32_t size = 1; size <= (int32_t)sizeof value; size += 731) {
        struct batch_builder_record record = {.value = value, .value_size = size};

        buf_clear(&out);
        batch_builder_start(&builder, &options);
        assert_int_equal(batch_builder_append(&builder, &record, NULL), RC_OK);
        assert_int_equal(batch_builder_finish(&builder, &out, NULL), RC_OK);
        out.data[3] = 77; /* The broker's offset, which the batch's checksum does not cover. */
        assert_int_equal(batch_view_crc_behind(12345, out.data, out.size),
            crc32c_extend(12345, out.data, out.size));
    }
    out.data[BATCH_VIEW_MAGIC_AT] = 1;
    assert_int_equal(batch_view_crc_behind(0, out.data, out.size), crc32c_of(out.data, out.size));
    batch_builder_fini(&builder);
    buf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_of_kafkas_batches_read_as_kafka_reads_them),
        cmocka_unit_test(every_flipped_bit_behind_the_length_breaks_the_crc),
        cmocka_unit_test(a_batch_cut_at_any_byte_is_truncated),
        cmocka_unit_test(lengths_and_magics_that_cannot_be_are_corrupt),
        cmocka_unit_test(old_messages_have_their_own_least_length),
        cmocka_unit_test(a_row_of_batches_ends_with_the_size_of_a_cut_one),
        cmocka_unit_test(a_corrupt_batch_stops_a_row_and_the_cursor_stays),
        cmocka_unit_test(sequence_numbers_wrap_to_zero),
        cmocka_unit_test(offsets_that_lie_do_not_overflow),
        cmocka_unit_test(a_checksum_goes_on_behind_a_batch_by_what_the_batch_carries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
