/*
 * scan: reads ranges of many partitions and shows every record.
 *
 * Each partition is read from its leader, from `from` up to (not including) `to`, whole and in
 * order; the CRC of every batch is computed anew and compared. Runs on a loop; nothing blocks. A
 * partition that cannot be read to its end has `failed` set.
 */
#ifndef MIRROR_SCAN_H
#define MIRROR_SCAN_H

#include "lib/wire/batch_records.h"
#include "mirror/selection.h"

struct scan;

struct scan_partition {
    int64_t from;
    int64_t to;
    int64_t next_offset; /* everything below was shown */
    uint64_t records;
    uint64_t bytes; /* of batches, as stored */
    struct err failed;
};

/* One record and the batch that it stands in; views for the time of the call. */
typedef void scan_record_fn(void *arg, uint32_t number, const struct batch_view *batch,
    const struct batch_records_record *record);
typedef void scan_end_fn(void *arg);

/* scan_start begins; partitions[i] of `partitions` (owned by the caller) belongs to number i of the
 * selection. Those with from >= to are
 * passed over, and those of which the log ends at `from` or before it. */
struct scan *scan_start(struct cluster *cluster, const struct selection *selection,
    struct scan_partition *partitions, scan_record_fn *record, scan_end_fn *end, void *arg);
void scan_free(struct scan *scan);

#endif
