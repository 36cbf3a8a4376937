/*
 * MirrorAppend and MirrorState: refbroker's own APIs for a mirror (docs/design.md, verbatim
 * append).
 *
 * Batches come at the offsets that they have at the source: gaps, control batches, producer ids,
 * timestamps and codec stay byte for byte; the leader epoch, which lies outside the CRC, becomes
 * this broker's. A batch that is there already with the same CRC is passed over, so that a mirror
 * may repeat itself; one that differs is refused with the offset where the logs part. Only topics
 * in state MIRRORING take such batches, and they take no others.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/log/append.h"
#include "refbroker/log/log_start.h"
#include "refbroker/log/mirror.h"
#include "refbroker/meta/topics.h"

typedef struct km_mirror_append_request_partition partition_in;
typedef struct km_mirror_append_response_partition partition_out;

struct park;

struct waiting {
    struct append_waiter waiter;
    struct park *park;
    struct partition *partition;
    partition_out *out;
};

struct park {
    struct reader_waiter load;
    struct request *request;
    struct waiting *waiting;
    size_t count;
    size_t open;
    bool counted;
    bool loading;
};

static void
waiter_done(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct waiting *waiting = (struct waiting *)(void *)waiter;
    struct park *park = waiting->park;

    if (error != 0)
        waiting->out->error_code = error;
    waiting->partition = NULL;
    park->open--;
    if (park->open == 0 && park->counted)
        broker_finish(broker, park->request);
}

static void
dropped(struct broker *broker, struct request *request)
{
    struct park *park = request->park;

    (void)broker;
    reader_leave(&park->load);
    for (size_t i = 0; i < park->count; i++)
        if (park->waiting[i].partition != NULL)
            list_remove(&park->waiting[i].partition->append_waiters, &park->waiting[i].waiter.node);
}

static void
refuse(struct request *request, partition_out *out, int16_t error, const char *text)
{
    out->error_code = error;
    out->error_message = request_text_dup(request, text);
}

static void
partition_append(struct broker *broker, struct park *park, struct partition *partition,
    const partition_in *in, partition_out *out)
{
    struct request *request = park->request;
    struct waiting *waiting = &park->waiting[park->count];
    struct mirror_result result;
    size_t at = in->records.size <= 0 ? 0 : (size_t)(in->records.data - request->frame->data);

    out->log_start_offset = partition->log_start_offset;
    if (partition->log_start_offset < in->log_start_offset) {
        refuse(request, out, KE_KAFKA_STORAGE_ERROR, "the log's start could not be moved");
        return;
    }
    mirror_append(broker, partition, request->frame, request->frame->data + at,
        in->records.size < 0 ? 0 : (size_t)in->records.size, &park->load, &result);
    park->loading = park->loading || result.loading;
    out->log_end_offset = partition->log_end_offset;
    out->diverging_offset = result.diverging_offset;
    if (result.error != 0)
        refuse(request, out, result.error, result.text);
    waiting->partition = partition;
    waiting->park = park;
    waiting->out = out;
    waiting->waiter.done = waiter_done;
    waiting->waiter.end_offset = partition->log_end_offset;
    park->count++;
}

/* Appends what can be appended. Repeating it is harmless: what was appended is passed over. */
static void
append_all(struct broker *broker, struct park *park)
{
    const struct km_mirror_append_request *in = park->request->in;
    struct km_mirror_append_response *out = park->request->out;

    park->count = 0;
    park->loading = false;
    for (int32_t i = 0; i < in->topics.count; i++) {
        struct topic *topic = topics_find_id(&broker->topics, &in->topics.items[i].topic_id);

        for (int32_t k = 0; k < in->topics.items[i].partitions.count; k++) {
            const partition_in *from = &in->topics.items[i].partitions.items[k];
            partition_out *to = &out->topics.items[i].partitions.items[k];
            struct partition *partition =
                topic == NULL ? NULL : topics_partition(topic, from->partition_index);

            codec_init(&km_mirror_append_response_partition_desc, to);
            to->partition_index = from->partition_index;
            if (partition == NULL)
                refuse(park->request, to,
                    topic == NULL ? KE_UNKNOWN_TOPIC_ID : KE_UNKNOWN_TOPIC_OR_PARTITION, NULL);
            else if (topic->changing)
                refuse(park->request, to, KE_NOT_LEADER_OR_FOLLOWER,
                    "a change of the topic's state is under way");
            else if (topic->state != TOPIC_MIRRORING)
                refuse(park->request, to, KE_INVALID_TOPIC_EXCEPTION,
                    "the topic is not in state mirroring");
            else
                partition_append(broker, park, partition, from, to);
        }
    }
}

/* Waits for durability; true where there is nothing to wait for. */
static bool
wait_durable(struct broker *broker, struct park *park)
{
    park->open = park->count;
    park->counted = false;
    for (size_t i = 0; i < park->count; i++)
        append_wait(broker, park->waiting[i].partition, &park->waiting[i].waiter);
    park->counted = true;
    return park->open == 0;
}

static void
loaded(struct broker *broker, struct reader_waiter *waiter)
{
    struct park *park = list_of(waiter, struct park, load);

    append_all(broker, park);
    if (!park->loading && wait_durable(broker, park))
        broker_finish(broker, park->request);
}

static bool
answer_shape(struct request *request, const struct km_mirror_append_request *in,
    struct km_mirror_append_response *out, size_t *partitions)
{
    *partitions = 0;
    out->topics.items =
        codec_array(&request->arena, &km_mirror_append_response_topic_desc, in->topics.count);
    if (out->topics.items == NULL)
        return false;
    out->topics.count = in->topics.count;
    for (int32_t i = 0; i < in->topics.count; i++) {
        int32_t count = in->topics.items[i].partitions.count;

        out->topics.items[i].topic_id = in->topics.items[i].topic_id;
        out->topics.items[i].partitions.items =
            codec_array(&request->arena, &km_mirror_append_response_partition_desc, count);
        if (out->topics.items[i].partitions.items == NULL)
            return false;
        out->topics.items[i].partitions.count = count;
        *partitions += (size_t)count;
    }
    return true;
}

/* --- the start of an empty log ---------------------------------------------------------------- */

struct positioning {
    struct request *request; /* NULL once it is gone */
    size_t open;
};

static enum h_result append_now(struct broker *broker, struct request *request);

static void
positioning_dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct positioning *)request->park)->request = NULL;
}

static void
positioned(struct broker *broker, void *arg, struct partition *partition, int16_t error)
{
    struct positioning *positioning = arg;
    struct request *request = positioning->request;

    (void)partition;
    if (error != KE_NONE)
        log_warn("MIRROR-START", "the start of a mirrored log could not be moved: %d", error);
    if (--positioning->open > 0)
        return;
    free(positioning);
    if (request != NULL) {
        request->on_drop = NULL;
        if (append_now(broker, request) == H_DONE)
            broker_finish(broker, request);
    }
}

/* Moves the starts that the request asks for; true where that has to be waited for. */
static bool
position_all(struct broker *broker, struct request *request)
{
    const struct km_mirror_append_request *in = request->in;
    struct positioning *positioning = xcalloc(1, sizeof *positioning);

    positioning->request = request;
    positioning->open = 1;
    for (int32_t i = 0; i < in->topics.count; i++) {
        struct topic *topic = topics_find_id(&broker->topics, &in->topics.items[i].topic_id);

        for (int32_t k = 0; topic != NULL && k < in->topics.items[i].partitions.count; k++) {
            const partition_in *from = &in->topics.items[i].partitions.items[k];
            struct partition *partition = topics_partition(topic, from->partition_index);

            if (partition == NULL || topic->state != TOPIC_MIRRORING || topic->changing ||
                from->log_start_offset <= partition->log_start_offset)
                continue;
            positioning->open++;
            log_start_move(
                broker, partition, from->log_start_offset, true, positioned, positioning);
        }
    }
    if (--positioning->open == 0) {
        free(positioning);
        return false;
    }
    request->park = positioning;
    request->on_drop = positioning_dropped;
    return true;
}

static enum h_result
append_now(struct broker *broker, struct request *request)
{
    const struct km_mirror_append_request *in = request->in;
    struct park *park = arena_alloc(&request->arena, sizeof *park);
    size_t partitions;

    if (park == NULL || !answer_shape(request, in, request->out, &partitions))
        return H_DONE;
    park->waiting = arena_array(&request->arena, partitions, sizeof *park->waiting);
    if (park->waiting == NULL)
        return H_DONE;
    park->request = request;
    park->load.ready = loaded;
    request->park = park;
    append_all(broker, park);
    if (!park->loading && wait_durable(broker, park))
        return H_DONE;
    request->on_drop = dropped;
    return H_PARK;
}

enum h_result
h_mirror_append(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    (void)in_;
    (void)out_;
    if (position_all(broker, request))
        return H_PARK;
    return append_now(broker, request);
}
