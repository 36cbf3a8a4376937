/*
 * ShareFetch (KIP-932, KIP-1206, KIP-1222; KafkaApis.handleShareFetchRequest).
 *
 * What the request acknowledges is done first, and the answer waits until that is durable. The
 * partitions of the member's session are looked at, each request beginning with another one, until
 * min_bytes can be read or max_wait_ms is over; then records are acquired. A request that only
 * renews locks fetches nothing; an epoch of -1 ends the session.
 */
#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/api/quota_gate.h"
#include "refbroker/api/share_acks.h"
#include "refbroker/api/share_leave.h"
#include "refbroker/api/share_look.h"
#include "refbroker/api/topic_groups.h"
#include "refbroker/broker.h"
#include "refbroker/coord/group_configs.h"
#include "refbroker/limits.h"
#include "refbroker/log/fetch_wait.h"
#include "refbroker/meta/features.h"

#define VERSION_RENEW 2
#define TYPE_REJECT 3
#define TYPE_RENEW 4

typedef struct km_share_fetch_response_partition_data partition_out;
typedef struct km_share_fetch_response_share_fetchable_topic_response topic_out;

struct park {
    struct share_session_key member;
    struct request *request;
    struct fetch_waiter waiter;
    struct reader_waiter load;
    struct share_acks *acks; /* NULL: nothing is acknowledged */
    struct share_look look;
    struct arena_mark before_look;
    bool acks_over;
    bool fetch_over;
    bool over; /* max_wait_ms has passed */
};

/* What is told of a partition. */
struct row {
    partition_out out;
    struct wire_uuid topic_id;
};

struct rows {
    struct row *items;
    size_t count;
    struct map by_key; /* struct row by struct row_key */
};

struct row_key {
    struct wire_uuid topic_id;
    int32_t partition;
};

static enum h_result
refuse(struct km_share_fetch_response *out, int16_t error)
{
    codec_init(&km_share_fetch_response_desc, out);
    out->error_code = error;
    return H_DONE;
}

/* --- the answer ----------------------------------------------------------------------------------
 */

static struct row *
row_add(struct rows *rows, const struct wire_uuid *topic_id, int32_t partition)
{
    struct row_key key = {*topic_id, partition};
    struct row *row = map_get(&rows->by_key, &key, sizeof key);

    if (row != NULL)
        return row;
    row = &rows->items[rows->count++];
    row->topic_id = *topic_id;
    codec_init(&km_share_fetch_response_partition_data_desc, &row->out);
    row->out.partition_index = partition;
    row->out.records = (struct wire_records){0};
    map_put(&rows->by_key, &key, sizeof key, row);
    return row;
}

/* Another request has gone on with the session meanwhile. */
static bool
is_out_of_turn(const struct broker *broker, const struct park *park)
{
    const struct km_share_fetch_request *in = park->request->in;
    const struct share_session *session = share_session_find(broker->share_sessions, &park->member);
    int32_t next = in->share_session_epoch == INT32_MAX ? 1 : in->share_session_epoch + 1;

    return in->share_session_epoch > SHARE_SESSION_INITIAL && session != NULL &&
           session->epoch != next;
}

/* A session that goes on is told what is new. */
static void
fetched_tell(struct broker *broker, const struct park *park, struct rows *rows)
{
    const struct km_share_fetch_request *in = park->request->in;
    struct share_session *session = share_session_find(broker->share_sessions, &park->member);

    for (size_t i = 0; i < park->look.count; i++) {
        const struct share_slot *slot = &park->look.slots[i];

        if (!slot->told)
            continue;
        if (session != NULL && in->share_session_epoch > SHARE_SESSION_INITIAL &&
            !share_session_tells(session, &slot->topic_id, slot->partition,
                slot->out.records.size > 0, slot->out.error_code != KE_NONE))
            continue;
        row_add(rows, &slot->topic_id, slot->partition)->out = slot->out;
        broker->stats.fetch_bytes_total += slot->out.records.size;
    }
}

static void
acknowledged_tell(const struct park *park, struct rows *rows)
{
    const struct share_ack *ack;
    size_t position = 0;

    while (park->acks != NULL && (ack = share_acks_next(park->acks, &position)) != NULL) {
        struct row *row = row_add(rows, &ack->topic_id, ack->partition);

        row->out.acknowledge_error_code = ack->error;
        row->out.acknowledge_error_message = ack->text;
    }
}

static void
endpoint_tell(const struct broker *broker, struct request *request, const partition_out *partition)
{
    struct km_share_fetch_response *out = request->out;
    bool named = partition->error_code == KE_NOT_LEADER_OR_FOLLOWER ||
                 partition->error_code == KE_FENCED_LEADER_EPOCH;

    if (!named || partition->current_leader.leader_id < 0 || out->node_endpoints.count > 0)
        return;
    out->node_endpoints.items =
        codec_array(&request->arena, &km_share_fetch_response_node_endpoint_desc, 1);
    if (out->node_endpoints.items == NULL)
        return;
    out->node_endpoints.count = 1;
    out->node_endpoints.items[0].node_id = partition->current_leader.leader_id;
    out->node_endpoints.items[0].host = request_text(broker->options.host);
    out->node_endpoints.items[0].port = broker->options.port;
}

static bool
rows_tell(struct broker *broker, struct request *request, const struct rows *rows)
{
    struct km_share_fetch_response *out = request->out;
    struct wire_uuid *topic_ids = arena_array(&request->arena, rows->count + 1, sizeof *topic_ids);
    struct topic_groups groups;

    for (size_t i = 0; topic_ids != NULL && i < rows->count; i++)
        topic_ids[i] = rows->items[i].topic_id;
    if (topic_ids == NULL || !topic_groups_make(&request->arena, topic_ids, rows->count, &groups))
        return false;
    out->responses.items = codec_array(&request->arena,
        &km_share_fetch_response_share_fetchable_topic_response_desc, groups.count);
    for (int32_t i = 0; out->responses.items != NULL && i < groups.count; i++) {
        topic_out *topic = &out->responses.items[out->responses.count++];

        topic->topic_id = groups.items[i].topic_id;
        topic->partitions.items = codec_array(
            &request->arena, &km_share_fetch_response_partition_data_desc, groups.items[i].count);
        for (int32_t k = 0; topic->partitions.items != NULL && k < groups.items[i].count; k++) {
            const partition_out *partition = &rows->items[groups.items[i].rows[k]].out;

            topic->partitions.items[topic->partitions.count++] = *partition;
            endpoint_tell(broker, request, partition);
        }
    }
    return !arena_is_full(&request->arena);
}

/* How many partitions acknowledgements are answered for, at most. */
static size_t
acks_count(const struct park *park)
{
    size_t position = 0, count = 0;

    while (park->acks != NULL && share_acks_next(park->acks, &position) != NULL)
        count++;
    return count;
}

static bool
response_fill(struct broker *broker, struct park *park)
{
    const struct km_share_fetch_request *in = park->request->in;
    struct km_share_fetch_response *out = park->request->out;
    struct group_share_configs configs;
    struct rows rows = {0};
    bool fits;

    rows.items = arena_array(
        &park->request->arena, park->look.count + acks_count(park) + 1, sizeof *rows.items);
    if (rows.items == NULL)
        return false;
    map_init(&rows.by_key);
    if (is_out_of_turn(broker, park))
        out->error_code = KE_INVALID_SHARE_SESSION_EPOCH;
    else
        fetched_tell(broker, park, &rows);
    acknowledged_tell(park, &rows);
    fits = rows_tell(broker, park->request, &rows);
    map_fini(&rows.by_key, NULL);
    group_configs_share(broker, park->member.group_id, &configs);
    out->acquisition_lock_timeout_ms = (int32_t)configs.record_lock_duration_ms;
    if (in->share_session_epoch == SHARE_SESSION_FINAL)
        share_leave(broker, &park->member);
    return fits;
}

/* --- the fetch -----------------------------------------------------------------------------------
 */

static void
untell(struct share_look *look)
{
    for (size_t i = 0; i < look->count; i++)
        look->slots[i].told = false;
}

/* Takes what the last look found, unless the answer is to go without records: nobody would get
 * them then. */
static bool
acquire(struct broker *broker, struct park *park)
{
    if (!is_out_of_turn(broker, park)) {
        if (quota_gate_fetch(broker, park->request, share_look_bytes(&park->look)))
            return share_look_acquire(broker, &park->look);
        request_unhold(park->request);
    }
    untell(&park->look);
    return true;
}

static void
leave(struct broker *broker, struct park *park)
{
    fetch_wait_leave(broker, &park->waiter);
    reader_leave(&park->load);
}

/* Looks at all partitions; true where the fetch is over. *fits is false where the arena is full. */
static bool
look(struct broker *broker, struct park *park, bool *fits)
{
    *fits = true;
    request_unhold(park->request);
    arena_rewind(&park->request->arena, park->before_look);
    if (!share_look_all(broker, &park->look, park->over))
        return false;
    leave(broker, park);
    *fits = acquire(broker, park);
    park->fetch_over = true;
    return true;
}

static void
enter(struct park *park)
{
    struct fetch_waiter *waiter = &park->waiter;

    waiter->count = 0;
    for (size_t i = 0; i < park->look.count; i++)
        if (!park->look.slots[i].failed && park->look.slots[i].log != NULL)
            waiter->places[waiter->count++] =
                (struct fetch_waiter_place){.partition = park->look.slots[i].log};
    fetch_wait_enter(waiter);
}

static enum h_result
end(struct broker *broker, struct park *park, bool fits)
{
    fits = fits && response_fill(broker, park);
    share_acks_free(park->acks);
    return fits ? H_DONE : H_CLOSE;
}

static void
again(struct broker *broker, struct request *request)
{
    struct park *park = request->park;
    bool fits;

    if (park->fetch_over)
        return;
    if (!look(broker, park, &fits)) {
        fetch_wait_leave(broker, &park->waiter);
        enter(park);
    } else if (park->acks_over || !fits) {
        broker_finish_as(broker, request, end(broker, park, fits));
    }
}

static void
loaded(struct broker *broker, struct reader_waiter *waiter)
{
    struct park *park = list_of(waiter, struct park, load);

    fetch_wait_mark(broker, &park->waiter);
}

static void
timed_out(struct broker *broker, struct request *request)
{
    struct park *park = request->park;

    park->over = true;
    again(broker, request);
}

static void
acks_durable(struct broker *broker, struct request *request)
{
    struct park *park = request->park;

    park->acks_over = true;
    if (park->fetch_over)
        broker_finish_as(broker, request, end(broker, park, true));
}

static void
dropped(struct broker *broker, struct request *request)
{
    struct park *park = request->park;

    leave(broker, park);
    share_acks_free(park->acks);
}

/* --- the request ---------------------------------------------------------------------------------
 */

static bool
acknowledges(const struct km_share_fetch_request *in)
{
    for (int32_t i = 0; i < in->topics.count; i++)
        for (int32_t k = 0; k < in->topics.items[i].partitions.count; k++)
            if (in->topics.items[i].partitions.items[k].acknowledgement_batches.count > 0)
                return true;
    return false;
}

static bool
acks_fill(struct request *request, struct share_acks *acks)
{
    const struct km_share_fetch_request *in = request->in;

    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct km_share_fetch_request_fetch_topic *topic = &in->topics.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            const struct km_share_fetch_request_fetch_partition *partition =
                &topic->partitions.items[k];
            int32_t count = partition->acknowledgement_batches.count;
            struct share_acknowledgement *said =
                arena_array(&request->arena, (size_t)count + 1, sizeof *said);

            if (said == NULL)
                return false;
            for (int32_t n = 0; n < count; n++) {
                const struct km_share_fetch_request_acknowledgement_batch *batch =
                    &partition->acknowledgement_batches.items[n];

                said[n] = (struct share_acknowledgement){batch->first_offset, batch->last_offset,
                    batch->acknowledge_types.items, batch->acknowledge_types.count};
            }
            share_acks_add(acks, &topic->topic_id, partition->partition_index, said, (size_t)count);
        }
    }
    return true;
}

/* The partitions of the session, from another one on with each request
 * (PartitionRotateStrategy). */
static bool
slots_fill(struct park *park, const struct share_session *session)
{
    const struct km_share_fetch_request *in = park->request->in;
    size_t count = session == NULL ? 0 : map_count(&session->parts);
    size_t first =
        count > 1 && in->share_session_epoch > 0 ? (size_t)in->share_session_epoch % count : 0;
    const struct share_part *part;
    size_t position = 0, number = 0;

    park->look.slots = arena_array(&park->request->arena, count + 1, sizeof *park->look.slots);
    park->waiter.places =
        arena_array(&park->request->arena, count + 1, sizeof *park->waiter.places);
    if (park->look.slots == NULL || park->waiter.places == NULL)
        return false;
    while (count > 0 && (part = map_next(&session->parts, &position, NULL, NULL)) != NULL) {
        struct share_slot *slot = &park->look.slots[(number++ + count - first) % count];

        slot->topic_id = part->topic_id;
        slot->partition = part->partition;
    }
    park->look.count = count;
    return true;
}

static void
look_begin(struct broker *broker, struct park *park)
{
    const struct km_share_fetch_request *in = park->request->in;
    struct group_share_configs configs;
    int32_t bytes_max =
        in->max_bytes < LIMIT_FETCH_BYTES_MAX ? in->max_bytes : LIMIT_FETCH_BYTES_MAX;

    group_configs_share(broker, park->member.group_id, &configs);
    park->look.request = park->request;
    park->look.member = &park->member;
    park->look.load = &park->load;
    park->look.read_committed = configs.read_committed;
    park->look.bytes_max = quota_gate_fetch_bytes_max(broker, park->request, bytes_max);
    park->before_look = arena_mark(&park->request->arena);
}

/* Renewals come alone (KIP-1222). */
static bool
renews_only(const struct km_share_fetch_request *in)
{
    return in->max_bytes == 0 && in->min_bytes == 0 && in->max_records == 0 && in->max_wait_ms == 0;
}

static int16_t
request_check(struct broker *broker, struct request *request, struct share_session_key *member)
{
    const struct km_share_fetch_request *in = request->in;
    int16_t error;

    if (!features_share_groups(&broker->features))
        return KE_UNSUPPORTED_VERSION;
    error = share_session_key_read(request, in->group_id, in->member_id, member);
    if (error == KE_NONE && in->is_renew_ack && !renews_only(in))
        error = KE_INVALID_REQUEST;
    return error;
}

static void
limit_reached(struct broker *broker, struct request *request)
{
    broker_finish_as(broker, request, refuse(request->out, KE_SHARE_SESSION_LIMIT_REACHED));
}

/* Who finds no room is answered late, so that it does not ask at once again. */
static enum h_result
session_refused(struct broker *broker, struct request *request, int16_t error)
{
    const struct km_share_fetch_request *in = request->in;

    if (error != KE_SHARE_SESSION_LIMIT_REACHED || in->max_wait_ms <= 0)
        return refuse(request->out, error);
    broker_set_deadline(broker, request, env_now_ms(broker->env) + in->max_wait_ms, limit_reached);
    return H_PARK;
}

/* Begins to wait for what has to be waited for. */
static enum h_result
wait_or_answer(struct broker *broker, struct park *park)
{
    const struct km_share_fetch_request *in = park->request->in;
    bool fits = true;

    park->over = in->max_wait_ms <= 0;
    if (in->is_renew_ack)
        park->look.count = 0;
    park->fetch_over = park->look.count == 0 || in->max_records <= 0 || park->look.bytes_max <= 0;
    if (park->fetch_over)
        share_look_check(broker, &park->look);
    else if (!look(broker, park, &fits))
        enter(park);
    if (!fits || (park->fetch_over && park->acks_over))
        return end(broker, park, fits);
    park->request->on_drop = dropped;
    if (!park->fetch_over && !park->over)
        broker_set_deadline(
            broker, park->request, env_now_ms(broker->env) + in->max_wait_ms, timed_out);
    return H_PARK;
}

enum h_result
h_share_fetch(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_share_fetch_request *in = in_;
    bool acks = acknowledges(in);
    struct park *park = arena_alloc(&request->arena, sizeof *park);
    struct share_session *session;
    int16_t error;

    if (park == NULL)
        return H_CLOSE;
    error = request_check(broker, request, &park->member);
    if (error != KE_NONE)
        return refuse(out_, error);
    error = share_session_begin(broker->share_sessions, &park->member, in, acks, request->client,
        (size_t)broker->options.groups.share_max_share_sessions, &session);
    if (error != KE_NONE)
        return session_refused(broker, request, error);
    park->request = request;
    park->waiter.request = request;
    park->waiter.again = again;
    park->load.ready = loaded;
    request->park = park;
    if (!slots_fill(park, session))
        return H_CLOSE;
    park->acks_over = true;
    if (acks) {
        park->acks = share_acks_new(broker, request, &park->member, acks_durable);
        if (!acks_fill(request, park->acks)) {
            share_acks_free(park->acks);
            return H_CLOSE;
        }
        park->acks_over = share_acks_run(park->acks,
            request->header.api_version >= VERSION_RENEW ? TYPE_RENEW : TYPE_REJECT,
            in->is_renew_ack);
    }
    look_begin(broker, park);
    return wait_or_answer(broker, park);
}
