/*
 * disk_battery: what lib/base/disk.h promises, as tests for every driver.
 *
 * Each test finds an empty struct disk in *state, put there by `setup` and freed by `teardown`.
 */
#ifndef TESTS_UNIT_LIB_BASE_DISK_BATTERY_H
#define TESTS_UNIT_LIB_BASE_DISK_BATTERY_H

#define DISK_BATTERY_TEST(test, setup, teardown)                                                   \
    cmocka_unit_test_setup_teardown(disk_battery_##test, setup, teardown)

/* The rows of struct CMUnitTest. */
#define DISK_BATTERY(setup, teardown)                                                              \
    DISK_BATTERY_TEST(what_is_written_is_read, setup, teardown),                                   \
        DISK_BATTERY_TEST(a_read_is_short_only_at_the_end, setup, teardown),                       \
        DISK_BATTERY_TEST(a_write_behind_the_end_leaves_zeros, setup, teardown),                   \
        DISK_BATTERY_TEST(a_resize_cuts_and_fills_with_zeros, setup, teardown),                    \
        DISK_BATTERY_TEST(open_tells_what_is_there, setup, teardown),                              \
        DISK_BATTERY_TEST(a_file_opened_for_reading_takes_no_write, setup, teardown),              \
        DISK_BATTERY_TEST(direct_transfers_are_whole_pages, setup, teardown),                      \
        DISK_BATTERY_TEST(a_lock_is_held_until_the_file_is_closed, setup, teardown),               \
        DISK_BATTERY_TEST(a_rename_replaces_what_had_the_name, setup, teardown),                   \
        DISK_BATTERY_TEST(what_is_removed_is_gone, setup, teardown),                               \
        DISK_BATTERY_TEST(folders_are_made_once_and_listed, setup, teardown),                      \
        DISK_BATTERY_TEST(what_is_not_there_is_not_found, setup, teardown)

void disk_battery_what_is_written_is_read(void **state);
void disk_battery_a_read_is_short_only_at_the_end(void **state);
void disk_battery_a_write_behind_the_end_leaves_zeros(void **state);
void disk_battery_a_resize_cuts_and_fills_with_zeros(void **state);
void disk_battery_open_tells_what_is_there(void **state);
void disk_battery_a_file_opened_for_reading_takes_no_write(void **state);
void disk_battery_direct_transfers_are_whole_pages(void **state);
void disk_battery_a_lock_is_held_until_the_file_is_closed(void **state);
void disk_battery_a_rename_replaces_what_had_the_name(void **state);
void disk_battery_what_is_removed_is_gone(void **state);
void disk_battery_folders_are_made_once_and_listed(void **state);
void disk_battery_what_is_not_there_is_not_found(void **state);

#endif
