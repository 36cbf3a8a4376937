/*
 * share_initialize: partitions of a share group on their way through the share coordinator: begun
 * (in the group's records), initialised there, and then initialised in the group's records, or not
 * begun any more where it failed (GroupCoordinatorService.persisterInitialize of Kafka 4.3).
 */
#ifndef REFBROKER_COORD_SHARE_INITIALIZE_H
#define REFBROKER_COORD_SHARE_INITIALIZE_H

#include "refbroker/coord/share_calls.h"

/* share_initialize has the share coordinator begin partitions once the group's records are durable,
 * without anybody waiting. */
void share_initialize(struct group *group, const struct share_topics *begun);

/* share_initialize_settle records what became of calls, where the group has not changed its mind:
 * all of them initialised, or, after any error, all of them not. A share_calls_fn. */
share_calls_fn share_initialize_settle;

#endif
