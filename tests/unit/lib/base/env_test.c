#include "lib/base/env.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void
the_real_clocks_go_forward(void **state)
{
    struct env env;
    int64_t before, wall;

    (void)state;
    env_init_real(&env);
    before = env_now_us(&env);
    wall = (int64_t)time(NULL);
    for (int i = 0; i < 1000; i++) {
        int64_t now = env_now_us(&env);

        assert_true(now >= before);
        before = now;
    }
    assert_in_range(env_wall_ms(&env) / 1000, wall - 1, wall + 5);
    assert_true(env_now_ms(&env) >= before / 1000);
}

/* Waiting for an empty pipe costs none, working does. */
static void
a_thread_s_cpu_time_counts_its_work_only(void **state)
{
    int64_t before, after;
    struct pollfd empty;
    struct env env;
    int ends[2];

    (void)state;
    env_init_real(&env);
    assert_int_equal(pipe(ends), 0);
    empty = (struct pollfd){.fd = ends[0], .events = POLLIN};
    before = env_thread_cpu_us(&env);
    assert_int_equal(poll(&empty, 1, 50), 0);
    after = env_thread_cpu_us(&env);
    assert_in_range(after - before, 0, 20000);
    while (env_thread_cpu_us(&env) < after + 2000)
        continue;
    close(ends[0]);
    close(ends[1]);
    env_init_seeded(&env, 1, 0);
    env_advance(&env, 7);
    assert_int_equal(env_thread_cpu_us(&env), 7);
}

static void
the_seeded_clock_stands_until_it_is_moved(void **state)
{
    struct env env;

    (void)state;
    env_init_seeded(&env, 1, 1700000000000000);
    assert_int_equal(env_now_us(&env), 0);
    assert_int_equal(env_wall_ms(&env), 1700000000000);
    env_advance(&env, 1999);
    env_advance(&env, 0);
    assert_int_equal(env_now_us(&env), 1999);
    assert_int_equal(env_now_ms(&env), 1);
    assert_int_equal(env_wall_ms(&env), 1700000000001);
}

static void
equal_seeds_give_equal_numbers_and_others_do_not(void **state)
{
    struct env a, b, c;
    int equal = 0;

    (void)state;
    env_init_seeded(&a, 42, 0);
    env_init_seeded(&b, 42, 0);
    env_init_seeded(&c, 43, 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t x = env_random(&a);

        assert_true(x == env_random(&b));
        equal += x == env_random(&c);
    }
    assert_int_equal(equal, 0);
}

/* splitmix64 with seed 0 begins so (Vigna's reference output). */
static void
the_generator_is_splitmix64(void **state)
{
    struct env env;

    (void)state;
    env_init_seeded(&env, 0, 0);
    assert_true(env_random(&env) == 0xe220a8397b1dcdafu);
    assert_true(env_random(&env) == 0x6e789e6aa1b965f4u);
    assert_true(env_random(&env) == 0x06c45d188009454fu);
}

static void
numbers_below_a_bound_cover_it_evenly(void **state)
{
    struct env env;
    int seen[7] = {0};

    (void)state;
    env_init_seeded(&env, 5, 0);
    for (int i = 0; i < 7000; i++)
        seen[env_random_below(&env, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 850, 1150);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(env_random_below(&env, 1), 0);
        assert_true(env_random_below(&env, UINT64_MAX) < UINT64_MAX);
        assert_true(env_random_below(&env, ((uint64_t)1 << 63) + 1) <= (uint64_t)1 << 63);
    }
}

static void
bytes_are_filled_to_the_last_and_not_beyond(void **state)
{
    struct env env;

    (void)state;
    env_init_seeded(&env, 9, 0);
    for (size_t size = 0; size < 40; size++) {
        uint8_t bytes[48] = {0}, any = 0;

        for (int i = 0; i < 20; i++) {
            env_random_bytes(&env, bytes, size);
            any |= size == 0 ? 1 : bytes[size - 1];
        }
        assert_int_not_equal(any, 0);
        for (size_t i = size; i < sizeof bytes; i++)
            assert_int_equal(bytes[i], 0);
    }
}

static void
the_real_dice_do_not_repeat(void **state)
{
    struct env a, b;

    (void)state;
    env_init_real(&a);
    env_init_real(&b);
    assert_true(env_random(&a) != env_random(&b));
    assert_true(env_random(&a) != env_random(&a));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_real_clocks_go_forward),
        cmocka_unit_test(a_thread_s_cpu_time_counts_its_work_only),
        cmocka_unit_test(the_seeded_clock_stands_until_it_is_moved),
        cmocka_unit_test(equal_seeds_give_equal_numbers_and_others_do_not),
        cmocka_unit_test(the_generator_is_splitmix64),
        cmocka_unit_test(numbers_below_a_bound_cover_it_evenly),
        cmocka_unit_test(bytes_are_filled_to_the_last_and_not_beyond),
        cmocka_unit_test(the_real_dice_do_not_repeat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
