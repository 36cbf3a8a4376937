#include "refbroker/log/fetch_wait.h"

void
fetch_wait_enter(struct fetch_waiter *waiter)
{
    for (size_t i = 0; i < waiter->count; i++) {
        struct fetch_waiter_place *place = &waiter->places[i];

        place->waiter = waiter;
        list_push_back(&place->partition->fetch_waiters, &place->in_partition);
    }
}

void
fetch_wait_leave(struct broker *broker, struct fetch_waiter *waiter)
{
    for (size_t i = 0; i < waiter->count; i++) {
        struct fetch_waiter_place *place = &waiter->places[i];

        if (place->partition != NULL)
            list_remove(&place->partition->fetch_waiters, &place->in_partition);
    }
    waiter->count = 0;
    list_remove(&broker->marked_fetches, &waiter->marked);
}

void
fetch_wait_mark(struct broker *broker, struct fetch_waiter *waiter)
{
    if (!list_is_linked(&waiter->marked))
        list_push_back(&broker->marked_fetches, &waiter->marked);
}

void
fetch_wait_wake(struct broker *broker, struct partition *partition)
{
    struct list_node *node;

    while ((node = list_pop(&partition->fetch_waiters)) != NULL) {
        struct fetch_waiter_place *place = list_of(node, struct fetch_waiter_place, in_partition);

        place->partition = NULL;
        fetch_wait_mark(broker, place->waiter);
    }
}

void
fetch_wait_run(struct broker *broker)
{
    struct list_node *node;

    while ((node = list_pop(&broker->marked_fetches)) != NULL) {
        struct fetch_waiter *waiter = list_of(node, struct fetch_waiter, marked);

        waiter->again(broker, waiter->request);
    }
}
