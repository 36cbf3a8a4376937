/*
 * txns: the transaction coordinator: every transactional id of the broker, their log and deadlines.
 *
 * The state lives in __transaction_state (state_log.h). Each step of an id is answered only when
 * its record is durable. A decided transaction is driven on until all its markers are written,
 * after a restart too; then it is complete. Transactions that last longer than their timeout are
 * aborted with a higher epoch, so that their producers are out; ids that nobody has used for a long
 * time are forgotten.
 *
 * Rules: TransactionCoordinator, TransactionStateManager and TransactionMarkerChannelManager of
 * Kafka 4.3. One broker coordinates all, so that markers need no requests.
 *
 * Limits: LIMIT_TRANSACTIONAL_IDS_MAX, LIMIT_TXN_PARTITIONS_MAX of all transactions together. Not
 * thread-safe.
 */
#ifndef REFBROKER_COORD_TXNS_H
#define REFBROKER_COORD_TXNS_H

#include "refbroker/broker.h"
#include "refbroker/coord/state_log.h"
#include "refbroker/coord/txn.h"

#define TXNS_TOPIC "__transaction_state"

struct txns {
    struct broker *broker;
    struct map by_id;          /* struct txns_entry */
    struct map by_producer_id; /* the same, those that have one in use */
    struct heap timers;        /* struct txns_entry.timer */
    size_t partition_count;    /* in all transactions */
};

struct txns_entry;

/* Someone who asks for a step. `done` is called once, at once or later, with the answer; the call
 * must live until then. */
struct txns_call {
    void (*done)(struct broker *broker, struct txns_call *call);
    struct txn_answer answer;
};

/* Someone who waits until an id takes steps again; unlinked before `again`. */
struct txns_wait {
    struct list_node node;
    void (*again)(struct broker *broker, struct txns_wait *wait);
};

struct txns *txns_new(struct broker *broker);
void txns_free(struct txns *txns);

/* txns_load reads __transaction_state; for a start, before any client is served. The first tick
 * goes on with what was decided. */
MUST_CHECK enum rc txns_load(struct txns *txns, struct err *e);

/* txns_ready tells whether the topic is there; it starts making it where it is not. */
bool txns_ready(struct txns *txns);

/* txns_find returns the state of an id or NULL; txns_next walks all of them. */
const struct txn *txns_find(const struct txns *txns, struct wire_string id);
const struct txn *txns_next(const struct txns *txns, size_t *position);

/* txns_init, txns_add and txns_end are txn_init, txn_add and txn_end with all that follows. An id
 * that is unknown is made by txns_init, otherwise 49; an empty one, or one with a NUL, is 42. */
void txns_init(struct txns *txns, struct wire_string id, const struct txn_init_ask *ask,
    struct txns_call *call);
void txns_add(struct txns *txns, struct wire_string id, int64_t producer_id, int16_t producer_epoch,
    int16_t version, const struct txn_partitions *partitions, struct txns_call *call);
void txns_end(struct txns *txns, struct wire_string id, const struct txn_end_ask *ask,
    struct txns_call *call);

/* txns_wait hangs a wait into an id that is moving (txn_is_moving); false where it is not.
 * txns_wait_end takes it back. */
bool txns_wait(struct txns *txns, struct wire_string id, struct txns_wait *wait);
void txns_wait_end(struct txns *txns, struct wire_string id, struct txns_wait *wait);

/* txns_covers returns the ongoing transaction of a producer that has a partition in it, or NULL. */
const struct txn *txns_covers(const struct txns *txns, int64_t producer_id, int16_t producer_epoch,
    const char *topic, int32_t index);

/* txns_tick does what is due and returns the next deadline, or INT64_MAX. */
int64_t txns_tick(struct txns *txns);

#endif
