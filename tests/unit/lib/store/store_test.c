/* store.c only checks keys and hands over: the battery on a folder in memory covers both. */
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

int
main(void)
{
    const struct CMUnitTest tests[] = {STORE_BATTERY(setup, teardown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
