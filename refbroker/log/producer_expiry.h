/*
 * producer_expiry: producers that were silent for producer.id.expiration.ms are forgotten
 * (ProducerStateManager.removeExpiredProducers), unless a transaction of theirs is open.
 *
 * Every producer.id.expiration.check.interval.ms all partitions are looked at, and once at the
 * start, since what the catalog keeps of producers does not expire there. Who sends again after
 * that is a new producer, whose first batch may have any sequence.
 */
#ifndef REFBROKER_LOG_PRODUCER_EXPIRY_H
#define REFBROKER_LOG_PRODUCER_EXPIRY_H

#include "refbroker/broker.h"

/* producer_expiry_tick does so when it is time to, and returns when (monotonic ms) it wants to be
 * asked again. */
int64_t producer_expiry_tick(struct broker *broker);

#endif
