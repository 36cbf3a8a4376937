#include "refbroker/coord/txn.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

#define EPOCH_LAST ((int16_t)(INT16_MAX - 1)) /* of a client */

struct state_row {
    const char *name;
    unsigned from; /* bits of states */
};

static const struct state_row states[] = {
#define IN(name) 1u << TXN_##name
#define TXN_STATE(name, value, text, from) [value] = {text, from},
#include "refbroker/coord/txn_states.def"
#undef TXN_STATE
#undef IN
};

struct txn *
txn_new(const char *id, size_t size, int64_t producer_id, int64_t now_ms)
{
    struct txn *txn = xcalloc(1, sizeof *txn);

    txn->id = xmemdup(id, size);
    txn->now = (struct txn_view){.producer_id = producer_id,
        .previous_producer_id = TXN_NO_PRODUCER_ID,
        .next_producer_id = TXN_NO_PRODUCER_ID,
        .start_ms = -1,
        .update_ms = now_ms,
        .producer_epoch = TXN_NO_EPOCH,
        .last_epoch = TXN_NO_EPOCH,
        .state = TXN_EMPTY};
    txn_partitions_init(&txn->partitions);
    txn_partitions_init(&txn->added);
    return txn;
}

void
txn_free(struct txn *txn)
{
    if (txn == NULL)
        return;
    txn_partitions_clear(&txn->partitions);
    txn_partitions_clear(&txn->added);
    free(txn->id);
    free(txn);
}

const char *
txn_state_name(enum txn_state state)
{
    return states[state].name;
}

int
txn_state_of(const char *name, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (strlen(states[i].name) == size && memcmp(states[i].name, name, size) == 0)
            return (int)i;
    return -1;
}

bool
txn_state_is_valid(int value)
{
    return value >= 0 && value < (int)ARRAY_LEN(states);
}

bool
txn_is_decided(const struct txn *txn)
{
    return txn->now.state == TXN_PREPARE_COMMIT || txn->now.state == TXN_PREPARE_ABORT;
}

bool
txn_is_moving(const struct txn *txn)
{
    return txn->pending || txn_is_decided(txn);
}

static bool
is_exhausted(int16_t epoch)
{
    return epoch >= EPOCH_LAST;
}

/* The step to `state`, with all fields as they are. */
static struct txn_view *
step_begin(struct txn *txn, enum txn_state state)
{
    REQUIRE(!txn->pending && (states[state].from & 1u << txn->now.state) != 0);
    txn->pending = true;
    txn->next = txn->now;
    txn->next.state = state;
    txn->next.previous_producer_id = txn->now.producer_id;
    return &txn->next;
}

static struct txn_answer
refusal(int16_t error)
{
    return (struct txn_answer){error, false, TXN_NO_PRODUCER_ID, TXN_NO_EPOCH};
}

/* What the step leads to, as its client sees it. */
static struct txn_answer
step_answer(const struct txn *txn, bool took_fresh)
{
    bool rotates = txn->next.next_producer_id != TXN_NO_PRODUCER_ID;

    return (struct txn_answer){KE_NONE, took_fresh,
        rotates ? txn->next.next_producer_id : txn->next.producer_id,
        rotates ? 0 : txn->next.producer_epoch};
}

/* --- InitProducerId -------------------------------------------------------------------------- */

static bool
is_expected(const struct txn *txn, const struct txn_init_ask *ask)
{
    return ask->expected_producer_id == TXN_NO_PRODUCER_ID ||
           txn->now.producer_epoch == TXN_NO_EPOCH ||
           ask->expected_producer_id == txn->now.producer_id ||
           (ask->expected_producer_id == txn->now.previous_producer_id &&
               is_exhausted(ask->expected_epoch));
}

/* The id's next epoch, or a new id; 90 for an epoch that is neither the current one nor, in a
 * retry, the one before. */
static struct txn_answer
init_step(struct txn *txn, const struct txn_init_ask *ask)
{
    bool expects = ask->expected_producer_id != TXN_NO_PRODUCER_ID;
    int16_t epoch = txn->now.producer_epoch, last = txn->now.last_epoch;
    bool rotates = is_exhausted(epoch) && (!expects || ask->expected_epoch == epoch);
    struct txn_view *next;

    if (rotates && ask->fresh_producer_id < 0)
        return refusal(KE_COORDINATOR_LOAD_IN_PROGRESS);
    if (!rotates && expects && epoch != TXN_NO_EPOCH && ask->expected_epoch != epoch &&
        ask->expected_epoch != last)
        return refusal(KE_PRODUCER_FENCED);
    next = step_begin(txn, TXN_EMPTY);
    if (rotates) {
        next->producer_id = ask->fresh_producer_id;
        next->producer_epoch = 0;
        next->last_epoch = expects ? epoch : TXN_NO_EPOCH;
    } else if (!expects || epoch == TXN_NO_EPOCH || ask->expected_epoch == epoch) {
        next->producer_epoch = (int16_t)(epoch + 1);
        next->last_epoch = expects ? epoch : TXN_NO_EPOCH;
    }
    next->timeout_ms = ask->timeout_ms;
    next->start_ms = -1;
    next->update_ms = ask->now_ms;
    return step_answer(txn, rotates);
}

struct txn_answer
txn_init(struct txn *txn, const struct txn_init_ask *ask)
{
    if (txn_is_moving(txn))
        return refusal(KE_CONCURRENT_TRANSACTIONS);
    if (!is_expected(txn, ask))
        return refusal(KE_PRODUCER_FENCED);
    if (txn->now.state != TXN_ONGOING)
        return init_step(txn, ask);
    txn_fence(txn, ask->now_ms);
    return refusal(KE_CONCURRENT_TRANSACTIONS);
}

/* --- partitions ------------------------------------------------------------------------------ */

struct txn_answer
txn_add(struct txn *txn, int64_t producer_id, int16_t producer_epoch, int16_t version,
    const struct txn_partitions *partitions, int64_t now_ms)
{
    struct txn_view *next;

    if (txn_is_moving(txn))
        return refusal(KE_CONCURRENT_TRANSACTIONS);
    if (txn->now.producer_id != producer_id)
        return refusal(KE_INVALID_PRODUCER_ID_MAPPING);
    if (txn->now.producer_epoch != producer_epoch || producer_epoch > EPOCH_LAST)
        return refusal(KE_PRODUCER_FENCED);
    if (txn->now.state == TXN_ONGOING && txn_partitions_has_all(&txn->partitions, partitions))
        return refusal(KE_NONE);
    next = step_begin(txn, TXN_ONGOING);
    if (txn->now.state != TXN_ONGOING)
        next->start_ms = now_ms;
    next->update_ms = now_ms;
    next->version = version;
    txn_partitions_add_all(&txn->added, partitions);
    return step_answer(txn, false);
}

int16_t
txn_verify(const struct txn *txn, int64_t producer_id, int16_t producer_epoch)
{
    if (txn->now.producer_id != producer_id)
        return KE_INVALID_PRODUCER_ID_MAPPING;
    if (txn->now.producer_epoch != producer_epoch)
        return KE_PRODUCER_FENCED;
    return txn_is_decided(txn) ? KE_CONCURRENT_TRANSACTIONS : KE_NONE;
}

/* --- the end --------------------------------------------------------------------------------- */

static struct txn_view *
decide(struct txn *txn, bool commit, int16_t version, int64_t now_ms)
{
    struct txn_view *next = step_begin(txn, commit ? TXN_PREPARE_COMMIT : TXN_PREPARE_ABORT);

    if (version >= TXN_VERSION_BUMPS) {
        next->producer_epoch = (int16_t)(txn->now.producer_epoch + 1);
        next->last_epoch = txn->now.producer_epoch;
    }
    if (txn->now.state != TXN_ONGOING)
        next->start_ms = now_ms;
    next->next_producer_id = TXN_NO_PRODUCER_ID;
    next->update_ms = now_ms;
    next->version = version;
    return next;
}

/* Before KIP-890 the epoch stays, so that the result tells whether an end is a retry. */
static struct txn_answer
end_old(struct txn *txn, const struct txn_end_ask *ask)
{
    enum txn_state same = ask->commit ? TXN_COMPLETE_COMMIT : TXN_COMPLETE_ABORT;

    if (txn->now.producer_id != ask->producer_id)
        return refusal(KE_INVALID_PRODUCER_ID_MAPPING);
    if (txn->now.producer_epoch != ask->producer_epoch || ask->producer_epoch > EPOCH_LAST)
        return refusal(KE_PRODUCER_FENCED);
    if (txn_is_moving(txn))
        return refusal(KE_CONCURRENT_TRANSACTIONS);
    if (txn->now.state != TXN_ONGOING)
        return refusal(txn->now.state == same ? KE_NONE : KE_INVALID_TXN_STATE);
    (void)decide(txn, ask->commit, TXN_VERSION_OLD, ask->now_ms);
    return refusal(KE_NONE);
}

static struct txn_answer
end_bumping(struct txn *txn, const struct txn_end_ask *ask)
{
    bool was_complete =
        txn->now.state == TXN_COMPLETE_COMMIT || txn->now.state == TXN_COMPLETE_ABORT;
    bool over_rotation = txn->now.previous_producer_id == ask->producer_id &&
                         ask->producer_epoch == EPOCH_LAST && txn->now.producer_epoch == 0;
    bool is_retry =
        was_complete && (over_rotation || txn->now.producer_epoch == ask->producer_epoch + 1);
    bool rotates = is_exhausted(txn->now.producer_epoch);

    if (txn_is_moving(txn))
        return refusal(KE_CONCURRENT_TRANSACTIONS);
    if (txn->now.producer_id != ask->producer_id && !over_rotation)
        return refusal(KE_INVALID_PRODUCER_ID_MAPPING);
    if ((txn->now.producer_epoch != ask->producer_epoch || ask->producer_epoch > EPOCH_LAST) &&
        !is_retry)
        return refusal(KE_PRODUCER_FENCED);
    if (is_retry) {
        if (ask->commit != (txn->now.state == TXN_COMPLETE_COMMIT))
            return refusal(KE_INVALID_TXN_STATE);
        return (struct txn_answer){KE_NONE, false, txn->now.producer_id, txn->now.producer_epoch};
    }
    if (ask->commit && txn->now.state != TXN_ONGOING)
        return refusal(KE_INVALID_TXN_STATE);
    if (rotates && ask->fresh_producer_id < 0)
        return refusal(KE_COORDINATOR_LOAD_IN_PROGRESS);
    decide(txn, ask->commit, ask->version, ask->now_ms)->next_producer_id =
        rotates ? ask->fresh_producer_id : TXN_NO_PRODUCER_ID;
    return step_answer(txn, rotates);
}

struct txn_answer
txn_end(struct txn *txn, const struct txn_end_ask *ask)
{
    return ask->version >= TXN_VERSION_BUMPS ? end_bumping(txn, ask) : end_old(txn, ask);
}

void
txn_fence(struct txn *txn, int64_t now_ms)
{
    REQUIRE(txn->now.state == TXN_ONGOING);
    (void)decide(txn, false, TXN_VERSION_BUMPS, now_ms);
}

void
txn_complete(struct txn *txn, int64_t now_ms)
{
    struct txn_view *next = step_begin(
        txn, txn->now.state == TXN_PREPARE_COMMIT ? TXN_COMPLETE_COMMIT : TXN_COMPLETE_ABORT);

    if (next->next_producer_id != TXN_NO_PRODUCER_ID) {
        next->producer_id = next->next_producer_id;
        next->producer_epoch = 0;
    }
    next->next_producer_id = TXN_NO_PRODUCER_ID;
    next->update_ms = now_ms;
}

bool
txn_expire(struct txn *txn)
{
    if (txn_is_moving(txn) || txn->now.state == TXN_ONGOING)
        return false;
    (void)step_begin(txn, TXN_DEAD);
    return true;
}

void
txn_step_end(struct txn *txn, bool durable)
{
    bool keeps = txn->next.state == TXN_ONGOING || txn->next.state == TXN_PREPARE_COMMIT ||
                 txn->next.state == TXN_PREPARE_ABORT;

    REQUIRE(txn->pending);
    txn->pending = false;
    if (durable) {
        txn->now = txn->next;
        if (keeps)
            txn_partitions_add_all(&txn->partitions, &txn->added);
        else
            txn_partitions_clear(&txn->partitions);
    }
    txn_partitions_clear(&txn->added);
}
