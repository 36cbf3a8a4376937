/*
 * heap: deadlines, nearest first.
 *
 * An element embeds a struct heap_node with its deadline; the heap owns nothing. Equal deadlines
 * leave in the order in which they were put, so that a simulation repeats itself. A node that is in
 * no heap (zeroed) may be removed without effect.
 */
#ifndef LIB_BASE_HEAP_H
#define LIB_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t deadline;
    uint64_t order;
    size_t place; /* index + 1; 0 = in no heap */
};

struct heap {
    struct heap_node **nodes;
    size_t count;
    size_t capacity;
    uint64_t order_next;
};

void heap_init(struct heap *heap);
void heap_fini(struct heap *heap);

/* heap_put adds node with a deadline, or moves it when it is in already. */
void heap_put(struct heap *heap, struct heap_node *node, int64_t deadline);

void heap_remove(struct heap *heap, struct heap_node *node);

/* heap_first returns the node with the nearest deadline, or NULL. */
struct heap_node *heap_first(const struct heap *heap);

/* heap_pop_due takes out and returns a node whose deadline is <= now, or NULL. */
struct heap_node *heap_pop_due(struct heap *heap, int64_t now);

#endif
