/*
 * streams_group: one streams group (KIP-1071): members of processes that share the tasks of a
 * Kafka Streams topology.
 *
 * Three epochs follow each other, as in a consumer group: the group's rises when members, topology,
 * topics or settings change; then a new target assignment is made, and the target's epoch rises to
 * the group's; each member is brought to its target by its own heartbeats.
 *
 *     no members                                              Empty
 *     topology not validated against the topics               NotReady
 *     group epoch > target epoch                              Assigning
 *     a member is not Stable at the target's epoch            Reconciling
 *     else                                                    Stable
 *
 * A task has at most one active owner; an owner is who has it, and who has not given it up yet. A
 * process has a task once only, be it active, standby or warmup.
 *
 * This module keeps the parts together, in memory; streams_records.h writes, streams_heartbeat.h
 * and streams_update.h decide. Rules: StreamsGroup and StreamsGroupMember of Kafka 4.3. A group
 * belongs to its struct group, a member to its group. Not thread-safe.
 */
#ifndef REFBROKER_COORD_STREAMS_GROUP_H
#define REFBROKER_COORD_STREAMS_GROUP_H

#include "refbroker/coord/groups.h"
#include "refbroker/coord/streams_task.h"
#include "refbroker/coord/streams_topics.h"
#include "refbroker/coord/text_pairs.h"

#define STREAMS_PROTOCOL_TYPE "streams"
#define STREAMS_EPOCH_JOIN 0
#define STREAMS_EPOCH_LEAVE (-1)
#define STREAMS_EPOCH_LEAVE_STATIC (-2)
#define STREAMS_EPOCH_FIRST 1      /* of a group that nobody has joined */
#define STREAMS_EPOCH_NOWHERE (-1) /* a topology that is not validated, a tombstone's epochs */

/* The one setting by which targets are made. */
#define STREAMS_SETTING_STANDBYS "num.standby.replicas"

/* As in the records. */
enum streams_member_state {
    STREAMS_STABLE = 1,
    STREAMS_UNREVOKED = 2,
    STREAMS_UNRELEASED = 3,
    STREAMS_UNKNOWN = 127
};

struct streams_member {
    struct group_timer session;
    struct group_timer rebalance; /* UNREVOKED for too long */
    struct streams_group *streams;
    char *member_id;
    char *instance_id; /* NULL: dynamic, as all are; kept where a record has one */
    char *rack_id;     /* NULL: none */
    char *client_id;
    char *client_host;
    char *process_id;    /* streams_member_set_process */
    char *endpoint_host; /* NULL: none */
    uint16_t endpoint_port;
    struct text_pairs tags;
    int32_t rebalance_timeout_ms; /* -1: not told yet */
    int32_t topology_epoch;       /* -1: not told yet */
    int32_t epoch;
    int32_t previous_epoch;
    int32_t rebalance_epoch; /* at which `rebalance` was set */
    enum streams_member_state state;
    struct streams_assignment assigned; /* streams_member_hold */
    struct streams_assignment revoking; /* so, too: to be given up */
    struct streams_assignment target;   /* epochs are not used */
    bool has_target;                    /* be it an empty one */
    bool is_new;                        /* came with the heartbeat that is being answered */
    bool loaded;                        /* of a start: has a member record */
};

struct streams_group {
    struct group *group;
    struct group_timer delay; /* set: the first rebalance waits for more members */
    int32_t epoch;
    int32_t target_epoch;
    int64_t target_ms; /* wall clock, when it was made; 0: never */
    uint64_t metadata_hash;
    int32_t validated_epoch;           /* of the topology that its topics fit */
    struct streams_topology *topology; /* NULL: none yet */
    struct map sources;                /* by topic that it reads: the id of the subtopology */
    struct streams_topics topics;      /* of it, where is_configured */
    bool is_configured;
    uint64_t topics_seen;       /* topics.version at which the hash was made; 0: look again */
    struct text_pairs settings; /* of the last assignment */
    struct map members;         /* by member id */
    struct map owners;          /* of active tasks, and how often a process has others */
    char *shutdown_member_id;   /* who asked all to stop; NULL: nobody */
    int32_t endpoint_epoch;     /* rises where a member with an endpoint gets or loses tasks */
};

/* streams_group_is_enabled tells whether the broker has streams groups (streams.version,
 * group.coordinator.rebalance.protocols). */
bool streams_group_is_enabled(const struct broker *broker);

/* streams_group_attach makes a group a streams group, empty and at its first epoch;
 * streams_group_detach takes all of that back. */
struct streams_group *streams_group_attach(struct group *group);
void streams_group_detach(struct group *group);

/* streams_group_state_name returns Kafka's name of the state; streams_group_state_filter the one by
 * which ListGroups looks for it. */
const char *streams_group_state_name(const struct streams_group *streams);
const char *streams_group_state_filter(const struct streams_group *streams);

/* streams_group_set_topology takes a topology over; NULL: none. What was configured of the old one
 * is forgotten. */
void streams_group_set_topology(
    struct streams_group *streams, struct streams_topology *topology_take);

/* streams_group_configure takes over what follows from topology and topics; streams_group_forget
 * forgets that, and all else that no record has. */
void streams_group_configure(struct streams_group *streams, struct streams_topics *topics_take);
void streams_group_forget(struct streams_group *streams);

/* streams_group_is_ready tells whether tasks can be assigned. */
bool streams_group_is_ready(const struct streams_group *streams);

/* streams_group_view shows the broker's topics, and streams_group_source the subtopology that reads
 * a topic, or NULL. */
struct streams_topics_view streams_group_view(const struct broker *broker);
const char *streams_group_source(const struct streams_group *streams, const char *topic);

struct streams_member *streams_member_find(
    const struct streams_group *streams, struct wire_string member_id);

/* streams_member_add makes a member at epoch 0 that has nothing; streams_member_remove frees one
 * with its timers. */
struct streams_member *streams_member_add(
    struct streams_group *streams, struct wire_string member_id);
void streams_member_remove(struct streams_member *member);

void streams_member_set_process(struct streams_member *member, struct wire_string process_id);

/* streams_member_hold sets what a member has and gives up; it takes both over. */
void streams_member_hold(struct streams_member *member, struct streams_assignment *assigned_take,
    struct streams_assignment *revoking_take);

/* streams_group_owner returns who has an active task or is to give it up, or NULL;
 * streams_group_holds tells whether a process has it as standby or warmup, so. */
struct streams_member *streams_group_owner(
    const struct streams_group *streams, const char *subtopology_id, int32_t partition);
bool streams_group_holds(const struct streams_group *streams, const char *subtopology_id,
    int32_t partition, const char *process_id);

#endif
