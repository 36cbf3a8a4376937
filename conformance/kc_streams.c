#include "conformance/kc_streams.h"

#include <string.h>

#include "conformance/kc_ask.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define LIMIT_MS 20000

typedef struct km_streams_group_heartbeat_request_subtopology subtopology;
typedef struct km_streams_group_heartbeat_request_task_ids_array asked_ids;
typedef struct km_streams_group_heartbeat_response_task_ids_array told_ids;

static const char *const subtopology_ids[KC_STREAMS_SUBTOPOLOGIES_MAX] = {"0", "1"};

/* --- topologies ------------------------------------------------------------------------------- */

static void
subtopology_init(struct kc *kc, subtopology *it, const char *id)
{
    codec_init(&km_streams_group_heartbeat_request_subtopology_desc, it);
    it->subtopology_id = kc_string(id);
    it->source_topics.items = kc_alloc(kc, KC_STREAMS_TOPICS_MAX, sizeof *it->source_topics.items);
    it->repartition_sink_topics.items =
        kc_alloc(kc, KC_STREAMS_TOPICS_MAX, sizeof *it->repartition_sink_topics.items);
    it->repartition_source_topics.items =
        kc_alloc(kc, KC_STREAMS_TOPICS_MAX, sizeof *it->repartition_source_topics.items);
    it->state_changelog_topics.items =
        kc_alloc(kc, KC_STREAMS_TOPICS_MAX, sizeof *it->state_changelog_topics.items);
}

kc_topology *
kc_topology_new(struct kc *kc, int32_t subtopologies)
{
    kc_topology *topology = kc_alloc(kc, 1, sizeof *topology);

    codec_init(&km_streams_group_heartbeat_request_topology_desc, topology);
    topology->subtopologies.items =
        kc_alloc(kc, (size_t)subtopologies, sizeof *topology->subtopologies.items);
    topology->subtopologies.count = subtopologies;
    for (int32_t i = 0; i < subtopologies; i++)
        subtopology_init(kc, &topology->subtopologies.items[i], subtopology_ids[i]);
    return topology;
}

void
kc_topology_read(kc_topology *topology, int32_t at, const char *name)
{
    subtopology *it = &topology->subtopologies.items[at];

    it->source_topics.items[it->source_topics.count++] = kc_string(name);
}

void
kc_topology_sink(kc_topology *topology, int32_t at, const char *name)
{
    subtopology *it = &topology->subtopologies.items[at];

    it->repartition_sink_topics.items[it->repartition_sink_topics.count++] = kc_string(name);
}

static kc_internal *
internal_add(struct km_streams_group_heartbeat_request_topic_info_array *list, const char *name)
{
    kc_internal *internal = &list->items[list->count++];

    codec_init(&km_streams_group_heartbeat_request_topic_info_desc, internal);
    internal->name = kc_string(name);
    return internal;
}

kc_internal *
kc_topology_repartition(kc_topology *topology, int32_t at, const char *name, int32_t partitions)
{
    kc_internal *internal =
        internal_add(&topology->subtopologies.items[at].repartition_source_topics, name);

    internal->partitions = partitions;
    return internal;
}

kc_internal *
kc_topology_changelog(kc_topology *topology, int32_t at, const char *name)
{
    return internal_add(&topology->subtopologies.items[at].state_changelog_topics, name);
}

void
kc_topology_config(struct kc *kc, kc_internal *internal, const char *name, const char *value)
{
    struct km_streams_group_heartbeat_request_key_value_array *list = &internal->topic_configs;

    if (list->items == NULL)
        list->items = kc_alloc(kc, KC_STREAMS_TOPICS_MAX, sizeof *list->items);
    list->items[list->count].key = kc_string(name);
    list->items[list->count++].value = kc_string(value);
}

void
kc_topology_copartition(struct kc *kc, kc_topology *topology, int32_t at)
{
    subtopology *it = &topology->subtopologies.items[at];
    struct km_streams_group_heartbeat_request_copartition_group *group =
        kc_alloc(kc, 1, sizeof *group);

    codec_init(&km_streams_group_heartbeat_request_copartition_group_desc, group);
    group->source_topics.items =
        kc_alloc(kc, KC_STREAMS_TOPICS_MAX, sizeof *group->source_topics.items);
    group->source_topics.count = it->source_topics.count;
    for (int32_t i = 0; i < it->source_topics.count; i++)
        group->source_topics.items[i] = (int16_t)i;
    it->copartition_groups.items = group;
    it->copartition_groups.count = 1;
}

kc_topology *
kc_topology_of(struct kc *kc, const struct kc_topic *topic)
{
    kc_topology *topology = kc_topology_new(kc, 1);

    kc_topology_read(topology, 0, topic->name);
    return topology;
}

/* --- tasks ------------------------------------------------------------------------------------ */

int32_t
kc_tasks_count(const struct kc_tasks *tasks)
{
    int32_t count = 0;

    for (int i = 0; i < KC_STREAMS_SUBTOPOLOGIES_MAX; i++)
        for (int k = 0; k < KC_STREAMS_PARTITIONS_MAX; k++)
            count += tasks->has[i][k];
    return count;
}

bool
kc_tasks_same(const struct kc_tasks *one, const struct kc_tasks *other)
{
    return memcmp(one->has, other->has, sizeof one->has) == 0;
}

void
kc_tasks_disjoint(struct kc *kc, const struct kc_tasks *one, const struct kc_tasks *other)
{
    for (int i = 0; i < KC_STREAMS_SUBTOPOLOGIES_MAX; i++)
        for (int k = 0; k < KC_STREAMS_PARTITIONS_MAX; k++)
            kc_that(kc, !one->has[i][k] || !other->has[i][k], "task-twice",
                "one owner of task %s_%d", subtopology_ids[i], k);
}

/* The place of a subtopology that the topology has. */
static int
subtopology_find(struct kc *kc, struct wire_string id)
{
    for (int i = 0; i < KC_STREAMS_SUBTOPOLOGIES_MAX; i++)
        if (kc_topic_is_named(id, subtopology_ids[i]))
            return i;
    kc_fail(kc, "other-subtopology", NULL, "tasks of subtopologies that the topology has");
}

static void
tasks_take(struct kc *kc, struct kc_tasks *tasks, const told_ids *told)
{
    *tasks = (struct kc_tasks){0};
    for (int32_t i = 0; i < told->count; i++) {
        int at = subtopology_find(kc, told->items[i].subtopology_id);

        for (int32_t k = 0; k < told->items[i].partitions.count; k++) {
            uint32_t partition = (uint32_t)told->items[i].partitions.items[k];

            kc_that(kc, partition < KC_STREAMS_PARTITIONS_MAX, "other-partition",
                "tasks by partitions of the topics that are read");
            kc_that(kc, !tasks->has[at][partition], "task-twice", "each task once");
            tasks->has[at][partition] = true;
        }
    }
}

void
kc_streams_take(struct kc *kc, struct kc_streamer *streamer, const kc_streams_response *response)
{
    if (response->active_tasks.count >= 0)
        tasks_take(kc, &streamer->active, &response->active_tasks);
    if (response->standby_tasks.count >= 0)
        tasks_take(kc, &streamer->standby, &response->standby_tasks);
}

/* --- groups ----------------------------------------------------------------------------------- */

struct kc_group *
kc_streams_group(struct kc *kc)
{
    struct kc_group *group = kc_group_new(kc);

    kc_group_set(kc, group, "streams.initial.rebalance.delay.ms", "0");
    kc_group_set(kc, group, "streams.assignment.interval.ms", "0");
    return group;
}

const struct km_streams_group_describe_response_described_group *
kc_streams_describe(struct kc *kc, const struct kc_group *group)
{
    const struct km_streams_group_describe_response *response;
    struct km_streams_group_describe_request body;
    struct wire_string id = kc_string(group->id);

    codec_init(&km_streams_group_describe_request_desc, &body);
    body.group_ids.items = &id;
    body.group_ids.count = 1;
    response = kc_ask(kc, kc_group_link(kc, group), KM_STREAMS_GROUP_DESCRIBE,
        kc_version(kc, KM_STREAMS_GROUP_DESCRIBE, KC_VERSION_MAX), &body);
    kc_int(kc, "groups_count", response->groups.count, 1);
    return &response->groups.items[0];
}

/* --- members ---------------------------------------------------------------------------------- */

struct kc_streamer
kc_streamer_new(struct kc *kc, const struct kc_group *group, kc_topology *topology)
{
    unsigned long long number = env_random(&kc->env);

    return (struct kc_streamer){.group = group,
        .topology = topology,
        .id = kc_printf(kc, "kc-member-%016llx", number),
        .process = kc_printf(kc, "kc-process-%016llx", number)};
}

static asked_ids
tasks_tell(struct kc *kc, const struct kc_tasks *tasks)
{
    asked_ids list = {kc_alloc(kc, KC_STREAMS_SUBTOPOLOGIES_MAX, sizeof *list.items), 0};

    for (int i = 0; i < KC_STREAMS_SUBTOPOLOGIES_MAX; i++) {
        struct km_streams_group_heartbeat_request_task_ids *ids = &list.items[list.count];

        ids->subtopology_id = kc_string(subtopology_ids[i]);
        ids->partitions.items =
            kc_alloc(kc, KC_STREAMS_PARTITIONS_MAX, sizeof *ids->partitions.items);
        ids->partitions.count = 0;
        for (int32_t k = 0; k < KC_STREAMS_PARTITIONS_MAX; k++)
            if (tasks->has[i][k])
                ids->partitions.items[ids->partitions.count++] = k;
        list.count += ids->partitions.count > 0;
    }
    return list;
}

kc_streams_request *
kc_streams_body(struct kc *kc, const struct kc_streamer *streamer)
{
    kc_streams_request *body = kc_alloc(kc, 1, sizeof *body);
    struct kc_tasks none = {0};

    codec_init(&km_streams_group_heartbeat_request_desc, body);
    body->group_id = kc_string(streamer->group->id);
    body->member_id = kc_string(streamer->id);
    body->member_epoch = streamer->epoch;
    body->active_tasks = tasks_tell(kc, &streamer->active);
    body->standby_tasks = tasks_tell(kc, &streamer->standby);
    body->warmup_tasks = tasks_tell(kc, &none);
    if (streamer->epoch != KC_STREAMS_JOIN)
        return body;
    body->process_id = kc_string(streamer->process);
    body->rebalance_timeout_ms = KC_STREAMS_REBALANCE_MS;
    body->topology = streamer->topology;
    if (streamer->endpoint != NULL) {
        body->user_endpoint = kc_alloc(kc, 1, sizeof *body->user_endpoint);
        body->user_endpoint->host = kc_string(streamer->endpoint);
        body->user_endpoint->port = 1;
    }
    return body;
}

const kc_streams_response *
kc_streams_send(struct kc *kc, const struct kc_streamer *streamer, const kc_streams_request *body)
{
    return kc_ask(kc, kc_group_link(kc, streamer->group), KM_STREAMS_GROUP_HEARTBEAT,
        kc_version(kc, KM_STREAMS_GROUP_HEARTBEAT, KC_VERSION_MAX), body);
}

int16_t
kc_streams_code(struct kc *kc, const struct kc_streamer *streamer)
{
    return kc_streams_send(kc, streamer, kc_streams_body(kc, streamer))->error_code;
}

int16_t
kc_streams_leave(struct kc *kc, const struct kc_streamer *streamer)
{
    struct kc_streamer leaving = *streamer;

    leaving.epoch = KC_STREAMS_LEAVE;
    return kc_streams_code(kc, &leaving);
}

const kc_streams_response *
kc_streams_beat(struct kc *kc, struct kc_streamer *streamer)
{
    const kc_streams_response *response =
        kc_streams_send(kc, streamer, kc_streams_body(kc, streamer));

    kc_code(kc, "error_code", response->error_code, KE_NONE);
    streamer->epoch = response->member_epoch;
    kc_streams_take(kc, streamer, response);
    return response;
}

void
kc_streams_await(struct kc *kc, struct kc_streamer *streamer, int32_t count)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);

    kc_streams_beat(kc, streamer);
    while (kc_tasks_count(&streamer->active) != count) {
        kc_wait_more(kc, &wait, kc_printf(kc, "member %s has %d tasks", streamer->id, count));
        kc_streams_beat(kc, streamer);
    }
    kc_streams_beat(kc, streamer);
}

struct kc_streamer
kc_streamer_alone(struct kc *kc, const struct kc_topic *topic)
{
    struct kc_streamer streamer =
        kc_streamer_new(kc, kc_streams_group(kc), kc_topology_of(kc, topic));

    kc_streams_await(kc, &streamer, topic->partition_count);
    return streamer;
}

/* --- statuses --------------------------------------------------------------------------------- */

bool
kc_streams_has(const kc_streams_response *response, enum kc_streams_code code)
{
    for (int32_t i = 0; i < response->status.count; i++)
        if (response->status.items[i].status_code == (int8_t)code)
            return true;
    return false;
}

void
kc_streams_has_status(struct kc *kc, const kc_streams_response *response, enum kc_streams_code code)
{
    kc_that(
        kc, kc_streams_has(response, code), "status-missing", "status %d in the answer", (int)code);
}
