/* The battery on a real folder, then crashes: what a put promised is there, what it did not is
 * there whole or not at all, and no sync is for nothing. */
#include "lib/store/store.h"

#include <pthread.h>

#include "lib/base/env.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/lib/store/store_battery.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/unit.h"

#define OBJECTS 6
#define SIZE_MAX_HERE 20000

static char folder[TEMP_FOLDER_BYTES_MAX];
static struct disk *real;

static int
setup(void **state)
{
    struct store *store = NULL;

    temp_folder_make(folder);
    assert_int_equal(disk_open_real(folder, &real, NULL), RC_OK);
    assert_int_equal(store_open_folder(real, "objects", &store, NULL), RC_OK);
    *state = store;
    return 0;
}

static int
teardown(void **state)
{
    store_free(*state);
    disk_free(real);
    temp_folder_remove(folder);
    return 0;
}

struct thread {
    pthread_t thread;
    struct store *store;
    int number;
    int failures;
};

static void *
use_store(void *arg)
{
    struct thread *t = arg;
    char key[32], data[64], got[64];

    for (int i = 0; i < 30; i++) {
        snprintf(key, sizeof key, "thread-%d-%d", t->number, i);
        memset(data, 'a' + i % 26, sizeof data);
        t->failures += store_put(t->store, key, data, sizeof data, NULL) != RC_OK ||
                       store_get(t->store, key, 0, got, sizeof got, NULL) != RC_OK ||
                       memcmp(got, data, sizeof got) != 0 ||
                       (i % 2 == 0 && store_remove(t->store, key, NULL) != RC_OK);
    }
    return NULL;
}

static void
threads_may_use_one_store_at_once(void **state)
{
    struct thread threads[4];

    for (int i = 0; i < 4; i++) {
        threads[i] = (struct thread){.store = *state, .number = i};
        assert_int_equal(pthread_create(&threads[i].thread, NULL, use_store, &threads[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i].thread, NULL);
        assert_int_equal(threads[i].failures, 0);
    }
}

/* --- on a disk that fails -------------------------------------------------------------------- */

/* Object `number` of a disk, whose size and bytes follow from its number. */
static size_t
object_bytes(int number, uint8_t out[SIZE_MAX_HERE])
{
    size_t size = 1 + (size_t)number * 3517 % SIZE_MAX_HERE;

    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(i / 512 + (size_t)number * 17 + 1);
    return size;
}

static enum rc
put_object(struct store *store, int number)
{
    uint8_t bytes[SIZE_MAX_HERE];
    size_t size = object_bytes(number, bytes);
    char key[32];

    snprintf(key, sizeof key, "object-%d", number);
    return store_put(store, key, bytes, size, NULL);
}

/* 1: there and right, 0: not there, -1: there and wrong. */
static int
look_for(struct store *store, int number)
{
    uint8_t bytes[SIZE_MAX_HERE], got[SIZE_MAX_HERE];
    size_t size = object_bytes(number, bytes);
    char key[32];
    enum rc rc;

    snprintf(key, sizeof key, "object-%d", number);
    rc = store_get(store, key, 0, got, size, NULL);
    if (rc == RC_NOTFOUND)
        return 0;
    return rc == RC_OK && memcmp(got, bytes, size) == 0 &&
                   store_get(store, key, (int64_t)size, got, 1, NULL) == RC_TRUNCATED
               ? 1
               : -1;
}

struct run {
    struct disk *disk;
    bool promised[OBJECTS];
};

/* Opens the store and puts objects until the disk stops. */
static void
run_puts(struct run *run, uint64_t seed, uint64_t stop, uint64_t omitted_sync)
{
    struct store *store = NULL;

    memset(run, 0, sizeof *run);
    run->disk = disk_cut_new(seed);
    disk_cut_stop_at(run->disk, stop);
    disk_cut_fault(run->disk, DISK_CUT_OMIT_SYNC, omitted_sync);
    if (store_open_folder(run->disk, "objects", &store, NULL) != RC_OK)
        return;
    for (int i = 0; i < OBJECTS; i++)
        run->promised[i] = put_object(store, i) == RC_OK;
    store_free(store);
}

/* Whether all promises hold on the disk as it is now; frees it. */
static bool
holds(struct run *run)
{
    struct store *store = NULL;
    bool well = store_open_folder(run->disk, "objects", &store, NULL) == RC_OK;

    for (int i = 0; i < OBJECTS && well; i++) {
        int there = look_for(store, i);

        well = there == 1 || (there == 0 && !run->promised[i]);
    }
    store_free(store);
    disk_free(run->disk);
    return well;
}

static uint64_t
step_count(uint64_t *syncs)
{
    struct run run;
    uint64_t steps;

    run_puts(&run, 0, 0, 0);
    steps = disk_cut_counts(run.disk)->steps;
    *syncs = disk_cut_counts(run.disk)->syncs;
    assert_true(holds(&run));
    return steps;
}

static void
objects_are_whole_or_absent_after_a_cut_or_kill_at_every_step(void **state)
{
    uint64_t syncs, steps = step_count(&syncs);
    struct run run;

    (void)state;
    assert_int_equal(syncs, 1 + 2 * OBJECTS);
    for (uint64_t stop = 1; stop <= steps + 1; stop++)
        for (uint64_t seed = 0; seed < 12; seed++) {
            run_puts(&run, seed, stop, 0);
            if (seed < 2)
                disk_cut_kill(run.disk);
            else
                disk_cut_power(run.disk);
            if (!holds(&run))
                fail_msg("stop %d, seed %d", (int)stop, (int)seed);
        }
}

static void
no_sync_of_a_put_can_be_left_out(void **state)
{
    uint64_t syncs, steps = step_count(&syncs);
    struct run run;

    (void)state;
    for (uint64_t k = 1; k <= syncs; k++) {
        bool missed = false;

        for (uint64_t seed = 0; seed < 20 && !missed; seed++)
            for (uint64_t stop = 1; stop <= steps + 1 && !missed; stop++) {
                run_puts(&run, seed, stop, k);
                disk_cut_power(run.disk);
                missed = !holds(&run);
            }
        if (!missed)
            fail_msg("without sync %d of %d nothing is lost", (int)k, (int)syncs);
    }
}

static void
count_key(void *arg, const char *key)
{
    (void)key;
    ++*(int *)arg;
}

static int
name_count(struct disk *disk)
{
    int count = 0;

    assert_int_equal(disk_list(disk, "objects", count_key, &count, NULL), RC_OK);
    return count;
}

static void
left_overs_of_an_interrupted_put_are_removed_and_never_listed(void **state)
{
    struct disk *disk = disk_cut_new(3);
    struct store *store = NULL;
    int count = 0;

    (void)state;
    assert_int_equal(store_open_folder(disk, "objects", &store, NULL), RC_OK);
    disk_cut_stop_at(disk, 3); /* make, write, sync */
    assert_int_equal(put_object(store, 5), RC_IO);
    store_free(store);
    disk_cut_kill(disk);
    assert_int_equal(name_count(disk), 1);
    assert_int_equal(store_open_folder(disk, "objects", &store, NULL), RC_OK);
    assert_int_equal(name_count(disk), 0);
    assert_int_equal(store_list(store, count_key, &count, NULL), RC_OK);
    assert_int_equal(count, 0);
    store_free(store);
    disk_free(disk);
}

static void
a_full_disk_is_told_and_takes_objects_again_later(void **state)
{
    struct disk *disk = disk_cut_new(3);
    struct store *store = NULL;

    (void)state;
    assert_int_equal(store_open_folder(disk, "objects", &store, NULL), RC_OK);
    disk_cut_limit(disk, DISK_ALIGN_BYTES);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put_object(store, 5), RC_NO_SPACE);
        assert_int_equal(look_for(store, 5), 0);
        assert_int_equal(name_count(disk), 0); /* its space is free again */
    }
    disk_cut_limit(disk, UINT64_MAX);
    assert_int_equal(put_object(store, 5), RC_OK);
    assert_int_equal(look_for(store, 5), 1);
    store_free(store);
    disk_free(disk);
}

/* After a failed sync the same file is not synced again: the next try makes another. */
static void
a_put_after_a_failed_sync_is_durable(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct run run = {.disk = disk_cut_new(seed)};
        struct store *store = NULL;

        assert_int_equal(store_open_folder(run.disk, "objects", &store, NULL), RC_OK);
        disk_cut_fault(run.disk, DISK_CUT_FAIL_SYNC, 1 + seed % 2);
        assert_int_equal(put_object(store, 5), RC_IO);
        assert_int_equal(put_object(store, 5), RC_OK);
        run.promised[5] = true;
        store_free(store);
        disk_cut_power(run.disk);
        assert_true(holds(&run));
    }
}

static void
a_read_that_breaks_off_is_truncated(void **state)
{
    struct disk *disk = disk_cut_new(3);
    struct store *store = NULL;
    char got[100];

    (void)state;
    assert_int_equal(store_open_folder(disk, "objects", &store, NULL), RC_OK);
    assert_int_equal(put_object(store, 5), RC_OK);
    disk_cut_fault(disk, DISK_CUT_SHORT_READ, 1);
    assert_int_equal(store_get(store, "object-5", 0, got, sizeof got, NULL), RC_TRUNCATED);
    disk_cut_fault(disk, DISK_CUT_FAIL_READ, 1);
    assert_int_equal(store_get(store, "object-5", 0, got, sizeof got, NULL), RC_IO);
    assert_int_equal(store_get(store, "object-5", 0, got, sizeof got, NULL), RC_OK);
    store_free(store);
    disk_free(disk);
}

static void
a_folder_that_cannot_be_made_or_listed_is_refused(void **state)
{
    struct disk *disk = disk_cut_new(3);
    struct disk_file *file = NULL;
    struct store *store = NULL;

    (void)state;
    assert_int_equal(disk_open(disk, "file", DISK_WRITE | DISK_CREATE, &file, NULL), RC_OK);
    disk_close(file);
    assert_int_equal(store_open_folder(disk, "file", &store, NULL), RC_EXISTS);
    assert_int_equal(store_open_folder(disk, "no/where", &store, NULL), RC_NOTFOUND);
    disk_cut_fault(disk, DISK_CUT_FAIL_SYNC, 1);
    assert_int_equal(store_open_folder(disk, "objects", &store, NULL), RC_IO);
    assert_null(store);
    disk_free(disk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_BATTERY(setup, teardown),
        cmocka_unit_test_setup_teardown(threads_may_use_one_store_at_once, setup, teardown),
        cmocka_unit_test(objects_are_whole_or_absent_after_a_cut_or_kill_at_every_step),
        cmocka_unit_test(no_sync_of_a_put_can_be_left_out),
        cmocka_unit_test(left_overs_of_an_interrupted_put_are_removed_and_never_listed),
        cmocka_unit_test(a_full_disk_is_told_and_takes_objects_again_later),
        cmocka_unit_test(a_put_after_a_failed_sync_is_durable),
        cmocka_unit_test(a_read_that_breaks_off_is_truncated),
        cmocka_unit_test(a_folder_that_cannot_be_made_or_listed_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
