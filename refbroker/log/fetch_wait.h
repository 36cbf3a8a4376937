/*
 * fetch_wait: fetches that wait for new data in partitions.
 *
 * A parked fetch hangs in each of its partitions by a fetch_waiter. When a partition's high
 * watermark (or start) moves, its waiters are marked and leave it, so that the next move finds only
 * new ones; at the end of the tick each marked one is called once, however many of its partitions
 * moved, and hangs itself up again if it goes on waiting.
 */
#ifndef REFBROKER_LOG_FETCH_WAIT_H
#define REFBROKER_LOG_FETCH_WAIT_H

#include "refbroker/broker.h"

struct fetch_waiter;

/* One partition of a waiting fetch. */
struct fetch_waiter_place {
    struct list_node in_partition;
    struct fetch_waiter *waiter;
    struct partition *partition; /* NULL: left it */
};

struct fetch_waiter {
    struct list_node marked;
    struct request *request;
    request_fn *again; /* looks again, then fetch_wait_leave, and perhaps fetch_wait_enter */
    struct fetch_waiter_place *places;
    size_t count;
};

/* fetch_wait_enter hangs the waiter into the partitions of its places. */
void fetch_wait_enter(struct fetch_waiter *waiter);

/* fetch_wait_leave takes it out everywhere; without effect when it is out. */
void fetch_wait_leave(struct broker *broker, struct fetch_waiter *waiter);

/* fetch_wait_wake marks the waiters of a partition, fetch_wait_mark one of them. */
void fetch_wait_wake(struct broker *broker, struct partition *partition);
void fetch_wait_mark(struct broker *broker, struct fetch_waiter *waiter);

/* fetch_wait_run calls the marked ones; part of the tick. */
void fetch_wait_run(struct broker *broker);

#endif
