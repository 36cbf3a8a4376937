/*
 * share_delete: a share group, or what it has of some topics, goes out of the share coordinator,
 * and then out of the group's own records (GroupCoordinatorService.deleteShareGroups,
 * deleteShareGroupOffsets of Kafka 4.3).
 *
 * First it is recorded what is being deleted, so that nothing of it is assigned or lost sight of;
 * then the share coordinator deletes; then that is recorded.
 */
#ifndef REFBROKER_COORD_SHARE_DELETE_H
#define REFBROKER_COORD_SHARE_DELETE_H

#include "refbroker/coord/group_answer.h"
#include "refbroker/coord/share_calls.h"

/* share_delete_group deletes a group without members; what goes wrong refuses the answer's part. */
void share_delete_group(struct group *group, struct group_answer *answer, int32_t part);

/* share_delete_topic notes that what the group has of a topic is being deleted and adds the calls
 * for that; false where it has nothing. The caller records the stages. */
bool share_delete_topic(
    struct share_group *share, const struct topic *topic, struct share_calls *calls);

/* share_delete_complete notes what was deleted. */
void share_delete_complete(struct share_group *share, const struct wire_uuid *topic_id);

#endif
