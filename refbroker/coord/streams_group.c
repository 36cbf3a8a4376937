#include "refbroker/coord/streams_group.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

/* --- the group -----------------------------------------------------------------------------------
 */

bool
streams_group_is_enabled(const struct broker *broker)
{
    return (broker->options.groups.protocols & GROUP_PROTOCOL_STREAMS) != 0 &&
           features_streams_groups(&broker->features);
}

struct streams_group *
streams_group_attach(struct group *group)
{
    struct streams_group *streams = xcalloc(1, sizeof *streams);

    streams->group = group;
    streams->epoch = streams->target_epoch = STREAMS_EPOCH_FIRST;
    streams_topics_init(&streams->topics);
    map_init(&streams->members);
    map_init(&streams->owners);
    map_init(&streams->sources);
    group->streams = streams;
    return streams;
}

void
streams_group_detach(struct group *group)
{
    struct streams_group *streams = group->streams;
    struct streams_member *member;
    size_t position = 0;

    if (streams == NULL)
        return;
    while ((member = map_next(&streams->members, &position, NULL, NULL)) != NULL)
        streams_member_remove(member);
    groups_timer_clear(group->groups, &streams->delay);
    streams_group_set_topology(streams, NULL);
    text_pairs_fini(&streams->settings);
    map_fini(&streams->members, NULL);
    map_fini(&streams->owners, NULL);
    free(streams->shutdown_member_id);
    free(streams);
    group->streams = NULL;
}

static bool
is_reconciled(const struct streams_group *streams)
{
    const struct streams_member *member;
    size_t position = 0;

    while ((member = map_next(&streams->members, &position, NULL, NULL)) != NULL)
        if (member->state != STREAMS_STABLE || member->epoch != streams->target_epoch)
            return false;
    return true;
}

enum state { EMPTY, NOT_READY, ASSIGNING, RECONCILING, STABLE };

static enum state
state_of(const struct streams_group *streams)
{
    if (map_count(&streams->members) == 0)
        return EMPTY;
    if (streams->topology == NULL || streams->topology->value.epoch != streams->validated_epoch)
        return NOT_READY;
    if (streams->epoch > streams->target_epoch)
        return ASSIGNING;
    return is_reconciled(streams) ? STABLE : RECONCILING;
}

const char *
streams_group_state_name(const struct streams_group *streams)
{
    static const char *const names[] = {"Empty", "NotReady", "Assigning", "Reconciling", "Stable"};

    return names[state_of(streams)];
}

const char *
streams_group_state_filter(const struct streams_group *streams)
{
    return state_of(streams) == NOT_READY ? "not_ready" : streams_group_state_name(streams);
}

/* --- topology and topics -------------------------------------------------------------------------
 */

/* Where several subtopologies read a topic, the last one in Kafka's table is it (sourceTopicMap).
 */
static void
sources_collect(struct streams_group *streams)
{
    const struct km_streams_group_topology_value *value = &streams->topology->value;

    for (int32_t i = 0; i < value->subtopologies.count; i++) {
        const struct km_streams_group_topology_value_subtopology *from =
            streams->topology->by_table[i];
        void *id = (void *)(uintptr_t)from->subtopology_id.data;

        for (int32_t k = 0; k < from->source_topics.count; k++)
            map_put_text(&streams->sources, from->source_topics.items[k].data, id);
        for (int32_t k = 0; k < from->repartition_source_topics.count; k++)
            map_put_text(&streams->sources, from->repartition_source_topics.items[k].name.data, id);
    }
}

void
streams_group_set_topology(struct streams_group *streams, struct streams_topology *topology_take)
{
    size_t *bytes = &streams->group->groups->topology_bytes;

    streams_topics_fini(&streams->topics);
    streams->is_configured = false;
    map_fini(&streams->sources, NULL);
    *bytes -= streams->topology == NULL ? 0 : streams->topology->memory.used_bytes;
    streams_topology_free(streams->topology);
    streams->topology = topology_take;
    if (streams->topology == NULL)
        return;
    *bytes += streams->topology->memory.used_bytes;
    sources_collect(streams);
}

void
streams_group_configure(struct streams_group *streams, struct streams_topics *topics_take)
{
    streams_topics_fini(&streams->topics);
    streams->topics = *topics_take;
    streams->is_configured = true;
    streams_topics_init(topics_take);
}

void
streams_group_forget(struct streams_group *streams)
{
    streams_topics_fini(&streams->topics);
    streams->is_configured = false;
    streams->topics_seen = 0;
    streams->endpoint_epoch = 0;
    free(streams->shutdown_member_id);
    streams->shutdown_member_id = NULL;
}

bool
streams_group_is_ready(const struct streams_group *streams)
{
    return streams->is_configured && streams_topics_is_ready(&streams->topics);
}

static int32_t
partitions_count(const void *arg, const char *name)
{
    const struct topic *topic = topics_find(arg, name, strlen(name));

    return topic == NULL ? 0 : topic->partition_count;
}

struct streams_topics_view
streams_group_view(const struct broker *broker)
{
    return (struct streams_topics_view){partitions_count, &broker->topics};
}

const char *
streams_group_source(const struct streams_group *streams, const char *topic)
{
    return map_get_text(&streams->sources, topic);
}

/* --- who has which task --------------------------------------------------------------------------
 */

/* The key of an active task, or, with a process, of one that the process keeps ready. */
static struct buf
owner_key(const char *subtopology_id, int32_t partition, const char *process_id)
{
    struct buf key;

    buf_init(&key, SIZE_MAX); /* of ids that are bounded */
    buf_append(&key, &partition, sizeof partition);
    buf_append_text(&key, subtopology_id);
    if (process_id != NULL) {
        buf_append_byte(&key, 0);
        buf_append_text(&key, process_id);
    }
    return key;
}

static void
active_change(
    struct streams_member *member, const char *subtopology_id, int32_t partition, bool enters)
{
    struct map *owners = &member->streams->owners;
    struct buf key = owner_key(subtopology_id, partition, NULL);

    if (enters)
        map_put(owners, key.data, key.size, member);
    else if (map_get(owners, key.data, key.size) == member)
        map_remove(owners, key.data, key.size);
    buf_fini(&key);
}

static void
ready_change(
    struct streams_member *member, const char *subtopology_id, int32_t partition, bool enters)
{
    struct map *owners = &member->streams->owners;
    struct buf key = owner_key(subtopology_id, partition, member->process_id);
    uintptr_t count = (uintptr_t)map_get(owners, key.data, key.size);

    count = enters ? count + 1 : count - 1;
    if (count == 0)
        map_remove(owners, key.data, key.size);
    else
        map_put(owners, key.data, key.size, (void *)count);
    buf_fini(&key);
}

typedef void change_fn(
    struct streams_member *member, const char *subtopology_id, int32_t partition, bool enters);

static void
each_change(struct streams_member *member, const struct streams_tasks *tasks, change_fn *change,
    bool enters)
{
    for (size_t i = 0; i < tasks->count; i++)
        for (size_t k = 0; k < tasks->runs[i].count; k++)
            change(
                member, tasks->runs[i].subtopology_id, tasks->runs[i].tasks[k].partition, enters);
}

static void
owners_change(struct streams_member *member, bool enters)
{
    const struct streams_assignment *both[] = {&member->assigned, &member->revoking};

    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        each_change(member, &both[i]->active, active_change, enters);
        each_change(member, &both[i]->standby, ready_change, enters);
        each_change(member, &both[i]->warmup, ready_change, enters);
    }
}

void
streams_member_hold(struct streams_member *member, struct streams_assignment *assigned_take,
    struct streams_assignment *revoking_take)
{
    owners_change(member, false);
    streams_assignment_move(&member->assigned, assigned_take);
    streams_assignment_move(&member->revoking, revoking_take);
    owners_change(member, true);
}

struct streams_member *
streams_group_owner(
    const struct streams_group *streams, const char *subtopology_id, int32_t partition)
{
    struct buf key = owner_key(subtopology_id, partition, NULL);
    struct streams_member *owner = map_get(&streams->owners, key.data, key.size);

    buf_fini(&key);
    return owner;
}

bool
streams_group_holds(const struct streams_group *streams, const char *subtopology_id,
    int32_t partition, const char *process_id)
{
    struct buf key = owner_key(subtopology_id, partition, process_id);
    bool holds = map_get(&streams->owners, key.data, key.size) != NULL;

    buf_fini(&key);
    return holds;
}

/* --- members -------------------------------------------------------------------------------------
 */

struct streams_member *
streams_member_find(const struct streams_group *streams, struct wire_string member_id)
{
    return member_id.size < 0 ? NULL
                              : map_get(&streams->members, member_id.data, (size_t)member_id.size);
}

struct streams_member *
streams_member_add(struct streams_group *streams, struct wire_string member_id)
{
    struct streams_member *member = xcalloc(1, sizeof *member);

    member->streams = streams;
    member->member_id = xmemdup(member_id.data, (size_t)member_id.size);
    member->client_id = xstrdup("");
    member->client_host = xstrdup("");
    member->process_id = xstrdup("");
    member->rebalance_timeout_ms = -1;
    member->topology_epoch = STREAMS_EPOCH_NOWHERE;
    member->state = STREAMS_STABLE;
    map_put_text(&streams->members, member->member_id, member);
    return member;
}

void
streams_member_set_process(struct streams_member *member, struct wire_string process_id)
{
    owners_change(member, false);
    free(member->process_id);
    member->process_id = xmemdup(process_id.data, (size_t)process_id.size);
    owners_change(member, true);
}

void
streams_member_remove(struct streams_member *member)
{
    struct streams_group *streams = member->streams;
    struct groups *groups = streams->group->groups;

    groups_timer_clear(groups, &member->session);
    groups_timer_clear(groups, &member->rebalance);
    owners_change(member, false);
    map_remove_text(&streams->members, member->member_id);
    if (map_count(&streams->members) == 0) {
        free(streams->shutdown_member_id);
        streams->shutdown_member_id = NULL;
    }
    streams_assignment_fini(&member->assigned);
    streams_assignment_fini(&member->revoking);
    streams_assignment_fini(&member->target);
    text_pairs_fini(&member->tags);
    free(member->member_id);
    free(member->instance_id);
    free(member->rack_id);
    free(member->client_id);
    free(member->client_host);
    free(member->process_id);
    free(member->endpoint_host);
    free(member);
}
