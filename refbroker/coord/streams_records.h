/*
 * streams_records: the records of streams groups in __consumer_offsets, as
 * StreamsCoordinatorRecordHelpers of Kafka 4.3 makes them, and what they make of a group at a
 * start. Subtopologies stand in the order of their ids, partitions in that of their numbers, tags
 * in that of their names.
 */
#ifndef REFBROKER_COORD_STREAMS_RECORDS_H
#define REFBROKER_COORD_STREAMS_RECORDS_H

#include "refbroker/coord/group_records.h"
#include "refbroker/coord/streams_group.h"

/* What is now: what a member told, its target, what it has; the group's epochs, its topology. */
void streams_records_member(struct group_records *records, const struct streams_member *member);
void streams_records_target(struct group_records *records, const struct streams_member *member);
void streams_records_current(struct group_records *records, const struct streams_member *member);
void streams_records_epoch(struct group_records *records, const struct streams_group *streams);
void streams_records_target_epoch(
    struct group_records *records, const struct streams_group *streams);
void streams_records_topology(struct group_records *records, const struct streams_group *streams);

/* Tombstones: of a member, of the whole group, which has no members. */
void streams_records_member_gone(
    struct group_records *records, const char *group_id, const char *member_id);
void streams_records_group_gone(struct group_records *records, const char *group_id);

/*
 * streams_records_load takes one record of a start; false where it is none of these or cannot be
 * read. streams_records_loaded ends the loading of all groups: members without a member record go,
 * sessions begin, and so does the time of those that have to give up tasks.
 */
bool streams_records_load(struct groups *groups, struct arena *arena, int16_t type,
    struct wire_bytes key, struct wire_bytes value);
void streams_records_loaded(struct groups *groups);

#endif
