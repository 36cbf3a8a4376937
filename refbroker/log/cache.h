/*
 * cache: the batches of all partitions that are in memory, and how many bytes they take.
 *
 * A batch enters when it is appended (or recovered) and stays at least until it lies in an object;
 * after that it may leave, oldest first, once the cache is over its budget. Fetch replies point
 * straight into it.
 *
 * One cache per broker; it is reached from a partition through nothing but these functions. Not
 * thread-safe.
 */
#ifndef REFBROKER_LOG_CACHE_H
#define REFBROKER_LOG_CACHE_H

#include "refbroker/log/partition.h"

struct cache {
    struct list committed; /* struct cached_batch.in_cache: may leave, oldest first */
    size_t committed_bytes;
    size_t uncommitted_bytes;
    size_t bytes_max;
};

void cache_init(struct cache *cache, size_t bytes_max);

/* cache_add appends a batch to its partition's cached ones; takes a reference on the blob. `data`
 * lies in blob. */
struct cached_batch *cache_add(struct partition *partition, struct blob *blob, const uint8_t *data,
    uint32_t size, int64_t base_offset, int64_t last_offset, int64_t max_timestamp);

/* cache_commit marks the batches of a partition below `end` as lying in objects and lets the oldest
 * of all go while the cache is over its budget. */
void cache_commit(struct partition *partition, int64_t end);

/* cache_find returns the first cached batch of a partition that ends at `offset` or behind it, or
 * NULL. O(log batches). */
struct cached_batch *cache_find(const struct partition *partition, int64_t offset);

/* cache_next returns the batch behind this one, or NULL. */
struct cached_batch *cache_next(const struct cached_batch *batch);

/* cache_start is the base offset of the first cached batch, or log_end_offset where nothing is
 * cached. */
int64_t cache_start(const struct partition *partition);

/* cache_trim lets a partition's batches that lie in objects and end before `offset` go. */
void cache_trim(struct partition *partition, int64_t offset);

/* cache_drop_partition lets all batches of a partition go. */
void cache_drop_partition(struct partition *partition);

#endif
