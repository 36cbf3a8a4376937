/*
 * share_leader: who leads a partition, for answers of share groups that say that it is somebody
 * else (KIP-932): told with NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH only.
 *
 * Coordinated topics have no leader, and share groups get nothing of them, as on Inkless.
 */
#ifndef REFBROKER_API_SHARE_LEADER_H
#define REFBROKER_API_SHARE_LEADER_H

#include "refbroker/broker.h"

struct share_leader {
    int32_t id; /* -1: nobody */
    int32_t epoch;
};

/* share_leader_find is false where the answer does not name a leader. */
bool share_leader_find(const struct broker *broker, const struct wire_uuid *topic_id,
    int32_t partition, int16_t error, struct share_leader *out);

#endif
