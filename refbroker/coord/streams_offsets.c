#include "refbroker/coord/streams_offsets.h"

#include "lib/wire/kerr.h"
#include "refbroker/coord/offset_epochs.h"

#define VERSION_WITH_EPOCH 9

static bool
has_had(const void *arg, const struct topic *topic, int32_t partition, int32_t epoch)
{
    const struct streams_member *member = arg;
    const char *subtopology_id = streams_group_source(member->streams, topic->name);
    const struct streams_task *task;

    if (subtopology_id == NULL)
        return false;
    task = streams_tasks_find(&member->assigned.active, subtopology_id, partition);
    if (task == NULL)
        task = streams_tasks_find(&member->revoking.active, subtopology_id, partition);
    return task != NULL && epoch >= task->epoch;
}

static struct offset_epochs
epochs_of(const struct streams_member *member, int32_t epoch)
{
    return (struct offset_epochs){
        &member->streams->group->groups->broker->topics, has_had, member, epoch};
}

int16_t
streams_offsets_commit_check(
    const struct streams_group *streams, const struct km_offset_commit_request *in, int16_t version)
{
    int32_t epoch = in->generation_id_or_member_epoch;
    const struct streams_member *member;
    struct offset_epochs epochs;

    if (epoch < 0 && map_count(&streams->members) == 0)
        return KE_NONE;
    member = streams_member_find(streams, in->member_id);
    if (member == NULL)
        return KE_UNKNOWN_MEMBER_ID;
    if (version < VERSION_WITH_EPOCH)
        return KE_UNSUPPORTED_VERSION;
    if (epoch == member->epoch)
        return KE_NONE;
    epochs = epochs_of(member, epoch);
    return epoch < member->epoch && offset_epochs_commit(&epochs, in, version)
               ? KE_NONE
               : KE_STALE_MEMBER_EPOCH;
}

int16_t
streams_offsets_txn_check(
    const struct streams_group *streams, const struct km_txn_offset_commit_request *in)
{
    bool names_member = in->member_id.size > 0 || in->group_instance_id.size >= 0;
    const struct streams_member *member;
    struct offset_epochs epochs;

    if (in->generation_id < 0 && map_count(&streams->members) == 0)
        return KE_NONE;
    if (in->generation_id == -1 && !names_member)
        return KE_NONE;
    member = streams_member_find(streams, in->member_id);
    if (member == NULL)
        return KE_UNKNOWN_MEMBER_ID;
    if (in->generation_id == member->epoch)
        return KE_NONE;
    epochs = epochs_of(member, in->generation_id);
    return in->generation_id < member->epoch && offset_epochs_txn(&epochs, in)
               ? KE_NONE
               : KE_ILLEGAL_GENERATION;
}

int16_t
streams_offsets_fetch_check(
    const struct streams_group *streams, struct wire_string member_id, int32_t member_epoch)
{
    const struct streams_member *member;

    if (member_id.size < 0 && member_epoch < 0)
        return KE_NONE;
    member = streams_member_find(streams, member_id);
    if (member == NULL)
        return KE_UNKNOWN_MEMBER_ID;
    return member_epoch == member->epoch ? KE_NONE : KE_STALE_MEMBER_EPOCH;
}
