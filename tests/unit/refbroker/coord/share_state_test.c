/* Merging batches of a share partition: every way in which two can lie, and many at random, held
 * against a model that knows each offset by itself. */
#include "refbroker/coord/share_state.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

#define BATCHES_MAX 8

struct merge_case {
    int64_t start_offset;
    struct share_batch before[BATCHES_MAX], added[BATCHES_MAX], after[BATCHES_MAX];
};

static size_t
count_of(const struct share_batch *batches)
{
    size_t count = 0;

    while (count < BATCHES_MAX && batches[count].delivery_count > 0)
        count++;
    return count;
}

static struct share_state
state_of(int64_t start_offset, const struct share_batch *batches, size_t count)
{
    struct share_state state = {.start_offset = start_offset, .batch_count = count};

    state.batches = calloc(count + 1, sizeof *batches);
    for (size_t i = 0; i < count; i++)
        state.batches[i] = batches[i];
    return state;
}

static void
assert_same(const struct share_batch *a, const struct share_batch *b)
{
    assert_int_equal(a->first_offset, b->first_offset);
    assert_int_equal(a->last_offset, b->last_offset);
    assert_int_equal(a->delivery_count, b->delivery_count);
    assert_int_equal(a->delivery_state, b->delivery_state);
}

static void
cases_check(const struct merge_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct merge_case *c = &cases[i];
        struct share_state state = state_of(c->start_offset, c->before, count_of(c->before));

        share_state_merge(&state, c->added, count_of(c->added));
        if (state.batch_count != count_of(c->after))
            fail_msg("case %zu: %zu batches", i, state.batch_count);
        for (size_t k = 0; k < state.batch_count; k++)
            assert_same(&state.batches[k], &c->after[k]);
        share_state_fini(&state);
        assert_null(state.batches);
    }
}

/* In the tables: first and last offset, delivery count, state. */
static void
what_lies_below_the_start_goes(void **state)
{
    static const struct merge_case cases[] = {
        {100, {{0}}, {{0}}, {{0}}},
        {100, {{10, 99, 1, 0}}, {{50, 60, 1, 2}}, {{0}}},
        {100, {{10, 100, 1, 0}}, {{0}}, {{100, 100, 1, 0}}},
        {100, {{10, 120, 1, 0}}, {{90, 110, 2, 0}}, {{100, 110, 2, 0}, {111, 120, 1, 0}}},
        {SHARE_OFFSET_UNKNOWN, {{0, 5, 1, 0}}, {{0}}, {{0, 5, 1, 0}}},
    };

    (void)state;
    cases_check(cases, sizeof cases / sizeof *cases);
}

static void
batches_of_one_state_join_where_they_touch(void **state)
{
    static const struct merge_case cases[] = {
        {0, {{10, 19, 1, 0}}, {{20, 29, 1, 0}}, {{10, 29, 1, 0}}},
        {0, {{10, 19, 1, 0}}, {{15, 29, 1, 0}}, {{10, 29, 1, 0}}},
        {0, {{10, 29, 1, 0}}, {{15, 19, 1, 0}}, {{10, 29, 1, 0}}},
        {0, {{10, 19, 1, 0}}, {{10, 19, 1, 0}}, {{10, 19, 1, 0}}},
        {0, {{10, 19, 1, 0}}, {{21, 29, 1, 0}}, {{10, 19, 1, 0}, {21, 29, 1, 0}}},
        {0, {{10, 19, 1, 0}}, {{20, 29, 2, 0}}, {{10, 19, 1, 0}, {20, 29, 2, 0}}},
        {0, {{10, 19, 1, 0}}, {{20, 29, 1, 2}}, {{10, 19, 1, 0}, {20, 29, 1, 2}}},
        {0, {{10, 19, 1, 0}, {20, 29, 1, 0}}, {{0}}, {{10, 29, 1, 0}}},
    };

    (void)state;
    cases_check(cases, sizeof cases / sizeof *cases);
}

static void
of_two_over_each_other_the_higher_one_holds(void **state)
{
    static const struct merge_case cases[] = {
        /* Both begin at one offset. */
        {0, {{10, 19, 1, 0}}, {{10, 19, 1, 2}}, {{10, 19, 1, 2}}},
        {0, {{10, 19, 2, 0}}, {{10, 19, 1, 2}}, {{10, 19, 2, 0}}},
        {0, {{10, 19, 2, 0}}, {{10, 29, 1, 0}}, {{10, 19, 2, 0}, {20, 29, 1, 0}}},
        {0, {{10, 19, 1, 0}}, {{10, 29, 2, 0}}, {{10, 29, 2, 0}}},
        {0, {{10, 29, 1, 0}}, {{10, 19, 2, 0}}, {{10, 19, 2, 0}, {20, 29, 1, 0}}},
        /* One lies within the other. */
        {0, {{10, 39, 1, 0}}, {{20, 29, 1, 2}}, {{10, 19, 1, 0}, {20, 29, 1, 2}, {30, 39, 1, 0}}},
        {0, {{10, 39, 3, 0}}, {{20, 29, 1, 2}}, {{10, 39, 3, 0}}},
        {0, {{20, 29, 1, 0}}, {{10, 39, 2, 0}}, {{10, 39, 2, 0}}},
        {0, {{20, 29, 2, 0}}, {{10, 39, 1, 0}}, {{10, 19, 1, 0}, {20, 29, 2, 0}, {30, 39, 1, 0}}},
        /* Both end at one offset. */
        {0, {{10, 29, 1, 0}}, {{20, 29, 1, 4}}, {{10, 19, 1, 0}, {20, 29, 1, 4}}},
        {0, {{10, 29, 2, 0}}, {{20, 29, 1, 4}}, {{10, 29, 2, 0}}},
        /* The second goes on. */
        {0, {{10, 29, 1, 0}}, {{20, 39, 1, 4}}, {{10, 19, 1, 0}, {20, 39, 1, 4}}},
        {0, {{10, 29, 2, 0}}, {{20, 39, 1, 4}}, {{10, 29, 2, 0}, {30, 39, 1, 4}}},
        /* One over several. */
        {0, {{10, 19, 1, 0}, {20, 29, 1, 2}, {30, 39, 2, 0}}, {{15, 34, 1, 4}},
            {{10, 14, 1, 0}, {15, 29, 1, 4}, {30, 39, 2, 0}}},
    };

    (void)state;
    cases_check(cases, sizeof cases / sizeof *cases);
}

/* The neighbour in front was done when the one behind came to the same state. */
static void
a_neighbour_that_came_to_its_state_just_now_joins_with_the_next_merge(void **state)
{
    static const struct merge_case cases[] = {
        {0, {{10, 19, 1, 2}, {20, 29, 1, 0}}, {{20, 29, 1, 2}}, {{10, 19, 1, 2}, {20, 29, 1, 2}}},
        {0, {{10, 19, 1, 2}, {20, 29, 1, 2}}, {{0}}, {{10, 29, 1, 2}}},
        /* Here it is looked at before the one that it replaces. */
        {0, {{10, 19, 1, 2}, {20, 29, 1, 0}}, {{20, 24, 1, 2}}, {{10, 24, 1, 2}, {25, 29, 1, 0}}},
    };

    (void)state;
    cases_check(cases, sizeof cases / sizeof *cases);
}

/* --- at random ------------------------------------------------------------------------------- */

enum { OFFSETS = 64, SEEDS = 4000 };

/* What holds at each offset: count * 8 + state + 1; 0: nothing. */
static void
model_add(int *model, int64_t start_offset, const struct share_batch *batch)
{
    for (int64_t o = batch->first_offset; o <= batch->last_offset; o++) {
        int rank = batch->delivery_count * 8 + batch->delivery_state + 1;

        if (o >= start_offset && rank > model[o])
            model[o] = rank;
    }
}

static struct share_batch
batch_at_random(void)
{
    struct share_batch batch = {.first_offset = rand() % OFFSETS};

    batch.last_offset = batch.first_offset + rand() % (OFFSETS - (int)batch.first_offset);
    batch.delivery_count = (int16_t)(1 + rand() % 3);
    batch.delivery_state = (int8_t)(rand() % 5);
    return batch;
}

static void
assert_is_model(const struct share_state *state, const int *model)
{
    int found[OFFSETS] = {0};

    for (size_t i = 0; i < state->batch_count; i++) {
        assert_true(i == 0 || state->batches[i].first_offset > state->batches[i - 1].last_offset);
        model_add(found, 0, &state->batches[i]);
    }
    assert_memory_equal(found, model, sizeof found);
}

static void
random_batches_are_at_each_offset_what_a_plain_array_says(void **unused)
{
    (void)unused;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct share_state state = {.start_offset = 0};
        int model[OFFSETS] = {0};

        srand(seed);
        for (int round = 0; round < 6; round++) {
            struct share_batch added[40];
            size_t count = (size_t)rand() % (seed % 8 == 0 ? 40 : 6);

            if (rand() % 3 == 0)
                state.start_offset += rand() % 8;
            for (int64_t o = 0; o < state.start_offset; o++)
                model[o] = 0;
            for (size_t i = 0; i < count; i++) {
                added[i] = batch_at_random();
                model_add(model, state.start_offset, &added[i]);
            }
            share_state_merge(&state, added, count);
            assert_is_model(&state, model);
        }
        share_state_merge(&state, NULL, 0);
        for (size_t i = 1; i < state.batch_count; i++)
            assert_false(state.batches[i].first_offset == state.batches[i - 1].last_offset + 1 &&
                         state.batches[i].delivery_count == state.batches[i - 1].delivery_count &&
                         state.batches[i].delivery_state == state.batches[i - 1].delivery_state);
        share_state_fini(&state);
    }
}

/* Each is a little lower than the one before it and goes on a little further, so that by steps all
 * that are left are cut anew for each: 20,000 would take minutes. */
static void
batches_in_deep_layers_take_no_time_by_their_square(void **unused)
{
    enum { COUNT = 20000 };
    struct share_batch *added = calloc(COUNT, sizeof *added);
    struct share_state state = {.start_offset = 0};

    (void)unused;
    for (int64_t i = 0; i < COUNT; i++)
        added[i] = (struct share_batch){i, COUNT + i, (int16_t)(COUNT - i), 0};
    share_state_merge(&state, added, COUNT);
    assert_int_equal(state.batch_count, COUNT);
    assert_same(&state.batches[0], &(struct share_batch){0, COUNT, COUNT, 0});
    for (int64_t i = 1; i < COUNT; i++)
        assert_same(&state.batches[i],
            &(struct share_batch){COUNT + i, COUNT + i, (int16_t)(COUNT - i), 0});
    share_state_fini(&state);
    free(added);
}

static void
what_cannot_be_stored_is_not_valid(void **unused)
{
    static const struct share_batch bad[] = {{-1, 5, 1, 0}, {5, 4, 1, 0}, {0, INT64_MAX, 1, 0},
        {INT64_MIN, INT64_MAX, 1, 0}, {0, 5, 1, -1}, {0, 5, 1, 5}};
    static const struct share_batch good[] = {{0, 0, 1, 0}, {5, INT64_MAX - 1, 0, 4}};

    (void)unused;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(share_state_batches_are_valid(&bad[i], 1));
    assert_true(share_state_batches_are_valid(good, 2));
    assert_true(share_state_batches_are_valid(NULL, 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lies_below_the_start_goes),
        cmocka_unit_test(batches_of_one_state_join_where_they_touch),
        cmocka_unit_test(of_two_over_each_other_the_higher_one_holds),
        cmocka_unit_test(a_neighbour_that_came_to_its_state_just_now_joins_with_the_next_merge),
        cmocka_unit_test(random_batches_are_at_each_offset_what_a_plain_array_says),
        cmocka_unit_test(batches_in_deep_layers_take_no_time_by_their_square),
        cmocka_unit_test(what_cannot_be_stored_is_not_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
