/* ShareGroupHeartbeat and ShareGroupDescribe as requests, what the requests of other protocols find
 * of a share group, and where share groups are switched off. */
#include "lib/wire/kerr.h"
#include "tests/unit/refbroker/coord/share_group_rig.h"

static struct arena arena;

static int
setup(void **state)
{
    arena_init(&arena, SHARE_GROUP_RIG_BYTES_MAX);
    return share_group_rig_setup(state);
}

static int
teardown(void **state)
{
    arena_fini(&arena);
    return share_group_rig_teardown(state);
}

#define CALL(rig, key, version, in, out)                                                           \
    assert_true(broker_world_call(&(rig)->world, key, version, in, &arena, out))

static void
assert_text(struct wire_string text, const char *expected)
{
    assert_int_equal(text.size, (int)strlen(expected));
    assert_memory_equal(text.data, expected, strlen(expected));
}

static struct km_share_group_describe_response_described_group
describe(struct share_group_rig *rig, const char *name)
{
    struct wire_string group = request_text(name);
    struct km_share_group_describe_request in;
    struct km_share_group_describe_response out;

    codec_init(&km_share_group_describe_request_desc, &in);
    in.group_ids.items = &group;
    in.group_ids.count = 1;
    in.include_authorized_operations = true;
    CALL(rig, KM_SHARE_GROUP_DESCRIBE, 1, &in, &out);
    assert_int_equal(out.groups.count, 1);
    return out.groups.items[0];
}

static void
a_group_is_described_with_its_members(void **state)
{
    struct share_group_rig *rig = *state;
    struct km_share_group_describe_response_described_group group;

    share_group_rig_settle(rig, "a");
    group = describe(rig, "g");
    assert_int_equal(group.error_code, KE_NONE);
    assert_text(group.group_state, "Stable");
    assert_text(group.assignor_name, "simple");
    assert_int_equal(group.group_epoch, 3);
    assert_int_equal(group.assignment_epoch, 3);
    assert_int_equal(group.authorized_operations, 3400);
    assert_int_equal(group.members.count, 1);
    assert_text(group.members.items[0].member_id, "a");
    assert_int_equal(group.members.items[0].member_epoch, 3);
    assert_int_equal(group.members.items[0].rack_id.size, -1);
    assert_text(group.members.items[0].subscribed_topic_names.items[0], "wal");
    assert_int_equal(group.members.items[0].assignment.topic_partitions.count, 1);
    assert_text(group.members.items[0].assignment.topic_partitions.items[0].topic_name, "wal");
    assert_int_equal(group.members.items[0].assignment.topic_partitions.items[0].partitions.count,
        SHARE_GROUP_RIG_PARTITIONS);
    share_group_rig_leave(rig, "a");
    assert_text(describe(rig, "g").group_state, "Empty");
}

static int16_t
classic_join(struct share_group_rig *rig, const char *group)
{
    struct km_join_group_request_protocol protocol;
    struct km_join_group_request in;
    struct km_join_group_response out;

    codec_init(&km_join_group_request_desc, &in);
    codec_init(&km_join_group_request_protocol_desc, &protocol);
    protocol.name = request_text("range");
    in.group_id = request_text(group);
    in.session_timeout_ms = 10000;
    in.rebalance_timeout_ms = 10000;
    in.protocol_type = request_text("consumer");
    in.protocols.items = &protocol;
    in.protocols.count = 1;
    CALL(rig, KM_JOIN_GROUP, 3, &in, &out);
    return out.error_code;
}

static void
what_is_no_share_group_is_not_described(void **state)
{
    struct share_group_rig *rig = *state;

    assert_int_equal(describe(rig, "").error_code, KE_INVALID_GROUP_ID);
    assert_text(describe(rig, "g").error_message, "Group g not found.");
    assert_int_equal(classic_join(rig, "c"), KE_NONE);
    assert_int_equal(describe(rig, "c").error_code, KE_GROUP_ID_NOT_FOUND);
    assert_text(describe(rig, "c").error_message, "Group c is not a share group.");
}

static void
a_group_of_another_protocol_takes_no_share_members(void **state)
{
    struct share_group_rig *rig = *state;

    assert_int_equal(classic_join(rig, "g"), KE_NONE);
    assert_true(share_group_rig_beat_at(rig, "a", SHARE_EPOCH_JOIN, "wal"));
    assert_int_equal(rig->answer.code, KE_GROUP_ID_NOT_FOUND);
    assert_string_equal(rig->answer.text, "Group g is not a share group.");
}

static int16_t
consumer_beat(struct share_group_rig *rig, int32_t epoch)
{
    struct km_consumer_group_heartbeat_request in;
    struct km_consumer_group_heartbeat_response out;
    struct wire_string topic = request_text("wal");

    codec_init(&km_consumer_group_heartbeat_request_desc, &in);
    in.group_id = request_text("g");
    in.member_id = request_text("m");
    in.member_epoch = epoch;
    in.rebalance_timeout_ms = 10000;
    in.subscribed_topic_names.items = &topic;
    in.subscribed_topic_names.count = 1;
    in.topic_partitions.count = 0;
    CALL(rig, KM_CONSUMER_GROUP_HEARTBEAT, 1, &in, &out);
    assert_text(out.error_message, "Group g is not a consumer group.");
    return out.error_code;
}

static void
consumers_are_told_that_it_is_none_of_theirs(void **state)
{
    struct share_group_rig *rig = *state;
    struct wire_string name = request_text("g");
    struct km_consumer_group_describe_request in;
    struct km_consumer_group_describe_response out;

    share_group_rig_join(rig, "a");
    share_group_rig_leave(rig, "a");
    assert_int_equal(consumer_beat(rig, 0), KE_GROUP_ID_NOT_FOUND);
    assert_int_equal(consumer_beat(rig, 1), KE_GROUP_ID_NOT_FOUND);
    codec_init(&km_consumer_group_describe_request_desc, &in);
    in.group_ids.items = &name;
    in.group_ids.count = 1;
    CALL(rig, KM_CONSUMER_GROUP_DESCRIBE, 1, &in, &out);
    assert_int_equal(out.groups.items[0].error_code, KE_GROUP_ID_NOT_FOUND);
    assert_text(out.groups.items[0].error_message, "Group g is not a consumer group.");
    assert_non_null(share_group_rig_group(rig));
}

static void
to_classic_members_it_is_not_there(void **state)
{
    struct share_group_rig *rig = *state;
    struct km_leave_group_request_member_identity identity;
    struct km_heartbeat_request beat;
    struct km_heartbeat_response beat_out;
    struct km_sync_group_request sync;
    struct km_sync_group_response sync_out;
    struct km_leave_group_request leave;
    struct km_leave_group_response leave_out;

    share_group_rig_join(rig, "a");
    assert_int_equal(classic_join(rig, "g"), KE_INCONSISTENT_GROUP_PROTOCOL);
    codec_init(&km_heartbeat_request_desc, &beat);
    beat.group_id = request_text("g");
    beat.member_id = request_text("a");
    CALL(rig, KM_HEARTBEAT, 3, &beat, &beat_out);
    assert_int_equal(beat_out.error_code, KE_UNKNOWN_MEMBER_ID);
    codec_init(&km_sync_group_request_desc, &sync);
    sync.group_id = request_text("g");
    sync.member_id = request_text("a");
    CALL(rig, KM_SYNC_GROUP, 3, &sync, &sync_out);
    assert_int_equal(sync_out.error_code, KE_UNKNOWN_MEMBER_ID);
    codec_init(&km_leave_group_request_desc, &leave);
    codec_init(&km_leave_group_request_member_identity_desc, &identity);
    identity.member_id = request_text("a");
    leave.group_id = request_text("g");
    leave.members.items = &identity;
    leave.members.count = 1;
    CALL(rig, KM_LEAVE_GROUP, 3, &leave, &leave_out);
    assert_int_equal(leave_out.members.items[0].error_code, KE_UNKNOWN_MEMBER_ID);
    assert_non_null(share_group_rig_member(rig, "a"));
}

static void
it_has_no_committed_offsets(void **state)
{
    struct share_group_rig *rig = *state;
    struct km_offset_commit_request_partition partition;
    struct km_offset_commit_request_topic topic;
    struct km_offset_commit_request commit;
    struct km_offset_commit_response commit_out;
    struct km_offset_delete_request gone;
    struct km_offset_delete_response gone_out;
    struct km_offset_fetch_request_group group;
    struct km_offset_fetch_request fetch;
    struct km_offset_fetch_response fetch_out;

    share_group_rig_join(rig, "a");
    codec_init(&km_offset_commit_request_desc, &commit);
    codec_init(&km_offset_commit_request_topic_desc, &topic);
    codec_init(&km_offset_commit_request_partition_desc, &partition);
    commit.group_id = request_text("g");
    commit.topics.items = &topic;
    commit.topics.count = 1;
    topic.name = request_text("wal");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    CALL(rig, KM_OFFSET_COMMIT, 8, &commit, &commit_out);
    assert_int_equal(
        commit_out.topics.items[0].partitions.items[0].error_code, KE_GROUP_ID_NOT_FOUND);
    codec_init(&km_offset_delete_request_desc, &gone);
    gone.group_id = request_text("g");
    CALL(rig, KM_OFFSET_DELETE, 0, &gone, &gone_out);
    assert_int_equal(gone_out.error_code, KE_GROUP_ID_NOT_FOUND);
    codec_init(&km_offset_fetch_request_desc, &fetch);
    codec_init(&km_offset_fetch_request_group_desc, &group);
    group.group_id = request_text("g");
    group.topics.count = -1;
    fetch.groups.items = &group;
    fetch.groups.count = 1;
    CALL(rig, KM_OFFSET_FETCH, 8, &fetch, &fetch_out);
    assert_int_equal(fetch_out.groups.items[0].error_code, KE_NONE);
    assert_int_equal(fetch_out.groups.items[0].topics.count, 0);
}

static void
it_is_listed_and_no_classic_group(void **state)
{
    struct share_group_rig *rig = *state;
    struct wire_string type = request_text("Share"), name = request_text("g");
    struct km_list_groups_request list;
    struct km_list_groups_response listed;
    struct km_describe_groups_request described;
    struct km_describe_groups_response described_out;

    share_group_rig_join(rig, "a");
    assert_int_equal(classic_join(rig, "c"), KE_NONE);
    codec_init(&km_list_groups_request_desc, &list);
    list.types_filter.items = &type;
    list.types_filter.count = 1;
    CALL(rig, KM_LIST_GROUPS, 5, &list, &listed);
    assert_int_equal(listed.groups.count, 1);
    assert_text(listed.groups.items[0].group_id, "g");
    assert_text(listed.groups.items[0].protocol_type, "share");
    assert_text(listed.groups.items[0].group_type, "share");
    assert_text(listed.groups.items[0].group_state, "Stable");
    codec_init(&km_describe_groups_request_desc, &described);
    described.groups.items = &name;
    described.groups.count = 1;
    CALL(rig, KM_DESCRIBE_GROUPS, 6, &described, &described_out);
    assert_int_equal(described_out.groups.items[0].error_code, KE_GROUP_ID_NOT_FOUND);
    assert_text(described_out.groups.items[0].error_message, "Group g is not a classic group.");
    assert_text(described_out.groups.items[0].group_state, "Dead");
}

static void
ids_with_zero_bytes_make_no_group(void **state)
{
    static const struct wire_string cut = {"a\0b", 3};
    struct share_group_rig *rig = *state;
    struct wire_string topic = request_text("wal");

    for (int i = 0; i < 2; i++) {
        struct km_share_group_heartbeat_request in;

        codec_init(&km_share_group_heartbeat_request_desc, &in);
        in.group_id = i == 0 ? cut : request_text("g");
        in.member_id = i == 1 ? cut : request_text("a");
        in.subscribed_topic_names.items = &topic;
        in.subscribed_topic_names.count = 1;
        assert_true(share_group_rig_send(rig, &in));
        assert_int_equal(rig->answer.code, KE_INVALID_REQUEST);
    }
    assert_null(groups_find(rig->world.broker->groups, request_text("a")));
    assert_null(share_group_rig_group(rig));
}

static void
a_topic_named_twice_or_with_a_zero_byte_does_no_harm(void **state)
{
    struct wire_string names[] = {request_text("wal"), request_text("wal"), {"w\0l", 3}};
    struct km_share_group_heartbeat_request in;
    struct share_group_rig *rig = *state;

    codec_init(&km_share_group_heartbeat_request_desc, &in);
    in.group_id = request_text("g");
    in.member_id = request_text("a");
    in.subscribed_topic_names.items = names;
    in.subscribed_topic_names.count = 3;
    assert_true(share_group_rig_send(rig, &in));
    assert_int_equal(rig->answer.code, KE_NONE);
    share_group_rig_rest(rig);
    share_group_rig_beat(rig, "a");
    assert_int_equal(rig->answer.count, SHARE_GROUP_RIG_PARTITIONS);
    share_group_rig_crash(rig);
    assert_int_equal(
        share_parts_total(&share_group_rig_member(rig, "a")->assigned), SHARE_GROUP_RIG_PARTITIONS);
}

static void
without_the_feature_every_request_is_unsupported(void **state)
{
    struct share_group_rig *rig = *state;
    struct km_alter_share_group_offsets_request alter;
    struct km_alter_share_group_offsets_response alter_out;
    struct km_delete_share_group_offsets_request gone;
    struct km_delete_share_group_offsets_response gone_out;

    rig->world.broker->features.levels[FEATURE_SHARE_VERSION] = 0;
    assert_true(share_group_rig_beat_at(rig, "a", SHARE_EPOCH_JOIN, "wal"));
    assert_int_equal(rig->answer.code, KE_UNSUPPORTED_VERSION);
    assert_int_equal(describe(rig, "g").error_code, KE_UNSUPPORTED_VERSION);
    codec_init(&km_alter_share_group_offsets_request_desc, &alter);
    alter.group_id = request_text("g");
    CALL(rig, KM_ALTER_SHARE_GROUP_OFFSETS, 0, &alter, &alter_out);
    assert_int_equal(alter_out.error_code, KE_UNSUPPORTED_VERSION);
    codec_init(&km_delete_share_group_offsets_request_desc, &gone);
    gone.group_id = request_text("g");
    CALL(rig, KM_DELETE_SHARE_GROUP_OFFSETS, 0, &gone, &gone_out);
    assert_int_equal(gone_out.error_code, KE_UNSUPPORTED_VERSION);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_group_is_described_with_its_members),
        TEST(what_is_no_share_group_is_not_described),
        TEST(a_group_of_another_protocol_takes_no_share_members),
        TEST(consumers_are_told_that_it_is_none_of_theirs),
        TEST(to_classic_members_it_is_not_there),
        TEST(it_has_no_committed_offsets),
        TEST(it_is_listed_and_no_classic_group),
        TEST(ids_with_zero_bytes_make_no_group),
        TEST(a_topic_named_twice_or_with_a_zero_byte_does_no_harm),
        TEST(without_the_feature_every_request_is_unsupported),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
