/*
 * MirrorState: a topic begins to be mirrored, or is promoted to take producers.
 *
 * Only an empty topic can begin (state 1). Promotion (state 2) deals with the transactions that
 * were open at the source: they are ended by abort markers if the request says so, otherwise they
 * block it and are counted in the answer. Then every partition gets a leader epoch above all that a
 * client may have seen here or at the source (leader_epoch_min), and the broker hands out producer
 * ids above every mirrored one.
 *
 * The catalog learns of a promotion only when the log below the new epoch, markers included, is
 * durable: otherwise a crash could leave a promoted topic with a transaction that nobody ends, or
 * an epoch that begins behind the log's end. Until a change is through, its topic is `changing` and
 * takes no records. Who goes away while the log is waited for has changed nothing but the
 * transactions that were ended.
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
#include "refbroker/coord/producer_ids.h"
#include "refbroker/coord/txn_marker.h"
#include "refbroker/log/append.h"
#include "refbroker/meta/topics.h"

typedef struct km_mirror_state_request_topic state_in;
typedef struct km_mirror_state_response_topic state_out;

struct job;

/* One partition of a promotion; waiter.end_offset is where the epoch begins. */
struct part {
    struct append_waiter waiter;
    struct partition *partition; /* NULL once it is durable up to there, or failed */
    struct change *change;
};

struct change {
    struct job *job;
    struct wire_uuid topic_id;
    enum topic_state state;
    int32_t index;        /* in the answer */
    int32_t leader_epoch; /* promotion: of all partitions */
    int32_t part_count;
    struct part *parts;
    int16_t error; /* the log did not become durable */
};

struct job {
    struct catalog_job job;
    struct broker *broker;
    struct request *request; /* NULL once it is gone */
    struct change *changes;
    size_t count;
    size_t open; /* parts that are not durable */
    int64_t producer_id_next;
};

static void part_durable(struct broker *broker, struct append_waiter *waiter, int16_t error);

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
        .producer_id = info->producer_id,
        .timestamp = env_wall_ms(broker->env),
        .leader_epoch = partition->leader_epoch,
        .coordinator_epoch = info->coordinator_epoch < 0 ? 0 : info->coordinator_epoch,
        .producer_epoch = info->producer_epoch,
    };
    struct append_result result;

    txn_marker_append(broker, partition, &marker, &result);
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
    change->part_count = topic->partition_count;
    change->parts = xcalloc((size_t)topic->partition_count, sizeof *change->parts);
    for (int32_t i = 0; i < topic->partition_count; i++)
        change->parts[i] = (struct part){.partition = topic->partitions[i],
            .change = change,
            .waiter = {.end_offset = topic->partitions[i]->log_end_offset, .done = part_durable}};
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
    if (topic->changing) {
        refuse(job->request, out, KE_INVALID_REQUEST, "another change of its state is under way");
        return;
    }
    if ((int)topic->state == in->state)
        return;
    change->job = job;
    change->topic_id = topic->topic_id;
    change->state = (enum topic_state)in->state;
    change->index = index;
    if (in->state == TOPIC_MIRRORING && topic->state == TOPIC_ACTIVE && is_empty(topic) &&
        !topic->configs.values.coordinated)
        topic->changing = true;
    else if (in->state == TOPIC_PROMOTED && topic->state == TOPIC_MIRRORING)
        topic->changing = promote_check(job, topic, in, out);
    else
        refuse(job->request, out, KE_INVALID_REQUEST,
            in->state == TOPIC_MIRRORING ? "only an empty topic of the wal path that takes "
                                           "producers can begin to be mirrored"
                                         : "only a topic in state mirroring can be promoted");
    job->count += topic->changing;
}

static enum rc
change_apply(struct catalog *catalog, const struct change *change, struct err *e)
{
    enum rc rc = catalog_put_topic_state(catalog, &change->topic_id, change->state, e);

    for (int32_t i = 0; i < change->part_count && rc == RC_OK; i++)
        rc = catalog_put_leader_epoch(catalog, &change->topic_id, i, change->leader_epoch,
            change->parts[i].waiter.end_offset, e);
    return rc;
}

static enum rc
apply(struct catalog *catalog, struct catalog_job *catalog_job, struct err *e)
{
    struct job *job = (struct job *)(void *)catalog_job;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < job->count && rc == RC_OK; i++)
        if (job->changes[i].error == KE_NONE)
            rc = change_apply(catalog, &job->changes[i], e);
    return rc == RC_OK ? producer_ids_raise_stored(catalog, job->producer_id_next, e) : rc;
}

static void
change_enter(struct broker *broker, const struct change *change)
{
    struct topic *topic = topics_find_id(&broker->topics, &change->topic_id);

    if (topic == NULL)
        return;
    topic->state = change->state;
    for (int32_t i = 0; i < change->part_count; i++) {
        topic->partitions[i]->leader_epoch = change->leader_epoch;
        partition_epoch_start(
            topic->partitions[i], change->leader_epoch, change->parts[i].waiter.end_offset);
    }
}

/* Topics may be gone by now. */
static void
changing_end(struct job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        struct topic *topic = topics_find_id(&job->broker->topics, &job->changes[i].topic_id);

        if (topic != NULL)
            topic->changing = false;
    }
}

static void
job_free(struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        free(job->changes[i].parts);
    free(job->changes);
    free(job);
}

static void
answer_fill(const struct change *change, int16_t failure, struct km_mirror_state_response *out)
{
    state_out *topic = &out->topics.items[change->index];

    topic->error_code = change->error != KE_NONE ? change->error : failure;
    if (topic->error_code == KE_NONE)
        topic->state = (int8_t)change->state;
}

static void
job_done(struct catalog_job *catalog_job)
{
    struct job *job = (struct job *)(void *)catalog_job;
    struct broker *broker = job->broker;
    struct request *request = job->request;
    bool failed = catalog_job->rc != RC_OK;

    if (failed)
        log_error("MIRROR-STATE", "%s", catalog_job->err.text);
    changing_end(job);
    for (size_t i = 0; i < job->count; i++) {
        const struct change *change = &job->changes[i];

        if (!failed && change->error == KE_NONE)
            change_enter(broker, change);
        if (request != NULL)
            answer_fill(change, failed ? KE_KAFKA_STORAGE_ERROR : KE_NONE, request->out);
    }
    if (!failed)
        producer_ids_raise(broker, job->producer_id_next);
    if (request != NULL)
        broker_finish(broker, request);
    job_free(job);
}

static void
dropped_while_applied(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct job *)request->park)->request = NULL;
}

static void
dropped_while_waiting(struct broker *broker, struct request *request)
{
    struct job *job = request->park;

    (void)broker;
    for (size_t i = 0; i < job->count; i++)
        for (int32_t k = 0; k < job->changes[i].part_count; k++) {
            struct part *part = &job->changes[i].parts[k];

            if (part->partition != NULL)
                list_remove(&part->partition->append_waiters, &part->waiter.node);
        }
    changing_end(job);
    job_free(job);
}

static void
part_leave(struct job *job)
{
    if (--job->open > 0)
        return;
    job->request->on_drop = dropped_while_applied;
    job->job.apply = apply;
    job->job.done = job_done;
    catalog_submit(job->broker->catalog, &job->job);
}

static void
part_durable(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct part *part = list_of(waiter, struct part, waiter);

    (void)broker;
    part->partition = NULL;
    if (error != KE_NONE)
        part->change->error = error;
    part_leave(part->change->job);
}

static void
job_start(struct job *job)
{
    size_t open = 1;

    for (size_t i = 0; i < job->count; i++)
        open += (size_t)job->changes[i].part_count;
    job->open = open;
    job->request->park = job;
    job->request->on_drop = dropped_while_waiting;
    for (size_t i = 0; i < job->count; i++)
        for (int32_t k = 0; k < job->changes[i].part_count; k++)
            append_wait(
                job->broker, job->changes[i].parts[k].partition, &job->changes[i].parts[k].waiter);
    part_leave(job);
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
    job->producer_id_next = broker->producer_id_next;
    for (int32_t i = 0; i < in->topics.count; i++)
        topic_check(job, &in->topics.items[i], &out->topics.items[i], i);
    if (job->count == 0) {
        job_free(job);
        return H_DONE;
    }
    job_start(job);
    return H_PARK;
}
