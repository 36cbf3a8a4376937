/*
 * share_state: what a share group keeps of one partition (KIP-932): where its records begin, and
 * the states of runs of records behind that which are not what a fresh record is.
 *
 * Rules: ShareGroupOffset, PersisterStateBatchCombiner of Kafka 4.3. Pure; the owner frees the
 * batches with share_state_fini. Limit: LIMIT_SHARE_STATE_BATCHES_MAX batches.
 */
#ifndef REFBROKER_COORD_SHARE_STATE_H
#define REFBROKER_COORD_SHARE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wire/desc.h"

/* As in the records. ACQUIRED is in memory only: what is acquired is stored as it was before. */
enum share_delivery {
    SHARE_AVAILABLE = 0,
    SHARE_ACQUIRED = 1,
    SHARE_ACKNOWLEDGED = 2,
    SHARE_ARCHIVING = 3,
    SHARE_ARCHIVED = 4
};

#define SHARE_OFFSET_UNKNOWN (-1) /* a start offset that is still to be looked up */

/* A partition of a group. group_id is a view. */
struct share_key {
    const char *group_id;
    struct wire_uuid topic_id;
    int32_t partition;
};

/* Offsets first_offset to last_offset, both in it. */
struct share_batch {
    int64_t first_offset;
    int64_t last_offset;
    int16_t delivery_count;
    int8_t delivery_state; /* enum share_delivery */
};

struct share_state {
    int32_t snapshot_epoch;
    int32_t state_epoch;
    int32_t leader_epoch;
    int32_t
        delivery_complete_count; /* records at or above start_offset that are done; -1: unknown */
    int64_t start_offset;        /* SHARE_OFFSET_UNKNOWN: by share.auto.offset.reset */
    int64_t created_ms;
    int64_t written_ms;
    struct share_batch *batches; /* by offset, not overlapping; owned */
    size_t batch_count;
};

void share_state_fini(struct share_state *state);

/* share_state_batches_are_valid tells whether batches may be stored: first_offset from 0 to
 * last_offset, which is below INT64_MAX, and a state of enum share_delivery. */
bool share_state_batches_are_valid(const struct share_batch *batches, size_t count);

/*
 * share_state_merge adds valid batches to those of a state as Kafka does: what lies below
 * start_offset goes, and of two that overlap the one with the higher delivery count, then the
 * higher delivery state, holds. Neighbours of equal state become one, now, or, where one of them
 * came to its state in this very merge, with the next merge. Takes O(n log n) for n batches,
 * however they overlap; beyond some eight layers they are joined further than Kafka joins them.
 */
void share_state_merge(struct share_state *state, const struct share_batch *batches, size_t count);

/* share_state_copy makes *out, which holds nothing before, the same; it is the caller's then. */
void share_state_copy(const struct share_state *state, struct share_state *out);

/*
 * share_state_update makes a copy of a state and changes it by leader epoch, start offset and count
 * of `change`, and by batches. A start offset of -1 and a leader epoch of -1 are as they were; the
 * count is the change's, also where that is -1, as in Kafka.
 */
void share_state_update(const struct share_state *state, const struct share_state *change,
    const struct share_batch *batches, size_t count, struct share_state *out);

/* share_state_epoch_next is the epoch of the next snapshot; they go round, as in Java. */
int32_t share_state_epoch_next(int32_t snapshot_epoch);

#endif
