/*
 * InitializeShareGroupState, ReadShareGroupState, WriteShareGroupState, DeleteShareGroupState,
 * ReadShareGroupStateSummary: what brokers that lead partitions, and group coordinators, ask a
 * share coordinator (KIP-932; KafkaApis, ShareCoordinatorService). As in Kafka they are answered
 * whatever the level of share.version is.
 *
 * Every partition of a request is judged by itself, in the order of the request, and the answer
 * waits until all that it tells is durable. The five messages have one shape, a group, topics and
 * partitions, so that one function walks all of them by their descriptors; what is asked of a
 * partition is the kind's own.
 */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/coord/share_states.h"
#include "refbroker/limits.h"

struct asking;

/* Asks for one partition, and fills in the answer for it. */
typedef void ask_fn(struct broker *broker, struct asking *asking, const struct share_key *key,
    const void *in, void *out);

struct kind {
    const char *what; /* "write share group state" */
    const struct wire_struct *request;
    const struct wire_struct *response;
    ask_fn *ask;
    bool takes_empty; /* topics without partitions do no harm */
};

/* One partition that waits. */
struct part {
    struct append_waiter waiter;
    struct asking *asking;
    int16_t *error_code; /* in the answer */
    struct wire_string *error_message;
};

/* A request while its partitions wait. It outlives the request when the connection goes first. */
struct asking {
    struct request *request; /* NULL once it is gone */
    const struct kind *kind;
    size_t open;
    size_t next;
    size_t batches; /* that were looked at so far */
    struct part parts[];
};

/* --- what all of them share ------------------------------------------------------------------ */

static void
asking_end(struct broker *broker, struct asking *asking)
{
    if (--asking->open > 0)
        return;
    if (asking->request != NULL)
        broker_finish(broker, asking->request);
    free(asking);
}

static void
part_refuse(struct part *part, int16_t error, const struct err *e)
{
    struct request *request = part->asking->request;
    const char *text = e->text;

    /* What did not come from the state itself is told with what was tried. */
    if (error == KE_NOT_COORDINATOR || error == KE_COORDINATOR_NOT_AVAILABLE ||
        error == KE_UNKNOWN_SERVER_ERROR)
        text = arena_printf(&request->arena, "Unable to %s: %s", part->asking->kind->what, e->text);
    *part->error_code = error;
    *part->error_message = request_text_dup(request, text);
}

static void
part_done(struct broker *broker, struct append_waiter *waiter, int16_t append_error)
{
    struct part *part = list_of(waiter, struct part, waiter);
    struct err e;
    int16_t error = share_states_append_error(append_error, &e);

    if (error != KE_NONE && part->asking->request != NULL)
        part_refuse(part, error, &e);
    asking_end(broker, part->asking);
}

/* The next partition of a request, and where its answer is told what went wrong. */
static struct part *
part_next(struct asking *asking, int16_t *error_code, struct wire_string *error_message)
{
    struct part *part = &asking->parts[asking->next++];

    asking->open++;
    part->asking = asking;
    part->waiter.done = part_done;
    part->error_code = error_code;
    part->error_message = error_message;
    return part;
}

/* The answer for a partition that does not wait. */
static void
part_answered(struct broker *broker, struct part *part, int16_t error, const struct err *e)
{
    if (error == KE_NONE)
        return;
    part_refuse(part, error, e);
    asking_end(broker, part->asking);
}

/* Whether a request may have `count` more batches looked at; the part is answered where not. Merges
 * of large states, many times over, would keep others waiting. */
static bool
part_affords(struct broker *broker, struct part *part, size_t count)
{
    struct err e;

    part->asking->batches += count;
    if (part->asking->batches <= LIMIT_SHARE_ASK_BATCHES_MAX)
        return true;
    (void)err_set(&e, RC_LIMIT, "The request is about too many batches of states.");
    part_answered(broker, part, KE_UNKNOWN_SERVER_ERROR, &e);
    return false;
}

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct asking *)request->park)->request = NULL;
}

static struct asking *
asking_new(struct request *request, size_t count, const struct kind *kind)
{
    struct asking *asking = xcalloc(1, sizeof *asking + count * sizeof asking->parts[0]);

    asking->request = request;
    asking->kind = kind;
    asking->open = 1;
    request->park = asking;
    request->on_drop = dropped;
    return asking;
}

static enum h_result
asking_wait(struct broker *broker, struct asking *asking)
{
    struct request *request = asking->request;

    if (arena_is_full(&request->arena)) {
        asking->request = NULL;
        request->on_drop = NULL;
        asking_end(broker, asking);
        return H_CLOSE;
    }
    asking_end(broker, asking);
    return H_PARK;
}

/* --- walking --------------------------------------------------------------------------------- */

/* The arrays of the messages are the last fields of their structs. */
static const struct wire_field *
array_field(const struct wire_struct *desc)
{
    return &desc->fields[desc->field_count - 1];
}

static struct wire_array *
array_at(const struct wire_field *field, const void *object)
{
    return (struct wire_array *)(uintptr_t)((const char *)object + field->offset);
}

static void *
item_at(const struct wire_field *field, const struct wire_array *array, int32_t i)
{
    return (char *)array->items + (size_t)i * field->sub->size;
}

/* The number of partitions of a request; 0 where nothing is answered. */
static size_t
partitions_count(const struct kind *kind, const void *in)
{
    const struct wire_field *topics = array_field(kind->request);
    const struct wire_array *array = array_at(topics, in);
    size_t count = 0;

    for (int32_t i = 0; i < array->count; i++) {
        const struct wire_array *partitions =
            array_at(array_field(topics->sub), item_at(topics, array, i));

        if (partitions->count == 0 && !kind->takes_empty)
            return 0;
        count += (size_t)partitions->count;
    }
    return count;
}

/* Makes room for `count` answers in an array of the response; false where there is no memory. */
static bool
array_make(struct request *request, const struct wire_field *field, struct wire_array *array,
    int32_t count)
{
    array->items = codec_array(&request->arena, field->sub, count);
    array->count = array->items == NULL ? 0 : count;
    return array->items != NULL;
}

/* Topics stand first in their structs, and so do partitions. */
static bool
response_shape(struct request *request, const struct kind *kind, const void *in, void *out)
{
    const struct wire_field *topics = array_field(kind->request);
    const struct wire_field *results = array_field(kind->response);
    const struct wire_array *from = array_at(topics, in);
    struct wire_array *to = array_at(results, out);

    if (!array_make(request, results, to, from->count))
        return false;
    for (int32_t i = 0; i < from->count; i++) {
        const void *topic = item_at(topics, from, i);
        void *result = item_at(results, to, i);

        memcpy(result, topic, sizeof(struct wire_uuid));
        if (!array_make(request, array_field(results->sub),
                array_at(array_field(results->sub), result),
                array_at(array_field(topics->sub), topic)->count))
            return false;
    }
    return true;
}

static void
topic_ask(struct broker *broker, struct asking *asking, struct share_key *key, const void *topic,
    const void *result)
{
    const struct kind *kind = asking->kind;
    const struct wire_field *asked = array_field(array_field(kind->request)->sub);
    const struct wire_field *answers = array_field(array_field(kind->response)->sub);
    const struct wire_array *from = array_at(asked, topic), *to = array_at(answers, result);

    memcpy(&key->topic_id, topic, sizeof key->topic_id);
    for (int32_t i = 0; i < from->count; i++) {
        void *answer = item_at(answers, to, i);

        memcpy(&key->partition, item_at(asked, from, i), sizeof key->partition);
        memcpy(answer, &key->partition, sizeof key->partition);
        kind->ask(broker, asking, key, item_at(asked, from, i), answer);
    }
}

/* A group with a zero byte is answered as none at all. */
static enum h_result
request_ask(struct broker *broker, struct request *request, const struct kind *kind,
    struct wire_string group_id, void *out)
{
    const struct wire_field *topics = array_field(kind->request);
    const struct wire_field *results = array_field(kind->response);
    size_t count = partitions_count(kind, request->in);
    struct share_key key = {0};
    struct asking *asking;

    if (group_id.size <= 0 || !request_is_plain(group_id) || count == 0)
        return H_DONE;
    key.group_id = arena_dup(&request->arena, group_id.data, (size_t)group_id.size);
    if (count > LIMIT_SHARE_ASK_PARTITIONS_MAX || key.group_id == NULL ||
        !response_shape(request, kind, request->in, out))
        return H_CLOSE;
    asking = asking_new(request, count, kind);
    for (int32_t i = 0; i < array_at(topics, request->in)->count; i++)
        topic_ask(broker, asking, &key, item_at(topics, array_at(topics, request->in), i),
            item_at(results, array_at(results, out), i));
    return asking_wait(broker, asking);
}

/* --- what is asked of a partition ------------------------------------------------------------ */

static void
initialize_ask(struct broker *broker, struct asking *asking, const struct share_key *key,
    const void *in_, void *out_)
{
    const struct km_initialize_share_group_state_request_partition_data *in = in_;
    struct km_initialize_share_group_state_response_partition_result *out = out_;
    struct part *part = part_next(asking, &out->error_code, &out->error_message);
    struct err e;

    part_answered(broker, part,
        share_states_initialize(
            broker->share_states, key, in->state_epoch, in->start_offset, &part->waiter, &e),
        &e);
}

/* What is stored; NULL takes it back. */
static void
state_fill(struct request *request, const struct share_state *state,
    struct km_read_share_group_state_response_partition_result *out)
{
    size_t count = state == NULL ? 0 : state->batch_count;

    out->state_epoch = state == NULL ? 0 : state->state_epoch;
    out->start_offset = state == NULL ? 0 : state->start_offset;
    out->state_batches.count = 0;
    out->state_batches.items = codec_array(
        &request->arena, &km_read_share_group_state_response_state_batch_desc, (int32_t)count);
    for (size_t i = 0; out->state_batches.items != NULL && i < count; i++) {
        const struct share_batch *batch = &state->batches[i];

        out->state_batches.items[out->state_batches.count++] =
            (struct km_read_share_group_state_response_state_batch){batch->first_offset,
                batch->last_offset, batch->delivery_state, batch->delivery_count};
    }
}

static void
read_ask(struct broker *broker, struct asking *asking, const struct share_key *key, const void *in_,
    void *out_)
{
    const struct km_read_share_group_state_request_partition_data *in = in_;
    struct km_read_share_group_state_response_partition_result *out = out_;
    struct part *part = part_next(asking, &out->error_code, &out->error_message);
    const struct share_state *state = share_states_find(broker->share_states, key);
    int16_t error;
    struct err e;

    if (!part_affords(broker, part, state == NULL ? 0 : state->batch_count))
        return;
    /* Kafka answers with what was there before the leader epoch was noted. */
    state_fill(asking->request, state, out);
    error =
        share_states_read(broker->share_states, key, in->leader_epoch, &state, &part->waiter, &e);
    if (error != KE_NONE)
        state_fill(asking->request, NULL, out);
    part_answered(broker, part, error, &e);
}

static void
write_ask(struct broker *broker, struct asking *asking, const struct share_key *key,
    const void *in_, void *out_)
{
    const struct km_write_share_group_state_request_partition_data *in = in_;
    struct km_write_share_group_state_response_partition_result *out = out_;
    struct part *part = part_next(asking, &out->error_code, &out->error_message);
    const struct share_state *state = share_states_find(broker->share_states, key);
    struct share_write write = {.state_epoch = in->state_epoch,
        .leader_epoch = in->leader_epoch,
        .start_offset = in->start_offset,
        .delivery_complete_count = in->delivery_complete_count,
        .batch_count = (size_t)in->state_batches.count};
    struct share_batch *batches = NULL;
    struct err e;

    if (!part_affords(broker, part, write.batch_count + (state == NULL ? 0 : state->batch_count)))
        return;
    /* Too many are refused unseen. */
    if (write.batch_count <= LIMIT_SHARE_STATE_BATCHES_MAX)
        batches = xcalloc(write.batch_count, sizeof *batches);
    for (size_t i = 0; batches != NULL && i < write.batch_count; i++)
        batches[i] = (struct share_batch){in->state_batches.items[i].first_offset,
            in->state_batches.items[i].last_offset, in->state_batches.items[i].delivery_count,
            in->state_batches.items[i].delivery_state};
    write.batches = batches;
    part_answered(
        broker, part, share_states_write(broker->share_states, key, &write, &part->waiter, &e), &e);
    free(batches);
}

static void
delete_ask(struct broker *broker, struct asking *asking, const struct share_key *key,
    const void *in_, void *out_)
{
    struct km_delete_share_group_state_response_partition_result *out = out_;
    struct part *part = part_next(asking, &out->error_code, &out->error_message);
    struct err e;

    (void)in_;
    part_answered(
        broker, part, share_states_delete(broker->share_states, key, &part->waiter, &e), &e);
}

static void
summary_ask(struct broker *broker, struct asking *asking, const struct share_key *key,
    const void *in_, void *out_)
{
    struct km_read_share_group_state_summary_response_partition_result *out = out_;
    struct part *part = part_next(asking, &out->error_code, &out->error_message);
    const struct share_state *state = NULL;
    struct err e;
    int16_t error = share_states_summary(broker->share_states, key, &state, &part->waiter, &e);

    (void)in_;
    if (state != NULL) {
        out->state_epoch = state->state_epoch;
        out->leader_epoch = state->leader_epoch;
        out->start_offset = state->start_offset;
        out->delivery_complete_count = state->delivery_complete_count;
    } else if (error == KE_NONE) {
        out->start_offset = SHARE_OFFSET_UNKNOWN;
    }
    part_answered(broker, part, error, &e);
}

/* --- handlers -------------------------------------------------------------------------------- */

#define KIND(what, api, ask, takes_empty)                                                          \
    {                                                                                              \
        what, &km_##api##_request_desc, &km_##api##_response_desc, ask, takes_empty                \
    }

enum h_result
h_initialize_share_group_state(
    struct broker *broker, struct request *request, const void *in_, void *out)
{
    static const struct kind kind =
        KIND("initialize share group state", initialize_share_group_state, initialize_ask, true);
    const struct km_initialize_share_group_state_request *in = in_;

    return request_ask(broker, request, &kind, in->group_id, out);
}

enum h_result
h_read_share_group_state(struct broker *broker, struct request *request, const void *in_, void *out)
{
    static const struct kind kind =
        KIND("read share group state", read_share_group_state, read_ask, false);
    const struct km_read_share_group_state_request *in = in_;

    return request_ask(broker, request, &kind, in->group_id, out);
}

enum h_result
h_write_share_group_state(
    struct broker *broker, struct request *request, const void *in_, void *out)
{
    static const struct kind kind =
        KIND("write share group state", write_share_group_state, write_ask, false);
    const struct km_write_share_group_state_request *in = in_;

    return request_ask(broker, request, &kind, in->group_id, out);
}

enum h_result
h_delete_share_group_state(
    struct broker *broker, struct request *request, const void *in_, void *out)
{
    static const struct kind kind =
        KIND("delete share group state", delete_share_group_state, delete_ask, false);
    const struct km_delete_share_group_state_request *in = in_;

    return request_ask(broker, request, &kind, in->group_id, out);
}

enum h_result
h_read_share_group_state_summary(
    struct broker *broker, struct request *request, const void *in_, void *out)
{
    static const struct kind kind =
        KIND("read share group state summary", read_share_group_state_summary, summary_ask, false);
    const struct km_read_share_group_state_summary_request *in = in_;

    return request_ask(broker, request, &kind, in->group_id, out);
}
