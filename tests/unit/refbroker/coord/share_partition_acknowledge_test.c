/* What members say of records: every type, every refusal with Kafka's words, and that a refusal
 * leaves all as it was. */
#include "tests/unit/refbroker/coord/share_partition_rig.h"

static void
expect_refusal(struct rig *rig, int16_t error, int16_t code, const char *text)
{
    assert_int_equal(error, code);
    assert_string_equal(rig->e.text, text);
    assert_string_equal(rig->text, "");
    assert_false(rig->woke);
}

/* a holds 0-9, b 10-19, nobody 20-29. */
static void
begin_held(struct rig *rig)
{
    rig_begin(rig, 0);
    (void)rig_fetch(rig, "c", 0, 1, 10);
    (void)rig_fetch(rig, "c", 10, 1, 10);
    (void)rig_fetch(rig, "c", 20, 1, 10);
    (void)rig_release(rig, "c");
    (void)rig_fetch(rig, "a", 0, 1, 10);
    (void)rig_fetch(rig, "b", 10, 1, 10);
}

/* --- types ----------------------------------------------------------------------------------- */

static void
one_type_is_for_the_whole_range(void **state)
{
    static const struct {
        const char *type, *stored, *pieces;
    } rows[] = {
        {"0", "0-9:X2 | 0 10", "10-19:Q2@b 20-29:V1"},
        {"1", "0-9:K2 | 0 10", "10-19:Q2@b 20-29:V1"},
        {"2", "0-9:V2 | 0 0", "0-9:V2 10-19:Q2@b 20-29:V1"},
        {"3", "0-9:X2 | 0 10", "10-19:Q2@b 20-29:V1"},
        {"4", "", "0-9:Q2@a 10-19:Q2@b 20-29:V1"},
    };
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin_held(&rig);
        assert_int_equal(rig_ack(&rig, "a", 0, 9, rows[i].type), KE_NONE);
        assert_string_equal(rig.text, rows[i].stored);
        assert_string_equal(rig_pieces(&rig), rows[i].pieces);
        rig_end(&rig);
    }
}

static void
a_type_per_offset_is_for_each(void **state)
{
    struct rig rig;

    (void)state;
    begin_held(&rig);
    assert_int_equal(rig_ack(&rig, "a", 0, 9, "2110223341"), KE_NONE);
    assert_string_equal(rig.text, "0-0:V2 1-2:K2 3-3:X2 4-5:V2 6-7:X2 9-9:K2 | 0 6");
    assert_true(rig.woke);
    assert_string_equal(rig_pieces(&rig),
        "0-0:V2* 1-2:K2* 3-3:X2* 4-5:V2* 6-7:X2* 8-8:Q2@a* 9-9:K2* 10-19:Q2@b 20-29:V1");
    assert_int_equal(rig_ack(&rig, "a", 8, 8, "1"), KE_NONE);
    assert_string_equal(
        rig_pieces(&rig), "0-0:V2* 1-2:K2* 3-3:X2* 4-5:V2* 6-7:X2* 8-9:K2* 10-19:Q2@b 20-29:V1");
    rig_end(&rig);
    /* The run is kept by offset even where all are of one type. */
    begin_held(&rig);
    assert_int_equal(rig_ack(&rig, "a", 0, 9, "2222222222"), KE_NONE);
    assert_string_equal(rig_pieces(&rig), "0-9:V2* 10-19:Q2@b 20-29:V1");
    rig_end(&rig);
}

static void
one_acknowledgement_may_be_for_several_runs(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, 10);
    (void)rig_fetch(&rig, "a", 10, 1, 10);
    (void)rig_fetch(&rig, "a", 20, 1, 10);
    assert_int_equal(rig_ack(&rig, "a", 5, 25, "1"), KE_NONE);
    assert_string_equal(rig.text, "5-9:K1 10-19:K1 20-25:K1 | 0 21");
    assert_int_equal(rig_ack(&rig, "a", 0, 4, "12222"), KE_NONE);
    assert_string_equal(rig.text, "0-0:K1 1-4:V1 | 0 22");
    rig_expect(&rig, 1, 29, 1);
    rig_end(&rig);
}

static void
a_release_beyond_the_delivery_limit_archives(void **state)
{
    struct share_limits limits = rig_limits;
    struct rig rig;

    (void)state;
    begin_held(&rig);
    limits.delivery_count_limit = 2;
    share_partition_configure(rig.partition, &limits);
    assert_int_equal(rig_ack(&rig, "a", 3, 4, "2"), KE_NONE);
    assert_string_equal(rig.text, "3-4:X2 | 0 2");
    assert_false(rig.woke);
    rig_end(&rig);
}

static void
a_renewal_extends_the_lock_and_stores_nothing(void **state)
{
    struct rig rig;

    (void)state;
    begin_held(&rig);
    rig.now_ms = 20000;
    assert_int_equal(rig_ack(&rig, "a", 4, 5, "4"), KE_NONE);
    assert_string_equal(rig.text, "");
    assert_int_equal(rig_ack(&rig, "b", 10, 19, "4"), KE_NONE);
    rig.now_ms = RIG_LOCK_MS;
    assert_string_equal(rig_expire(&rig), "0-3:V2 6-9:V2 | 0 0");
    rig.now_ms = 20000 + RIG_LOCK_MS - 1;
    assert_string_equal(rig_expire(&rig), "");
    rig.now_ms++;
    assert_string_equal(rig_expire(&rig), "4-5:V2 10-19:V2 | 0 0");
    rig_end(&rig);
}

static void
a_renewal_may_be_refused_by_the_group(void **state)
{
    struct share_limits limits = rig_limits;
    struct rig rig;

    (void)state;
    begin_held(&rig);
    limits.renew_refused = true;
    share_partition_configure(rig.partition, &limits);
    expect_refusal(&rig, rig_ack(&rig, "a", 0, 9, "1111114111"), KE_INVALID_RECORD_STATE,
        "Renewing acquisition locks is not enabled for the group.");
    expect_refusal(&rig, rig_ack(&rig, "a", 0, 9, "4"), KE_INVALID_RECORD_STATE,
        "Renewing acquisition locks is not enabled for the group.");
    assert_string_equal(rig_release(&rig, "a"), "0-5:V2 6-6:V2 7-9:V2 | 0 0");
    rig_end(&rig);
}

/* --- refusals -------------------------------------------------------------------------------- */

static void
records_that_the_member_does_not_hold_are_refused(void **state)
{
    struct rig rig;

    (void)state;
    begin_held(&rig);
    expect_refusal(&rig, rig_ack(&rig, "a", 10, 19, "1"), KE_INVALID_RECORD_STATE,
        "Member is not the owner of batch record");
    expect_refusal(&rig, rig_ack(&rig, "nobody", 0, 9, "1"), KE_INVALID_RECORD_STATE,
        "Member is not the owner of batch record");
    expect_refusal(&rig, rig_ack(&rig, "a", 20, 25, "1"), KE_INVALID_RECORD_STATE,
        "The batch cannot be acknowledged. The batch is not in the acquired state.");
    assert_int_equal(rig_ack(&rig, "b", 10, 11, "1"), KE_NONE);
    expect_refusal(&rig, rig_ack(&rig, "a", 12, 13, "1"), KE_INVALID_RECORD_STATE,
        "Member is not the owner of offset");
    expect_refusal(&rig, rig_ack(&rig, "b", 11, 12, "1"), KE_INVALID_RECORD_STATE,
        "The offset cannot be acknowledged. The offset is not acquired.");
    rig_end(&rig);
}

static void
offsets_past_what_is_under_way_are_refused(void **state)
{
    struct rig rig;

    (void)state;
    begin_held(&rig);
    expect_refusal(&rig, rig_ack(&rig, "a", 30, 31, "1"), KE_INVALID_REQUEST,
        "Batch record not found. The first offset in request is past acquired records.");
    expect_refusal(&rig, rig_ack(&rig, "a", INT64_MAX, INT64_MAX, "1"), KE_INVALID_REQUEST,
        "Batch record not found. The first offset in request is past acquired records.");
    expect_refusal(&rig, rig_ack(&rig, "a", 0, 30, "1"), KE_INVALID_REQUEST,
        "Batch record not found. The last offset in request is past acquired records.");
    expect_refusal(&rig, rig_ack(&rig, "a", INT64_MIN, INT64_MAX, "1"), KE_INVALID_REQUEST,
        "Batch record not found. The last offset in request is past acquired records.");
    rig_end(&rig);
}

static void
offsets_that_are_nowhere_are_refused(void **state)
{
    static const struct share_batch batches[] = {{10, 19, 1, SHARE_ACKNOWLEDGED}};
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    expect_refusal(&rig, rig_ack(&rig, "a", 0, 9, "1"), KE_INVALID_RECORD_STATE,
        "Batch record not found. The request batch offsets are not found in the cache.");
    rig_end(&rig);
    rig_load(&rig, 0, batches, 1);
    expect_refusal(&rig, rig_ack(&rig, "a", 5, 12, "1"), KE_INVALID_RECORD_STATE,
        "Batch record not found. The request batch offsets are not found in the cache.");
    rig_end(&rig);
}

/* An acknowledgement that begins in a gap begins with the run below, as far as that is whole. */
static void
a_range_that_begins_in_a_gap_is_judged_by_the_run_below_too(void **state)
{
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, 10);
    (void)rig_fetch(&rig, "b", 15, 1, 10);
    expect_refusal(&rig, rig_ack(&rig, "b", 12, 20, "1"), KE_INVALID_RECORD_STATE,
        "Member is not the owner of batch record");
    assert_int_equal(rig_ack(&rig, "a", 0, 0, "2"), KE_NONE);
    assert_int_equal(rig_ack(&rig, "b", 12, 20, "1"), KE_NONE);
    assert_string_equal(rig.text, "15-20:K1 | 0 6");
    assert_string_equal(rig_pieces(&rig), "0-0:V1* 1-9:Q1@a* 15-20:K1* 21-24:Q1@b*");
    expect_refusal(&rig, rig_ack(&rig, "b", 12, 13, "1"), KE_INVALID_REQUEST,
        "Batch record not found. The first offset in request is past acquired records.");
    rig_end(&rig);
}

static void
what_lies_below_the_start_is_passed_over(void **state)
{
    struct rig rig;

    (void)state;
    begin_held(&rig);
    assert_int_equal(rig_ack(&rig, "a", 0, 4, "1"), KE_NONE);
    assert_int_equal(rig_ack(&rig, "a", 0, 4, "1"), KE_NONE);
    assert_string_equal(rig.text, "");
    assert_int_equal(rig_ack(&rig, "stranger", INT64_MIN, 4, "3"), KE_NONE);
    assert_int_equal(rig_ack(&rig, "a", 3, 6, "3312"), KE_NONE);
    assert_string_equal(rig.text, "5-5:K2 6-6:V2 | 5 1");
    /* The whole run 0-9 is gone, and 10 is where the start is. */
    assert_int_equal(rig_ack(&rig, "a", 7, 9, "1"), KE_NONE);
    assert_string_equal(rig_fetch(&rig, "a", 0, 1, 10), "6-6x3");
    assert_int_equal(rig_ack(&rig, "a", 6, 6, "1"), KE_NONE);
    rig_expect(&rig, 10, 29, 20);
    assert_int_equal(rig_ack(&rig, "b", 5, 12, "1"), KE_NONE);
    assert_string_equal(rig.text, "10-12:K2 | 10 3");
    rig_end(&rig);
}

static void
types_that_there_are_not_are_refused_even_below_the_start(void **state)
{
    static const int8_t odd[] = {1, -128, 5, 127};
    struct share_acknowledgement ack = {0, 3, odd, 4};
    struct share_changes changes = {0};
    struct err e;
    struct rig rig;

    (void)state;
    begin_held(&rig);
    expect_refusal(
        &rig, rig_ack(&rig, "a", 0, 9, "5"), KE_INVALID_REQUEST, "Invalid acknowledge type: [5]");
    assert_int_equal(share_partition_acknowledge(rig.partition, "a", &ack, 1, 0, &changes, &e),
        KE_INVALID_REQUEST);
    assert_string_equal(e.text, "Invalid acknowledge type: [1, -128, 5, 127]");
    assert_int_equal(rig_ack(&rig, "a", 0, 9, "1"), KE_NONE);
    expect_refusal(
        &rig, rig_ack(&rig, "a", 0, 9, "9"), KE_INVALID_REQUEST, "Invalid acknowledge type: [9]");
    assert_int_equal(share_partition_acknowledge(rig.partition, "a", &ack, 1, 0, &changes, NULL),
        KE_INVALID_REQUEST);
    rig_end(&rig);
}

static void
ranges_and_numbers_of_types_that_make_no_sense_are_refused(void **state)
{
    static const struct {
        int64_t first, last;
        const char *types;
    } rows[] = {
        {5, 4, "1"},
        {INT64_MAX, INT64_MIN, "1"},
        {0, 9, ""},
        {0, 9, "11"},
        {0, 9, "11111111111"},
        {0, 0, "11"},
        {INT64_MIN, INT64_MAX, "11"},
        {-1, INT64_MAX - 1, "111"},
    };
    char types[1000];
    struct rig rig;

    (void)state;
    begin_held(&rig);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(
            rig_ack(&rig, "a", rows[i].first, rows[i].last, rows[i].types), KE_INVALID_REQUEST);
        assert_string_equal(rig.text, "");
        assert_true(rig.e.text[0] != '\0');
    }
    /* A long list of odd types is told as far as there is room. */
    memset(types, '8', sizeof types - 1);
    types[sizeof types - 1] = '\0';
    assert_int_equal(rig_ack(&rig, "a", 0, 998, types), KE_INVALID_REQUEST);
    assert_non_null(strstr(rig.e.text, "Invalid acknowledge type: [8, 8, 8"));
    rig_end(&rig);
}

/* --- all or nothing -------------------------------------------------------------------------- */

static void
a_refusal_takes_back_what_the_request_did_before(void **state)
{
    static const int8_t mixed[] = {1, 2, 3, 0, 1}, accept = 1, renew = 4;
    const struct share_acknowledgement acks[] = {
        {0, 4, mixed, 5}, {7, 8, &accept, 1}, {5, 5, &renew, 1}, {10, 19, &accept, 1}};
    struct share_changes changes = {0};
    struct rig rig;

    (void)state;
    begin_held(&rig);
    rig.now_ms = 5000;
    assert_int_equal(
        share_partition_acknowledge(rig.partition, "a", acks, 4, rig.now_ms, &changes, &rig.e),
        KE_INVALID_RECORD_STATE);
    assert_int_equal(changes.count, 0);
    assert_false(changes.any || changes.wake);
    assert_null(changes.batches);
    assert_int_equal(rig.partition->pieces.done_count, 0);
    rig_expect(&rig, 0, 29, 20);
    /* Only a lock that was extended stays so. */
    rig.now_ms = RIG_LOCK_MS;
    assert_string_equal(rig_release(&rig, "b"), "10-19:V2 | 0 0");
    (void)rig_expire(&rig);
    assert_int_equal(share_partition_deadline(rig.partition), 5000 + RIG_LOCK_MS);
    assert_string_equal(rig_pieces(&rig), "0-4:V2* 5-5:Q2@a* 6-9:V2* 10-19:V2 20-29:V1");
    rig_end(&rig);
}

static void
the_same_records_twice_in_a_request_are_refused_as_a_whole(void **state)
{
    static const int8_t accept = 1;
    static const struct {
        int64_t first, last;
        const char *text;
    } rows[] = {
        {0, 9, "The batch cannot be acknowledged. The batch is not in the acquired state."},
        {9, 9, "The batch cannot be acknowledged. The batch is not in the acquired state."},
    };
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct share_acknowledgement acks[] = {
            {0, 9, &accept, 1}, {rows[i].first, rows[i].last, &accept, 1}};
        struct share_changes changes = {0};

        begin_held(&rig);
        assert_int_equal(
            share_partition_acknowledge(rig.partition, "a", acks, 2, 0, &changes, &rig.e),
            KE_INVALID_RECORD_STATE);
        assert_string_equal(rig.e.text, rows[i].text);
        assert_string_equal(rig_pieces(&rig), "0-9:Q2@a 10-19:Q2@b 20-29:V1");
        assert_int_equal(
            share_partition_acknowledge(rig.partition, "a", acks, 1, 0, &changes, &rig.e), KE_NONE);
        share_changes_fini(&changes);
        rig_end(&rig);
    }
}

static void
several_acknowledgements_are_one_change(void **state)
{
    static const int8_t accept = 1, release = 2;
    const struct share_acknowledgement acks[] = {{5, 9, &accept, 1}, {0, 3, &release, 1}};
    struct share_changes changes = {0};
    struct rig rig;

    (void)state;
    begin_held(&rig);
    assert_int_equal(
        share_partition_acknowledge(rig.partition, "a", acks, 2, 0, &changes, &rig.e), KE_NONE);
    assert_string_equal(rig_stored(&rig, &changes), "5-9:K2 0-3:V2 | 0 5");
    assert_int_equal(
        share_partition_acknowledge(rig.partition, "a", NULL, 0, 0, &changes, &rig.e), KE_NONE);
    assert_string_equal(rig_stored(&rig, &changes), "");
    rig_end(&rig);
}

/* A release after a refusal shows that the holder is still known, with its locks. */
static void
a_member_all_of_whose_records_were_taken_back_still_holds_them(void **state)
{
    struct rig rig;

    (void)state;
    begin_held(&rig);
    assert_int_equal(rig_ack(&rig, "a", 0, 19, "1"), KE_INVALID_RECORD_STATE);
    assert_string_equal(rig_release(&rig, "a"), "0-9:V2 | 0 0");
    assert_int_equal(map_count(&rig.partition->pieces.holders), 1);
    rig_end(&rig);
}

static void
the_number_of_pieces_is_bounded(void **state)
{
    static int8_t types[SHARE_PIECES_MAX + 2];
    const struct share_acknowledgement acks[] = {
        {0, ARRAY_LEN(types) - 1, types, ARRAY_LEN(types)}, {0, ARRAY_LEN(types) - 1, types, 1}};
    struct share_changes changes = {0};
    struct rig rig;

    (void)state;
    rig_begin(&rig, 0);
    (void)rig_fetch(&rig, "a", 0, 1, ARRAY_LEN(types));
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        types[i] = i % 2 == 0 ? 1 : 3;
    assert_int_equal(
        share_partition_acknowledge(rig.partition, "a", &acks[0], 1, 0, &changes, &rig.e),
        KE_INVALID_REQUEST);
    assert_string_equal(rig.e.text, "Too many records differ in their state.");
    assert_int_equal(rig.partition->pieces.count, SHARE_PIECES_MAX);
    assert_string_equal(rig_fetch(&rig, "a", ARRAY_LEN(types), 1, 10), "");
    assert_int_equal(
        share_partition_acknowledge(rig.partition, "a", &acks[1], 1, 0, &changes, &rig.e), KE_NONE);
    share_changes_fini(&changes);
    rig_expect(&rig, ARRAY_LEN(types), ARRAY_LEN(types), ARRAY_LEN(types));
    rig_end(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_type_is_for_the_whole_range),
        cmocka_unit_test(a_type_per_offset_is_for_each),
        cmocka_unit_test(one_acknowledgement_may_be_for_several_runs),
        cmocka_unit_test(a_release_beyond_the_delivery_limit_archives),
        cmocka_unit_test(a_renewal_extends_the_lock_and_stores_nothing),
        cmocka_unit_test(a_renewal_may_be_refused_by_the_group),
        cmocka_unit_test(records_that_the_member_does_not_hold_are_refused),
        cmocka_unit_test(offsets_past_what_is_under_way_are_refused),
        cmocka_unit_test(offsets_that_are_nowhere_are_refused),
        cmocka_unit_test(a_range_that_begins_in_a_gap_is_judged_by_the_run_below_too),
        cmocka_unit_test(what_lies_below_the_start_is_passed_over),
        cmocka_unit_test(types_that_there_are_not_are_refused_even_below_the_start),
        cmocka_unit_test(ranges_and_numbers_of_types_that_make_no_sense_are_refused),
        cmocka_unit_test(a_refusal_takes_back_what_the_request_did_before),
        cmocka_unit_test(the_same_records_twice_in_a_request_are_refused_as_a_whole),
        cmocka_unit_test(several_acknowledgements_are_one_change),
        cmocka_unit_test(a_member_all_of_whose_records_were_taken_back_still_holds_them),
        cmocka_unit_test(the_number_of_pieces_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
