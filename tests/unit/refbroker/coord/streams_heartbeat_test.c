/* StreamsGroupHeartbeat, judged: what is refused, with which words, and that this changes nothing.
 */
#include "refbroker/coord/streams_heartbeat.h"

#include "lib/wire/kerr.h"
#include "refbroker/limits.h"
#include "tests/unit/refbroker/coord/streams_group_rig.h"

/* --- the request by itself -----------------------------------------------------------------------
 */

static struct km_streams_group_heartbeat_request_task_offset offset;
static struct km_streams_group_heartbeat_request_task_ids no_ids;
static struct wire_string pattern;

/* Spoils a request that is fine. */
typedef void spoil_fn(
    struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts);

static void
instance(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->instance_id = request_text("i");
}

static void
task_offsets(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->task_offsets.items = &offset;
    in->task_offsets.count = 0;
}

static void
task_end_offsets(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->task_end_offsets.items = &offset;
    in->task_end_offsets.count = 0;
}

static void
warmup(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    codec_init(&km_streams_group_heartbeat_request_task_ids_desc, &no_ids);
    no_ids.subtopology_id = request_text("0");
    in->warmup_tasks.items = &no_ids;
    in->warmup_tasks.count = 1;
}

static void
regex(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)in;
    pattern = request_text("w.*");
    parts->subtopology.source_topic_regex.items = &pattern;
    parts->subtopology.source_topic_regex.count = 1;
}

static void
no_member(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->member_id = request_text(" ");
}

static void
no_group(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->group_id = request_text("");
}

static void
no_rack(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->rack_id = request_text("");
}

static void
no_timeout(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->rebalance_timeout_ms = -1;
}

static void
no_active(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->active_tasks.count = -1;
}

static void
no_standby(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->standby_tasks.count = -1;
}

static void
no_warmup(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->warmup_tasks.count = -1;
}

static void
no_topology(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->topology = NULL;
}

static void
counted_changelog(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)in;
    parts->subtopology.state_changelog_topics.count = 1;
    parts->changelog.partitions = 2;
}

static void
static_leave(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->member_epoch = STREAMS_EPOCH_LEAVE_STATIC;
}

static void
low_epoch(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->member_epoch = -3;
}

static void
one_kind(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->member_epoch = 1;
    in->topology = NULL;
    in->standby_tasks.count = -1;
}

static void
late_topology(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->member_epoch = 1;
}

static void
internal_topic(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)in;
    parts->source = request_text("__consumer_offsets");
}

static void
zero_byte(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    (void)parts;
    in->process_id = (struct wire_string){"p\0q", 3};
}

static void
many_tags(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    static struct km_streams_group_heartbeat_request_key_value tags[LIMIT_STREAMS_TAGS_MAX + 1];

    (void)parts;
    for (size_t i = 0; i < ARRAY_LEN(tags); i++)
        tags[i].key = tags[i].value = request_text("");
    in->client_tags.items = tags;
    in->client_tags.count = LIMIT_STREAMS_TAGS_MAX + 1;
}

static void
long_ids(struct km_streams_group_heartbeat_request *in, struct streams_rig_parts *parts)
{
    static char text[LIMIT_STREAMS_MEMBER_BYTES_MAX / 3 + 1];

    memset(text, 'x', sizeof text);
    in->rack_id = in->process_id = (struct wire_string){text, sizeof text};
    parts->endpoint.host = in->rack_id;
    parts->endpoint.port = 1;
    in->user_endpoint = &parts->endpoint;
}

static const struct {
    spoil_fn *spoil;
    int16_t code;
    const char *text;
} requests[] = {
    {instance, KE_INVALID_REQUEST, "Static membership is not yet supported."},
    {task_offsets, KE_INVALID_REQUEST, "TaskOffsets are not supported yet."},
    {task_end_offsets, KE_INVALID_REQUEST, "TaskEndOffsets are not supported yet."},
    {warmup, KE_INVALID_REQUEST, "WarmupTasks are not supported yet."},
    {regex, KE_INVALID_REQUEST, "Regular expressions for source topics are not supported yet."},
    {no_member, KE_INVALID_REQUEST, "MemberId can't be empty."},
    {no_group, KE_INVALID_REQUEST, "GroupId can't be empty."},
    {no_rack, KE_INVALID_REQUEST, "RackId can't be empty."},
    {no_timeout, KE_INVALID_REQUEST, "RebalanceTimeoutMs must be provided in first request."},
    {no_active, KE_INVALID_REQUEST, "ActiveTasks must be empty when (re-)joining."},
    {no_standby, KE_INVALID_REQUEST, "StandbyTasks must be empty when (re-)joining."},
    {no_warmup, KE_INVALID_REQUEST, "WarmupTasks must be empty when (re-)joining."},
    {no_topology, KE_INVALID_REQUEST, "Topology must be non-null when (re-)joining."},
    {counted_changelog, KE_STREAMS_INVALID_TOPOLOGY,
        "Changelog topic " STREAMS_RIG_CHANGELOG
        " must have an undefined partition count, but it is set to 2."},
    {static_leave, KE_INVALID_REQUEST, "InstanceId can't be null."},
    {low_epoch, KE_INVALID_REQUEST, "MemberEpoch is -3, but must be greater than or equal to -2."},
    {one_kind, KE_INVALID_REQUEST, "If one task-type is non-null, all must be non-null."},
    {late_topology, KE_INVALID_REQUEST, "Topology can only be provided when (re-)joining."},
    {internal_topic, KE_STREAMS_INVALID_TOPOLOGY,
        "Use of Kafka internal topics __consumer_offsets in a Kafka Streams topology is "
        "prohibited."},
    {zero_byte, KE_INVALID_REQUEST, "Ids can't hold zero bytes."},
    {many_tags, KE_INVALID_REQUEST, "There are too many client tags."},
    {long_ids, KE_INVALID_REQUEST, "Ids and client tags are too long."},
};

static void
requests_are_judged_before_their_group(void **state)
{
    struct streams_rig *rig = *state;

    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct km_streams_group_heartbeat_request in;
        struct streams_rig_parts parts;

        streams_rig_fill(rig, 0, STREAMS_EPOCH_JOIN, true, &parts, &in);
        requests[i].spoil(&in, &parts);
        assert_true(streams_rig_send(rig, 0, &in));
        if (rig->members[0].code != requests[i].code ||
            strcmp(rig->members[0].text, requests[i].text) != 0)
            fail_msg("row %zu: %d, %s", i, rig->members[0].code, rig->members[0].text);
    }
    assert_null(streams_rig_group(rig));
}

/* --- the request in its group --------------------------------------------------------------------
 */

static void
assert_refused(struct streams_rig *rig, int number, int16_t code, const char *text)
{
    assert_int_equal(rig->members[number].code, code);
    assert_string_equal(rig->members[number].text, text);
}

static void
who_is_not_there_is_told_so(void **state)
{
    struct streams_rig *rig = *state;

    assert_true(streams_rig_beat_at(rig, 0, 1, true));
    assert_refused(rig, 0, KE_GROUP_ID_NOT_FOUND, "Streams group g not found.");
    assert_true(streams_rig_beat_at(rig, 0, STREAMS_EPOCH_LEAVE, false));
    assert_refused(rig, 0, KE_GROUP_ID_NOT_FOUND, "Group g not found.");
    streams_rig_join(rig, 0);
    assert_true(streams_rig_beat_at(rig, 1, 1, true));
    assert_refused(rig, 1, KE_UNKNOWN_MEMBER_ID, "Member b is not a member of group g.");
    assert_true(streams_rig_beat_at(rig, 1, STREAMS_EPOCH_LEAVE, false));
    assert_refused(rig, 1, KE_UNKNOWN_MEMBER_ID, "Member b is not a member of group g.");
}

static void
a_lost_answer_s_epoch_is_let_in_and_others_are_fenced(void **state)
{
    struct streams_rig *rig = *state;

    streams_rig_join(rig, 0);
    streams_rig_join(rig, 1);
    streams_rig_beat(rig, 0);
    streams_rig_beat(rig, 0); /* at 3, before that 2 */
    assert_true(streams_rig_beat_at(rig, 0, 2, true));
    assert_int_equal(rig->members[0].code, KE_NONE);
    assert_true(streams_rig_beat_at(rig, 0, 2, false));
    assert_refused(rig, 0, KE_FENCED_MEMBER_EPOCH,
        "The streams group member has a smaller member epoch (2) than the one known by the group "
        "coordinator (3). The member must abandon all its partitions and rejoin.");
    assert_true(streams_rig_beat_at(rig, 0, 4, true));
    assert_refused(rig, 0, KE_FENCED_MEMBER_EPOCH,
        "The streams group member has a greater member epoch (4) than the one known by the group "
        "coordinator (3). The member must abandon all its partitions and rejoin.");
    for (int i = 0; i < STREAMS_RIG_ALL; i++)
        rig->members[0].active[i] = true;
    assert_true(streams_rig_beat_at(rig, 0, 2, true));
    assert_int_equal(rig->members[0].code, KE_FENCED_MEMBER_EPOCH);
}

static void
a_full_group_lets_nobody_join_not_even_its_members(void **state)
{
    static const char text[] = "The streams group has reached its maximum capacity of 1 members.";
    struct streams_rig *rig = *state;

    rig->world.broker->options.groups.streams_max_size = 1;
    streams_rig_join(rig, 0);
    assert_true(streams_rig_beat_at(rig, 1, STREAMS_EPOCH_JOIN, true));
    assert_refused(rig, 1, KE_GROUP_MAX_SIZE_REACHED, text);
    assert_true(streams_rig_beat_at(rig, 0, STREAMS_EPOCH_JOIN, true));
    assert_refused(rig, 0, KE_GROUP_MAX_SIZE_REACHED, text);
    assert_true(streams_rig_beat_at(rig, 0, 2, false));
    assert_int_equal(rig->members[0].code, KE_NONE);
}

static void
tasks_that_the_topology_does_not_have_are_refused(void **state)
{
    struct streams_rig *rig = *state;

    streams_rig_join(rig, 0);
    rig->members[0].active[STREAMS_RIG_ALL] = true;
    assert_true(streams_rig_beat_at(rig, 0, 2, true));
    assert_refused(rig, 0, KE_INVALID_REQUEST,
        "Task 3 for subtopology 0 is invalid. Number of tasks for this subtopology: 3");
}

static void
topologies_of_all_groups_have_a_limit(void **state)
{
    struct streams_rig *rig = *state;
    size_t *bytes = &rig->world.broker->groups->topology_bytes;

    assert_int_equal(*bytes, 0);
    *bytes = LIMIT_STREAMS_TOPOLOGIES_BYTES_MAX;
    assert_true(streams_rig_beat_at(rig, 0, STREAMS_EPOCH_JOIN, true));
    assert_refused(rig, 0, KE_COORDINATOR_NOT_AVAILABLE, "There are too many topologies.");
    assert_null(streams_rig_group(rig));
    *bytes = 0;
    streams_rig_join(rig, 0);
    assert_int_equal(*bytes, streams_rig_group(rig)->topology->memory.used_bytes);
    streams_rig_crash(rig);
    bytes = &rig->world.broker->groups->topology_bytes;
    assert_int_equal(*bytes, streams_rig_group(rig)->topology->memory.used_bytes);
    groups_remove(groups_find(rig->world.broker->groups, request_text("g")));
    assert_int_equal(*bytes, 0);
}

/* What Kafka has no words for. */
static void
what_is_there_twice_is_an_error_without_words(void **state)
{
    struct km_streams_group_heartbeat_request_key_value tags[2];
    struct km_streams_group_heartbeat_request_subtopology twice[2];
    struct km_streams_group_heartbeat_request in;
    struct streams_rig_parts parts;
    struct streams_rig *rig = *state;

    streams_rig_fill(rig, 0, STREAMS_EPOCH_JOIN, true, &parts, &in);
    tags[0].key = tags[1].key = tags[0].value = tags[1].value = request_text("t");
    in.client_tags.items = tags;
    in.client_tags.count = 2;
    assert_true(streams_rig_send(rig, 0, &in));
    assert_refused(rig, 0, KE_UNKNOWN_SERVER_ERROR, "");

    streams_rig_fill(rig, 0, STREAMS_EPOCH_JOIN, true, &parts, &in);
    twice[0] = twice[1] = parts.subtopology;
    parts.topology.subtopologies.items = twice;
    parts.topology.subtopologies.count = 2;
    assert_true(streams_rig_send(rig, 0, &in));
    assert_refused(rig, 0, KE_UNKNOWN_SERVER_ERROR, "");

    streams_rig_fill(rig, 0, STREAMS_EPOCH_JOIN, true, &parts, &in);
    parts.topology.epoch = -1;
    assert_true(streams_rig_send(rig, 0, &in));
    assert_refused(rig, 0, KE_UNKNOWN_SERVER_ERROR, "");
    assert_null(streams_rig_group(rig));
}

/* Nobody looks at what a member has that is at its target. */
static void
tasks_that_are_told_twice_are_an_error_where_the_member_is_to_change(void **state)
{
    struct km_streams_group_heartbeat_request_task_ids twice[2];
    struct km_streams_group_heartbeat_request in;
    struct streams_rig_parts parts;
    struct streams_rig *rig = *state;
    int32_t partition = 0;

    streams_rig_join(rig, 0);
    streams_rig_fill(rig, 0, rig->members[0].epoch, true, &parts, &in);
    codec_init(&km_streams_group_heartbeat_request_task_ids_desc, &twice[0]);
    twice[0].subtopology_id = in.active_tasks.items[0].subtopology_id;
    twice[0].partitions.items = &partition;
    twice[0].partitions.count = 1;
    twice[1] = twice[0];
    in.active_tasks.items = twice;
    in.active_tasks.count = 2;
    assert_true(streams_rig_send(rig, 0, &in));
    assert_int_equal(rig->members[0].code, KE_NONE);
    streams_rig_join(rig, 1);
    assert_true(streams_rig_send(rig, 0, &in));
    assert_refused(rig, 0, KE_UNKNOWN_SERVER_ERROR, "");
    assert_int_equal(streams_rig_member(rig, 0)->state, STREAMS_STABLE);
    streams_rig_beat(rig, 0);
    assert_int_equal(streams_rig_member(rig, 0)->state, STREAMS_UNREVOKED);
}

static void
a_member_in_an_unknown_state_begins_from_nothing(void **state)
{
    struct streams_rig *rig = *state;
    struct streams_member *member;

    streams_rig_join(rig, 0);
    member = streams_member_find(streams_rig_group(rig), request_text("a"));
    member->state = STREAMS_UNKNOWN;
    assert_true(streams_rig_beat_at(rig, 0, 2, true));
    assert_refused(rig, 0, KE_FENCED_MEMBER_EPOCH,
        "The streams group member is in a unknown state. The member must abandon all its tasks and "
        "rejoin.");
    streams_rig_join(rig, 0);
    assert_int_equal(streams_rig_member(rig, 0)->state, STREAMS_STABLE);
    assert_int_equal(streams_rig_active(rig, 0), STREAMS_RIG_ALL);
}

static void
what_a_member_tells_anew_raises_the_epoch(void **state)
{
    struct km_streams_group_heartbeat_request in;
    struct streams_rig_parts parts;
    struct streams_rig *rig = *state;
    struct km_streams_group_heartbeat_request_key_value tag = {
        request_text("zone"), request_text("z1")};

    streams_rig_join(rig, 0);
    assert_int_equal(streams_rig_group(rig)->epoch, 2);
    streams_rig_fill(rig, 0, 2, true, &parts, &in);
    in.client_tags.items = &tag;
    in.client_tags.count = 1;
    assert_true(streams_rig_send(rig, 0, &in));
    assert_int_equal(streams_rig_group(rig)->epoch, 3);
    assert_true(streams_rig_send(rig, 0, &in));
    assert_int_equal(streams_rig_group(rig)->epoch, 3);
    assert_int_equal(rig->members[0].epoch, 3);
    streams_rig_fill(rig, 0, 3, true, &parts, &in);
    in.process_id = request_text("other");
    assert_true(streams_rig_send(rig, 0, &in));
    assert_int_equal(streams_rig_group(rig)->epoch, 4);
    assert_string_equal(streams_rig_member(rig, 0)->process_id, "other");
    assert_string_equal(streams_rig_member(rig, 0)->tags.items[0].value, "z1");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, streams_rig_setup, streams_rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(requests_are_judged_before_their_group),
        TEST(who_is_not_there_is_told_so),
        TEST(a_lost_answer_s_epoch_is_let_in_and_others_are_fenced),
        TEST(a_full_group_lets_nobody_join_not_even_its_members),
        TEST(tasks_that_the_topology_does_not_have_are_refused),
        TEST(topologies_of_all_groups_have_a_limit),
        TEST(what_is_there_twice_is_an_error_without_words),
        TEST(tasks_that_are_told_twice_are_an_error_where_the_member_is_to_change),
        TEST(a_member_in_an_unknown_state_begins_from_nothing),
        TEST(what_a_member_tells_anew_raises_the_epoch),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
