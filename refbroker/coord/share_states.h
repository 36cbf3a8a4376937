/*
 * share_states: the share coordinator: what all share groups keep of their partitions, and its log.
 *
 * The state lives in __share_group_state in Kafka's own record formats, a snapshot or an update per
 * change. A change is made in memory and appended; whoever asked waits until it is durable. At a
 * start share_states_load reads the topic back. Records below the oldest snapshot that is still
 * needed are deleted now and then.
 *
 * Rules: ShareCoordinatorShard, ShareCoordinatorService of Kafka 4.3, which take any offsets and
 * states; here those are refused (42) that share_state_batches_are_valid refuses. All functions run
 * on the owner's thread. A function that returns 0 calls waiter->done when what it changed, or
 * told, is durable, which may be inside the call, with 0 or the code of what went wrong with the
 * append; any other code is the answer, with its text in e, and the waiter is not used. Without the
 * log the answer is 16.
 *
 * Limits: LIMIT_SHARE_STATES_MAX partitions of groups, LIMIT_SHARE_STATE_BATCHES_MAX batches of one
 * and LIMIT_SHARE_BATCHES_MAX of all (15, -1).
 */
#ifndef REFBROKER_COORD_SHARE_STATES_H
#define REFBROKER_COORD_SHARE_STATES_H

#include "refbroker/broker.h"
#include "refbroker/coord/share_state.h"
#include "refbroker/log/append.h"

#define SHARE_STATES_TOPIC "__share_group_state"

/* Kafka's words for UNKNOWN_SERVER_ERROR. */
#define SHARE_STATES_UNEXPECTED_WHY                                                                \
    "The server experienced an unexpected error when processing the request."

struct share_states;

struct share_states *share_states_new(struct broker *broker);
void share_states_free(struct share_states *states);

/* share_states_load reads __share_group_state; for a start, before any client is served. */
MUST_CHECK enum rc share_states_load(struct share_states *states, struct err *e);

/* share_states_ready tells whether the topic is there; it starts making it where it is not. */
bool share_states_ready(struct share_states *states);

/* share_states_find is the state of a partition, or NULL; valid until the next change. */
const struct share_state *share_states_find(
    const struct share_states *states, const struct share_key *key);

/* share_states_initialize begins a partition of a group: a snapshot at a state epoch and a start
 * offset (SHARE_OFFSET_UNKNOWN: by the group's configs, at the first fetch). */
MUST_CHECK int16_t share_states_initialize(struct share_states *states, const struct share_key *key,
    int32_t state_epoch, int64_t start_offset, struct append_waiter *waiter, struct err *e);

/* share_states_read is share_states_find for a leader: a higher leader epoch than the stored one
 * is noted, a lower one is fenced. */
MUST_CHECK int16_t share_states_read(struct share_states *states, const struct share_key *key,
    int32_t leader_epoch, const struct share_state **out, struct append_waiter *waiter,
    struct err *e);

/* What a leader writes. start_offset -1: as it was; delivery_complete_count -1: unknown from now
 * on. A higher leader epoch is let through and not noted: only share_states_read notes it. */
struct share_write {
    int32_t state_epoch;
    int32_t leader_epoch;
    int64_t start_offset;
    int32_t delivery_complete_count;
    const struct share_batch *batches;
    size_t batch_count;
};

MUST_CHECK int16_t share_states_write(struct share_states *states, const struct share_key *key,
    const struct share_write *write, struct append_waiter *waiter, struct err *e);

/* share_states_delete takes a partition of a group away; what is not there is no error. */
MUST_CHECK int16_t share_states_delete(struct share_states *states, const struct share_key *key,
    struct append_waiter *waiter, struct err *e);

/* share_states_summary is share_states_find with the checks of the others: *out is NULL where
 * nothing is there. */
MUST_CHECK int16_t share_states_summary(struct share_states *states, const struct share_key *key,
    const struct share_state **out, struct append_waiter *waiter, struct err *e);

/* share_states_append_error is what a coordinator answers where an append, or waiter->done, gave
 * this error; its text in e. */
int16_t share_states_append_error(int16_t error, struct err *e);

/* share_states_topic_gone follows the deletion of a topic: what groups keep of it goes, in the
 * ticks that follow; with the log itself everything goes. */
void share_states_topic_gone(struct share_states *states, const struct wire_uuid *topic_id);

/* share_states_tick does what is due (states of deleted topics, cold snapshots, pruning), a bounded
 * part of it, and returns the next deadline, or INT64_MAX. */
int64_t share_states_tick(struct share_states *states);

#endif
