/* What comes to an end by time, in a whole broker whose clock the test moves. */
#include "refbroker/coord/group_expiry.h"

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define DAY_MS INT64_C(86400000)

static void
coordinator_wait(struct broker_world *world)
{
    struct km_find_coordinator_request in;
    struct km_find_coordinator_response out;
    struct arena arena;

    arena_init(&arena, BYTES_MAX);
    codec_init(&km_find_coordinator_request_desc, &in);
    in.key = request_text("g");
    do {
        assert_true(broker_world_call(world, KM_FIND_COORDINATOR, 3, &in, &arena, &out));
        arena_reset(&arena);
        broker_world_rest(world, 10);
    } while (out.error_code != 0);
    arena_fini(&arena);
}

static int
setup(void **state)
{
    struct broker_world *world = xcalloc(1, sizeof *world);

    broker_world_init(world, 1);
    assert_null(broker_world_start(world));
    coordinator_wait(world);
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

static const struct group *
group_of(const struct broker_world *world)
{
    return groups_find(world->broker->groups, request_text("g"));
}

static size_t
offsets_of(const struct broker_world *world)
{
    return group_of(world) == NULL ? 0 : offsets_count(&group_of(world)->offsets);
}

static void
commit(struct broker_world *world, const char *topic_name, int32_t partition)
{
    struct km_offset_commit_request_partition item;
    struct km_offset_commit_request_topic topic;
    struct km_offset_commit_request in;
    struct km_offset_commit_response out;
    struct arena arena;

    arena_init(&arena, BYTES_MAX);
    codec_init(&km_offset_commit_request_desc, &in);
    codec_init(&km_offset_commit_request_topic_desc, &topic);
    codec_init(&km_offset_commit_request_partition_desc, &item);
    in.group_id = request_text("g");
    in.topics.items = &topic;
    in.topics.count = 1;
    topic.name = request_text(topic_name);
    topic.partitions.items = &item;
    topic.partitions.count = 1;
    item.partition_index = partition;
    item.committed_offset = 5;
    assert_true(broker_world_call(world, KM_OFFSET_COMMIT, 8, &in, &arena, &out));
    assert_int_equal(out.topics.items[0].partitions.items[0].error_code, 0);
    arena_fini(&arena);
}

static void
pass(struct broker_world *world, int64_t ms)
{
    env_advance(&world->time, ms * 1000);
    (void)broker_tick(world->broker);
    broker_world_rest(world, 20);
    broker_world_reconnect(world); /* idle for too long */
}

static void
offsets_that_nobody_uses_go_after_their_time_and_their_group_with_them(void **state)
{
    struct broker_world *world = *state;

    commit(world, "wal", 0);
    pass(world, 4 * DAY_MS);
    commit(world, "wal", 1);
    pass(world, 2 * DAY_MS);
    assert_int_equal(offsets_of(world), 2);
    pass(world, 2 * DAY_MS);
    assert_int_equal(offsets_of(world), 1);
    pass(world, 4 * DAY_MS);
    assert_null(group_of(world));
}

static void
what_has_expired_does_not_come_back_after_a_crash(void **state)
{
    struct broker_world *world = *state;

    commit(world, "wal", 0);
    pass(world, 8 * DAY_MS);
    assert_null(group_of(world));
    broker_world_rest(world, 200);
    broker_world_crash(world);
    disk_cut_power(world->disk);
    assert_null(broker_world_start(world));
    assert_null(group_of(world));
}

/* A member that reads one topic, and has a name for the other. */
static void
join(struct broker_world *world, int32_t epoch)
{
    struct km_consumer_group_heartbeat_request in;
    struct km_consumer_group_heartbeat_response out;
    struct wire_string topic = request_text("wal");
    struct arena arena;

    arena_init(&arena, BYTES_MAX);
    codec_init(&km_consumer_group_heartbeat_request_desc, &in);
    in.group_id = request_text("g");
    in.member_id = request_text("m");
    in.member_epoch = epoch;
    in.rebalance_timeout_ms = 1000;
    in.subscribed_topic_names.items = &topic;
    in.subscribed_topic_names.count = 1;
    in.topic_partitions.count = 0;
    assert_true(broker_world_call(world, KM_CONSUMER_GROUP_HEARTBEAT, 1, &in, &arena, &out));
    assert_int_equal(out.error_code, 0);
    arena_fini(&arena);
}

static void
offsets_of_topics_that_the_group_reads_stay(void **state)
{
    struct broker_world *world = *state;

    world->broker->options.groups.consumer_session_timeout_ms = 100 * DAY_MS;
    commit(world, "wal", 0);
    commit(world, "coordinated", 0);
    join(world, 0);
    pass(world, 8 * DAY_MS);
    assert_int_equal(offsets_of(world), 1);
    assert_non_null(offsets_get(&group_of(world)->offsets, "wal", 3, 0));
}

static void
the_offsets_of_a_topic_go_with_it(void **state)
{
    struct broker_world *world = *state;

    commit(world, "wal", 0);
    commit(world, "coordinated", 0);
    group_expiry_topic_gone(world->broker->groups, "wal");
    assert_int_equal(offsets_of(world), 1);
    assert_null(offsets_get(&group_of(world)->offsets, "wal", 3, 0));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(offsets_that_nobody_uses_go_after_their_time_and_their_group_with_them),
        TEST(what_has_expired_does_not_come_back_after_a_crash),
        TEST(offsets_of_topics_that_the_group_reads_stay),
        TEST(the_offsets_of_a_topic_go_with_it),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
