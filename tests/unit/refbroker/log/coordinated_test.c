/* Files of coordinated topics on their way, in a broker whose lanes the test moves by hand. */
#include "refbroker/log/coordinated.h"

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define COORDINATED 3 /* a partition of that topic */

static struct broker_world world;

static int
setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    broker_world_init(&world, 1);
    assert_null(broker_world_start(&world));
    world.make.codec = COMPRESS_LZ4;
    broker_world_lanes(&world);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    broker_world_fini(&world);
    return 0;
}

/* A file with one batch, whose number comes back, on the way to be written on *lane. */
static size_t
file_send(unsigned *lane)
{
    size_t number = broker_world_produce(&world, COORDINATED);

    (void)broker_tick(world.broker);
    env_advance(&world.time, world.broker->options.commit_interval_ms * 1000);
    (void)broker_tick(world.broker);
    *lane = LANE_PUT + (world.broker->puts - 1) % LANE_PUT_COUNT;
    assert_int_equal(work_pending(world.work, *lane), 1);
    return number;
}

static void
file_put(unsigned lane)
{
    assert_true(work_step(world.work, lane));
    (void)broker_tick(world.broker);
    while (work_step(world.work, LANE_DB))
        (void)broker_tick(world.broker);
    broker_world_acks(&world);
}

static void
files_are_committed_in_the_order_in_which_they_were_closed(void **state)
{
    unsigned lanes[3];
    size_t numbers[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        numbers[i] = file_send(&lanes[i]);
    assert_int_not_equal(lanes[0], lanes[1]);
    assert_int_not_equal(lanes[1], lanes[2]);
    file_put(lanes[2]);
    file_put(lanes[1]);
    assert_int_equal(world.acked_count, 0);
    file_put(lanes[0]);
    assert_int_equal(world.acked_count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(world.records[numbers[i]].offset, i);
    assert_true(coordinated_is_idle(world.broker->coordinated));
    assert_null(broker_world_check(&world));
}

static void
those_behind_a_file_that_could_not_be_written_go_on(void **state)
{
    unsigned lanes[2];
    size_t numbers[2];

    (void)state;
    for (int i = 0; i < 2; i++)
        numbers[i] = file_send(&lanes[i]);
    file_put(lanes[1]);
    assert_int_equal(world.acked_count, 0);
    disk_cut_fault(world.disk, DISK_CUT_FAIL_WRITE, 1);
    file_put(lanes[0]);
    assert_int_equal(world.records[numbers[0]].error, KE_KAFKA_STORAGE_ERROR);
    assert_int_equal(world.records[numbers[1]].error, 0);
    assert_int_equal(world.records[numbers[1]].offset, 0);
    assert_true(coordinated_is_idle(world.broker->coordinated));
    assert_null(broker_world_check(&world));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(files_are_committed_in_the_order_in_which_they_were_closed),
        TEST(those_behind_a_file_that_could_not_be_written_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
