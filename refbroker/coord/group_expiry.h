/*
 * group_expiry: offsets and groups that come to an end: by request, with their topic, or because
 * nobody has used them for offsets.retention.minutes (KIP-211, KIP-229, KIP-496).
 *
 * An offset's time begins with its commit, or, in a classic group without members, when the group
 * became empty. Offsets of topics that the group reads do not expire. A group without members and
 * without offsets goes too. Whatever goes leaves tombstones in __consumer_offsets.
 */
#ifndef REFBROKER_COORD_GROUP_EXPIRY_H
#define REFBROKER_COORD_GROUP_EXPIRY_H

#include "refbroker/coord/group_records.h"
#include "refbroker/coord/groups.h"

/* group_expiry_start has the groups looked at every offsets.retention.check.interval.ms. */
void group_expiry_start(struct groups *groups);

/* group_expiry_delete_check tells whether a group can be deleted: 0, 68 where it has members. */
int16_t group_expiry_delete_check(const struct group *group);

/* group_expiry_delete drops a group that can be deleted, with its offsets. */
void group_expiry_delete(struct group *group, struct group_records *records);

/* group_expiry_offset_gone drops one offset; without effect where there is none. */
void group_expiry_offset_gone(struct group *group, const char *topic, size_t topic_size,
    int32_t partition, struct group_records *records);

/* group_expiry_topic_gone drops the offsets of a topic that was deleted, in all groups. */
void group_expiry_topic_gone(struct groups *groups, const char *topic);

/*
 * group_subscriptions are the topics that a group reads: `topics` is set to a map by name, to be
 * ended with map_fini(topics, NULL). Returns false where they cannot be known, as then every topic
 * counts as read.
 */
MUST_CHECK bool group_subscriptions(const struct group *group, struct map *topics);

#endif
