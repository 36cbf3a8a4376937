#include "refbroker/coord/java_queue.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"

void
java_queue_init(struct java_queue *queue, size_t room)
{
    queue->items = xcalloc(room + 1, sizeof *queue->items);
    queue->count = 0;
}

void
java_queue_fini(struct java_queue *queue)
{
    free(queue->items);
    *queue = (struct java_queue){NULL, 0};
}

void
java_queue_add(struct java_queue *queue, int32_t item, double key)
{
    size_t at = queue->count++;

    while (at > 0) {
        size_t parent = (at - 1) / 2;

        if (key >= queue->items[parent].key)
            break;
        queue->items[at] = queue->items[parent];
        at = parent;
    }
    queue->items[at] = (struct java_queue_item){key, item};
}

int32_t
java_queue_poll(struct java_queue *queue)
{
    int32_t first = queue->items[0].item;
    struct java_queue_item last = queue->items[--queue->count];
    size_t at = 0;

    while (at < queue->count / 2) {
        size_t child = 2 * at + 1;

        if (child + 1 < queue->count && queue->items[child].key > queue->items[child + 1].key)
            child++;
        if (last.key <= queue->items[child].key)
            break;
        queue->items[at] = queue->items[child];
        at = child;
    }
    queue->items[at] = last;
    return first;
}
