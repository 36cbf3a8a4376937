#include "mirror/pipe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_view.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"
#include "mirror/fetching.h"

#define FETCH_WAIT_MS 500
#define FETCH_BYTES_MAX (16 * 1024 * 1024)
#define APPEND_TIMEOUT_MS 60000

/* The whole batches of one partition in a fetch reply, on their way to the target. */
struct piece {
    uint32_t number;
    const uint8_t *data;
    size_t size;
    int64_t base_offset;
    int64_t next_offset;
};

/* What one fetch reply brought: one MirrorAppend request. */
struct append {
    struct list_node node;
    struct pipe *pipe;
    struct conn_reply *reply; /* the batches lie in it */
    struct cluster_fan *fan;
    struct piece *pieces;
    size_t count;
};

struct pipe {
    struct cluster *source;
    struct cluster *to;
    const struct selection *from;
    const struct selection *target;
    struct pipe_options options;
    struct pipe_partition *partitions;
    struct cluster_fan *fetch;
    struct list appends;
    struct err trouble;
    pipe_end_fn *end;
    void *arg;
};

/* --- fetching -----------------------------------------------------------------------------------
 */

static void
fetch_target(void *arg, uint32_t item, struct cluster_target *out)
{
    struct pipe *pipe = arg;

    *out = (struct cluster_target){
        CLUSTER_LEADER, selection_name(pipe->from, item), pipe->from->partitions[item].partition};
}

static int64_t
next_offset(const void *arg, uint32_t number)
{
    return ((const struct pipe *)arg)->partitions[number].next_offset;
}

static size_t
fetch_build(void *arg, struct cluster_fan_batch *batch)
{
    struct pipe *pipe = arg;
    struct fetching_limits limits = {FETCH_WAIT_MS, FETCH_BYTES_MAX, pipe->options.fetch_bytes};

    return fetching_build(batch, pipe->from, &limits, next_offset, pipe);
}

static void
partition_fail(struct pipe *pipe, uint32_t number, const char *what)
{
    err_set(&pipe->partitions[number].failed, RC_CONFLICT, "%s-%d at offset %" PRId64 ": %s",
        selection_name(pipe->from, number), pipe->from->partitions[number].partition,
        pipe->partitions[number].next_offset, what);
    cluster_fan_settle(pipe->fetch, number, KE_NONE);
}

/* Whether the target's log has to begin where the source's does, and does not yet: also an empty
 * log, so that its next record gets the offset that consumers expect. */
static bool
start_is_behind(const struct pipe_partition *p)
{
    return p->target_start < p->log_start_offset;
}

static void
caught_up_look(struct pipe_partition *p)
{
    p->caught_up = p->caught_up || (p->next_offset >= p->goal_offset && !start_is_behind(p));
}

/* Goes on with a partition, or ends it where it has reached what was asked for. */
static bool
goes_on(struct pipe *pipe, uint32_t number)
{
    struct pipe_partition *p = &pipe->partitions[number];

    caught_up_look(p);
    return !(pipe->options.until_caught_up && p->caught_up);
}

/* The whole batches of a reply to a fetch from `from_offset`; the last one may be cut. RC_OK with
 * size 0 where there is none. */
static enum rc
piece_cut(
    const struct wire_records *records, int64_t from_offset, struct piece *piece, struct err *e)
{
    struct batch_view_cursor cursor = {
        records->data, records->size < 0 ? 0 : (size_t)records->size};
    struct batch_view batch;
    bool found;
    enum rc rc;

    piece->data = records->data;
    piece->size = 0;
    piece->base_offset = piece->next_offset = from_offset;
    while ((rc = batch_view_next(&cursor, &batch, &found, e)) == RC_OK && found) {
        if (piece->size == 0)
            piece->base_offset = batch.base_offset;
        piece->size += batch.size;
        piece->next_offset = batch_view_next_offset(&batch);
    }
    return rc;
}

static void append_start(struct pipe *pipe, struct append *append);

/* One partition of a fetch reply: its batches join the append, or it is asked for again. */
static void
partition_parse(struct pipe *pipe, struct cluster_fan_batch *batch, struct append *append,
    uint32_t number, const struct km_fetch_response_partition_data *data)
{
    struct pipe_partition *p = &pipe->partitions[number];
    struct piece *piece = &append->pieces[append->count];
    struct err e;

    if (p->failed.code != RC_OK || !goes_on(pipe, number)) {
        cluster_fan_settle(batch->fan, number, KE_NONE);
        return;
    }
    if (data->error_code == KE_OFFSET_OUT_OF_RANGE && data->log_start_offset < 0) {
        partition_fail(pipe, number,
            "the source has deleted records that were not copied yet (retention was faster)");
        return;
    }
    if (data->error_code != KE_NONE) {
        cluster_fan_settle(batch->fan, number, data->error_code);
        return;
    }
    p->source_end = data->high_watermark;
    if (data->log_start_offset > p->log_start_offset)
        p->log_start_offset = data->log_start_offset;
    piece->number = number;
    if (piece_cut(&data->records, p->next_offset, piece, &e) != RC_OK) {
        partition_fail(pipe, number, e.text);
    } else if (piece->size > 0 || start_is_behind(p)) {
        append->count++;
        cluster_fan_park(batch->fan, number);
    } else if (goes_on(pipe, number)) {
        cluster_fan_again(batch->fan, number);
    } else {
        cluster_fan_settle(batch->fan, number, KE_NONE);
    }
}

static void
append_free(struct append *append)
{
    list_remove(&append->pipe->appends, &append->node);
    cluster_fan_free(append->fan);
    conn_reply_unref(append->reply);
    free(append->pieces);
    free(append);
}

static void
fetch_parse(void *arg, struct cluster_fan_batch *batch)
{
    struct pipe *pipe = arg;
    const struct km_fetch_response *response = batch->response;
    struct append *append = xcalloc(1, sizeof *append);

    append->pipe = pipe;
    append->reply = conn_reply_ref(batch->reply);
    append->pieces = xcalloc(batch->count, sizeof *append->pieces);
    list_push_back(&pipe->appends, &append->node);
    for (int32_t i = 0; i < response->responses.count; i++) {
        const struct km_fetch_response_fetchable_topic_response *topic =
            &response->responses.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            uint32_t number = selection_find(
                pipe->from, topic->topic, topic->partitions.items[k].partition_index);

            if (!cluster_fan_is_asked(batch->fan, number))
                continue;
            pipe->partitions[number].waits = false;
            partition_parse(pipe, batch, append, number, &topic->partitions.items[k]);
        }
    }
    if (append->count > 0)
        append_start(pipe, append);
    else
        append_free(append);
}

static void
fetch_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct pipe *pipe = arg;
    struct pipe_partition *p = &pipe->partitions[item];

    if (rc == RC_OK || p->failed.code != RC_OK)
        return;
    if (rc == RC_REMOTE)
        err_set(&p->failed, rc, "%s-%d: %d %s", selection_name(pipe->from, item),
            pipe->from->partitions[item].partition, code, kerr_name(code));
    else
        p->failed = *e;
}

static void
fetch_retry(void *arg, uint32_t item, const struct err *e)
{
    struct pipe *pipe = arg;

    pipe->partitions[item].waits = true;
    pipe->trouble = *e;
    (void)err_note(&pipe->trouble, "source");
}

static void
fetch_end(void *arg)
{
    struct pipe *pipe = arg;

    pipe->end(pipe->arg);
}

/* --- appending ----------------------------------------------------------------------------------
 */

static void
append_target(void *arg, uint32_t item, struct cluster_target *out)
{
    (void)arg;
    (void)item;
    *out = (struct cluster_target){CLUSTER_ANY, NULL, 0};
}

/* The first batch may begin before the source's log start (DeleteRecords inside of a batch); the
 * target's empty log then begins with it, and follows to the real start with the next request. */
static int64_t
start_to_ask(const struct pipe_partition *p, const struct piece *piece)
{
    return piece->base_offset < p->log_start_offset && !p->begun ? piece->base_offset
                                                                 : p->log_start_offset;
}

static size_t
append_build(void *arg, struct cluster_fan_batch *batch)
{
    struct append *append = arg;
    struct pipe *pipe = append->pipe;
    struct km_mirror_append_request *request = batch->request;
    struct km_mirror_append_request_partition *partitions =
        codec_array(batch->arena, &km_mirror_append_request_partition_desc, (int32_t)append->count);

    request->topics.items =
        codec_array(batch->arena, &km_mirror_append_request_topic_desc, (int32_t)append->count);
    if (partitions == NULL || request->topics.items == NULL)
        return 0;
    request->topics.count = (int32_t)append->count;
    for (size_t i = 0; i < append->count; i++) {
        const struct piece *piece = &append->pieces[i];
        const struct selection_partition *target = &pipe->target->partitions[piece->number];

        partitions[i].partition_index = target->partition;
        partitions[i].log_start_offset = start_to_ask(&pipe->partitions[piece->number], piece);
        partitions[i].records = (struct wire_records){piece->data, NULL, (int32_t)piece->size, 0};
        request->topics.items[i].topic_id = pipe->target->topics[target->topic].id;
        request->topics.items[i].partitions.items = &partitions[i];
        request->topics.items[i].partitions.count = 1;
    }
    return 1;
}

static void
piece_done(struct pipe *pipe, const struct piece *piece,
    const struct km_mirror_append_response_partition *answer)
{
    struct pipe_partition *p = &pipe->partitions[piece->number];
    char text[256];

    if (answer->error_code != KE_NONE) {
        snprintf(text, sizeof text, "the target refuses: %d %s%s%.*s", answer->error_code,
            kerr_name(answer->error_code), answer->error_message.size > 0 ? ": " : "",
            answer->error_message.size > 0 ? answer->error_message.size : 0,
            answer->error_message.size > 0 ? answer->error_message.data : "");
        err_set(&p->failed, RC_CONFLICT, "%s-%d at offset %" PRId64 ": %s",
            selection_name(pipe->from, piece->number),
            pipe->from->partitions[piece->number].partition,
            answer->diverging_offset >= 0 ? answer->diverging_offset : p->next_offset, text);
        return;
    }
    p->next_offset = piece->next_offset;
    p->bytes += piece->size;
    p->begun = true;
    if (answer->log_start_offset > p->target_start)
        p->target_start = answer->log_start_offset;
}

static void
append_parse(void *arg, struct cluster_fan_batch *batch)
{
    struct append *append = arg;
    const struct km_mirror_append_response *response = batch->response;
    int16_t retriable = KE_NONE;

    for (size_t i = 0; i < append->count; i++) {
        const struct km_mirror_append_response_topic *topic = &response->topics.items[i];

        if ((int32_t)i >= response->topics.count || topic->partitions.count != 1)
            return;
        if (kerr_is_retriable(topic->partitions.items[0].error_code) &&
            topic->partitions.items[0].error_code != KE_CORRUPT_MESSAGE)
            retriable = topic->partitions.items[0].error_code;
    }
    for (size_t i = 0; i < append->count && retriable == KE_NONE; i++)
        piece_done(
            append->pipe, &append->pieces[i], &response->topics.items[i].partitions.items[0]);
    cluster_fan_settle(batch->fan, 0, retriable);
}

static void
append_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct append *append = arg;

    (void)item;
    for (size_t i = 0; i < append->count && rc != RC_OK; i++) {
        struct pipe_partition *p = &append->pipe->partitions[append->pieces[i].number];

        if (rc == RC_REMOTE)
            err_set(&p->failed, rc, "the target answers %d %s", code, kerr_name(code));
        else
            p->failed = *e;
    }
}

static void
append_retry(void *arg, uint32_t item, const struct err *e)
{
    struct append *append = arg;

    (void)item;
    for (size_t i = 0; i < append->count; i++)
        append->pipe->partitions[append->pieces[i].number].waits = true;
    append->pipe->trouble = *e;
    (void)err_note(&append->pipe->trouble, "target");
}

/* All go round again; those that are done or have failed end with the next answer. */
static void
append_end(void *arg)
{
    struct append *append = arg;
    struct pipe *pipe = append->pipe;

    for (size_t i = 0; i < append->count; i++) {
        struct pipe_partition *p = &pipe->partitions[append->pieces[i].number];

        p->waits = false;
        caught_up_look(p);
        cluster_fan_wake(pipe->fetch, append->pieces[i].number);
    }
    append_free(append);
}

static void
append_start(struct pipe *pipe, struct append *append)
{
    struct cluster_fan_spec spec = {.api = frame_api(KM_MIRROR_APPEND),
        .item_count = 1,
        .target = append_target,
        .build = append_build,
        .parse = append_parse,
        .done = append_done,
        .end = append_end,
        .retry = append_retry,
        .arg = append,
        .retries = CLUSTER_FAN_FOR_EVER,
        .batch_timeout_ms = APPEND_TIMEOUT_MS};

    append->fan = cluster_fan_start(pipe->to, &spec);
}

/* --- start and end -------------------------------------------------------------------------------
 */

struct pipe *
pipe_start(struct cluster *source, const struct selection *from, struct cluster *to,
    const struct selection *target, const struct pipe_options *options, pipe_end_fn *end, void *arg)
{
    struct pipe *pipe = xcalloc(1, sizeof *pipe);
    struct cluster_fan_spec spec = {.api = frame_api(KM_FETCH),
        .wanted = &fetching_versions,
        .item_count = from->partition_count,
        .target = fetch_target,
        .build = fetch_build,
        .parse = fetch_parse,
        .done = fetch_done,
        .end = fetch_end,
        .retry = fetch_retry,
        .arg = pipe,
        .retries = CLUSTER_FAN_FOR_EVER};

    pipe->source = source;
    pipe->to = to;
    pipe->from = from;
    pipe->target = target;
    pipe->options = *options;
    pipe->end = end;
    pipe->arg = arg;
    list_init(&pipe->appends);
    pipe->partitions = xcalloc(from->partition_count, sizeof *pipe->partitions);
    for (uint32_t i = 0; i < from->partition_count; i++) {
        struct pipe_partition *p = &pipe->partitions[i];

        p->log_start_offset = from->partitions[i].log_start_offset;
        p->goal_offset = p->source_end = from->partitions[i].end_offset;
        p->next_offset = target->partitions[i].end_offset;
        p->begun = p->next_offset > 0;
        if (p->next_offset < p->log_start_offset)
            p->next_offset = p->log_start_offset;
        p->target_start = target->partitions[i].log_start_offset;
        caught_up_look(p);
    }
    pipe->fetch = cluster_fan_start(source, &spec);
    return pipe;
}

void
pipe_free(struct pipe *pipe)
{
    if (pipe == NULL)
        return;
    cluster_fan_free(pipe->fetch);
    LIST_EACH(&pipe->appends, node)
    append_free(list_of(node, struct append, node));
    free(pipe->partitions);
    free(pipe);
}

const struct pipe_partition *
pipe_state(const struct pipe *pipe)
{
    return pipe->partitions;
}

const char *
pipe_trouble(const struct pipe *pipe)
{
    return pipe->trouble.text;
}
