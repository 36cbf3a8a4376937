/*
 * MirrorState: a topic begins to be mirrored, or is promoted to take producers.
 *
 * Only an empty topic can begin (state 1). Promotion (state 2) deals with the transactions that
 * were open at the source: they are ended by abort markers if the request says so, otherwise they
 * block it and are counted in the answer. Then every partition gets a leader epoch above all that a
 * client may have seen here or at the source (leader_epoch_min), and the broker hands out producer
 * ids above every mirrored one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/log/append.h"
#include "refbroker/meta/topics.h"

#define MARKER_BYTES_MAX 256

typedef struct km_mirror_state_request_topic state_in;
typedef struct km_mirror_state_response_topic state_out;

struct change {
    struct wire_uuid topic_id;
    enum topic_state state;
    int32_t index;        /* in the answer */
    int32_t leader_epoch; /* promotion: of all partitions */
    int32_t partition_count;
    int64_t *end_offsets; /* of each partition: where the epoch begins */
};

struct job {
    struct catalog_job job;
    struct broker *broker;
    struct request *request; /* NULL once it is gone */
    struct change *changes;
    size_t count;
    int64_t producer_id_next;
};

static void
refuse(struct request *request, state_out *out, int16_t error, const char *text)
{
    out->error_code = error;
    out->error_message = request_text_dup(request, text);
}

static bool
is_empty(const struct topic *topic)
{
    for (int32_t i = 0; i < topic->partition_count; i++)
        if (topic->partitions[i]->log_end_offset != 0)
            return false;
    return true;
}

/* Ends one open transaction with an abort marker. */
static int16_t
abort_one(struct broker *broker, struct partition *partition, const struct producer_info *info)
{
    struct batch_builder_marker marker = {
        .base_offset = partition->log_end_offset,
        .producer_id = info->producer_id,
        .timestamp = env_wall_ms(broker->env),
        .leader_epoch = partition->leader_epoch,
        .coordinator_epoch = info->coordinator_epoch < 0 ? 0 : info->coordinator_epoch,
        .producer_epoch = info->producer_epoch,
    };
    struct append_result result = {.error = KE_UNKNOWN_SERVER_ERROR};
    struct buf out;
    struct blob *blob;
    struct err e;

    buf_init(&out, MARKER_BYTES_MAX);
    blob = batch_builder_marker(&marker, &out, &e) == RC_OK ? blob_new(out.size) : NULL;
    if (blob != NULL) {
        memcpy(blob->data, out.data, out.size);
        append_internal(broker, partition, blob, blob->data, out.size, &result);
        blob_unref(blob);
    }
    buf_fini(&out);
    return result.error;
}

/* Counts the open transactions of a partition and, if asked, ends them; returns Kafka's code. */
static int16_t
open_transactions(
    struct broker *broker, struct partition *partition, bool abort_open, int32_t *count)
{
    struct producer_info info;
    size_t position = 0;
    int16_t error = KE_NONE;

    if (partition->producers == NULL)
        return KE_NONE;
    while (error == KE_NONE && producers_next(partition->producers, &position, &info)) {
        if (info.txn_first_offset < 0)
            continue;
        ++*count;
        if (abort_open)
            error = abort_one(broker, partition, &info);
    }
    return error;
}

static int64_t
producer_id_above(const struct topic *topic, int64_t next)
{
    struct producer_info info;

    for (int32_t i = 0; i < topic->partition_count; i++) {
        size_t position = 0;

        while (topic->partitions[i]->producers != NULL &&
               producers_next(topic->partitions[i]->producers, &position, &info))
            if (info.producer_id >= next)
                next = info.producer_id + 1;
    }
    return next;
}

static bool
promote_check(struct job *job, struct topic *topic, const state_in *in, state_out *out)
{
    struct change *change = &job->changes[job->count];
    int32_t epoch = in->leader_epoch_min;
    int16_t error = KE_NONE;

    for (int32_t i = 0; i < topic->partition_count && error == KE_NONE; i++) {
        error = open_transactions(
            job->broker, topic->partitions[i], in->abort_open, &out->open_transactions);
        if (topic->partitions[i]->leader_epoch > epoch)
            epoch = topic->partitions[i]->leader_epoch;
    }
    if (error != KE_NONE) {
        refuse(job->request, out, error, "an abort marker could not be written");
        return false;
    }
    if (out->open_transactions > 0 && !in->abort_open) {
        refuse(job->request, out, KE_INVALID_TXN_STATE,
            "transactions are open; end them at the source, or have them aborted");
        return false;
    }
    change->leader_epoch = epoch + 1;
    change->partition_count = topic->partition_count;
    change->end_offsets = xcalloc((size_t)topic->partition_count, sizeof *change->end_offsets);
    for (int32_t i = 0; i < topic->partition_count; i++)
        change->end_offsets[i] = topic->partitions[i]->log_end_offset;
    job->producer_id_next = producer_id_above(topic, job->producer_id_next);
    return true;
}

static void
topic_check(struct job *job, const state_in *in, state_out *out, int32_t index)
{
    struct topic *topic = topics_find(&job->broker->topics, in->name.data, (size_t)in->name.size);
    struct change *change = &job->changes[job->count];

    out->name = in->name;
    if (topic == NULL) {
        refuse(job->request, out, KE_UNKNOWN_TOPIC_OR_PARTITION, "no such topic");
        return;
    }
    out->topic_id = topic->topic_id;
    out->state = (int8_t)topic->state;
    if ((int)topic->state == in->state)
        return;
    change->topic_id = topic->topic_id;
    change->state = (enum topic_state)in->state;
    change->index = index;
    if (in->state == TOPIC_MIRRORING && topic->state == TOPIC_ACTIVE && is_empty(topic) &&
        !topic->configs.values.coordinated)
        job->count++;
    else if (in->state == TOPIC_PROMOTED && topic->state == TOPIC_MIRRORING)
        job->count += promote_check(job, topic, in, out);
    else
        refuse(job->request, out, KE_INVALID_REQUEST,
            in->state == TOPIC_MIRRORING ? "only an empty topic of the wal path that takes "
                                           "producers can begin to be mirrored"
                                         : "only a topic in state mirroring can be promoted");
}

static enum rc
change_apply(struct catalog *catalog, const struct change *change, struct err *e)
{
    enum rc rc = catalog_put_topic_state(catalog, &change->topic_id, change->state, e);

    for (int32_t i = 0; i < change->partition_count && rc == RC_OK; i++)
        rc = catalog_put_leader_epoch(
            catalog, &change->topic_id, i, change->leader_epoch, change->end_offsets[i], e);
    return rc;
}

static enum rc
apply(struct catalog *catalog, struct catalog_job *catalog_job, struct err *e)
{
    struct job *job = (struct job *)(void *)catalog_job;
    char text[24];
    enum rc rc = RC_OK;

    for (size_t i = 0; i < job->count && rc == RC_OK; i++)
        rc = change_apply(catalog, &job->changes[i], e);
    snprintf(text, sizeof text, "%" PRId64, job->producer_id_next);
    return rc == RC_OK ? catalog_put_setting(catalog, "producer_id_next", text, e) : rc;
}

static void
change_enter(struct broker *broker, const struct change *change)
{
    struct topic *topic = topics_find_id(&broker->topics, &change->topic_id);

    if (topic == NULL)
        return;
    topic->state = change->state;
    for (int32_t i = 0; i < change->partition_count; i++) {
        topic->partitions[i]->leader_epoch = change->leader_epoch;
        partition_epoch_start(topic->partitions[i], change->leader_epoch, change->end_offsets[i]);
    }
}

static void
job_free(struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        free(job->changes[i].end_offsets);
    free(job->changes);
    free(job);
}

static void
job_done(struct catalog_job *catalog_job)
{
    struct job *job = (struct job *)(void *)catalog_job;
    struct broker *broker = job->broker;
    struct km_mirror_state_response *out = job->request == NULL ? NULL : job->request->out;

    if (catalog_job->rc != RC_OK)
        log_error("MIRROR-STATE", "%s", catalog_job->err.text);
    for (size_t i = 0; i < job->count; i++) {
        struct change *change = &job->changes[i];

        if (catalog_job->rc == RC_OK)
            change_enter(broker, change);
        if (out != NULL && catalog_job->rc != RC_OK)
            out->topics.items[change->index].error_code = KE_KAFKA_STORAGE_ERROR;
        else if (out != NULL)
            out->topics.items[change->index].state = (int8_t)change->state;
    }
    if (catalog_job->rc == RC_OK && job->producer_id_next > broker->producer_id_end) {
        broker->producer_id_next = job->producer_id_next;
        broker->producer_id_end = job->producer_id_next;
    }
    if (job->request != NULL)
        broker_finish(broker, job->request);
    job_free(job);
}

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct job *)request->park)->request = NULL;
}

enum h_result
h_mirror_state(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_mirror_state_request *in = in_;
    struct km_mirror_state_response *out = out_;
    struct job *job;

    out->topics.items =
        codec_array(&request->arena, &km_mirror_state_response_topic_desc, in->topics.count);
    if (out->topics.items == NULL)
        return H_CLOSE;
    out->topics.count = in->topics.count;
    job = xcalloc(1, sizeof *job);
    job->broker = broker;
    job->request = request;
    job->changes = xcalloc((size_t)in->topics.count, sizeof *job->changes);
    job->producer_id_next = broker->producer_id_end;
    for (int32_t i = 0; i < in->topics.count; i++)
        topic_check(job, &in->topics.items[i], &out->topics.items[i], i);
    if (job->count == 0) {
        job_free(job);
        return H_DONE;
    }
    job->job.apply = apply;
    job->job.done = job_done;
    request->park = job;
    request->on_drop = dropped;
    catalog_submit(broker->catalog, &job->job);
    return H_PARK;
}
