#include "refbroker/api/share_leader.h"

#include "lib/wire/kerr.h"
#include "refbroker/meta/topics.h"

bool
share_leader_find(const struct broker *broker, const struct wire_uuid *topic_id, int32_t partition,
    int16_t error, struct share_leader *out)
{
    struct topic *topic = topics_find_id(&broker->topics, topic_id);
    const struct partition *found = topic == NULL ? NULL : topics_partition(topic, partition);

    if (error != KE_NOT_LEADER_OR_FOLLOWER && error != KE_FENCED_LEADER_EPOCH)
        return false;
    *out = (struct share_leader){-1, -1};
    if (found != NULL && !topic->configs.values.coordinated)
        *out = (struct share_leader){broker->options.node_id, found->leader_epoch};
    return true;
}
