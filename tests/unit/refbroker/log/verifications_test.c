/* What a partition remembers of transactions that were to begin in it. */
#include "refbroker/log/verifications.h"

#include "tests/unit/unit.h"

#define PRODUCER 7

static void
note(struct verifications **v, int64_t producer_id, int16_t epoch, int32_t sequence, bool bumps)
{
    struct verification noted = {.producer_id = producer_id,
        .now_ms = producer_id,
        .base_sequence = sequence,
        .producer_epoch = epoch,
        .bumps = bumps};

    verifications_note(v, &noted);
}

static void
nothing_blocks_before_a_verification(void **state)
{
    (void)state;
    assert_false(verifications_block(NULL, PRODUCER, 100, false));
    verifications_end(NULL, PRODUCER, 0, false);
    verifications_expire(NULL, 0);
    verifications_free(NULL);
}

static void
what_is_higher_than_the_lowest_sequence_waits(void **state)
{
    struct verifications *v = NULL;

    (void)state;
    note(&v, PRODUCER, 0, 5, false);
    note(&v, PRODUCER, 0, 3, false);
    note(&v, PRODUCER, 0, 8, false);
    assert_true(verifications_block(v, PRODUCER, 4, false));
    assert_false(verifications_block(v, PRODUCER, 3, false));
    assert_false(verifications_block(v, PRODUCER, 0, false));
    assert_false(verifications_block(v, PRODUCER + 1, 100, false));
    verifications_end(v, PRODUCER, 0, false);
    assert_false(verifications_block(v, PRODUCER, 4, false));
    verifications_free(v);
}

static void
a_newer_epoch_begins_anew_and_an_older_one_changes_nothing(void **state)
{
    struct verifications *v = NULL;

    (void)state;
    note(&v, PRODUCER, 1, 3, false);
    note(&v, PRODUCER, 2, 9, false);
    note(&v, PRODUCER, 1, 0, false);
    assert_true(verifications_block(v, PRODUCER, 10, false));
    assert_false(verifications_block(v, PRODUCER, 9, false));
    verifications_free(v);
}

static void
a_marker_of_the_same_epoch_ends_it_only_where_epochs_stay(void **state)
{
    struct verifications *v = NULL;

    (void)state;
    note(&v, PRODUCER, 1, 0, true);
    verifications_end(v, PRODUCER, 1, true);
    assert_true(verifications_block(v, PRODUCER, 1, false));
    verifications_end(v, PRODUCER, 2, true);
    assert_false(verifications_block(v, PRODUCER, 1, false));
    note(&v, PRODUCER, 1, 0, false);
    verifications_end(v, PRODUCER, 1, true);
    assert_false(verifications_block(v, PRODUCER, 1, false));
    verifications_free(v);
}

static void
a_new_producer_begins_with_the_sequence_0_where_epochs_go_up(void **state)
{
    struct verifications *v = NULL;

    (void)state;
    note(&v, PRODUCER, 0, 4, true);
    note(&v, PRODUCER + 1, 0, 4, false);
    note(&v, PRODUCER + 1, 0, 4, true); /* what was first noted stays */
    assert_true(verifications_block(v, PRODUCER, 4, true));
    assert_false(verifications_block(v, PRODUCER, 0, true));
    assert_false(verifications_block(v, PRODUCER, 4, false));
    assert_false(verifications_block(v, PRODUCER + 1, 4, true));
    assert_false(verifications_block(v, PRODUCER + 2, 4, true));
    verifications_free(v);
}

static void
old_ones_are_forgotten(void **state)
{
    struct verifications *v = NULL;

    (void)state;
    note(&v, 1, 0, 0, false);
    note(&v, 2, 0, 0, false);
    verifications_expire(v, 2);
    assert_false(verifications_block(v, 1, 1, false));
    assert_true(verifications_block(v, 2, 1, false));
    verifications_free(v);
}

static void
beyond_the_limit_the_first_is_forgotten(void **state)
{
    struct verifications *v = NULL;

    (void)state;
    for (int i = 0; i <= VERIFICATIONS_MAX; i++)
        note(&v, i, 0, 0, false);
    assert_false(verifications_block(v, 0, 1, false));
    assert_true(verifications_block(v, 1, 1, false));
    assert_true(verifications_block(v, VERIFICATIONS_MAX, 1, false));
    verifications_free(v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_blocks_before_a_verification),
        cmocka_unit_test(what_is_higher_than_the_lowest_sequence_waits),
        cmocka_unit_test(a_newer_epoch_begins_anew_and_an_older_one_changes_nothing),
        cmocka_unit_test(a_marker_of_the_same_epoch_ends_it_only_where_epochs_stay),
        cmocka_unit_test(a_new_producer_begins_with_the_sequence_0_where_epochs_go_up),
        cmocka_unit_test(old_ones_are_forgotten),
        cmocka_unit_test(beyond_the_limit_the_first_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
