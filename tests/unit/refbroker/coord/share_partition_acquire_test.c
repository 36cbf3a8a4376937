/* Who gets what: new batches and known ones, whole and in part, by both modes, with limits, records
 * that were delivered often, and transactions that were aborted. */
#include "tests/unit/refbroker/coord/share_partition_rig.h"

static struct share_acquire
ask_of(const struct share_range *batches, size_t count)
{
    return (struct share_acquire){.member_id = "a",
        .batch_size = 500,
        .max_records = 500,
        .fetch_offset = count == 0 ? 0 : batches[0].first,
        .batches = batches,
        .batch_count = count};
}

/* --- new records ----------------------------------------------------------------------------- */

static void
new_batches_become_one_run(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    assert_string_equal(rig_fetch(&rig, "a", 0, 3, 10), "0-29x1");
    assert_string_equal(rig_pieces(&rig), "0-29:Q1@a");
    assert_string_equal(rig_fetch(&rig, "b", 0, 3, 10), "");
    assert_string_equal(rig_fetch(&rig, "b", 20, 2, 10), "30-39x1");
    rig_expect(&rig, 0, 39, 40);
    rig_end(&rig);
}

static void
nothing_comes_of_nothing(void **state)
{
    struct share_acquire ask = ask_of(NULL, 0);
    struct rig rig;

    (void)state;
    rig_begin(&rig, 50);
    assert_string_equal(rig_acquire(&rig, &ask), "");
    assert_string_equal(rig_fetch(&rig, "a", 0, 5, 10), ""); /* all below the start */
    assert_string_equal(rig_fetch_as(&rig, "a", SHARE_BATCH_OPTIMIZED, 50, 1, 10, 0), "");
    assert_string_equal(rig_fetch_as(&rig, "a", SHARE_RECORD_LIMIT, 50, 1, 10, -1), "");
    assert_string_equal(rig_pieces(&rig), "");
    assert_int_equal(map_count(&rig.partition->pieces.holders), 0);
    rig_end(&rig);
}

static void
a_batch_is_given_from_the_start_offset_on(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 15);
    assert_string_equal(rig_fetch(&rig, "a", 10, 2, 10), "15-29x1");
    rig_expect(&rig, 15, 29, 30);
    rig_end(&rig);
}

static void
a_log_that_begins_later_moves_the_start(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 15);
    assert_string_equal(rig_fetch(&rig, "a", 40, 1, 10), "40-49x1");
    rig_expect(&rig, 40, 49, 50);
    rig_end(&rig);
}

/* Gaps between batches belong to the run: the member acknowledges them as such. */
static void
gaps_between_batches_are_given_with_them(void **state)
{
    static const struct share_range batches[] = {{0, 4}, {10, 14}, {30, 31}};
    struct share_acquire ask = ask_of(batches, 3);
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    assert_string_equal(rig_acquire(&rig, &ask), "0-31x1");
    rig_end(&rig);
}

static void
runs_are_as_long_as_the_client_likes_and_end_where_batches_do(void **state)
{
    static const struct share_range batches[] = {
        {0, 2}, {3, 5}, {6, 30}, {31, 32}, {40, 41}, {42, 43}};
    struct share_acquire ask = ask_of(batches, 6);
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    ask.batch_size = 5;
    assert_string_equal(rig_acquire(&rig, &ask), "0-5x1 6-30x1 31-39x1 40-43x1");
    assert_string_equal(rig_pieces(&rig), "0-5:Q1@a 6-30:Q1@a 31-39:Q1@a 40-43:Q1@a");
    rig_end(&rig);
    rig_begin(&rig, 0);
    ask.batch_size = 44;
    assert_string_equal(rig_acquire(&rig, &ask), "0-43x1");
    rig_end(&rig);
    rig_begin(&rig, 4);
    ask.batch_size = -7;
    assert_string_equal(rig_acquire(&rig, &ask), "4-5x1 6-30x1 31-39x1 40-41x1 42-43x1");
    rig_end(&rig);
}

static void
the_last_batch_is_given_whole_although_it_passes_what_was_asked_for(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    assert_string_equal(rig_fetch_as(&rig, "a", SHARE_BATCH_OPTIMIZED, 0, 5, 10, 11), "0-19x1");
    assert_string_equal(rig_fetch_as(&rig, "a", SHARE_BATCH_OPTIMIZED, 20, 5, 10, 10), "20-29x1");
    rig_end(&rig);
}

static void
a_record_limit_is_kept_within_a_batch(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    assert_string_equal(rig_fetch_as(&rig, "a", SHARE_RECORD_LIMIT, 0, 5, 10, 13), "0-12x1");
    assert_string_equal(rig_pieces(&rig), "0-12:Q1@a* 13-19:V0*");
    rig_expect(&rig, 0, 19, 13);
    assert_string_equal(rig_fetch_as(&rig, "b", SHARE_RECORD_LIMIT, 10, 3, 10, 5), "13-17x1");
    assert_string_equal(
        rig_fetch_as(&rig, "b", SHARE_RECORD_LIMIT, 10, 3, 10, 5), "18-19x1 20-22x1");
    assert_string_equal(
        rig_pieces(&rig), "0-12:Q1@a* 13-17:Q1@b* 18-19:Q1@b* 20-22:Q1@b* 23-29:V0*");
    assert_string_equal(rig_fetch_as(&rig, "b", SHARE_RECORD_LIMIT, 20, 1, 10, 7), "23-29x1");
    assert_string_equal(rig_fetch_as(&rig, "b", SHARE_RECORD_LIMIT, 30, 1, 10, 10), "30-39x1");
    assert_string_equal(rig_release(&rig, "a"), "0-12:V1 | 0 0");
    rig_end(&rig);
}

/* --- the limit of the partition -------------------------------------------------------------- */

static void
what_is_under_way_bounds_what_is_given(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    assert_string_equal(rig_fetch(&rig, "a", 0, 18, 10), "0-179x1");
    /* 20 are left: the batch in which they end is given whole. */
    assert_string_equal(rig_fetch(&rig, "a", 180, 5, 15), "180-209x1");
    assert_string_equal(rig_fetch(&rig, "a", 210, 5, 15), "");
    assert_int_equal(rig_ack(&rig, "a", 185, 189, "2"), KE_NONE);
    assert_string_equal(rig_fetch(&rig, "a", 185, 10, 15), "185-189x2");
    assert_int_equal(rig_ack(&rig, "a", 209, 209, "2"), KE_NONE);
    assert_string_equal(rig_fetch(&rig, "a", 209, 10, 15), "209-209x2");
    /* A read that begins below the end and has nothing to give but what is above it gives nothing.
     */
    assert_string_equal(rig_fetch(&rig, "a", 200, 10, 15), "");
    rig_expect(&rig, 0, 209, 210);
    rig_end(&rig);
}

/* --- known records --------------------------------------------------------------------------- */

static void
known_runs_are_given_again_as_they_were_with_a_higher_count(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, 10);
    (void)rig_fetch(&rig, "a", 10, 1, 10);
    (void)rig_release(&rig, "a");
    assert_string_equal(rig_fetch(&rig, "b", 0, 3, 10), "0-9x2 10-19x2 20-29x1");
    assert_string_equal(rig_pieces(&rig), "0-9:Q2@b 10-19:Q2@b 20-29:Q1@b");
    rig_end(&rig);
}

static void
a_part_of_a_run_is_given_where_only_that_was_read(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 4, 10);
    (void)rig_release(&rig, "a");
    assert_string_equal(rig_fetch(&rig, "b", 10, 2, 10), "10-29x2");
    assert_string_equal(rig_pieces(&rig), "0-9:V1* 10-29:Q2@b* 30-39:V1*");
    rig_expect(&rig, 0, 39, 0);
    (void)rig_fetch(&rig, "a", 40, 1, 10);
    (void)rig_release(&rig, "a");
    assert_string_equal(rig_fetch(&rig, "b", 45, 1, 5), "45-49x2");
    rig_end(&rig);
}

static void
what_is_available_of_a_run_is_given_in_pieces_of_one_count(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, 20);
    assert_int_equal(rig_ack(&rig, "a", 2, 5, "2312"), KE_NONE);
    assert_int_equal(rig_ack(&rig, "a", 10, 19, "2"), KE_NONE);
    assert_string_equal(rig_fetch(&rig, "b", 5, 1, 1), "5-5x2");
    assert_int_equal(rig_ack(&rig, "b", 5, 5, "2"), KE_NONE);
    assert_int_equal(rig_ack(&rig, "a", 6, 9, "2"), KE_NONE);
    assert_string_equal(rig_fetch(&rig, "b", 0, 2, 20), "2-2x2 5-5x3 6-19x2 20-39x1");
    rig_end(&rig);
}

static void
new_records_are_given_up_to_what_is_left_of_the_limit(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, 10);
    (void)rig_release(&rig, "a");
    assert_string_equal(
        rig_fetch_as(&rig, "b", SHARE_BATCH_OPTIMIZED, 0, 5, 10, 15), "0-9x2 10-19x1");
    (void)rig_release(&rig, "b");
    assert_string_equal(rig_fetch_as(&rig, "b", SHARE_RECORD_LIMIT, 0, 5, 10, 15), "0-9x3 10-14x2");
    assert_string_equal(
        rig_fetch_as(&rig, "b", SHARE_RECORD_LIMIT, 10, 5, 10, 9), "15-19x2 20-23x1");
    assert_string_equal(rig_pieces(&rig), "0-9:Q3@b 10-14:Q2@b* 15-19:Q2@b* 20-23:Q1@b* 24-29:V0*");
    rig_end(&rig);
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, 10);
    (void)rig_release(&rig, "a");
    assert_string_equal(rig_fetch_as(&rig, "b", SHARE_RECORD_LIMIT, 0, 5, 10, 10), "0-9x2");
    assert_string_equal(rig_pieces(&rig), "0-9:Q2@b");
    rig_end(&rig);
}

/* --- records that were delivered often ------------------------------------------------------- */

/* A run of 16 records, delivered so often. */
static void
begin_delivered(struct rig *rig, int16_t count)
{
    struct share_batch batches[] = {{0, 15, count, SHARE_AVAILABLE}};

    rig_load(rig, 0, batches, 1);
}

static void
from_half_of_the_limit_on_portions_get_smaller(void **state)
{
    static const char *const first[] = {
        "0-15x2 16-19x1", "0-15x3 16-19x1", "0-7x4", "0-0x5", "0-1x6"};
    struct rig rig;

    (void)state;
    for (int16_t count = 1; count <= 5; count++) {
        begin_delivered(&rig, count);
        assert_string_equal(rig_fetch(&rig, "a", 0, 5, 4), first[count - 1]);
        rig_end(&rig);
    }
    /* At 10 of a limit of 20: halves, quarters, ... */
    for (int16_t count = 10; count < 18; count++) {
        struct share_limits limits = rig_limits;
        char text[32];

        limits.delivery_count_limit = 20;
        begin_delivered(&rig, count);
        share_partition_configure(rig.partition, &limits);
        (void)snprintf(
            text, sizeof text, "0-%dx%d", count < 14 ? (8 >> (count - 10)) - 1 : 0, count + 1);
        assert_string_equal(rig_fetch(&rig, "a", 0, 5, 4), text);
        rig_end(&rig);
    }
}

static void
what_was_delivered_often_comes_alone(void **state)
{
    static const struct share_batch batches[] = {
        {0, 9, 1, SHARE_AVAILABLE}, {10, 19, 3, SHARE_AVAILABLE}, {20, 29, 1, SHARE_AVAILABLE}};
    struct rig rig;

    (void)state;
    rig_load(&rig, 0, batches, 3);
    assert_string_equal(rig_fetch(&rig, "a", 0, 4, 10), "0-9x2");
    assert_string_equal(rig_fetch(&rig, "a", 10, 4, 10), "10-14x4");
    assert_string_equal(rig_fetch(&rig, "a", 10, 4, 10), "15-19x4");
    assert_string_equal(rig_fetch(&rig, "a", 20, 2, 10), "20-29x2 30-39x1");
    assert_string_equal(rig_pieces(&rig), "0-9:Q2@a 10-14:Q4@a* 15-19:Q4@a* 20-29:Q2@a 30-39:Q1@a");
    rig_end(&rig);
}

static void
the_last_delivery_of_a_record_is_its_own(void **state)
{
    struct rig rig;

    (void)state;
    begin_delivered(&rig, 3);
    assert_string_equal(rig_fetch(&rig, "a", 0, 1, 2), "0-1x4");
    assert_string_equal(rig_release(&rig, "a"), "0-1:V4 | 0 0");
    assert_string_equal(rig_fetch(&rig, "a", 0, 1, 16), "0-0x5");
    assert_string_equal(rig_fetch(&rig, "a", 1, 1, 15), "1-1x5");
    assert_string_equal(rig_fetch(&rig, "a", 2, 1, 14), "2-9x4");
    assert_int_equal(rig_ack(&rig, "a", 5, 5, "2"), KE_NONE);
    /* 10 to 15 come before the one that has its last delivery only where they are below it. */
    assert_string_equal(rig_fetch(&rig, "a", 5, 1, 11), "5-5x5");
    assert_string_equal(rig_release(&rig, "a"), "0-0:X5 1-1:X5 2-4:V4 5-5:X5 6-9:V4 | 0 3");
    rig_expect(&rig, 2, 15, 2);
    rig_end(&rig);
}

static void
a_last_delivery_waits_for_what_lies_below_it(void **state)
{
    struct rig rig;

    (void)state;
    begin_delivered(&rig, 1);
    assert_string_equal(rig_fetch(&rig, "a", 8, 1, 1), "8-8x2");
    for (int16_t count = 3; count <= 4; count++) {
        (void)rig_release(&rig, "a");
        (void)rig_fetch(&rig, "a", 8, 1, 1);
    }
    assert_string_equal(rig_release(&rig, "a"), "8-8:V4 | 0 0");
    assert_string_equal(rig_fetch(&rig, "a", 0, 1, 16), "0-7x2");
    assert_string_equal(rig_fetch(&rig, "a", 8, 1, 8), "8-8x5");
    assert_string_equal(rig_fetch(&rig, "a", 9, 1, 7), "9-15x2");
    rig_end(&rig);
}

/* The portion counts from the run's first record that is given; where more than it have been given
 * when the first throttled one comes, nothing holds the rest back. */
static void
a_portion_that_has_been_passed_already_is_none(void **state)
{
    struct rig rig;

    (void)state;
    begin_delivered(&rig, 1);
    for (int16_t count = 2; count <= 3; count++) {
        (void)rig_fetch(&rig, "a", 9, 1, 1);
        (void)rig_release(&rig, "a");
    }
    assert_string_equal(rig_pieces(&rig), "0-8:V1* 9-9:V3* 10-15:V1*");
    assert_string_equal(rig_fetch(&rig, "a", 0, 2, 16), "0-8x2 9-9x4 10-15x2");
    (void)rig_release(&rig, "a");
    rig_end(&rig);
}

static void
a_small_limit_knows_no_last_delivery(void **state)
{
    struct share_limits limits = rig_limits;
    struct rig rig;

    (void)state;
    limits.delivery_count_limit = 2;
    begin_delivered(&rig, 1);
    share_partition_configure(rig.partition, &limits);
    assert_string_equal(rig_fetch(&rig, "a", 0, 1, 16), "0-15x2");
    assert_string_equal(rig_release(&rig, "a"), "0-15:X2 | 0 16");
    rig_end(&rig);
}

static void
a_record_limit_holds_for_what_was_delivered_often(void **state)
{
    struct rig rig;

    (void)state;
    begin_delivered(&rig, 3);
    assert_string_equal(rig_fetch_as(&rig, "a", SHARE_RECORD_LIMIT, 0, 1, 16, 3), "0-2x4");
    assert_string_equal(rig_fetch_as(&rig, "a", SHARE_RECORD_LIMIT, 0, 1, 16, 30), "3-10x4");
    rig_end(&rig);
}

/* --- aborted transactions -------------------------------------------------------------------- */

static void
aborted_batches_are_archived_and_not_given(void **state)
{
    static const struct share_range batches[] = {{0, 9}, {10, 19}, {20, 29}, {30, 30}};
    static const struct share_range aborted[] = {{10, 19}, {30, 30}};
    struct share_acquire ask = ask_of(batches, 4);
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    ask.aborted = aborted;
    ask.aborted_count = 2;
    assert_string_equal(rig_acquire(&rig, &ask), "0-9x1 20-29x1");
    assert_string_equal(rig_pieces(&rig), "0-9:Q1@a* 10-19:X1* 20-29:Q1@a* 30-30:X1*");
    assert_int_equal(rig_ack(&rig, "a", 0, 9, "1"), KE_NONE);
    assert_string_equal(rig.text, "0-9:K1 | 0 21");
    rig_expect(&rig, 20, 30, 31);
    rig_end(&rig);
}

/* Kafka would stand still here once the limit is reached. */
static void
a_read_that_was_aborted_as_a_whole_moves_the_start(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    for (int64_t i = 0; i < 1000; i += 50) {
        struct share_range batch = {i, i + 49};
        struct share_acquire ask = ask_of(&batch, 1);
        char text[32];

        ask.aborted = &batch;
        ask.aborted_count = 1;
        (void)snprintf(text, sizeof text, "| %" PRId64 " 0", i + 50);
        assert_string_equal(rig_acquire(&rig, &ask), text);
        assert_true(rig.woke);
    }
    rig_expect(&rig, 1000, 1000, 1000);
    rig_end(&rig);
}

static void
what_was_aborted_behind_records_under_way_waits_for_them(void **state)
{
    static const struct share_range aborted = {10, 19};
    struct share_acquire ask = ask_of(&aborted, 1);
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, 10);
    ask.aborted = &aborted;
    ask.aborted_count = 1;
    assert_string_equal(rig_acquire(&rig, &ask), "");
    rig_expect(&rig, 0, 19, 20);
    assert_int_equal(rig_ack(&rig, "a", 0, 9, "1"), KE_NONE);
    assert_string_equal(rig.text, "0-9:K1 | 0 20");
    rig_expect(&rig, 20, 20, 20);
    rig_end(&rig);
}

static void
aborted_ranges_across_runs_leave_what_is_between_them(void **state)
{
    static const struct share_range batches[] = {{0, 4}, {5, 9}, {10, 14}, {15, 19}};
    static const struct share_range aborted[] = {{0, 4}, {8, 11}, {14, 14}, {40, 50}, {60, 55}};
    struct share_acquire ask = ask_of(batches, 4);
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    ask.batch_size = 5;
    ask.aborted = aborted;
    ask.aborted_count = ARRAY_LEN(aborted);
    assert_string_equal(rig_acquire(&rig, &ask), "5-7x1 12-13x1 15-19x1");
    assert_string_equal(
        rig_pieces(&rig), "0-4:X1 5-7:Q1@a* 8-9:X1* 10-11:X1* 12-13:Q1@a* 14-14:X1* 15-19:Q1@a");
    rig_end(&rig);
}

/* --- what the log has no longer -------------------------------------------------------------- */

static void
available_records_that_were_compacted_away_are_archived(void **state)
{
    static const struct share_range batches[] = {{15, 24}};
    struct share_acquire ask = ask_of(batches, 1);
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, 5);
    (void)rig_fetch(&rig, "b", 5, 1, 5);
    (void)rig_fetch(&rig, "b", 10, 1, 15);
    (void)rig_release(&rig, "b");
    ask.fetch_offset = 5;
    assert_string_equal(rig_acquire(&rig, &ask), "15-24x2");
    assert_string_equal(rig_pieces(&rig), "0-4:Q1@a 5-9:X1 10-14:X1* 15-24:Q2@a*");
    rig_expect(&rig, 0, 24, 25);
    rig_end(&rig);
}

/* --- hostile --------------------------------------------------------------------------------- */

static void
offsets_at_their_ends_do_no_harm(void **state)
{
    static const struct share_range low[] = {{-10, 5}}, high[] = {{INT64_MAX - 9, INT64_MAX}},
                                    wide[] = {{0, INT64_MAX}};
    struct share_acquire ask = ask_of(low, 1);
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    assert_string_equal(rig_acquire(&rig, &ask), "");
    ask = ask_of(high, 1);
    ask.fetch_offset = -1;
    assert_string_equal(rig_acquire(&rig, &ask), "");
    ask.fetch_offset = INT64_MAX;
    ask.now_ms = INT64_MAX;
    assert_string_equal(rig_acquire(&rig, &ask), "9223372036854775798-9223372036854775806x1");
    rig_expect(&rig, INT64_MAX - 9, INT64_MAX - 1, INT64_MAX);
    rig_end(&rig);

    rig_begin(&rig, 0);
    ask = ask_of(wide, 1);
    assert_string_equal(rig_acquire(&rig, &ask), "0-9223372036854775806x1");
    assert_int_equal(rig_ack(&rig, "a", 7, 7, "1"), KE_NONE);
    assert_int_equal(rig.partition->pieces.count, 3);
    assert_int_equal(rig_ack(&rig, "a", 8, INT64_MAX - 1, "1"), KE_NONE);
    assert_string_equal(rig.text, "8-9223372036854775806:K1 | 0 2147483647");
    rig_end(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_batches_become_one_run),
        cmocka_unit_test(nothing_comes_of_nothing),
        cmocka_unit_test(a_batch_is_given_from_the_start_offset_on),
        cmocka_unit_test(a_log_that_begins_later_moves_the_start),
        cmocka_unit_test(gaps_between_batches_are_given_with_them),
        cmocka_unit_test(runs_are_as_long_as_the_client_likes_and_end_where_batches_do),
        cmocka_unit_test(the_last_batch_is_given_whole_although_it_passes_what_was_asked_for),
        cmocka_unit_test(a_record_limit_is_kept_within_a_batch),
        cmocka_unit_test(what_is_under_way_bounds_what_is_given),
        cmocka_unit_test(known_runs_are_given_again_as_they_were_with_a_higher_count),
        cmocka_unit_test(a_part_of_a_run_is_given_where_only_that_was_read),
        cmocka_unit_test(what_is_available_of_a_run_is_given_in_pieces_of_one_count),
        cmocka_unit_test(new_records_are_given_up_to_what_is_left_of_the_limit),
        cmocka_unit_test(from_half_of_the_limit_on_portions_get_smaller),
        cmocka_unit_test(what_was_delivered_often_comes_alone),
        cmocka_unit_test(the_last_delivery_of_a_record_is_its_own),
        cmocka_unit_test(a_last_delivery_waits_for_what_lies_below_it),
        cmocka_unit_test(a_portion_that_has_been_passed_already_is_none),
        cmocka_unit_test(a_small_limit_knows_no_last_delivery),
        cmocka_unit_test(a_record_limit_holds_for_what_was_delivered_often),
        cmocka_unit_test(aborted_batches_are_archived_and_not_given),
        cmocka_unit_test(a_read_that_was_aborted_as_a_whole_moves_the_start),
        cmocka_unit_test(what_was_aborted_behind_records_under_way_waits_for_them),
        cmocka_unit_test(aborted_ranges_across_runs_leave_what_is_between_them),
        cmocka_unit_test(available_records_that_were_compacted_away_are_archived),
        cmocka_unit_test(offsets_at_their_ends_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
