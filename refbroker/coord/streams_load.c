/* Records of streams groups, read back at a start. The inner side of streams_records.h. */
#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "refbroker/coord/group_loading.h"
#include "refbroker/coord/streams_records.h"
#include "refbroker/coord/streams_update.h"
#include "refbroker/coord/text_set.h"
#include "refbroker/limits.h"

/* NULL for a tombstone of a group that is not there, and for one of another protocol. */
static struct streams_group *
group_of(const struct group_loading *l, struct wire_string group_id)
{
    struct group *group = group_loading_group(l, group_id);

    if (group == NULL || (group->streams == NULL && !group_is_classic(group)))
        return NULL;
    return group->streams != NULL || group_loading_is_tombstone(l) ? group->streams
                                                                   : streams_group_attach(group);
}

static struct streams_member *
member_of(const struct group_loading *l, struct wire_string group_id, struct wire_string member_id)
{
    struct streams_group *streams = group_of(l, group_id);
    struct streams_member *member =
        streams == NULL ? NULL : streams_member_find(streams, member_id);

    return member != NULL || streams == NULL || group_loading_is_tombstone(l)
               ? member
               : streams_member_add(streams, member_id);
}

/* --- members -------------------------------------------------------------------------------------
 */

static bool
tags_load(struct text_pairs *tags,
    const struct km_streams_group_member_metadata_value_key_value_array *in)
{
    struct err e;

    if (in->count > LIMIT_STREAMS_TAGS_MAX)
        return false;
    for (int32_t i = 0; i < in->count; i++)
        if (text_pairs_add(tags, in->items[i].key, in->items[i].value, &e) != RC_OK)
            return false;
    return true;
}

static bool
member_load(const struct group_loading *l)
{
    struct km_streams_group_member_metadata_key key;
    struct km_streams_group_member_metadata_value value;
    struct text_pairs tags = {NULL, 0};
    struct streams_member *member;

    if (!GROUP_LOADING_READ(l, streams_group_member_metadata))
        return false;
    member = member_of(l, key.group_id, key.member_id);
    if (member == NULL)
        return true;
    if (group_loading_is_tombstone(l)) {
        streams_member_remove(member);
        return true;
    }
    if (!tags_load(&tags, &value.client_tags)) {
        text_pairs_fini(&tags);
        return false;
    }
    text_pairs_move(&member->tags, &tags);
    (void)text_replace(&member->instance_id, value.instance_id);
    (void)text_replace(&member->rack_id, value.rack_id);
    (void)text_replace(&member->client_id, value.client_id);
    (void)text_replace(&member->client_host, value.client_host);
    streams_member_set_process(member, value.process_id);
    (void)text_replace(&member->endpoint_host,
        value.user_endpoint == NULL ? request_text(NULL) : value.user_endpoint->host);
    member->endpoint_port = value.user_endpoint == NULL ? 0 : value.user_endpoint->port;
    member->rebalance_timeout_ms = value.rebalance_timeout_ms;
    member->topology_epoch = value.topology_epoch;
    member->loaded = true;
    return true;
}

static bool
target_tasks_load(struct streams_tasks *tasks,
    const struct km_streams_group_target_assignment_member_value_task_ids_array *in)
{
    struct err e;

    for (int32_t i = 0; i < in->count; i++)
        if (streams_tasks_put(tasks, in->items[i].subtopology_id, in->items[i].partitions.items,
                NULL, in->items[i].partitions.count, 0, &e) != RC_OK)
            return false;
    return true;
}

static bool
target_load(const struct group_loading *l)
{
    struct km_streams_group_target_assignment_member_key key;
    struct km_streams_group_target_assignment_member_value value;
    struct streams_assignment target = {0};
    struct streams_member *member;
    bool ok;

    codec_init(&km_streams_group_target_assignment_member_value_desc, &value);
    if (!GROUP_LOADING_READ(l, streams_group_target_assignment_member))
        return false;
    ok = target_tasks_load(&target.active, &value.active_tasks) &&
         target_tasks_load(&target.standby, &value.standby_tasks) &&
         target_tasks_load(&target.warmup, &value.warmup_tasks);
    member = ok ? member_of(l, key.group_id, key.member_id) : NULL;
    if (member != NULL) {
        streams_assignment_move(&member->target, &target);
        member->has_target = !group_loading_is_tombstone(l);
    }
    streams_assignment_fini(&target);
    return ok;
}

/* Active tasks without as many epochs have the member's (fromCurrentAssignmentRecord). */
static bool
current_tasks_load(struct streams_tasks *tasks,
    const struct km_streams_group_current_member_assignment_value_task_ids_array *in, bool active,
    int32_t epoch)
{
    struct err e;

    for (int32_t i = 0; i < in->count; i++) {
        bool told = active && in->items[i].assignment_epochs.count == in->items[i].partitions.count;

        if (streams_tasks_put(tasks, in->items[i].subtopology_id, in->items[i].partitions.items,
                told ? in->items[i].assignment_epochs.items : NULL, in->items[i].partitions.count,
                active ? epoch : 0, &e) != RC_OK)
            return false;
    }
    return true;
}

static enum streams_member_state
state_of(int8_t value)
{
    return value >= STREAMS_STABLE && value <= STREAMS_UNRELEASED ? (enum streams_member_state)value
                                                                  : STREAMS_UNKNOWN;
}

static void
current_take(struct streams_member *member, bool gone,
    const struct km_streams_group_current_member_assignment_value *value,
    struct streams_assignment *assigned, struct streams_assignment *revoking)
{
    member->epoch = value->member_epoch;
    member->previous_epoch = value->previous_member_epoch;
    if (!gone)
        member->state = state_of(value->state);
    streams_member_hold(member, assigned, revoking);
}

static bool
current_load(const struct group_loading *l)
{
    struct km_streams_group_current_member_assignment_key key;
    struct km_streams_group_current_member_assignment_value value;
    struct streams_assignment assigned = {0}, revoking = {0};
    struct streams_member *member;
    bool ok;

    codec_init(&km_streams_group_current_member_assignment_value_desc, &value);
    value.member_epoch = value.previous_member_epoch = STREAMS_EPOCH_NOWHERE;
    if (!GROUP_LOADING_READ(l, streams_group_current_member_assignment))
        return false;
    ok = current_tasks_load(&assigned.active, &value.active_tasks, true, value.member_epoch) &&
         current_tasks_load(&assigned.standby, &value.standby_tasks, false, 0) &&
         current_tasks_load(&assigned.warmup, &value.warmup_tasks, false, 0) &&
         current_tasks_load(
             &revoking.active, &value.active_tasks_pending_revocation, true, value.member_epoch) &&
         current_tasks_load(&revoking.standby, &value.standby_tasks_pending_revocation, false, 0) &&
         current_tasks_load(&revoking.warmup, &value.warmup_tasks_pending_revocation, false, 0);
    member = ok ? member_of(l, key.group_id, key.member_id) : NULL;
    if (member != NULL)
        current_take(member, group_loading_is_tombstone(l), &value, &assigned, &revoking);
    streams_assignment_fini(&assigned);
    streams_assignment_fini(&revoking);
    return ok;
}

/* --- the group -----------------------------------------------------------------------------------
 */

static bool
epoch_load(const struct group_loading *l)
{
    struct km_streams_group_metadata_key key;
    struct km_streams_group_metadata_value value;
    struct text_pairs settings = {NULL, 0};
    struct streams_group *streams;
    bool ok = true;
    struct err e;

    if (!GROUP_LOADING_READ(l, streams_group_metadata))
        return false;
    streams = group_of(l, key.group_id);
    if (streams == NULL)
        return true;
    if (group_loading_is_tombstone(l)) {
        streams_group_detach(streams->group);
        return true;
    }
    for (int32_t i = 0; ok && i < value.last_assignment_configs.count; i++)
        ok = text_pairs_add(&settings, value.last_assignment_configs.items[i].key,
                 value.last_assignment_configs.items[i].value, &e) == RC_OK;
    if (ok) {
        text_pairs_move(&streams->settings, &settings);
        streams->epoch = value.epoch;
        streams->metadata_hash = (uint64_t)value.metadata_hash;
        streams->validated_epoch = value.validated_topology_epoch;
    }
    text_pairs_fini(&settings);
    return ok;
}

static bool
target_epoch_load(const struct group_loading *l)
{
    struct km_streams_group_target_assignment_metadata_key key;
    struct km_streams_group_target_assignment_metadata_value value;
    struct streams_group *streams;

    codec_init(&km_streams_group_target_assignment_metadata_value_desc, &value);
    value.assignment_epoch = STREAMS_EPOCH_NOWHERE;
    if (!GROUP_LOADING_READ(l, streams_group_target_assignment_metadata))
        return false;
    streams = group_of(l, key.group_id);
    if (streams == NULL)
        return true;
    streams->target_epoch = value.assignment_epoch;
    streams->target_ms = value.assignment_timestamp;
    return true;
}

static bool
topology_load(const struct group_loading *l)
{
    struct km_streams_group_topology_key key;
    struct km_streams_group_topology_value value;
    struct streams_topology *topology = NULL;
    struct streams_group *streams;
    int16_t error;
    struct err e;

    if (!GROUP_LOADING_READ(l, streams_group_topology))
        return false;
    if (!group_loading_is_tombstone(l)) {
        topology = streams_topology_of_record(&value, &error, &e);
        if (topology == NULL)
            return false;
    }
    streams = group_of(l, key.group_id);
    if (streams == NULL)
        streams_topology_free(topology);
    else
        streams_group_set_topology(streams, topology);
    return true;
}

bool
streams_records_load(struct groups *groups, struct arena *arena, int16_t type,
    struct wire_bytes key, struct wire_bytes value)
{
    struct group_loading l = {groups, arena, key, value};

    switch (type) {
    case GROUP_RECORD_STREAMS_EPOCH:
        return epoch_load(&l);
    case GROUP_RECORD_STREAMS_MEMBER:
        return member_load(&l);
    case GROUP_RECORD_STREAMS_TARGET_EPOCH:
        return target_epoch_load(&l);
    case GROUP_RECORD_STREAMS_TARGET:
        return target_load(&l);
    case GROUP_RECORD_STREAMS_CURRENT:
        return current_load(&l);
    case GROUP_RECORD_STREAMS_TOPOLOGY:
        return topology_load(&l);
    default:
        return false;
    }
}

void
streams_records_loaded(struct groups *groups)
{
    struct streams_member *member;
    struct group *group;
    size_t at = 0;

    while ((group = groups_next(groups, &at)) != NULL) {
        size_t position = 0;

        while (group->streams != NULL &&
               (member = map_next(&group->streams->members, &position, NULL, NULL)) != NULL) {
            if (member->loaded) {
                streams_member_touch(member);
                streams_member_watch(member);
            } else {
                streams_member_remove(member);
            }
        }
    }
}
