/* Groups as they are filled, read back as recovery reads them. */
#include "refbroker/log/wal_filling.h"

#include <stdlib.h>

#include "lib/wire/batch_builder.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/log/wal_format.h"
#include "tests/unit/unit.h"

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define SALT 77
#define SEQUENCE 5

static const struct wire_uuid topic = {.bytes = {1, 2, 3}};
static struct wal_filling filling;
static struct buf batch;

static int
setup(void **state)
{
    (void)state;
    filling = (struct wal_filling){0};
    buf_init(&batch, SIZE_MAX / 2);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    wal_filling_fini(&filling);
    buf_fini(&batch);
    return 0;
}

/* A whole batch of one record, whose value has `size` bytes. */
static void
batch_make(size_t size)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder_record record = {
        .value = calloc(1, size + 1), .value_size = (int32_t)size};
    struct batch_builder builder;

    memset((void *)(uintptr_t)record.value, 'v', size);
    buf_clear(&batch);
    batch_builder_init(&builder, SIZE_MAX / 2);
    batch_builder_start(&builder, &options);
    assert_int_equal(batch_builder_append(&builder, &record, NULL), RC_OK);
    assert_int_equal(batch_builder_finish(&builder, &batch, NULL), RC_OK);
    batch_builder_fini(&builder);
    free((void *)(uintptr_t)record.value);
}

static void
add(size_t value_bytes)
{
    batch_make(value_bytes);
    assert_true(wal_filling_reserve(&filling, batch.size));
    wal_filling_add(&filling, &topic, 9, batch.data, batch.size);
}

static size_t
end(void)
{
    size_t size = wal_format_aligned(WAL_GROUP_HEADER_BYTES + filling.payload_bytes);

    wal_filling_end(&filling, SALT, SEQUENCE, size);
    return size;
}

static void
assert_group(size_t size, size_t batches)
{
    struct wal_group_header header;
    size_t bytes;

    assert_true(wal_format_group_at(filling.room, size, 0, SALT, &header, &bytes));
    assert_int_equal(header.sequence, SEQUENCE);
    assert_int_equal(header.entry_count, batches);
    assert_int_equal(bytes, size);
}

static void
what_is_filled_reads_as_a_group(void **state)
{
    static const size_t sizes[] = {0, 10, 1990, 2000, 5000, 70000, 300000};
    const uint8_t *at;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        add(sizes[i]);
    assert_group(end(), sizeof sizes / sizeof *sizes);
    at = filling.room + WAL_GROUP_HEADER_BYTES;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        batch_make(sizes[i]);
        assert_memory_equal(at, &topic, sizeof topic);
        assert_int_equal(codec_bytes_int32(at + 16), 9);
        assert_int_equal(codec_bytes_int32(at + 20), batch.size);
        assert_memory_equal(at + WAL_ENTRY_BYTES, batch.data, batch.size);
        at += WAL_ENTRY_BYTES + batch.size;
    }
    while (at < filling.room + wal_format_aligned((size_t)(at - filling.room)))
        assert_int_equal(*at++, 0);
}

/* The header's checksum follows from the batch's own, not from what was copied. */
static void
a_byte_that_the_copy_got_wrong_is_noticed(void **state)
{
    struct wal_group_header header;
    size_t size, bytes;

    (void)state;
    add(5000);
    filling.room[4000] ^= 1;
    size = end();
    assert_false(wal_format_group_at(filling.room, size, 0, SALT, &header, &bytes));
    filling.room[4000] ^= 1;
    assert_group(size, 1);
}

static void
a_cleared_one_is_filled_again_in_the_same_room(void **state)
{
    const uint8_t *room;

    (void)state;
    add(60000);
    add(20);
    room = filling.room;
    wal_filling_clear(&filling);
    add(3000);
    assert_ptr_equal(filling.room, room);
    assert_group(end(), 1);
}

static void
a_group_takes_as_much_as_one_may_hold(void **state)
{
    (void)state;
    add(100);
    assert_false(wal_filling_reserve(&filling, WAL_GROUP_BYTES_MAX));
    assert_true(wal_filling_reserve(
        &filling, WAL_GROUP_BYTES_MAX - filling.payload_bytes - WAL_ENTRY_BYTES));
    assert_group(end(), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_filled_reads_as_a_group),
        TEST(a_byte_that_the_copy_got_wrong_is_noticed),
        TEST(a_cleared_one_is_filled_again_in_the_same_room),
        TEST(a_group_takes_as_much_as_one_may_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
