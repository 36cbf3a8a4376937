/*
 * store_battery: what lib/store/store.h promises, as tests for every driver.
 *
 * Each test finds an empty struct store in *state, put there by `setup` and freed by `teardown`.
 */
#ifndef TESTS_UNIT_LIB_STORE_STORE_BATTERY_H
#define TESTS_UNIT_LIB_STORE_STORE_BATTERY_H

#define STORE_BATTERY_TEST(test, setup, teardown)                                                  \
    cmocka_unit_test_setup_teardown(store_battery_##test, setup, teardown)

/* The rows of struct CMUnitTest. */
#define STORE_BATTERY(setup, teardown)                                                             \
    STORE_BATTERY_TEST(what_is_put_is_got, setup, teardown),                                       \
        STORE_BATTERY_TEST(pieces_are_put_as_one_object, setup, teardown),                         \
        STORE_BATTERY_TEST(ranges_are_exact, setup, teardown),                                     \
        STORE_BATTERY_TEST(a_missing_object_is_not_found, setup, teardown),                        \
        STORE_BATTERY_TEST(a_range_behind_the_end_is_truncated, setup, teardown),                  \
        STORE_BATTERY_TEST(removing_twice_is_fine, setup, teardown),                               \
        STORE_BATTERY_TEST(many_are_removed_at_once, setup, teardown),                             \
        STORE_BATTERY_TEST(a_second_put_replaces_the_whole_object, setup, teardown),               \
        STORE_BATTERY_TEST(the_list_has_every_key_once, setup, teardown),                          \
        STORE_BATTERY_TEST(objects_may_be_removed_while_they_are_listed, setup, teardown),         \
        STORE_BATTERY_TEST(keys_that_break_the_rule_are_refused, setup, teardown)

void store_battery_what_is_put_is_got(void **state);
void store_battery_pieces_are_put_as_one_object(void **state);
void store_battery_ranges_are_exact(void **state);
void store_battery_a_missing_object_is_not_found(void **state);
void store_battery_a_range_behind_the_end_is_truncated(void **state);
void store_battery_removing_twice_is_fine(void **state);
void store_battery_many_are_removed_at_once(void **state);
void store_battery_a_second_put_replaces_the_whole_object(void **state);
void store_battery_the_list_has_every_key_once(void **state);
void store_battery_objects_may_be_removed_while_they_are_listed(void **state);
void store_battery_keys_that_break_the_rule_are_refused(void **state);

#endif
