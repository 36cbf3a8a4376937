/*
 * replay: what a batch that is in the log means for the producer state.
 *
 * The one place that reads producer fields and transaction markers out of batches; used where a
 * batch is appended, recovered from the WAL, mirrored in, or summed up for a snapshot.
 */
#ifndef REFBROKER_LOG_REPLAY_H
#define REFBROKER_LOG_REPLAY_H

#include "lib/wire/batch_view.h"
#include "refbroker/log/producers.h"

/* replay_batch notes a batch with its final offsets; without effect for one without a producer id.
 * A control batch ends its producer's transaction. */
void replay_batch(struct producers *producers, const struct batch_view *batch);

/* replay_ask is the batch as producers_check wants it. */
struct producer_batch replay_ask(const struct batch_view *batch);

#endif
