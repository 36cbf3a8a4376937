/* Records of share groups, read back at a start. The inner side of share_records.h. */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "refbroker/coord/group_loading.h"
#include "refbroker/coord/share_records.h"
#include "refbroker/coord/share_update.h"

/* The group, made where it is not there; NULL for a tombstone of a group that is not there, and for
 * one of another protocol. */
static struct share_group *
group_of(const struct group_loading *l, struct wire_string group_id)
{
    struct group *group = group_loading_group(l, group_id);

    if (group == NULL || (group->share == NULL && !group_is_classic(group)))
        return NULL;
    return group->share != NULL || group_loading_is_tombstone(l) ? group->share
                                                                 : share_group_attach(group);
}

static struct share_member *
member_of(const struct group_loading *l, struct wire_string group_id, struct wire_string member_id)
{
    struct share_group *share = group_of(l, group_id);
    struct share_member *member = share == NULL ? NULL : share_member_find(share, member_id);

    return member != NULL || share == NULL || group_loading_is_tombstone(l)
               ? member
               : share_member_add(share, member_id);
}

/* --- members -------------------------------------------------------------------------------------
 */

static bool
member_load(const struct group_loading *l)
{
    struct km_share_group_member_metadata_key key;
    struct km_share_group_member_metadata_value value;
    struct share_member *member;
    struct text_set topics;

    if (!GROUP_LOADING_READ(l, share_group_member_metadata))
        return false;
    member = member_of(l, key.group_id, key.member_id);
    if (member == NULL)
        return true;
    if (group_loading_is_tombstone(l)) {
        share_member_remove(member);
        return true;
    }
    (void)text_replace(&member->rack_id, value.rack_id);
    (void)text_replace(&member->client_id, value.client_id);
    (void)text_replace(&member->client_host, value.client_host);
    topics = text_set_from(value.subscribed_topic_names.items, value.subscribed_topic_names.count);
    share_member_read(member, &topics);
    member->loaded = true;
    return true;
}

/* Appends a topic of a record; one that stands there twice is taken once. */
static void
parts_add(struct share_parts *parts, const struct wire_uuid *topic_id, const int32_t *items,
    int32_t count)
{
    size_t place;

    for (size_t i = 0; i < parts->count; i++)
        if (memcmp(&parts->topics[i].topic_id, topic_id, sizeof *topic_id) == 0)
            return;
    place = share_parts_topic_add(parts, topic_id);
    for (int32_t i = 0; i < count; i++)
        share_parts_add(parts, place, items[i]);
}

static bool
target_load(const struct group_loading *l)
{
    struct km_share_group_target_assignment_member_key key;
    struct km_share_group_target_assignment_member_value value;
    struct share_parts target = {0};
    struct share_member *member;

    codec_init(&km_share_group_target_assignment_member_value_desc, &value);
    if (!GROUP_LOADING_READ(l, share_group_target_assignment_member))
        return false;
    member = member_of(l, key.group_id, key.member_id);
    if (member == NULL)
        return true;
    for (int32_t i = 0; i < value.topic_partitions.count; i++)
        parts_add(&target, &value.topic_partitions.items[i].topic_id,
            value.topic_partitions.items[i].partitions.items,
            value.topic_partitions.items[i].partitions.count);
    share_parts_replay(&target);
    share_parts_move(&member->target, &target);
    member->has_target = !group_loading_is_tombstone(l);
    return true;
}

static bool
current_load(const struct group_loading *l)
{
    struct km_share_group_current_member_assignment_key key;
    struct km_share_group_current_member_assignment_value value;
    struct share_parts assigned = {0};
    struct share_member *member;

    codec_init(&km_share_group_current_member_assignment_value_desc, &value);
    value.member_epoch = value.previous_member_epoch = SHARE_EPOCH_LEAVE;
    if (!GROUP_LOADING_READ(l, share_group_current_member_assignment))
        return false;
    member = member_of(l, key.group_id, key.member_id);
    if (member == NULL)
        return true;
    for (int32_t i = 0; i < value.assigned_partitions.count; i++)
        parts_add(&assigned, &value.assigned_partitions.items[i].topic_id,
            value.assigned_partitions.items[i].partitions.items,
            value.assigned_partitions.items[i].partitions.count);
    share_parts_replay(&assigned);
    share_parts_move(&member->assigned, &assigned);
    member->epoch = value.member_epoch;
    member->previous_epoch = value.previous_member_epoch;
    return true;
}

/* --- the group -----------------------------------------------------------------------------------
 */

static bool
epoch_load(const struct group_loading *l)
{
    struct km_share_group_metadata_key key;
    struct km_share_group_metadata_value value;
    struct share_group *share;

    if (!GROUP_LOADING_READ(l, share_group_metadata))
        return false;
    share = group_of(l, key.group_id);
    if (share == NULL)
        return true;
    if (group_loading_is_tombstone(l)) {
        share_group_detach(share->group);
        return true;
    }
    share->epoch = value.epoch;
    share->metadata_hash = (uint64_t)value.metadata_hash;
    return true;
}

static bool
target_epoch_load(const struct group_loading *l)
{
    struct km_share_group_target_assignment_metadata_key key;
    struct km_share_group_target_assignment_metadata_value value;
    struct share_group *share;

    codec_init(&km_share_group_target_assignment_metadata_value_desc, &value);
    value.assignment_epoch = SHARE_EPOCH_LEAVE;
    if (!GROUP_LOADING_READ(l, share_group_target_assignment_metadata))
        return false;
    share = group_of(l, key.group_id);
    if (share == NULL)
        return true;
    share->target_epoch = value.assignment_epoch;
    share->target_ms = value.assignment_timestamp;
    return true;
}

static void
topic_add(struct share_topics *topics, const struct wire_uuid *topic_id, struct wire_string name,
    const int32_t *partitions, int32_t count)
{
    char *text = xmemdup(name.data, (size_t)name.size);

    share_topics_add(topics, topic_id, text, partitions, count);
    free(text);
}

static void
stages_fill(
    struct share_stages *stages, const struct km_share_group_state_partition_metadata_value *value)
{
    for (int32_t i = 0; i < value->initializing_topics.count; i++)
        topic_add(&stages->initializing, &value->initializing_topics.items[i].topic_id,
            value->initializing_topics.items[i].topic_name,
            value->initializing_topics.items[i].partitions.items,
            value->initializing_topics.items[i].partitions.count);
    for (int32_t i = 0; i < value->initialized_topics.count; i++)
        topic_add(&stages->initialized, &value->initialized_topics.items[i].topic_id,
            value->initialized_topics.items[i].topic_name,
            value->initialized_topics.items[i].partitions.items,
            value->initialized_topics.items[i].partitions.count);
    for (int32_t i = 0; i < value->deleting_topics.count; i++)
        topic_add(&stages->deleting, &value->deleting_topics.items[i].topic_id,
            value->deleting_topics.items[i].topic_name, NULL, 0);
}

static bool
stages_load(const struct group_loading *l)
{
    struct km_share_group_state_partition_metadata_key key;
    struct km_share_group_state_partition_metadata_value value;
    struct share_group *share;

    if (!GROUP_LOADING_READ(l, share_group_state_partition_metadata))
        return false;
    share = group_of(l, key.group_id);
    if (share == NULL)
        return true;
    share_stages_fini(&share->stages);
    if (group_loading_is_tombstone(l))
        return true;
    stages_fill(&share->stages, &value);
    share->stages.exists = true;
    share->stages.recorded_ms = env_wall_ms(l->groups->broker->env);
    return true;
}

bool
share_records_load(struct groups *groups, struct arena *arena, int16_t type, struct wire_bytes key,
    struct wire_bytes value)
{
    struct group_loading l = {groups, arena, key, value};

    switch (type) {
    case GROUP_RECORD_SHARE_MEMBER:
        return member_load(&l);
    case GROUP_RECORD_SHARE_EPOCH:
        return epoch_load(&l);
    case GROUP_RECORD_SHARE_TARGET_EPOCH:
        return target_epoch_load(&l);
    case GROUP_RECORD_SHARE_TARGET:
        return target_load(&l);
    case GROUP_RECORD_SHARE_CURRENT:
        return current_load(&l);
    case GROUP_RECORD_SHARE_STAGES:
        return stages_load(&l);
    default:
        return false;
    }
}

void
share_records_loaded(struct groups *groups)
{
    struct share_member *member;
    struct group *group;
    size_t at = 0;

    while ((group = groups_next(groups, &at)) != NULL) {
        size_t position = 0;

        while (group->share != NULL &&
               (member = map_next(&group->share->members, &position, NULL, NULL)) != NULL) {
            if (member->loaded)
                share_member_touch(member);
            else
                share_member_remove(member);
        }
    }
}
