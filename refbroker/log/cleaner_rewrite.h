/*
 * cleaner_rewrite: which records of a batch stay, and the batch with those that do.
 *
 * The rules are those of Kafka 4.3's Cleaner and MemoryRecords.filterTo (KIP-58, KIP-98, KIP-534):
 * - of the records up to the last offset that the key map knows, the last one of each key stays;
 *   what lies behind it stays whatever it is;
 * - a tombstone stays, too, until the delete horizon of its batch: the first time that it is met as
 *   the last of its key, the horizon is set to now + delete.retention.ms, in the base timestamp;
 * - aborted records go; a marker whose transaction has no records left goes after its horizon;
 * - the last batch of an active producer stays, without records if need be, and so does the last
 *   batch of the round, because the end of the log hangs on it;
 * - a batch that changes keeps base offset, last offset, producer, sequence, leader epoch, type of
 *   timestamps and codec; one that does not is copied.
 *
 * One pass over a log goes through the batches in order, with cleaner_txns beside it. Not
 * thread-safe.
 */
#ifndef REFBROKER_LOG_CLEANER_REWRITE_H
#define REFBROKER_LOG_CLEANER_REWRITE_H

#include "lib/wire/batch_builder.h"
#include "refbroker/log/cleaner_keys.h"
#include "refbroker/log/cleaner_txns.h"

/* What an active producer's last batch is. */
struct cleaner_last {
    int64_t producer_id;
    int64_t last_offset; /* of its last data batch; -1: a marker came after it */
    int16_t producer_epoch;
};

struct cleaner_counts {
    int64_t records_read;
    int64_t records_kept;
    int64_t bytes_read;
    int64_t bytes_kept;
};

struct cleaner_rewrite {
    const struct cleaner_keys *keys;
    struct cleaner_txns *txns;
    const struct cleaner_last *lasts; /* sorted by cleaner_rewrite_sort */
    size_t last_count;
    int64_t latest_offset; /* the last one that keys knows about */
    int64_t upper_bound;   /* behind the last batch of the round */
    int64_t now_ms;
    int64_t delete_retention_ms;
    struct cleaner_counts counts;
    struct batch_builder builder;
    struct buf scratch; /* decompressed records */
    struct batch_builder_header *headers;
    int32_t header_capacity;
};

/* cleaner_rewrite_init makes one without rules, which are the caller's to set; cleaner_rewrite_fini
 * frees what it allocated itself. */
void cleaner_rewrite_init(struct cleaner_rewrite *rewrite);
void cleaner_rewrite_fini(struct cleaner_rewrite *rewrite);

void cleaner_rewrite_sort(struct cleaner_last *lasts, size_t count);

/*
 * cleaner_rewrite_index notes the keys of a batch from offset `from` on, unless it is aborted, and
 * moves rewrite->latest_offset; *full is set, and latest_offset is that of the last key that found
 * room, where the map is full. `keys` is the map that rewrite->keys points to. Errors as
 * batch_records.
 */
MUST_CHECK enum rc cleaner_rewrite_index(struct cleaner_rewrite *rewrite, struct cleaner_keys *keys,
    const struct batch_view *batch, int64_t from, bool *full, struct err *e);

/* cleaner_rewrite_batch appends what stays of a batch to out, maybe nothing. RC_LIMIT where that is
 * full; errors as batch_records. */
MUST_CHECK enum rc cleaner_rewrite_batch(struct cleaner_rewrite *rewrite,
    const struct batch_view *batch, struct buf *out, struct err *e);

#endif
