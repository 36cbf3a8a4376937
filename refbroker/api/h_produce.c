/*
 * Produce (KafkaApis.handleProduceRequest, ReplicaManager.appendRecords).
 *
 * From v13 topics come by id. acks 1 and all both wait until the batch is durable; acks 0 waits
 * until it is taken and is never answered, but an error closes the connection, so that the producer
 * notices. Records of a transaction have to pass a gate first (txn_gate.h).
 */
#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/api/txn_gate.h"
#include "refbroker/broker.h"
#include "refbroker/log/coordinated.h"
#include "refbroker/log/intake.h"
#include "refbroker/log/verifications.h"
#include "refbroker/meta/topics.h"

typedef struct km_produce_request_topic_produce_data topic_in;
typedef struct km_produce_request_partition_produce_data partition_in;
typedef struct km_produce_response_partition_produce_response partition_out;

/* Producers know TRANSACTION_ABORTABLE, and have their partitions added on the way (KIP-890). */
#define PRODUCE_VERSION_ABORTABLE 11
#define PRODUCE_VERSION_ADDS 12

struct park;

/* One partition whose records wait to be taken, then to be durable. */
struct waiting {
    struct append_waiter waiter;
    struct intake_waiter intake;
    struct park *park;
    struct partition *partition; /* NULL once it is done */
    partition_out *out;
    bool coordinated;
};

struct park {
    struct request *request;
    struct waiting *waiting;
    size_t count;
    size_t open;     /* of them not done */
    int16_t refusal; /* of the whole request, */
    const char *why; /* NULL: the code says it */
    bool counted;    /* all are in place: the last one finishes the request */
};

static void
refuse(partition_out *out, int16_t error, const char *text)
{
    out->error_code = error;
    out->base_offset = -1;
    out->log_append_time_ms = -1;
    out->log_start_offset = -1;
    out->error_message = request_text(text);
}

static bool
is_acknowledged(const struct request *request)
{
    return ((const struct km_produce_request *)request->in)->acks != 0;
}

/* An acks=0 producer learns of an error only by its connection. */
static enum h_result
outcome(const struct request *request)
{
    const struct km_produce_response *out = request->out;

    if (is_acknowledged(request))
        return H_DONE;
    for (int32_t i = 0; i < out->responses.count; i++)
        for (int32_t k = 0; k < out->responses.items[i].partition_responses.count; k++)
            if (out->responses.items[i].partition_responses.items[k].error_code != 0)
                return H_CLOSE;
    return H_NO_REPLY;
}

static void
done(struct broker *broker, struct waiting *waiting)
{
    struct park *park = waiting->park;

    waiting->partition = NULL;
    park->open--;
    if (park->open == 0 && park->counted)
        broker_finish_as(broker, park->request, outcome(park->request));
}

static void
durable(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct waiting *waiting = list_of(waiter, struct waiting, waiter);

    if (error != 0) {
        refuse(waiting->out, error, NULL);
    } else if (waiter->base_offset >= 0) {
        waiting->out->base_offset = waiter->base_offset;
        waiting->out->log_append_time_ms = waiter->log_append_time;
    }
    done(broker, waiting);
}

/* Leaves everything that is waited for and puts an error in its place. */
static void
leave(struct broker *broker, struct park *park, int16_t error)
{
    bool coordinated = false;

    for (size_t i = 0; i < park->count; i++) {
        struct waiting *waiting = &park->waiting[i];

        if (waiting->partition == NULL)
            continue;
        coordinated = coordinated || waiting->coordinated;
        if (waiting->intake.under_way != NULL)
            intake_forget(&waiting->intake);
        else if (!waiting->coordinated)
            list_remove(&waiting->partition->append_waiters, &waiting->waiter.node);
        waiting->out->error_code = error;
        waiting->out->base_offset = -1;
    }
    if (coordinated)
        coordinated_forget(broker->coordinated, park);
}

/* The producer hears of what is not durable in time as Kafka says it: the records may be there
 * later all the same. */
static void
timed_out(struct broker *broker, struct request *request)
{
    leave(broker, request->park, KE_REQUEST_TIMED_OUT);
    broker_finish(broker, request);
}

static void
dropped(struct broker *broker, struct request *request)
{
    leave(broker, request->park, KE_NONE);
}

static bool
record_errors_fill(struct request *request, const struct append_result *result, partition_out *out)
{
    struct km_produce_response_batch_index_and_error_message *items;

    if (result->record_error_count == 0)
        return true;
    items = codec_array(&request->arena, &km_produce_response_batch_index_and_error_message_desc,
        result->record_error_count);
    if (items == NULL)
        return false;
    for (int32_t i = 0; i < result->record_error_count; i++) {
        items[i].batch_index = result->record_errors[i].batch_index;
        items[i].batch_index_error_message =
            request_text(batch_validate_text(result->record_errors[i].fault));
    }
    out->record_errors.items = items;
    out->record_errors.count = result->record_error_count;
    return true;
}

/* The records are in the log or in the open file, or refused. */
static void
taken(struct broker *broker, struct intake_waiter *intake, const struct append_result *result)
{
    struct waiting *waiting = list_of(intake, struct waiting, intake);
    struct request *request = waiting->park->request;
    struct partition *partition = waiting->partition;
    partition_out *out = waiting->out;

    if (result->error != 0) {
        refuse(out, result->error, result->text);
        /* Kafka tells it unless the batch as a whole was at fault. */
        if (result->error != KE_CORRUPT_MESSAGE && result->error != KE_MESSAGE_TOO_LARGE &&
            result->error != KE_RECORD_LIST_TOO_LARGE && result->error != KE_KAFKA_STORAGE_ERROR &&
            result->error != KE_UNSUPPORTED_COMPRESSION_TYPE)
            out->log_start_offset = partition->log_start_offset;
        /* Without room for the single errors the arena is full, and dispatch sees that. */
        (void)record_errors_fill(request, result, out);
        done(broker, waiting);
        return;
    }
    out->base_offset = result->base_offset;
    out->log_append_time_ms = result->log_append_time;
    out->log_start_offset = partition->log_start_offset;
    waiting->waiter.end_offset = result->end_offset;
    if (!is_acknowledged(request))
        done(broker, waiting);
    else if (!waiting->coordinated)
        append_wait(broker, partition, &waiting->waiter);
}

static void
partition_append(struct broker *broker, struct park *park, struct partition *partition,
    const partition_in *in, partition_out *out)
{
    struct request *request = park->request;
    const struct km_produce_request *produce = request->in;
    struct waiting *waiting = &park->waiting[park->count++];
    struct intake_ask ask = {.blob = request->frame,
        .size = in->records.size <= 0 ? 0 : (size_t)in->records.size,
        .produce_version = request->header.api_version,
        .has_transactional_id = produce->transactional_id.size >= 0};

    if (ask.size > 0)
        ask.data = request->frame->data + (in->records.data - request->frame->data);
    *waiting = (struct waiting){.park = park,
        .partition = partition,
        .out = out,
        .coordinated = partition->topic->configs.values.coordinated,
        .waiter = {.base_offset = -1, .owner = park, .done = durable},
        .intake = {.taken = taken}};
    if (waiting->coordinated && is_acknowledged(request))
        waiting->intake.committed = &waiting->waiter;
    park->open++;
    intake_submit(broker, partition, &ask, &waiting->intake);
}

static struct topic *
topic_find(struct broker *broker, const struct request *request, const topic_in *in, int16_t *error)
{
    struct topic *topic;

    if (request->header.api_version >= 13) {
        topic = topics_find_id(&broker->topics, &in->topic_id);
        *error = KE_UNKNOWN_TOPIC_ID;
    } else {
        topic = topics_find(&broker->topics, in->name.data, (size_t)in->name.size);
        *error = KE_UNKNOWN_TOPIC_OR_PARTITION;
    }
    /* Only Kafka's own administration writes into internal topics, by this client id. */
    if (topic != NULL && (topic->state == TOPIC_MIRRORING ||
                             (topics_is_internal(topic->name) &&
                                 !request_is_text(request->header.client_id, "__admin_client")))) {
        *error = KE_INVALID_TOPIC_EXCEPTION;
        return NULL;
    }
    return topic;
}

/* What the gate says, in codes with which producers do the right thing. */
static int16_t
gate_error(
    const struct request *request, const struct txn_gate *gate, const struct partition *partition)
{
    int16_t error = txn_gate_error(gate, partition);

    switch (error) {
    case KE_CONCURRENT_TRANSACTIONS:
        return request->header.api_version >= PRODUCE_VERSION_ADDS ? error : KE_NOT_ENOUGH_REPLICAS;
    case KE_COORDINATOR_LOAD_IN_PROGRESS:
    case KE_COORDINATOR_NOT_AVAILABLE:
    case KE_NOT_COORDINATOR:
        return KE_NOT_ENOUGH_REPLICAS;
    default:
        return error;
    }
}

static const char *
gate_text(int16_t error)
{
    if (error == KE_INVALID_TXN_STATE)
        return "Partition was not added to the transaction";
    return error == KE_NOT_ENOUGH_REPLICAS
               ? "Unable to verify the partition has been added to the transaction."
               : NULL;
}

/* What the request says of its records alone. */
static enum batch_validate_fault
form_check(const struct request *request, const partition_in *in, struct batch_view *batch)
{
    return batch_validate_find(in->records.data,
        in->records.size <= 0 ? 0 : (size_t)in->records.size, request->header.api_version, batch);
}

static bool
are_acks_known(const struct km_produce_request *in)
{
    return in->acks >= -1 && in->acks <= 1;
}

/* Takes the records of one partition, or refuses them. Kafka looks at the request, the partition,
 * the form of the records, their transaction and the acks, in this order. */
static void
partition_take(struct broker *broker, struct park *park, struct partition *partition,
    const partition_in *from, partition_out *to, const struct txn_gate *gate)
{
    struct request *request = park->request;
    struct batch_view batch;
    enum batch_validate_fault fault = form_check(request, from, &batch);
    int16_t closed = gate == NULL ? KE_NONE : gate_error(request, gate, partition);

    if (fault != BATCH_VALIDATE_OK) {
        broker->stats.produce_refused_total++;
        refuse(to, batch_validate_code(fault), batch_validate_text(fault));
        return;
    }
    if (closed != KE_NONE)
        refuse(to, closed, gate_text(closed));
    else if (!are_acks_known(request->in))
        refuse(to, KE_INVALID_REQUIRED_ACKS, NULL);
    else
        partition_append(broker, park, partition, from, to);
}

static void
topic_append(struct broker *broker, struct request *request, const topic_in *in,
    struct km_produce_response_topic_produce_response *out, struct park *park,
    const struct txn_gate *gate)
{
    int16_t error;
    struct topic *topic = topic_find(broker, request, in, &error);

    for (int32_t i = 0; i < in->partition_data.count; i++) {
        const partition_in *from = &in->partition_data.items[i];
        partition_out *to = &out->partition_responses.items[i];
        struct partition *partition = topic == NULL ? NULL : topics_partition(topic, from->index);

        to->index = from->index;
        if (park->refusal != KE_NONE)
            refuse(to, park->refusal, park->why);
        else if (partition == NULL)
            refuse(to, topic == NULL ? error : KE_UNKNOWN_TOPIC_OR_PARTITION, NULL);
        else
            partition_take(broker, park, partition, from, to, gate);
    }
}

/* All memory is there before the first batch is on its way. */
static struct park *
response_make(
    struct request *request, const struct km_produce_request *in, struct km_produce_response *out)
{
    struct park *park = arena_alloc(&request->arena, sizeof *park);
    size_t partitions = 0;

    out->responses.items = codec_array(
        &request->arena, &km_produce_response_topic_produce_response_desc, in->topic_data.count);
    if (park == NULL || out->responses.items == NULL)
        return NULL;
    out->responses.count = in->topic_data.count;
    for (int32_t i = 0; i < in->topic_data.count; i++) {
        const topic_in *from = &in->topic_data.items[i];
        struct km_produce_response_topic_produce_response *to = &out->responses.items[i];

        to->name = from->name;
        to->topic_id = from->topic_id;
        to->partition_responses.items = codec_array(&request->arena,
            &km_produce_response_partition_produce_response_desc, from->partition_data.count);
        to->partition_responses.count = from->partition_data.count;
        partitions += (size_t)from->partition_data.count;
    }
    park->request = request;
    park->waiting = arena_array(&request->arena, partitions, sizeof *park->waiting);
    return arena_is_full(&request->arena) ? NULL : park;
}

static enum txn_gate_mode
gate_mode(int16_t version)
{
    if (version >= PRODUCE_VERSION_ADDS)
        return TXN_GATE_ADD;
    return version >= PRODUCE_VERSION_ABORTABLE ? TXN_GATE_CHECK : TXN_GATE_CHECK_OLD;
}

/* Where in a request one is. */
struct cursor {
    int32_t topic;
    int32_t partition;
};

/* The next partition into which the request writes records of a transaction, and these; NULL behind
 * the last. What is answered without looking at a transaction is passed over: topics that are not
 * there, records whose form is refused. */
static struct partition *
transactional_next(struct broker *broker, const struct request *request, struct cursor *at,
    struct batch_view *batch)
{
    const struct km_produce_request *in = request->in;
    int16_t error;

    for (; at->topic < in->topic_data.count; at->topic++, at->partition = 0) {
        const topic_in *topic_data = &in->topic_data.items[at->topic];
        struct topic *topic = topic_find(broker, request, topic_data, &error);

        while (topic != NULL && at->partition < topic_data->partition_data.count) {
            const partition_in *from = &topic_data->partition_data.items[at->partition++];
            struct partition *partition = topics_partition(topic, from->index);

            if (partition != NULL && form_check(request, from, batch) == BATCH_VALIDATE_OK &&
                batch_view_is_transactional(batch) && batch_view_has_producer(batch))
                return partition;
        }
    }
    return NULL;
}

/* The gate for what is transactional in the request, which comes from one producer; NULL where
 * nothing is, or where it is refused. The gate does not know coordinated topics. */
static struct txn_gate *
gate_make(struct broker *broker, struct request *request, int16_t *refusal)
{
    const struct km_produce_request *in = request->in;
    int16_t version = request->header.api_version;
    struct cursor first = {0}, at = {0};
    struct txn_gate *gate = NULL;
    struct partition *partition;
    struct batch_view batch;

    while (transactional_next(broker, request, &first, &batch) != NULL) {
        if (gate == NULL)
            gate = txn_gate_new(broker, request, in->transactional_id, batch.producer_id,
                batch.producer_epoch, gate_mode(version));
        if (!txn_gate_is_of(gate, batch.producer_id, batch.producer_epoch)) {
            *refusal = KE_INVALID_PRODUCER_ID_MAPPING;
            txn_gate_free(gate);
            return NULL;
        }
    }
    while (gate != NULL && (partition = transactional_next(broker, request, &at, &batch)) != NULL) {
        struct verification_place place = {
            partition->topic_id, partition->index, batch.producer_id};
        struct verification noted = {.noted_ms = env_wall_ms(broker->env),
            .base_sequence = batch.base_sequence,
            .producer_epoch = batch.producer_epoch,
            .bumps = version >= PRODUCE_VERSION_ADDS};

        if (!partition->topic->configs.values.coordinated && txn_gate_need(gate, partition))
            verifications_note(broker->verifications, &place, &noted);
    }
    return gate;
}

/*
 * What is wrong with the request as a whole. Kafka looks for transactional records, which need a
 * transactional id, before it looks for topics (RequestUtils.hasTransactionalRecords): where a
 * partition's records begin with what is no batch, all of the request fails with that, unless a
 * transactional batch stands before it.
 */
static int16_t
request_judge(struct request *request, const char **why)
{
    const struct km_produce_request *in = request->in;

    for (int32_t i = 0; i < in->topic_data.count; i++)
        for (int32_t k = 0; k < in->topic_data.items[i].partition_data.count; k++) {
            const struct wire_records *records =
                &in->topic_data.items[i].partition_data.items[k].records;
            size_t size = records->size <= 0 ? 0 : (size_t)records->size;
            struct batch_view batch;
            struct err e;

            if (batch_view_begin(records->data, size, &e) == RC_CORRUPT) {
                *why = arena_strdup(&request->arena, e.text);
                return KE_CORRUPT_MESSAGE;
            }
            if (batch_view_parse(records->data, size, &batch, &e) == RC_OK &&
                batch_view_is_transactional(&batch))
                return in->transactional_id.size < 0 ? KE_TRANSACTIONAL_ID_AUTHORIZATION_FAILED
                                                     : KE_NONE;
        }
    return KE_NONE;
}

static enum h_result
records_take(
    struct broker *broker, struct request *request, struct park *park, const struct txn_gate *gate)
{
    const struct km_produce_request *in = request->in;
    struct km_produce_response *out = request->out;

    for (int32_t i = 0; i < in->topic_data.count; i++)
        topic_append(
            broker, request, &in->topic_data.items[i], &out->responses.items[i], park, gate);
    request->park = park;
    park->counted = true;
    if (park->open == 0)
        return outcome(request);
    request->on_drop = dropped;
    if (is_acknowledged(request))
        broker_set_deadline(broker, request,
            env_now_ms(broker->env) + (in->timeout_ms < 0 ? 0 : in->timeout_ms), timed_out);
    return H_PARK;
}

static void
gate_passed(struct broker *broker, struct request *request, const struct txn_gate *gate)
{
    struct park *park = response_make(request, request->in, request->out);
    enum h_result result = park == NULL ? H_CLOSE : records_take(broker, request, park, gate);

    if (result != H_PARK)
        broker_finish_as(broker, request, result);
}

enum h_result
h_produce(struct broker *broker, struct request *request, const void *in_, void *out)
{
    const char *why = NULL;
    int16_t refusal = request_judge(request, &why);
    struct txn_gate *gate = refusal == KE_NONE ? gate_make(broker, request, &refusal) : NULL;
    struct park *park;

    if (gate != NULL) {
        txn_gate_enter(gate, gate_passed);
        return H_PARK;
    }
    park = response_make(request, in_, out);
    if (park == NULL)
        return H_CLOSE;
    park->refusal = refusal;
    park->why = why;
    return records_take(broker, request, park, NULL);
}
