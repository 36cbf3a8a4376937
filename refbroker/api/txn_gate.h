/*
 * txn_gate: what a request of a transaction has to pass before its records are taken (KIP-890).
 *
 * A partition that holds records of the transaction already is open. Any other has to be in the
 * transaction: clients that added it by a request of its own are checked (120, or 48 for those that
 * do not know this code), newer ones have it added now. While an earlier end of a transaction is
 * still being written the gate waits for it, TXN_GATE_WAIT_MS at most, as Kafka's broker does; then
 * the answer is 51.
 *
 * Rules: ReplicaManager.handleProduceAppend, AddPartitionsToTxnManager of Kafka 4.3.
 */
#ifndef REFBROKER_API_TXN_GATE_H
#define REFBROKER_API_TXN_GATE_H

#include "refbroker/broker.h"
#include "refbroker/log/partition.h"

#define TXN_GATE_WAIT_MS 100 /* add.partitions.to.txn.retry.backoff.max.ms */

/* What the version of a request makes of partitions that are not in the transaction. */
enum txn_gate_mode {
    TXN_GATE_CHECK_OLD, /* refuses with 48 */
    TXN_GATE_CHECK,     /* refuses with 120 */
    TXN_GATE_ADD,       /* adds */
};

struct txn_gate;

/* Goes on with a request behind the gate; the gate lives for the call only. */
typedef void txn_gate_fn(
    struct broker *broker, struct request *request, const struct txn_gate *gate);

/* txn_gate_new makes a gate for a request, which is to be parked. */
struct txn_gate *txn_gate_new(struct broker *broker, struct request *request,
    struct wire_string transactional_id, int64_t producer_id, int16_t producer_epoch,
    enum txn_gate_mode mode);

/* txn_gate_is_of tells whether a gate is this producer's. */
bool txn_gate_is_of(const struct txn_gate *gate, int64_t producer_id, int16_t producer_epoch);

/* txn_gate_need names a partition that the request writes to; true where it is not known to be
 * open.
 */
bool txn_gate_need(struct txn_gate *gate, const struct partition *partition);

/* txn_gate_enter calls fn once, at once or later; not at all where the request is dropped before.
 */
void txn_gate_enter(struct txn_gate *gate_take, txn_gate_fn *fn);

/* txn_gate_free frees a gate that nobody enters. */
void txn_gate_free(struct txn_gate *gate);

/* txn_gate_error is what keeps a partition out; 0 where nothing does. */
int16_t txn_gate_error(const struct txn_gate *gate, const struct partition *partition);

#endif
