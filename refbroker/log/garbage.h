/*
 * garbage: objects in which nothing is used any more.
 *
 * An object's life: written -> committed (it has runs) -> marked (no run is left) -> deleted, a
 * grace later, from the store and then from the catalog. Readers that looked a run up before it was
 * dropped have that long to finish. What a crash left in the store without a row in the catalog (an
 * upload that was never committed) is removed at the next start.
 */
#ifndef REFBROKER_LOG_GARBAGE_H
#define REFBROKER_LOG_GARBAGE_H

#include "refbroker/broker.h"

struct garbage *garbage_new(struct broker *broker);
void garbage_free(struct garbage *garbage);

/* garbage_sweep_orphans removes objects that the catalog does not know; for a start only. */
MUST_CHECK enum rc garbage_sweep_orphans(struct broker *broker, struct err *e);

/* garbage_tick marks and deletes when it is time to, and returns when (monotonic ms) it wants to be
 * asked again. */
int64_t garbage_tick(struct garbage *garbage);

#endif
