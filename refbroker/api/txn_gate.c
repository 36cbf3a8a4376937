#include "refbroker/api/txn_gate.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/txns.h"

struct txn_gate {
    struct txns_call call;
    struct txns_wait wait;
    struct broker *broker;
    struct request *request;             /* NULL once it is gone */
    struct wire_string transactional_id; /* the request's */
    int64_t producer_id;
    int16_t producer_epoch;
    enum txn_gate_mode mode;
    struct txn_partitions needed; /* not known to be open */
    int64_t give_up_ms;
    int16_t error; /* of all that are needed */
    txn_gate_fn *fn;
};

struct txn_gate *
txn_gate_new(struct broker *broker, struct request *request, struct wire_string transactional_id,
    int64_t producer_id, int16_t producer_epoch, enum txn_gate_mode mode)
{
    struct txn_gate *gate = xcalloc(1, sizeof *gate);

    gate->broker = broker;
    gate->request = request;
    gate->transactional_id = transactional_id;
    gate->producer_id = producer_id;
    gate->producer_epoch = producer_epoch;
    gate->mode = mode;
    txn_partitions_init(&gate->needed);
    return gate;
}

void
txn_gate_free(struct txn_gate *gate)
{
    if (gate == NULL)
        return;
    txn_partitions_clear(&gate->needed);
    free(gate);
}

bool
txn_gate_is_of(const struct txn_gate *gate, int64_t producer_id, int16_t producer_epoch)
{
    return gate->producer_id == producer_id && gate->producer_epoch == producer_epoch;
}

/* A partition whose producer is newer takes nothing anyway. */
static bool
is_fenced(const struct txn_gate *gate, const struct partition *partition)
{
    return partition->producers != NULL &&
           producers_check_marker(partition->producers, gate->producer_id, gate->producer_epoch,
               INT32_MAX, 0) == PRODUCER_MARKER_FENCED;
}

bool
txn_gate_need(struct txn_gate *gate, const struct partition *partition)
{
    if (is_fenced(gate, partition) ||
        (partition->producers != NULL &&
            producers_is_open(partition->producers, gate->producer_id, gate->producer_epoch)))
        return false;
    txn_partitions_add(
        &gate->needed, partition->topic->name, strlen(partition->topic->name), partition->index);
    return true;
}

/* Producers expect 47 from a broker where a coordinator says 90. */
static int16_t
error_for(const struct txn_gate *gate, int16_t error)
{
    if (error == KE_PRODUCER_FENCED)
        return KE_INVALID_PRODUCER_EPOCH;
    return error == KE_TRANSACTION_ABORTABLE && gate->mode == TXN_GATE_CHECK_OLD
               ? KE_INVALID_TXN_STATE
               : error;
}

int16_t
txn_gate_error(const struct txn_gate *gate, const struct partition *partition)
{
    const char *topic = partition->topic->name;
    const struct txn *txn = txns_find(gate->broker->txns, gate->transactional_id);

    if (is_fenced(gate, partition))
        return KE_INVALID_PRODUCER_EPOCH;
    if (!txn_partitions_has(&gate->needed, topic, strlen(topic), partition->index))
        return KE_NONE;
    if (gate->error == KE_NONE && (txn == NULL || !txn_partitions_has(&txn->partitions, topic,
                                                      strlen(topic), partition->index)))
        return error_for(gate, KE_TRANSACTION_ABORTABLE);
    return error_for(gate, gate->error);
}

static void
pass(struct txn_gate *gate, int16_t error)
{
    struct request *request = gate->request;

    gate->error = error;
    if (request != NULL) {
        request->on_drop = NULL;
        heap_remove(&gate->broker->deadlines, &request->deadline);
        gate->fn(gate->broker, request, gate);
    }
    txn_gate_free(gate);
}

/* The coordinator holds the call, whose text of the id lies in the request. */
static void
dropped_at_coordinator(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct txn_gate *)request->park)->request = NULL;
}

static void
add(struct txn_gate *gate)
{
    gate->request->on_drop = dropped_at_coordinator;
    txns_add(gate->broker->txns, gate->transactional_id, gate->producer_id, gate->producer_epoch,
        TXN_VERSION_BUMPS, &gate->needed, &gate->call);
}

static void
timed_out(struct broker *broker, struct request *request)
{
    struct txn_gate *gate = request->park;

    txns_wait_end(broker->txns, gate->transactional_id, &gate->wait);
    pass(gate, KE_CONCURRENT_TRANSACTIONS);
}

static void
dropped_waiting(struct broker *broker, struct request *request)
{
    struct txn_gate *gate = request->park;

    txns_wait_end(broker->txns, gate->transactional_id, &gate->wait);
    txn_gate_free(gate);
}

static void
again(struct broker *broker, struct txns_wait *wait)
{
    struct txn_gate *gate = list_of(wait, struct txn_gate, wait);

    /* The coordinator answers in any case, and the gate has to be there then. */
    heap_remove(&broker->deadlines, &gate->request->deadline);
    add(gate);
}

static void
added(struct broker *broker, struct txns_call *call)
{
    struct txn_gate *gate = list_of(call, struct txn_gate, call);
    struct request *request = gate->request;
    int64_t now_ms = env_now_ms(broker->env);

    if (request == NULL || call->answer.error != KE_CONCURRENT_TRANSACTIONS ||
        now_ms >= gate->give_up_ms ||
        !txns_wait(broker->txns, gate->transactional_id, &gate->wait)) {
        pass(gate, call->answer.error);
        return;
    }
    gate->wait.again = again;
    request->on_drop = dropped_waiting;
    broker_set_deadline(broker, request, gate->give_up_ms, timed_out);
}

static int16_t
check(const struct txn_gate *gate)
{
    const struct txn *txn = txns_find(gate->broker->txns, gate->transactional_id);

    if (gate->transactional_id.size <= 0)
        return KE_INVALID_REQUEST;
    return txn == NULL ? KE_INVALID_PRODUCER_ID_MAPPING
                       : txn_verify(txn, gate->producer_id, gate->producer_epoch);
}

void
txn_gate_enter(struct txn_gate *gate_take, txn_gate_fn *fn)
{
    struct txn_gate *gate = gate_take;

    gate->fn = fn;
    gate->request->park = gate;
    if (gate->needed.count == 0) {
        pass(gate, KE_NONE);
    } else if (gate->mode != TXN_GATE_ADD) {
        pass(gate, check(gate));
    } else {
        gate->call.done = added;
        gate->give_up_ms = env_now_ms(gate->broker->env) + TXN_GATE_WAIT_MS;
        add(gate);
    }
}
