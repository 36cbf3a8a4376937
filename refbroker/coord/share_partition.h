/*
 * share_partition: the records of one partition that a share group is at work on (KIP-932).
 *
 *     AVAILABLE -> acquired by a member, under a lock -> ACKNOWLEDGED (accept)
 *         ^                                           -> ARCHIVED (reject; or delivered too often)
 *         └──────── released, or the lock ran out ────┘
 *
 * From start_offset on each record has a state; what lies above end_offset has not been given to
 * anybody, and what lies below start_offset is forgotten. Runs of records share one entry until a
 * member treats them differently (share_pieces.h). The module knows neither log nor clock: the
 * caller says which batches lie where, and what time it is.
 *
 * A change is made at once. What of it has to be stored is put into a struct share_changes, which
 * the caller writes (share_states_write) before it answers; where that fails it drops the partition
 * and begins anew from what is stored. As in Kafka, an acquisition is not stored, nor what it
 * archives: after a restart such records are read again.
 *
 * A stored state may have gaps, where records were acquired that nobody acknowledged. They are read
 * again before anything new, and start_offset does not pass them.
 *
 * The delivery count goes up when a record is acquired, and never down. A record that would become
 * AVAILABLE and has been delivered delivery_count_limit times is archived instead. From half of
 * that limit on (but from 2 at least) records are given in ever smaller portions, by themselves,
 * and the last time one by one.
 *
 * Rules: SharePartition, InFlightBatch, InFlightState of Kafka 4.3, but where that one can stand
 * still for ever, or keeps memory for nothing:
 * - What was acquired is forgotten when the log's start passes it, not when its lock runs out.
 * - At the limit start_offset moves over what is done even where nothing changes any more.
 * - An acquisition of which nothing is left, as all of it was aborted, lets start_offset move on.
 * - A gap in which the log turns out to have nothing is none, nor is one below start_offset. Where
 *   gaps do not count any more, start_offset passes them.
 *
 * Costs: linear in the pieces touched, plus the logarithm of all; share_partition_release looks at
 * the pieces below the last one that the member holds. Offsets are 0 to INT64_MAX - 1. Limits:
 * records under way by struct share_limits, but for the end of a batch, which may pass it;
 * SHARE_PIECES_MAX. Not thread-safe.
 */
#ifndef REFBROKER_COORD_SHARE_PARTITION_H
#define REFBROKER_COORD_SHARE_PARTITION_H

#include "lib/base/err.h"
#include "refbroker/coord/share_state.h"

struct share_partition;

/* As the group's configs have it now. */
struct share_limits {
    int32_t delivery_count_limit;
    int32_t record_locks_max; /* records between start and end, both in it */
    int64_t lock_ms;
    bool renew_refused; /* share.renew.acknowledge.enable=false */
};

/* Offsets first to last, both in it. */
struct share_range {
    int64_t first;
    int64_t last;
};

/* A run that a member got. */
struct share_acquired {
    int64_t first_offset;
    int64_t last_offset;
    int16_t delivery_count;
};

struct share_acquired_list {
    struct share_acquired *items; /* owned; share_acquired_list_fini */
    size_t count;
    size_t capacity;
    int64_t record_count;
};

/*
 * What is to be stored. The caller hands in a zeroed one for each call. start_offset and
 * delivery_complete_count are those of the moment of the change, before start_offset moves over
 * what is done: so Kafka stores them, and an admin sees them. What was stored last therefore tells
 * of a start that is behind, with records above it that are done; a restart moves it, too.
 */
struct share_changes {
    struct share_batch *batches; /* owned; share_changes_fini */
    size_t count;
    size_t capacity;
    int64_t start_offset;
    int32_t delivery_complete_count;
    bool any;  /* something is to be stored, be it the start offset alone */
    bool wake; /* records became available, or there is room: fetches that wait should look again */
};

enum share_acquire_mode { SHARE_BATCH_OPTIMIZED = 0, SHARE_RECORD_LIMIT = 1 };

/* What a fetch brings: what was read from the log at fetch_offset, in the order of offsets. */
struct share_acquire {
    const char *member_id;
    enum share_acquire_mode mode;
    int32_t batch_size;  /* records per acquired run, as the client likes it */
    int32_t max_records; /* soft, but hard in SHARE_RECORD_LIMIT */
    int64_t fetch_offset;
    int64_t now_ms;
    const struct share_range *batches; /* base and last offset of each batch that was read */
    size_t batch_count;
    const struct share_range *aborted; /* those of them which read_committed is not to see */
    size_t aborted_count;
};

/* One acknowledgement: type_count is 1 (for all) or one per offset. Types: 0 gap, 1 accept, 2
 * release, 3 reject, 4 renew. */
struct share_acknowledgement {
    int64_t first_offset;
    int64_t last_offset;
    const int8_t *types;
    int32_t type_count;
};

/* share_partition_new begins from what is stored; `start_offset` is that of the state, or what the
 * group's configs said where that one is unknown. Of stored batches what lies below it, overlaps,
 * or is no range is left out; a state that is neither ACKNOWLEDGED nor ARCHIVED counts as
 * AVAILABLE. */
struct share_partition *share_partition_new(
    const struct share_state *state, int64_t start_offset, const struct share_limits *limits);
void share_partition_free(struct share_partition *partition);

/* share_partition_configure takes other limits from now on; locks that run keep their end. */
void share_partition_configure(
    struct share_partition *partition, const struct share_limits *limits);

int64_t share_partition_start_offset(const struct share_partition *partition);
int64_t share_partition_end_offset(const struct share_partition *partition);
int32_t share_partition_state_epoch(const struct share_partition *partition);

/* share_partition_next_fetch_offset is where the log is to be read for the next acquisition: the
 * first gap or available record, or else the end. */
int64_t share_partition_next_fetch_offset(struct share_partition *partition);

/* share_partition_can_acquire tells whether there is something available, or the limit leaves room
 * for more. */
bool share_partition_can_acquire(struct share_partition *partition);

/*
 * share_partition_acquire gives a member what is available among the batches read, as runs in the
 * order of offsets; `acquired` comes zeroed. SHARE_BATCH_OPTIMIZED gives whole runs and batches,
 * and new ones in runs of at least batch_size that end where batches do; SHARE_RECORD_LIMIT stops
 * at max_records. Archived are records that were aborted, whoever holds them, and what is AVAILABLE
 * between fetch_offset and the first batch, as the log has it no longer. Changes come only with an
 * acquisition of which nothing is left: the start offset alone. While there are gaps to read, a
 * fetch_offset above share_partition_next_fetch_offset is of an old read, and gives nothing.
 */
void share_partition_acquire(struct share_partition *partition, const struct share_acquire *ask,
    struct share_acquired_list *acquired, struct share_changes *changes);

/*
 * share_partition_acknowledge does what a member says of records; all or nothing, but for locks
 * that it extended before the refusal. What lies below start_offset is passed over, as are gaps.
 * 121 (INVALID_RECORD_STATE): records that the member does not hold, or that are not there; 42
 * (INVALID_REQUEST): offsets past what is under way, a type that there is not, a range or a number
 * of types that makes no sense, and more than SHARE_PIECES_MAX pieces. Kafka's texts in e.
 */
MUST_CHECK int16_t share_partition_acknowledge(struct share_partition *partition,
    const char *member_id, const struct share_acknowledgement *acknowledgements, size_t count,
    int64_t now_ms, struct share_changes *changes, struct err *e);

/* share_partition_release gives back all that a member holds, as its session is over. */
void share_partition_release(
    struct share_partition *partition, const char *member_id, struct share_changes *changes);

/* share_partition_expire releases what has been held for too long; share_partition_deadline tells
 * when that is next, or INT64_MAX. */
void share_partition_expire(
    struct share_partition *partition, int64_t now_ms, struct share_changes *changes);
int64_t share_partition_deadline(const struct share_partition *partition);

/* share_partition_trim follows the log's start: what lies below is forgotten. Kafka stores that
 * with the next change, so `any` stays false here. */
void share_partition_trim(
    struct share_partition *partition, int64_t log_start_offset, struct share_changes *changes);

void share_acquired_list_fini(struct share_acquired_list *list);
void share_changes_fini(struct share_changes *changes);

#endif
