/*
 * producer_ids: where producer ids come from.
 *
 * They are unique for ever: handed out from blocks that the catalog has reserved before the first
 * id of them leaves the broker, and never again after a crash. The next block is reserved while
 * half of the one before is left. Not thread-safe.
 */
#ifndef REFBROKER_COORD_PRODUCER_IDS_H
#define REFBROKER_COORD_PRODUCER_IDS_H

#include "refbroker/broker.h"

/* Someone who waits until an id is at hand. `ready` is called once: with 0, or with the code of
 * what went wrong. Linked while it waits: list_remove ends the interest. */
struct producer_ids_waiter {
    struct list_node node;
    void (*ready)(struct broker *broker, struct producer_ids_waiter *waiter, int16_t error);
};

/* producer_ids_peek returns the next id, or -1 where none is at hand; producer_ids_take hands it
 * out. */
int64_t producer_ids_peek(struct broker *broker);
int64_t producer_ids_take(struct broker *broker);

/*
 * producer_ids_raise_stored makes the catalog promise that no id below `end` is handed out after
 * the next start; for a catalog job. producer_ids_raise, once that is so, leaves out all ids below
 * `end` from now on.
 */
MUST_CHECK enum rc producer_ids_raise_stored(struct catalog *catalog, int64_t end, struct err *e);
void producer_ids_raise(struct broker *broker, int64_t end);

/* producer_ids_wait calls ready once an id is at hand: later, never inside the call. */
void producer_ids_wait(struct broker *broker, struct producer_ids_waiter *waiter);

#endif
