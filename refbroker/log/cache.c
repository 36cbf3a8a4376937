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

struct cached_batch *
cache_add(struct partition *partition, struct blob *blob, const uint8_t *data, uint32_t size,
    int64_t base_offset, int64_t last_offset, int64_t max_timestamp)
{
    struct cached_batch *batch = xcalloc(1, sizeof *batch);

    batch->partition = partition;
    batch->blob = blob_ref(blob);
    batch->data = data;
    batch->size = size;
    batch->base_offset = base_offset;
    batch->last_offset = last_offset;
    batch->max_timestamp = max_timestamp;
    list_push_back(&partition->cached, &batch->in_partition);
    partition->cache->uncommitted_bytes += size;
    return batch;
}

static void
drop(struct cached_batch *batch)
{
    struct cache *cache = batch->partition->cache;

    if (batch->committed) {
        cache->committed_bytes -= batch->size;
        list_remove(&cache->committed, &batch->in_cache);
    } else {
        cache->uncommitted_bytes -= batch->size;
    }
    list_remove(&batch->partition->cached, &batch->in_partition);
    blob_unref(batch->blob);
    free(batch);
}

/* The oldest committed batch is the first of its partition: batches of one partition are committed
 * in order, so no hole can open. */
static void
shrink(struct cache *cache)
{
    while (cache->committed_bytes + cache->uncommitted_bytes > cache->bytes_max &&
           !list_is_empty(&cache->committed))
        drop(list_of(list_first(&cache->committed), struct cached_batch, in_cache));
}

void
cache_commit(struct partition *partition, int64_t end)
{
    struct cache *cache = partition->cache;

    LIST_EACH(&partition->cached, node)
    {
        struct cached_batch *batch = list_of(node, struct cached_batch, in_partition);

        if (batch->last_offset >= end)
            break;
        if (batch->committed)
            continue;
        batch->committed = true;
        cache->uncommitted_bytes -= batch->size;
        cache->committed_bytes += batch->size;
        list_push_back(&cache->committed, &batch->in_cache);
    }
    shrink(cache);
}

struct cached_batch *
cache_find(const struct partition *partition, int64_t offset)
{
    /* Readers are near the end of the log far more often than not, so the walk starts there. */
    struct cached_batch *found = NULL;
    const struct list_node *head = &partition->cached.head;

    for (struct list_node *node = head->prev; node != head; node = node->prev) {
        struct cached_batch *batch = list_of(node, struct cached_batch, in_partition);

        if (batch->last_offset < offset)
            break;
        found = batch;
    }
    return found;
}

struct cached_batch *
cache_next(const struct cached_batch *batch)
{
    struct list_node *next = batch->in_partition.next;

    return next == &batch->partition->cached.head
               ? NULL
               : list_of(next, struct cached_batch, in_partition);
}

int64_t
cache_start(const struct partition *partition)
{
    struct list_node *first = list_first(&partition->cached);

    return first == NULL ? partition->log_end_offset
                         : list_of(first, struct cached_batch, in_partition)->base_offset;
}

void
cache_drop_partition(struct partition *partition)
{
    LIST_EACH(&partition->cached, node)
    drop(list_of(node, struct cached_batch, in_partition));
}
