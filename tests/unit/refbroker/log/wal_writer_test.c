/* The files under the WAL: which is written, what is given up, what is used again. */
#include "refbroker/log/wal_writer.h"

#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define PAGE DISK_ALIGN_BYTES
#define FILE_BYTES ((size_t)4 * PAGE)

static struct disk *disk;
static struct wal_writer writer;

static int
setup(void **state)
{
    (void)state;
    disk = disk_cut_new(1);
    assert_int_equal(disk_make_folder(disk, WAL_FOLDER, NULL), RC_OK);
    wal_writer_init(&writer, disk, FILE_BYTES, 0, 12345, 0, 0);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    wal_writer_fini(&writer);
    disk_free(disk);
    return 0;
}

/* Puts a group of `pages` pages with no content but its sequence in the first byte. */
static enum rc
put(size_t pages, uint64_t sequence, struct err *e)
{
    enum rc rc = wal_writer_reserve(&writer, pages * PAGE, 0, e);
    uint8_t *group;

    if (rc == RC_OK)
        rc = wal_writer_room(&writer, pages * PAGE, &group, e);
    if (rc != RC_OK)
        return rc;
    memset(group, 0, pages * PAGE);
    group[0] = (uint8_t)sequence;
    return wal_writer_put(&writer, group, pages * PAGE, sequence, e);
}

static void
assert_put(size_t pages, uint64_t sequence, uint64_t number)
{
    assert_int_equal(put(pages, sequence, NULL), RC_OK);
    assert_int_equal(writer.number, number);
    assert_int_equal(writer.durable_sequence, sequence);
}

/* The header of a file, or the size of what is there. */
static enum rc
header_of(uint64_t number, struct wal_file_header *header, int64_t *size)
{
    struct disk_file *file = NULL;
    char name[WAL_NAME_BYTES];
    uint8_t page[PAGE];
    size_t got;
    enum rc rc;

    wal_format_name(name, number);
    rc = disk_open(disk, name, DISK_READ, &file, NULL);
    if (rc != RC_OK)
        return RC_CLOSED;
    assert_int_equal(disk_read(file, 0, page, sizeof page, &got, NULL), RC_OK);
    assert_int_equal(disk_size(file, size, NULL), RC_OK);
    disk_close(file);
    return wal_format_file_parse(page, header, NULL);
}

static void
groups_fill_a_file_and_begin_the_next(void **state)
{
    struct wal_file_header header = {0};
    int64_t size = 0;

    (void)state;
    assert_put(1, 1, 1);
    assert_put(2, 2, 1);
    assert_put(1, 3, 2);
    assert_int_equal(header_of(1, &header, &size), RC_OK);
    assert_int_equal(size, FILE_BYTES);
    assert_int_equal(header.number, 1);
    assert_int_equal(header.after_sequence, 0);
    assert_false(header.recycled);
    assert_int_equal(header_of(2, &header, &size), RC_OK);
    assert_int_equal(header.after_sequence, 2);
    assert_true(header.salt == writer.salt);
}

static void
a_group_larger_than_a_file_gets_a_larger_file(void **state)
{
    struct wal_file_header header = {0};
    int64_t size = 0;

    (void)state;
    assert_put(1, 1, 1);
    assert_put(9, 2, 2);
    assert_int_equal(header_of(2, &header, &size), RC_OK);
    assert_int_equal(size, 10 * PAGE);
    assert_put(1, 3, 3);
}

static void
salts_differ_between_files_and_between_processes(void **state)
{
    uint64_t first;

    (void)state;
    assert_put(3, 1, 1);
    first = writer.salt;
    assert_put(3, 2, 2);
    assert_true(writer.salt != first);
    wal_writer_fini(&writer);
    wal_writer_init(&writer, disk, FILE_BYTES, 0, 777777, 0, 0);
    assert_put(3, 3, 1);
    assert_true(writer.salt != first);
}

static void
numbers_go_on_behind_what_was_found(void **state)
{
    struct wal_file_header header = {0};
    int64_t size = 0;

    (void)state;
    wal_writer_fini(&writer);
    wal_writer_init(&writer, disk, FILE_BYTES, 0, 1, 41, 99);
    assert_put(1, 100, 42);
    assert_int_equal(header_of(42, &header, &size), RC_OK);
    assert_int_equal(header.after_sequence, 99);
}

static void
a_recycled_file_is_used_under_the_next_number(void **state)
{
    struct wal_file_header header = {0};
    bool spoilt = false;
    int64_t size = 0;

    (void)state;
    assert_put(3, 1, 1);
    assert_put(3, 2, 2);
    assert_int_equal(wal_writer_recycle(&writer, 1, &spoilt, NULL), RC_OK);
    assert_false(spoilt);
    assert_int_equal(header_of(1, &header, &size), RC_NOTFOUND);
    assert_put(1, 3, 3);
    assert_int_equal(header_of(1, &header, &size), RC_CLOSED);
    assert_int_equal(header_of(3, &header, &size), RC_OK);
    assert_true(header.recycled);
    assert_int_equal(size, FILE_BYTES);
}

static void
without_space_the_same_place_is_tried_again(void **state)
{
    struct err e = {0};

    (void)state;
    disk_cut_limit(disk, 2 * PAGE);
    assert_put(1, 1, 1);
    assert_int_equal(put(2, 2, &e), RC_NO_SPACE);
    assert_int_equal(put(2, 2, &e), RC_NO_SPACE);
    assert_int_equal(writer.durable_sequence, 1);
    disk_cut_limit(disk, UINT64_MAX);
    assert_put(2, 2, 1);
    disk_cut_limit(disk, 0);
    assert_int_equal(put(1, 3, &e), RC_NO_SPACE);
    disk_cut_limit(disk, UINT64_MAX);
    assert_put(1, 3, 2);
}

static void
a_file_is_given_up_after_a_failed_sync_or_write(void **state)
{
    struct wal_file_header header = {0};
    int64_t size = 0;

    (void)state;
    assert_put(1, 1, 1);
    disk_cut_fault(disk, DISK_CUT_FAIL_SYNC, 1);
    assert_int_equal(put(1, 2, NULL), RC_IO);
    assert_int_equal(writer.durable_sequence, 1);
    assert_put(1, 3, 2);
    assert_int_equal(header_of(2, &header, &size), RC_OK);
    assert_int_equal(header.after_sequence, 1);
    disk_cut_fault(disk, DISK_CUT_FAIL_WRITE, 1);
    assert_int_equal(put(1, 4, NULL), RC_IO);
    assert_put(1, 5, 3);
}

static void
a_number_is_given_up_after_a_failed_sync_of_the_folder(void **state)
{
    bool spoilt = false;
    struct err e = {0};

    (void)state;
    disk_cut_fault(disk, DISK_CUT_FAIL_SYNC, 1);
    assert_int_equal(put(1, 1, NULL), RC_IO);
    assert_put(3, 2, 2);
    assert_put(3, 3, 3);
    /* What the folder holds on the medium is unknown: nothing may be forgotten any more. */
    assert_int_equal(wal_writer_recycle(&writer, 2, &spoilt, &e), RC_IO);
    assert_string_equal(e.text, "nothing is recycled until the next start");
    assert_false(spoilt);
}

static void
a_file_that_cannot_be_cleared_is_removed_the_second_time(void **state)
{
    struct wal_file_header header = {0};
    bool spoilt = false;
    int64_t size = 0;

    (void)state;
    assert_put(3, 1, 1);
    assert_put(3, 2, 2);
    disk_cut_fault(disk, DISK_CUT_FAIL_SYNC, 1);
    assert_int_equal(wal_writer_recycle(&writer, 1, &spoilt, NULL), RC_IO);
    assert_true(spoilt);
    assert_int_equal(writer.spare_count, 0);
    assert_int_equal(wal_writer_recycle(&writer, 1, &spoilt, NULL), RC_OK);
    assert_int_equal(header_of(1, &header, &size), RC_CLOSED);
    assert_int_equal(writer.spare_count, 0);
    assert_int_equal(wal_writer_recycle(&writer, 1, &spoilt, NULL), RC_OK);
}

static void
spares_of_an_earlier_process_are_emptied_once_more_before_the_first_recycling(void **state)
{
    bool spoilt = false;
    uint64_t syncs;

    (void)state;
    for (uint64_t n = 1; n <= 4; n++)
        assert_put(3, n, n);
    wal_writer_fini(&writer);
    wal_writer_init(&writer, disk, FILE_BYTES, 0, 1, 4, 4);
    wal_writer_add_spare(&writer, 1);
    wal_writer_add_spare(&writer, 2);
    syncs = disk_cut_counts(disk)->syncs;
    assert_int_equal(wal_writer_recycle(&writer, 3, &spoilt, NULL), RC_OK);
    assert_int_equal(disk_cut_counts(disk)->syncs, syncs + 4); /* two spares, the folder, file 3 */
    assert_int_equal(writer.spare_count, 3);
    assert_int_equal(wal_writer_recycle(&writer, 4, &spoilt, NULL), RC_OK);
    assert_int_equal(disk_cut_counts(disk)->syncs, syncs + 5);
}

static void
a_spare_that_cannot_be_emptied_is_removed(void **state)
{
    struct wal_file_header header = {0};
    bool spoilt = false;
    int64_t size = 0;

    (void)state;
    for (uint64_t n = 1; n <= 3; n++)
        assert_put(3, n, n);
    wal_writer_fini(&writer);
    wal_writer_init(&writer, disk, FILE_BYTES, 0, 1, 3, 3);
    wal_writer_add_spare(&writer, 1);
    disk_cut_fault(disk, DISK_CUT_FAIL_SYNC, 1);
    assert_int_equal(wal_writer_recycle(&writer, 2, &spoilt, NULL), RC_OK);
    assert_int_equal(header_of(1, &header, &size), RC_CLOSED);
    assert_int_equal(writer.spare_count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(groups_fill_a_file_and_begin_the_next),
        TEST(a_group_larger_than_a_file_gets_a_larger_file),
        TEST(salts_differ_between_files_and_between_processes),
        TEST(numbers_go_on_behind_what_was_found),
        TEST(a_recycled_file_is_used_under_the_next_number),
        TEST(without_space_the_same_place_is_tried_again),
        TEST(a_file_is_given_up_after_a_failed_sync_or_write),
        TEST(a_number_is_given_up_after_a_failed_sync_of_the_folder),
        TEST(a_file_that_cannot_be_cleared_is_removed_the_second_time),
        TEST(spares_of_an_earlier_process_are_emptied_once_more_before_the_first_recycling),
        TEST(a_spare_that_cannot_be_emptied_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
