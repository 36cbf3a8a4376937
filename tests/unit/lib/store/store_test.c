/* store.c checks keys, hands over and counts: the battery on a folder in memory, and what it costs.
 */
#include "lib/store/store.h"

#include "tests/sim/disk_cut.h"
#include "tests/unit/lib/store/store_battery.h"
#include "tests/unit/unit.h"

static struct disk *disk;

static int
setup(void **state)
{
    struct store *store = NULL;

    disk = disk_cut_new(1);
    assert_int_equal(store_open_folder(disk, "objects", &store, NULL), RC_OK);
    *state = store;
    return 0;
}

static int
teardown(void **state)
{
    store_free(*state);
    store_free(NULL);
    disk_free(disk);
    return 0;
}

static void
count_key(void *arg, const char *key)
{
    (void)arg;
    (void)key;
}

static void
operations_and_bytes_are_counted(void **state)
{
    static const char *const keys[] = {"a", "b"};
    struct store *store = *state;
    bool removed[2];
    char got[10];

    assert_int_equal(store_put(store, "a", "0123456789", 10, NULL), RC_OK);
    assert_int_equal(store_put(store, "../a", "0123456789", 10, NULL), RC_CONFIG);
    assert_int_equal(store_get(store, "a", 2, got, 3, NULL), RC_OK);
    assert_int_equal(store_get(store, "b", 0, got, 3, NULL), RC_NOTFOUND);
    assert_int_equal(store_list(store, count_key, NULL, NULL), RC_OK);
    assert_int_equal(store_remove_many(store, keys, 2, removed, NULL), RC_OK);
    assert_int_equal(store_remove(store, "a", NULL), RC_OK);
    assert_int_equal(store->requests[STORE_PUT], 1);
    assert_int_equal(store->bytes[STORE_PUT], 10);
    assert_int_equal(store->requests[STORE_GET], 2);
    assert_int_equal(store->bytes[STORE_GET], 3);
    assert_int_equal(store->requests[STORE_LIST], 1);
    assert_int_equal(store->requests[STORE_DELETE], 3);
    assert_int_equal(store->failures, 1);
}

/* What ends calls that wait for a server does nothing to a folder. */
static void
a_folder_is_not_canceled(void **state)
{
    store_cancel(*state);
    assert_int_equal(store_put(*state, "a", "", 0, NULL), RC_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {STORE_BATTERY(setup, teardown),
        cmocka_unit_test_setup_teardown(operations_and_bytes_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_is_not_canceled, setup, teardown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
