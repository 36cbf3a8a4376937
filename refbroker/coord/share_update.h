/*
 * share_update: what changes a share group: a member comes, tells something new, or goes; topics
 * change; partitions have been initialised.
 *
 * Everything here changes memory and puts the records of the change into `records`; the caller
 * appends them and answers when they are durable (group_answer.h). Whoever changes a group on a
 * timer appends by itself. Rules: GroupMetadataManager, TargetAssignmentBuilder and
 * ShareGroupAssignmentBuilder of Kafka 4.3.
 */
#ifndef REFBROKER_COORD_SHARE_UPDATE_H
#define REFBROKER_COORD_SHARE_UPDATE_H

#include "refbroker/coord/share_group.h"
#include "refbroker/coord/share_records.h"

/* What a heartbeat tells. A string of size -1, a count of -1: as before. */
struct share_update {
    const struct wire_string *topics;
    int32_t topic_count;
    struct wire_string rack_id;
    struct wire_string client_id;
    const char *client_host;
};

/* share_update_apply takes the update in, raises the group's epoch where it must, makes a new
 * target where it may, gives the member what it is to have, and tells whether that is something
 * else than before. What the member has is in the order of the answer then; share_update_settle
 * makes it as the next request finds it. */
bool share_update_apply(
    struct share_member *member, const struct share_update *update, struct group_records *records);
void share_update_settle(struct share_member *member);

/* share_update_initialize puts into `begun` (empty; the caller's to end) what of the topics that
 * are read is to be initialised: partitions that nobody has begun, or whose beginning is longer
 * ago than group.share.initialize.retry.interval.ms. They are in that stage from now on. */
void share_update_initialize(
    struct share_group *share, struct share_topics *begun, struct group_records *records);

/* share_update_fence takes a member out. */
void share_update_fence(struct share_member *member, struct group_records *records);

/* share_update_topic_gone drops a topic that was deleted from all groups' stages, and records
 * that. */
void share_update_topic_gone(struct groups *groups, const struct wire_uuid *topic_id);

/* share_target_make gives every member its target for the group's epoch, asked for by one of them,
 * whose target is left in the order of its record (share_target.c). */
void share_target_make(
    struct share_group *share, const struct share_member *asking, struct group_records *records);

/* share_member_touch begins a member's session anew. */
void share_member_touch(struct share_member *member);

#endif
