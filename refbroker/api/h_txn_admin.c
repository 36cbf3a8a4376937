/*
 * DescribeTransactions, ListTransactions, WriteTxnMarkers (KIP-664, KIP-994, KIP-1152).
 *
 * WriteTxnMarkers comes from administrators that end a hanging transaction: the markers of each
 * entry are judged by what their partitions know (txn_marker.h).
 */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/coord/topic_pattern.h"
#include "refbroker/coord/txn_marker.h"
#include "refbroker/coord/txns.h"

/* --- DescribeTransactions -------------------------------------------------------------------- */

typedef struct km_describe_transactions_response_transaction_state described;

/* False where there is no memory. */
static bool
txn_describe(struct request *request, const struct txn *txn, described *out)
{
    const struct txn_topic *topic;
    size_t position = 0;

    out->transaction_state = request_text(txn_state_name(txn->now.state));
    out->transaction_timeout_ms = txn->now.timeout_ms;
    out->transaction_start_time_ms = txn->now.start_ms;
    out->producer_id = txn->now.producer_id;
    out->producer_epoch = txn->now.producer_epoch;
    out->topics.items =
        codec_array(&request->arena, &km_describe_transactions_response_topic_data_desc,
            (int32_t)map_count(&txn->partitions.topics));
    if (out->topics.items == NULL)
        return false;
    while ((topic = txn_partitions_next(&txn->partitions, &position)) != NULL) {
        struct km_describe_transactions_response_topic_data *to =
            &out->topics.items[out->topics.count++];

        /* The answer may wait for its connection longer than the transaction lasts. */
        to->topic = request_text_dup(request, topic->name);
        to->partitions.items = arena_dup(
            &request->arena, topic->indexes, (size_t)topic->count * sizeof *topic->indexes);
        to->partitions.count = topic->count;
    }
    return !arena_is_full(&request->arena);
}

enum h_result
h_describe_transactions(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_describe_transactions_request *in = in_;
    struct km_describe_transactions_response *out = out_;

    out->transaction_states.items = codec_array(&request->arena,
        &km_describe_transactions_response_transaction_state_desc, in->transactional_ids.count);
    if (out->transaction_states.items == NULL)
        return H_CLOSE;
    out->transaction_states.count = in->transactional_ids.count;
    for (int32_t i = 0; i < in->transactional_ids.count; i++) {
        described *to = &out->transaction_states.items[i];
        const struct txn *txn = txns_find(broker->txns, in->transactional_ids.items[i]);

        to->transactional_id = in->transactional_ids.items[i];
        if (to->transactional_id.size == 0)
            to->error_code = KE_INVALID_REQUEST;
        else if (txn == NULL)
            to->error_code = KE_TRANSACTIONAL_ID_NOT_FOUND;
        else if (!txn_describe(request, txn, to))
            return H_CLOSE;
    }
    return H_DONE;
}

/* --- ListTransactions ------------------------------------------------------------------------ */

struct filter {
    unsigned states;                     /* bits; all without a filter by state */
    struct map producer_ids;             /* as keys */
    const struct topic_pattern *pattern; /* of ids; NULL: any */
    int64_t duration_ms;
    int64_t now_ms;
};

static bool
filter_passes(const struct filter *filter, const struct txn *txn)
{
    if ((filter->states & 1u << txn->now.state) == 0)
        return false;
    if (filter->duration_ms >= 0 && filter->now_ms - txn->now.start_ms <= filter->duration_ms)
        return false;
    if (map_count(&filter->producer_ids) > 0 &&
        map_get_int(&filter->producer_ids, txn->now.producer_id) == NULL)
        return false;
    return filter->pattern == NULL || topic_pattern_matches(filter->pattern, txn->id);
}

/* The states asked for; names that mean none go into the answer, each once. False where there is no
 * memory. */
static bool
states_read(struct request *request, const struct km_list_transactions_request *in,
    struct km_list_transactions_response *out, unsigned *states)
{
    struct map unknown; /* names, as keys */

    *states = in->state_filters.count > 0 ? 0 : ~0u;
    out->unknown_state_filters.items = arena_array(
        &request->arena, (size_t)in->state_filters.count, sizeof *out->unknown_state_filters.items);
    if (out->unknown_state_filters.items == NULL)
        return false;
    map_init(&unknown);
    for (int32_t i = 0; i < in->state_filters.count; i++) {
        struct wire_string name = in->state_filters.items[i];
        int state = txn_state_of(name.data, (size_t)name.size);

        if (state >= 0)
            *states |= 1u << state;
        else if (map_put(&unknown, name.data, (size_t)name.size, out) == NULL)
            out->unknown_state_filters.items[out->unknown_state_filters.count++] = name;
    }
    map_fini(&unknown, NULL);
    return true;
}

/* False where there is no memory. */
static bool
list_fill(const struct broker *broker, struct request *request, const struct filter *filter,
    struct km_list_transactions_response *out)
{
    const struct txn *txn;
    size_t position = 0;
    int32_t count = 0;

    while ((txn = txns_next(broker->txns, &position)) != NULL)
        count += filter_passes(filter, txn);
    out->transaction_states.items =
        codec_array(&request->arena, &km_list_transactions_response_transaction_state_desc, count);
    if (out->transaction_states.items == NULL)
        return false;
    position = 0;
    while ((txn = txns_next(broker->txns, &position)) != NULL)
        if (filter_passes(filter, txn))
            out->transaction_states.items[out->transaction_states.count++] =
                (struct km_list_transactions_response_transaction_state){
                    request_text_dup(request, txn->id), txn->now.producer_id,
                    request_text(txn_state_name(txn->now.state))};
    return !arena_is_full(&request->arena);
}

enum h_result
h_list_transactions(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_list_transactions_request *in = in_;
    struct km_list_transactions_response *out = out_;
    struct filter filter = {.duration_ms = in->duration_filter, .now_ms = env_wall_ms(broker->env)};
    struct topic_pattern *pattern = NULL;
    const char *why;
    bool ok;

    if (!states_read(request, in, out, &filter.states))
        return H_CLOSE;
    if (in->transactional_id_pattern.size > 0) {
        pattern = topic_pattern_new(
            in->transactional_id_pattern.data, (size_t)in->transactional_id_pattern.size, &why);
        if (pattern == NULL) {
            out->error_code = KE_INVALID_REGULAR_EXPRESSION;
            out->unknown_state_filters.count = 0;
            return H_DONE;
        }
    }
    filter.pattern = pattern;
    map_init(&filter.producer_ids);
    for (int32_t i = 0; i < in->producer_id_filters.count; i++)
        (void)map_put_int(&filter.producer_ids, in->producer_id_filters.items[i], broker);
    ok = list_fill(broker, request, &filter, out);
    map_fini(&filter.producer_ids, NULL);
    topic_pattern_free(pattern);
    return ok ? H_DONE : H_CLOSE;
}

/* --- WriteTxnMarkers ------------------------------------------------------------------------- */

#define MARKERS_MAX 10000 /* in one request */

typedef struct km_write_txn_markers_request_writable_txn_marker marker_in;
typedef struct km_write_txn_markers_response_writable_txn_marker_result marker_out;
typedef struct km_write_txn_markers_response_writable_txn_marker_partition_result partition_out;

struct writing;

struct written {
    struct txn_marker marker;
    struct writing *writing;
    partition_out *out;
};

/* The request while its markers are on their way; it outlives the request. */
struct writing {
    struct request *request; /* NULL once it is gone */
    size_t open;
    size_t next;
    struct written markers[];
};

static void
writing_end(struct broker *broker, struct writing *writing)
{
    if (--writing->open > 0)
        return;
    if (writing->request != NULL)
        broker_finish(broker, writing->request);
    free(writing);
}

static void
marker_done(struct broker *broker, struct txn_marker *marker, int16_t error)
{
    struct written *written = list_of(marker, struct written, marker);

    if (written->writing->request != NULL)
        written->out->error_code = error;
    broker->stats.transaction_markers_total += error == KE_NONE;
    writing_end(broker, written->writing);
}

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct writing *)request->park)->request = NULL;
}

/* The shape of the answer; the number of markers, or -1 where there is no memory. */
static int64_t
markers_shape(struct request *request, const struct km_write_txn_markers_request *in,
    struct km_write_txn_markers_response *out)
{
    int64_t count = 0;

    out->markers.items = codec_array(&request->arena,
        &km_write_txn_markers_response_writable_txn_marker_result_desc, in->markers.count);
    if (out->markers.items == NULL)
        return -1;
    out->markers.count = in->markers.count;
    for (int32_t i = 0; i < in->markers.count; i++) {
        const marker_in *from = &in->markers.items[i];
        marker_out *to = &out->markers.items[i];

        to->producer_id = from->producer_id;
        to->topics.items = codec_array(&request->arena,
            &km_write_txn_markers_response_writable_txn_marker_topic_result_desc,
            from->topics.count);
        if (to->topics.items == NULL)
            return -1;
        to->topics.count = from->topics.count;
        for (int32_t k = 0; k < from->topics.count; k++) {
            int32_t partitions = from->topics.items[k].partition_indexes.count;

            to->topics.items[k].name = from->topics.items[k].name;
            to->topics.items[k].partitions.items = codec_array(&request->arena,
                &km_write_txn_markers_response_writable_txn_marker_partition_result_desc,
                partitions);
            to->topics.items[k].partitions.count = partitions;
            count += partitions;
        }
    }
    return arena_is_full(&request->arena) ? -1 : count;
}

static void
markers_write(struct broker *broker, struct writing *writing, const marker_in *in, marker_out *out)
{
    for (int32_t i = 0; i < in->topics.count; i++)
        for (int32_t k = 0; k < in->topics.items[i].partition_indexes.count; k++) {
            struct written *written = &writing->markers[writing->next++];
            int32_t index = in->topics.items[i].partition_indexes.items[k];

            written->writing = writing;
            written->out = &out->topics.items[i].partitions.items[k];
            written->out->partition_index = index;
            written->marker = (struct txn_marker){.producer_id = in->producer_id,
                .coordinator_epoch = in->coordinator_epoch,
                .producer_epoch = in->producer_epoch,
                .version = in->transaction_version,
                .commit = in->transaction_result,
                .done = marker_done};
            txn_marker_write(broker, in->topics.items[i].name.data,
                (size_t)in->topics.items[i].name.size, index, &written->marker);
        }
}

enum h_result
h_write_txn_markers(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_write_txn_markers_request *in = in_;
    struct km_write_txn_markers_response *out = out_;
    int64_t count = markers_shape(request, in, out);
    struct writing *writing;

    if (count < 0 || count > MARKERS_MAX)
        return H_CLOSE;
    writing = xcalloc(1, sizeof *writing + (size_t)count * sizeof *writing->markers);
    writing->request = request;
    writing->open = (size_t)count + 1;
    request->park = writing;
    request->on_drop = dropped;
    for (int32_t i = 0; i < in->markers.count; i++)
        markers_write(broker, writing, &in->markers.items[i], &out->markers.items[i]);
    writing_end(broker, writing);
    return H_PARK;
}
