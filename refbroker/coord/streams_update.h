/*
 * streams_update: what changes a streams group: a member comes, tells something new, gives tasks
 * back, or goes; its topology is told, topics change.
 *
 * Everything here changes memory and puts the records of the change into `records`; the caller
 * appends them and answers when they are durable (group_answer.h). Whoever changes a group on a
 * timer appends by itself. Rules: GroupMetadataManager, TargetAssignmentBuilder and
 * CurrentAssignmentBuilder of Kafka 4.3 (KIP-1071).
 */
#ifndef REFBROKER_COORD_STREAMS_UPDATE_H
#define REFBROKER_COORD_STREAMS_UPDATE_H

#include "refbroker/coord/streams_group.h"
#include "refbroker/coord/streams_records.h"

/* Why members go on with the last target, though a new one is due. */
enum streams_delay {
    STREAMS_DELAY_NONE,
    STREAMS_DELAY_FIRST,   /* more members may come to a group that was empty */
    STREAMS_DELAY_INTERVAL /* the last target is too young */
};

/* What a heartbeat tells, judged. Strings of size -1, an epoch or timeout of -1, NULL: as before.
 */
struct streams_update {
    struct wire_string rack_id;
    struct wire_string process_id;
    struct wire_string client_id;
    const char *client_host;
    int32_t rebalance_timeout_ms;
    int32_t topology_epoch;
    const struct km_streams_group_heartbeat_request_endpoint *endpoint;
    struct text_pairs *tags_take;
    const struct streams_assignment *owned; /* what it says it has; NULL: it does not say */
    struct streams_topology *topology_take; /* the group's first */
    struct streams_topics *topics_take;     /* what follows from topology and topics now */
    uint64_t metadata_hash;                 /* of the topics now */
};

/* streams_update_apply takes the update in, raises the group's epoch where it must, makes a new
 * target where it may, and brings the member nearer to its target. */
enum streams_delay streams_update_apply(
    struct streams_member *member, struct streams_update *update, struct group_records *records);

/* streams_update_fence takes a member out. */
void streams_update_fence(struct streams_member *member, struct group_records *records);

/* streams_update_classic makes an empty classic group a streams group. */
void streams_update_classic(struct group *group, struct group_records *records);

/* streams_target_make gives every member its target for the group's epoch (streams_target.c). */
void streams_target_make(struct streams_group *streams, struct group_records *records);

/* streams_reconcile brings a member nearer to a target of the target's epoch, and tells whether
 * that changed it (streams_reconcile.c). */
bool streams_reconcile(struct streams_member *member, const struct streams_assignment *target,
    const struct streams_assignment *owned);

/* streams_member_touch begins a member's session anew; streams_member_watch sets or clears the time
 * that a member has for giving tasks up. */
void streams_member_touch(struct streams_member *member);
void streams_member_watch(struct streams_member *member);

#endif
