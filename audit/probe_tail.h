/*
 * probe_tail: the end of an internal topic, where what was done is on record.
 *
 * probe_tail reads the last offsets_max offsets of each partition, about partition_bytes_max bytes
 * of these and bytes_max of all partitions at most, up to the ends that the offsets' probe saw:
 * somebody writes such a log all the time. Where bytes_max comes to less than
 * PROBE_TAIL_PARTITION_BYTES of a partition, none is read. Batches go to `take` in the order of
 * each partition, after their CRC was checked; what it returns other than RC_OK ends its partition
 * with a gap of `probe`. So does what the limits left out, the offsets named. A topic that is not
 * there has nothing to read.
 *
 * probe_tail_records hands the records of a batch to `take`, decompressed into *scratch.
 */
#ifndef AUDIT_PROBE_TAIL_H
#define AUDIT_PROBE_TAIL_H

#include "audit/probe.h"
#include "lib/base/buf.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/batch_view.h"

#define PROBE_TAIL_PARTITION_BYTES 16384U
#define PROBE_TAIL_UNCOMPRESSED_MAX ((size_t)16 << 20) /* of one batch */

struct probe_tail {
    const char *topic;
    enum audit_probe probe;
    int64_t offsets_max; /* of each partition, from its end */
    uint32_t partition_bytes_max;
    uint64_t bytes_max;
    enum rc (*take)(void *arg, const struct batch_view *batch, struct err *e);
    void *arg;
};

/* probe_tail returns how many bytes it has read, which count as sampled, too. */
uint64_t probe_tail(const struct probe *probe, const struct probe_tail *tail);

typedef enum rc probe_tail_record_fn(
    void *arg, const struct batch_records_record *record, struct err *e);

MUST_CHECK enum rc probe_tail_records(const struct batch_view *batch, struct buf *scratch,
    probe_tail_record_fn *take, void *arg, struct err *e);

#endif
