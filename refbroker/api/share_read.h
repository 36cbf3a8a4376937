/*
 * share_read: the batches that a ShareFetch has read, as a share partition wants to know of them.
 *
 * What lies where, what of it a transaction has aborted, and the part of it that holds what was
 * acquired. Everything is in the arena, and points into what was read.
 *
 * Rules: SharePartition.fetchAbortedTransactionRecordBatches,
 * ShareFetchUtils.maybeSliceFetchRecords of Kafka 4.3.
 */
#ifndef REFBROKER_API_SHARE_READ_H
#define REFBROKER_API_SHARE_READ_H

#include "lib/base/arena.h"
#include "refbroker/coord/share_partition.h"
#include "refbroker/log/partition.h"
#include "refbroker/log/read.h"

struct share_read {
    struct share_range *batches;
    int32_t *sizes; /* bytes of each */
    size_t count;
    struct share_range *aborted;
    size_t aborted_count;
};

/* share_read_batches looks at what was read from `from` on; with read_committed at the aborted
 * transactions, too. False where the arena is full. */
MUST_CHECK bool share_read_batches(struct arena *arena, const struct partition *partition,
    const struct read_result *result, int64_t from, bool read_committed, struct share_read *out);

/* share_read_slice is the row of batches from the one that holds `first` to the one that holds
 * `last`. False where the arena is full. */
MUST_CHECK bool share_read_slice(struct arena *arena, const struct share_read *read,
    const struct read_result *result, int64_t first, int64_t last, struct wire_records *out);

#endif
