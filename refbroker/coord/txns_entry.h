/*
 * txns_entry: one transactional id with what is under way for it; what the files txns*.c share.
 *
 * A step's record is written by txns_step_write; when it is durable the step takes effect, whoever
 * asked is answered, a decided transaction is driven on by txns_finish, and whoever waits is
 * called. The timer stands for what comes by itself next: the end of an ongoing transaction,
 * another try of markers, the end of an id that nobody uses.
 */
#ifndef REFBROKER_COORD_TXNS_ENTRY_H
#define REFBROKER_COORD_TXNS_ENTRY_H

#include "refbroker/coord/txns.h"

struct txns_marking;

struct txns_entry {
    struct txn *txn;
    struct txns *txns;
    struct append_waiter waiter; /* of the step's record */
    struct txns_call *call;      /* who asked for the step; NULL: the coordinator */
    struct heap_node timer;
    struct txns_marking *marking; /* while a decided transaction's markers are being written */
    bool marked;                  /* they are; the transaction only has to be completed */
    struct list waiting;          /* struct txns_wait */
};

/* txns_entry_add takes an id over into the coordinator's state, txns_entry_remove out of it. */
struct txns_entry *txns_entry_add(struct txns *txns, struct txn *txn_take);
void txns_entry_remove(struct txns_entry *entry);

/* txns_step_write writes the record of the pending step. `call` may be NULL. */
void txns_step_write(struct txns_entry *entry, struct txns_call *call);

/* txns_finish writes markers of a decided transaction, a bounded number at a time, and completes it
 * when all are durable. txns_finish_free drops what is under way, at the end of the broker. */
void txns_finish(struct txns_entry *entry);
void txns_finish_free(struct txns_entry *entry);

/* txns_timer_set sets the timer as the state of the id wants it. */
void txns_timer_set(struct txns_entry *entry);

#endif
