#include "lib/base/map.h"

#include "lib/base/env.h"
#include "tests/unit/unit.h"

static char values[4000]; /* values are addresses in here */

static void
a_key_gives_its_value(void **state)
{
    struct map map;

    (void)state;
    map_init(&map);
    assert_null(map_get_text(&map, "a"));
    assert_null(map_remove_text(&map, "a"));
    assert_null(map_put_text(&map, "a", &values[1]));
    assert_null(map_put_text(&map, "b", &values[2]));
    assert_ptr_equal(map_get_text(&map, "a"), &values[1]);
    assert_ptr_equal(map_put_text(&map, "a", &values[3]), &values[1]);
    assert_ptr_equal(map_get_text(&map, "a"), &values[3]);
    assert_int_equal(map_count(&map), 2);
    assert_ptr_equal(map_remove_text(&map, "a"), &values[3]);
    assert_null(map_get_text(&map, "a"));
    assert_int_equal(map_count(&map), 1);
    map_fini(&map, NULL);
}

static void
keys_are_any_bytes_and_are_copied(void **state)
{
    char key[] = "a\0b";
    struct map map = {0}; /* zeroed memory is an empty map */

    (void)state;
    map_put(&map, key, 3, &values[1]);
    map_put(&map, key, 1, &values[2]);
    map_put(&map, NULL, 0, &values[3]);
    memset(key, 'x', sizeof key);
    assert_ptr_equal(map_get(&map, "a\0b", 3), &values[1]);
    assert_ptr_equal(map_get_text(&map, "a"), &values[2]);
    assert_ptr_equal(map_get_text(&map, ""), &values[3]);
    assert_null(map_get(&map, "a\0", 2));
    map_put_int(&map, -1, &values[4]);
    assert_ptr_equal(map_get_int(&map, -1), &values[4]);
    assert_null(map_get_int(&map, 1));
    assert_ptr_equal(map_remove_int(&map, -1), &values[4]);
    map_fini(&map, NULL);
}

static void
a_walk_follows_the_order_of_the_first_putting(void **state)
{
    struct map map;
    size_t position = 0, size = 0;
    const void *key = NULL;

    (void)state;
    map_init(&map);
    for (int i = 0; i < 1000; i++)
        map_put_int(&map, (i * 7919) % 1000, &values[i]);
    map_put_int(&map, 0, &values[0]);
    for (int i = 0; i < 1000; i += 3)
        map_remove_int(&map, (i * 7919) % 1000);
    for (int i = 0; i < 1000; i++) {
        int64_t number;

        if (i % 3 == 0)
            continue;
        assert_ptr_equal(map_next(&map, &position, &key, &size), &values[i]);
        assert_int_equal(size, sizeof number);
        memcpy(&number, key, sizeof number);
        assert_int_equal(number, (i * 7919) % 1000);
    }
    assert_null(map_next(&map, &position, NULL, NULL));
    assert_null(map_next(&map, &position, NULL, NULL));
    map_fini(&map, NULL);
}

static void
the_entry_just_returned_may_be_removed(void **state)
{
    struct map map;
    size_t position = 0;
    const void *key = NULL;
    size_t size = 0, seen = 0;

    (void)state;
    map_init(&map);
    for (int i = 0; i < 100; i++)
        map_put_int(&map, i, &values[i]);
    while (map_next(&map, &position, &key, &size) != NULL) {
        map_remove(&map, key, size);
        seen++;
    }
    assert_int_equal(seen, 100);
    assert_int_equal(map_count(&map), 0);
    map_fini(&map, NULL);
}

static void
fini_frees_the_values_that_are_left(void **state)
{
    struct map map;

    (void)state;
    map_init(&map);
    for (int i = 0; i < 50; i++)
        map_put_int(&map, i, malloc(10));
    for (int i = 0; i < 50; i += 2)
        free(map_remove_int(&map, i));
    map_fini(&map, free);
    assert_int_equal(map_count(&map), 0);
    map_put_int(&map, 1, &values[1]);
    map_fini(&map, NULL);
}

/* A few keys that come and go for ever must not take ever more memory. */
static void
coming_and_going_takes_bounded_memory(void **state)
{
    struct map map;

    (void)state;
    map_init(&map);
    for (int64_t i = 0; i < 200000; i++) {
        map_put_int(&map, i, &values[1]);
        if (i >= 10)
            assert_non_null(map_remove_int(&map, i - 10));
    }
    assert_int_equal(map_count(&map), 10);
    assert_in_range(map.entry_capacity, 1, 100);
    assert_in_range(map.slot_count, 1, 200);
    map_fini(&map, NULL);
}

/* Whoever knows the source cannot choose keys that land in one slot; under FNV-1a these do. */
static void
keys_that_were_chosen_to_collide_do_not(void **state)
{
    enum { KEYS = 1000 };
    struct map map;
    size_t longest = 0, run = 0;
    int64_t number = 0;

    (void)state;
    map_init(&map);
    for (int found = 0; found < KEYS; number++) {
        uint64_t h = 0xcbf29ce484222325u;

        for (size_t i = 0; i < sizeof number; i++)
            h = (h ^ ((const unsigned char *)&number)[i]) * 0x100000001b3u;
        h ^= h >> 32;
        h *= 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
        if ((h & 0xfff) != 0)
            continue;
        map_put_int(&map, number, &values[1]);
        found++;
    }
    for (size_t i = 0; i < map.slot_count; i++) {
        run = map.slots[i] == 0 ? 0 : run + 1;
        longest = run > longest ? run : longest;
    }
    assert_in_range(longest, 1, 200);
    map_fini(&map, NULL);
}

static void
random_histories_agree_with_a_plain_array(void **state)
{
    enum { KEYS = 300 };

    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        char *expected[KEYS] = {NULL};
        size_t count = 0;
        struct map map;
        struct env env;

        map_init(&map);
        env_init_seeded(&env, seed, 0);
        for (int step = 0; step < 5000; step++) {
            size_t k = (size_t)env_random_below(&env, KEYS);
            char key[32];

            snprintf(key, sizeof key, "key-%zu", k);
            if (env_random_below(&env, 5) < (uint64_t)(step % 1000 < 500 ? 3 : 1)) {
                char *value = &values[step % 4000];

                assert_ptr_equal(map_put_text(&map, key, value), expected[k]);
                count += expected[k] == NULL;
                expected[k] = value;
            } else {
                assert_ptr_equal(map_remove_text(&map, key), expected[k]);
                count -= expected[k] != NULL;
                expected[k] = NULL;
            }
            assert_int_equal(map_count(&map), count);
        }
        for (size_t k = 0; k < KEYS; k++) {
            char key[32];

            snprintf(key, sizeof key, "key-%zu", k);
            assert_ptr_equal(map_get_text(&map, key), expected[k]);
        }
        map_fini(&map, NULL);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_gives_its_value),
        cmocka_unit_test(keys_are_any_bytes_and_are_copied),
        cmocka_unit_test(a_walk_follows_the_order_of_the_first_putting),
        cmocka_unit_test(the_entry_just_returned_may_be_removed),
        cmocka_unit_test(fini_frees_the_values_that_are_left),
        cmocka_unit_test(coming_and_going_takes_bounded_memory),
        cmocka_unit_test(keys_that_were_chosen_to_collide_do_not),
        cmocka_unit_test(random_histories_agree_with_a_plain_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
