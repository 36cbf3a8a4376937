/*
 * consumer_records: the records of groups of the consumer protocol, as
 * GroupCoordinatorRecordHelpers of Kafka 4.3 makes them, and what they make of a group at a start.
 */
#ifndef REFBROKER_COORD_CONSUMER_RECORDS_H
#define REFBROKER_COORD_CONSUMER_RECORDS_H

#include "refbroker/coord/consumer_group.h"
#include "refbroker/coord/group_records.h"

/* What is now: a member's subscription, its target, what it has; the group's epochs; a pattern. */
void consumer_records_member(struct group_records *records, const struct consumer_member *member);
void consumer_records_target(struct group_records *records, const struct consumer_member *member);
void consumer_records_current(struct group_records *records, const struct consumer_member *member);
void consumer_records_epoch(struct group_records *records, const struct consumer_group *consumer);
void consumer_records_target_epoch(
    struct group_records *records, const struct consumer_group *consumer);
void consumer_records_pattern(struct group_records *records, const struct consumer_group *consumer,
    const struct consumer_pattern *pattern);

/* Tombstones: of a member, of a pattern, of the whole group. */
void consumer_records_member_gone(
    struct group_records *records, const char *group_id, const char *member_id);
void consumer_records_pattern_gone(
    struct group_records *records, const char *group_id, const char *pattern);
void consumer_records_group_gone(
    struct group_records *records, const struct consumer_group *consumer);

/* consumer_records_group are all records of a group. */
void consumer_records_group(struct group_records *records, const struct consumer_group *consumer);

/*
 * consumer_records_load takes one record of a start; false where it is none of these or cannot be
 * read. consumer_records_loaded ends the loading of all groups: members without a subscription go,
 * sessions begin.
 */
bool consumer_records_load(struct groups *groups, struct arena *arena, int16_t type,
    struct wire_bytes key, struct wire_bytes value);
void consumer_records_loaded(struct groups *groups);

#endif
