/*
 * Area streams, third part: streams groups (KIP-1071): who may join one, what topologies it takes,
 * and the topics that these need.
 */
#include "conformance/kc_ask.h"
#include "conformance/kc_streams.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define LIMIT_MS 20000
#define PARTITIONS 3
#define DELAY_MS 2000

/* Someone who has not joined yet. */
static struct kc_streamer
stranger(struct kc *kc)
{
    kc_topology *topology = kc_topology_of(kc, kc_topic_new(kc, 1, NULL));

    return kc_streamer_new(kc, kc_streams_group(kc), topology);
}

static int16_t
body_code(struct kc *kc, const struct kc_streamer *streamer, const kc_streams_request *body)
{
    return kc_streams_send(kc, streamer, body)->error_code;
}

/* --- whether there are any -------------------------------------------------------------------- */

static void
enabled(struct kc *kc)
{
    int16_t level = kc_feature(kc, "streams.version");

    kc_that(
        kc, level >= 1, kc_printf(kc, "streams.version=%d", level), "streams.version from 1 on");
}

static const char *const without_streams[] = {
    "group.coordinator.rebalance.protocols=classic,consumer", NULL};

static void
disabled(struct kc *kc)
{
    kc_topology *topology = kc_topology_of(kc, kc_topic_new(kc, 1, NULL));
    struct kc_group *group = kc_group_new(kc);
    struct kc_streamer one = kc_streamer_new(kc, group, topology);

    kc_code(kc, "error_code", kc_streams_code(kc, &one), KE_UNSUPPORTED_VERSION);
    kc_code(kc, "StreamsGroupDescribe", kc_streams_describe(kc, group)->error_code,
        KE_UNSUPPORTED_VERSION);
}

/* --- joining ---------------------------------------------------------------------------------- */

static void
join(struct kc *kc)
{
    kc_topology *topology = kc_topology_of(kc, kc_topic_new(kc, PARTITIONS, NULL));
    struct kc_streamer one = kc_streamer_new(kc, kc_streams_group(kc), topology);
    const kc_streams_response *response = kc_streams_beat(kc, &one);

    kc_that(kc, kc_topic_is_named(response->member_id, one.id), "other-member-id", "member id %s",
        one.id);
    kc_that(kc, response->member_epoch >= 0, "no-epoch", "a member epoch");
    kc_that(kc, response->heartbeat_interval_ms > 0, "no-interval", "a heartbeat interval");
    kc_that(kc, response->active_tasks.count >= 0, "no-tasks", "tasks for who joins, be they none");
    kc_streams_await(kc, &one, PARTITIONS);
    kc_that(kc, one.epoch >= 1, "no-epoch", "a member epoch from 1 on");
    response = kc_streams_beat(kc, &one);
    kc_that(kc, response->active_tasks.count < 0, "tasks-again", "no tasks where none has changed");
    kc_int(kc, "statuses", response->status.count, 0);
}

static void
join_needs_topology(struct kc *kc)
{
    struct kc_streamer one = stranger(kc);
    kc_streams_request *body = kc_streams_body(kc, &one);

    body->topology = NULL;
    kc_code(kc, "error_code", body_code(kc, &one, body), KE_INVALID_REQUEST);
    body = kc_streams_body(kc, &one);
    body->rebalance_timeout_ms = -1;
    kc_code(kc, "error_code", body_code(kc, &one, body), KE_INVALID_REQUEST);
    kc_code(kc, "StreamsGroupDescribe", kc_streams_describe(kc, one.group)->error_code,
        KE_GROUP_ID_NOT_FOUND);
}

static void
join_refused(struct kc *kc)
{
    struct kc_streamer one = stranger(kc), bad = one;
    kc_streams_request *body = kc_streams_body(kc, &one);

    body->member_id = kc_string("");
    kc_code(kc, "no_member_id", body_code(kc, &one, body), KE_INVALID_REQUEST);
    body = kc_streams_body(kc, &one);
    body->group_id = kc_string("");
    kc_code(kc, "no_group_id", body_code(kc, &one, body), KE_INVALID_REQUEST);
    body = kc_streams_body(kc, &one);
    body->instance_id = kc_string("instance");
    kc_code(kc, "static_member", body_code(kc, &one, body), KE_INVALID_REQUEST);
    bad.active.has[0][0] = true;
    kc_code(kc, "owns_tasks", kc_streams_code(kc, &bad), KE_INVALID_REQUEST);
    bad = one;
    bad.epoch = -3;
    kc_code(kc, "no_such_epoch", kc_streams_code(kc, &bad), KE_INVALID_REQUEST);
    bad.epoch = 5;
    kc_code(kc, "no_group", kc_streams_code(kc, &bad), KE_GROUP_ID_NOT_FOUND);
}

/* What belongs into the first heartbeat, and what belongs together. */
static void
later_refused(struct kc *kc)
{
    struct kc_streamer one = kc_streamer_alone(kc, kc_topic_new(kc, PARTITIONS, NULL));
    kc_streams_request *body = kc_streams_body(kc, &one);

    body->topology = one.topology;
    kc_code(kc, "topology_again", body_code(kc, &one, body), KE_INVALID_REQUEST);
    body = kc_streams_body(kc, &one);
    body->standby_tasks.count = -1;
    kc_code(kc, "no_standby_tasks", body_code(kc, &one, body), KE_INVALID_REQUEST);
    kc_streams_beat(kc, &one);
}

/* Brokers learn of configs and topics in the order in which they were made, though not at once: who
 * knows the second topic has taken the config in. */
static void
initial_delay(struct kc *kc)
{
    struct kc_group *group = kc_group_new(kc);
    kc_topology *topology = kc_topology_new(kc, 1);
    struct kc_streamer one = kc_streamer_new(kc, group, topology);
    const kc_streams_response *response;
    int64_t joined_us;

    kc_group_set(kc, group, "streams.initial.rebalance.delay.ms", kc_printf(kc, "%d", DELAY_MS));
    for (int i = 0; i < 2; i++)
        kc_topology_read(topology, 0, kc_topic_new(kc, PARTITIONS, NULL)->name);
    joined_us = wire_client_now_us();
    response = kc_streams_beat(kc, &one);
    kc_streams_has_status(kc, response, KC_STREAMS_ASSIGNMENT_DELAYED);
    kc_int(kc, "tasks", kc_tasks_count(&one.active), 0);
    kc_streams_await(kc, &one, PARTITIONS);
    kc_that(kc, wire_client_now_us() - joined_us >= (int64_t)DELAY_MS * 1000, "too-early",
        "no tasks before %d ms", DELAY_MS);
}

/* --- topologies ------------------------------------------------------------------------------- */

static void
invalid_topology(struct kc *kc)
{
    struct kc_streamer one = stranger(kc);
    kc_internal *changelog = kc_topology_changelog(one.topology, 0, kc_topic_name(kc));

    changelog->partitions = 1;
    kc_code(kc, "error_code", kc_streams_code(kc, &one), KE_STREAMS_INVALID_TOPOLOGY);
    kc_code(kc, "StreamsGroupDescribe", kc_streams_describe(kc, one.group)->error_code,
        KE_GROUP_ID_NOT_FOUND);
}

static void
invalid_topic_names(struct kc *kc)
{
    struct kc_streamer one = stranger(kc);

    one.topology = kc_topology_new(kc, 1);
    kc_topology_read(one.topology, 0, "__consumer_offsets");
    kc_code(kc, "internal_topic", kc_streams_code(kc, &one), KE_STREAMS_INVALID_TOPOLOGY);
    one.topology = kc_topology_new(kc, 1);
    kc_topology_read(one.topology, 0, "no/topic");
    kc_code(kc, "bad_name", kc_streams_code(kc, &one), KE_STREAMS_INVALID_TOPOLOGY);
    kc_code(kc, "StreamsGroupDescribe", kc_streams_describe(kc, one.group)->error_code,
        KE_GROUP_ID_NOT_FOUND);
}

static void
stale_topology(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PARTITIONS, NULL);
    kc_topology *now = kc_topology_of(kc, topic);
    struct kc_group *group = kc_streams_group(kc);
    struct kc_streamer one, other;
    const kc_streams_response *response;

    now->epoch = 1;
    one = kc_streamer_new(kc, group, now);
    other = kc_streamer_new(kc, group, kc_topology_of(kc, topic));
    kc_that(kc, !kc_streams_has(kc_streams_beat(kc, &one), KC_STREAMS_STALE_TOPOLOGY), "stale",
        "no such status for who brings the topology");
    response = kc_streams_beat(kc, &other);
    kc_streams_has_status(kc, response, KC_STREAMS_STALE_TOPOLOGY);
    kc_that(kc, !kc_streams_has(kc_streams_beat(kc, &one), KC_STREAMS_STALE_TOPOLOGY), "stale",
        "no such status for who has the group's topology");
}

/* --- topics ----------------------------------------------------------------------------------- */

/* Heartbeats until there is a status, whose member has no tasks: a coordinator may hear of topics
 * later than others. */
static void
status_await(struct kc *kc, struct kc_streamer *streamer, enum kc_streams_code code)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);

    while (!kc_streams_has(kc_streams_beat(kc, streamer), code)) {
        kc_int(kc, "tasks", kc_tasks_count(&streamer->active), 0);
        kc_wait_more(kc, &wait, kc_printf(kc, "status %d", (int)code));
    }
    kc_int(kc, "tasks", kc_tasks_count(&streamer->active), 0);
}

/* Heartbeats until there is no such status any more, and all tasks are there. */
static void
cured_await(struct kc *kc, struct kc_streamer *streamer, enum kc_streams_code code, int32_t tasks)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);

    while (kc_streams_has(kc_streams_beat(kc, streamer), code))
        kc_wait_more(kc, &wait, kc_printf(kc, "status %d is no more", (int)code));
    kc_streams_await(kc, streamer, tasks);
}

static void
missing_source(struct kc *kc)
{
    const char *name = kc_topic_name(kc);
    kc_topology *topology = kc_topology_new(kc, 1);
    struct kc_streamer one = kc_streamer_new(kc, kc_streams_group(kc), topology);

    kc_topology_read(topology, 0, name);
    kc_streams_has_status(kc, kc_streams_beat(kc, &one), KC_STREAMS_MISSING_SOURCE_TOPICS);
    kc_int(kc, "tasks", kc_tasks_count(&one.active), 0);
    kc_streams_has_status(kc, kc_streams_beat(kc, &one), KC_STREAMS_MISSING_SOURCE_TOPICS);
    kc_setup_begin(kc);
    kc_code(kc, "CreateTopics", kc_topic_create(kc, name, PARTITIONS), KE_NONE);
    (void)kc_topic_await(kc, name, PARTITIONS);
    kc_setup_end(kc);
    cured_await(kc, &one, KC_STREAMS_MISSING_SOURCE_TOPICS, PARTITIONS);
}

static void
not_copartitioned(struct kc *kc)
{
    kc_topology *topology = kc_topology_of(kc, kc_topic_new(kc, PARTITIONS, NULL));
    struct kc_streamer one = kc_streamer_new(kc, kc_streams_group(kc), topology);

    kc_topology_read(topology, 0, kc_topic_new(kc, PARTITIONS + 1, NULL)->name);
    kc_topology_copartition(kc, topology, 0);
    status_await(kc, &one, KC_STREAMS_INCORRECTLY_PARTITIONED_TOPICS);
    kc_streams_has_status(kc, kc_streams_beat(kc, &one), KC_STREAMS_INCORRECTLY_PARTITIONED_TOPICS);
}

static void
copartitioned(struct kc *kc)
{
    kc_topology *topology = kc_topology_of(kc, kc_topic_new(kc, PARTITIONS, NULL));
    struct kc_streamer one = kc_streamer_new(kc, kc_streams_group(kc), topology);

    kc_topology_read(topology, 0, kc_topic_new(kc, PARTITIONS, NULL)->name);
    kc_topology_copartition(kc, topology, 0);
    kc_streams_await(kc, &one, PARTITIONS);
}

static void
internal_topic_wrong_size(struct kc *kc)
{
    kc_topology *topology = kc_topology_of(kc, kc_topic_new(kc, PARTITIONS, NULL));
    struct kc_streamer one = kc_streamer_new(kc, kc_streams_group(kc), topology);

    (void)kc_topology_changelog(topology, 0, kc_topic_new(kc, PARTITIONS + 1, NULL)->name);
    status_await(kc, &one, KC_STREAMS_INCORRECTLY_PARTITIONED_TOPICS);
}

/* A topology that reads a topic, writes it anew by other keys, and counts those. */
struct counting {
    kc_topology *topology;
    const char *repartition;
    const char *changelog;
};

static struct counting
counting_new(struct kc *kc, int32_t partitions)
{
    struct counting counting = {.topology = kc_topology_new(kc, 2)};
    kc_internal *internal;

    kc_topology_read(counting.topology, 0, kc_topic_new(kc, PARTITIONS, NULL)->name);
    counting.repartition = kc_topic_name(kc);
    counting.changelog = kc_topic_name(kc);
    kc_topology_sink(counting.topology, 0, counting.repartition);
    internal = kc_topology_repartition(counting.topology, 1, counting.repartition, partitions);
    kc_topology_config(kc, internal, "cleanup.policy", "delete");
    kc_topology_config(kc, internal, "retention.ms", "-1");
    internal = kc_topology_changelog(counting.topology, 1, counting.changelog);
    kc_topology_config(kc, internal, "cleanup.policy", "compact");
    kc_topology_config(kc, internal, "message.timestamp.type", "CreateTime");
    return counting;
}

static void
internal_topics_created(struct kc *kc)
{
    struct counting counting = counting_new(kc, 0);
    struct kc_streamer one = kc_streamer_new(kc, kc_streams_group(kc), counting.topology);

    status_await(kc, &one, KC_STREAMS_MISSING_INTERNAL_TOPICS);
    cured_await(kc, &one, KC_STREAMS_MISSING_INTERNAL_TOPICS, 2 * PARTITIONS);
    (void)kc_topic_await(kc, counting.repartition, PARTITIONS);
    (void)kc_topic_await(kc, counting.changelog, PARTITIONS);
    kc_topic_has(kc, counting.repartition, "cleanup.policy=delete");
    kc_topic_has(kc, counting.repartition, "retention.ms=-1");
    kc_topic_has(kc, counting.changelog, "cleanup.policy=compact");
    kc_topic_has(kc, counting.changelog, "message.timestamp.type=CreateTime");
}

static void
repartition_partitions(struct kc *kc)
{
    struct counting counting = counting_new(kc, 2);
    struct kc_streamer one = kc_streamer_new(kc, kc_streams_group(kc), counting.topology);

    cured_await(kc, &one, KC_STREAMS_MISSING_INTERNAL_TOPICS, PARTITIONS + 2);
    for (int i = 0; i < KC_STREAMS_PARTITIONS_MAX; i++)
        kc_that(kc, one.active.has[1][i] == (i < 2), "other-tasks",
            "two tasks behind the repartition topic");
    (void)kc_topic_await(kc, counting.repartition, 2);
    (void)kc_topic_await(kc, counting.changelog, 2);
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct check checks[] = {
    {"sgroup.enabled", "the feature streams.version is finalized, and what it needs is advertised",
        "StreamsGroupHeartbeatRequestTest", 0, 0, {KC_STREAMS_NEEDS}, enabled},
    {"sgroup.disabled", "where streams is none of the group protocols its requests are answered 35",
        "KafkaApis.isStreamsGroupProtocolEnabled", 0, 90,
        {KC_STREAMS_NEEDS, CHECK_START(without_streams)}, disabled},
    {"sgroup.join", "a member joins with an id of its own and soon has all tasks, told once",
        "KIP-1071", CHECK_CORE, 0, {KC_STREAMS_NEEDS}, join},
    {"sgroup.join_needs_topology",
        "who joins without topology or rebalance timeout is answered 42, and no group is made",
        "GroupCoordinatorService", 0, 0, {KC_STREAMS_NEEDS}, join_needs_topology},
    {"sgroup.join_refused",
        "no ids, tasks when joining, an instance id, an epoch that means nothing, one for no group",
        "GroupCoordinatorService", 0, 0, {KC_STREAMS_NEEDS}, join_refused},
    {"sgroup.later_refused",
        "a topology behind the first heartbeat, and tasks of one kind only, are answered 42",
        "GroupCoordinatorService", 0, 0, {KC_STREAMS_NEEDS}, later_refused},
    {"sgroup.initial_delay",
        "the first of a group waits for others: streams.initial.rebalance.delay.ms, status 5",
        "KIP-1071", 0, 0, {KC_STREAMS_NEEDS}, initial_delay},
    {"sgroup.invalid_topology", "a changelog that says its number of partitions is answered 130",
        "GroupCoordinatorService", 0, 0, {KC_STREAMS_NEEDS}, invalid_topology},
    {"sgroup.invalid_topic_names", "so are internal topics of Kafka, and names that are none",
        "KafkaApis", 0, 0, {KC_STREAMS_NEEDS}, invalid_topic_names},
    {"sgroup.stale_topology", "who comes with an older topology than the group's has status 0",
        "KIP-1071", 0, 0, {KC_STREAMS_NEEDS}, stale_topology},
    {"sgroup.missing_source", "without its source topic a member has status 1 and no tasks",
        "KIP-1071", CHECK_CORE, 0, {KC_STREAMS_NEEDS}, missing_source},
    {"sgroup.not_copartitioned",
        "sources that have to be partitioned alike and are not: status 2, no tasks", "KIP-1071", 0,
        0, {KC_STREAMS_NEEDS}, not_copartitioned},
    {"sgroup.copartitioned", "where they are, a task reads the same partition of each",
        "CopartitionedTopicsEnforcer", 0, 0, {KC_STREAMS_NEEDS}, copartitioned},
    {"sgroup.internal_topic_wrong_size",
        "a changelog with other partitions than its tasks: status 2, no tasks",
        "InternalTopicManager", 0, 0, {KC_STREAMS_NEEDS}, internal_topic_wrong_size},
    {"sgroup.internal_topics_created",
        "internal topics that are missing (status 3) are made with their configs, then tasks come",
        "KIP-1071", CHECK_CORE, 0, {KC_STREAMS_NEEDS}, internal_topics_created},
    {"sgroup.repartition_partitions",
        "a repartition topic has the partitions that the topology says, and so has what follows",
        "RepartitionTopics", 0, 0, {KC_STREAMS_NEEDS}, repartition_partitions},
};

const struct check_table c_streams_groups_table = CHECK_TABLE("streams", checks);
