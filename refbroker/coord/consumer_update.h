/*
 * consumer_update: what changes a group of the consumer protocol: a member comes, tells something
 * new, gives partitions back, or goes; topics change.
 *
 * Everything here changes memory and puts the records of the change into `records`; the caller
 * appends them and answers when they are durable (group_answer.h). Whoever changes a group on a
 * timer appends by itself. Rules: GroupMetadataManager, TargetAssignmentBuilder and
 * CurrentAssignmentBuilder of Kafka 4.3 (KIP-848, KIP-1251, KIP-1263).
 */
#ifndef REFBROKER_COORD_CONSUMER_UPDATE_H
#define REFBROKER_COORD_CONSUMER_UPDATE_H

#include "refbroker/coord/consumer_group.h"
#include "refbroker/coord/consumer_records.h"

/* What a heartbeat or a join tells. Strings of size -1, a count or timeout of -1: as before. */
struct consumer_update {
    const struct wire_string *topics;
    int32_t topic_count;
    struct wire_string regex; /* checked */
    struct wire_string instance_id;
    struct wire_string rack_id;
    struct wire_string assignor;
    int32_t rebalance_timeout_ms;
    struct wire_string client_id;
    const char *client_host;
    struct consumer_classic *classic_take; /* NULL: it speaks the consumer protocol */
    const struct topic_parts *owned;       /* what it says it has; NULL: it does not say */
};

/* consumer_update_apply takes the update in, raises the group's epoch where it must, makes a new
 * target, and brings the member nearer to its target. */
void consumer_update_apply(
    struct consumer_member *member, struct consumer_update *update, struct group_records *records);

/* consumer_update_apply in two steps, for who must look in between: up to the group's epoch, and
 * the rest. `changed` tells whether what the member reads has changed. */
bool consumer_update_subscribe(
    struct consumer_member *member, struct consumer_update *update, struct group_records *records);
void consumer_update_settle(struct consumer_member *member, const struct topic_parts *owned,
    bool changed, struct group_records *records);

/* consumer_update_take_out takes a member out, and the pattern that it alone had; the group's epoch
 * is the caller's. consumer_update_fence takes members out; where only members of the classic
 * protocol are left, the group becomes a classic one (consumer_migrate.h). */
void consumer_update_take_out(struct consumer_member *member, struct group_records *records);
void consumer_update_fence(struct consumer_group *consumer, struct consumer_member **members,
    size_t count, struct group_records *records);

/* consumer_target_make gives every member its target for the group's epoch, asked for by one of
 * them (consumer_target.c). */
void consumer_target_make(struct consumer_group *consumer, const struct consumer_member *asking,
    struct group_records *records);

/* consumer_reconcile brings a member nearer to its target, and tells whether that changed it
 * (consumer_reconcile.c). */
bool consumer_reconcile(
    struct consumer_member *member, const struct topic_parts *owned, bool changed);

/* consumer_member_touch begins a member's session anew; consumer_member_watch sets or clears the
 * time that a member has for giving partitions up. */
void consumer_member_touch(struct consumer_member *member);
void consumer_member_watch(struct consumer_member *member);

/* consumer_member_must gives a classic member its rebalance timeout to join (where it has not got
 * it yet), or to sync; consumer_member_did ends that. */
void consumer_member_must_join(struct consumer_member *member);
void consumer_member_must_sync(struct consumer_member *member);
void consumer_member_did_join(struct consumer_member *member);
void consumer_member_did_sync(struct consumer_member *member);

#endif
