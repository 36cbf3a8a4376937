/*
 * AddPartitionsToTxn, AddOffsetsToTxn, EndTxn (TransactionCoordinator, KIP-98, KIP-890).
 *
 * Below version 4 AddPartitionsToTxn comes from a client, for one transaction; from 4 on it may
 * hold many, and may only ask whether partitions are in (verify_only). One partition that cannot be
 * added keeps the others out (55). Versions below 2 know no code 90.
 */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/coord/groups.h"
#include "refbroker/coord/txns.h"

typedef struct km_add_partitions_to_txn_request_topic topic_in;
typedef struct km_add_partitions_to_txn_response_topic_result topic_out;

static int16_t
error_for(const struct request *request, int16_t error)
{
    return error == KE_PRODUCER_FENCED && request->header.api_version < 2
               ? KE_INVALID_PRODUCER_EPOCH
               : error;
}

/* --- AddPartitionsToTxn ---------------------------------------------------------------------- */

/* One transaction of the request, whichever version it has. */
struct txn_in {
    struct wire_string id;
    int64_t producer_id;
    int16_t producer_epoch;
    bool verify_only;
    const topic_in *topics;
    int32_t topic_count;
};

struct adding;

struct adding_txn {
    struct txns_call call;
    struct adding *adding;
    topic_out *topics;
    int32_t topic_count;
};

/* The request while the coordinator is at it; it outlives the request. */
struct adding {
    struct request *request; /* NULL once it is gone */
    size_t open;
    struct adding_txn txns[];
};

static void
fill_all(topic_out *topics, int32_t count, int16_t error)
{
    for (int32_t i = 0; i < count; i++)
        for (int32_t k = 0; k < topics[i].results_by_partition.count; k++)
            topics[i].results_by_partition.items[k].partition_error_code = error;
}

static void
adding_end(struct broker *broker, struct adding *adding)
{
    if (--adding->open > 0)
        return;
    if (adding->request != NULL)
        broker_finish(broker, adding->request);
    free(adding);
}

static void
added(struct broker *broker, struct txns_call *call)
{
    struct adding_txn *txn = list_of(call, struct adding_txn, call);
    struct adding *adding = txn->adding;

    if (adding->request != NULL)
        fill_all(txn->topics, txn->topic_count, error_for(adding->request, call->answer.error));
    adding_end(broker, adding);
}

static int16_t
partition_check(const struct broker *broker, const topic_in *in, int32_t index)
{
    struct topic *topic = topics_find(&broker->topics, in->name.data, (size_t)in->name.size);

    if (topic == NULL || topics_partition(topic, index) == NULL)
        return KE_UNKNOWN_TOPIC_OR_PARTITION;
    /* As Inkless says it of coordinated topics. */
    if (topic->configs.values.coordinated || topic->state == TOPIC_MIRRORING)
        return KE_INVALID_TOPIC_EXCEPTION;
    return KE_NONE;
}

/* Judges the partitions and collects them; the codes stand in the answer. False where one is bad.
 */
static bool
partitions_check(const struct broker *broker, const struct txn_in *in, topic_out *out,
    struct txn_partitions *partitions)
{
    bool ok = true;

    for (int32_t i = 0; i < in->topic_count; i++)
        for (int32_t k = 0; k < in->topics[i].partitions.count; k++) {
            int32_t index = in->topics[i].partitions.items[k];
            int16_t error = partition_check(broker, &in->topics[i], index);

            out[i].results_by_partition.items[k].partition_error_code =
                error != KE_NONE ? error : KE_OPERATION_NOT_ATTEMPTED;
            ok = ok && error == KE_NONE;
            if (error == KE_NONE)
                txn_partitions_add(
                    partitions, in->topics[i].name.data, (size_t)in->topics[i].name.size, index);
        }
    return ok;
}

static void
verify(const struct broker *broker, const struct txn_in *in, topic_out *out)
{
    const struct txn *txn = txns_find(broker->txns, in->id);
    int16_t error = in->id.size == 0 ? KE_INVALID_REQUEST
                    : txn == NULL    ? KE_INVALID_PRODUCER_ID_MAPPING
                                     : txn_verify(txn, in->producer_id, in->producer_epoch);

    fill_all(out, in->topic_count, error);
    for (int32_t i = 0; error == KE_NONE && i < in->topic_count; i++)
        for (int32_t k = 0; k < in->topics[i].partitions.count; k++)
            if (!txn_partitions_has(&txn->partitions, in->topics[i].name.data,
                    (size_t)in->topics[i].name.size, in->topics[i].partitions.items[k]))
                out[i].results_by_partition.items[k].partition_error_code =
                    KE_TRANSACTION_ABORTABLE;
}

/* True where the answer is there; otherwise the call brings it, perhaps at once. */
static bool
txn_start(struct broker *broker, const struct txn_in *in, struct adding_txn *txn, int16_t version)
{
    struct txn_partitions partitions;
    bool fine;

    txn_partitions_init(&partitions);
    fine = partitions_check(broker, in, txn->topics, &partitions);
    if (fine && in->verify_only)
        verify(broker, in, txn->topics);
    else if (fine)
        txns_add(broker->txns, in->id, in->producer_id, in->producer_epoch, version, &partitions,
            &txn->call);
    txn_partitions_clear(&partitions);
    return !fine || in->verify_only;
}

static topic_out *
topics_make(struct request *request, const topic_in *in, int32_t count)
{
    topic_out *out =
        codec_array(&request->arena, &km_add_partitions_to_txn_response_topic_result_desc, count);

    for (int32_t i = 0; out != NULL && i < count; i++) {
        out[i].name = in[i].name;
        out[i].results_by_partition.items = codec_array(&request->arena,
            &km_add_partitions_to_txn_response_partition_result_desc, in[i].partitions.count);
        if (out[i].results_by_partition.items == NULL)
            return NULL;
        out[i].results_by_partition.count = in[i].partitions.count;
        for (int32_t k = 0; k < in[i].partitions.count; k++)
            out[i].results_by_partition.items[k].partition_index = in[i].partitions.items[k];
    }
    return out;
}

static void
adding_dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct adding *)request->park)->request = NULL;
}

/* The transactions of a request, and room for their answers; NULL where there is no memory. */
static struct txn_in *
txns_collect(struct request *request, const struct km_add_partitions_to_txn_request *in,
    struct km_add_partitions_to_txn_response *out, int32_t *count)
{
    bool single = request->header.api_version < 4;
    struct txn_in *txns;

    *count = single ? 1 : in->transactions.count;
    txns = arena_array(&request->arena, (size_t)*count, sizeof *txns);
    if (txns == NULL)
        return NULL;
    if (single) {
        *txns = (struct txn_in){in->v3_and_below_transactional_id, in->v3_and_below_producer_id,
            in->v3_and_below_producer_epoch, false, in->v3_and_below_topics.items,
            in->v3_and_below_topics.count};
        out->results_by_topic_v3_and_below.items =
            topics_make(request, txns->topics, txns->topic_count);
        out->results_by_topic_v3_and_below.count = txns->topic_count;
        return out->results_by_topic_v3_and_below.items == NULL ? NULL : txns;
    }
    out->results_by_transaction.items =
        codec_array(&request->arena, &km_add_partitions_to_txn_response_result_desc, *count);
    out->results_by_transaction.count = *count;
    for (int32_t i = 0; out->results_by_transaction.items != NULL && i < *count; i++) {
        const struct km_add_partitions_to_txn_request_transaction *from =
            &in->transactions.items[i];
        struct km_add_partitions_to_txn_response_result *to = &out->results_by_transaction.items[i];

        txns[i] = (struct txn_in){from->transactional_id, from->producer_id, from->producer_epoch,
            from->verify_only, from->topics.items, from->topics.count};
        to->transactional_id = from->transactional_id;
        to->topic_results.items = topics_make(request, from->topics.items, from->topics.count);
        to->topic_results.count = from->topics.count;
        if (to->topic_results.items == NULL)
            return NULL;
    }
    return out->results_by_transaction.items == NULL ? NULL : txns;
}

enum h_result
h_add_partitions_to_txn(struct broker *broker, struct request *request, const void *in, void *out_)
{
    struct km_add_partitions_to_txn_response *out = out_;
    bool single = request->header.api_version < 4;
    size_t answered = 0;
    int32_t count;
    struct txn_in *txns = txns_collect(request, in, out, &count);
    struct adding *adding;

    if (txns == NULL)
        return H_CLOSE;
    adding = xcalloc(1, sizeof *adding + (size_t)count * sizeof *adding->txns);
    adding->request = request;
    adding->open = (size_t)count + 1;
    request->park = adding;
    request->on_drop = adding_dropped;
    for (int32_t i = 0; i < count; i++) {
        adding->txns[i] = (struct adding_txn){.call = {.done = added},
            .adding = adding,
            .topics = single ? out->results_by_topic_v3_and_below.items
                             : out->results_by_transaction.items[i].topic_results.items,
            .topic_count = txns[i].topic_count};
        answered += txn_start(
            broker, &txns[i], &adding->txns[i], single ? TXN_VERSION_OLD : TXN_VERSION_BUMPS);
    }
    adding->open -= answered;
    adding_end(broker, adding);
    return H_PARK;
}

/* --- AddOffsetsToTxn and EndTxn -------------------------------------------------------------- */

/* A request while the coordinator is at it; it outlives the request. */
struct asking {
    struct txns_call call;
    struct request *request; /* NULL once it is gone */
    void (*fill)(struct request *request, const struct txn_answer *answer);
};

static void
asked(struct broker *broker, struct txns_call *call)
{
    struct asking *asking = list_of(call, struct asking, call);

    if (asking->request != NULL) {
        asking->fill(asking->request, &call->answer);
        broker_finish(broker, asking->request);
    }
    free(asking);
}

static void
asking_dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct asking *)request->park)->request = NULL;
}

static struct txns_call *
asking_new(
    struct request *request, void (*fill)(struct request *request, const struct txn_answer *answer))
{
    struct asking *asking = xcalloc(1, sizeof *asking);

    asking->request = request;
    asking->fill = fill;
    asking->call.done = asked;
    request->park = asking;
    request->on_drop = asking_dropped;
    return &asking->call;
}

static void
offsets_fill(struct request *request, const struct txn_answer *answer)
{
    ((struct km_add_offsets_to_txn_response *)request->out)->error_code =
        error_for(request, answer->error);
}

enum h_result
h_add_offsets_to_txn(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_add_offsets_to_txn_request *in = in_;
    struct km_add_offsets_to_txn_response *out = out_;
    char *group_id =
        arena_printf(&request->arena, "%.*s", (int)in->group_id.size, in->group_id.data);
    struct txn_partitions partitions;

    if (group_id == NULL)
        return H_CLOSE;
    if (!groups_ready(broker->groups)) {
        out->error_code = KE_COORDINATOR_NOT_AVAILABLE;
        return H_DONE;
    }
    txn_partitions_init(&partitions);
    txn_partitions_add(&partitions, GROUPS_TOPIC, strlen(GROUPS_TOPIC),
        state_log_partition_of(broker, GROUPS_TOPIC, group_id));
    txns_add(broker->txns, in->transactional_id, in->producer_id, in->producer_epoch,
        TXN_VERSION_OLD, &partitions, asking_new(request, offsets_fill));
    txn_partitions_clear(&partitions);
    return H_PARK;
}

static void
end_fill(struct request *request, const struct txn_answer *answer)
{
    struct km_end_txn_response *out = request->out;

    out->error_code = error_for(request, answer->error);
    out->producer_id = answer->producer_id;
    out->producer_epoch = answer->producer_epoch;
}

enum h_result
h_end_txn(struct broker *broker, struct request *request, const void *in_, void *out)
{
    const struct km_end_txn_request *in = in_;
    struct txn_end_ask ask = {.producer_id = in->producer_id,
        .producer_epoch = in->producer_epoch,
        .version = request->header.api_version >= 5 ? TXN_VERSION_BUMPS : TXN_VERSION_OLD,
        .commit = in->committed,
        .now_ms = env_wall_ms(broker->env)};

    (void)out;
    txns_end(broker->txns, in->transactional_id, &ask, asking_new(request, end_fill));
    return H_PARK;
}
