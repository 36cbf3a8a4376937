/*
 * list: intrusive doubly linked lists.
 *
 * An element embeds a struct list_node; the list owns nothing. list_of gives back the element from
 * its node. A node is in at most one list; an unlinked node (zeroed or after list_remove) may be
 * removed again without effect.
 */
#ifndef LIB_BASE_LIST_H
#define LIB_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *prev;
    struct list_node *next;
};

struct list {
    struct list_node head;
    size_t count;
};

/* list_of returns the element of `type` whose member `member` is `node`. */
#define list_of(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* LIST_EACH walks the list; the current element may be removed inside the loop, no other. */
#define LIST_EACH(list, it)                                                                        \
    for (struct list_node *it = (list)->head.next, *it##_next = it->next; it != &(list)->head;     \
         it = it##_next, it##_next = it->next)

void list_init(struct list *list);
bool list_is_empty(const struct list *list);
void list_push_back(struct list *list, struct list_node *node);
void list_push_front(struct list *list, struct list_node *node);

/* list_insert_after puts node behind `place`, which is in the list. */
void list_insert_after(struct list *list, struct list_node *place, struct list_node *node);

/* list_remove unlinks node from the list that it is in; without effect on an unlinked node. */
void list_remove(struct list *list, struct list_node *node);

/* list_is_linked tells whether node is in a list. */
bool list_is_linked(const struct list_node *node);

/* list_first and list_pop return the first node or NULL; pop unlinks it. */
struct list_node *list_first(const struct list *list);
struct list_node *list_pop(struct list *list);

#endif
