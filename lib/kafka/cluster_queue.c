#include "lib/kafka/cluster_queue.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

void
cluster_queue_init(struct cluster_queue *queue)
{
    memset(queue, 0, sizeof *queue);
}

void
cluster_queue_fini(struct cluster_queue *queue)
{
    free(queue->items);
    cluster_queue_init(queue);
}

void
cluster_queue_push(struct cluster_queue *queue, uint32_t item)
{
    if (queue->end == queue->capacity && queue->first > queue->capacity / 2) {
        memmove(queue->items, queue->items + queue->first,
            cluster_queue_count(queue) * sizeof *queue->items);
        queue->end -= queue->first;
        queue->first = 0;
    } else if (queue->end == queue->capacity) {
        queue->capacity = queue->capacity == 0 ? 16 : 2 * queue->capacity;
        queue->items = xrealloc(queue->items, queue->capacity, sizeof *queue->items);
    }
    queue->items[queue->end++] = item;
}

const uint32_t *
cluster_queue_view(const struct cluster_queue *queue)
{
    return queue->items + queue->first;
}

size_t
cluster_queue_count(const struct cluster_queue *queue)
{
    return queue->end - queue->first;
}

void
cluster_queue_drop(struct cluster_queue *queue, size_t count)
{
    REQUIRE(count <= cluster_queue_count(queue));
    queue->first += count;
    if (queue->first == queue->end)
        queue->first = queue->end = 0;
}
