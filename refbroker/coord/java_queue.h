/*
 * java_queue: java.util.PriorityQueue of numbered items by a key, smallest first: the order in
 * which it gives items of equal keys, which Kafka's assignors leave to it.
 *
 * Which of several equal items comes first depends on the steps of its heap, so that these are the
 * same here. Whoever fills a queue says how many items it holds at most.
 */
#ifndef REFBROKER_COORD_JAVA_QUEUE_H
#define REFBROKER_COORD_JAVA_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct java_queue_item {
    double key;
    int32_t item;
};

struct java_queue {
    struct java_queue_item *items;
    size_t count;
};

/* java_queue_init makes an empty queue with room for so many items. */
void java_queue_init(struct java_queue *queue, size_t room);
void java_queue_fini(struct java_queue *queue);

void java_queue_add(struct java_queue *queue, int32_t item, double key);

/* java_queue_poll takes the first item out; there must be one. */
int32_t java_queue_poll(struct java_queue *queue);

#endif
