/*
 * Area streams, fourth part: which member of a streams group has which tasks, how they move, and
 * what is told of a group.
 */
#include "conformance/kc_ask.h"
#include "conformance/kc_streams.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define LIMIT_MS 20000
#define PARTITIONS 4
#define SESSION_MS 2000
#define LIST_TYPES_VERSION 5

static struct kc_streamer
joiner(struct kc *kc, const struct kc_streamer *like)
{
    return kc_streamer_new(kc, like->group, like->topology);
}

static struct kc_streamer
alone(struct kc *kc)
{
    return kc_streamer_alone(kc, kc_topic_new(kc, PARTITIONS, NULL));
}

/* Heartbeats of both until each has half of the tasks, and has said so. */
static void
halve(struct kc *kc, struct kc_streamer *one, struct kc_streamer *other)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);

    for (;;) {
        kc_streams_beat(kc, one);
        kc_streams_beat(kc, other);
        kc_tasks_disjoint(kc, &one->active, &other->active);
        if (kc_tasks_count(&one->active) == PARTITIONS / 2 &&
            kc_tasks_count(&other->active) == PARTITIONS / 2)
            break;
        kc_wait_more(kc, &wait, "two members have half of the tasks each");
    }
    kc_streams_beat(kc, one);
    kc_streams_beat(kc, other);
}

/* A heartbeat that says what `one` has; what it is told goes to `told`. */
static void
tell(struct kc *kc, const struct kc_streamer *one, struct kc_streamer *told)
{
    const kc_streams_response *response = kc_streams_send(kc, one, kc_streams_body(kc, one));

    kc_code(kc, "error_code", response->error_code, KE_NONE);
    told->epoch = response->member_epoch;
    kc_streams_take(kc, told, response);
}

/* --- how tasks move --------------------------------------------------------------------------- */

static void
tasks_disjoint(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct kc_streamer one = kc_streamer_new(kc, kc_streams_group(kc), kc_topology_of(kc, topic));
    struct kc_streamer other = joiner(kc, &one);

    halve(kc, &one, &other);
    for (int i = 0; i < PARTITIONS; i++)
        kc_that(kc, one.active.has[0][i] || other.active.has[0][i], "task-missing",
            "an owner of task 0_%d", i);
}

static void
revoke_first(struct kc *kc)
{
    struct kc_streamer one = alone(kc), other = joiner(kc, &one), told = one;
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);

    kc_streams_beat(kc, &other);
    kc_int(kc, "tasks", kc_tasks_count(&other.active), 0);
    /* `told` learns what is to be given up; `one` is what the group knows it to have. */
    while (kc_tasks_count(&told.active) == PARTITIONS) {
        tell(kc, &one, &told);
        kc_streams_beat(kc, &other);
        kc_tasks_disjoint(kc, &one.active, &other.active);
        kc_wait_more(kc, &wait, "the first is told to give tasks up");
    }
    kc_int(kc, "tasks_kept", kc_tasks_count(&told.active), PARTITIONS / 2);
    for (int i = 0; i < 3; i++) {
        tell(kc, &one, &told);
        kc_streams_beat(kc, &other);
        kc_tasks_disjoint(kc, &one.active, &other.active);
    }
    halve(kc, &told, &other);
}

static void
leave(struct kc *kc)
{
    struct kc_streamer one = alone(kc), other = joiner(kc, &one), leaving;
    const kc_streams_response *response;

    kc_streams_beat(kc, &other);
    leaving = one;
    leaving.epoch = KC_STREAMS_LEAVE;
    response = kc_streams_send(kc, &leaving, kc_streams_body(kc, &leaving));
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    kc_int(kc, "member_epoch", response->member_epoch, KC_STREAMS_LEAVE);
    kc_streams_await(kc, &other, PARTITIONS);
    kc_code(kc, "error_code", kc_streams_code(kc, &one), KE_UNKNOWN_MEMBER_ID);
}

static const char *const short_session[] = {"group.streams.min.session.timeout.ms=1000",
    "group.streams.session.timeout.ms=2000", "group.streams.min.heartbeat.interval.ms=100",
    "group.streams.heartbeat.interval.ms=500", NULL};

static void
session_timeout(struct kc *kc)
{
    struct kc_streamer one = alone(kc), other = joiner(kc, &one);
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    int64_t last_us = wire_client_now_us(); /* the silent one is heard later than this */

    kc_streams_beat(kc, &one);
    for (kc_streams_beat(kc, &other); kc_tasks_count(&other.active) < PARTITIONS;
         kc_streams_beat(kc, &other))
        kc_wait_more(kc, &wait, "the silent member's tasks go to the other");
    kc_that(kc, wire_client_now_us() - last_us >= (int64_t)SESSION_MS * 1000, "too-early",
        "nothing taken from a member before its session timeout of %d ms", SESSION_MS);
    kc_code(kc, "error_code", kc_streams_code(kc, &one), KE_UNKNOWN_MEMBER_ID);
}

static void
standby(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct kc_group *group = kc_streams_group(kc);
    kc_topology *topology = kc_topology_of(kc, topic);
    struct kc_streamer one = kc_streamer_new(kc, group, topology), other = joiner(kc, &one);
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);

    (void)kc_topology_changelog(topology, 0, kc_topic_name(kc));
    kc_group_set(kc, group, "streams.num.standby.replicas", "1");
    halve(kc, &one, &other);
    while (!kc_tasks_same(&one.standby, &other.active) ||
           !kc_tasks_same(&other.standby, &one.active)) {
        kc_wait_more(kc, &wait, "each member keeps the other's tasks ready");
        halve(kc, &one, &other);
    }
}

/* --- what is refused -------------------------------------------------------------------------- */

static void
fenced(struct kc *kc)
{
    struct kc_streamer one = alone(kc), bad = one;

    bad.epoch = one.epoch + 1;
    kc_code(kc, "error_code", kc_streams_code(kc, &bad), KE_FENCED_MEMBER_EPOCH);
    bad = one;
    bad.id = kc_printf(kc, "%s-stranger", one.id);
    kc_code(kc, "error_code", kc_streams_code(kc, &bad), KE_UNKNOWN_MEMBER_ID);
    kc_streams_beat(kc, &one);
}

/* An answer that got lost: the member says again what it said. */
static void
previous_epoch(struct kc *kc)
{
    struct kc_streamer one = alone(kc), other = joiner(kc, &one), before = one;
    const kc_streams_response *response;

    halve(kc, &one, &other);
    kc_that(kc, one.epoch > before.epoch, "same-epoch", "a higher epoch with another target");
    kc_code(kc, "too_many_tasks", kc_streams_code(kc, &before), KE_FENCED_MEMBER_EPOCH);
    before.active = one.active;
    response = kc_streams_send(kc, &before, kc_streams_body(kc, &before));
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    kc_int(kc, "member_epoch", response->member_epoch, one.epoch);
}

static void
unknown_task(struct kc *kc)
{
    struct kc_streamer one = alone(kc);
    kc_streams_request *body = kc_streams_body(kc, &one);

    body->active_tasks.items[0].subtopology_id = kc_string("none");
    kc_code(kc, "error_code", kc_streams_send(kc, &one, body)->error_code, KE_INVALID_REQUEST);
    body = kc_streams_body(kc, &one);
    body->active_tasks.items[0].partitions.items[0] = PARTITIONS;
    kc_code(kc, "error_code", kc_streams_send(kc, &one, body)->error_code, KE_INVALID_REQUEST);
    kc_streams_beat(kc, &one);
}

static int16_t
consumer_join(struct kc *kc, const struct kc_streamer *one, const char *topic)
{
    struct km_consumer_group_heartbeat_request_topic_partitions none;
    const struct km_consumer_group_heartbeat_response *response;
    struct km_consumer_group_heartbeat_request body;
    struct wire_string name = kc_string(topic);

    codec_init(&km_consumer_group_heartbeat_request_desc, &body);
    body.group_id = kc_string(one->group->id);
    body.member_id = kc_string(kc_printf(kc, "%s-consumer", one->id));
    body.rebalance_timeout_ms = KC_STREAMS_REBALANCE_MS;
    body.subscribed_topic_names.items = &name;
    body.subscribed_topic_names.count = 1;
    body.topic_partitions.items = &none;
    body.topic_partitions.count = 0;
    response = kc_ask(kc, kc_group_link(kc, one->group), KM_CONSUMER_GROUP_HEARTBEAT,
        kc_version(kc, KM_CONSUMER_GROUP_HEARTBEAT, KC_VERSION_MAX), &body);
    return response->error_code;
}

static void
other_protocols(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct kc_streamer one = kc_streamer_alone(kc, topic);
    struct kc_member *classic = kc_member_new(kc, one.group, NULL, "");

    kc_code(kc, "JoinGroup", kc_member_join_once(kc, classic)->error_code,
        KE_INCONSISTENT_GROUP_PROTOCOL);
    kc_code(
        kc, "ConsumerGroupHeartbeat", consumer_join(kc, &one, topic->name), KE_GROUP_ID_NOT_FOUND);
    kc_streams_beat(kc, &one);
}

/* --- offsets ---------------------------------------------------------------------------------- */

static int16_t
commit_code(struct kc *kc, const struct kc_streamer *one, const struct kc_topic *topic,
    int32_t epoch, int64_t offset)
{
    struct kc_commit commit = kc_commit_of(NULL, offset);

    commit.member_id = one->id;
    commit.generation = epoch;
    return kc_commit(kc, one->group, topic, 0, &commit);
}

static void
commit_with_member_epoch(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct kc_streamer one = kc_streamer_alone(kc, topic), stranger = one;

    stranger.id = "kc-stranger";
    kc_code(kc, "OffsetCommit", commit_code(kc, &one, topic, one.epoch, 5), KE_NONE);
    kc_code(
        kc, "error_code", commit_code(kc, &one, topic, one.epoch + 1, 6), KE_STALE_MEMBER_EPOCH);
    kc_code(
        kc, "error_code", commit_code(kc, &stranger, topic, one.epoch, 7), KE_UNKNOWN_MEMBER_ID);
    kc_int(kc, "committed_offset",
        kc_committed_as(kc, one.group, topic, 0, one.id, one.epoch).offset, 5);
    kc_code(kc, "error_code", kc_committed_as(kc, one.group, topic, 0, one.id, one.epoch + 1).code,
        KE_STALE_MEMBER_EPOCH);
}

/* --- what is told ----------------------------------------------------------------------------- */

static void
endpoint_has(struct kc *kc, const kc_streams_response *response, const struct kc_streamer *streamer,
    const struct kc_topic *topic)
{
    const struct km_streams_group_heartbeat_response_topic_partition *part;
    int32_t at = 0;

    while (at < response->partitions_by_user_endpoint.count &&
           !kc_topic_is_named(response->partitions_by_user_endpoint.items[at].user_endpoint.host,
               streamer->endpoint))
        at++;
    kc_that(kc, at < response->partitions_by_user_endpoint.count, "endpoint-missing",
        "the endpoints of both members");
    kc_int(kc, "topics_count",
        response->partitions_by_user_endpoint.items[at].active_partitions.count, 1);
    part = &response->partitions_by_user_endpoint.items[at].active_partitions.items[0];
    kc_that(kc, kc_topic_is_named(part->topic, topic->name), "other-topic", "%s", topic->name);
    kc_int(kc, "partitions_count", part->partitions.count, PARTITIONS / 2);
    for (int32_t i = 0; i < part->partitions.count; i++)
        kc_that(kc,
            part->partitions.items[i] >= 0 && part->partitions.items[i] < PARTITIONS &&
                streamer->active.has[0][part->partitions.items[i]],
            "other-partition", "the partitions of the member's tasks");
}

static void
endpoints(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct kc_streamer one = kc_streamer_new(kc, kc_streams_group(kc), kc_topology_of(kc, topic));
    struct kc_streamer other = joiner(kc, &one);
    const kc_streams_response *response;
    kc_streams_request *body;
    int32_t epoch;

    one.endpoint = "kc-one";
    other.endpoint = "kc-other";
    halve(kc, &one, &other);
    body = kc_streams_body(kc, &one);
    body->endpoint_information_epoch = -1;
    response = kc_streams_send(kc, &one, body);
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    kc_int(kc, "endpoints_count", response->partitions_by_user_endpoint.count, 2);
    endpoint_has(kc, response, &one, topic);
    endpoint_has(kc, response, &other, topic);
    epoch = response->endpoint_information_epoch;
    body = kc_streams_body(kc, &one);
    body->endpoint_information_epoch = epoch;
    response = kc_streams_send(kc, &one, body);
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    kc_that(kc, response->partitions_by_user_endpoint.count < 0, "endpoints-again",
        "no endpoints for who knows them");
}

static void
shutdown(struct kc *kc)
{
    struct kc_streamer one = alone(kc), other = joiner(kc, &one);
    const kc_streams_response *response = kc_streams_beat(kc, &other);
    kc_streams_request *body = kc_streams_body(kc, &one);

    kc_that(kc, !kc_streams_has(response, KC_STREAMS_SHUTDOWN_APPLICATION), "too-early",
        "no such status before somebody asks for it");
    body->shutdown_application = true;
    kc_code(kc, "error_code", kc_streams_send(kc, &one, body)->error_code, KE_NONE);
    kc_streams_has_status(kc, kc_streams_beat(kc, &other), KC_STREAMS_SHUTDOWN_APPLICATION);
    kc_streams_has_status(kc, kc_streams_beat(kc, &other), KC_STREAMS_SHUTDOWN_APPLICATION);
}

/* The one run of tasks of the one subtopology. */
static void
tasks_are_all(struct kc *kc, const struct km_streams_group_describe_response_task_ids_array *told)
{
    kc_int(kc, "subtopologies_count", told->count, 1);
    kc_that(kc, kc_topic_is_named(told->items[0].subtopology_id, "0"), "other-subtopology",
        "subtopology 0");
    kc_int(kc, "tasks", told->items[0].partitions.count, PARTITIONS);
}

static void
topology_is(struct kc *kc, const struct km_streams_group_describe_response_topology *told,
    const struct kc_topic *topic)
{
    kc_that(kc, told != NULL, "no-topology", "the topology");
    kc_int(kc, "topology_epoch", told->epoch, 0);
    kc_int(kc, "subtopologies_count", told->subtopologies.count, 1);
    kc_int(kc, "source_topics_count", told->subtopologies.items[0].source_topics.count, 1);
    kc_that(kc, kc_topic_is_named(told->subtopologies.items[0].source_topics.items[0], topic->name),
        "other-topic", "%s", topic->name);
}

static void
describe(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct kc_streamer one = kc_streamer_alone(kc, topic);
    const struct km_streams_group_describe_response_described_group *group =
        kc_streams_describe(kc, one.group);
    const struct km_streams_group_describe_response_member *member;
    struct kc_group unknown = *one.group;

    kc_code(kc, "error_code", group->error_code, KE_NONE);
    kc_that(kc, kc_topic_is_named(group->group_state, "Stable"), "other-state", "Stable");
    kc_int(kc, "group_epoch", group->group_epoch, one.epoch);
    kc_int(kc, "assignment_epoch", group->assignment_epoch, one.epoch);
    topology_is(kc, group->topology, topic);
    kc_int(kc, "members_count", group->members.count, 1);
    member = &group->members.items[0];
    kc_that(kc, kc_topic_is_named(member->member_id, one.id), "other-member", "%s", one.id);
    kc_int(kc, "member_epoch", member->member_epoch, one.epoch);
    kc_that(
        kc, kc_topic_is_named(member->process_id, one.process), "other-process", "%s", one.process);
    tasks_are_all(kc, &member->assignment.active_tasks);
    tasks_are_all(kc, &member->target_assignment.active_tasks);
    unknown.id = kc_printf(kc, "%s-unknown", one.group->id);
    kc_code(kc, "error_code", kc_streams_describe(kc, &unknown)->error_code, KE_GROUP_ID_NOT_FOUND);
}

static void
listed(struct kc *kc)
{
    struct kc_streamer one = alone(kc);
    const struct km_list_groups_response *response;
    struct wire_string type = kc_string("streams");
    struct km_list_groups_request body;

    codec_init(&km_list_groups_request_desc, &body);
    body.types_filter.items = &type;
    body.types_filter.count = 1;
    response = kc_ask(kc, kc_group_link(kc, one.group), KM_LIST_GROUPS,
        kc_version(kc, KM_LIST_GROUPS, KC_VERSION_MAX), &body);
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    for (int32_t i = 0; i < response->groups.count; i++) {
        const struct km_list_groups_response_listed_group *group = &response->groups.items[i];

        kc_that(kc, kc_topic_is_named(group->group_type, "streams"), "other-type",
            "groups of type streams");
        if (!kc_topic_is_named(group->group_id, one.group->id))
            continue;
        kc_that(kc, kc_topic_is_named(group->protocol_type, "streams"), "other-protocol",
            "protocol type streams");
        kc_that(kc, kc_topic_is_named(group->group_state, "Stable"), "other-state", "Stable");
        return;
    }
    kc_fail(kc, "not-listed", NULL, "group %s among those of type streams", one.group->id);
}

static int16_t
delete_code(struct kc *kc, const struct kc_group *group)
{
    const struct km_delete_groups_response *response;
    struct wire_string name = kc_string(group->id);
    struct km_delete_groups_request body;

    codec_init(&km_delete_groups_request_desc, &body);
    body.groups_names.items = &name;
    body.groups_names.count = 1;
    response = kc_ask(kc, kc_group_link(kc, group), KM_DELETE_GROUPS,
        kc_version(kc, KM_DELETE_GROUPS, KC_VERSION_MAX), &body);
    kc_int(kc, "results_count", response->results.count, 1);
    return response->results.items[0].error_code;
}

static void delete (struct kc *kc)
{
    struct kc_streamer one = alone(kc);

    kc_code(kc, "error_code", delete_code(kc, one.group), KE_NON_EMPTY_GROUP);
    kc_code(kc, "StreamsGroupHeartbeat", kc_streams_leave(kc, &one), KE_NONE);
    kc_that(kc, kc_topic_is_named(kc_streams_describe(kc, one.group)->group_state, "Empty"),
        "other-state", "Empty");
    kc_code(kc, "error_code", delete_code(kc, one.group), KE_NONE);
    kc_code(kc, "StreamsGroupDescribe", kc_streams_describe(kc, one.group)->error_code,
        KE_GROUP_ID_NOT_FOUND);
}

/* --- restarts --------------------------------------------------------------------------------- */

static void
survives_restart(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    struct kc_streamer one = kc_streamer_alone(kc, topic), other = joiner(kc, &one);
    struct kc_group group = *one.group;
    const kc_streams_response *response;
    int32_t epoch = one.epoch;

    kc_bounce(kc, true);
    (void)kc_topic_await(kc, topic->name, PARTITIONS);
    kc_group_await(kc, &group);
    one.group = other.group = &group;
    response = kc_streams_beat(kc, &one);
    kc_int(kc, "member_epoch", one.epoch, epoch);
    kc_that(kc, response->active_tasks.count < 0, "tasks-again", "the tasks of before");
    kc_int(kc, "statuses", response->status.count, 0);
    halve(kc, &one, &other);
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct check checks[] = {
    {"sgroup.tasks_disjoint", "two members have half of the tasks each, and no task is left out",
        "KIP-1071", CHECK_CORE, 0, {KC_STREAMS_NEEDS}, tasks_disjoint},
    {"sgroup.revoke_first", "a task moves only once its owner has said that it gave it up",
        "KIP-1071", CHECK_CORE, 0, {KC_STREAMS_NEEDS}, revoke_first},
    {"sgroup.leave", "who leaves with epoch -1 frees its tasks at once, and is unknown",
        "GroupMetadataManager", 0, 0, {KC_STREAMS_NEEDS}, leave},
    {"sgroup.session_timeout",
        "who is silent for the session timeout is out, not before, and its tasks move", "KIP-1071",
        CHECK_CORE, 90, {KC_STREAMS_NEEDS, CHECK_START(short_session)}, session_timeout},
    {"sgroup.standby", "with streams.num.standby.replicas=1 another process keeps each task ready",
        "KIP-1071", 0, 60, {KC_STREAMS_NEEDS}, standby},
    {"sgroup.fenced", "an epoch ahead is 110, an unknown member is 25, and nobody is disturbed",
        "GroupMetadataManager", 0, 0, {KC_STREAMS_NEEDS}, fenced},
    {"sgroup.previous_epoch",
        "a heartbeat of the epoch before is taken where its answer may have got lost",
        "GroupMetadataManager", 0, 0, {KC_STREAMS_NEEDS}, previous_epoch},
    {"sgroup.unknown_task", "a task that the topology does not have is answered 42",
        "GroupMetadataManager", 0, 0, {KC_STREAMS_NEEDS}, unknown_task},
    {"sgroup.other_protocols", "members of other protocols are refused: 23 and 69",
        "GroupMetadataManager", 0, 0,
        {KC_STREAMS_NEEDS, CHECK_NEED(JOIN_GROUP, 0), CHECK_NEED(CONSUMER_GROUP_HEARTBEAT, 0)},
        other_protocols},
    {"sgroup.commit_with_member_epoch",
        "commits carry the member's epoch; any other is 113, an unknown member 25",
        "StreamsGroup.validateOffsetCommit", CHECK_CORE, 0,
        {KC_STREAMS_NEEDS, CHECK_NEED(OFFSET_COMMIT, 9), CHECK_NEED(OFFSET_FETCH, 9)},
        commit_with_member_epoch},
    {"sgroup.endpoints", "members learn which partitions are at whose endpoint, once",
        "EndpointToPartitionsManager", 0, 0, {KC_STREAMS_NEEDS}, endpoints},
    {"sgroup.shutdown", "where one member asks all to stop, every member has status 4", "KIP-1071",
        0, 0, {KC_STREAMS_NEEDS}, shutdown},
    {"sgroup.describe", "StreamsGroupDescribe tells state, epochs, topology, members and tasks",
        "StreamsGroupDescribeRequestTest", CHECK_CORE, 0, {KC_STREAMS_NEEDS}, describe},
    {"sgroup.listed", "ListGroups finds it by its type", "KIP-1071", 0, 0,
        {KC_STREAMS_NEEDS, CHECK_NEED(LIST_GROUPS, LIST_TYPES_VERSION)}, listed},
    {"sgroup.delete", "a group with members cannot be deleted (68), an empty one is gone",
        "StreamsGroup.validateDeleteGroup", 0, 0, {KC_STREAMS_NEEDS, CHECK_NEED(DELETE_GROUPS, 0)},
        delete},
    {"sgroup.survives_restart", "members keep epoch and tasks over a kill", "KIP-1071",
        CHECK_CORE | CHECK_CONTROL, 120, {KC_STREAMS_NEEDS}, survives_restart},
};

const struct check_table c_streams_tasks_table = CHECK_TABLE("streams", checks);
