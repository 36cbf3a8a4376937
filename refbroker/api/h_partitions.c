/*
 * CreatePartitions, DescribeTopicPartitions, OffsetForLeaderEpoch
 * (ReplicationControlManager.createPartitions, DescribeTopicPartitionsRequestHandler, KIP-195,
 * KIP-320, KIP-966).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/alteration.h"
#include "refbroker/api/doubled.h"
#include "refbroker/api/handlers.h"
#include "refbroker/api/operations.h"
#include "refbroker/api/quota_gate.h"
#include "refbroker/broker.h"
#include "refbroker/limits.h"
#include "refbroker/meta/topics.h"

/* The version of CreatePartitions from which on it is refused above the quota (KIP-599). */
#define GROW_STRICT_SINCE 3

typedef struct km_create_partitions_request_topic grow_in;
typedef struct km_create_partitions_response_topic_result grow_out;

struct growth {
    struct wire_uuid topic_id;
    int32_t count;
    int32_t index; /* in the answer */
};

struct growth_alteration {
    struct alteration alteration; /* first */
    struct growth *growths;
    size_t count;
};

static void
grow_refuse(struct request *request, grow_out *out, int16_t error, const char *text)
{
    out->error_code = error;
    out->error_message = request_text_dup(request, text);
}

static void
names_note(struct doubled *names, const struct km_create_partitions_request *in)
{
    doubled_init(names);
    for (int32_t i = 0; i < in->topics.count; i++)
        doubled_note(names, in->topics.items[i].name.data, (size_t)in->topics.items[i].name.size);
}

static struct topic *
grow_check(struct broker *broker, struct request *request, const grow_in *in, grow_out *out)
{
    struct topic *topic = topics_find(&broker->topics, in->name.data, (size_t)in->name.size);
    char text[160];

    if (topic == NULL) {
        grow_refuse(request, out, KE_UNKNOWN_TOPIC_OR_PARTITION, NULL);
    } else if (in->count == topic->partition_count) {
        snprintf(text, sizeof text, "Topic already has %d partition(s).", topic->partition_count);
        grow_refuse(request, out, KE_INVALID_PARTITIONS, text);
    } else if (in->count < topic->partition_count) {
        snprintf(text, sizeof text,
            "The topic %s currently has %d partition(s); %d would not be an increase.", topic->name,
            topic->partition_count, in->count);
        grow_refuse(request, out, KE_INVALID_PARTITIONS, text);
    } else if (in->count > LIMIT_PARTITIONS_PER_TOPIC_MAX ||
               broker->topics.partition_count + in->count - topic->partition_count >
                   LIMIT_PARTITIONS_MAX) {
        grow_refuse(request, out, KE_INVALID_PARTITIONS, "Too many partitions for this broker.");
    } else if (in->assignments.count >= 0 &&
               in->assignments.count != in->count - topic->partition_count) {
        snprintf(text, sizeof text,
            "Attempted to add %d additional partition(s), but only %d assignment(s) were "
            "specified.",
            in->count - topic->partition_count, in->assignments.count);
        grow_refuse(request, out, KE_INVALID_REPLICA_ASSIGNMENT, text);
    } else {
        for (int32_t i = 0; i < in->assignments.count; i++)
            if (in->assignments.items[i].broker_ids.count != 1 ||
                in->assignments.items[i].broker_ids.items[0] != broker->options.node_id)
                grow_refuse(request, out, KE_INVALID_REPLICA_ASSIGNMENT,
                    "The manual partition assignment must name this broker alone.");
    }
    return out->error_code == 0 ? topic : NULL;
}

static enum rc
growths_write(struct catalog *catalog, const struct alteration *alteration, struct err *e)
{
    const struct growth_alteration *job = (const void *)alteration;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < job->count && rc == RC_OK; i++)
        rc = catalog_put_partition_count(
            catalog, &job->growths[i].topic_id, job->growths[i].count, e);
    return rc;
}

static enum rc
growths_take_effect(const struct alteration *alteration, struct err *e)
{
    const struct growth_alteration *job = (const void *)alteration;
    struct broker *broker = alteration->broker;

    (void)e;
    for (size_t i = 0; i < job->count; i++) {
        struct growth *growth = &job->growths[i];
        struct topic *topic = topics_find_id(&broker->topics, &growth->topic_id);

        if (topic == NULL || growth->count <= topic->partition_count)
            continue;
        broker->stats.partitions += growth->count - topic->partition_count;
        topics_grow(&broker->topics, topic, growth->count);
    }
    return RC_OK;
}

static void
complain(const struct err *e)
{
    log_error("TOPIC-GROW", "%s", e->text);
}

static void
growths_fail(const struct alteration *alteration, void *out_)
{
    const struct growth_alteration *job = (const void *)alteration;
    struct km_create_partitions_response *out = out_;

    for (size_t i = 0; i < job->count; i++)
        out->results.items[job->growths[i].index].error_code = KE_KAFKA_STORAGE_ERROR;
}

static void
alteration_free(struct alteration *alteration)
{
    struct growth_alteration *job = (void *)alteration;

    free(job->growths);
    free(job);
}

static const struct alteration_kind growing = {
    growths_write, growths_take_effect, complain, growths_fail, alteration_free};

enum h_result
h_create_partitions(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_create_partitions_request *in = in_;
    struct km_create_partitions_response *out = out_;
    struct doubled names;
    struct growth_alteration *job;

    out->results.items = codec_array(
        &request->arena, &km_create_partitions_response_topic_result_desc, in->topics.count);
    if (out->results.items == NULL)
        return H_CLOSE;
    out->results.count = in->topics.count;
    job = xcalloc(1, sizeof *job);
    alteration_init(&job->alteration, &growing, broker, request);
    job->growths = xcalloc((size_t)in->topics.count, sizeof *job->growths);
    names_note(&names, in);
    for (int32_t i = 0; i < in->topics.count; i++) {
        grow_out *result = &out->results.items[i];
        struct topic *topic = NULL;

        result->name = in->topics.items[i].name;
        if (doubled_is(
                &names, in->topics.items[i].name.data, (size_t)in->topics.items[i].name.size))
            grow_refuse(request, result, KE_INVALID_REQUEST, "Duplicate topic name.");
        else
            topic = grow_check(broker, request, &in->topics.items[i], result);
        if (topic != NULL &&
            !quota_gate_mutate(broker, request, in->topics.items[i].count - topic->partition_count,
                GROW_STRICT_SINCE))
            grow_refuse(request, result, KE_THROTTLING_QUOTA_EXCEEDED, NULL);
        else if (topic != NULL)
            job->growths[job->count++] =
                (struct growth){topic->topic_id, in->topics.items[i].count, i};
    }
    doubled_fini(&names);
    return alteration_end(&job->alteration, !in->validate_only && job->count > 0);
}

/* --- OffsetForLeaderEpoch -------------------------------------------------------------------- */

static void
epoch_answer(struct broker *broker, const struct topic *topic,
    const struct km_offset_for_leader_epoch_request_offset_for_leader_partition *in,
    struct km_offset_for_leader_epoch_response_epoch_end_offset *out)
{
    struct partition *partition =
        topic == NULL || in->partition < 0 || in->partition >= topic->partition_count
            ? NULL
            : topic->partitions[in->partition];

    (void)broker;
    out->partition = in->partition;
    if (partition != NULL && topic->configs.values.coordinated) {
        /* There are no leader epochs: every one asked for ends at the high watermark (Inkless). */
        out->leader_epoch = in->leader_epoch;
        out->end_offset = partition->high_watermark;
        return;
    }
    if (partition == NULL)
        out->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
    else if (in->current_leader_epoch >= 0 && in->current_leader_epoch < partition->leader_epoch)
        out->error_code = KE_FENCED_LEADER_EPOCH;
    else if (in->current_leader_epoch > partition->leader_epoch)
        out->error_code = KE_UNKNOWN_LEADER_EPOCH;
    else
        partition_epoch_end(partition, in->leader_epoch, &out->leader_epoch, &out->end_offset);
}

enum h_result
h_offset_for_leader_epoch(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_offset_for_leader_epoch_request *in = in_;
    struct km_offset_for_leader_epoch_response *out = out_;

    out->topics.items = codec_array(&request->arena,
        &km_offset_for_leader_epoch_response_offset_for_leader_topic_result_desc, in->topics.count);
    if (out->topics.items == NULL)
        return H_CLOSE;
    out->topics.count = in->topics.count;
    for (int32_t i = 0; i < in->topics.count; i++) {
        struct wire_string name = in->topics.items[i].topic;
        struct topic *topic = topics_find(&broker->topics, name.data, (size_t)name.size);
        int32_t count = in->topics.items[i].partitions.count;

        out->topics.items[i].topic = name;
        out->topics.items[i].partitions.items = codec_array(
            &request->arena, &km_offset_for_leader_epoch_response_epoch_end_offset_desc, count);
        if (out->topics.items[i].partitions.items == NULL)
            return H_CLOSE;
        out->topics.items[i].partitions.count = count;
        for (int32_t k = 0; k < count; k++)
            epoch_answer(broker, topic, &in->topics.items[i].partitions.items[k],
                &out->topics.items[i].partitions.items[k]);
    }
    return H_DONE;
}

/* --- DescribeTopicPartitions ----------------------------------------------------------------- */

#define PARTITION_LIMIT_MAX 2000 /* max.request.partition.size.limit */

typedef struct km_describe_topic_partitions_response_topic describe_out;

static int
by_name(const void *a, const void *b)
{
    const struct wire_string *x = a, *y = b;
    size_t size = (size_t)(x->size < y->size ? x->size : y->size);
    int order = memcmp(x->data, y->data, size);

    return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

/* The names to describe, sorted, doubles taken out. */
static struct wire_string *
names_collect(struct broker *broker, struct request *request,
    const struct km_describe_topic_partitions_request *in, size_t *count)
{
    bool all = in->topics.count == 0;
    size_t size = all ? map_count(&broker->topics.by_name) : (size_t)in->topics.count;
    struct wire_string *names = arena_array(&request->arena, size, sizeof *names);
    struct topic *topic;
    size_t position = 0, kept = 0;

    *count = 0;
    if (names == NULL)
        return NULL;
    while (all && (topic = topics_next(&broker->topics, &position)) != NULL)
        names[(*count)++] = request_text_dup(request, topic->name);
    for (int32_t i = 0; i < in->topics.count; i++)
        names[(*count)++] = in->topics.items[i].name;
    qsort(names, *count, sizeof *names, by_name);
    for (size_t i = 0; i < *count; i++)
        if (kept == 0 || by_name(&names[kept - 1], &names[i]) != 0)
            names[kept++] = names[i];
    *count = kept;
    return names;
}

static bool
partitions_fill(struct broker *broker, struct request *request, const struct topic *topic,
    int32_t from, int32_t count, describe_out *out)
{
    int32_t *self = arena_alloc(&request->arena, sizeof *self);

    out->partitions.items =
        codec_array(&request->arena, &km_describe_topic_partitions_response_partition_desc, count);
    if (arena_is_full(&request->arena))
        return false;
    *self = broker->options.node_id;
    out->partitions.count = count;
    for (int32_t i = 0; i < count; i++) {
        struct km_describe_topic_partitions_response_partition *p = &out->partitions.items[i];

        p->partition_index = from + i;
        p->leader_id = *self;
        p->leader_epoch = topic->partitions[from + i]->leader_epoch;
        p->replica_nodes.items = p->isr_nodes.items = self;
        p->replica_nodes.count = p->isr_nodes.count = 1;
        p->eligible_leader_replicas.count = 0;
        p->last_known_elr.count = 0;
    }
    return true;
}

static bool
cursor_set(struct request *request, struct wire_string name, int32_t partition,
    struct km_describe_topic_partitions_response *out)
{
    out->next_cursor =
        codec_array(&request->arena, &km_describe_topic_partitions_response_cursor_desc, 1);
    if (out->next_cursor == NULL)
        return false;
    out->next_cursor->topic_name = name;
    out->next_cursor->partition_index = partition;
    return true;
}

/* Describes one topic from a partition on; false where the page is full and a cursor is set, or
 * memory is. */
static bool
describe_one(struct broker *broker, struct request *request, struct wire_string name, int32_t from,
    int32_t *room, struct km_describe_topic_partitions_response *out)
{
    struct topic *topic = topics_find(&broker->topics, name.data, (size_t)name.size);
    describe_out *result;
    int32_t count;

    if (*room == 0) {
        (void)cursor_set(request, name, from, out);
        return false;
    }
    result = &out->topics.items[out->topics.count++];
    result->name = name;
    result->topic_authorized_operations = OPERATIONS_TOPIC;
    if (topic == NULL) {
        result->error_code = topics_name_check(name.data, (size_t)name.size) == NULL
                                 ? KE_UNKNOWN_TOPIC_OR_PARTITION
                                 : KE_INVALID_TOPIC_EXCEPTION;
        return true;
    }
    result->topic_id = topic->topic_id;
    result->is_internal = topics_is_internal(topic->name);
    if (from > topic->partition_count)
        from = topic->partition_count;
    count = topic->partition_count - from < *room ? topic->partition_count - from : *room;
    *room -= count;
    if (!partitions_fill(broker, request, topic, from, count, result))
        return false;
    if (from + count == topic->partition_count)
        return true;
    (void)cursor_set(request, name, from + count, out);
    return false;
}

/* A cursor must stand at one of the topics asked for; Kafka answers the whole request with 42
 * otherwise, which this message can only say topic by topic. */
static bool
cursor_is_wrong(struct request *request, const struct km_describe_topic_partitions_request *in,
    struct km_describe_topic_partitions_response *out)
{
    if (in->cursor == NULL || in->topics.count == 0)
        return false;
    for (int32_t i = 0; i < in->topics.count; i++)
        if (by_name(&in->topics.items[i].name, &in->cursor->topic_name) == 0)
            return false;
    out->topics.items = codec_array(
        &request->arena, &km_describe_topic_partitions_response_topic_desc, in->topics.count);
    for (int32_t i = 0; out->topics.items != NULL && i < in->topics.count; i++) {
        out->topics.items[i].name = in->topics.items[i].name;
        out->topics.items[i].error_code = KE_INVALID_REQUEST;
        out->topics.count++;
    }
    return true;
}

enum h_result
h_describe_topic_partitions(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_describe_topic_partitions_request *in = in_;
    struct km_describe_topic_partitions_response *out = out_;
    int32_t room = in->response_partition_limit;
    struct wire_string *names;
    size_t count;

    if (in->cursor != NULL && in->cursor->partition_index < 0)
        return H_CLOSE;
    if (cursor_is_wrong(request, in, out))
        return H_DONE;
    if (room < 1 || room > PARTITION_LIMIT_MAX)
        room = room < 1 ? 1 : PARTITION_LIMIT_MAX;
    names = names_collect(broker, request, in, &count);
    out->topics.items = codec_array(
        &request->arena, &km_describe_topic_partitions_response_topic_desc, (int32_t)count);
    if (arena_is_full(&request->arena))
        return H_CLOSE;
    for (size_t i = 0; i < count; i++) {
        int order = in->cursor == NULL ? 1 : by_name(&names[i], &in->cursor->topic_name);

        if (order < 0)
            continue;
        if (!describe_one(broker, request, names[i], order == 0 ? in->cursor->partition_index : 0,
                &room, out))
            break;
    }
    return H_DONE;
}
