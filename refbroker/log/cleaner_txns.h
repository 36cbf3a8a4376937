/*
 * cleaner_txns: which transaction a batch belongs to, while the cleaner goes through a log from its
 * start (Kafka's CleanedTransactionMetadata).
 *
 * Batches are told in the order of their offsets. The answer says whether the batch can go: a batch
 * of an aborted transaction always, a marker once no batch of its transaction was met before it. An
 * abort marker that can go also ends what fetches must be told of its transaction; these are
 * collected (cleaner_txns_gone).
 *
 * Memory: the aborted transactions that were given, and one entry for each transaction that is open
 * at the place. Not thread-safe.
 */
#ifndef REFBROKER_LOG_CLEANER_TXNS_H
#define REFBROKER_LOG_CLEANER_TXNS_H

#include "lib/wire/batch_view.h"
#include "refbroker/log/producers.h"

struct cleaner_txns;

/* cleaner_txns_new copies the aborted transactions, in any order. */
struct cleaner_txns *cleaner_txns_new(const struct aborted_txn *aborted, size_t count);
void cleaner_txns_free(struct cleaner_txns *txns);

/* cleaner_txns_rewind begins anew; the batches to come lie at `from` or behind it. */
void cleaner_txns_rewind(struct cleaner_txns *txns, int64_t from);

/* cleaner_txns_read takes the next batch and returns whether it can go. */
bool cleaner_txns_read(struct cleaner_txns *txns, const struct batch_view *batch);

/* cleaner_txns_gone returns the last offsets of the aborted transactions of which nothing was met
 * but the marker, since the last rewind or cleaner_txns_forget_gone. */
const int64_t *cleaner_txns_gone(const struct cleaner_txns *txns, size_t *count);
void cleaner_txns_forget_gone(struct cleaner_txns *txns);

#endif
