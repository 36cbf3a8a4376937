#include "lib/base/heap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

void
heap_init(struct heap *heap)
{
    memset(heap, 0, sizeof *heap);
}

void
heap_fini(struct heap *heap)
{
    free(heap->nodes);
    heap_init(heap);
}

static bool
before(const struct heap_node *a, const struct heap_node *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->order < b->order;
}

static void
place(struct heap *heap, size_t i, struct heap_node *node)
{
    heap->nodes[i] = node;
    node->place = i + 1;
}

static void
sift_up(struct heap *heap, size_t i)
{
    struct heap_node *node = heap->nodes[i];

    while (i > 0 && before(node, heap->nodes[(i - 1) / 2])) {
        place(heap, i, heap->nodes[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(heap, i, node);
}

static void
sift_down(struct heap *heap, size_t i)
{
    struct heap_node *node = heap->nodes[i];

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && before(heap->nodes[child + 1], heap->nodes[child]))
            child++;
        if (!before(heap->nodes[child], node))
            break;
        place(heap, i, heap->nodes[child]);
        i = child;
    }
    place(heap, i, node);
}

void
heap_put(struct heap *heap, struct heap_node *node, int64_t deadline)
{
    heap_remove(heap, node);
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity == 0 ? 16 : heap->capacity * 2;
        heap->nodes = xrealloc(heap->nodes, heap->capacity, sizeof *heap->nodes);
    }
    node->deadline = deadline;
    node->order = heap->order_next++;
    place(heap, heap->count++, node);
    sift_up(heap, heap->count - 1);
}

void
heap_remove(struct heap *heap, struct heap_node *node)
{
    size_t i = node->place;
    struct heap_node *last;

    if (i == 0)
        return;
    i--;
    REQUIRE(i < heap->count && heap->nodes[i] == node);
    node->place = 0;
    last = heap->nodes[--heap->count];
    if (last == node)
        return;
    place(heap, i, last);
    sift_up(heap, i);
    sift_down(heap, last->place - 1);
}

struct heap_node *
heap_first(const struct heap *heap)
{
    return heap->count == 0 ? NULL : heap->nodes[0];
}

struct heap_node *
heap_pop_due(struct heap *heap, int64_t now)
{
    struct heap_node *node = heap_first(heap);

    if (node == NULL || node->deadline > now)
        return NULL;
    heap_remove(heap, node);
    return node;
}
