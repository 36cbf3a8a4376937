/*
 * Fetch (KafkaApis.handleFetchRequest, ReplicaManager.fetchMessages, KIP-74, KIP-227, KIP-320,
 * KIP-516).
 *
 * Partitions are served in the order of the request or the session. The first one that has data may
 * exceed the limits by one batch, so that a consumer always makes progress. The request waits until
 * min_bytes are there, max_wait_ms is over, or a partition has an error; but as in Inkless an
 * offset out of range is no reason to answer earlier on the coordinated path, where the offset may
 * be one that another broker has seen already. Where nothing else can be said, reads of objects are
 * waited for, whatever max_wait_ms says.
 */
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/fetch_session.h"
#include "refbroker/api/handlers.h"
#include "refbroker/api/quota_gate.h"
#include "refbroker/broker.h"
#include "refbroker/limits.h"
#include "refbroker/log/fetch_wait.h"
#include "refbroker/log/read.h"
#include "refbroker/meta/topics.h"

typedef struct km_fetch_response_partition_data partition_out;
typedef struct km_fetch_response_fetchable_topic_response topic_out;

/* A partition of this request with its answer so far. */
struct slot {
    struct fetch_part *part;
    struct partition *partition; /* at the last look; NULL: there is none */
    partition_out out;
};

struct park {
    struct fetch_waiter waiter;
    struct reader_waiter load;
    struct request *request;
    struct slot *slots;
    size_t slot_count;
    int32_t session_id;
    bool incremental;
    bool over; /* max_wait_ms has passed */
    bool by_id;
    struct arena_mark before_look;
};

/* What one look at all partitions gave. */
struct look {
    int32_t bytes_left;
    int64_t bytes;
    bool error;
    bool loading;
};

static void
refuse(partition_out *out, int16_t error)
{
    out->error_code = error;
    out->high_watermark = -1;
    out->last_stable_offset = -1;
    out->log_start_offset = -1;
    out->records.size = 0;
}

static struct partition *
partition_find(
    struct broker *broker, const struct park *park, const struct fetch_part *part, int16_t *error)
{
    struct topic *topic = park->by_id
                              ? topics_find_id(&broker->topics, &part->topic_id)
                              : topics_find(&broker->topics, part->topic, strlen(part->topic));
    struct partition *partition = topic == NULL ? NULL : topics_partition(topic, part->partition);

    *error = topic == NULL && park->by_id ? KE_UNKNOWN_TOPIC_ID : KE_UNKNOWN_TOPIC_OR_PARTITION;
    if (partition == NULL)
        return NULL;
    *error = KE_NONE;
    /* Coordinated topics have no leader that could be fenced. */
    if (topic->configs.values.coordinated)
        return partition;
    if (part->current_leader_epoch >= 0 && part->current_leader_epoch < partition->leader_epoch)
        *error = KE_FENCED_LEADER_EPOCH;
    else if (part->current_leader_epoch > partition->leader_epoch)
        *error = KE_UNKNOWN_LEADER_EPOCH;
    return partition;
}

/* The client's log and ours may have parted (KIP-320, KIP-595): true where they have. */
static bool
diverges(const struct partition *partition, const struct fetch_part *part, partition_out *out)
{
    int64_t end_offset;
    int32_t epoch;

    if (part->last_fetched_epoch < 0 || partition->topic->configs.values.coordinated)
        return false;
    partition_epoch_end(partition, part->last_fetched_epoch, &epoch, &end_offset);
    if (epoch < 0 || (epoch == part->last_fetched_epoch && end_offset >= part->fetch_offset))
        return false;
    out->diverging_epoch.epoch = epoch;
    out->diverging_epoch.end_offset = end_offset;
    return true;
}

static bool
aborted_fill(struct request *request, const struct partition *partition, int64_t from, int64_t to,
    partition_out *out)
{
    struct aborted_txn txn;
    size_t position = 0;
    int32_t count = 0;

    out->aborted_transactions.count = 0;
    if (partition->producers == NULL)
        return true;
    while (producers_aborted(partition->producers, from, to, &position, &txn))
        count++;
    out->aborted_transactions.items =
        codec_array(&request->arena, &km_fetch_response_aborted_transaction_desc, count);
    if (out->aborted_transactions.items == NULL)
        return false;
    position = 0;
    while (producers_aborted(partition->producers, from, to, &position, &txn))
        out->aborted_transactions.items[out->aborted_transactions.count++] =
            (struct km_fetch_response_aborted_transaction){txn.producer_id, txn.first_offset};
    return true;
}

static void
slot_read(struct broker *broker, struct park *park, struct slot *slot, struct look *look)
{
    const struct km_fetch_request *in = park->request->in;
    struct partition *partition = slot->partition;
    partition_out *out = &slot->out;
    struct read_ask ask = {.offset = slot->part->fetch_offset,
        .bytes_max =
            slot->part->bytes_max < look->bytes_left ? slot->part->bytes_max : look->bytes_left,
        .one_at_least = look->bytes == 0};
    struct read_result result;
    int16_t error = 0;

    ask.bound = in->isolation_level == 1 ? out->last_stable_offset : partition->high_watermark;
    switch (read_batches(broker, park->request, partition, &ask, &park->load, &result, &error)) {
    case READER_LOADING:
        look->loading = true;
        return;
    case READER_FAILED:
        refuse(out, error);
        look->error = true;
        return;
    case READER_READY:
        break;
    }
    out->records =
        (struct wire_records){NULL, result.fragments, result.size, result.fragment_count};
    look->bytes += result.size;
    look->bytes_left = look->bytes_left > result.size ? look->bytes_left - result.size : 0;
    if (in->isolation_level == 1)
        (void)aborted_fill(park->request, partition, ask.offset, result.end_offset, out);
    if (result.from_cache)
        broker->stats.fetch_cache_bytes_total += result.size;
}

static void
slot_look(struct broker *broker, struct park *park, struct slot *slot, struct look *look)
{
    partition_out *out = &slot->out;
    struct partition *partition;
    int16_t error;

    codec_init(&km_fetch_response_partition_data_desc, out);
    out->partition_index = slot->part->partition;
    out->aborted_transactions.count = -1;
    out->records.size = 0;
    partition = slot->partition = partition_find(broker, park, slot->part, &error);
    if (error != KE_NONE) {
        /* Kafka's answer about what is not there has an empty list, not a null one. */
        out->aborted_transactions.count = 0;
        refuse(out, error);
        look->error = true;
        return;
    }
    if (slot->part->fetch_offset < partition->log_start_offset ||
        slot->part->fetch_offset > partition->high_watermark) {
        refuse(out, KE_OFFSET_OUT_OF_RANGE);
        look->error = look->error || !partition->topic->configs.values.coordinated;
        return;
    }
    out->high_watermark = partition->high_watermark;
    out->last_stable_offset = partition_last_stable_offset(partition);
    out->log_start_offset = partition->log_start_offset;
    if (diverges(partition, slot->part, out))
        look->error = true;
    else
        slot_read(broker, park, slot, look);
}

/* An incremental reply leaves out what the client knows. */
static bool
is_news(const struct slot *slot)
{
    const struct fetch_part *part = slot->part;
    const partition_out *out = &slot->out;

    return out->records.size > 0 || out->error_code != 0 || out->diverging_epoch.epoch >= 0 ||
           out->high_watermark != part->told_high_watermark ||
           out->last_stable_offset != part->told_last_stable_offset ||
           out->log_start_offset != part->told_log_start_offset;
}

/* The session may have ended while the request waited. */
static void
told(struct fetch_session *session, struct fetch_part *part, const partition_out *out)
{
    part->told_high_watermark = out->high_watermark;
    part->told_last_stable_offset = out->last_stable_offset;
    part->told_log_start_offset = out->log_start_offset;
    if (session != NULL)
        fetch_session_told(session, part, out->records.size > 0);
}

static bool
same_topic(const struct park *park, const struct fetch_part *a, const struct fetch_part *b)
{
    return park->by_id ? memcmp(&a->topic_id, &b->topic_id, sizeof a->topic_id) == 0
                       : strcmp(a->topic, b->topic) == 0;
}

/* Whether the client's quota has room for what was found. If not, nothing is told: of a session it
 * hears nothing new, and one that would begin does not. */
static bool
quota_has_room(struct broker *broker, struct park *park)
{
    struct km_fetch_response *out = park->request->out;
    int64_t bytes = 0;

    for (size_t i = 0; i < park->slot_count; i++)
        bytes += park->slots[i].out.records.size > 0 ? park->slots[i].out.records.size : 0;
    if (quota_gate_fetch(broker, park->request, bytes))
        return true;
    request_unhold(park->request);
    out->session_id = park->incremental ? park->session_id : 0;
    return false;
}

/* Puts the slots that are to be told into the response; neighbours of one topic share its entry. */
static bool
response_fill(struct broker *broker, struct park *park)
{
    struct request *request = park->request;
    struct km_fetch_response *out = request->out;
    partition_out *items = arena_array(&request->arena, park->slot_count, sizeof *items);
    struct fetch_session *session = fetch_session_find(broker->fetch_sessions, park->session_id);
    struct fetch_part *last = NULL;
    topic_out *topic = NULL;
    size_t count = 0;

    if (!quota_has_room(broker, park))
        return true;
    out->session_id = park->session_id;
    out->responses.items = codec_array(&request->arena,
        &km_fetch_response_fetchable_topic_response_desc, (int32_t)park->slot_count);
    if (arena_is_full(&request->arena))
        return false;
    for (size_t i = 0; i < park->slot_count; i++) {
        struct slot *slot = &park->slots[i];

        if (park->incremental && !is_news(slot))
            continue;
        if (topic == NULL || !same_topic(park, last, slot->part)) {
            topic = &out->responses.items[out->responses.count++];
            topic->topic = request_text_dup(request, slot->part->topic);
            topic->topic_id = slot->part->topic_id;
            topic->partitions.items = &items[count];
        }
        last = slot->part;
        items[count++] = slot->out;
        topic->partitions.count++;
        told(session, slot->part, &slot->out);
        broker->stats.fetch_bytes_total += slot->out.records.size;
    }
    return true;
}

/* Looks at all partitions; true where the request is to be answered now. */
static bool
look_all(struct broker *broker, struct park *park)
{
    const struct km_fetch_request *in = park->request->in;
    struct look look = {.bytes_left = in->max_bytes < LIMIT_FETCH_BYTES_MAX
                                          ? in->max_bytes
                                          : LIMIT_FETCH_BYTES_MAX};

    look.bytes_left = quota_gate_fetch_bytes_max(broker, park->request, look.bytes_left);
    request_unhold(park->request);
    arena_rewind(&park->request->arena, park->before_look);
    for (size_t i = 0; i < park->slot_count; i++)
        slot_look(broker, park, &park->slots[i], &look);
    /* The rest comes with the next fetch. To wait for all of it could be to wait for ever: the
     * runs of many partitions do not fit into memory together. */
    if (look.loading && look.bytes == 0 && !look.error)
        return false;
    return park->over || look.error || look.bytes >= in->min_bytes || park->slot_count == 0;
}

static void
leave(struct broker *broker, struct park *park)
{
    fetch_wait_leave(broker, &park->waiter);
    reader_leave(&park->load);
}

static void
finish(struct broker *broker, struct park *park)
{
    leave(broker, park);
    /* Without room the arena is full, and dispatch sees that. */
    (void)response_fill(broker, park);
    broker_finish(broker, park->request);
}

static void
enter(struct park *park)
{
    struct fetch_waiter *waiter = &park->waiter;

    waiter->count = 0;
    for (size_t i = 0; i < park->slot_count; i++) {
        if (park->slots[i].partition == NULL)
            continue;
        waiter->places[waiter->count] =
            (struct fetch_waiter_place){.partition = park->slots[i].partition};
        waiter->count++;
    }
    fetch_wait_enter(waiter);
}

static void
again(struct broker *broker, struct request *request)
{
    struct park *park = request->park;

    if (look_all(broker, park)) {
        finish(broker, park);
        return;
    }
    /* Topics may have gone or come meanwhile. */
    fetch_wait_leave(broker, &park->waiter);
    enter(park);
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
dropped(struct broker *broker, struct request *request)
{
    leave(broker, request->park);
}

/* The session may end before the answer, when another connection uses it: its parts are copied. */
static bool
slots_from_session(struct park *park, struct fetch_session *session)
{
    struct arena *arena = &park->request->arena;
    const struct fetch_part *part;
    struct fetch_part *copy;
    size_t position = 0;

    park->slots = arena_array(arena, map_count(&session->parts), sizeof *park->slots);
    while (!arena_is_full(arena) &&
           (part = map_next(&session->parts, &position, NULL, NULL)) != NULL) {
        copy = arena_dup(arena, part, sizeof *part);
        if (copy == NULL)
            return false;
        if (part->topic != NULL)
            copy->topic = arena_strdup(arena, part->topic);
        park->slots[park->slot_count++].part = copy;
    }
    return !arena_is_full(arena);
}

static bool
slots_from_request(struct park *park, const struct km_fetch_request *in)
{
    struct arena *arena = &park->request->arena;
    size_t count = 0;

    for (int32_t i = 0; i < in->topics.count; i++)
        count += (size_t)in->topics.items[i].partitions.count;
    park->slots = arena_array(arena, count, sizeof *park->slots);
    for (int32_t i = 0; park->slots != NULL && i < in->topics.count; i++) {
        const struct km_fetch_request_topic *topic = &in->topics.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            struct fetch_part *part = arena_alloc(arena, sizeof *part);

            if (part == NULL)
                return false;
            part->topic_id = topic->topic_id;
            if (!park->by_id)
                part->topic = arena_dup(arena, topic->topic.data, (size_t)topic->topic.size);
            fetch_part_read(part, &topic->partitions.items[k]);
            park->slots[park->slot_count++].part = part;
        }
    }
    return park->slots != NULL && !arena_is_full(arena);
}

static enum h_result
wait_or_answer(struct broker *broker, struct request *request, struct park *park, int32_t wait_ms)
{
    park->waiter.places =
        arena_array(&request->arena, park->slot_count, sizeof *park->waiter.places);
    if (park->waiter.places == NULL)
        return H_CLOSE;
    park->over = wait_ms <= 0;
    park->before_look = arena_mark(&request->arena);
    if (look_all(broker, park)) {
        reader_leave(&park->load);
        if (!response_fill(broker, park))
            return H_CLOSE;
        return H_DONE;
    }
    request->on_drop = dropped;
    enter(park);
    if (!park->over)
        broker_set_deadline(broker, request, env_now_ms(broker->env) + wait_ms, timed_out);
    return H_PARK;
}

enum h_result
h_fetch(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_fetch_request *in = in_;
    struct km_fetch_response *out = out_;
    struct park *park = arena_alloc(&request->arena, sizeof *park);
    struct fetch_session *session;

    if (park == NULL)
        return H_CLOSE;
    park->request = request;
    park->by_id = request->header.api_version >= 13;
    park->waiter.request = request;
    park->waiter.again = again;
    park->load.ready = loaded;
    request->park = park;
    out->error_code =
        fetch_session_begin(broker->fetch_sessions, in, park->by_id, &session, &park->incremental);
    broker->stats.fetch_sessions = (int64_t)fetch_session_count(broker->fetch_sessions);
    if (out->error_code != KE_NONE)
        return H_DONE;
    if (session != NULL)
        park->session_id = session->id;
    if (!(session != NULL ? slots_from_session(park, session) : slots_from_request(park, in)))
        return H_CLOSE;
    return wait_or_answer(broker, request, park, in->max_wait_ms);
}
