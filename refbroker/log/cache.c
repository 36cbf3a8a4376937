#include "refbroker/log/cache.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"

void
cache_init(struct cache *cache, size_t bytes_max)
{
    list_init(&cache->committed);
    cache->committed_bytes = 0;
    cache->uncommitted_bytes = 0;
    cache->bytes_max = bytes_max;
}

static struct cached_batch **
slot_of(const struct cached_batches *cached, uint32_t index)
{
    return &cached->slots[(cached->first_number + index) & (cached->capacity - 1)];
}

static void
reserve_one(struct cached_batches *cached)
{
    struct cached_batches larger = *cached;

    if (cached->count < cached->capacity)
        return;
    larger.capacity = cached->capacity == 0 ? 4 : cached->capacity * 2;
    larger.slots = xcalloc(larger.capacity, sizeof *larger.slots);
    for (uint32_t i = 0; i < cached->count; i++)
        *slot_of(&larger, i) = *slot_of(cached, i);
    free(cached->slots);
    *cached = larger;
}

struct cached_batch *
cache_add(struct partition *partition, struct blob *blob, const uint8_t *data, uint32_t size,
    int64_t base_offset, int64_t last_offset, int64_t max_timestamp)
{
    struct cached_batches *cached = &partition->cached;
    struct cached_batch *batch = xcalloc(1, sizeof *batch);

    reserve_one(cached);
    batch->number = cached->first_number + cached->count;
    batch->partition = partition;
    batch->blob = blob_ref(blob);
    batch->data = data;
    batch->size = size;
    batch->base_offset = base_offset;
    batch->last_offset = last_offset;
    batch->max_timestamp = max_timestamp;
    *slot_of(cached, cached->count++) = batch;
    cached->uncommitted_bytes += size;
    partition->cache->uncommitted_bytes += size;
    return batch;
}

/* Lets the first batch of a partition go. */
static void
drop_first(struct partition *partition)
{
    struct cached_batches *cached = &partition->cached;
    struct cache *cache = partition->cache;
    struct cached_batch *batch = *slot_of(cached, 0);

    if (batch->committed) {
        cached->committed--;
        cache->committed_bytes -= batch->size;
        list_remove(&cache->committed, &batch->in_cache);
    } else {
        cached->uncommitted_bytes -= batch->size;
        cache->uncommitted_bytes -= batch->size;
    }
    blob_unref(batch->blob);
    free(batch);
    cached->first_number++;
    if (--cached->count > 0)
        return;
    /* An idle partition holds no memory for a cache that is empty. */
    free(cached->slots);
    cached->slots = NULL;
    cached->capacity = 0;
}

/* The oldest committed batch is the first of its partition: batches of one partition are committed
 * in order, so no hole can open. */
static void
shrink(struct cache *cache)
{
    while (cache->committed_bytes + cache->uncommitted_bytes > cache->bytes_max &&
           !list_is_empty(&cache->committed)) {
        const struct cached_batch *oldest =
            list_of(list_first(&cache->committed), struct cached_batch, in_cache);

        REQUIRE(oldest->number == oldest->partition->cached.first_number);
        drop_first(oldest->partition);
    }
}

void
cache_commit(struct partition *partition, int64_t end)
{
    struct cached_batches *cached = &partition->cached;
    struct cache *cache = partition->cache;

    while (cached->committed < cached->count) {
        struct cached_batch *batch = *slot_of(cached, cached->committed);

        if (batch->last_offset >= end)
            break;
        batch->committed = true;
        cached->committed++;
        cached->uncommitted_bytes -= batch->size;
        cache->uncommitted_bytes -= batch->size;
        cache->committed_bytes += batch->size;
        list_push_back(&cache->committed, &batch->in_cache);
    }
    shrink(cache);
}

struct cached_batch *
cache_find(const struct partition *partition, int64_t offset)
{
    const struct cached_batches *cached = &partition->cached;
    uint32_t low = 0, high = cached->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if ((*slot_of(cached, middle))->last_offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < cached->count ? *slot_of(cached, low) : NULL;
}

struct cached_batch *
cache_next(const struct cached_batch *batch)
{
    const struct cached_batches *cached = &batch->partition->cached;
    uint64_t next = batch->number - cached->first_number + 1;

    return next < cached->count ? *slot_of(cached, (uint32_t)next) : NULL;
}

int64_t
cache_start(const struct partition *partition)
{
    return partition->cached.count == 0 ? partition->log_end_offset
                                        : (*slot_of(&partition->cached, 0))->base_offset;
}

void
cache_trim(struct partition *partition, int64_t offset)
{
    const struct cached_batches *cached = &partition->cached;

    while (cached->committed > 0 && (*slot_of(cached, 0))->last_offset < offset)
        drop_first(partition);
}

void
cache_drop_partition(struct partition *partition)
{
    while (partition->cached.count > 0)
        drop_first(partition);
}
