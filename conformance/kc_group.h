/*
 * kc_group: groups of a check, and members of the classic protocol.
 *
 * A group's name is kc-<run>-<area>-<number>, as a topic's. Every member has a connection of its
 * own, because JoinGroup and SyncGroup wait in the broker. Errors of the protocol are returned as
 * they are, unless a function's name says what it asserts.
 */
#ifndef CONFORMANCE_KC_GROUP_H
#define CONFORMANCE_KC_GROUP_H

#include "conformance/kc_topic.h"

#define KC_SESSION_MS 10000 /* of members, unless a check wants another */

struct kc_group {
    const char *id;
    size_t coordinator; /* index of the broker of the target */
};

/* kc_group_new names a group and returns when its coordinator serves it; kc_group_await does so
 * for one that exists, after a restart. Both are preparation. */
struct kc_group *kc_group_new(struct kc *kc);
void kc_group_await(struct kc *kc, struct kc_group *group);

/* kc_group_set sets one of a group's configs, and returns when its coordinator tells it.
 * Preparation, too. */
void kc_group_set(struct kc *kc, const struct kc_group *group, const char *name, const char *value);

/* kc_group_link returns the ordinary connection to the coordinator. */
struct link *kc_group_link(struct kc *kc, const struct kc_group *group);

/* Of members whose metadata is any text: brokers look into that of type "consumer". */
#define KC_PROTOCOL_TYPE "conformance"

#define KC_PROTOCOLS_MAX 3

struct kc_protocol {
    const char *name;
    struct wire_bytes metadata;
};

struct kc_member {
    const struct kc_group *group;
    struct link *link;
    const char *id;       /* "" until the coordinator gave one */
    const char *instance; /* NULL: dynamic */
    const char *protocol_type;
    int32_t session_ms;
    int32_t rebalance_ms;
    struct kc_protocol protocols[KC_PROTOCOLS_MAX];
    size_t protocol_count;
    int32_t generation;
    const struct km_join_group_response *joined; /* the last answer */
    struct exchange *sent;                       /* the request that waits for its answer */
};

/*
 * kc_member_new makes a member of KC_PROTOCOL_TYPE with one protocol, "range", whose metadata
 * is `text`.
 */
struct kc_member *kc_member_new(
    struct kc *kc, const struct kc_group *group, const char *instance, const char *text);

/* kc_member_join_once asks once and returns the answer. */
const struct km_join_group_response *kc_member_join_once(struct kc *kc, struct kc_member *member);

/*
 * kc_member_join_send asks to join (a dynamic member fetches its id first), kc_member_join_receive
 * takes the answer into the member and returns its error; kc_member_join does both.
 */
void kc_member_join_send(struct kc *kc, struct kc_member *member);
int16_t kc_member_join_receive(struct kc *kc, struct kc_member *member);
int16_t kc_member_join(struct kc *kc, struct kc_member *member);

bool kc_member_leads(const struct kc_member *member);

/*
 * kc_members_join brings members, and nobody else who answers, into one new generation; those who
 * were never in it send first. Asserts that all join, and that they name one generation.
 */
void kc_members_join(struct kc *kc, struct kc_member *const *members, size_t count);

/* What a leader gives a member. */
struct kc_given {
    const struct kc_member *member;
    struct wire_bytes assignment;
};

void kc_member_sync_send(
    struct kc *kc, struct kc_member *member, const struct kc_given *given, size_t count);
const struct km_sync_group_response *kc_member_sync_receive(
    struct kc *kc, struct kc_member *member);

/* kc_members_settle joins members as above; the leader gives member i the text "<prefix>-i", which
 * all must get. */
void kc_members_settle(
    struct kc *kc, struct kc_member *const *members, size_t count, const char *prefix);

int16_t kc_member_heartbeat(struct kc *kc, const struct kc_member *member);
int16_t kc_member_leave(struct kc *kc, const struct kc_member *member);

/* kc_member_await_rebalance waits until heartbeats are answered 27. */
void kc_member_await_rebalance(struct kc *kc, const struct kc_member *member);

/* Committed offsets. */

struct kc_commit {
    const char *member_id; /* "" and generation -1: of nobody */
    const char *instance;
    int32_t generation; /* or member epoch */
    int64_t offset;
    int32_t leader_epoch;
    const char *metadata;
    int16_t version_max; /* with names: 9 */
};

struct kc_commit kc_commit_of(const struct kc_member *member, int64_t offset);

/* kc_commit commits one partition's offset and returns its error. */
int16_t kc_commit(struct kc *kc, const struct kc_group *group, const struct kc_topic *topic,
    int32_t partition, const struct kc_commit *commit);

struct kc_committed {
    int16_t code; /* the partition's, or else the group's */
    int64_t offset;
    int32_t leader_epoch;
    struct wire_string metadata;
};

/* kc_committed asks as nobody, kc_committed_as as a member of the protocol of KIP-848. */
struct kc_committed kc_committed(
    struct kc *kc, const struct kc_group *group, const struct kc_topic *topic, int32_t partition);
struct kc_committed kc_committed_as(struct kc *kc, const struct kc_group *group,
    const struct kc_topic *topic, int32_t partition, const char *member_id, int32_t epoch);

/* kc_group_describe returns what DescribeGroups says. */
const struct km_describe_groups_response_described_group *kc_group_describe(
    struct kc *kc, const struct kc_group *group);

#endif
