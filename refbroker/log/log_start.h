/*
 * log_start: where a partition's log begins, and how that moves.
 *
 * DeleteRecords, retention and a mirror move it, always forwards; the catalog has the new place
 * before anybody is told. What lies before it is not shown any more at once; runs and cached
 * batches go with it, objects when nothing in them is used any longer.
 */
#ifndef REFBROKER_LOG_LOG_START_H
#define REFBROKER_LOG_LOG_START_H

#include "refbroker/broker.h"

/* Called on the owner's thread; error is Kafka's code. The partition may be gone (NULL) by then. */
typedef void log_start_done_fn(
    struct broker *broker, void *arg, struct partition *partition, int16_t error);

/*
 * log_start_move moves the start of a partition to `offset`, which must not lie behind the high
 * watermark; a lower offset than the present start changes nothing. With `position` (a mirror's
 * empty log) it may lie anywhere, and end and high watermark move along. done is called later, or
 * at once where nothing changes.
 */
void log_start_move(struct broker *broker, struct partition *partition, int64_t offset,
    bool position, log_start_done_fn *done, void *arg);

#endif
