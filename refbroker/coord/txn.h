/*
 * txn: one transactional id, as a state machine.
 *
 *     EMPTY -> ONGOING (partitions are added) -> PREPARE_COMMIT or PREPARE_ABORT (decided; markers
 *     are being written) -> COMPLETE_COMMIT or COMPLETE_ABORT -> ONGOING ...
 *
 * Each function judges a request and, where it is allowed, puts the step to take into `next` and
 * makes the id `pending`: the owner writes what txn_view_next shows to the log and, once that is
 * durable, calls txn_step_end, with which the step takes effect. Only then may the answer leave. A
 * pending or decided transaction takes no other step (51).
 *
 * Rules: TransactionCoordinator and TransactionMetadata of Kafka 4.3, KIP-98, KIP-360 (an expected
 * producer id and epoch), KIP-890 (version 2: every end raises the epoch, so that nothing that is
 * late can join the next transaction; a transaction may be aborted that never began). The epoch
 * 32767 is never a client's: it is left for fencing, and behind 32766 comes a new producer id.
 *
 * Times are of the wall clock, in ms. No input, no output, no clock. Not thread-safe.
 */
#ifndef REFBROKER_COORD_TXN_H
#define REFBROKER_COORD_TXN_H

#include "refbroker/coord/txn_partitions.h"

#define TXN_NO_PRODUCER_ID ((int64_t)-1)
#define TXN_NO_EPOCH ((int16_t)-1)

/* Which protocol a client's request follows (KIP-890). */
#define TXN_VERSION_OLD ((int16_t)0)
#define TXN_VERSION_BUMPS ((int16_t)2)

enum txn_state {
#define TXN_STATE(name, value, text, from) TXN_##name = (value),
#include "refbroker/coord/txn_states.def"
#undef TXN_STATE
};

/* What the log keeps of an id, but for its partitions. */
struct txn_view {
    int64_t producer_id;
    int64_t previous_producer_id; /* before the last step; -1: none */
    int64_t next_producer_id;     /* decided transactions: the one that follows; -1: the same */
    int64_t start_ms;             /* -1: no transaction */
    int64_t update_ms;
    int32_t timeout_ms;
    int16_t producer_epoch; /* -1: nobody has got the id yet */
    int16_t last_epoch;     /* of this producer before, so that a retry is known; -1: none */
    int16_t version;        /* of the client that took the last step */
    enum txn_state state;
};

struct txn {
    char *id;
    struct txn_view now;
    struct txn_partitions partitions;
    bool pending;
    struct txn_view next;
    struct txn_partitions added; /* by the step */
};

/* What a request is answered with: at once, or when the step that it asks for is durable. */
struct txn_answer {
    int16_t error;
    bool took_fresh; /* the fresh producer id was used */
    int64_t producer_id;
    int16_t producer_epoch;
};

/* What an InitProducerId asks for. */
struct txn_init_ask {
    int32_t timeout_ms;
    int64_t expected_producer_id; /* both -1: none is expected */
    int16_t expected_epoch;
    int64_t fresh_producer_id; /* -1: none is at hand */
    int64_t now_ms;
};

/* What an EndTxn asks for. */
struct txn_end_ask {
    int64_t producer_id;
    int16_t producer_epoch;
    int16_t version;
    bool commit;
    int64_t fresh_producer_id;
    int64_t now_ms;
};

/* txn_new makes an id that nobody has used. */
struct txn *txn_new(const char *id, size_t size, int64_t producer_id, int64_t now_ms);
void txn_free(struct txn *txn);

/* txn_state_name returns Kafka's name of a state; txn_state_of the state of a name or of a record's
 * value, -1 where there is none. */
const char *txn_state_name(enum txn_state state);
int txn_state_of(const char *name, size_t size);
bool txn_state_is_valid(int value);

/* txn_is_decided tells whether markers have to be written; txn_is_moving whether an id takes no
 * step now. */
bool txn_is_decided(const struct txn *txn);
bool txn_is_moving(const struct txn *txn);

/* txn_init gives a producer its id and epoch. A transaction that is open is aborted with a higher
 * epoch first (51, with that step). */
struct txn_answer txn_init(struct txn *txn, const struct txn_init_ask *ask);

/* txn_add adds partitions to the transaction, which begins with the first; nothing to do where all
 * are in it. */
struct txn_answer txn_add(struct txn *txn, int64_t producer_id, int16_t producer_epoch,
    int16_t version, const struct txn_partitions *partitions, int64_t now_ms);

/* txn_verify tells whether a producer may ask which partitions its transaction has. */
int16_t txn_verify(const struct txn *txn, int64_t producer_id, int16_t producer_epoch);

/* txn_end decides a transaction. */
struct txn_answer txn_end(struct txn *txn, const struct txn_end_ask *ask);

/* txn_fence aborts an ongoing transaction that is not pending, with a higher epoch, so that its
 * producer is out. */
void txn_fence(struct txn *txn, int64_t now_ms);

/* txn_complete ends a decided transaction, all of whose markers are written. */
void txn_complete(struct txn *txn, int64_t now_ms);

/* txn_expire makes an id dead, whose record is to be removed; false where it is in use. */
bool txn_expire(struct txn *txn);

/* txn_step_end takes the step, where it is durable, or forgets it. */
void txn_step_end(struct txn *txn, bool durable);

#endif
