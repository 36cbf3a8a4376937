/*
 * txn_record: the records of __transaction_state, as Kafka writes them with transaction.version 2
 * (TransactionLog, value version 1).
 *
 * Kafka 4.3 leaves the previous and the next producer id out, although the format has them; here
 * they are written, so that an end of the last epoch and its retry survive a restart. The last
 * epoch has no place in the format and is unknown after a restart, there as here.
 */
#ifndef REFBROKER_COORD_TXN_RECORD_H
#define REFBROKER_COORD_TXN_RECORD_H

#include "lib/base/arena.h"
#include "lib/wire/batch_records.h"
#include "refbroker/coord/txn.h"

/* txn_record_key appends the key of an id, txn_record_value what the id's next step makes of it.
 * RC_LIMIT where `out` is full. */
MUST_CHECK enum rc txn_record_key(const char *id, struct buf *out, struct err *e);
MUST_CHECK enum rc txn_record_value(
    const struct txn *txn, struct arena *arena, struct buf *out, struct err *e);

/*
 * txn_record_read makes a txn of a record, with nothing pending; *id and *id_size (in the arena or
 * the record) are set first, and *out is NULL for a tombstone. RC_CORRUPT or RC_UNSUPPORTED for
 * what is no such record.
 */
MUST_CHECK enum rc txn_record_read(const struct batch_records_record *record, struct arena *arena,
    const char **id, size_t *id_size, struct txn **out, struct err *e);

#endif
