#include "refbroker/log/run_index.h"

#include "lib/base/env.h"
#include "tests/unit/unit.h"

static void
add(struct run_index *index, int64_t base, int64_t last, int64_t max_timestamp, uint32_t size)
{
    run_index_add(index, &(struct run){.base_offset = base,
                             .last_offset = last,
                             .max_timestamp = max_timestamp,
                             .size = size});
}

static void
assert_base(const struct run *run, int64_t base)
{
    if (base < 0) {
        assert_null(run);
        return;
    }
    assert_non_null(run);
    assert_int_equal(run->base_offset, base);
}

static void
find_gives_the_first_run_that_ends_at_the_offset_or_behind_it(void **state)
{
    struct run_index index;

    (void)state;
    run_index_init(&index);
    assert_base(run_index_find(&index, 0), -1);
    add(&index, 10, 19, 0, 1);
    add(&index, 20, 29, 0, 1);
    add(&index, 50, 50, 0, 1); /* behind a gap */
    assert_base(run_index_find(&index, INT64_MIN), 10);
    assert_base(run_index_find(&index, 10), 10);
    assert_base(run_index_find(&index, 19), 10);
    assert_base(run_index_find(&index, 20), 20);
    assert_base(run_index_find(&index, 30), 50);
    assert_base(run_index_find(&index, 50), 50);
    assert_base(run_index_find(&index, 51), -1);
    run_index_fini(&index);
}

static void
a_timestamp_is_looked_for_from_an_offset_on(void **state)
{
    struct run_index index;

    (void)state;
    run_index_init(&index);
    add(&index, 0, 9, 100, 1);
    add(&index, 10, 19, 50, 1); /* timestamps need not ascend */
    add(&index, 20, 29, 200, 1);
    assert_base(run_index_find_timestamp(&index, 0, 60), 0);
    assert_base(run_index_find_timestamp(&index, 10, 40), 10);
    assert_base(run_index_find_timestamp(&index, 10, 60), 20);
    assert_base(run_index_find_timestamp(&index, 0, 200), 20);
    assert_base(run_index_find_timestamp(&index, 0, 201), -1);
    assert_base(run_index_find_timestamp(&index, 30, 0), -1);
    run_index_fini(&index);
}

static void
a_trim_drops_only_runs_that_end_before_the_start(void **state)
{
    struct run_index index;

    (void)state;
    run_index_init(&index);
    assert_int_equal(run_index_trim(&index, 100), 0);
    add(&index, 0, 9, 0, 10);
    add(&index, 10, 19, 0, 20);
    add(&index, 20, 29, 0, 40);
    assert_int_equal(run_index_bytes(&index), 70);
    assert_int_equal(run_index_trim(&index, 0), 0);
    assert_int_equal(run_index_trim(&index, 9), 0);
    assert_int_equal(run_index_trim(&index, 10), 1);
    assert_int_equal(run_index_trim(&index, 15), 0);
    assert_int_equal(run_index_bytes(&index), 60);
    assert_base(run_index_find(&index, 0), 10);
    assert_int_equal(run_index_trim(&index, INT64_MAX), 2);
    assert_int_equal(run_index_bytes(&index), 0);
    add(&index, 30, 39, 0, 5);
    assert_base(run_index_find(&index, 0), 30);
    run_index_fini(&index);
}

static void
sizes_add_up_beyond_32_bits(void **state)
{
    struct run_index index;

    (void)state;
    run_index_init(&index);
    for (int i = 0; i < 10; i++)
        add(&index, i, i, 0, UINT32_MAX);
    assert_true(run_index_bytes(&index) == (int64_t)10 * UINT32_MAX);
    run_index_fini(&index);
}

static void
random_indexes_agree_with_a_plain_walk(void **state)
{
    enum { RUNS = 200 };

    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct run runs[RUNS];
        struct run_index index;
        int64_t next = 0, start;
        struct env env;
        size_t first;

        env_init_seeded(&env, seed, 0);
        run_index_init(&index);
        for (int i = 0; i < RUNS; i++) {
            next += (int64_t)env_random_below(&env, 3) * (int64_t)env_random_below(&env, 20);
            runs[i] = (struct run){.base_offset = next,
                .last_offset = next + (int64_t)env_random_below(&env, 10),
                .max_timestamp = (int64_t)env_random_below(&env, 1000)};
            next = runs[i].last_offset + 1;
            run_index_add(&index, &runs[i]);
        }
        start = (int64_t)env_random_below(&env, (uint64_t)next / 2);
        for (first = 0; runs[first].last_offset < start; first++)
            ;
        assert_int_equal(run_index_trim(&index, start), first);
        for (int64_t offset = 0; offset < next + 5; offset++) {
            int64_t timestamp = (int64_t)env_random_below(&env, 1100);
            size_t i = first, k;

            while (i < RUNS && runs[i].last_offset < offset)
                i++;
            for (k = i; k < RUNS && runs[k].max_timestamp < timestamp; k++)
                ;
            assert_base(run_index_find(&index, offset), i == RUNS ? -1 : runs[i].base_offset);
            assert_base(run_index_find_timestamp(&index, offset, timestamp),
                k == RUNS ? -1 : runs[k].base_offset);
        }
        run_index_fini(&index);
    }
}

static void
runs_are_replaced_within_a_range(void **state)
{
    struct run_index index;
    const struct run two[] = {
        {.base_offset = 21, .last_offset = 25}, {.base_offset = 26, .last_offset = 38}};

    (void)state;
    run_index_init(&index);
    for (int64_t base = 0; base < 60; base += 10)
        add(&index, base, base + 9, 0, 1);
    run_index_replace(&index, 20, 39, two, 2);
    assert_int_equal(index.count, 6);
    assert_base(run_index_find(&index, 20), 21);
    assert_base(run_index_find(&index, 26), 26);
    assert_base(run_index_find(&index, 39), 40);
    run_index_replace(&index, 0, 19, NULL, 0);
    assert_base(run_index_find(&index, 0), 21);
    /* The log's start has moved into the range meanwhile. */
    (void)run_index_trim(&index, 30);
    run_index_replace(&index, 21, 49, two, 2);
    assert_int_equal(index.count, 3);
    assert_base(run_index_find(&index, 0), 21);
    assert_base(run_index_find(&index, 39), 50);
    /* More runs than there is room for. */
    run_index_fini(&index);
    add(&index, 0, 99, 0, 1);
    run_index_replace(&index, 0, 99, two, 2);
    run_index_replace(&index, 21, 25, two, 1);
    assert_int_equal(index.count, 2);
    run_index_fini(&index);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_gives_the_first_run_that_ends_at_the_offset_or_behind_it),
        cmocka_unit_test(a_timestamp_is_looked_for_from_an_offset_on),
        cmocka_unit_test(a_trim_drops_only_runs_that_end_before_the_start),
        cmocka_unit_test(runs_are_replaced_within_a_range),
        cmocka_unit_test(sizes_add_up_beyond_32_bits),
        cmocka_unit_test(random_indexes_agree_with_a_plain_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
