/*
 * InitializeShareGroupState, ReadShareGroupState, WriteShareGroupState, DeleteShareGroupState,
 * ReadShareGroupStateSummary: what brokers that lead partitions, and group coordinators, ask a
 * share coordinator (KIP-932; KafkaApis, ShareCoordinatorService). As in Kafka they are answered
 * whatever the level of share.version is.
 *
 * Every partition of a request is judged by itself, in the order of the request, and the answer
 * waits until all that it tells is durable.
 */
#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/coord/share_states.h"
#include "refbroker/limits.h"

struct asking;

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
    const char *what;        /* "write share group state" */
    size_t open;
    size_t next;
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
        text = arena_printf(&request->arena, "Unable to %s: %s", part->asking->what, e->text);
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

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct asking *)request->park)->request = NULL;
}

/* `count` partitions; NULL where they are more than one request may have. */
static struct asking *
asking_new(struct request *request, size_t count, const char *what)
{
    struct asking *asking;

    if (count > LIMIT_SHARE_ASK_PARTITIONS_MAX || arena_is_full(&request->arena))
        return NULL;
    asking = xcalloc(1, sizeof *asking + count * sizeof asking->parts[0]);
    asking->request = request;
    asking->what = what;
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

/* A group as a C string; NULL where there is none, or one with a zero byte: then nothing is
 * answered, as Kafka does without a group. */
static const char *
group_of(struct request *request, struct wire_string group_id)
{
    return group_id.size <= 0 || !request_is_plain(group_id)
               ? NULL
               : arena_dup(&request->arena, group_id.data, (size_t)group_id.size);
}

/* --- InitializeShareGroupState ---------------------------------------------------------------- */

/* The number of partitions; 0 where nothing is answered. */
static size_t
initialize_count(const struct km_initialize_share_group_state_request *in)
{
    size_t count = 0;

    for (int32_t i = 0; i < in->topics.count; i++) {
        count += (size_t)in->topics.items[i].partitions.count;
    }
    return count;
}

/* The shape of the answer. */
static void
initialize_shape(struct request *request, const struct km_initialize_share_group_state_request *in,
    struct km_initialize_share_group_state_response *out)
{
    out->results.items = codec_array(&request->arena,
        &km_initialize_share_group_state_response_initialize_state_result_desc, in->topics.count);
    for (int32_t i = 0; out->results.items != NULL && i < in->topics.count; i++) {
        struct km_initialize_share_group_state_response_initialize_state_result *to =
            &out->results.items[i];

        to->topic_id = in->topics.items[i].topic_id;
        to->partitions.items = codec_array(&request->arena,
            &km_initialize_share_group_state_response_partition_result_desc,
            in->topics.items[i].partitions.count);
        to->partitions.count = in->topics.items[i].partitions.count;
        out->results.count = i + 1;
    }
}

static void
initialize_one(struct broker *broker, struct asking *asking, const struct share_key *key,
    const struct km_initialize_share_group_state_request_partition_data *in,
    struct km_initialize_share_group_state_response_partition_result *out)
{
    struct part *part = part_next(asking, &out->error_code, &out->error_message);
    struct err e;

    out->partition = key->partition;
    part_answered(broker, part,
        share_states_initialize(
            broker->share_states, key, in->state_epoch, in->start_offset, &part->waiter, &e),
        &e);
}

enum h_result
h_initialize_share_group_state(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_initialize_share_group_state_request *in = in_;
    struct km_initialize_share_group_state_response *out = out_;
    struct share_key key = {.group_id = group_of(request, in->group_id)};
    size_t count = initialize_count(in);
    struct asking *asking;

    if (key.group_id == NULL || count == 0)
        return arena_is_full(&request->arena) ? H_CLOSE : H_DONE;
    initialize_shape(request, in, out);
    asking = asking_new(request, count, "initialize share group state");
    if (asking == NULL)
        return H_CLOSE;
    for (int32_t i = 0; i < in->topics.count; i++) {
        key.topic_id = in->topics.items[i].topic_id;
        for (int32_t k = 0; k < in->topics.items[i].partitions.count; k++) {
            key.partition = in->topics.items[i].partitions.items[k].partition;
            initialize_one(broker, asking, &key, &in->topics.items[i].partitions.items[k],
                &out->results.items[i].partitions.items[k]);
        }
    }
    return asking_wait(broker, asking);
}

/* --- ReadShareGroupState ---------------------------------------------------------------------- */

/* The number of partitions; 0 where nothing is answered. */
static size_t
read_count(const struct km_read_share_group_state_request *in)
{
    size_t count = 0;

    for (int32_t i = 0; i < in->topics.count; i++) {
        if (in->topics.items[i].partitions.count == 0)
            return 0;
        count += (size_t)in->topics.items[i].partitions.count;
    }
    return count;
}

/* The shape of the answer. */
static void
read_shape(struct request *request, const struct km_read_share_group_state_request *in,
    struct km_read_share_group_state_response *out)
{
    out->results.items = codec_array(&request->arena,
        &km_read_share_group_state_response_read_state_result_desc, in->topics.count);
    for (int32_t i = 0; out->results.items != NULL && i < in->topics.count; i++) {
        struct km_read_share_group_state_response_read_state_result *to = &out->results.items[i];

        to->topic_id = in->topics.items[i].topic_id;
        to->partitions.items =
            codec_array(&request->arena, &km_read_share_group_state_response_partition_result_desc,
                in->topics.items[i].partitions.count);
        to->partitions.count = in->topics.items[i].partitions.count;
        out->results.count = i + 1;
    }
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
read_one(struct broker *broker, struct asking *asking, const struct share_key *key,
    const struct km_read_share_group_state_request_partition_data *in,
    struct km_read_share_group_state_response_partition_result *out)
{
    struct part *part = part_next(asking, &out->error_code, &out->error_message);
    const struct share_state *state = share_states_find(broker->share_states, key);
    int16_t error;
    struct err e;

    out->partition = key->partition;
    /* Kafka answers with what was there before the leader epoch was noted. */
    state_fill(asking->request, state, out);
    error =
        share_states_read(broker->share_states, key, in->leader_epoch, &state, &part->waiter, &e);
    if (error != KE_NONE)
        state_fill(asking->request, NULL, out);
    part_answered(broker, part, error, &e);
}

enum h_result
h_read_share_group_state(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_read_share_group_state_request *in = in_;
    struct km_read_share_group_state_response *out = out_;
    struct share_key key = {.group_id = group_of(request, in->group_id)};
    size_t count = read_count(in);
    struct asking *asking;

    if (key.group_id == NULL || count == 0)
        return arena_is_full(&request->arena) ? H_CLOSE : H_DONE;
    read_shape(request, in, out);
    asking = asking_new(request, count, "read share group state");
    if (asking == NULL)
        return H_CLOSE;
    for (int32_t i = 0; i < in->topics.count; i++) {
        key.topic_id = in->topics.items[i].topic_id;
        for (int32_t k = 0; k < in->topics.items[i].partitions.count; k++) {
            key.partition = in->topics.items[i].partitions.items[k].partition;
            read_one(broker, asking, &key, &in->topics.items[i].partitions.items[k],
                &out->results.items[i].partitions.items[k]);
        }
    }
    return asking_wait(broker, asking);
}

/* --- WriteShareGroupState --------------------------------------------------------------------- */

/* The number of partitions; 0 where nothing is answered. */
static size_t
write_count(const struct km_write_share_group_state_request *in)
{
    size_t count = 0;

    for (int32_t i = 0; i < in->topics.count; i++) {
        if (in->topics.items[i].partitions.count == 0)
            return 0;
        count += (size_t)in->topics.items[i].partitions.count;
    }
    return count;
}

/* The shape of the answer. */
static void
write_shape(struct request *request, const struct km_write_share_group_state_request *in,
    struct km_write_share_group_state_response *out)
{
    out->results.items = codec_array(&request->arena,
        &km_write_share_group_state_response_write_state_result_desc, in->topics.count);
    for (int32_t i = 0; out->results.items != NULL && i < in->topics.count; i++) {
        struct km_write_share_group_state_response_write_state_result *to = &out->results.items[i];

        to->topic_id = in->topics.items[i].topic_id;
        to->partitions.items =
            codec_array(&request->arena, &km_write_share_group_state_response_partition_result_desc,
                in->topics.items[i].partitions.count);
        to->partitions.count = in->topics.items[i].partitions.count;
        out->results.count = i + 1;
    }
}

static void
write_one(struct broker *broker, struct asking *asking, const struct share_key *key,
    const struct km_write_share_group_state_request_partition_data *in,
    struct km_write_share_group_state_response_partition_result *out)
{
    struct part *part = part_next(asking, &out->error_code, &out->error_message);
    struct share_write write = {.state_epoch = in->state_epoch,
        .leader_epoch = in->leader_epoch,
        .start_offset = in->start_offset,
        .delivery_complete_count = in->delivery_complete_count,
        .batch_count = (size_t)in->state_batches.count};
    struct share_batch *batches = NULL;
    struct err e;

    out->partition = key->partition;
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

enum h_result
h_write_share_group_state(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_write_share_group_state_request *in = in_;
    struct km_write_share_group_state_response *out = out_;
    struct share_key key = {.group_id = group_of(request, in->group_id)};
    size_t count = write_count(in);
    struct asking *asking;

    if (key.group_id == NULL || count == 0)
        return arena_is_full(&request->arena) ? H_CLOSE : H_DONE;
    write_shape(request, in, out);
    asking = asking_new(request, count, "write share group state");
    if (asking == NULL)
        return H_CLOSE;
    for (int32_t i = 0; i < in->topics.count; i++) {
        key.topic_id = in->topics.items[i].topic_id;
        for (int32_t k = 0; k < in->topics.items[i].partitions.count; k++) {
            key.partition = in->topics.items[i].partitions.items[k].partition;
            write_one(broker, asking, &key, &in->topics.items[i].partitions.items[k],
                &out->results.items[i].partitions.items[k]);
        }
    }
    return asking_wait(broker, asking);
}

/* --- DeleteShareGroupState -------------------------------------------------------------------- */

/* The number of partitions; 0 where nothing is answered. */
static size_t
delete_count(const struct km_delete_share_group_state_request *in)
{
    size_t count = 0;

    for (int32_t i = 0; i < in->topics.count; i++) {
        if (in->topics.items[i].partitions.count == 0)
            return 0;
        count += (size_t)in->topics.items[i].partitions.count;
    }
    return count;
}

/* The shape of the answer. */
static void
delete_shape(struct request *request, const struct km_delete_share_group_state_request *in,
    struct km_delete_share_group_state_response *out)
{
    out->results.items = codec_array(&request->arena,
        &km_delete_share_group_state_response_delete_state_result_desc, in->topics.count);
    for (int32_t i = 0; out->results.items != NULL && i < in->topics.count; i++) {
        struct km_delete_share_group_state_response_delete_state_result *to =
            &out->results.items[i];

        to->topic_id = in->topics.items[i].topic_id;
        to->partitions.items = codec_array(&request->arena,
            &km_delete_share_group_state_response_partition_result_desc,
            in->topics.items[i].partitions.count);
        to->partitions.count = in->topics.items[i].partitions.count;
        out->results.count = i + 1;
    }
}

static void
delete_one(struct broker *broker, struct asking *asking, const struct share_key *key,
    const struct km_delete_share_group_state_request_partition_data *in,
    struct km_delete_share_group_state_response_partition_result *out)
{
    struct part *part = part_next(asking, &out->error_code, &out->error_message);
    struct err e;

    out->partition = key->partition;
    (void)in;
    part_answered(
        broker, part, share_states_delete(broker->share_states, key, &part->waiter, &e), &e);
}

enum h_result
h_delete_share_group_state(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_delete_share_group_state_request *in = in_;
    struct km_delete_share_group_state_response *out = out_;
    struct share_key key = {.group_id = group_of(request, in->group_id)};
    size_t count = delete_count(in);
    struct asking *asking;

    if (key.group_id == NULL || count == 0)
        return arena_is_full(&request->arena) ? H_CLOSE : H_DONE;
    delete_shape(request, in, out);
    asking = asking_new(request, count, "delete share group state");
    if (asking == NULL)
        return H_CLOSE;
    for (int32_t i = 0; i < in->topics.count; i++) {
        key.topic_id = in->topics.items[i].topic_id;
        for (int32_t k = 0; k < in->topics.items[i].partitions.count; k++) {
            key.partition = in->topics.items[i].partitions.items[k].partition;
            delete_one(broker, asking, &key, &in->topics.items[i].partitions.items[k],
                &out->results.items[i].partitions.items[k]);
        }
    }
    return asking_wait(broker, asking);
}

/* --- ReadShareGroupStateSummary --------------------------------------------------------------- */

/* The number of partitions; 0 where nothing is answered. */
static size_t
summary_count(const struct km_read_share_group_state_summary_request *in)
{
    size_t count = 0;

    for (int32_t i = 0; i < in->topics.count; i++) {
        if (in->topics.items[i].partitions.count == 0)
            return 0;
        count += (size_t)in->topics.items[i].partitions.count;
    }
    return count;
}

/* The shape of the answer. */
static void
summary_shape(struct request *request, const struct km_read_share_group_state_summary_request *in,
    struct km_read_share_group_state_summary_response *out)
{
    out->results.items = codec_array(&request->arena,
        &km_read_share_group_state_summary_response_read_state_summary_result_desc,
        in->topics.count);
    for (int32_t i = 0; out->results.items != NULL && i < in->topics.count; i++) {
        struct km_read_share_group_state_summary_response_read_state_summary_result *to =
            &out->results.items[i];

        to->topic_id = in->topics.items[i].topic_id;
        to->partitions.items = codec_array(&request->arena,
            &km_read_share_group_state_summary_response_partition_result_desc,
            in->topics.items[i].partitions.count);
        to->partitions.count = in->topics.items[i].partitions.count;
        out->results.count = i + 1;
    }
}

static void
summary_one(struct broker *broker, struct asking *asking, const struct share_key *key,
    const struct km_read_share_group_state_summary_request_partition_data *in,
    struct km_read_share_group_state_summary_response_partition_result *out)
{
    struct part *part = part_next(asking, &out->error_code, &out->error_message);
    const struct share_state *state = NULL;
    int16_t error;
    struct err e;

    out->partition = key->partition;
    error = share_states_summary(broker->share_states, key, &state, &part->waiter, &e);
    (void)in;
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

enum h_result
h_read_share_group_state_summary(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_read_share_group_state_summary_request *in = in_;
    struct km_read_share_group_state_summary_response *out = out_;
    struct share_key key = {.group_id = group_of(request, in->group_id)};
    size_t count = summary_count(in);
    struct asking *asking;

    if (key.group_id == NULL || count == 0)
        return arena_is_full(&request->arena) ? H_CLOSE : H_DONE;
    summary_shape(request, in, out);
    asking = asking_new(request, count, "read share group state summary");
    if (asking == NULL)
        return H_CLOSE;
    for (int32_t i = 0; i < in->topics.count; i++) {
        key.topic_id = in->topics.items[i].topic_id;
        for (int32_t k = 0; k < in->topics.items[i].partitions.count; k++) {
            key.partition = in->topics.items[i].partitions.items[k].partition;
            summary_one(broker, asking, &key, &in->topics.items[i].partitions.items[k],
                &out->results.items[i].partitions.items[k]);
        }
    }
    return asking_wait(broker, asking);
}
