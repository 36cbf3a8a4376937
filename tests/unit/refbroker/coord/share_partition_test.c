/* A share partition but for who gets what (share_partition_acquire_test) and what members say of it
 * (share_partition_acknowledge_test): where it begins, where it stands, and how it moves on. */
#include "refbroker/coord/share_partition.h"

#include "tests/unit/refbroker/coord/share_partition_rig.h"

/* --- how it begins --------------------------------------------------------------------------- */

static void
a_partition_without_batches_begins_at_its_start_offset(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 7);
    rig_expect(&rig, 7, 7, 7);
    assert_true(share_partition_can_acquire(rig.partition));
    assert_int_equal(share_partition_state_epoch(rig.partition), 3);
    assert_int_equal(share_partition_deadline(rig.partition), INT64_MAX);
    rig_end(&rig);
    rig_begin(&rig, -1);
    rig_expect(&rig, 0, 0, 0);
    rig_end(&rig);
    share_partition_free(NULL);
}

static void
what_is_done_at_the_start_is_passed_at_once(void **state)
{
    static const struct share_batch batches[] = {
        {10, 14, 1, SHARE_ACKNOWLEDGED}, {15, 19, 2, SHARE_ARCHIVED}, {20, 24, 1, SHARE_AVAILABLE}};
    struct rig rig;

    (void)state;
    rig_load(&rig, 10, batches, 3);
    rig_expect(&rig, 20, 24, 20);
    assert_string_equal(rig_pieces(&rig), "20-24:V1");
    rig_end(&rig);
    rig_load(&rig, 10, batches, 2);
    rig_expect(&rig, 20, 20, 20);
    assert_string_equal(rig_pieces(&rig), "");
    rig_end(&rig);
}

static void
gaps_of_what_was_stored_are_read_first_and_hold_the_start(void **state)
{
    static const struct share_batch batches[] = {
        {10, 14, 1, SHARE_ACKNOWLEDGED}, {20, 24, 1, SHARE_AVAILABLE}, {30, 39, 2, SHARE_ARCHIVED}};
    struct rig rig;

    (void)state;
    rig_load(&rig, 10, batches, 3);
    rig_expect(&rig, 15, 39, 15);
    assert_string_equal(rig_fetch(&rig, "a", 15, 5, 5), "15-19x1 20-24x2 25-29x1");
    rig_expect(&rig, 15, 39, 40);
    assert_string_equal(rig_pieces(&rig), "15-19:Q1@a 20-24:Q2@a 25-29:Q1@a 30-39:X2");
    assert_int_equal(rig_ack(&rig, "a", 15, 29, "1"), KE_NONE);
    assert_string_equal(rig.text, "15-19:K1 20-24:K2 25-29:K1 | 15 25");
    /* The last run that was stored is passed when something was acquired behind it, as in Kafka. */
    rig_expect(&rig, 30, 39, 40);
    assert_string_equal(rig_fetch(&rig, "a", 40, 1, 5), "40-44x1");
    assert_string_equal(rig_release(&rig, "a"), "40-44:V1 | 30 10");
    rig_expect(&rig, 40, 44, 40);
    rig_end(&rig);
}

static void
a_gap_in_front_is_filled_before_the_start_moves(void **state)
{
    static const struct share_batch batches[] = {{10, 19, 1, SHARE_ACKNOWLEDGED}};
    struct rig rig;

    (void)state;
    rig_load(&rig, 0, batches, 1);
    rig_expect(&rig, 0, 19, 0);
    assert_string_equal(rig_fetch(&rig, "a", 0, 2, 10), "0-9x1");
    assert_int_equal(rig_ack(&rig, "a", 0, 9, "1"), KE_NONE);
    assert_string_equal(rig.text, "0-9:K1 | 0 20");
    rig_expect(&rig, 10, 19, 20);
    rig_end(&rig);
}

/* As in Kafka: gaps count until something behind the end is acquired, and the run in which the
 * first may be is not passed. */
static void
the_start_stops_at_the_run_in_which_the_first_gap_may_be(void **state)
{
    static const struct share_batch last[] = {{19, 19, 1, SHARE_ACKNOWLEDGED}},
                                    known[] = {{10, 14, 1, SHARE_AVAILABLE},
                                        {20, 24, 1, SHARE_AVAILABLE},
                                        {25, 34, 1, SHARE_ACKNOWLEDGED}};
    struct rig rig;

    (void)state;
    rig_load(&rig, 0, last, 1);
    assert_string_equal(rig_fetch(&rig, "a", 0, 1, 19), "0-18x1");
    assert_int_equal(rig_ack(&rig, "a", 0, 18, "1"), KE_NONE);
    rig_expect(&rig, 19, 19, 20);
    rig_end(&rig);

    rig_load(&rig, 0, last, 1);
    assert_string_equal(rig_fetch_as(&rig, "a", SHARE_RECORD_LIMIT, 0, 1, 10, 9), "0-8x1");
    assert_int_equal(rig_ack(&rig, "a", 0, 8, "1"), KE_NONE);
    rig_expect(&rig, 0, 19, 9);
    rig_end(&rig);

    rig_load(&rig, 10, known, 3);
    assert_string_equal(rig_fetch(&rig, "a", 10, 3, 5), "10-14x2 15-19x1 20-24x2");
    assert_int_equal(rig_ack(&rig, "a", 10, 24, "1"), KE_NONE);
    rig_expect(&rig, 25, 34, 35);
    rig_end(&rig);
}

/* Compaction took what nobody had acknowledged. */
static void
a_gap_that_the_log_has_nothing_in_is_none(void **state)
{
    static const struct share_batch batches[] = {{10, 19, 1, SHARE_ACKNOWLEDGED}};
    struct share_range read[] = {{10, 19}, {20, 24}};
    struct share_acquire ask = {
        .member_id = "a", .batch_size = 500, .max_records = 500, .batches = read, .batch_count = 1};
    struct rig rig;

    (void)state;
    rig_load(&rig, 0, batches, 1);
    assert_string_equal(rig_acquire(&rig, &ask), "");
    rig_expect(&rig, 0, 19, 20);
    ask.batch_count = 2;
    assert_string_equal(rig_acquire(&rig, &ask), "20-24x1");
    assert_int_equal(rig_ack(&rig, "a", 20, 24, "1"), KE_NONE);
    rig_expect(&rig, 25, 25, 25);
    rig_end(&rig);
}

static void
a_stored_state_that_makes_no_sense_is_read_as_far_as_it_does(void **state)
{
    static const struct share_batch batches[] = {
        {-5, 3, 1, SHARE_ACKNOWLEDGED}, /* below the start */
        {4, 8, 1, SHARE_ACQUIRED},      /* no state that is stored */
        {9, 6, 1, SHARE_ACKNOWLEDGED},  /* no range */
        {7, 12, -3, 77},                /* overlaps, is below zero, has no state */
        {INT64_MAX - 1, INT64_MAX, INT16_MAX, SHARE_AVAILABLE},
        {INT64_MIN, INT64_MAX, 1, SHARE_AVAILABLE},
    };
    struct rig rig;

    (void)state;
    rig_load(&rig, 5, batches, ARRAY_LEN(batches));
    assert_string_equal(
        rig_pieces(&rig), "5-8:V1 9-12:V0 9223372036854775806-9223372036854775806:V32767");
    rig_expect(&rig, 5, INT64_MAX - 1, 5);
    assert_string_equal(rig_fetch(&rig, "a", 5, 1, 8), "5-8x2 9-12x1");
    rig_expect(&rig, 5, INT64_MAX - 1, 13);
    assert_string_equal(rig_fetch(&rig, "a", INT64_MAX - 1, 1, 1), ""); /* there is the gap */
    assert_string_equal(rig_trim(&rig, INT64_MAX - 1), "");
    assert_string_equal(
        rig_fetch(&rig, "a", INT64_MAX - 1, 1, 1), "9223372036854775806-9223372036854775806x32767");
    rig_end(&rig);
}

/* --- what is available ----------------------------------------------------------------------- */

static void
the_next_fetch_is_at_the_first_available_record(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    assert_string_equal(rig_fetch(&rig, "a", 0, 3, 10), "0-29x1");
    rig_expect(&rig, 0, 29, 30);
    assert_int_equal(rig_ack(&rig, "a", 12, 13, "2"), KE_NONE);
    assert_true(rig.woke);
    assert_int_equal(rig_ack(&rig, "a", 5, 5, "2"), KE_NONE);
    rig_expect(&rig, 0, 29, 5);
    assert_string_equal(rig_fetch(&rig, "b", 0, 1, 10), "5-5x2");
    rig_expect(&rig, 0, 29, 12);
    assert_string_equal(rig_fetch(&rig, "b", 10, 1, 10), "12-13x2");
    rig_expect(&rig, 0, 29, 30);
    rig_end(&rig);
}

static void
at_the_limit_only_what_is_available_can_be_acquired(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 19, 10);
    assert_true(share_partition_can_acquire(rig.partition));
    (void)rig_fetch(&rig, "a", 190, 1, 10);
    rig_expect(&rig, 0, 199, 200);
    assert_false(share_partition_can_acquire(rig.partition));
    assert_int_equal(rig_ack(&rig, "a", 50, 50, "2"), KE_NONE);
    assert_true(share_partition_can_acquire(rig.partition));
    assert_string_equal(rig_fetch(&rig, "b", 50, 20, 10), "50-50x2");
    assert_false(share_partition_can_acquire(rig.partition));
    assert_int_equal(rig_ack(&rig, "a", 0, 9, "1"), KE_NONE);
    assert_true(rig.woke);
    assert_true(share_partition_can_acquire(rig.partition));
    rig_end(&rig);
}

/* Nobody holds anything whose acknowledgement would move the start. */
static void
at_the_limit_the_start_moves_over_what_is_done(void **state)
{
    static const struct share_batch batches[] = {{1, 249, 1, SHARE_ACKNOWLEDGED}};
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, 1);
    (void)rig_fetch(&rig, "a", 1, 1, 200);
    assert_int_equal(rig_ack(&rig, "a", 1, 200, "1"), KE_NONE);
    assert_int_equal(rig_ack(&rig, "a", 0, 0, "2"), KE_NONE);
    (void)rig_trim(&rig, 1);
    rig_expect(&rig, 1, 200, 201);
    assert_true(share_partition_can_acquire(rig.partition));
    rig_expect(&rig, 201, 201, 201);
    rig_end(&rig);

    rig_load(&rig, 0, batches, 1);
    assert_string_equal(rig_fetch(&rig, "a", 0, 1, 1), "0-0x1");
    assert_int_equal(rig_ack(&rig, "a", 0, 0, "1"), KE_NONE);
    rig_expect(&rig, 1, 249, 250);
    assert_true(share_partition_can_acquire(rig.partition));
    rig_expect(&rig, 250, 250, 250);
    rig_end(&rig);
}

static void
limits_may_change_at_any_time(void **state)
{
    struct share_limits limits = rig_limits;
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, 10);
    limits.record_locks_max = 10;
    limits.delivery_count_limit = 1;
    share_partition_configure(rig.partition, &limits);
    assert_false(share_partition_can_acquire(rig.partition));
    assert_string_equal(rig_release(&rig, "a"), "0-9:X1 | 0 10");
    rig_expect(&rig, 10, 10, 10);
    rig_end(&rig);
}

/* --- the start moves ------------------------------------------------------------------------- */

static void
the_start_moves_over_what_is_done_and_is_stored_with_the_next_change(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, 10);
    assert_int_equal(rig_ack(&rig, "a", 5, 7, "1"), KE_NONE);
    assert_string_equal(rig.text, "5-7:K1 | 0 3");
    assert_false(rig.woke);
    rig_expect(&rig, 0, 9, 10);
    assert_int_equal(rig_ack(&rig, "a", 0, 4, "1"), KE_NONE);
    assert_string_equal(rig.text, "0-4:K1 | 0 8");
    assert_true(rig.woke);
    rig_expect(&rig, 8, 9, 10);
    assert_string_equal(rig_pieces(&rig), "8-9:Q1@a*");
    assert_int_equal(rig_ack(&rig, "a", 8, 9, "3"), KE_NONE);
    assert_string_equal(rig.text, "8-9:X1 | 8 2");
    rig_expect(&rig, 10, 10, 10);
    rig_end(&rig);
}

static void
the_start_passes_several_runs_and_stops_at_the_first_that_is_not_done(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    for (int64_t i = 0; i < 5; i++)
        (void)rig_fetch(&rig, "a", i * 10, 1, 10);
    assert_int_equal(rig_ack(&rig, "a", 10, 29, "1"), KE_NONE);
    assert_int_equal(rig_ack(&rig, "a", 40, 49, "1"), KE_NONE);
    rig_expect(&rig, 0, 49, 50);
    assert_int_equal(rig_ack(&rig, "a", 0, 9, "1"), KE_NONE);
    assert_string_equal(rig.text, "0-9:K1 | 0 40");
    rig_expect(&rig, 30, 49, 50);
    assert_int_equal(rig_ack(&rig, "a", 30, 39, "1"), KE_NONE);
    assert_string_equal(rig.text, "30-39:K1 | 30 20");
    rig_expect(&rig, 50, 50, 50);
    rig_end(&rig);
}

/* --- release and expiry ---------------------------------------------------------------------- */

static void
a_member_that_leaves_gives_back_only_its_own(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, 10);
    (void)rig_fetch(&rig, "b", 10, 1, 10);
    (void)rig_fetch(&rig, "a", 20, 1, 10);
    assert_int_equal(rig_ack(&rig, "a", 2, 3, "1"), KE_NONE);
    assert_string_equal(rig_release(&rig, "a"), "0-1:V1 4-9:V1 20-29:V1 | 0 2");
    assert_true(rig.woke);
    assert_string_equal(rig_pieces(&rig), "0-1:V1* 2-3:K1* 4-9:V1* 10-19:Q1@b 20-29:V1");
    assert_string_equal(rig_release(&rig, "a"), "");
    assert_false(rig.woke);
    assert_string_equal(rig_release(&rig, "nobody"), "");
    rig_end(&rig);
}

static void
what_was_delivered_as_often_as_allowed_is_archived_instead_of_released(void **state)
{
    static const struct share_batch batches[] = {
        {0, 0, 4, SHARE_AVAILABLE}, {1, 9, 0, SHARE_AVAILABLE}};
    struct rig rig;

    (void)state;
    rig_load(&rig, 0, batches, 2);
    assert_string_equal(rig_fetch(&rig, "a", 0, 1, 10), "0-0x5");
    assert_string_equal(rig_fetch(&rig, "a", 0, 1, 10), "1-9x1");
    assert_string_equal(rig_release(&rig, "a"), "0-0:X5 1-9:V1 | 0 1");
    rig_expect(&rig, 1, 9, 1);
    rig_end(&rig);
}

static void
a_lock_that_runs_out_releases_its_records_and_keeps_their_count(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    rig.now_ms = 1000;
    (void)rig_fetch(&rig, "a", 0, 1, 10);
    rig.now_ms = 2000;
    (void)rig_fetch(&rig, "b", 10, 1, 10);
    assert_int_equal(share_partition_deadline(rig.partition), 1000 + RIG_LOCK_MS);
    rig.now_ms = 1000 + RIG_LOCK_MS - 1;
    assert_string_equal(rig_expire(&rig), "");
    rig.now_ms++;
    assert_string_equal(rig_expire(&rig), "0-9:V1 | 0 0");
    assert_true(rig.woke);
    assert_int_equal(share_partition_deadline(rig.partition), 2000 + RIG_LOCK_MS);
    assert_int_equal(rig_ack(&rig, "b", 10, 14, "1"), KE_NONE);
    rig.now_ms = INT64_MAX;
    assert_string_equal(rig_expire(&rig), "15-19:V1 | 0 5");
    assert_int_equal(share_partition_deadline(rig.partition), INT64_MAX);
    assert_string_equal(rig_pieces(&rig), "0-9:V1 10-14:K1* 15-19:V1*");
    /* A lock that would run out after the end of time never does. */
    (void)rig_fetch(&rig, "a", 0, 2, 10);
    assert_int_equal(share_partition_deadline(rig.partition), INT64_MAX);
    rig_end(&rig);
}

/* --- the log's start moves ------------------------------------------------------------------- */

static void
what_lies_below_the_logs_start_is_forgotten(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, 10);
    (void)rig_fetch(&rig, "a", 10, 1, 10);
    (void)rig_fetch(&rig, "b", 20, 1, 10);
    assert_int_equal(rig_ack(&rig, "a", 10, 12, "1"), KE_NONE);
    assert_int_equal(rig_ack(&rig, "a", 13, 13, "2"), KE_NONE);
    assert_string_equal(rig_trim(&rig, 11), "");
    assert_true(rig.woke);
    rig_expect(&rig, 11, 29, 13);
    assert_string_equal(rig_pieces(&rig), "11-12:K1* 13-13:V1* 14-19:Q1@a* 20-29:Q1@b");
    assert_string_equal(rig_trim(&rig, 25), "");
    assert_string_equal(rig_pieces(&rig), "25-29:Q1@b*");
    assert_string_equal(rig_release(&rig, "a"), "");
    assert_string_equal(rig_trim(&rig, 25), "");
    assert_false(rig.woke);
    assert_string_equal(rig_release(&rig, "b"), "25-29:V1 | 25 0");
    rig_end(&rig);
}

static void
a_log_that_begins_behind_all_that_is_known_begins_anew(void **state)
{
    static const struct share_batch batches[] = {{5, 9, 1, SHARE_AVAILABLE}};
    struct rig rig;

    (void)state;
    rig_load(&rig, 0, batches, 1);
    assert_string_equal(rig_trim(&rig, 500), "");
    rig_expect(&rig, 500, 500, 500);
    assert_string_equal(rig_fetch(&rig, "a", 500, 1, 10), "500-509x1");
    assert_string_equal(rig_trim(&rig, INT64_MAX), "");
    rig_expect(&rig, INT64_MAX, INT64_MAX, INT64_MAX);
    assert_true(share_partition_can_acquire(rig.partition));
    assert_int_equal(share_partition_deadline(rig.partition), INT64_MAX);
    rig_end(&rig);
}

static void
a_gap_below_the_logs_start_is_none(void **state)
{
    static const struct share_batch batches[] = {
        {10, 19, 1, SHARE_ACKNOWLEDGED}, {25, 29, 1, SHARE_AVAILABLE}};
    struct rig rig;

    (void)state;
    rig_load(&rig, 0, batches, 2);
    rig_expect(&rig, 0, 29, 0);
    assert_string_equal(rig_trim(&rig, 15), "");
    rig_expect(&rig, 15, 29, 20);
    rig_end(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_without_batches_begins_at_its_start_offset),
        cmocka_unit_test(what_is_done_at_the_start_is_passed_at_once),
        cmocka_unit_test(gaps_of_what_was_stored_are_read_first_and_hold_the_start),
        cmocka_unit_test(a_gap_in_front_is_filled_before_the_start_moves),
        cmocka_unit_test(the_start_stops_at_the_run_in_which_the_first_gap_may_be),
        cmocka_unit_test(a_gap_that_the_log_has_nothing_in_is_none),
        cmocka_unit_test(a_stored_state_that_makes_no_sense_is_read_as_far_as_it_does),
        cmocka_unit_test(the_next_fetch_is_at_the_first_available_record),
        cmocka_unit_test(at_the_limit_only_what_is_available_can_be_acquired),
        cmocka_unit_test(at_the_limit_the_start_moves_over_what_is_done),
        cmocka_unit_test(limits_may_change_at_any_time),
        cmocka_unit_test(the_start_moves_over_what_is_done_and_is_stored_with_the_next_change),
        cmocka_unit_test(the_start_passes_several_runs_and_stops_at_the_first_that_is_not_done),
        cmocka_unit_test(a_member_that_leaves_gives_back_only_its_own),
        cmocka_unit_test(what_was_delivered_as_often_as_allowed_is_archived_instead_of_released),
        cmocka_unit_test(a_lock_that_runs_out_releases_its_records_and_keeps_their_count),
        cmocka_unit_test(what_lies_below_the_logs_start_is_forgotten),
        cmocka_unit_test(a_log_that_begins_behind_all_that_is_known_begins_anew),
        cmocka_unit_test(a_gap_below_the_logs_start_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
