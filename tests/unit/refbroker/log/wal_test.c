/* What wal.h promises while it runs; wal_recover_test.c has the starts, wal_cut_test.c the crashes.
 */
#include "refbroker/log/wal.h"

#include "refbroker/log/wal_format.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/refbroker/log/wal_rig.h"
#include "tests/unit/unit.h"

#define PAGE DISK_ALIGN_BYTES

static void
count_name(void *arg, const char *name)
{
    uint64_t number;

    *(size_t *)arg += wal_format_number(name, &number);
}

static size_t
file_count(struct wal_rig *rig)
{
    size_t count = 0;

    assert_int_equal(disk_list(rig->disk, WAL_FOLDER, count_name, &count, NULL), RC_OK);
    return count;
}

static uint64_t
sync_count(const struct wal_rig *rig)
{
    return disk_cut_counts(rig->disk)->syncs;
}

static void
nothing_is_durable_before_its_sync(void **state)
{
    struct wal_rig *rig = *state;
    uint64_t syncs = sync_count(rig);

    wal_rig_append(rig, 0, 100);
    assert_false(wal_is_idle(rig->wal));
    assert_int_equal(wal_pending_bytes(rig->wal), WAL_ENTRY_BYTES + 100);
    wal_flush(rig->wal);
    assert_int_equal(sync_count(rig), syncs);
    assert_true(work_step(rig->work, 0));
    assert_int_equal(sync_count(rig), syncs + 2); /* the new file's name, and the group */
    assert_int_equal(rig->durable_count, 0);
    assert_int_equal(work_reap(rig->work), 1);
    assert_int_equal(rig->durable_count, 1);
    assert_int_equal(wal_pending_bytes(rig->wal), 0);
    assert_true(wal_is_idle(rig->wal));
    assert_int_equal(wal_durable_sequence(rig->wal), 1);
}

static void
what_comes_while_a_group_is_under_way_is_one_group(void **state)
{
    struct wal_rig *rig = *state;
    uint64_t syncs;

    wal_rig_append(rig, 0, 100);
    wal_rig_settle(rig);
    syncs = sync_count(rig);
    wal_rig_append(rig, 0, 100);
    wal_flush(rig->wal);
    for (int i = 0; i < 20; i++) {
        wal_rig_append(rig, i % WAL_RIG_PARTITIONS, 100);
        wal_flush(rig->wal);
    }
    assert_int_equal(work_pending(rig->work, 0), 1);
    wal_rig_settle(rig);
    assert_int_equal(sync_count(rig), syncs + 2);
    assert_int_equal(rig->durable_count, 22);
    assert_int_equal(rig->batches[1].sequence, 2);
    for (size_t id = 2; id < 22; id++)
        assert_int_equal(rig->batches[id].sequence, 3);
}

static void
an_empty_group_is_not_written(void **state)
{
    struct wal_rig *rig = *state;
    uint64_t steps = disk_cut_counts(rig->disk)->steps;

    wal_flush(rig->wal);
    assert_true(wal_is_idle(rig->wal));
    assert_false(work_step(rig->work, 0));
    assert_int_equal(disk_cut_counts(rig->disk)->steps, steps);
}

static void
a_group_ends_at_its_limit_and_a_larger_batch_stands_alone(void **state)
{
    struct wal_rig *rig = *state;
    const size_t mib = (size_t)1 << 20;

    wal_rig_append(rig, 0, 7 * mib);
    wal_rig_append(rig, 1, 7 * mib);
    wal_rig_append(rig, 0, 7 * mib);
    wal_rig_append(rig, 1, 17 * mib);
    wal_rig_append(rig, 2, 100);
    wal_rig_settle(rig);
    assert_int_equal(rig->batches[0].sequence, 1);
    assert_int_equal(rig->batches[1].sequence, 1);
    assert_int_equal(rig->batches[2].sequence, 2);
    assert_int_equal(rig->batches[3].sequence, 3);
    assert_int_equal(rig->batches[4].sequence, 4);
    wal_rig_crash(rig, true);
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, 5);
}

static void
trimmed_files_are_used_again(void **state)
{
    struct wal_rig *rig = *state;

    for (int i = 0; i < 100; i++) {
        wal_rig_append(rig, i % WAL_RIG_PARTITIONS, 10000);
        wal_rig_settle(rig);
        wal_rig_trim(rig, rig->sequence_max);
        wal_rig_settle(rig);
    }
    assert_in_range(file_count(rig), 1, 3);
    wal_rig_crash(rig, true);
    assert_null(wal_rig_start(rig));
    assert_in_range(rig->found_count, 1, 2);
}

static void
a_trim_keeps_the_file_that_is_written_and_what_is_not_trimmed(void **state)
{
    struct wal_rig *rig = *state;

    for (int i = 0; i < 6; i++) {
        wal_rig_append(rig, 0, 10000);
        wal_rig_settle(rig);
    }
    assert_int_equal(file_count(rig), 3);
    wal_trim(rig->wal, 3); /* the second file holds 3 and 4 */
    wal_rig_settle(rig);
    wal_trim(rig->wal, 1);
    wal_rig_settle(rig);
    wal_rig_crash(rig, true);
    rig->trimmed = 2;
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, 4);
}

static void
a_full_disk_is_tried_again_until_there_is_space(void **state)
{
    struct wal_rig *rig = *state;
    const char *why = NULL, *text;

    wal_rig_append(rig, 0, 5000);
    wal_rig_settle(rig);
    assert_false(wal_is_full(rig->wal, &why));
    assert_int_equal(wal_retry_ms(rig->wal), INT64_MAX);
    disk_cut_limit(rig->disk, PAGE);
    log_capture_begin();
    wal_rig_append(rig, 0, 5000);
    wal_rig_settle(rig);
    text = log_capture_end();
    assert_int_equal(log_capture_count(text, " WAL-NO-SPACE "), 1);
    assert_true(wal_is_full(rig->wal, &why));
    assert_non_null(strstr(why, "no space"));
    assert_true(wal_is_full(rig->wal, NULL));
    assert_int_equal(wal_retry_ms(rig->wal), env_now_ms(&rig->env) + 500);
    assert_int_equal(rig->durable_count, 1);
    wal_rig_append(rig, 1, 100);
    wal_rig_settle(rig);
    env_advance(&rig->env, 499999);
    assert_int_equal(work_pending(rig->work, 0), 0);
    wal_rig_settle(rig);
    assert_true(wal_is_full(rig->wal, NULL));
    disk_cut_limit(rig->disk, UINT64_MAX);
    env_advance(&rig->env, 1);
    wal_rig_settle(rig);
    assert_false(wal_is_full(rig->wal, NULL));
    assert_int_equal(rig->durable_count, 3);
    assert_int_equal(rig->lost_count, 0);
    wal_rig_crash(rig, true);
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, 3);
}

static void
a_full_disk_also_holds_up_a_new_file(void **state)
{
    struct wal_rig *rig = *state;

    disk_cut_limit(rig->disk, 0);
    log_capture_quiet();
    wal_rig_append(rig, 0, 100);
    for (int i = 0; i < 3; i++) {
        wal_rig_settle(rig);
        assert_true(wal_is_full(rig->wal, NULL));
        env_advance(&rig->env, 1000000);
    }
    disk_cut_limit(rig->disk, UINT64_MAX);
    wal_rig_settle(rig);
    assert_int_equal(rig->durable_count, 1);
    assert_int_equal(file_count(rig), 1);
}

static void
a_failed_sync_loses_the_group_and_begins_a_new_file(void **state)
{
    struct wal_rig *rig = *state;
    uint64_t syncs;
    const char *text;

    wal_rig_append(rig, 0, 100);
    wal_rig_settle(rig);
    syncs = sync_count(rig);
    disk_cut_fault(rig->disk, DISK_CUT_FAIL_SYNC, 1);
    wal_rig_append(rig, 1, 100);
    log_capture_begin();
    wal_rig_settle(rig);
    text = log_capture_end();
    assert_int_equal(log_capture_count(text, " WAL-SYNC-FAILED group 2 of 1 batches: "), 1);
    assert_int_equal(sync_count(rig), syncs + 1);
    assert_int_equal(rig->lost_count, 1);
    assert_true(rig->partitions[1]->stopped);
    assert_false(rig->partitions[0]->stopped);
    assert_false(wal_is_full(rig->wal, NULL));
    assert_int_equal(file_count(rig), 1);
    wal_rig_append(rig, 0, 100);
    wal_rig_settle(rig);
    assert_int_equal(file_count(rig), 2);
    assert_int_equal(rig->durable_count, 2);
    assert_null(rig->wrong);
}

static void
a_failed_write_loses_the_group_too(void **state)
{
    struct wal_rig *rig = *state;

    log_capture_quiet();
    wal_rig_append(rig, 0, 100);
    wal_rig_settle(rig);
    disk_cut_fault(rig->disk, DISK_CUT_FAIL_WRITE, 1);
    wal_rig_append(rig, 1, 100);
    wal_rig_settle(rig);
    assert_int_equal(rig->lost_count, 1);
    wal_rig_append(rig, 0, 100);
    wal_rig_settle(rig);
    assert_int_equal(file_count(rig), 2);
    wal_rig_crash(rig, true);
    assert_null(wal_rig_start(rig));
}

/* A sync that fails while a new file is prepared is no lack of space: it is not tried again. */
static void
a_failed_sync_of_the_folder_loses_the_group(void **state)
{
    struct wal_rig *rig = *state;

    log_capture_quiet();
    disk_cut_fault(rig->disk, DISK_CUT_FAIL_SYNC, 1);
    wal_rig_append(rig, 1, 100);
    wal_rig_settle(rig);
    assert_int_equal(rig->lost_count, 1);
    assert_true(wal_is_idle(rig->wal));
    assert_false(wal_is_full(rig->wal, NULL));
    wal_rig_append(rig, 0, 100);
    wal_rig_settle(rig);
    assert_int_equal(rig->durable_count, 1);
    wal_trim(rig->wal, 2);
    wal_rig_settle(rig);
    wal_rig_crash(rig, true);
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, 1);
}

static void
batches_behind_a_lost_one_are_lost_with_it(void **state)
{
    struct wal_rig *rig = *state;

    log_capture_quiet();
    disk_cut_fault(rig->disk, DISK_CUT_FAIL_SYNC, 2);
    wal_rig_append(rig, 1, 100);
    wal_flush(rig->wal);
    wal_rig_append(rig, 0, 100);
    wal_rig_append(rig, 1, 200);
    wal_rig_append(rig, 2, 300);
    assert_true(work_step(rig->work, 0));
    assert_int_equal(work_reap(rig->work), 1);
    assert_int_equal(rig->lost_count, 2);
    assert_int_equal(wal_pending_bytes(rig->wal), 2 * WAL_ENTRY_BYTES + 100 + 300);
    wal_rig_settle(rig);
    assert_int_equal(rig->durable_count, 2);
    assert_int_equal(rig->batches[1].state, WAL_RIG_DURABLE);
    assert_int_equal(rig->batches[2].state, WAL_RIG_SENT);
    wal_rig_crash(rig, false);
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, 2);
}

static void
a_file_that_cannot_be_cleared_is_removed_by_the_next_trim(void **state)
{
    struct wal_rig *rig = *state;
    const char *text;

    for (int i = 0; i < 8; i++) {
        wal_rig_append(rig, 0, 10000);
        wal_rig_settle(rig);
    }
    assert_int_equal(file_count(rig), 4);
    disk_cut_fault(rig->disk, DISK_CUT_FAIL_SYNC, 1);
    log_capture_begin();
    wal_rig_trim(rig, 6);
    wal_rig_settle(rig);
    text = log_capture_end();
    assert_int_equal(log_capture_count(text, " WAL-RECYCLE file 0000000000000001 "), 1);
    assert_int_equal(file_count(rig), 4);
    assert_true(wal_is_idle(rig->wal));
    wal_rig_trim(rig, 6);
    wal_rig_settle(rig);
    assert_int_equal(file_count(rig), 3);
    wal_rig_append(rig, 0, 10000);
    wal_rig_settle(rig);
    assert_int_equal(file_count(rig), 3);
    wal_rig_crash(rig, true);
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, 3);
}

static void
close_gives_back_what_waits_for_space(void **state)
{
    struct wal_rig *rig = *state;

    log_capture_quiet();
    disk_cut_limit(rig->disk, 0);
    wal_rig_append(rig, 0, 100);
    wal_rig_settle(rig);
    wal_rig_append(rig, 0, 100);
    assert_int_equal(rig->partitions[0]->holds, 3);
    partition_hold(rig->partitions[0]);
    wal_close(rig->wal);
    rig->wal = NULL;
    assert_int_equal(rig->partitions[0]->holds, 2);
    partition_release(rig->partitions[0]);
    wal_close(NULL);
    work_free(rig->work);
    for (int i = 0; i < WAL_RIG_PARTITIONS; i++)
        partition_drop(rig->partitions[i]);
}

static void
a_partition_and_its_bytes_are_held_until_the_outcome(void **state)
{
    struct wal_rig *rig = *state;

    wal_rig_append(rig, 3, 100);
    cache_drop_partition(rig->partitions[3]);
    assert_int_equal(rig->partitions[3]->holds, 2);
    wal_rig_settle(rig);
    assert_int_equal(rig->partitions[3]->holds, 1);
    assert_int_equal(rig->durable_count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, wal_rig_setup, wal_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_durable_before_its_sync),
        TEST(what_comes_while_a_group_is_under_way_is_one_group),
        TEST(an_empty_group_is_not_written),
        TEST(a_group_ends_at_its_limit_and_a_larger_batch_stands_alone),
        TEST(trimmed_files_are_used_again),
        TEST(a_trim_keeps_the_file_that_is_written_and_what_is_not_trimmed),
        TEST(a_full_disk_is_tried_again_until_there_is_space),
        TEST(a_full_disk_also_holds_up_a_new_file),
        TEST(a_failed_sync_loses_the_group_and_begins_a_new_file),
        TEST(a_failed_write_loses_the_group_too),
        TEST(a_failed_sync_of_the_folder_loses_the_group),
        TEST(batches_behind_a_lost_one_are_lost_with_it),
        TEST(a_file_that_cannot_be_cleared_is_removed_by_the_next_trim),
        TEST(close_gives_back_what_waits_for_space),
        TEST(a_partition_and_its_bytes_are_held_until_the_outcome),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
