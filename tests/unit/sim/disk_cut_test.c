/* The battery for disks, then each way in which this one loses data: by many seeds, because the
 * dice decide. */
#include "tests/sim/disk_cut.h"

#include "tests/unit/lib/base/disk_battery.h"
#include "tests/unit/unit.h"

#define SEEDS 200
#define PAGE DISK_ALIGN_BYTES

static int
setup(void **state)
{
    *state = disk_cut_new(1);
    return 0;
}

static int
teardown(void **state)
{
    disk_free(*state);
    return 0;
}

static struct disk_file *
open_file(struct disk *disk, const char *path, unsigned flags)
{
    struct disk_file *file = NULL;

    assert_int_equal(disk_open(disk, path, flags, &file, NULL), RC_OK);
    return file;
}

static bool
is_there(struct disk *disk, const char *path)
{
    struct disk_file *file = NULL;

    if (disk_open(disk, path, DISK_READ, &file, NULL) != RC_OK)
        return false;
    disk_close(file);
    return true;
}

/* A file "a" of `pages` pages full of `byte`, durable if asked. */
static struct disk_file *
file_of(struct disk *disk, size_t pages, char byte, bool durable)
{
    struct disk_file *file = open_file(disk, "a", DISK_WRITE | DISK_CREATE);
    char page[PAGE];

    memset(page, byte, sizeof page);
    for (size_t i = 0; i < pages; i++)
        assert_int_equal(disk_write(file, (int64_t)(i * PAGE), page, sizeof page, NULL), RC_OK);
    if (durable) {
        assert_int_equal(disk_sync(file, NULL), RC_OK);
        assert_int_equal(disk_sync_folder(disk, "", NULL), RC_OK);
    }
    return file;
}

/* Content of "a" after a cut; its size is returned. */
static size_t
read_a(struct disk *disk, char *out, size_t size)
{
    struct disk_file *file = open_file(disk, "a", DISK_READ);
    size_t got;

    memset(out, 0, size);
    assert_int_equal(disk_read(file, 0, out, size, &got, NULL), RC_OK);
    disk_close(file);
    return got;
}

static void
what_was_synced_survives_every_cut(void **state)
{
    char want[3 * PAGE], got[4 * PAGE];

    (void)state;
    memset(want, 's', sizeof want);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk *disk = disk_cut_new(seed);
        struct disk_file *file = file_of(disk, 3, 's', true);

        disk_close(file);
        for (int cut = 0; cut < 3; cut++) {
            disk_cut_power(disk);
            assert_int_equal(read_a(disk, got, sizeof got), sizeof want);
            assert_memory_equal(got, want, sizeof want);
        }
        assert_int_equal(disk_cut_counts(disk)->cuts, 3);
        disk_free(disk);
    }
}

/* How pages of old 'o' and unsynced new 'n' come out of a cut. */
struct outcome {
    int old_pages, new_pages, torn_pages;
};

static void
page_judge(const char *page, struct outcome *outcome)
{
    int news = 0;

    for (size_t at = 0; at < PAGE; at += DISK_CUT_SECTOR_BYTES) {
        for (size_t i = 1; i < DISK_CUT_SECTOR_BYTES; i++)
            assert_int_equal(page[at + i], page[at]);
        assert_true(page[at] == 'o' || page[at] == 'n');
        news += page[at] == 'n';
    }
    outcome->old_pages += news == 0;
    outcome->new_pages += news == PAGE / DISK_CUT_SECTOR_BYTES;
    outcome->torn_pages += news > 0 && news < PAGE / DISK_CUT_SECTOR_BYTES;
}

static void
unsynced_pages_are_lost_kept_or_torn_by_sectors(void **state)
{
    struct outcome outcome = {0};
    char got[4 * PAGE];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk *disk = disk_cut_new(seed);
        struct disk_file *file = file_of(disk, 4, 'o', true);
        struct disk_file *again = file_of(disk, 4, 'n', false);

        disk_close(file);
        disk_close(again);
        disk_cut_power(disk);
        assert_int_equal(read_a(disk, got, sizeof got), sizeof got);
        for (size_t page = 0; page < 4; page++)
            page_judge(got + page * PAGE, &outcome);
        disk_free(disk);
    }
    assert_true(outcome.old_pages > SEEDS / 2);
    assert_true(outcome.new_pages > SEEDS / 2);
    assert_true(outcome.torn_pages > SEEDS / 4);
}

static void
an_unsynced_size_is_old_new_or_between(void **state)
{
    int old = 0, between = 0, new = 0, shrunk = 0;
    char got[8 * PAGE];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk *disk = disk_cut_new(seed);
        struct disk_file *file = file_of(disk, 1, 'o', true);
        size_t size;

        assert_int_equal(disk_resize(file, 6 * PAGE, NULL), RC_OK);
        disk_close(file);
        disk_cut_power(disk);
        size = read_a(disk, got, sizeof got);
        assert_in_range(size, PAGE, 6 * PAGE);
        old += size == PAGE;
        new += size == 6 * PAGE;
        between += size != PAGE && size != 6 * PAGE;
        file = open_file(disk, "a", DISK_WRITE);
        assert_int_equal(disk_resize(file, 10, NULL), RC_OK);
        disk_close(file);
        disk_cut_power(disk);
        shrunk += read_a(disk, got, sizeof got) == 10;
        disk_free(disk);
    }
    assert_true(old > 20 && between > 20 && new > 20);
    assert_in_range(shrunk, 20, SEEDS - 20);
}

static void
an_unsynced_name_may_vanish_with_all_synced_content(void **state)
{
    int there = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk *disk = disk_cut_new(seed);
        struct disk_file *file = file_of(disk, 1, 's', false);

        assert_int_equal(disk_sync(file, NULL), RC_OK);
        disk_close(file);
        disk_cut_power(disk);
        there += is_there(disk, "a");
        disk_free(disk);
    }
    assert_in_range(there, 20, SEEDS - 20);
}

static void
renames_and_removals_are_undone_independently(void **state)
{
    int seen[2][2] = {{0}};

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk *disk = disk_cut_new(seed);

        disk_close(open_file(disk, "a", DISK_WRITE | DISK_CREATE));
        disk_close(open_file(disk, "b", DISK_WRITE | DISK_CREATE));
        assert_int_equal(disk_sync_folder(disk, "", NULL), RC_OK);
        assert_int_equal(disk_rename(disk, "a", "c", NULL), RC_OK);
        assert_int_equal(disk_remove(disk, "b", NULL), RC_OK);
        disk_cut_power(disk);
        assert_true(is_there(disk, "a") != is_there(disk, "c"));
        seen[is_there(disk, "c")][!is_there(disk, "b")]++;
        disk_free(disk);
    }
    for (int i = 0; i < 4; i++)
        assert_true(seen[i / 2][i % 2] > 10);
}

static void
a_folder_that_was_not_synced_takes_its_files_with_it(void **state)
{
    int there = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk *disk = disk_cut_new(seed);

        assert_int_equal(disk_make_folder(disk, "f", NULL), RC_OK);
        disk_close(open_file(disk, "f/a", DISK_WRITE | DISK_CREATE));
        assert_int_equal(disk_sync_folder(disk, "f", NULL), RC_OK);
        disk_cut_power(disk);
        there += is_there(disk, "f/a");
        disk_free(disk);
    }
    assert_in_range(there, 20, SEEDS - 20);
}

static void
a_killed_process_loses_its_locks_and_nothing_else(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = file_of(disk, 2, 'k', false), *next;
    char got[2 * PAGE];
    size_t n;

    assert_int_equal(disk_lock(file, NULL), RC_OK);
    disk_cut_kill(disk);
    assert_int_equal(disk_write(file, 0, "x", 1, NULL), RC_IO);
    assert_int_equal(disk_read(file, 0, got, 1, &n, NULL), RC_IO);
    assert_int_equal(read_a(disk, got, sizeof got), sizeof got);
    assert_int_equal(got[0], 'k');
    next = open_file(disk, "a", DISK_WRITE);
    assert_int_equal(disk_lock(next, NULL), RC_OK);
    disk_close(file);
    assert_int_equal(disk_lock(next, NULL), RC_OK);
    disk_close(next);
}

static void
everything_stops_at_the_step_that_was_named(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = file_of(disk, 1, 'o', true), *other = NULL;
    char page[PAGE];
    int64_t size;

    memset(page, 'n', sizeof page);
    disk_cut_stop_at(disk, 2);
    assert_int_equal(disk_write(file, 0, page, sizeof page, NULL), RC_OK);
    assert_false(disk_cut_is_stopped(disk));
    assert_int_equal(disk_sync(file, NULL), RC_IO);
    assert_true(disk_cut_is_stopped(disk));
    assert_int_equal(disk_sync(file, NULL), RC_IO);
    assert_int_equal(disk_size(file, &size, NULL), RC_IO);
    assert_int_equal(disk_open(disk, "b", DISK_WRITE | DISK_CREATE, &other, NULL), RC_IO);
    assert_int_equal(disk_remove(disk, "a", NULL), RC_IO);
    assert_int_equal(disk_sync_folder(disk, "", NULL), RC_IO);
    disk_close(file);
    disk_cut_power(disk);
    assert_false(disk_cut_is_stopped(disk));
    assert_true(is_there(disk, "a"));
}

static void
a_write_at_which_everything_stops_is_done_in_part(void **state)
{
    int parts = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk *disk = disk_cut_new(seed);
        struct disk_file *file = file_of(disk, 2, 'o', true);
        char page[2 * PAGE], got[2 * PAGE];

        memset(page, 'n', sizeof page);
        disk_cut_stop_at(disk, 1);
        assert_int_equal(disk_write(file, 0, page, sizeof page, NULL), RC_IO);
        disk_close(file);
        disk_cut_kill(disk);
        assert_int_equal(read_a(disk, got, sizeof got), sizeof got);
        parts += got[0] == 'n' && got[2 * PAGE - 1] == 'o';
        disk_free(disk);
    }
    assert_true(parts > SEEDS / 2);
}

static void
an_omitted_sync_says_ok_and_does_nothing(void **state)
{
    int lost = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct disk *disk = disk_cut_new(seed);
        struct disk_file *file;
        char got[PAGE];

        disk_close(file_of(disk, 1, 'o', true));
        file = file_of(disk, 1, 'n', false);
        disk_cut_fault(disk, DISK_CUT_OMIT_SYNC, 1);
        assert_true(disk_cut_fault_is_due(disk, DISK_CUT_OMIT_SYNC));
        assert_int_equal(disk_sync(file, NULL), RC_OK);
        assert_false(disk_cut_fault_is_due(disk, DISK_CUT_OMIT_SYNC));
        disk_close(file);
        disk_cut_power(disk);
        read_a(disk, got, sizeof got);
        lost += memchr(got, 'o', sizeof got) != NULL;
        disk_free(disk);
    }
    assert_in_range(lost, 20, SEEDS - 20);
}

/* Linux after a failed fsync: the pages are clean, and the next sync is a lie. */
static void
a_sync_after_a_failed_one_writes_nothing_unless_it_is_written_again(void **state)
{
    int lost[2] = {0};

    (void)state;
    for (uint64_t seed = 0; seed < 2 * SEEDS; seed++) {
        struct disk *disk = disk_cut_new(seed);
        struct disk_file *file;
        char got[PAGE];

        disk_close(file_of(disk, 1, 'o', true));
        file = file_of(disk, 1, 'n', false);
        disk_cut_fault(disk, DISK_CUT_FAIL_SYNC, 1);
        assert_int_equal(disk_sync(file, NULL), RC_IO);
        if (seed % 2 == 1)
            disk_close(file_of(disk, 1, 'n', false));
        assert_int_equal(disk_sync(file, NULL), RC_OK);
        disk_close(file);
        assert_int_equal(read_a(disk, got, sizeof got), sizeof got);
        assert_int_equal(got[0], 'n');
        disk_cut_power(disk);
        read_a(disk, got, sizeof got);
        lost[seed % 2] += memchr(got, 'o', sizeof got) != NULL;
        disk_free(disk);
    }
    assert_in_range(lost[0], 20, SEEDS - 20);
    assert_int_equal(lost[1], 0);
}

static void
reads_and_writes_fail_when_planned(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = file_of(disk, 1, 'o', true);
    char got[PAGE];
    size_t n;

    disk_cut_fault(disk, DISK_CUT_SHORT_READ, 2);
    assert_int_equal(disk_read(file, 0, got, sizeof got, &n, NULL), RC_OK);
    assert_int_equal(n, PAGE);
    assert_int_equal(disk_read(file, 0, got, sizeof got, &n, NULL), RC_OK);
    assert_int_equal(n, PAGE / 2);
    assert_int_equal(disk_read(file, 0, got, sizeof got, &n, NULL), RC_OK);
    assert_int_equal(n, PAGE);
    disk_cut_fault(disk, DISK_CUT_FAIL_READ, 1);
    assert_int_equal(disk_read(file, 0, got, sizeof got, &n, NULL), RC_IO);
    disk_cut_fault(disk, DISK_CUT_FAIL_WRITE, 1);
    assert_int_equal(disk_write(file, 0, "nnn", 3, NULL), RC_IO);
    assert_int_equal(disk_write(file, 0, "nnn", 3, NULL), RC_OK);
    disk_close(file);
}

static void
space_ends_at_the_limit_and_comes_back_with_removals(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = file_of(disk, 2, 'o', true), *other;
    static char data[4 * PAGE];

    disk_cut_limit(disk, 3 * PAGE);
    assert_int_equal(disk_write(file, 0, data, 2 * PAGE, NULL), RC_OK);
    other = open_file(disk, "b", DISK_WRITE | DISK_CREATE);
    assert_int_equal(disk_resize(other, 100 * PAGE, NULL), RC_OK);
    assert_int_equal(disk_write(other, 0, data, 4 * PAGE, NULL), RC_NO_SPACE);
    assert_int_equal(disk_write(other, 0, data, 3 * PAGE, NULL), RC_OK);
    assert_int_equal(disk_write(other, 3 * PAGE, data, 1, NULL), RC_NO_SPACE);
    disk_close(file);
    assert_int_equal(disk_remove(disk, "a", NULL), RC_OK);
    assert_int_equal(disk_write(other, 3 * PAGE, data, 2 * PAGE, NULL), RC_OK);
    assert_int_equal(disk_write(other, 5 * PAGE, data, 1, NULL), RC_NO_SPACE);
    assert_int_equal(disk_resize(other, PAGE, NULL), RC_OK);
    assert_int_equal(disk_write(other, PAGE, data, 4 * PAGE, NULL), RC_OK);
    disk_cut_limit(disk, UINT64_MAX);
    assert_int_equal(disk_write(other, 5 * PAGE, data, 4 * PAGE, NULL), RC_OK);
    disk_close(other);
}

static void
a_flipped_byte_stays_flipped(void **state)
{
    struct disk *disk = *state;
    char got[PAGE];

    disk_close(file_of(disk, 1, 'o', true));
    assert_true(disk_cut_flip(disk, "a", 100, 0x01));
    assert_false(disk_cut_flip(disk, "a", PAGE, 0x01));
    assert_false(disk_cut_flip(disk, "b", 0, 0x01));
    disk_cut_power(disk);
    read_a(disk, got, sizeof got);
    assert_int_equal(got[100], 'o' ^ 0x01);
    assert_int_equal(got[101], 'o');
}

static void
direct_transfers_must_be_aligned_here(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = open_file(disk, "a", DISK_WRITE | DISK_CREATE | DISK_DIRECT);
    char *page = NULL;

    assert_int_equal(posix_memalign((void **)&page, PAGE, 2 * PAGE), 0);
    memset(page, 0, 2 * PAGE);
    assert_int_equal(disk_write(file, 0, page, PAGE, NULL), RC_OK);
    assert_int_equal(disk_write(file, 1, page, PAGE, NULL), RC_IO);
    assert_int_equal(disk_write(file, 0, page, PAGE - 1, NULL), RC_IO);
    assert_int_equal(disk_write(file, 0, page + 1, PAGE, NULL), RC_IO);
    free(page);
    disk_close(file);
}

static void
equal_seeds_lose_equally(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        char got[2][4 * PAGE];

        for (int i = 0; i < 2; i++) {
            struct disk *disk = disk_cut_new(seed);

            disk_close(file_of(disk, 4, 'o', true));
            disk_close(file_of(disk, 4, 'n', false));
            disk_cut_power(disk);
            read_a(disk, got[i], sizeof got[i]);
            disk_free(disk);
        }
        assert_memory_equal(got[0], got[1], sizeof got[0]);
    }
}

static void
calls_are_counted(void **state)
{
    struct disk *disk = *state;
    const struct disk_cut_counts *counts = disk_cut_counts(disk);

    disk_close(file_of(disk, 3, 'o', true));
    assert_int_equal(counts->opens, 1);
    assert_int_equal(counts->writes, 3);
    assert_int_equal(counts->written_bytes, 3 * PAGE);
    assert_int_equal(counts->syncs, 2);
    assert_int_equal(counts->folder_syncs, 1);
    assert_int_equal(counts->steps, 6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DISK_BATTERY(setup, teardown),
        cmocka_unit_test(what_was_synced_survives_every_cut),
        cmocka_unit_test(unsynced_pages_are_lost_kept_or_torn_by_sectors),
        cmocka_unit_test(an_unsynced_size_is_old_new_or_between),
        cmocka_unit_test(an_unsynced_name_may_vanish_with_all_synced_content),
        cmocka_unit_test(renames_and_removals_are_undone_independently),
        cmocka_unit_test(a_folder_that_was_not_synced_takes_its_files_with_it),
        cmocka_unit_test_setup_teardown(
            a_killed_process_loses_its_locks_and_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(
            everything_stops_at_the_step_that_was_named, setup, teardown),
        cmocka_unit_test(a_write_at_which_everything_stops_is_done_in_part),
        cmocka_unit_test(an_omitted_sync_says_ok_and_does_nothing),
        cmocka_unit_test(a_sync_after_a_failed_one_writes_nothing_unless_it_is_written_again),
        cmocka_unit_test_setup_teardown(reads_and_writes_fail_when_planned, setup, teardown),
        cmocka_unit_test_setup_teardown(
            space_ends_at_the_limit_and_comes_back_with_removals, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flipped_byte_stays_flipped, setup, teardown),
        cmocka_unit_test_setup_teardown(direct_transfers_must_be_aligned_here, setup, teardown),
        cmocka_unit_test(equal_seeds_lose_equally),
        cmocka_unit_test_setup_teardown(calls_are_counted, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
