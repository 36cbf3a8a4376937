#include "lib/base/list.h"

#include "lib/base/xalloc.h"

void
list_init(struct list *list)
{
    list->head.prev = list->head.next = &list->head;
    list->count = 0;
}

bool
list_is_empty(const struct list *list)
{
    return list->count == 0;
}

static void
insert(struct list *list, struct list_node *node, struct list_node *prev, struct list_node *next)
{
    REQUIRE(node->next == NULL);
    node->prev = prev;
    node->next = next;
    prev->next = node;
    next->prev = node;
    list->count++;
}

void
list_push_back(struct list *list, struct list_node *node)
{
    insert(list, node, list->head.prev, &list->head);
}

void
list_push_front(struct list *list, struct list_node *node)
{
    insert(list, node, &list->head, list->head.next);
}

void
list_insert_after(struct list *list, struct list_node *place, struct list_node *node)
{
    insert(list, node, place, place->next);
}

void
list_remove(struct list *list, struct list_node *node)
{
    if (node->next == NULL)
        return;
    REQUIRE(list->count > 0);
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = node->next = NULL;
    list->count--;
}

bool
list_is_linked(const struct list_node *node)
{
    return node->next != NULL;
}

struct list_node *
list_first(const struct list *list)
{
    return list->count == 0 ? NULL : list->head.next;
}

struct list_node *
list_pop(struct list *list)
{
    struct list_node *node = list_first(list);

    if (node != NULL)
        list_remove(list, node);
    return node;
}
