#include "cli/top_worker.h"

#include <stdatomic.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define FOR_EVER_MS 3600000
#define PATIENCE_MS 20000

static atomic_int rounds;

static void
count(void *arg, struct top_worker *worker)
{
    do
        atomic_fetch_add((atomic_int *)arg, 1);
    while (top_worker_pause(worker, FOR_EVER_MS));
}

static void
a_pause_ends_at_once_when_the_worker_is_stopped(void **state)
{
    struct top_worker *worker = top_worker_start(count, &rounds);

    (void)state;
    assert_true(top_worker_stop(worker, PATIENCE_MS));
    assert_true(atomic_load(&rounds) <= 1);
}

static void
count_to_five(void *arg, struct top_worker *worker)
{
    do {
        top_worker_lock(worker);
        ++*(int *)arg;
        top_worker_unlock(worker);
    } while (*(int *)arg < 5 && top_worker_pause(worker, 1));
}

static void
after_a_pause_the_work_goes_on(void **state)
{
    int done = 0, seen = 0;
    struct top_worker *worker = top_worker_start(count_to_five, &done);

    (void)state;
    while (seen < 5) {
        top_worker_lock(worker);
        seen = done;
        top_worker_unlock(worker);
    }
    assert_true(top_worker_stop(worker, PATIENCE_MS));
    assert_int_equal(done, 5);
}

static int hung[2];

static void
hang(void *arg, struct top_worker *worker)
{
    char byte;

    (void)arg;
    (void)worker;
    (void)!read(hung[0], &byte, 1);
}

static void
one_that_hangs_is_left_behind(void **state)
{
    struct top_worker *worker;

    (void)state;
    assert_int_equal(pipe(hung), 0);
    worker = top_worker_start(hang, NULL);
    assert_false(top_worker_stop(worker, 1));
    assert_int_equal(write(hung[1], "x", 1), 1);
    assert_true(top_worker_stop(worker, PATIENCE_MS));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_ends_at_once_when_the_worker_is_stopped),
        cmocka_unit_test(after_a_pause_the_work_goes_on),
        cmocka_unit_test(one_that_hangs_is_left_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
