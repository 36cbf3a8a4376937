#include "refbroker/coord/offset_epochs.h"

#include "refbroker/limits.h"

#define VERSION_WITH_TOPIC_ID 10

/* Whether one partition keeps the request back. */
static bool
refuses(const struct offset_epochs *o, const struct topic *topic, int32_t partition,
    struct wire_string metadata)
{
    return topic != NULL && partition >= 0 && partition < topic->partition_count &&
           metadata.size <= LIMIT_OFFSET_METADATA_BYTES_MAX &&
           !o->had(o->member, topic, partition, o->epoch);
}

bool
offset_epochs_commit(
    const struct offset_epochs *o, const struct km_offset_commit_request *in, int16_t version)
{
    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct km_offset_commit_request_topic *from = &in->topics.items[i];
        const struct topic *topic =
            version >= VERSION_WITH_TOPIC_ID
                ? topics_find_id(o->topics, &from->topic_id)
                : topics_find(o->topics, from->name.data, (size_t)from->name.size);

        for (int32_t k = 0; k < from->partitions.count; k++)
            if (refuses(o, topic, from->partitions.items[k].partition_index,
                    from->partitions.items[k].committed_metadata))
                return false;
    }
    return true;
}

bool
offset_epochs_txn(const struct offset_epochs *o, const struct km_txn_offset_commit_request *in)
{
    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct km_txn_offset_commit_request_topic *from = &in->topics.items[i];
        const struct topic *topic =
            topics_find(o->topics, from->name.data, (size_t)from->name.size);

        for (int32_t k = 0; k < from->partitions.count; k++)
            if (refuses(o, topic, from->partitions.items[k].partition_index,
                    from->partitions.items[k].committed_metadata))
                return false;
    }
    return true;
}
