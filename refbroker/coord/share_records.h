/*
 * share_records: the records of share groups in __consumer_offsets, as
 * GroupCoordinatorRecordHelpers of Kafka 4.3 makes them, and what they make of a group at a start.
 * What a record lists stands in the order of Kafka's tables, as far as that does not depend on how
 * large one of them once was.
 */
#ifndef REFBROKER_COORD_SHARE_RECORDS_H
#define REFBROKER_COORD_SHARE_RECORDS_H

#include "refbroker/coord/group_records.h"
#include "refbroker/coord/share_group.h"

/* What is now: a member's subscription, its target, what it has; the group's epochs; how far its
 * partitions are, which is noted to be recorded now. */
void share_records_member(struct group_records *records, const struct share_member *member);
void share_records_target(struct group_records *records, const struct share_member *member);
void share_records_current(struct group_records *records, const struct share_member *member);
void share_records_epoch(struct group_records *records, const struct share_group *share);
void share_records_target_epoch(struct group_records *records, const struct share_group *share);
void share_records_stages(struct group_records *records, struct share_group *share);

/* Tombstones: of a member, of the whole group. */
void share_records_member_gone(
    struct group_records *records, const char *group_id, const char *member_id);
void share_records_group_gone(struct group_records *records, const struct share_group *share);

/*
 * share_records_load takes one record of a start; false where it is none of these or cannot be
 * read. share_records_loaded ends the loading of all groups: members without a subscription go,
 * sessions begin.
 */
bool share_records_load(struct groups *groups, struct arena *arena, int16_t type,
    struct wire_bytes key, struct wire_bytes value);
void share_records_loaded(struct groups *groups);

#endif
