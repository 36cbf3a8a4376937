/*
 * consumer_group: one group of the consumer protocol (KIP-848).
 *
 * Three epochs follow each other. The group's rises when what the members read changes, or they
 * come and go. Then a new target assignment is made: the target's epoch rises to the group's. Each
 * member is brought to its target by its own heartbeats and has the target's epoch when it is
 * there; meanwhile it first gives up what it must (UNREVOKED), and waits for what others have not
 * given up yet (UNRELEASED).
 *
 *     group epoch > target epoch                Assigning
 *     a member is not at the target's epoch     Reconciling
 *     else                                      Stable, or Empty without members
 *
 * Members of the classic protocol can be in it too (they have `classic`), while an application is
 * moved from one protocol to the other.
 *
 * This module keeps the parts together: who reads what, who owns which partition, who is which
 * instance. It changes memory only; consumer_records.h writes, consumer_update.h decides.
 * Rules: ConsumerGroup, ModernGroup of Kafka 4.3. A group belongs to its struct group, a member to
 * its group. Not thread-safe.
 */
#ifndef REFBROKER_COORD_CONSUMER_GROUP_H
#define REFBROKER_COORD_CONSUMER_GROUP_H

#include "refbroker/coord/groups.h"
#include "refbroker/coord/text_set.h"
#include "refbroker/coord/topic_parts.h"

/* As in the records. */
enum consumer_member_state { MEMBER_STABLE = 0, MEMBER_UNREVOKED = 1, MEMBER_UNRELEASED = 2 };

#define CONSUMER_EPOCH_JOIN 0
#define CONSUMER_EPOCH_LEAVE (-1)
#define CONSUMER_EPOCH_LEAVE_STATIC (-2)
#define CONSUMER_EPOCH_FIRST 1 /* of a group that nobody has joined */

/* What a member of the classic protocol joined with. */
struct consumer_classic {
    int32_t session_timeout_ms;
    struct group_protocol *protocols;
    int32_t protocol_count;
};

struct consumer_member {
    struct group_timer session;
    struct group_timer rebalance; /* UNREVOKED for too long, or (classic) must join */
    struct group_timer sync;      /* classic: must sync */
    struct consumer_group *consumer;
    char *member_id;
    char *instance_id; /* NULL: dynamic */
    char *rack_id;     /* NULL: none */
    char *client_id;
    char *client_host;
    char *regex;    /* NULL or "": none */
    char *assignor; /* NULL: any */
    struct text_set topics;
    int32_t rebalance_timeout_ms; /* -1: not told yet */
    int32_t epoch;
    int32_t previous_epoch;
    int32_t rebalance_epoch; /* at which `rebalance` was set */
    enum consumer_member_state state;
    struct topic_parts assigned;
    struct topic_parts revoking;      /* to be given up */
    struct topic_parts target;        /* epochs are not used */
    struct consumer_classic *classic; /* NULL: consumer protocol */
    bool loaded;                      /* of a start: has a member record */
    bool leaving;                     /* is about to be taken out */
};

/* A subscribed pattern and what it matched. */
struct consumer_pattern {
    char *text;
    struct text_set topics;
    int64_t version;
    int64_t resolved_ms; /* wall clock */
};

struct consumer_group {
    struct group *group;
    struct group_timer resolve; /* patterns are about to be matched */
    int32_t epoch;
    int32_t target_epoch;
    int64_t target_ms; /* when it was made; 0: never */
    uint64_t metadata_hash;
    struct map members;      /* by member id */
    struct map statics;      /* member by instance id */
    struct map owners;       /* member by partition, assigned or revoking */
    struct map readers;      /* by topic: how many members and patterns name it */
    struct map patterns;     /* struct consumer_pattern by text, resolved */
    struct map subscribers;  /* by pattern: how many members have it */
    uint64_t topics_seen;    /* topics.version at which the hash was made; 0: look again */
    uint64_t topics_matched; /* topics.created at which the patterns were */
};

/* consumer_group_attach makes the group one of the consumer protocol, empty and at its first epoch;
 * consumer_group_detach takes all of that back. */
struct consumer_group *consumer_group_attach(struct group *group);
void consumer_group_detach(struct group *group);

/* consumer_group_state returns Kafka's name of the state. */
const char *consumer_group_state(const struct consumer_group *consumer);

struct consumer_member *consumer_member_find(
    const struct consumer_group *consumer, struct wire_string member_id);
struct consumer_member *consumer_member_find_static(
    const struct consumer_group *consumer, struct wire_string instance_id);

/* consumer_member_add makes a member at epoch 0 that reads nothing; consumer_member_remove frees
 * one with its timers. */
struct consumer_member *consumer_member_add(
    struct consumer_group *consumer, struct wire_string member_id);
void consumer_member_remove(struct consumer_member *member);

/* consumer_member_rename gives a member another id; all else stays. */
void consumer_member_rename(struct consumer_member *member, struct wire_string member_id);

void consumer_member_set_instance(struct consumer_member *member, struct wire_string instance_id);

/* consumer_member_read sets what a member reads; it takes the set over. NULL keeps the pattern. */
void consumer_member_read(struct consumer_member *member, struct text_set *topics_take);
void consumer_member_set_regex(struct consumer_member *member, struct wire_string regex);

/* consumer_member_hold sets what a member has and gives up; it takes both over. */
void consumer_member_hold(struct consumer_member *member, struct topic_parts *assigned_take,
    struct topic_parts *revoking_take);

void consumer_member_set_classic(
    struct consumer_member *member, struct consumer_classic *classic_take);

/* consumer_group_resolve stores what a pattern matched (taken over), or forgets it (NULL). */
void consumer_group_resolve(struct consumer_group *consumer, const char *text,
    struct text_set *topics_take, int64_t version, int64_t resolved_ms);
struct consumer_pattern *consumer_group_pattern(
    const struct consumer_group *consumer, const char *text);
size_t consumer_group_subscribers(const struct consumer_group *consumer, const char *text);

/* consumer_group_owner returns who has a partition or is to give it up, or NULL. */
struct consumer_member *consumer_group_owner(
    const struct consumer_group *consumer, const struct wire_uuid *topic_id, int32_t partition);

/* consumer_member_topics returns what a member reads (names, and what its pattern matched) as the
 * ids of existing topics, in the order of ids; the caller frees them. */
struct wire_uuid *consumer_member_topics(const struct consumer_member *member, size_t *count);

/* consumer_group_hash is Kafka's hash of the topics that the group reads. */
uint64_t consumer_group_hash(const struct consumer_group *consumer);

/* consumer_group_is_homogeneous tells whether all members read the same. */
bool consumer_group_is_homogeneous(const struct consumer_group *consumer);

/* consumer_group_assignor is the assignor that most members want. Of a tie it is the default; where
 * two members each want another one it is the asking member's (NULL: nobody asks), as in the order
 * of Kafka's table (ConsumerGroup.computePreferredServerAssignor). */
const char *consumer_group_assignor(
    const struct consumer_group *consumer, const struct consumer_member *asking);

size_t consumer_group_classic_count(const struct consumer_group *consumer);

#endif
