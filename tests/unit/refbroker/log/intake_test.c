/* Producers' batches on their way to the log, in a broker whose lanes the test moves by hand. */
#include "refbroker/log/intake.h"

#include "lib/base/xalloc.h"
#include "lib/wire/compress.h"
#include "refbroker/client.h"
#include "refbroker/limits.h"
#include "refbroker/meta/remove.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define WAL 0         /* a partition of the wal topic */
#define COORDINATED 3 /* one of the coordinated topic */
#define ERROR_CORRUPT 2
#define ERROR_UNKNOWN_TOPIC 3
#define ERROR_TIMED_OUT 7
#define ERROR_TOO_LARGE 10
#define ERROR_INVALID_TIMESTAMP 32
#define ERROR_STORAGE 56

static int
setup(void **state)
{
    struct broker_world *world = xcalloc(1, sizeof *world);

    broker_world_init(world, 1);
    assert_null(broker_world_start(world));
    world->make.codec = COMPRESS_NONE;
    *state = world;
    return 0;
}

static int
teardown(void **state)
{
    broker_world_fini(*state);
    free(*state);
    return 0;
}

/* Sends a batch that has to be compressed, or one that is short. */
static size_t
produce_long(struct broker_world *world, int partition)
{
    world->make.codec = COMPRESS_NONE;
    return broker_world_produce(world, partition);
}

static size_t
produce_short(struct broker_world *world, int partition)
{
    world->make.codec = COMPRESS_LZ4;
    return broker_world_produce(world, partition);
}

/* The lanes that validate do all they have, and the broker hears of it. */
static size_t
validate(struct broker_world *world)
{
    size_t jobs = 0;

    for (unsigned i = 0; i < LANE_BATCH_COUNT; i++)
        while (work_step(world->work, LANE_BATCH + i))
            jobs++;
    (void)broker_tick(world->broker);
    return jobs;
}

static int64_t
end_of(const struct broker_world *world, int partition)
{
    return broker_world_partition(world, partition)->log_end_offset;
}

static void
rest(struct broker_world *world)
{
    for (int i = 0; i < 10; i++) {
        for (int k = 0; k < 30; k++) {
            for (unsigned lane = 0; lane < LANE_COUNT; lane++)
                (void)work_step(world->work, lane);
            (void)broker_tick(world->broker);
        }
        env_advance(&world->time, 10000);
        broker_world_acks(world);
    }
}

/* --- short and long -------------------------------------------------------------------------- */

static void
short_work_is_done_at_once(void **state)
{
    struct broker_world *world = *state;

    (void)produce_short(world, WAL);
    assert_int_equal(end_of(world, WAL), 1);
    assert_int_equal(world->broker->stats.produce_lane_batches_total, 0);
}

static void
what_must_be_compressed_goes_by_a_lane(void **state)
{
    struct broker_world *world = *state;
    size_t number = produce_long(world, WAL);

    assert_int_equal(end_of(world, WAL), 0);
    assert_int_equal(world->broker->stats.produce_lane_batches_total, 1);
    assert_int_equal(validate(world), 1);
    assert_int_equal(end_of(world, WAL), 1);
    rest(world);
    assert_int_equal(world->records[number].offset, 0);
    assert_null(broker_world_check(world));
}

static void
a_tick_decompresses_no_more_than_its_allowance(void **state)
{
    struct broker_world *world = *state;
    struct stats *stats = &world->broker->stats;

    world->make.value_bytes = LIMIT_TICK_UNPACKED_BYTES * 6 / 10;
    (void)produce_short(world, 0);
    assert_int_equal(end_of(world, 0), 1);
    (void)produce_short(world, 1);
    assert_int_equal(stats->produce_lane_batches_total, 1);
    assert_int_equal(end_of(world, 1), 0);
    (void)broker_tick(world->broker);
    (void)produce_short(world, 2);
    assert_int_equal(end_of(world, 2), 1);
    assert_int_equal(stats->produce_lane_batches_total, 1);
    rest(world);
    assert_null(broker_world_check(world));
}

static void
a_batch_that_grows_beyond_the_allowance_goes_by_a_lane(void **state)
{
    struct broker_world *world = *state;

    world->make.value_bytes = LIMIT_TICK_UNPACKED_BYTES + 1;
    (void)produce_short(world, WAL);
    (void)produce_short(world, COORDINATED);
    assert_int_equal(world->broker->stats.produce_lane_batches_total, 2);
    rest(world);
    assert_int_equal(world->acked_count, 2);
    assert_null(broker_world_check(world));
}

static void
what_is_refused_unopened_takes_nothing_from_the_allowance(void **state)
{
    struct broker_world *world = *state;
    size_t left;

    world->make.value_bytes = LIMIT_TICK_UNPACKED_BYTES / 4;
    (void)produce_short(world, WAL);
    left = world->broker->tick_unpacked_bytes_left;
    assert_true(left < LIMIT_TICK_UNPACKED_BYTES);
    world->make.damaged = true;
    (void)produce_short(world, COORDINATED);
    assert_int_equal(world->broker->stats.produce_refused_total, 1);
    assert_int_equal(world->broker->tick_unpacked_bytes_left, left);
    rest(world);
    assert_null(broker_world_check(world));
}

static void
memory_for_what_is_decompressed_is_kept_only_while_it_is_small(void **state)
{
    struct broker_world *world = *state;
    size_t kept = 0;

    world->make.value_bytes = (size_t)2 * 1024 * 1024;
    (void)produce_short(world, WAL);
    assert_int_equal(validate(world), 1);
    world->make.value_bytes = 1000;
    (void)produce_short(world, WAL);
    for (size_t i = 0; i < ARRAY_LEN(world->broker->intake_rooms); i++)
        kept += world->broker->intake_rooms[i].capacity;
    assert_in_range(kept, 1000, 1024 * 1024);
    rest(world);
    assert_null(broker_world_check(world));
}

static void
a_tick_walks_no_more_records_than_its_allowance(void **state)
{
    struct broker_world *world = *state;

    world->make.fillers = LIMIT_TICK_RECORDS;
    world->make.codec = COMPRESS_LZ4;
    (void)broker_world_produce(world, WAL);
    assert_int_equal(world->broker->stats.produce_lane_batches_total, 1);
    assert_int_equal(validate(world), 1);
    assert_int_equal(end_of(world, WAL), LIMIT_TICK_RECORDS + 1);
}

/* --- order ----------------------------------------------------------------------------------- */

static void
a_short_batch_stays_behind_a_long_one_of_its_partition(void **state)
{
    struct broker_world *world = *state;
    size_t first = produce_long(world, WAL), second = produce_short(world, WAL);
    size_t third = produce_long(world, WAL), fourth = produce_short(world, WAL);

    assert_int_equal(end_of(world, WAL), 0);
    rest(world);
    assert_int_equal(world->records[first].offset, 0);
    assert_int_equal(world->records[second].offset, 1);
    assert_int_equal(world->records[third].offset, 2);
    assert_int_equal(world->records[fourth].offset, 3);
    assert_null(broker_world_check(world));
}

static void
other_partitions_do_not_wait(void **state)
{
    struct broker_world *world = *state;

    (void)produce_long(world, 0);
    (void)produce_short(world, 1);
    assert_int_equal(end_of(world, 0), 0);
    assert_int_equal(end_of(world, 1), 1);
}

static void
batches_keep_their_order_whatever_the_lanes_do(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct broker_world world;

        broker_world_init(&world, seed);
        assert_null(broker_world_start(&world));
        broker_world_run(&world, 150);
        assert_int_equal(world.acked_count, 150);
        assert_in_range(world.broker->stats.produce_lane_batches_total, 40, 149);
        assert_null(broker_world_check(&world));
        broker_world_fini(&world);
    }
}

/* --- what may happen meanwhile ---------------------------------------------------------------- */

static void
a_batch_is_taken_although_its_connection_is_gone(void **state)
{
    struct broker_world *world = *state;

    (void)produce_long(world, WAL);
    (void)produce_long(world, COORDINATED);
    broker_world_reconnect(world);
    rest(world);
    assert_int_equal(end_of(world, WAL), 1);
    assert_int_equal(end_of(world, COORDINATED), 1);
    assert_int_equal(world->acked_count, 0);
    assert_null(broker_world_check(world));
}

static void
a_batch_is_taken_although_its_producer_was_told_of_a_timeout(void **state)
{
    struct broker_world *world = *state;
    size_t number = produce_long(world, WAL);

    env_advance(&world->time, 30001000);
    (void)broker_tick(world->broker);
    broker_world_acks(world);
    assert_int_equal(world->records[number].error, ERROR_TIMED_OUT);
    rest(world);
    assert_int_equal(end_of(world, WAL), 1);
}

static void
removed(struct broker *broker, void *arg, const struct err *e)
{
    (void)broker;
    assert_int_equal(e->code, RC_OK);
    *(bool *)arg = true;
}

static void
a_topic_that_is_deleted_meanwhile_refuses_with_3(void **state)
{
    struct broker_world *world = *state;

    for (int partition = WAL; partition <= COORDINATED; partition += COORDINATED - WAL) {
        size_t number = produce_long(world, partition);
        struct wire_uuid *id = xmalloc(sizeof *id);
        bool gone = false;

        *id = broker_world_partition(world, partition)->topic_id;
        remove_submit(world->broker, id, 1, removed, &gone);
        assert_true(work_step(world->work, LANE_DB));
        (void)broker_tick(world->broker);
        assert_true(gone);
        assert_int_equal(validate(world), 1);
        broker_world_acks(world);
        assert_int_equal(world->records[number].error, ERROR_UNKNOWN_TOPIC);
    }
    assert_int_equal(world->broker->intake_bytes, 0);
}

static void
a_partition_that_stops_meanwhile_refuses_with_56(void **state)
{
    struct broker_world *world = *state;
    size_t first = produce_short(world, WAL), second = produce_long(world, WAL);

    disk_cut_fault(world->disk, DISK_CUT_FAIL_SYNC, 1);
    (void)broker_tick(world->broker);
    assert_true(work_step(world->work, LANE_WAL));
    (void)broker_tick(world->broker);
    assert_true(broker_world_partition(world, WAL)->stopped);
    assert_int_equal(validate(world), 1);
    broker_world_acks(world);
    assert_int_equal(world->records[first].error, ERROR_STORAGE);
    assert_int_equal(world->records[second].error, ERROR_STORAGE);
    assert_int_equal(end_of(world, WAL), 1);
}

static void
a_stopping_broker_finishes_what_is_on_a_lane(void **state)
{
    struct broker_world *world = *state;

    (void)produce_long(world, WAL);
    (void)produce_long(world, COORDINATED);
    broker_stop(world->broker);
    for (int i = 0; i < 10; i++) {
        assert_false(broker_is_idle(world->broker));
        (void)broker_tick(world->broker);
    }
    /* No time passes: the open file does not wait for its interval. */
    for (int i = 0; i < 100 && !broker_is_idle(world->broker); i++) {
        for (unsigned lane = 0; lane < LANE_COUNT; lane++)
            (void)work_step(world->work, lane);
        (void)broker_tick(world->broker);
    }
    assert_true(broker_is_idle(world->broker));
    broker_world_acks(world);
    assert_int_equal(world->acked_count, 2);
}

/* --- answers --------------------------------------------------------------------------------- */

static void
a_lane_refuses_as_the_owner_does(void **state)
{
    struct broker_world *world = *state;
    size_t damaged, early, large;

    world->make.damaged = true;
    damaged = produce_long(world, WAL);
    world->make.damaged = false;
    world->make.timestamp += 3600000 + 10000000;
    early = produce_long(world, WAL);
    world->make.timestamp -= 3600000 + 10000000;
    world->make.value_bytes = 2 << 20;
    large = produce_long(world, COORDINATED);
    assert_int_equal(validate(world), 3);
    broker_world_acks(world);
    assert_int_equal(world->records[damaged].error, ERROR_CORRUPT);
    assert_int_equal(world->records[early].error, ERROR_INVALID_TIMESTAMP);
    assert_int_equal(world->records[large].error, ERROR_TOO_LARGE);
    assert_int_equal(world->broker->stats.produce_refused_total, 3);
}

static void
without_acks_a_refusal_on_a_lane_closes_the_connection(void **state)
{
    struct broker_world *world = *state;

    world->make.acks = 0;
    (void)produce_long(world, WAL);
    (void)produce_long(world, COORDINATED);
    rest(world);
    assert_false(world->closed);
    assert_int_equal(end_of(world, WAL), 1);
    assert_int_equal(end_of(world, COORDINATED), 1);
    world->make.damaged = true;
    (void)produce_long(world, WAL);
    assert_false(world->closed);
    (void)validate(world);
    assert_true(world->closed);
    assert_int_equal(world->received.size, 0);
}

/* --- bounds ---------------------------------------------------------------------------------- */

static void
what_is_on_its_way_counts_until_it_is_stored(void **state)
{
    struct broker_world *world = *state;
    struct broker *broker = world->broker;

    world->make.value_bytes = 5000;
    (void)produce_long(world, COORDINATED);
    assert_true(broker_unstored_bytes(broker) > 5000);
    (void)validate(world);
    assert_int_equal(broker->intake_bytes, 0);
    assert_true(broker_unstored_bytes(broker) > 0);
    rest(world);
    assert_int_equal(world->acked_count, 1);
    assert_int_equal(broker_unstored_bytes(broker), 0);
}

/* Batches that are too large are refused by the lane only, and count until then. */
static void
producers_wait_while_too_much_is_on_its_way_and_go_on_then(void **state)
{
    struct broker_world *world = *state;
    size_t most = world->broker->options.unstored_bytes_max, large = most / 40;
    size_t last;

    world->make.value_bytes = large;
    for (size_t sent = 0; sent <= most; sent += large)
        (void)produce_long(world, WAL);
    assert_true(broker_unstored_bytes(world->broker) > most);
    world->make.value_bytes = 64;
    last = produce_short(world, 1);
    assert_int_equal(end_of(world, 1), 0);
    (void)validate(world);
    assert_int_equal(end_of(world, 1), 1);
    rest(world);
    assert_int_equal(world->records[last].offset, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(short_work_is_done_at_once),
        TEST(what_must_be_compressed_goes_by_a_lane),
        TEST(a_tick_decompresses_no_more_than_its_allowance),
        TEST(a_batch_that_grows_beyond_the_allowance_goes_by_a_lane),
        TEST(what_is_refused_unopened_takes_nothing_from_the_allowance),
        TEST(memory_for_what_is_decompressed_is_kept_only_while_it_is_small),
        TEST(a_tick_walks_no_more_records_than_its_allowance),
        TEST(a_short_batch_stays_behind_a_long_one_of_its_partition),
        TEST(other_partitions_do_not_wait),
        cmocka_unit_test(batches_keep_their_order_whatever_the_lanes_do),
        TEST(a_batch_is_taken_although_its_connection_is_gone),
        TEST(a_batch_is_taken_although_its_producer_was_told_of_a_timeout),
        TEST(a_topic_that_is_deleted_meanwhile_refuses_with_3),
        TEST(a_partition_that_stops_meanwhile_refuses_with_56),
        TEST(a_stopping_broker_finishes_what_is_on_a_lane),
        TEST(a_lane_refuses_as_the_owner_does),
        TEST(without_acks_a_refusal_on_a_lane_closes_the_connection),
        TEST(what_is_on_its_way_counts_until_it_is_stored),
        TEST(producers_wait_while_too_much_is_on_its_way_and_go_on_then),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
