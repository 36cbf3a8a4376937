/*
 * cluster_queue: numbers of items, first in, first out, that can be looked at many at a time.
 */
#ifndef LIB_KAFKA_CLUSTER_QUEUE_H
#define LIB_KAFKA_CLUSTER_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct cluster_queue {
    uint32_t *items;
    size_t first;
    size_t end;
    size_t capacity;
};

void cluster_queue_init(struct cluster_queue *queue);
void cluster_queue_fini(struct cluster_queue *queue);
void cluster_queue_push(struct cluster_queue *queue, uint32_t item);

/* cluster_queue_view returns the items in order, valid until the next push. */
const uint32_t *cluster_queue_view(const struct cluster_queue *queue);
size_t cluster_queue_count(const struct cluster_queue *queue);

/* cluster_queue_drop takes `count` items (no more than there are) off the front. */
void cluster_queue_drop(struct cluster_queue *queue, size_t count);

#endif
