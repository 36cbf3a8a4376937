/* ConsumerGroupHeartbeat and ConsumerGroupDescribe where the consumer protocol is switched off, and
 * JoinGroup of a consumer group. */
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "refbroker/client.h"
#include "refbroker/coord/consumer_group.h"
#include "refbroker/coord/groups.h"
#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define HEARTBEAT_VERSION 1
#define DESCRIBE_VERSION 1
#define FIND_COORDINATOR_VERSION 3
#define JOIN_VERSION 7
#define UNKNOWN_TOPIC 3
#define METADATA_TOO_LARGE 12
#define INCONSISTENT_GROUP_PROTOCOL 23
#define UNKNOWN_MEMBER_ID 25
#define UNSUPPORTED_VERSION 35
#define GROUP_ID_NOT_FOUND 69
#define UNRELEASED_INSTANCE_ID 111
#define STALE_MEMBER_EPOCH 113

static struct broker_world world;
static struct arena arena;

static int
setup(void **state)
{
    (void)state;
    broker_world_init(&world, 1);
    assert_null(broker_world_start(&world));
    arena_init(&arena, BYTES_MAX);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    broker_world_fini(&world);
    return 0;
}

static int16_t
heartbeat(void)
{
    struct km_consumer_group_heartbeat_request in;
    struct km_consumer_group_heartbeat_response out;
    struct wire_string topic = request_text("wal");

    codec_init(&km_consumer_group_heartbeat_request_desc, &in);
    in.group_id = request_text("g");
    in.member_id = request_text("m");
    in.rebalance_timeout_ms = 10000;
    in.subscribed_topic_names.items = &topic;
    in.subscribed_topic_names.count = 1;
    in.topic_partitions.count = 0;
    assert_true(broker_world_call(
        &world, KM_CONSUMER_GROUP_HEARTBEAT, HEARTBEAT_VERSION, &in, &arena, &out));
    return out.error_code;
}

static void
coordinator_wait(void)
{
    struct km_find_coordinator_request in;
    struct km_find_coordinator_response out;

    codec_init(&km_find_coordinator_request_desc, &in);
    in.key = request_text("g");
    do {
        assert_true(broker_world_call(
            &world, KM_FIND_COORDINATOR, FIND_COORDINATOR_VERSION, &in, &arena, &out));
        broker_world_rest(&world, 10);
    } while (out.error_code != 0);
}

/* A member reads both topics and wants an assignor (NULL: any). */
static void
come(const char *member, const char *assignor)
{
    struct km_consumer_group_heartbeat_request in;
    struct km_consumer_group_heartbeat_response out;
    struct wire_string topics[] = {request_text("wal"), request_text("coordinated")};

    codec_init(&km_consumer_group_heartbeat_request_desc, &in);
    in.group_id = request_text("two");
    in.member_id = request_text(member);
    in.rebalance_timeout_ms = 10000;
    in.subscribed_topic_names.items = topics;
    in.subscribed_topic_names.count = 2;
    in.server_assignor = request_text(assignor);
    in.topic_partitions.count = 0;
    assert_true(broker_world_call(
        &world, KM_CONSUMER_GROUP_HEARTBEAT, HEARTBEAT_VERSION, &in, &arena, &out));
    assert_int_equal(out.error_code, 0);
}

/* How many of the six partitions a member is to have. */
static size_t
share(const char *member)
{
    const struct group *group = groups_find(world.broker->groups, request_text("two"));
    const struct consumer_member *found = map_get_text(&group->consumer->members, member);

    return found->target.count;
}

static int16_t
describe(void)
{
    struct km_consumer_group_describe_request in;
    struct km_consumer_group_describe_response out;
    struct wire_string group = request_text("unknown");

    codec_init(&km_consumer_group_describe_request_desc, &in);
    in.group_ids.items = &group;
    in.group_ids.count = 1;
    assert_true(
        broker_world_call(&world, KM_CONSUMER_GROUP_DESCRIBE, DESCRIBE_VERSION, &in, &arena, &out));
    assert_int_equal(out.groups.count, 1);
    return out.groups.items[0].error_code;
}

static void
a_broker_has_consumer_groups_without_a_setting(void **state)
{
    (void)state;
    coordinator_wait();
    assert_int_equal(heartbeat(), 0);
    assert_int_equal(describe(), GROUP_ID_NOT_FOUND);
}

static void
without_the_consumer_protocol_both_requests_are_unsupported(void **state)
{
    (void)state;
    world.broker->options.groups.protocols = GROUP_PROTOCOL_CLASSIC;
    assert_int_equal(heartbeat(), UNSUPPORTED_VERSION);
    assert_int_equal(describe(), UNSUPPORTED_VERSION);
}

/* A classic member's request, with metadata that are none. */
static void
join_fill(struct km_join_group_request *in, struct km_join_group_request_protocol *protocol,
    const char *group, const char *member)
{
    codec_init(&km_join_group_request_desc, in);
    codec_init(&km_join_group_request_protocol_desc, protocol);
    protocol->name = request_text("range");
    in->group_id = request_text(group);
    in->member_id = request_text(member);
    in->session_timeout_ms = in->rebalance_timeout_ms = 10000;
    in->protocol_type = request_text("consumer");
    in->protocols.items = protocol;
    in->protocols.count = 1;
}

static void
a_refused_join_of_a_consumer_group_names_no_member(void **state)
{
    struct km_join_group_request_protocol protocol;
    struct km_join_group_request in;
    struct km_join_group_response out;

    (void)state;
    coordinator_wait();
    assert_int_equal(heartbeat(), 0);
    join_fill(&in, &protocol, "g", "m");
    in.protocol_type = request_text("connect");
    assert_true(broker_world_call(&world, KM_JOIN_GROUP, JOIN_VERSION, &in, &arena, &out));
    assert_int_equal(out.error_code, INCONSISTENT_GROUP_PROTOCOL);
    assert_int_equal(out.member_id.size, 0);
}

static void
a_member_is_looked_for_before_what_it_reads_is_read(void **state)
{
    struct km_join_group_request_protocol protocol;
    struct km_join_group_request in;
    struct km_join_group_response out;

    (void)state;
    coordinator_wait();
    assert_int_equal(heartbeat(), 0);
    join_fill(&in, &protocol, "g", "m");
    in.group_instance_id = request_text("of nobody");
    assert_true(broker_world_call(&world, KM_JOIN_GROUP, JOIN_VERSION, &in, &arena, &out));
    assert_int_equal(out.error_code, UNKNOWN_MEMBER_ID);
    in.group_instance_id = request_text(NULL);
    assert_true(broker_world_call(&world, KM_JOIN_GROUP, JOIN_VERSION, &in, &arena, &out));
    assert_int_equal(out.error_code, -1);
}

/* range gives the first of two members 2 of 3 partitions of each topic, uniform 3 of all 6. */
static void
of_two_assignors_that_one_member_each_wants_that_of_who_asks_is_taken(void **state)
{
    static const char *const settings[] = {"group.consumer.assignment.interval.ms=0", NULL};

    (void)state;
    broker_world_fini(&world);
    broker_world_init(&world, 1);
    world.settings = settings;
    assert_null(broker_world_start(&world));
    coordinator_wait();
    come("a", "uniform");
    come("b", "range");
    assert_int_equal(share("a") * share("b"), 4 * 2);
    come("c", "uniform");
    assert_int_equal(share("a") * share("b") * share("c"), 2 * 2 * 2);
}

/* A request that joins the group "s" with an instance of its own (NULL: none). */
static int16_t
join_as(int16_t version, const char *member, const char *instance,
    struct km_consumer_group_heartbeat_response *out)
{
    struct km_consumer_group_heartbeat_request in;
    struct wire_string topic = request_text("wal");

    codec_init(&km_consumer_group_heartbeat_request_desc, &in);
    in.group_id = request_text("s");
    in.member_id = request_text(member);
    in.instance_id = request_text(instance);
    in.rebalance_timeout_ms = 10000;
    in.subscribed_topic_names.items = &topic;
    in.subscribed_topic_names.count = 1;
    in.topic_partitions.count = 0;
    assert_true(broker_world_call(&world, KM_CONSUMER_GROUP_HEARTBEAT, version, &in, &arena, out));
    return out->error_code;
}

static void
a_member_that_becomes_static_is_the_same_member(void **state)
{
    struct km_consumer_group_heartbeat_response out;
    int32_t epoch;

    (void)state;
    coordinator_wait();
    assert_int_equal(join_as(1, "m", NULL, &out), 0);
    epoch = out.member_epoch;
    assert_int_equal(join_as(1, "m", "i", &out), 0);
    assert_int_equal(out.member_epoch, epoch);
    assert_int_equal(
        map_count(&groups_find(world.broker->groups, request_text("s"))->consumer->members), 1);
}

/* The instance was given back; whoever takes it is a member already. What it was alone must not
 * live on beside it: its session would end later, and take the other out. */
static void
a_member_that_takes_over_an_instance_leaves_nothing_behind(void **state)
{
    struct km_consumer_group_heartbeat_request in;
    struct km_consumer_group_heartbeat_response out;
    const struct consumer_group *consumer;
    int32_t session_ms;

    (void)state;
    coordinator_wait();
    session_ms = (int32_t)world.broker->options.groups.consumer_session_timeout_ms;
    assert_int_equal(join_as(1, "m", NULL, &out), 0);
    assert_int_equal(join_as(1, "old", "i", &out), 0);
    codec_init(&km_consumer_group_heartbeat_request_desc, &in);
    in.group_id = request_text("s");
    in.member_id = request_text("old");
    in.instance_id = request_text("i");
    in.member_epoch = -2;
    in.topic_partitions.count = in.subscribed_topic_names.count = -1;
    assert_true(broker_world_call(&world, KM_CONSUMER_GROUP_HEARTBEAT, 1, &in, &arena, &out));
    assert_int_equal(out.error_code, 0);
    env_advance(&world.time, session_ms / 2 * INT64_C(1000));
    assert_int_equal(join_as(1, "m", "i", &out), 0);
    consumer = groups_find(world.broker->groups, request_text("s"))->consumer;
    assert_int_equal(map_count(&consumer->members), 1);
    env_advance(&world.time, (session_ms / 2 + 1000) * INT64_C(1000));
    (void)broker_tick(world.broker);
    assert_int_equal(map_count(&consumer->members), 1);
    assert_int_equal(join_as(1, "m", NULL, &out), 0);
}

/* Commits an earlier epoch for "wal" and for another topic; the codes of both. */
static void
commit_earlier(int32_t epoch, const char *other, struct wire_string metadata, int16_t codes[2])
{
    struct km_offset_commit_request_partition partitions[2];
    struct km_offset_commit_request_topic topics[2];
    struct km_offset_commit_request in;
    struct km_offset_commit_response out;

    codec_init(&km_offset_commit_request_desc, &in);
    in.group_id = request_text("s");
    in.member_id = request_text("m");
    in.generation_id_or_member_epoch = epoch;
    for (int i = 0; i < 2; i++) {
        codec_init(&km_offset_commit_request_topic_desc, &topics[i]);
        codec_init(&km_offset_commit_request_partition_desc, &partitions[i]);
        topics[i].name = request_text(i == 0 ? "wal" : other);
        topics[i].partitions.items = &partitions[i];
        topics[i].partitions.count = 1;
    }
    partitions[1].committed_metadata = metadata;
    in.topics.items = topics;
    in.topics.count = 2;
    assert_true(broker_world_call(&world, KM_OFFSET_COMMIT, 9, &in, &arena, &out));
    for (int i = 0; i < 2; i++)
        codes[i] = out.topics.items[i].partitions.items[0].error_code;
}

/* A member may commit with an earlier epoch what it has had since then. */
static void
what_is_not_there_or_too_large_keeps_no_commit_back(void **state)
{
    static const char *const settings[] = {"group.consumer.assignment.interval.ms=0", NULL};
    static char large[5000];
    struct km_consumer_group_heartbeat_response out;
    int16_t codes[2];
    int32_t epoch;

    (void)state;
    broker_world_fini(&world);
    broker_world_init(&world, 1);
    world.settings = settings;
    assert_null(broker_world_start(&world));
    coordinator_wait();
    assert_int_equal(join_as(1, "m", NULL, &out), 0);
    epoch = out.member_epoch;
    assert_int_equal(join_as(1, "other", NULL, &out), 0);
    assert_int_equal(join_as(1, "m", NULL, &out), 0);
    assert_true(out.member_epoch > epoch);
    commit_earlier(epoch, "missing", request_text(""), codes);
    assert_int_equal(codes[0], 0);
    assert_int_equal(codes[1], UNKNOWN_TOPIC);
    commit_earlier(epoch, "coordinated", (struct wire_string){large, sizeof large}, codes);
    assert_int_equal(codes[0], 0);
    assert_int_equal(codes[1], METADATA_TOO_LARGE);
    commit_earlier(epoch, "coordinated", request_text(""), codes);
    assert_int_equal(codes[0], STALE_MEMBER_EPOCH);
}

static void
whoever_is_refused_an_instance_is_told_the_id_that_was_made(void **state)
{
    static const char head[] = "Static member ", tail[] = " with instance id i cannot join";
    struct km_consumer_group_heartbeat_response out;

    (void)state;
    coordinator_wait();
    assert_int_equal(join_as(0, "m", "i", &out), 0);
    assert_int_equal(join_as(0, "", "i", &out), UNRELEASED_INSTANCE_ID);
    assert_memory_equal(out.error_message.data, head, strlen(head));
    /* 22 letters of a random id. */
    assert_memory_equal(out.error_message.data + strlen(head) + 22, tail, strlen(tail));
}

/* Kafka makes it before it sees that the join has changed what is read. */
static void
a_classic_group_goes_on_from_the_epoch_before_the_join_that_made_it(void **state)
{
    static uint8_t reads_coordinated[] = "\0\0\0\0\0\1\0\13coordinated\xff\xff\xff\xff";
    struct km_consumer_group_heartbeat_response beat;
    struct km_join_group_request_protocol protocol;
    struct km_join_group_request in;
    struct km_join_group_response out;
    const struct group *group;

    (void)state;
    coordinator_wait();
    assert_int_equal(join_as(1, "m", "i", &beat), 0);
    join_fill(&in, &protocol, "s", "");
    protocol.metadata = (struct wire_bytes){reads_coordinated, sizeof reads_coordinated - 1};
    in.group_instance_id = request_text("i");
    assert_true(broker_world_call(&world, KM_JOIN_GROUP, JOIN_VERSION, &in, &arena, &out));
    assert_int_equal(out.error_code, 0);
    group = groups_find(world.broker->groups, request_text("s"));
    assert_null(group->consumer);
    assert_int_equal(group->generation, beat.member_epoch);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_broker_has_consumer_groups_without_a_setting, setup, teardown),
        cmocka_unit_test_setup_teardown(
            without_the_consumer_protocol_both_requests_are_unsupported, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_refused_join_of_a_consumer_group_names_no_member, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_member_is_looked_for_before_what_it_reads_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(
            of_two_assignors_that_one_member_each_wants_that_of_who_asks_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_member_that_becomes_static_is_the_same_member, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_member_that_takes_over_an_instance_leaves_nothing_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_not_there_or_too_large_keeps_no_commit_back, setup, teardown),
        cmocka_unit_test_setup_teardown(
            whoever_is_refused_an_instance_is_told_the_id_that_was_made, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_classic_group_goes_on_from_the_epoch_before_the_join_that_made_it, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
