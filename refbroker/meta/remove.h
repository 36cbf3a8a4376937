/*
 * remove: topics that go.
 *
 * The catalog forgets the topic and its runs first; then its waiters are answered (3), its
 * partitions drop out of memory, and its objects are left to the garbage collection, since other
 * partitions share them.
 */
#ifndef REFBROKER_META_REMOVE_H
#define REFBROKER_META_REMOVE_H

#include "refbroker/broker.h"

typedef void remove_done_fn(struct broker *broker, void *arg, const struct err *e);

/* remove_submit deletes topics by id (ids that are gone already are passed over) and calls done; it
 * takes over the array. */
void remove_submit(struct broker *broker, struct wire_uuid *ids_take, size_t count,
    remove_done_fn *done, void *arg);

#endif
