#include "refbroker/log/cleaner_keys.h"

#include "tests/unit/unit.h"

#define MANY 100000

static void
the_last_offset_of_a_key_is_kept(void **state)
{
    struct cleaner_keys *keys = cleaner_keys_new(1 << 16);

    (void)state;
    assert_int_equal(cleaner_keys_get(keys, "a", 1), CLEANER_KEYS_NONE);
    assert_true(cleaner_keys_put(keys, "a", 1, 0));
    assert_true(cleaner_keys_put(keys, "b", 1, 1));
    assert_true(cleaner_keys_put(keys, "a", 1, 7));
    assert_true(cleaner_keys_put(keys, "", 0, 8));
    assert_int_equal(cleaner_keys_get(keys, "a", 1), 7);
    assert_int_equal(cleaner_keys_get(keys, "b", 1), 1);
    assert_int_equal(cleaner_keys_get(keys, "", 0), 8);
    assert_int_equal(cleaner_keys_get(keys, "ab", 2), CLEANER_KEYS_NONE);
    assert_int_equal(cleaner_keys_count(keys), 3);
    cleaner_keys_free(keys);
}

static void
a_map_that_grows_forgets_nothing(void **state)
{
    struct cleaner_keys *keys = cleaner_keys_new((size_t)MANY * 2 * CLEANER_KEYS_ENTRY_BYTES);

    (void)state;
    for (int64_t i = 0; i < MANY; i++)
        assert_true(cleaner_keys_put(keys, &i, sizeof i, i));
    for (int64_t i = 0; i < MANY; i++)
        assert_int_equal(cleaner_keys_get(keys, &i, sizeof i), i);
    assert_int_equal(cleaner_keys_count(keys), MANY);
    cleaner_keys_free(keys);
}

static void
a_full_map_takes_no_new_key_and_still_moves_known_ones(void **state)
{
    struct cleaner_keys *keys = cleaner_keys_new(100 * CLEANER_KEYS_ENTRY_BYTES);
    int64_t taken = 0, key;

    (void)state;
    while (taken < 200 && cleaner_keys_put(keys, &taken, sizeof taken, taken))
        taken++;
    assert_int_equal(taken, 90);
    key = 5;
    assert_true(cleaner_keys_put(keys, &key, sizeof key, 1000));
    assert_int_equal(cleaner_keys_get(keys, &key, sizeof key), 1000);
    key = 90;
    assert_int_equal(cleaner_keys_get(keys, &key, sizeof key), CLEANER_KEYS_NONE);
    cleaner_keys_free(keys);
}

static void
the_smallest_map_has_room_for_one_key(void **state)
{
    struct cleaner_keys *keys = cleaner_keys_new(0);

    (void)state;
    assert_true(cleaner_keys_put(keys, "a", 1, 1));
    assert_false(cleaner_keys_put(keys, "b", 1, 2));
    assert_int_equal(cleaner_keys_get(keys, "b", 1), CLEANER_KEYS_NONE);
    cleaner_keys_free(keys);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_offset_of_a_key_is_kept),
        cmocka_unit_test(a_map_that_grows_forgets_nothing),
        cmocka_unit_test(a_full_map_takes_no_new_key_and_still_moves_known_ones),
        cmocka_unit_test(the_smallest_map_has_room_for_one_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
