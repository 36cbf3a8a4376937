/* StreamsGroupDescribe as a request, what the requests of other protocols find of a streams group,
 * how a group goes from one protocol to the other, and where streams groups are switched off. */
#include "lib/wire/kerr.h"
#include "tests/unit/refbroker/coord/streams_group_rig.h"

#define ALL STREAMS_RIG_ALL

static struct arena arena;

static int
setup(void **state)
{
    arena_init(&arena, STREAMS_RIG_BYTES_MAX);
    return streams_rig_setup(state);
}

static int
teardown(void **state)
{
    arena_fini(&arena);
    return streams_rig_teardown(state);
}

#define CALL(rig, key, version, in, out)                                                           \
    assert_true(broker_world_call(&(rig)->world, key, version, in, &arena, out))

static void
assert_text(struct wire_string text, const char *expected)
{
    assert_int_equal(text.size, (int)strlen(expected));
    assert_memory_equal(text.data, expected, strlen(expected));
}

/* --- StreamsGroupDescribe ------------------------------------------------------------------------
 */

static struct km_streams_group_describe_response_described_group
describe(struct streams_rig *rig, const char *name)
{
    struct wire_string group = request_text(name);
    struct km_streams_group_describe_request in;
    struct km_streams_group_describe_response out;

    codec_init(&km_streams_group_describe_request_desc, &in);
    in.group_ids.items = &group;
    in.group_ids.count = 1;
    in.include_authorized_operations = true;
    CALL(rig, KM_STREAMS_GROUP_DESCRIBE, 0, &in, &out);
    assert_int_equal(out.groups.count, 1);
    return out.groups.items[0];
}

static void
a_group_is_described_with_topology_and_members(void **state)
{
    struct km_streams_group_describe_response_described_group group;
    struct km_streams_group_describe_response_member member;
    struct streams_rig *rig = *state;

    rig->members[0].endpoint_port = 1000;
    streams_rig_join(rig, 0);
    group = describe(rig, "g");
    assert_int_equal(group.error_code, KE_NONE);
    assert_text(group.group_state, "Stable");
    assert_int_equal(group.group_epoch, 2);
    assert_int_equal(group.assignment_epoch, 2);
    assert_int_equal(group.authorized_operations, 3400);
    assert_int_equal(group.topology->epoch, 0);
    assert_int_equal(group.topology->subtopologies.count, 1);
    assert_text(group.topology->subtopologies.items[0].subtopology_id, "0");
    assert_text(group.topology->subtopologies.items[0].source_topics.items[0], "wal");
    assert_int_equal(group.members.count, 1);
    member = group.members.items[0];
    assert_text(member.member_id, "a");
    assert_int_equal(member.member_epoch, 2);
    assert_int_equal(member.instance_id.size, -1);
    assert_text(member.process_id, "pa");
    assert_text(member.user_endpoint->host, "host");
    assert_int_equal(member.user_endpoint->port, 1000);
    assert_false(member.is_classic);
    assert_int_equal(member.assignment.active_tasks.items[0].partitions.count, ALL);
    assert_int_equal(member.target_assignment.active_tasks.items[0].partitions.count, ALL);
    assert_int_equal(member.assignment.standby_tasks.count, 0);
    streams_rig_leave(rig, 0);
    assert_text(describe(rig, "g").group_state, "Empty");
}

/* --- classic groups ------------------------------------------------------------------------------
 */

static struct km_join_group_response
classic_join_at(struct streams_rig *rig, const char *group, int16_t version)
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
    CALL(rig, KM_JOIN_GROUP, version, &in, &out);
    return out;
}

static struct km_join_group_response
classic_join(struct streams_rig *rig, const char *group)
{
    return classic_join_at(rig, group, 3);
}

static void
classic_leave(struct streams_rig *rig, const char *group, struct wire_string member_id)
{
    struct km_leave_group_request_member_identity identity;
    struct km_leave_group_request in;
    struct km_leave_group_response out;

    codec_init(&km_leave_group_request_desc, &in);
    codec_init(&km_leave_group_request_member_identity_desc, &identity);
    identity.member_id = member_id;
    in.group_id = request_text(group);
    in.members.items = &identity;
    in.members.count = 1;
    CALL(rig, KM_LEAVE_GROUP, 3, &in, &out);
    assert_int_equal(out.members.items[0].error_code, KE_NONE);
}

static void
what_is_no_streams_group_is_not_described(void **state)
{
    struct streams_rig *rig = *state;

    assert_int_equal(describe(rig, "").error_code, KE_INVALID_GROUP_ID);
    assert_text(describe(rig, "g").error_message, "Group g not found.");
    assert_int_equal(classic_join(rig, "c").error_code, KE_NONE);
    assert_int_equal(describe(rig, "c").error_code, KE_GROUP_ID_NOT_FOUND);
    assert_text(describe(rig, "c").error_message, "Group c is not a streams group.");
}

static void
a_classic_group_becomes_one_when_it_is_empty(void **state)
{
    struct streams_rig *rig = *state;
    struct km_join_group_response joined = classic_join(rig, "g");

    assert_true(streams_rig_beat_at(rig, 0, STREAMS_EPOCH_JOIN, true));
    assert_int_equal(rig->members[0].code, KE_GROUP_ID_NOT_FOUND);
    assert_string_equal(rig->members[0].text, "Group g is not a streams group.");
    classic_leave(rig, "g", joined.member_id);
    assert_true(streams_rig_beat_at(rig, 0, 1, true));
    assert_int_equal(rig->members[0].code, KE_GROUP_ID_NOT_FOUND);
    streams_rig_join(rig, 0);
    assert_int_equal(streams_rig_active(rig, 0), ALL);
    streams_rig_crash(rig);
    assert_int_equal(streams_rig_member(rig, 0)->epoch, 2);
}

static void
a_streams_group_becomes_a_classic_one_when_it_is_empty(void **state)
{
    struct streams_rig *rig = *state;

    streams_rig_join(rig, 0);
    assert_int_equal(classic_join(rig, "g").error_code, KE_INCONSISTENT_GROUP_PROTOCOL);
    assert_int_equal(classic_join(rig, "g").protocol_name.size, 0);
    assert_int_equal(classic_join_at(rig, "g", 7).protocol_name.size, -1);
    assert_non_null(streams_rig_member(rig, 0));
    streams_rig_leave(rig, 0);
    assert_int_equal(classic_join(rig, "g").error_code, KE_NONE);
    assert_null(streams_rig_group(rig));
    streams_rig_rest(rig);
    streams_rig_crash(rig);
    assert_null(streams_rig_group(rig));
}

static void
to_classic_members_it_is_not_there(void **state)
{
    struct streams_rig *rig = *state;
    struct km_heartbeat_request beat;
    struct km_heartbeat_response beat_out;
    struct km_sync_group_request sync;
    struct km_sync_group_response sync_out;

    streams_rig_join(rig, 0);
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
}

/* --- other protocols -----------------------------------------------------------------------------
 */

static void
consumers_and_share_consumers_are_told_that_it_is_none_of_theirs(void **state)
{
    struct streams_rig *rig = *state;
    struct wire_string topic = request_text("wal");
    struct km_consumer_group_heartbeat_request consumer;
    struct km_consumer_group_heartbeat_response consumer_out;
    struct km_share_group_heartbeat_request share;
    struct km_share_group_heartbeat_response share_out;

    streams_rig_join(rig, 0);
    streams_rig_leave(rig, 0);
    codec_init(&km_consumer_group_heartbeat_request_desc, &consumer);
    consumer.group_id = request_text("g");
    consumer.member_id = request_text("m");
    consumer.rebalance_timeout_ms = 10000;
    consumer.subscribed_topic_names.items = &topic;
    consumer.subscribed_topic_names.count = 1;
    consumer.topic_partitions.count = 0;
    CALL(rig, KM_CONSUMER_GROUP_HEARTBEAT, 1, &consumer, &consumer_out);
    assert_int_equal(consumer_out.error_code, KE_GROUP_ID_NOT_FOUND);
    assert_text(consumer_out.error_message, "Group g is not a consumer group.");
    codec_init(&km_share_group_heartbeat_request_desc, &share);
    share.group_id = request_text("g");
    share.member_id = request_text("m");
    share.subscribed_topic_names.items = &topic;
    share.subscribed_topic_names.count = 1;
    CALL(rig, KM_SHARE_GROUP_HEARTBEAT, 1, &share, &share_out);
    assert_int_equal(share_out.error_code, KE_GROUP_ID_NOT_FOUND);
    assert_text(share_out.error_message, "Group g is not a share group.");
}

/* --- administrators ------------------------------------------------------------------------------
 */

static struct km_list_groups_response
list(struct streams_rig *rig, const char *state)
{
    struct wire_string type = request_text("streams"), name = request_text(state);
    struct km_list_groups_request in;
    struct km_list_groups_response out;

    codec_init(&km_list_groups_request_desc, &in);
    in.types_filter.items = &type;
    in.types_filter.count = 1;
    in.states_filter.items = &name;
    in.states_filter.count = state == NULL ? 0 : 1;
    CALL(rig, KM_LIST_GROUPS, 5, &in, &out);
    return out;
}

static void
it_is_listed_by_type_and_state(void **state)
{
    struct streams_rig *rig = *state;
    struct km_list_groups_response listed;

    rig->source = "nowhere";
    streams_rig_join(rig, 0);
    assert_int_equal(classic_join(rig, "c").error_code, KE_NONE);
    listed = list(rig, NULL);
    assert_int_equal(listed.groups.count, 1);
    assert_text(listed.groups.items[0].group_id, "g");
    assert_text(listed.groups.items[0].protocol_type, "streams");
    assert_text(listed.groups.items[0].group_type, "streams");
    assert_text(listed.groups.items[0].group_state, "NotReady");
    /* Kafka looks for this state by another name than it shows. */
    assert_int_equal(list(rig, "not_ready").groups.count, 1);
    assert_int_equal(list(rig, "NotReady").groups.count, 0);
    assert_int_equal(list(rig, "stable").groups.count, 0);
}

static int16_t
group_delete(struct streams_rig *rig)
{
    struct wire_string name = request_text("g");
    struct km_delete_groups_request in;
    struct km_delete_groups_response out;

    codec_init(&km_delete_groups_request_desc, &in);
    in.groups_names.items = &name;
    in.groups_names.count = 1;
    CALL(rig, KM_DELETE_GROUPS, 2, &in, &out);
    return out.results.items[0].error_code;
}

static void
it_is_deleted_when_it_is_empty_and_stays_so(void **state)
{
    struct streams_rig *rig = *state;

    streams_rig_join(rig, 0);
    assert_int_equal(group_delete(rig), KE_NON_EMPTY_GROUP);
    streams_rig_leave(rig, 0);
    assert_int_equal(group_delete(rig), KE_NONE);
    assert_null(groups_find(rig->world.broker->groups, request_text("g")));
    streams_rig_crash(rig);
    assert_null(groups_find(rig->world.broker->groups, request_text("g")));
}

static int16_t
offset_commit(struct streams_rig *rig, int32_t epoch)
{
    struct km_offset_commit_request_partition partition;
    struct km_offset_commit_request_topic topic;
    struct km_offset_commit_request in;
    struct km_offset_commit_response out;

    codec_init(&km_offset_commit_request_desc, &in);
    codec_init(&km_offset_commit_request_topic_desc, &topic);
    codec_init(&km_offset_commit_request_partition_desc, &partition);
    in.group_id = request_text("g");
    in.member_id = request_text("a");
    in.generation_id_or_member_epoch = epoch;
    in.topics.items = &topic;
    in.topics.count = 1;
    topic.name = request_text("wal");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    partition.committed_offset = 7;
    CALL(rig, KM_OFFSET_COMMIT, 9, &in, &out);
    return out.topics.items[0].partitions.items[0].error_code;
}

static int16_t
offset_delete(struct streams_rig *rig)
{
    struct km_offset_delete_request_partition partition;
    struct km_offset_delete_request_topic topic;
    struct km_offset_delete_request in;
    struct km_offset_delete_response out;

    codec_init(&km_offset_delete_request_desc, &in);
    codec_init(&km_offset_delete_request_topic_desc, &topic);
    codec_init(&km_offset_delete_request_partition_desc, &partition);
    in.group_id = request_text("g");
    in.topics.items = &topic;
    in.topics.count = 1;
    topic.name = request_text("wal");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    CALL(rig, KM_OFFSET_DELETE, 0, &in, &out);
    assert_int_equal(out.error_code, KE_NONE);
    return out.topics.items[0].partitions.items[0].error_code;
}

static void
offsets_are_committed_by_members_and_deleted_when_nobody_reads(void **state)
{
    struct streams_rig *rig = *state;

    streams_rig_join(rig, 0);
    assert_int_equal(offset_commit(rig, 3), KE_STALE_MEMBER_EPOCH);
    assert_int_equal(offset_commit(rig, 2), KE_NONE);
    assert_int_equal(offset_delete(rig), KE_GROUP_SUBSCRIBED_TO_TOPIC);
    streams_rig_leave(rig, 0);
    assert_int_equal(offset_delete(rig), KE_NONE);
    assert_int_equal(
        offsets_count(&groups_find(rig->world.broker->groups, request_text("g"))->offsets), 0);
}

/* Lets offsets be looked at, while a member sends heartbeats or nobody is there. */
static void
look_pass(struct streams_rig *rig, bool beats)
{
    for (int i = 0; i < 20; i++) {
        streams_rig_pass(rig, 40000);
        if (beats)
            streams_rig_beat(rig, 0);
    }
    streams_rig_rest(rig);
}

static void
offsets_that_nobody_reads_expire_and_the_group_with_them(void **state)
{
    struct streams_rig *rig = *state;
    const struct group *group;

    rig->world.broker->options.groups.offsets_retention_minutes = 1;
    streams_rig_join(rig, 0);
    assert_int_equal(offset_commit(rig, 2), KE_NONE);
    group = groups_find(rig->world.broker->groups, request_text("g"));
    look_pass(rig, true);
    assert_int_equal(offsets_count(&group->offsets), 1);
    streams_rig_leave(rig, 0);
    look_pass(rig, false);
    assert_null(groups_find(rig->world.broker->groups, request_text("g")));
    streams_rig_crash(rig);
    assert_null(groups_find(rig->world.broker->groups, request_text("g")));
}

static void
without_the_feature_every_request_is_unsupported(void **state)
{
    struct streams_rig *rig = *state;

    rig->world.broker->features.levels[FEATURE_STREAMS_VERSION] = 0;
    assert_true(streams_rig_beat_at(rig, 0, STREAMS_EPOCH_JOIN, true));
    assert_int_equal(rig->members[0].code, KE_UNSUPPORTED_VERSION);
    assert_int_equal(describe(rig, "g").error_code, KE_UNSUPPORTED_VERSION);
    rig->world.broker->features.levels[FEATURE_STREAMS_VERSION] = 1;
    rig->world.broker->options.groups.protocols = GROUP_PROTOCOL_CLASSIC;
    assert_true(streams_rig_beat_at(rig, 0, STREAMS_EPOCH_JOIN, true));
    assert_int_equal(rig->members[0].code, KE_UNSUPPORTED_VERSION);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_group_is_described_with_topology_and_members),
        TEST(what_is_no_streams_group_is_not_described),
        TEST(a_classic_group_becomes_one_when_it_is_empty),
        TEST(a_streams_group_becomes_a_classic_one_when_it_is_empty),
        TEST(to_classic_members_it_is_not_there),
        TEST(consumers_and_share_consumers_are_told_that_it_is_none_of_theirs),
        TEST(it_is_listed_by_type_and_state),
        TEST(it_is_deleted_when_it_is_empty_and_stays_so),
        TEST(offsets_are_committed_by_members_and_deleted_when_nobody_reads),
        TEST(offsets_that_nobody_reads_expire_and_the_group_with_them),
        TEST(without_the_feature_every_request_is_unsupported),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
