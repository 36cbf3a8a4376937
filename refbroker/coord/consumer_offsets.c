#include "refbroker/coord/consumer_offsets.h"

#include "lib/wire/kerr.h"
#include "refbroker/coord/offset_epochs.h"

#define VERSION_WITH_EPOCH 9

/* The code of an epoch that does not fit, as the member's protocol knows it. */
static int16_t
stale_code(const struct consumer_member *member)
{
    return member->classic != NULL ? KE_ILLEGAL_GENERATION : KE_STALE_MEMBER_EPOCH;
}

static bool
has_had(const void *arg, const struct topic *topic, int32_t partition, int32_t epoch)
{
    const struct consumer_member *member = arg;
    const struct topic_part *part =
        topic_parts_find(&member->assigned, &topic->topic_id, partition);

    if (part == NULL)
        part = topic_parts_find(&member->revoking, &topic->topic_id, partition);
    return part != NULL && epoch >= part->epoch;
}

static struct offset_epochs
epochs_of(const struct consumer_member *member, int32_t epoch)
{
    return (struct offset_epochs){
        &member->consumer->group->groups->broker->topics, has_had, member, epoch};
}

int16_t
consumer_offsets_commit_check(const struct consumer_group *consumer,
    const struct km_offset_commit_request *in, int16_t version)
{
    int32_t epoch = in->generation_id_or_member_epoch;
    const struct consumer_member *member;
    struct offset_epochs epochs;

    if (epoch < 0 && map_count(&consumer->members) == 0)
        return KE_NONE;
    member = consumer_member_find(consumer, in->member_id);
    if (member == NULL)
        return KE_UNKNOWN_MEMBER_ID;
    if (member->classic == NULL && version < VERSION_WITH_EPOCH)
        return KE_UNSUPPORTED_VERSION;
    if (epoch == member->epoch)
        return KE_NONE;
    epochs = epochs_of(member, epoch);
    return epoch < member->epoch && offset_epochs_commit(&epochs, in, version) ? KE_NONE
                                                                               : stale_code(member);
}

int16_t
consumer_offsets_txn_check(
    const struct consumer_group *consumer, const struct km_txn_offset_commit_request *in)
{
    bool names_member = in->member_id.size > 0 || in->group_instance_id.size >= 0;
    const struct consumer_member *member;
    struct offset_epochs epochs;

    if (in->generation_id < 0 && (!names_member || map_count(&consumer->members) == 0))
        return KE_NONE;
    member = consumer_member_find(consumer, in->member_id);
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
consumer_offsets_fetch_check(
    const struct consumer_group *consumer, struct wire_string member_id, int32_t member_epoch)
{
    const struct consumer_member *member;

    if (member_id.size < 0 && member_epoch < 0)
        return KE_NONE;
    member = consumer_member_find(consumer, member_id);
    if (member == NULL)
        return KE_UNKNOWN_MEMBER_ID;
    return member_epoch == member->epoch ? KE_NONE : stale_code(member);
}
