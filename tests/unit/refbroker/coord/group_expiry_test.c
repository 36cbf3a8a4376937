/* What comes to an end by time, in a whole broker whose clock the test moves. */
#include "refbroker/coord/group_expiry.h"

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/coord/consumer_offsets.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/sim/txn_client.h"
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

/* --- with open transactions --------------------------------------------------------------------
 */

static struct txn_client
pending_commit(struct broker_world *world)
{
    struct txn_client client;

    world->broker->options.txn_timeout_max_ms = INT32_MAX;
    txn_client_init(&client, world, "a", "g", true);
    client.timeout_ms = INT32_MAX;
    assert_int_equal(txn_client_begin(&client, false), 0);
    assert_int_equal(txn_client_commit_offset(&client, 10), 0);
    return client;
}

static int64_t
offset_after_the_end(struct broker_world *world, struct txn_client *client)
{
    int64_t offset;

    assert_int_equal(txn_client_end(client, true), 0);
    broker_world_rest(world, 200);
    assert_int_equal(txn_client_fetch_offset(client, true, &offset), 0);
    return offset;
}

static void
what_a_transaction_has_pending_does_not_expire(void **state)
{
    struct broker_world *world = *state;
    struct txn_client client;

    commit(world, "wal", 0);
    client = pending_commit(world);
    pass(world, 8 * DAY_MS);
    assert_int_equal(offsets_of(world), 1);
    assert_int_equal(offset_after_the_end(world, &client), 10);
    pass(world, 9 * DAY_MS);
    assert_null(group_of(world));
}

static void
a_deleted_group_takes_pending_offsets_with_it(void **state)
{
    struct broker_world *world = *state;
    struct txn_client client = pending_commit(world);
    struct wire_string group_id = request_text("g");
    struct km_delete_groups_request in;
    struct km_delete_groups_response out;
    struct arena arena;
    int64_t offset;

    arena_init(&arena, BYTES_MAX);
    codec_init(&km_delete_groups_request_desc, &in);
    in.groups_names.items = &group_id;
    in.groups_names.count = 1;
    assert_true(broker_world_call(world, KM_DELETE_GROUPS, 2, &in, &arena, &out));
    assert_int_equal(out.results.items[0].error_code, 0);
    arena_fini(&arena);
    assert_int_equal(offset_after_the_end(world, &client), -1);
    broker_world_crash(world);
    disk_cut_power(world->disk);
    assert_null(broker_world_start(world));
    assert_int_equal(txn_client_fetch_offset(&client, true, &offset), 0);
    assert_int_equal(offset, -1);
}

static void
pending_offsets_of_a_topic_go_with_it(void **state)
{
    struct broker_world *world = *state;
    struct txn_client client = pending_commit(world);

    group_expiry_topic_gone(world->broker->groups, "coordinated");
    assert_true(pending_offsets_has(&world->broker->groups->pending, "g", "wal", 3, 0));
    group_expiry_topic_gone(world->broker->groups, "wal");
    assert_int_equal(offset_after_the_end(world, &client), -1);
}

/* A producer that names a member is fenced by the member's epoch. */
static void
offsets_of_a_transaction_are_fenced_by_the_members_epoch(void **state)
{
    static const struct {
        int32_t ahead; /* of the member's epoch */
        const char *member_id;
        int16_t code;
    } cases[] = {{0, "m", 0}, {0, "other", 25}, {-1, "m", 22}, {1, "m", 22}};
    struct broker_world *world = *state;
    const struct consumer_group *consumer;
    int32_t epoch;

    join(world, 0);
    consumer = group_of(world)->consumer;
    assert_non_null(consumer);
    epoch = consumer_member_find(consumer, request_text("m"))->epoch;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct km_txn_offset_commit_request_partition item = {.partition_index = 1};
        struct km_txn_offset_commit_request_topic topic = {.name = request_text("coordinated")};
        struct km_txn_offset_commit_request in;

        topic.partitions.items = &item;
        topic.partitions.count = 1;
        codec_init(&km_txn_offset_commit_request_desc, &in);
        in.generation_id = epoch + cases[i].ahead;
        in.member_id = request_text(cases[i].member_id);
        in.topics.items = &topic;
        in.topics.count = 1;
        assert_int_equal(consumer_offsets_txn_check(consumer, &in), cases[i].code);
        /* Without a member nothing is checked. */
        in.generation_id = -1;
        in.member_id = request_text("");
        assert_int_equal(consumer_offsets_txn_check(consumer, &in), 0);
    }
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
        TEST(what_a_transaction_has_pending_does_not_expire),
        TEST(a_deleted_group_takes_pending_offsets_with_it),
        TEST(pending_offsets_of_a_topic_go_with_it),
        TEST(offsets_of_a_transaction_are_fenced_by_the_members_epoch),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
