/* What an index says of a file, which files have none, and bytes that are none of an index. */
#include "refbroker/log/wal_index.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define PAGE DISK_ALIGN_BYTES
#define FILE_BYTES ((size_t)16 * PAGE)
#define GROUPS_END ((uint64_t)10 * PAGE)
#define SALT 77
#define LARGE 3000

static const struct wire_uuid topic = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static struct disk *disk;
static struct wal_index made;
static struct wal_index_view view;
static uint8_t batch[LARGE];

static int
setup(void **state)
{
    (void)state;
    disk = disk_cut_new(1);
    for (size_t i = 0; i < sizeof batch; i++)
        batch[i] = (uint8_t)(i * 7);
    wal_index_init(&made, 2 * PAGE);
    view = (struct wal_index_view){0};
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    blob_unref(view.blob);
    wal_index_fini(&made);
    disk_free(disk);
    return 0;
}

static struct disk_file *
file_of(uint8_t bytes[FILE_BYTES], size_t size)
{
    struct disk_file *file;

    assert_int_equal(disk_open(disk, "f", DISK_WRITE | DISK_CREATE, &file, NULL), RC_OK);
    assert_int_equal(disk_write(file, 0, bytes, size, NULL), RC_OK);
    return file;
}

/* Writes the index to the end of a file, and reads it. */
static enum rc
round_trip(uint64_t salt, const size_t *flipped)
{
    static uint8_t bytes[FILE_BYTES];
    size_t room = wal_index_room(&made, 0);
    struct disk_file *file;
    struct err e;
    enum rc rc;

    memset(bytes, 0xaa, sizeof bytes);
    wal_index_format(&made, SALT, GROUPS_END, bytes + FILE_BYTES - room);
    if (flipped != NULL)
        bytes[*flipped] ^= 0x20;
    file = file_of(bytes, sizeof bytes);
    rc = wal_index_read(file, FILE_BYTES, salt, &view, &e);
    disk_close(file);
    return rc;
}

/* Two groups: a small batch and a large one, and one at the limit. */
static void
make(void)
{
    wal_index_group(&made, 41, 2);
    wal_index_entry(&made, &topic, 5, batch, 100, PAGE + 56);
    wal_index_entry(&made, &topic, 6, batch, LARGE, PAGE + 180);
    wal_index_group(&made, 42, 1);
    wal_index_entry(&made, &topic, 7, batch, WAL_INDEX_WHOLE_BYTES, 3 * PAGE);
}

static void
assert_entry(int32_t partition, uint32_t size, uint64_t place, uint32_t head_size)
{
    struct wal_index_entry entry;

    assert_true(wal_index_next_entry(&view, &entry));
    assert_memory_equal(&entry.topic_id, &topic, sizeof topic);
    assert_int_equal(entry.partition, partition);
    assert_int_equal(entry.size, size);
    assert_int_equal(entry.place, place);
    assert_int_equal(entry.head_size, head_size);
    assert_memory_equal(entry.head, batch, head_size);
}

static void
assert_group(uint64_t sequence, uint32_t count)
{
    uint64_t found;
    uint32_t entries;

    assert_true(wal_index_next_group(&view, &found, &entries));
    assert_int_equal(found, sequence);
    assert_int_equal(entries, count);
}

static void
an_index_tells_groups_batches_and_their_heads(void **state)
{
    uint64_t sequence;
    uint32_t count;

    (void)state;
    make();
    assert_int_equal(made.bytes.size, 2 * wal_index_group_bytes() + wal_index_entry_bytes(100) +
                                          wal_index_entry_bytes(LARGE) +
                                          wal_index_entry_bytes(WAL_INDEX_WHOLE_BYTES));
    assert_int_equal(round_trip(SALT, NULL), RC_OK);
    assert_int_equal(view.groups_end, GROUPS_END);
    assert_group(41, 2);
    assert_entry(5, 100, PAGE + 56, 100);
    assert_entry(6, LARGE, PAGE + 180, WAL_INDEX_HEAD_BYTES);
    assert_group(42, 1);
    assert_entry(7, WAL_INDEX_WHOLE_BYTES, 3 * PAGE, WAL_INDEX_WHOLE_BYTES);
    assert_false(wal_index_next_group(&view, &sequence, &count));
    assert_ptr_equal(view.at, view.end);
}

static void
another_salt_or_a_flipped_bit_makes_it_none(void **state)
{
    size_t room;

    (void)state;
    make();
    assert_int_equal(round_trip(SALT + 1, NULL), RC_NOTFOUND);
    room = wal_index_room(&made, 0);
    for (size_t i = 0; i < made.bytes.size; i++) {
        size_t at = FILE_BYTES - room + i;

        assert_int_equal(round_trip(SALT, &at), RC_NOTFOUND);
    }
    for (size_t i = 0; i < 32; i++) {
        size_t at = FILE_BYTES - PAGE + i;

        assert_int_equal(round_trip(SALT, &at), RC_NOTFOUND);
    }
}

static void
files_without_one_have_none(void **state)
{
    static uint8_t bytes[FILE_BYTES];
    struct disk_file *file = file_of(bytes, FILE_BYTES);
    struct err e;

    (void)state;
    assert_int_equal(wal_index_read(file, FILE_BYTES, SALT, &view, &e), RC_NOTFOUND);
    assert_int_equal(wal_index_read(file, FILE_BYTES - 1, SALT, &view, &e), RC_NOTFOUND);
    assert_int_equal(wal_index_read(file, PAGE, SALT, &view, &e), RC_NOTFOUND);
    assert_int_equal(wal_index_read(file, 0, SALT, &view, &e), RC_NOTFOUND);
    /* A read that breaks off says nothing about the file. */
    assert_int_equal(wal_index_read(file, FILE_BYTES + PAGE, SALT, &view, &e), RC_TRUNCATED);
    disk_close(file);
}

static void
one_that_becomes_too_large_is_given_up_until_the_next_file(void **state)
{
    (void)state;
    assert_int_equal(wal_index_room(&made, 0), 0);
    assert_int_equal(wal_index_room(&made, 1), 2 * PAGE);
    assert_int_equal(wal_index_room(&made, 2 * PAGE), 3 * PAGE);
    assert_int_equal(wal_index_room(&made, 2 * PAGE + 1), 0);
    for (int i = 0; i < 8; i++)
        wal_index_entry(&made, &topic, i, batch, WAL_INDEX_WHOLE_BYTES, PAGE);
    assert_true(made.given_up);
    assert_int_equal(wal_index_room(&made, 0), 0);
    wal_index_begin(&made);
    make();
    assert_int_equal(round_trip(SALT, NULL), RC_OK);
}

static void
without_a_limit_of_its_own_no_file_gets_one(void **state)
{
    struct wal_index none;

    (void)state;
    wal_index_init(&none, 0);
    wal_index_group(&none, 1, 1);
    wal_index_entry(&none, &topic, 0, batch, 10, PAGE);
    assert_int_equal(wal_index_room(&none, 100), 0);
    wal_index_fini(&none);
}

/* A checksum proves that a program wrote it, not that the program was right. */
static void
entries_that_point_outside_are_none(void **state)
{
    static const struct {
        uint32_t size;
        uint64_t place;
    } lies[] = {
        {100, GROUPS_END - 99}, {100, GROUPS_END + 1}, {UINT32_MAX, PAGE}, {100, UINT64_MAX - 50}};
    struct wal_index_entry entry;
    uint64_t sequence;
    uint32_t count;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        wal_index_begin(&made);
        wal_index_group(&made, 1, 1);
        wal_index_entry(&made, &topic, 0, batch, lies[i].size, lies[i].place);
        assert_int_equal(round_trip(SALT, NULL), RC_OK);
        assert_true(wal_index_next_group(&view, &sequence, &count));
        assert_false(wal_index_next_entry(&view, &entry));
        blob_unref(view.blob);
        view.blob = NULL;
    }
    /* One that ends within its head. */
    wal_index_begin(&made);
    make();
    assert_int_equal(round_trip(SALT, NULL), RC_OK);
    view.at += wal_index_group_bytes();
    view.end = view.at + wal_index_entry_bytes(100) - 1;
    assert_false(wal_index_next_entry(&view, &entry));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_index_tells_groups_batches_and_their_heads),
        TEST(another_salt_or_a_flipped_bit_makes_it_none),
        TEST(files_without_one_have_none),
        TEST(one_that_becomes_too_large_is_given_up_until_the_next_file),
        TEST(without_a_limit_of_its_own_no_file_gets_one),
        TEST(entries_that_point_outside_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
