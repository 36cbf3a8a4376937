/* Uploads in several objects, in a broker whose lanes the test moves by hand. */
#include "refbroker/log/upload.h"

#include "lib/base/xalloc.h"
#include "lib/wire/compress.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define PARTITIONS 3 /* an object each, since a run is never parted */
#define BATCHES 4    /* in each */
#define RETRY_MS 1000

static struct broker_world world;

static void
assert_committed(int64_t end)
{
    for (int i = 0; i < PARTITIONS; i++)
        assert_int_equal(broker_world_partition(&world, i)->committed_end, end);
}

/* Partitions with batches that are durable and in no object. */
static int
setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    broker_world_init(&world, 1);
    world.upload_object_bytes = 300;
    assert_null(broker_world_start(&world));
    world.make.codec = COMPRESS_LZ4;
    env_advance(&world.time, 1000); /* 0 is no time, to the upload's interval */
    for (int i = 0; i < PARTITIONS * BATCHES; i++)
        (void)broker_world_produce(&world, i % PARTITIONS);
    broker_world_lanes(&world);
    broker_world_acks(&world);
    assert_int_equal(world.acked_count, PARTITIONS * BATCHES);
    assert_committed(0);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    broker_world_fini(&world);
    return 0;
}

static void
count_key(void *arg, const char *key)
{
    (void)key;
    ++*(size_t *)arg;
}

static size_t
objects_count(void)
{
    size_t count = 0;

    assert_int_equal(store_list(world.broker->store, count_key, &count, NULL), RC_OK);
    return count;
}

static int64_t
puts_count(void)
{
    return world.broker->store->requests[STORE_PUT];
}

static size_t
puts_pending(void)
{
    size_t pending = 0;

    for (unsigned i = 0; i < LANE_PUT_COUNT; i++)
        pending += work_pending(world.work, LANE_PUT + i);
    return pending;
}

/* An upload begins, and comes to where its objects can be written. */
static void
upload_begin(void)
{
    env_advance(&world.time, world.broker->options.upload_interval_ms * 1000);
    (void)broker_tick(world.broker);
    assert_int_equal(puts_pending(), 1);
    for (unsigned i = 0; i < LANE_PUT_COUNT; i++)
        (void)work_step(world.work, LANE_PUT + i);
    (void)broker_tick(world.broker);
}

static void
assert_whole(void)
{
    const char *wrong;

    assert_committed(BATCHES);
    broker_world_crash(&world);
    disk_cut_power(world.disk);
    wrong = broker_world_start(&world);
    if (wrong == NULL)
        wrong = broker_world_check(&world);
    assert_null(wrong);
}

static void
objects_are_written_beside_each_other(void **state)
{
    int64_t before = puts_count();

    (void)state;
    upload_begin();
    assert_int_equal(puts_pending(), PARTITIONS);
    /* Each on a lane of its own, the last one first; nothing is committed before all are there. */
    for (unsigned i = LANE_PUT_COUNT; i-- > 0;) {
        assert_committed(puts_pending() > 0 ? 0 : BATCHES);
        (void)work_step(world.work, LANE_PUT + i);
        (void)broker_tick(world.broker);
        assert_int_equal(work_pending(world.work, LANE_PUT + i), 0);
        (void)work_step(world.work, LANE_DB);
        (void)broker_tick(world.broker);
    }
    assert_int_equal(puts_count() - before, PARTITIONS);
    assert_int_equal(objects_count(), PARTITIONS);
    assert_whole();
}

static void
an_object_that_could_not_be_written_is_written_again_and_no_other(void **state)
{
    int64_t before = puts_count();

    (void)state;
    upload_begin();
    disk_cut_fault(world.disk, DISK_CUT_FAIL_WRITE, 1);
    broker_world_lanes(&world);
    assert_false(disk_cut_fault_is_due(world.disk, DISK_CUT_FAIL_WRITE));
    assert_int_equal(puts_count() - before, PARTITIONS);
    assert_int_equal(world.broker->store->failures, 1);
    assert_committed(0);
    assert_false(uploader_is_idle(world.broker->uploader));
    env_advance(&world.time, INT64_C(1000) * RETRY_MS);
    (void)broker_tick(world.broker);
    assert_int_equal(puts_pending(), 1);
    broker_world_lanes(&world);
    assert_int_equal(puts_count() - before, PARTITIONS + 1);
    assert_int_equal(objects_count(), PARTITIONS);
    assert_true(uploader_is_idle(world.broker->uploader));
    assert_whole();
}

static void
a_broker_that_ends_does_not_wait_for_its_store(void **state)
{
    (void)state;
    upload_begin();
    broker_stop(world.broker);
    disk_cut_fault(world.disk, DISK_CUT_FAIL_WRITE, 1);
    for (unsigned i = 0; i < LANE_PUT_COUNT; i++)
        (void)work_step(world.work, LANE_PUT + i);
    (void)broker_tick(world.broker);
    assert_true(uploader_is_idle(world.broker->uploader));
    assert_committed(0);
}

/* Neither enough for an upload nor old enough, but more than there is room for. */
static void
an_upload_begins_where_producers_wait_for_it(void **state)
{
    (void)state;
    world.broker->options.unstored_bytes_max = 1;
    (void)broker_world_produce(&world, 0);
    broker_world_lanes(&world);
    broker_world_acks(&world);
    assert_int_equal(world.acked_count, PARTITIONS * BATCHES + 1);
    assert_committed(BATCHES);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(objects_are_written_beside_each_other),
        TEST(an_object_that_could_not_be_written_is_written_again_and_no_other),
        TEST(an_upload_begins_where_producers_wait_for_it),
        TEST(a_broker_that_ends_does_not_wait_for_its_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
