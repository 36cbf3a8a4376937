/*
 * group: one consumer group of the classic protocol, as a state machine.
 *
 *     EMPTY -> PREPARING (members join) -> COMPLETING (the leader's assignment is awaited) ->
 * STABLE -> PREPARING ...
 *
 * Members join and wait; once all known members have joined, or the rebalance timeout is over, a
 * generation begins and one of them, the leader, gets the list of all. Each then syncs and waits
 * for the leader's assignment. Static members (KIP-345) keep their place by group.instance.id.
 * Rules: GroupMetadataManager and ClassicGroup of Kafka 4.3.
 *
 * A group belongs to struct groups, a member to its group. Requests that wait hang in their member
 * and leave through group_forget_request. Not thread-safe.
 */
#ifndef REFBROKER_COORD_GROUP_H
#define REFBROKER_COORD_GROUP_H

#include "lib/base/buf.h"
#include "lib/base/heap.h"
#include "lib/base/map.h"
#include "refbroker/coord/offsets.h"
#include "refbroker/request.h"

enum group_state { GROUP_EMPTY, GROUP_PREPARING, GROUP_COMPLETING, GROUP_STABLE, GROUP_DEAD };

struct consumer_group;
struct group;
struct groups;
struct share_group;
struct streams_group;

/* A deadline of a group or a member. */
struct group_timer {
    struct heap_node node;
    void (*due)(struct groups *groups, struct group_timer *timer);
};

struct group_protocol {
    char *name;
    uint8_t *metadata;
    int32_t metadata_size;
};

struct group_member {
    struct group_timer session; /* removed when it is due */
    struct group *group;
    char *member_id;
    char *instance_id; /* NULL: dynamic */
    char *client_id;
    char *client_host;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    struct group_protocol *protocols;
    int32_t protocol_count;
    uint8_t *assignment;
    int32_t assignment_size;
    struct request *joining; /* waits for the generation */
    struct request *syncing; /* waits for the assignment */
    bool is_new;             /* joined for the first time in this rebalance */
    bool sync_due;           /* has not synced in this generation */
};

struct group {
    struct group_timer rebalance; /* the end of joining, or of syncing */
    struct groups *groups;
    char *group_id;
    char *protocol_type; /* NULL until the first member */
    char *protocol_name; /* NULL before the first generation */
    char *leader;
    enum group_state state;
    int32_t generation;
    int64_t state_since_ms;
    bool loaded;             /* has a record, at a start */
    bool gathering;          /* the first rebalance of an empty group waits for more members... */
    bool member_added;       /* ...and for longer when one has come meanwhile, */
    int64_t gather_until_ms; /* but not beyond this */
    struct map members;      /* by member id */
    struct map statics;      /* member by instance id */
    struct map pending;      /* ids handed out (KIP-394), as struct pending_member */
    struct offsets offsets;
    /* At most one of these; none: a classic group, to which all of the above belongs but id and
     * offsets. */
    struct consumer_group *consumer;
    struct share_group *share;
    struct streams_group *streams;
};

/* What a JoinGroup asks for. */
struct group_join {
    struct wire_string member_id;
    struct wire_string instance_id; /* size -1: dynamic */
    struct wire_string protocol_type;
    const struct km_join_group_request_protocol *protocols;
    int32_t protocol_count;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    bool id_required; /* the version lets the broker hand out an id first */
};

struct group *group_new(struct groups *groups, const char *group_id, size_t size);
void group_free(struct group *group);

/* group_is_classic tells whether a group is of no other protocol. */
bool group_is_classic(const struct group *group);

/* group_state_name returns Kafka's name of a state. */
const char *group_state_name(enum group_state state);

/* group_join_request answers (H_DONE) or parks (H_PARK) a JoinGroup whose group exists. */
enum h_result group_join_request(
    struct group *group, struct request *request, const struct group_join *join);

/* group_sync_request does so for a SyncGroup. */
enum h_result group_sync_request(struct group *group, struct request *request);

/*
 * group_member_check finds a member and fences it: 25 for an unknown id, 82 where the instance id
 * belongs to another member id, 22 for another generation.
 */
int16_t group_member_check(const struct group *group, struct wire_string member_id,
    struct wire_string instance_id, int32_t generation, struct group_member **member);

/* group_heartbeat keeps a member alive; the code is what Heartbeat answers. */
int16_t group_heartbeat(struct group *group, struct wire_string member_id,
    struct wire_string instance_id, int32_t generation);

/* group_touch begins a member's session anew. */
void group_touch(struct group_member *member);

/* group_leave takes a member (or an id handed out) out; 25 where there is none. */
int16_t group_leave(
    struct group *group, struct wire_string member_id, struct wire_string instance_id);

/* group_forget_request takes a waiting request, whose connection is gone, out of its member. */
void group_forget_request(struct request *request);

/* group_restore makes the group what a GroupMetadata record says. */
struct km_group_metadata_value;
void group_restore(struct group *group, const struct km_group_metadata_value *value);

#endif
