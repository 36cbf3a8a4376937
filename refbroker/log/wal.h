/*
 * wal: the broker's write-ahead log: one stream of groups for all partitions, durable before
 * anything is acknowledged.
 *
 * What a tick appends forms a group; a group is written and synced as one on the WAL's lane, and
 * while it is under way the next one fills (group commit). Groups have ascending sequence numbers.
 * Files have a fixed size and are used again once everything in them lies in objects (wal_trim),
 * because growing files costs more than writing them.
 *
 *     file  = header (4 KiB), groups, each aligned to 4 KiB; once it is full, an index
 *     group = header { magic, version, sequence, entry count, payload bytes, CRC-32C }, entries {
 * topic id, partition, size }, record batches
 *
 * Failures. A write without space is tried again until there is space; wal_is_full tells it
 * meanwhile, so that producers are refused instead of piling up. A failed sync is never tried
 * again: what the medium holds is unknown, so the group's batches are reported lost (WAL_LOST:
 * their partitions stop, and what they have appended since is lost with them), the file is given up
 * and the next group begins a new file, whose header says that the lost one does not count.
 *
 * Recovery reads all groups in order, or, of a file with an index (wal_index.h), which groups and
 * batches it holds: what those hold is read once the broker serves (wal_is_loading). What does not
 * check out at the very end is a write that was under way at the crash: it is cut and logged
 * (WAL-TAIL-CUT). A group that was reported lost stays out (WAL-LOST-LEFT-OUT) unless it was the
 * last thing that happened; then it counts, and is made durable like any last group that is found.
 * Anything else that does not check out is damage to acknowledged data: RC_CORRUPT.
 *
 * All functions run on the owner's thread; only the writing of a group runs on the lane.
 */
#ifndef REFBROKER_LOG_WAL_H
#define REFBROKER_LOG_WAL_H

#include "lib/base/blob.h"
#include "lib/base/disk.h"
#include "lib/base/env.h"
#include "lib/base/err.h"
#include "lib/base/work.h"
#include "lib/wire/desc.h"
#include "refbroker/log/partition.h"

#define WAL_FORMAT_VERSION 1
#define WAL_GROUP_BYTES_MAX ((size_t)16 * 1024 * 1024) /* one larger batch is a group by itself */

struct wal;

enum wal_outcome {
    WAL_DURABLE,
    WAL_LOST, /* the sync failed: it may or may not be there after the next start */
};

/* Called for each appended batch once its fate is known, in the order of the appends. The batch may
 * be gone from the cache by then: nothing but its numbers is used. */
typedef void wal_done_fn(void *arg, struct partition *partition, int64_t base_offset,
    int64_t last_offset, uint64_t sequence, enum wal_outcome outcome);

/* A batch found at recovery. Whoever keeps its bytes takes a reference on the blob, which is as
 * large as a file of the WAL. Where the head is not all of it, the bytes in the blob are there only
 * when the WAL loads no more. */
struct wal_found_batch {
    const struct wire_uuid *topic_id;
    int32_t partition;
    struct blob *blob;
    const uint8_t *data; /* in it */
    uint32_t size;
    const uint8_t *head; /* its first bytes, WAL_INDEX_HEAD_BYTES at least, or all of them */
    uint32_t head_size;
    uint64_t sequence;
};

/* RC_TRUNCATED where the head is not enough: the same batch comes again, with all of it. */
typedef enum rc wal_found_fn(void *arg, const struct wal_found_batch *batch, struct err *e);

struct wal_options {
    struct disk *disk;
    struct work *work;
    struct env *env;
    unsigned lane;
    unsigned load_lane;
    size_t file_bytes;      /* a multiple of DISK_ALIGN_BYTES */
    size_t index_bytes_max; /* of a file; 0: no file gets an index */
    wal_done_fn *done;
    void *arg;
};

/* wal_open reads what is there (calling `found`), cuts a torn tail, and is ready to append. */
MUST_CHECK enum rc wal_open(const struct wal_options *options, wal_found_fn *found, void *found_arg,
    struct wal **out, struct err *e);

/* wal_is_loading tells whether batches that were found are not read yet, or could not be: only what
 * is known of them may be used, and their partitions be appended to; wal_is_loaded whether those in
 * a blob are. They are read on the load lane, without further ado. */
bool wal_is_loading(const struct wal *wal);
bool wal_is_loaded(const struct wal *wal, const struct blob *blob);

/* wal_load_wait waits until all are read; wal_damage says what kept one from it, NULL for nothing:
 * acknowledged data is lost then. */
MUST_CHECK enum rc wal_load_wait(struct wal *wal, struct err *e);
const struct err *wal_damage(const struct wal *wal);

/* wal_close frees; nothing may be under way but loads, which it waits for. */
void wal_close(struct wal *wal);

/* wal_append adds a batch to the open group and holds its partition and blob until `done`. */
void wal_append(struct wal *wal, const struct cached_batch *batch);

/* wal_flush hands the open group to the lane unless one is under way; to be called at the end of
 * each tick. */
void wal_flush(struct wal *wal);

/* wal_is_idle tells whether nothing is open or under way. */
bool wal_is_idle(const struct wal *wal);

/* wal_is_full tells whether the last write found no space; *why (may be NULL) is set to the reason.
 */
bool wal_is_full(const struct wal *wal, const char **why);

/* wal_pending_bytes is what is appended and not durable yet. */
size_t wal_pending_bytes(const struct wal *wal);

/* wal_durable_sequence is the sequence of the last durable group. */
uint64_t wal_durable_sequence(const struct wal *wal);

/* wal_trim makes the files free in which every group's sequence is <= `sequence`: all their batches
 * lie in objects. */
void wal_trim(struct wal *wal, uint64_t sequence);

/* wal_retry_ms returns when wal_flush should be called again because of a lack of space (monotonic
 * clock), or INT64_MAX. */
int64_t wal_retry_ms(const struct wal *wal);

#endif
