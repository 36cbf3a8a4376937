/* What a broker remembers of transactions that were to begin in its partitions. */
#include "refbroker/log/verifications.h"

#include "tests/unit/unit.h"

#define PRODUCER 7
#define MAX 20

static struct verification_place
place(int64_t producer_id)
{
    return (struct verification_place){{{1}}, 2, producer_id};
}

static bool
blocks(const struct verifications *v, int64_t producer_id, int32_t sequence, bool is_new)
{
    struct verification_place at = place(producer_id);

    return verifications_block(v, &at, sequence, is_new);
}

static void
end(struct verifications *v, int64_t producer_id, int16_t epoch, bool is_marker)
{
    struct verification_place at = place(producer_id);

    verifications_end(v, &at, epoch, is_marker);
}

static void
note(struct verifications *v, int64_t producer_id, int16_t epoch, int32_t sequence, bool bumps)
{
    struct verification_place at = place(producer_id);
    struct verification noted = {.noted_ms = producer_id,
        .base_sequence = sequence,
        .producer_epoch = epoch,
        .bumps = bumps};

    verifications_note(v, &at, &noted);
}

static void
nothing_blocks_before_a_verification_or_in_another_partition(void **state)
{
    struct verifications *v = verifications_new(MAX);
    struct verification_place other = place(PRODUCER);

    (void)state;
    assert_false(blocks(v, PRODUCER, 100, true));
    end(v, PRODUCER, 0, false);
    verifications_expire(v, 0);
    note(v, PRODUCER, 0, 0, false);
    other.partition++;
    assert_false(verifications_block(v, &other, 100, true));
    other = place(PRODUCER);
    other.topic_id.bytes[0]++;
    assert_false(verifications_block(v, &other, 100, true));
    verifications_free(v);
    verifications_free(NULL);
}

static void
what_is_higher_than_the_lowest_sequence_waits(void **state)
{
    struct verifications *v = verifications_new(MAX);

    (void)state;
    note(v, PRODUCER, 0, 5, false);
    note(v, PRODUCER, 0, 3, false);
    note(v, PRODUCER, 0, 8, false);
    assert_true(blocks(v, PRODUCER, 4, false));
    assert_false(blocks(v, PRODUCER, 3, false));
    assert_false(blocks(v, PRODUCER, 0, false));
    assert_false(blocks(v, PRODUCER + 1, 100, false));
    end(v, PRODUCER, 0, false);
    assert_false(blocks(v, PRODUCER, 4, false));
    verifications_free(v);
}

static void
a_newer_epoch_begins_anew_and_an_older_one_changes_nothing(void **state)
{
    struct verifications *v = verifications_new(MAX);

    (void)state;
    note(v, PRODUCER, 1, 3, false);
    note(v, PRODUCER, 2, 9, false);
    note(v, PRODUCER, 1, 0, false);
    assert_true(blocks(v, PRODUCER, 10, false));
    assert_false(blocks(v, PRODUCER, 9, false));
    verifications_free(v);
}

static void
a_marker_of_the_same_epoch_ends_it_only_where_epochs_stay(void **state)
{
    struct verifications *v = verifications_new(MAX);

    (void)state;
    note(v, PRODUCER, 1, 0, true);
    end(v, PRODUCER, 1, true);
    assert_true(blocks(v, PRODUCER, 1, false));
    end(v, PRODUCER, 2, true);
    assert_false(blocks(v, PRODUCER, 1, false));
    note(v, PRODUCER, 1, 0, false);
    end(v, PRODUCER, 1, true);
    assert_false(blocks(v, PRODUCER, 1, false));
    verifications_free(v);
}

static void
a_new_producer_begins_with_the_sequence_0_where_epochs_go_up(void **state)
{
    struct verifications *v = verifications_new(MAX);

    (void)state;
    note(v, PRODUCER, 0, 4, true);
    note(v, PRODUCER + 1, 0, 4, false);
    note(v, PRODUCER + 1, 0, 4, true); /* what was first noted stays */
    assert_true(blocks(v, PRODUCER, 4, true));
    assert_false(blocks(v, PRODUCER, 0, true));
    assert_false(blocks(v, PRODUCER, 4, false));
    assert_false(blocks(v, PRODUCER + 1, 4, true));
    assert_false(blocks(v, PRODUCER + 2, 4, true));
    verifications_free(v);
}

static void
old_ones_are_forgotten(void **state)
{
    struct verifications *v = verifications_new(MAX);

    (void)state;
    note(v, 1, 0, 0, false);
    note(v, 2, 0, 0, false);
    verifications_expire(v, 2);
    assert_false(blocks(v, 1, 1, false));
    assert_true(blocks(v, 2, 1, false));
    verifications_free(v);
}

static void
what_comes_beyond_the_limit_is_not_noted(void **state)
{
    struct verifications *v = verifications_new(MAX);

    (void)state;
    for (int i = 0; i <= MAX; i++)
        note(v, i, 0, 1, false);
    note(v, 0, 0, 0, false); /* what is there goes on */
    assert_true(blocks(v, 0, 1, false));
    assert_true(blocks(v, MAX - 1, 2, false));
    assert_false(blocks(v, MAX, 2, false));
    end(v, 0, 0, false);
    note(v, MAX, 0, 1, false);
    assert_true(blocks(v, MAX, 2, false));
    verifications_free(v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_blocks_before_a_verification_or_in_another_partition),
        cmocka_unit_test(what_is_higher_than_the_lowest_sequence_waits),
        cmocka_unit_test(a_newer_epoch_begins_anew_and_an_older_one_changes_nothing),
        cmocka_unit_test(a_marker_of_the_same_epoch_ends_it_only_where_epochs_stay),
        cmocka_unit_test(a_new_producer_begins_with_the_sequence_0_where_epochs_go_up),
        cmocka_unit_test(old_ones_are_forgotten),
        cmocka_unit_test(what_comes_beyond_the_limit_is_not_noted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
