/*
 * InitProducerId (TransactionCoordinator.handleInitProducerId, KIP-98, KIP-360).
 *
 * Without a transactional id every request gets a new producer id. With one the coordinator
 * decides. Two-phase commit is switched off, as it is in a Kafka without settings (53), and a
 * prepared transaction cannot be kept, as Kafka 4.3 answers (35). Versions below 4 know no code 90.
 */
#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/coord/producer_ids.h"
#include "refbroker/coord/txns.h"

/* A request that waits for producer ids, then perhaps for the coordinator; it outlives the request
 * once it is with the latter. */
struct init {
    struct producer_ids_waiter ids;
    struct txns_call call;
    struct request *request; /* NULL once it is gone */
};

static void
answer_fill(struct request *request, const struct txn_answer *answer)
{
    struct km_init_producer_id_response *out = request->out;

    out->error_code = answer->error;
    if (answer->error == KE_PRODUCER_FENCED && request->header.api_version < 4)
        out->error_code = KE_INVALID_PRODUCER_EPOCH;
    out->producer_id = answer->producer_id;
    out->producer_epoch = answer->producer_epoch;
}

static void
decided(struct broker *broker, struct txns_call *call)
{
    struct init *init = list_of(call, struct init, call);

    if (init->request != NULL) {
        answer_fill(init->request, &call->answer);
        broker_finish(broker, init->request);
    }
    free(init);
}

static void
dropped_at_coordinator(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct init *)request->park)->request = NULL;
}

static void
go_on(struct broker *broker, struct init *init)
{
    const struct km_init_producer_id_request *in = init->request->in;
    struct txn_init_ask ask = {.timeout_ms = in->transaction_timeout_ms,
        .expected_producer_id = in->producer_id,
        .expected_epoch = in->producer_epoch,
        .now_ms = env_wall_ms(broker->env)};

    if (in->transactional_id.size < 0) {
        init->call.answer = (struct txn_answer){KE_NONE, true, producer_ids_take(broker), 0};
        decided(broker, &init->call);
        return;
    }
    init->request->on_drop = dropped_at_coordinator;
    txns_init(broker->txns, in->transactional_id, &ask, &init->call);
}

static void
ids_ready(struct broker *broker, struct producer_ids_waiter *waiter, int16_t error)
{
    struct init *init = list_of(waiter, struct init, ids);

    if (error == KE_NONE) {
        go_on(broker, init);
        return;
    }
    init->call.answer = (struct txn_answer){error, false, TXN_NO_PRODUCER_ID, TXN_NO_EPOCH};
    decided(broker, &init->call);
}

static void
dropped_at_ids(struct broker *broker, struct request *request)
{
    struct init *init = request->park;

    list_remove(&broker->producer_id_waiters, &init->ids.node);
    free(init);
}

static int16_t
request_check(const struct broker *broker, const struct km_init_producer_id_request *in)
{
    if ((in->producer_id == TXN_NO_PRODUCER_ID) != (in->producer_epoch == TXN_NO_EPOCH) ||
        in->transactional_id.size == 0)
        return KE_INVALID_REQUEST;
    if (in->transactional_id.size < 0)
        return KE_NONE;
    if (in->enable2_pc)
        return KE_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    if (in->keep_prepared_txn)
        return KE_UNSUPPORTED_VERSION;
    return in->transaction_timeout_ms <= 0 ||
                   in->transaction_timeout_ms > broker->options.txn_timeout_max_ms
               ? KE_INVALID_TRANSACTION_TIMEOUT
               : KE_NONE;
}

enum h_result
h_init_producer_id(struct broker *broker, struct request *request, const void *in, void *out_)
{
    struct km_init_producer_id_response *out = out_;
    struct init *init;

    out->error_code = request_check(broker, in);
    if (out->error_code != KE_NONE) {
        out->producer_epoch = TXN_NO_EPOCH;
        return H_DONE;
    }
    init = xcalloc(1, sizeof *init);
    init->request = request;
    init->ids.ready = ids_ready;
    init->call.done = decided;
    request->park = init;
    request->on_drop = dropped_at_ids;
    if (producer_ids_peek(broker) >= 0)
        go_on(broker, init);
    else
        producer_ids_wait(broker, &init->ids);
    return H_PARK;
}
