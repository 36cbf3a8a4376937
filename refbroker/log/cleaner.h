/*
 * cleaner: compaction of topics whose cleanup.policy has `compact` (LogCleaner, KIP-58, KIP-354,
 * KIP-534), above objects.
 *
 * Every log.cleaner.backoff.ms the dirtiest partition that is due (cleaner_range) is cleaned in one
 * round (cleaner_job), then the next one, until none is due. There is one round at a time. It runs
 * in steps on a lane of its own; each step's new object is swapped for the old runs in one
 * transaction of the catalog, and only then in memory, within one call. A fetch finds the old runs
 * or the new ones; what it holds already stays, as do old objects for the garbage's grace. Cached
 * batches of the range leave, so that all readers see the same log. A crash leaves the old runs or
 * the new ones, and at worst an object that no transaction mentioned, which the next start removes.
 *
 * Topics in state mirroring are passed over: their batches must stay what the source's are, byte
 * for byte, or an overlap could not be told from a divergence. The source's own compaction shows as
 * gaps. Coordinated topics are passed over, as Inkless does.
 *
 * An abort marker's transaction is forgotten in the same transaction that takes its last records,
 * in the producer snapshot, too; no upload, which writes that as well, begins meanwhile.
 *
 * Damage (a wrong checksum, a batch that cannot be read) makes a partition uncleanable until the
 * next start. Any other failure is tried again after the backoff.
 */
#ifndef REFBROKER_LOG_CLEANER_H
#define REFBROKER_LOG_CLEANER_H

#include "refbroker/broker.h"

struct cleaner *cleaner_new(struct broker *broker);
void cleaner_free(struct cleaner *cleaner);

/* cleaner_tick goes on and returns when (monotonic ms) it wants to be asked again. */
int64_t cleaner_tick(struct cleaner *cleaner);

/* cleaner_holds_uploads tells whether no upload may begin now. */
bool cleaner_holds_uploads(const struct cleaner *cleaner);

#endif
