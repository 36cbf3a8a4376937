/*
 * share_partition: the records of one partition that a share group is at work on (KIP-932).
 *
 *     AVAILABLE -> acquired by a member, under a lock -> ACKNOWLEDGED (accept)
 *         ^                                           -> ARCHIVED (reject; or delivered too often)
 *         └──────── released, or the lock ran out ────┘
 *
 * From start_offset on each record has a state; what lies above end_offset has not been given to
 * anybody. Runs of records share one entry until a member treats them differently. The module knows
 * neither log nor clock: the caller says which batches lie where, and what time it is.
 *
 * A change is made at once. What of it has to be stored is put into a struct share_changes, which
 * the caller writes (share_states_write) before it answers; where that fails it drops the partition
 * and begins anew from what is stored.
 *
 * Rules: SharePartition, InFlightBatch, InFlightState of Kafka 4.3. Not thread-safe. Limit: records
 * under way by struct share_limits, batches by the records.
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
    bool renews; /* locks may be prolonged */
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

/* What is to be stored. start_offset and delivery_complete_count are as they are now. */
struct share_changes {
    struct share_batch *batches; /* owned; share_changes_fini */
    size_t count;
    size_t capacity;
    int64_t start_offset;
    int32_t delivery_complete_count;
    bool any;  /* something is to be stored, be it the start offset alone */
    bool wake; /* records became available: fetches that wait should look again */
};

enum share_acquire_mode { SHARE_BATCH_OPTIMIZED = 0, SHARE_RECORD_LIMIT = 1 };

/* What a fetch brings: what was read from the log at fetch_offset. */
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
 * group's configs said where that one is unknown. */
struct share_partition *share_partition_new(
    const struct share_state *state, int64_t start_offset, const struct share_limits *limits);
void share_partition_free(struct share_partition *partition);

/* share_partition_configure takes other limits from now on. */
void share_partition_configure(
    struct share_partition *partition, const struct share_limits *limits);

int64_t share_partition_start_offset(const struct share_partition *partition);
int64_t share_partition_end_offset(const struct share_partition *partition);
int32_t share_partition_state_epoch(const struct share_partition *partition);

/* share_partition_next_fetch_offset is where the log is to be read for the next acquisition. */
int64_t share_partition_next_fetch_offset(struct share_partition *partition);

/* share_partition_can_acquire tells whether the limit leaves room for more. */
bool share_partition_can_acquire(struct share_partition *partition);

/* share_partition_acquire gives a member what is available among the batches read. Records that a
 * transaction aborted, and what has been delivered too often, are archived: changes. */
void share_partition_acquire(struct share_partition *partition, const struct share_acquire *ask,
    struct share_acquired_list *acquired, struct share_changes *changes);

/* share_partition_acknowledge does what a member says of records; all or nothing. Codes: 121
 * (INVALID_RECORD_STATE), 42; its text in e. */
MUST_CHECK int16_t share_partition_acknowledge(struct share_partition *partition,
    const char *member_id, const struct share_acknowledgement *acknowledgements, size_t count,
    int64_t now_ms, struct share_changes *changes, struct err *e);

/* share_partition_release gives back all that a member holds. */
void share_partition_release(
    struct share_partition *partition, const char *member_id, struct share_changes *changes);

/* share_partition_expire releases what has been held for too long; share_partition_deadline tells
 * when that is next, or INT64_MAX. */
void share_partition_expire(
    struct share_partition *partition, int64_t now_ms, struct share_changes *changes);
int64_t share_partition_deadline(const struct share_partition *partition);

/* share_partition_trim follows the log's start: what lies below is archived. */
void share_partition_trim(
    struct share_partition *partition, int64_t log_start_offset, struct share_changes *changes);

void share_acquired_list_fini(struct share_acquired_list *list);
void share_changes_fini(struct share_changes *changes);

#endif
