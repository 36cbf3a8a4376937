/*
 * batch_rewrite: a batch of format v2 with another header or another codec.
 *
 * A leader does this to every batch that it takes: offset and leader epoch lie outside the CRC and
 * cost nothing, the other fields are covered by it and cost one pass over the batch, but only where
 * a byte changes.
 */
#ifndef LIB_WIRE_BATCH_REWRITE_H
#define LIB_WIRE_BATCH_REWRITE_H

#include "lib/wire/batch_view.h"

/* What batch_rewrite_header is to set. */
enum {
    BATCH_REWRITE_BASE_OFFSET = 1 << 0,
    BATCH_REWRITE_LEADER_EPOCH = 1 << 1,
    BATCH_REWRITE_TIMESTAMP = 1 << 2, /* the type and max_timestamp */
    BATCH_REWRITE_PRODUCER = 1 << 3,  /* id, epoch and base sequence */
    BATCH_REWRITE_TRANSACTIONAL = 1 << 4,
};

struct batch_rewrite {
    unsigned fields; /* of the enum above */
    int64_t base_offset;
    int64_t max_timestamp; /* with log_append_time: the time of every record */
    int64_t producer_id;
    int32_t leader_epoch;
    int32_t base_sequence;
    int16_t producer_epoch;
    bool log_append_time;
    bool transactional;
};

/* batch_rewrite_header changes the batch of format v2 that begins at data, `size` bytes long, in
 * place, and its CRC where that covers a change. The batch is taken to have been parsed. */
void batch_rewrite_header(uint8_t *data, size_t size, const struct batch_rewrite *change);

/*
 * batch_rewrite_codec appends the batch to out with its records compressed by another codec, byte
 * for byte the same within; scratch and size_max as in batch_records_open. Errors as
 * compress_encode and compress_decode; a failed call may leave a part in out.
 */
MUST_CHECK enum rc batch_rewrite_codec(const struct batch_view *batch, enum compress_codec codec,
    struct buf *scratch, size_t size_max, struct buf *out, struct err *e);

/*
 * batch_rewrite_empty appends the batch without its records, as compaction leaves it where the
 * producer's sequence or the log's end hangs on it: offsets, producer, largest timestamp and the
 * bits of transactions stay; no codec, no delete horizon, base timestamp -1
 * (DefaultRecordBatch.writeEmptyHeader). RC_LIMIT where out is full.
 */
MUST_CHECK enum rc batch_rewrite_empty(
    const struct batch_view *batch, struct buf *out, struct err *e);

#endif
