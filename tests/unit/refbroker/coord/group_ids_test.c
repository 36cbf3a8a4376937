/* Ids with a zero byte: refused wherever a group or a member would come to be, since ids are C
 * strings inside. */
#include <string.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/groups.h"
#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define TRIES_MAX 100

static const struct wire_string cut = {"a\0b", 3};

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
join(struct wire_string group_id, struct wire_string instance_id)
{
    struct km_join_group_request_protocol protocol;
    struct km_join_group_request in;
    struct km_join_group_response out;

    codec_init(&km_join_group_request_desc, &in);
    codec_init(&km_join_group_request_protocol_desc, &protocol);
    protocol.name = request_text("range");
    in.group_id = group_id;
    in.group_instance_id = instance_id;
    in.session_timeout_ms = 10000;
    in.protocol_type = request_text("consumer");
    in.protocols.items = &protocol;
    in.protocols.count = 1;
    assert_true(broker_world_call(&world, KM_JOIN_GROUP, 5, &in, &arena, &out));
    return out.error_code;
}

static int16_t
heartbeat(struct wire_string group_id, struct wire_string member_id, struct wire_string instance_id)
{
    struct wire_string topic = request_text("wal");
    struct km_consumer_group_heartbeat_request in;
    struct km_consumer_group_heartbeat_response out;

    codec_init(&km_consumer_group_heartbeat_request_desc, &in);
    in.group_id = group_id;
    in.member_id = member_id;
    in.instance_id = instance_id;
    in.rebalance_timeout_ms = 10000;
    in.subscribed_topic_names.items = &topic;
    in.subscribed_topic_names.count = 1;
    in.topic_partitions.count = 0;
    assert_true(broker_world_call(&world, KM_CONSUMER_GROUP_HEARTBEAT, 1, &in, &arena, &out));
    return out.error_code;
}

static int16_t
commit(struct wire_string group_id)
{
    struct km_offset_commit_request_partition partition;
    struct km_offset_commit_request_topic topic;
    struct km_offset_commit_request in;
    struct km_offset_commit_response out;

    codec_init(&km_offset_commit_request_desc, &in);
    codec_init(&km_offset_commit_request_topic_desc, &topic);
    codec_init(&km_offset_commit_request_partition_desc, &partition);
    topic.name = request_text("wal");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.group_id = group_id;
    in.topics.items = &topic;
    in.topics.count = 1;
    assert_true(broker_world_call(&world, KM_OFFSET_COMMIT, 7, &in, &arena, &out));
    return out.topics.items[0].partitions.items[0].error_code;
}

static int16_t
commit_in_transaction(struct wire_string group_id)
{
    struct km_txn_offset_commit_request_partition partition;
    struct km_txn_offset_commit_request_topic topic;
    struct km_txn_offset_commit_request in;
    struct km_txn_offset_commit_response out;

    codec_init(&km_txn_offset_commit_request_desc, &in);
    codec_init(&km_txn_offset_commit_request_topic_desc, &topic);
    codec_init(&km_txn_offset_commit_request_partition_desc, &partition);
    topic.name = request_text("wal");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.transactional_id = request_text("t");
    in.group_id = group_id;
    in.topics.items = &topic;
    in.topics.count = 1;
    assert_true(broker_world_call(&world, KM_TXN_OFFSET_COMMIT, 3, &in, &arena, &out));
    return out.topics.items[0].partitions.items[0].error_code;
}

static void
coordinator_wait(void)
{
    for (int i = 0; i < TRIES_MAX && !groups_ready(world.broker->groups); i++)
        broker_world_rest(&world, 20);
    assert_true(groups_ready(world.broker->groups));
}

static void
no_group_and_no_member_comes_of_an_id_with_a_zero_byte(void **state)
{
    struct wire_string none = request_text(NULL), id = request_text("m");
    size_t position = 0;

    (void)state;
    coordinator_wait();
    assert_int_equal(join(cut, none), KE_INVALID_GROUP_ID);
    assert_int_equal(join(request_text("g"), cut), KE_INVALID_REQUEST);
    assert_int_equal(heartbeat(cut, id, none), KE_INVALID_REQUEST);
    assert_int_equal(heartbeat(request_text("g"), cut, none), KE_INVALID_REQUEST);
    assert_int_equal(heartbeat(request_text("g"), id, cut), KE_INVALID_REQUEST);
    assert_int_equal(commit(cut), KE_INVALID_GROUP_ID);
    assert_int_equal(commit_in_transaction(cut), KE_INVALID_GROUP_ID);
    assert_null(groups_make(world.broker->groups, cut));
    assert_null(groups_next(world.broker->groups, &position));
    assert_int_equal(commit(request_text("g")), KE_NONE);
    assert_int_equal(heartbeat(request_text("h"), id, none), KE_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            no_group_and_no_member_comes_of_an_id_with_a_zero_byte, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
