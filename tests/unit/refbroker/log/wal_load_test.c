/* What a start reads only once it serves: when it is there, what damage to it does, and what may be
 * done meanwhile. */
#include "tests/unit/refbroker/log/wal_rig.h"

#include "refbroker/log/wal_format.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/unit.h"

#define PAGE DISK_ALIGN_BYTES
#define GROUP_BYTES 5000 /* of which a file with an index holds two */
#define GROUPS 5         /* in three files, the last of which is not full */

static int
setup(void **state)
{
    struct wal_rig *rig = wal_rig_new(1);

    rig->index_bytes_max = WAL_RIG_FILE_BYTES / 8;
    rig->leaves_loads = true;
    assert_null(wal_rig_start(rig));
    *state = rig;
    return 0;
}

static void
flip(struct wal_rig *rig, uint64_t number, int64_t at)
{
    char name[WAL_NAME_BYTES];

    wal_format_name(name, number);
    assert_true(disk_cut_flip(rig->disk, name, at, 0x10));
}

static void
full_files_are_read_behind_the_start(void **state)
{
    struct wal_rig *rig = *state;
    struct err e;

    wal_rig_write_groups(rig, GROUPS, GROUP_BYTES);
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, GROUPS);
    assert_int_equal(rig->heads_count, 4);
    assert_true(wal_is_loading(rig->wal));
    assert_false(wal_is_idle(rig->wal));
    assert_int_equal(wal_load_wait(rig->wal, &e), RC_OK);
    assert_false(wal_is_loading(rig->wal));
    assert_true(wal_is_idle(rig->wal));
    wal_rig_stop(rig);
    /* The same bytes, by whoever waits for them. */
    rig->leaves_loads = false;
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->heads_count, 8);
}

static void
what_lies_in_the_index_whole_is_read_with_it(void **state)
{
    struct wal_rig *rig = *state;

    for (int i = 0; i < 40; i++)
        wal_rig_append(rig, i % WAL_RIG_PARTITIONS, 40);
    wal_rig_write_groups(rig, GROUPS, 700);
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->heads_count, 0);
    assert_false(wal_is_loading(rig->wal));
    assert_int_equal(rig->found_count, 40 + GROUPS);
}

static void
what_is_appended_meanwhile_is_durable(void **state)
{
    struct wal_rig *rig = *state;

    wal_rig_write_groups(rig, GROUPS, GROUP_BYTES);
    assert_null(wal_rig_start(rig));
    wal_rig_append(rig, 0, GROUP_BYTES);
    assert_true(wal_is_loading(rig->wal));
    wal_rig_settle(rig);
    assert_int_equal(rig->durable_count, GROUPS + 1);
    wal_rig_crash(rig, true);
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, GROUPS + 1);
}

/* Its bytes could be written over while they are read. */
static void
a_file_that_is_read_is_not_used_again_before(void **state)
{
    struct wal_rig *rig = *state;
    uint64_t writes;

    wal_rig_write_groups(rig, GROUPS, GROUP_BYTES);
    assert_null(wal_rig_start(rig));
    writes = disk_cut_counts(rig->disk)->steps;
    wal_rig_trim(rig, rig->sequence_max);
    assert_int_equal(work_pending(rig->work, 0), 2);
    assert_int_equal(disk_cut_counts(rig->disk)->steps, writes);
    wal_rig_settle(rig);
    assert_true(disk_cut_counts(rig->disk)->steps > writes);
    assert_int_equal(wal_load_wait(rig->wal, NULL), RC_OK);
    wal_rig_stop(rig);
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, 1);
}

static void
damage_is_told_and_nothing_counts_as_loaded(void **state)
{
    struct wal_rig *rig = *state;
    struct err e;

    wal_rig_write_groups(rig, GROUPS, GROUP_BYTES);
    flip(rig, 2, 2 * PAGE);
    assert_null(wal_rig_start(rig));
    assert_null(wal_damage(rig->wal));
    assert_int_equal(wal_load_wait(rig->wal, &e), RC_CORRUPT);
    assert_string_equal(e.text, "WAL file 0000000000000002: the group at byte 4096 is damaged: "
                                "acknowledged data is lost");
    assert_int_equal(wal_damage(rig->wal)->code, RC_CORRUPT);
    assert_true(wal_is_loading(rig->wal));
}

static void
so_is_a_read_that_fails_or_breaks_off(void **state)
{
    struct wal_rig *rig = *state;
    struct err e;

    wal_rig_write_groups(rig, GROUPS, GROUP_BYTES);
    assert_null(wal_rig_start(rig));
    disk_cut_fault(rig->disk, DISK_CUT_FAIL_READ, 1);
    assert_int_equal(wal_load_wait(rig->wal, &e), RC_IO);
    assert_non_null(strstr(e.text, "WAL file 0000000000000001: "));
    wal_rig_crash(rig, false);
    disk_cut_stop_at(rig->disk, 0);
    assert_null(wal_rig_start(rig));
    disk_cut_fault(rig->disk, DISK_CUT_SHORT_READ, 2);
    assert_int_equal(wal_load_wait(rig->wal, &e), RC_TRUNCATED);
    assert_non_null(strstr(e.text, "WAL file 0000000000000002: "));
}

/* Wherever it is: the groups say the same. */
static void
a_damaged_index_costs_a_whole_read_and_nothing_else(void **state)
{
    static const int64_t places[] = {WAL_RIG_FILE_BYTES - PAGE, WAL_RIG_FILE_BYTES - PAGE + 15,
        WAL_RIG_FILE_BYTES - PAGE + 30, WAL_RIG_FILE_BYTES - 2 * PAGE,
        WAL_RIG_FILE_BYTES - 2 * PAGE + 150};
    struct wal_rig *rig = *state;

    wal_rig_write_groups(rig, GROUPS, GROUP_BYTES);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t heads = rig->heads_count;

        flip(rig, 1, places[i]);
        log_capture_begin();
        assert_null(wal_rig_start(rig));
        assert_string_equal(log_capture_end(), "");
        assert_int_equal(rig->found_count, GROUPS);
        assert_int_equal(rig->heads_count, heads + 2);
        wal_rig_stop(rig);
        flip(rig, 1, places[i]);
    }
}

/* As behind another error of a start. */
static void
it_may_be_closed_before_all_is_read(void **state)
{
    struct wal_rig *rig = *state;

    wal_rig_write_groups(rig, GROUPS, GROUP_BYTES);
    assert_null(wal_rig_start(rig));
    assert_int_equal(work_pending(rig->work, 0), 2);
    wal_close(rig->wal);
    rig->wal = NULL;
    assert_int_equal(work_pending(rig->work, 0), 0);
    wal_rig_crash(rig, false);
}

/* The rig wants the batch with the id 15 whole. */
static void
a_head_that_is_not_enough_has_its_file_read_at_once(void **state)
{
    struct wal_rig *rig = *state;
    const char *wrong;
    struct err e;

    for (int i = 0; i < 12; i++) {
        wal_rig_append(rig, i % WAL_RIG_PARTITIONS, GROUP_BYTES);
        wal_rig_settle(rig);
    }
    wal_rig_write_groups(rig, GROUPS, GROUP_BYTES);
    assert_null(wal_rig_start(rig));
    assert_int_equal(rig->found_count, 12 + GROUPS);
    assert_int_equal(rig->heads_count, 15);
    assert_int_equal(work_pending(rig->work, 0), 7);
    wal_rig_stop(rig);
    flip(rig, 8, 2 * PAGE);
    assert_int_equal(wal_rig_open(rig, &wrong, &e), RC_CORRUPT);
    assert_string_equal(e.text, "WAL file 0000000000000008: the group at byte 4096 is damaged: "
                                "acknowledged data is lost");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, wal_rig_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(full_files_are_read_behind_the_start),
        TEST(what_lies_in_the_index_whole_is_read_with_it),
        TEST(what_is_appended_meanwhile_is_durable),
        TEST(a_file_that_is_read_is_not_used_again_before),
        TEST(damage_is_told_and_nothing_counts_as_loaded),
        TEST(so_is_a_read_that_fails_or_breaks_off),
        TEST(it_may_be_closed_before_all_is_read),
        TEST(a_head_that_is_not_enough_has_its_file_read_at_once),
        TEST(a_damaged_index_costs_a_whole_read_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
