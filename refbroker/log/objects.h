/*
 * objects: where a broker's objects lie, a folder of its disk or a bucket on S3.
 *
 * A catalog belongs to one place, which it remembers (setting "store"): with another one its
 * objects would not be found, so that is refused. In a bucket the objects of a broker lie below its
 * cluster id; whoever gives two brokers the same bucket and prefix lets neither see, or remove,
 * what is the other's.
 *
 * A PUT of a process that was killed may still reach a bucket afterwards. Object ids are therefore
 * never used again there: the number of the start is their upper half. And what such a PUT leaves
 * is looked for beside the broker's work (objects_sweep), since a server may be away at a start,
 * and only among ids of earlier starts, since the objects of this one may be known to the catalog
 * in a moment.
 */
#ifndef REFBROKER_LOG_OBJECTS_H
#define REFBROKER_LOG_OBJECTS_H

#include "refbroker/broker.h"

/* objects_open opens the store and sets where object ids begin; for a start only, when the catalog
 * is there. RC_CONFIG where the catalog's objects lie elsewhere. */
MUST_CHECK enum rc objects_open(struct broker *broker, struct err *e);

/* objects_sweep begins to remove, on the lanes, what earlier processes left in a bucket without a
 * row in the catalog; it goes on until the server has answered. Only one at a time, and none for a
 * folder (garbage_sweep_orphans). */
void objects_sweep(struct broker *broker);

/* objects_free ends what objects_sweep began; the lanes must be idle. */
struct objects_sweep;
void objects_free(struct objects_sweep *sweep);

#endif
