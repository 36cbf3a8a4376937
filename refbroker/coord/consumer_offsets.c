#include "refbroker/coord/consumer_offsets.h"

#include "lib/wire/kerr.h"
#include "refbroker/limits.h"

#define VERSION_WITH_EPOCH 9
#define VERSION_WITH_TOPIC_ID 10

/* The code of an epoch that does not fit, as the member's protocol knows it. */
static int16_t
stale_code(const struct consumer_member *member)
{
    return member->classic != NULL ? KE_ILLEGAL_GENERATION : KE_STALE_MEMBER_EPOCH;
}

/* Whether the member has had a partition since this epoch. What is not there is answered by itself,
 * and does not keep the others back. */
static bool
has_had(const struct consumer_member *member, const struct topic *topic, int32_t partition,
    int32_t epoch)
{
    const struct topic_part *part;

    if (topic == NULL || partition < 0 || partition >= topic->partition_count)
        return true;
    part = topic_parts_find(&member->assigned, &topic->topic_id, partition);
    if (part == NULL)
        part = topic_parts_find(&member->revoking, &topic->topic_id, partition);
    return part != NULL && epoch >= part->epoch;
}

/* Kafka refuses it before it looks who has the partition (OffsetMetadataManager.commitOffset). */
static bool
is_too_large(struct wire_string metadata)
{
    return metadata.size > LIMIT_OFFSET_METADATA_BYTES_MAX;
}

static int16_t
earlier_check(const struct consumer_member *member, const struct km_offset_commit_request *in,
    int16_t version)
{
    const struct topics *topics = &member->consumer->group->groups->broker->topics;

    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct km_offset_commit_request_topic *from = &in->topics.items[i];
        const struct topic *topic =
            version >= VERSION_WITH_TOPIC_ID
                ? topics_find_id(topics, &from->topic_id)
                : topics_find(topics, from->name.data, (size_t)from->name.size);

        for (int32_t k = 0; k < from->partitions.count; k++)
            if (!is_too_large(from->partitions.items[k].committed_metadata) &&
                !has_had(member, topic, from->partitions.items[k].partition_index,
                    in->generation_id_or_member_epoch))
                return stale_code(member);
    }
    return KE_NONE;
}

int16_t
consumer_offsets_commit_check(const struct consumer_group *consumer,
    const struct km_offset_commit_request *in, int16_t version)
{
    int32_t epoch = in->generation_id_or_member_epoch;
    const struct consumer_member *member;

    if (epoch < 0 && map_count(&consumer->members) == 0)
        return KE_NONE;
    member = consumer_member_find(consumer, in->member_id);
    if (member == NULL)
        return KE_UNKNOWN_MEMBER_ID;
    if (member->classic == NULL && version < VERSION_WITH_EPOCH)
        return KE_UNSUPPORTED_VERSION;
    if (epoch == member->epoch)
        return KE_NONE;
    return epoch > member->epoch ? stale_code(member) : earlier_check(member, in, version);
}

int16_t
consumer_offsets_txn_check(
    const struct consumer_group *consumer, const struct km_txn_offset_commit_request *in)
{
    const struct topics *topics = &consumer->group->groups->broker->topics;
    bool names_member = in->member_id.size > 0 || in->group_instance_id.size >= 0;
    const struct consumer_member *member;

    if (in->generation_id < 0 && (!names_member || map_count(&consumer->members) == 0))
        return KE_NONE;
    member = consumer_member_find(consumer, in->member_id);
    if (member == NULL)
        return KE_UNKNOWN_MEMBER_ID;
    if (in->generation_id > member->epoch)
        return KE_ILLEGAL_GENERATION;
    for (int32_t i = 0; in->generation_id < member->epoch && i < in->topics.count; i++) {
        const struct km_txn_offset_commit_request_topic *from = &in->topics.items[i];
        const struct topic *topic = topics_find(topics, from->name.data, (size_t)from->name.size);

        for (int32_t k = 0; k < from->partitions.count; k++)
            if (!is_too_large(from->partitions.items[k].committed_metadata) &&
                !has_had(
                    member, topic, from->partitions.items[k].partition_index, in->generation_id))
                return KE_ILLEGAL_GENERATION;
    }
    return KE_NONE;
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
