/*
 * partition: one partition's log, as its leader sees it.
 *
 *     log_start_offset <= ... in objects ... <= committed_end <= ... durable in the WAL ... <=
 * high_watermark <= ... being written ... <= log_end_offset
 *
 * Batches that are not in objects yet, and recent ones that are, hang in the log cache, in offset
 * order and without holes between the first cached batch and log_end_offset. The high watermark is
 * what is durable; nothing above it is ever shown. A partition that met a failed write is
 * `stopped`: it takes no appends until the next start and says why.
 *
 * A partition belongs to its topic; it outlives the topic's deletion as long as writes of it are
 * under way (`holds`).
 */
#ifndef REFBROKER_LOG_PARTITION_H
#define REFBROKER_LOG_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/blob.h"
#include "lib/base/list.h"
#include "lib/wire/desc.h"
#include "refbroker/log/producers.h"
#include "refbroker/log/run_index.h"

struct cache;
struct topic;

/* One batch in memory: bytes in a shared blob. */
struct cached_batch {
    uint64_t number;           /* counts the batches that the partition has had in the cache */
    struct list_node in_cache; /* of all partitions, oldest first; linked once it may leave */
    struct partition *partition;
    struct blob *blob;
    const uint8_t *data;
    uint32_t size;
    bool committed; /* lies in an object too */
    int64_t base_offset;
    int64_t last_offset;
    int64_t max_timestamp;
    uint64_t wal_sequence; /* of the group that made it durable; 0 before */
};

/* The cached batches of a partition, by offset: a ring of pointers that only cache.c touches. They
 * come at the end and leave at the front, or all at once. */
struct cached_batches {
    struct cached_batch **slots; /* capacity is 0 or a power of 2 */
    uint32_t capacity;
    uint32_t count;
    uint32_t committed;       /* the first ones, which may leave */
    size_t uncommitted_bytes; /* of the others */
    uint64_t first_number;
};

/* Where a leader epoch began. */
struct epoch_start {
    int32_t epoch;
    int64_t start_offset;
};

struct partition {
    struct cache *cache;
    struct topic *topic; /* NULL once the topic is deleted */
    struct wire_uuid topic_id;
    int32_t index;
    int32_t leader_epoch;
    uint32_t holds;
    uint32_t intakes; /* producers' batches on a lane (intake.h) */
    bool stopped;
    bool uncleanable; /* the cleaner met damage in it, and passes it over until the next start */
    int64_t log_start_offset;
    int64_t committed_end;
    int64_t first_dirty_offset; /* the cleaner knows what lies below */
    int64_t high_watermark;
    int64_t log_end_offset;
    struct run_index runs;
    struct cached_batches cached;
    struct producers *producers;  /* NULL until the first batch with a producer id */
    uint8_t *committed_producers; /* the same as it was at committed_end, saved; may be NULL */
    size_t committed_producers_size;
    struct list append_waiters; /* requests that wait for the high watermark, by offset */
    struct list fetch_waiters;  /* requests that wait for data */
    struct epoch_start *epochs;
    uint32_t epoch_count;
};

struct partition *partition_new(struct cache *cache, struct topic *topic, int32_t index);

/* partition_hold and partition_release keep a partition for the time of a write; the last release
 * after partition_drop frees it. */
void partition_hold(struct partition *partition);
void partition_release(struct partition *partition);

/* partition_drop is the end of a partition whose topic is deleted: cached batches go, waiters must
 * be gone already. */
void partition_drop(struct partition *partition);

/* partition_last_stable_offset is the high watermark, or the first offset of the oldest transaction
 * that is open, or whose end is not durable, where that is lower. */
int64_t partition_last_stable_offset(const struct partition *partition);

/* partition_bytes is the size of the stored batches: runs in objects, and what waits for one. */
int64_t partition_bytes(const struct partition *partition);

/* partition_producers returns the producer state, made when it is not there yet. */
struct producers *partition_producers(struct partition *partition);

/* partition_epoch_start notes that `epoch` begins at `start_offset`; epochs ascend. */
void partition_epoch_start(struct partition *partition, int32_t epoch, int64_t start_offset);

/*
 * partition_epoch_end answers OffsetForLeaderEpoch: the largest known epoch that is <= `epoch`, and
 * the offset at which it ends. Both -1 where nothing is known (KIP-320, LeaderEpochFileCache).
 */
void partition_epoch_end(
    const struct partition *partition, int32_t epoch, int32_t *found, int64_t *end_offset);

#endif
