/*
 * share_group: one share group (KIP-932): members that share partitions.
 *
 * The group's epoch rises when what the members read changes, or they come and go, or partitions
 * have been initialised. Then a new target assignment is made, and the target's epoch rises to the
 * group's. Each member gets its target with its next heartbeat, all of it at once: nobody has to
 * give up a partition first, since members may share it.
 *
 *     members     Stable
 *     none        Empty
 *
 * Only partitions that the share coordinator has initialised are assigned (share_stages.h).
 *
 * This module keeps the parts together, in memory; share_records.h writes, share_heartbeat.h and
 * share_update.h decide. Rules: ShareGroup, ModernGroup of Kafka 4.3. A group belongs to its struct
 * group, a member to its group. Not thread-safe.
 */
#ifndef REFBROKER_COORD_SHARE_GROUP_H
#define REFBROKER_COORD_SHARE_GROUP_H

#include "refbroker/coord/groups.h"
#include "refbroker/coord/share_parts.h"
#include "refbroker/coord/share_stages.h"
#include "refbroker/coord/text_set.h"

#define SHARE_PROTOCOL_TYPE "share"
#define SHARE_EPOCH_JOIN 0
#define SHARE_EPOCH_LEAVE (-1)
#define SHARE_EPOCH_FIRST 1            /* of a group that nobody has joined */
#define SHARE_EPOCH_PREVIOUS_NONE (-1) /* of a member that has just come */

struct share_member {
    struct group_timer session;
    struct share_group *share;
    char *member_id;
    char *rack_id; /* NULL: none */
    char *client_id;
    char *client_host;
    struct text_set topics;
    int32_t epoch;
    int32_t previous_epoch;
    struct share_parts assigned;
    struct share_parts target;
    bool has_target; /* be it an empty one */
    bool unsettled;  /* both are in the order of an answer (share_update_settle) */
    bool loaded;     /* of a start: has a member record */
};

struct share_group {
    struct group *group;
    int32_t epoch;
    int32_t target_epoch;
    int64_t target_ms; /* wall clock, when it was made; 0: never */
    uint64_t metadata_hash;
    struct map members;   /* by member id */
    struct map readers;   /* by topic: how many members name it */
    uint64_t topics_seen; /* topics.version at which the hash was made; 0: look again */
    struct share_stages stages;
    bool all_assigned; /* share_group_is_unassigned has looked, and nothing has changed since */
};

/* share_group_attach makes a group a share group, empty and at its first epoch; share_group_detach
 * takes all of that back. */
struct share_group *share_group_attach(struct group *group);
void share_group_detach(struct group *group);

/* share_group_state returns Kafka's name of the state. */
const char *share_group_state(const struct share_group *share);

struct share_member *share_member_find(
    const struct share_group *share, struct wire_string member_id);

/* share_member_add makes a member at epoch 0 that reads nothing; share_member_remove frees one with
 * its timer. */
struct share_member *share_member_add(struct share_group *share, struct wire_string member_id);
void share_member_remove(struct share_member *member);

/* share_member_read sets what a member reads; it takes the set over. */
void share_member_read(struct share_member *member, struct text_set *topics_take);

/* share_group_is_homogeneous tells whether all members read the same. */
bool share_group_is_homogeneous(const struct share_group *share);

/* share_group_is_unassigned tells whether an initialised partition of a topic that is read is in no
 * member's target, or one that is not initialised is. Whoever changes stages or targets takes
 * all_assigned back. */
bool share_group_is_unassigned(struct share_group *share);

#endif
