#include "refbroker/coord/producer_ids.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

static struct broker_world world;
static int readies;
static int16_t last_error;

static int
set_up(void **state)
{
    (void)state;
    readies = 0;
    broker_world_init(&world, 3);
    assert_null(broker_world_start(&world));
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    broker_world_fini(&world);
    return 0;
}

static void
ready(struct broker *broker, struct producer_ids_waiter *waiter, int16_t error)
{
    (void)broker;
    (void)waiter;
    readies++;
    last_error = error;
}

/* The next id, waited for where none is at hand. */
static int64_t
take(void)
{
    struct producer_ids_waiter waiter = {.ready = ready};

    if (producer_ids_peek(world.broker) < 0) {
        producer_ids_wait(world.broker, &waiter);
        broker_world_rest(&world, 100);
        assert_int_equal(last_error, KE_NONE);
    }
    return producer_ids_take(world.broker);
}

static void
restart(void)
{
    broker_world_crash(&world);
    disk_cut_power(world.disk);
    assert_null(broker_world_start(&world));
}

static void
ids_ascend_and_none_comes_twice_even_after_a_crash(void **state)
{
    int64_t last = -1;

    (void)state;
    for (int starts = 0; starts < 5; starts++) {
        for (int i = 0; i < 1200; i++) {
            int64_t id = take();

            assert_true(id > last);
            last = id;
        }
        restart();
    }
}

static void
a_block_is_reserved_before_the_one_before_is_used_up(void **state)
{
    (void)state;
    (void)take();
    readies = 0;
    for (int i = 0; i < 5000; i++) {
        assert_true(producer_ids_peek(world.broker) >= 0);
        (void)producer_ids_take(world.broker);
        if (i % 100 == 0)
            broker_world_rest(&world, 50);
    }
    assert_int_equal(readies, 0);
}

static void
a_wait_that_is_taken_back_is_not_called(void **state)
{
    struct producer_ids_waiter stays = {.ready = ready}, goes = {.ready = ready};

    (void)state;
    assert_int_equal(producer_ids_peek(world.broker), -1);
    producer_ids_wait(world.broker, &goes);
    producer_ids_wait(world.broker, &stays);
    list_remove(&world.broker->producer_id_waiters, &goes.node);
    broker_world_rest(&world, 100);
    assert_int_equal(readies, 1);
}

struct raise_job {
    struct catalog_job job;
    int64_t end;
};

static enum rc
raise_apply(struct catalog *catalog, struct catalog_job *job, struct err *e)
{
    return producer_ids_raise_stored(catalog, ((struct raise_job *)(void *)job)->end, e);
}

static void
raise_done(struct catalog_job *job)
{
    assert_int_equal(job->rc, RC_OK);
    producer_ids_raise(world.broker, ((struct raise_job *)(void *)job)->end);
}

static void
raise_to(int64_t end)
{
    struct raise_job job = {.job = {.apply = raise_apply, .done = raise_done}, .end = end};

    catalog_submit(world.broker->catalog, &job.job);
    broker_world_rest(&world, 100);
}

/* A promotion used to write its own end over that of a block which was reserved meanwhile, and left
 * ids inside the block alone. */
static void
raising_leaves_ids_out_and_never_gives_reserved_ones_back(void **state)
{
    int64_t id;

    (void)state;
    assert_int_equal(take(), 0);
    raise_to(500); /* inside the block */
    assert_int_equal(take(), 500);
    raise_to(10); /* below: nothing changes */
    assert_int_equal(take(), 501);
    id = world.broker->producer_id_end;
    restart();
    assert_true(take() >= id);
    raise_to(1000000);
    assert_int_equal(take(), 1000000);
    restart();
    assert_true(take() > 1000000);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(ids_ascend_and_none_comes_twice_even_after_a_crash),
        TEST(a_block_is_reserved_before_the_one_before_is_used_up),
        TEST(a_wait_that_is_taken_back_is_not_called),
        TEST(raising_leaves_ids_out_and_never_gives_reserved_ones_back),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
