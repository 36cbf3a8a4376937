/*
 * groups: every group of the broker, their deadlines, and their log.
 *
 * The state lives in __consumer_offsets, a compacted topic of the wal path in Kafka's own record
 * formats, so that existing tools can read it: a commit or a new assignment is appended to the
 * group's partition and is answered when it is durable. At a start groups_load reads the topic
 * back.
 *
 * Limits: LIMIT_GROUPS_MAX groups, LIMIT_GROUP_MEMBERS_MAX members each. Not thread-safe.
 */
#ifndef REFBROKER_COORD_GROUPS_H
#define REFBROKER_COORD_GROUPS_H

#include "refbroker/broker.h"
#include "refbroker/coord/group.h"
#include "refbroker/coord/group_configs.h"
#include "refbroker/coord/pending_offsets.h"
#include "refbroker/coord/state_log.h"

#define GROUPS_TOPIC "__consumer_offsets"

struct groups {
    struct broker *broker;
    struct map by_id;
    struct heap timers; /* struct group_timer */
    struct pending_offsets pending;
    struct group_timer expiry;
    struct list share_calls;     /* struct share_calls.in_groups */
    size_t topology_bytes;       /* that the topologies of streams groups take */
    struct map streams_failures; /* topics that could not be made (streams_creation.h) */
};

struct groups *groups_new(struct broker *broker);
void groups_free(struct groups *groups);

/* groups_load reads __consumer_offsets; for a start, before any client is served. */
MUST_CHECK enum rc groups_load(struct groups *groups, struct err *e);

/* groups_ready tells whether the topic is there; it starts making it where it is not, for who asks
 * for the coordinator. */
bool groups_ready(struct groups *groups);

/* groups_exist tells so, too, and makes nothing: who has not asked for the coordinator is told
 * NOT_COORDINATOR (CoordinatorRuntime). */
bool groups_exist(const struct groups *groups);

/* groups_id_check is INVALID_GROUP_ID for no id and for one with a zero byte. */
int16_t groups_id_check(struct wire_string group_id);

struct group *groups_find(const struct groups *groups, struct wire_string group_id);

/* groups_make finds a group or makes an empty one; NULL at the limit, and for an id that
 * groups_id_check refuses. */
struct group *groups_make(struct groups *groups, struct wire_string group_id);

/* groups_remove drops a group and all that belongs to it from memory; nobody may wait in it. */
void groups_remove(struct group *group);

struct group *groups_next(const struct groups *groups, size_t *position);

/* groups_timer_set has timer->due called at a monotonic time (ms); groups_timer_clear takes that
 * back. */
void groups_timer_set(struct groups *groups, struct group_timer *timer, int64_t at_ms);
void groups_timer_clear(struct groups *groups, struct group_timer *timer);

/* groups_tick calls what is due and returns the next deadline, or INT64_MAX. */
int64_t groups_tick(struct groups *groups);

/* groups_offset_put takes over an offset that a group committed and that is durable: as the
 * group's, or, with a producer id (otherwise -1), as pending until groups_txn_end. An unknown group
 * is made. */
void groups_offset_put(struct groups *groups, const char *group_id, int64_t producer_id,
    const struct offset_entry *entry);

/* groups_txn_end makes the pending offsets of a producer in a partition of the log the groups', or
 * drops them, now that the marker there is durable. */
void groups_txn_end(struct groups *groups, int32_t log_partition, int64_t producer_id, bool commit);

/* groups_save appends what the group is now (protocol, generation, members with their assignments).
 */
void groups_save(struct group *group, struct append_waiter *waiter);

/* groups_save_unasked does so where nobody waits. */
void groups_save_unasked(struct group *group);

#endif
