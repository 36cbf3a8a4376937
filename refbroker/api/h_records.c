/*
 * DeleteRecords, DescribeProducers (KIP-107, KIP-664).
 *
 * DeleteRecords waits until every partition's new start is in the catalog; -1 means the high
 * watermark.
 */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/log/log_start.h"
#include "refbroker/meta/topics.h"

typedef struct km_delete_records_response_partition_result delete_out;

/* A DeleteRecords that waits. It outlives its request when the connection goes first. */
struct park {
    struct request *request;
    size_t open;
    bool counted;
};

struct deletion {
    struct park *park;
    delete_out *out; /* in the request's arena */
};

static void
park_end(struct broker *broker, struct park *park)
{
    if (park->open > 0 || !park->counted)
        return;
    if (park->request != NULL)
        broker_finish(broker, park->request);
    free(park);
}

static void
deleted(struct broker *broker, void *arg, struct partition *partition, int16_t error)
{
    struct deletion *deletion = arg;
    struct park *park = deletion->park;

    if (park->request != NULL) {
        deletion->out->error_code = error;
        deletion->out->low_watermark = error == KE_NONE ? partition->log_start_offset : -1;
    }
    free(deletion);
    park->open--;
    park_end(broker, park);
}

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct park *)request->park)->request = NULL;
}

static void
partition_delete(struct broker *broker, struct park *park, struct topic *topic,
    const struct km_delete_records_request_partition *in, delete_out *out)
{
    struct partition *partition =
        topic == NULL ? NULL : topics_partition(topic, in->partition_index);
    struct deletion *deletion;
    int64_t offset = in->offset;

    out->partition_index = in->partition_index;
    out->low_watermark = -1;
    if (partition == NULL) {
        out->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
        return;
    }
    if (topics_is_internal(topic->name)) {
        out->error_code = KE_INVALID_TOPIC_EXCEPTION;
        return;
    }
    if (topic->configs.values.compacts && !topic->configs.values.deletes) {
        out->error_code = KE_POLICY_VIOLATION;
        return;
    }
    if (offset == -1)
        offset = partition->high_watermark;
    if (offset < 0 || offset > partition->high_watermark) {
        out->error_code = KE_OFFSET_OUT_OF_RANGE;
        return;
    }
    deletion = xcalloc(1, sizeof *deletion);
    deletion->park = park;
    deletion->out = out;
    park->open++;
    log_start_move(broker, partition, offset, false, deleted, deletion);
}

enum h_result
h_delete_records(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_delete_records_request *in = in_;
    struct km_delete_records_response *out = out_;
    struct park *park;

    out->topics.items = codec_array(
        &request->arena, &km_delete_records_response_topic_result_desc, in->topics.count);
    for (int32_t i = 0; !arena_is_full(&request->arena) && i < in->topics.count; i++) {
        int32_t count = in->topics.items[i].partitions.count;

        out->topics.items[i].name = in->topics.items[i].name;
        out->topics.items[i].partitions.items =
            codec_array(&request->arena, &km_delete_records_response_partition_result_desc, count);
        out->topics.items[i].partitions.count = count;
    }
    if (arena_is_full(&request->arena))
        return H_CLOSE;
    out->topics.count = in->topics.count;
    park = xcalloc(1, sizeof *park);
    park->request = request;
    for (int32_t i = 0; i < in->topics.count; i++) {
        struct wire_string name = in->topics.items[i].name;
        struct topic *topic = topics_find(&broker->topics, name.data, (size_t)name.size);

        for (int32_t k = 0; k < in->topics.items[i].partitions.count; k++)
            partition_delete(broker, park, topic, &in->topics.items[i].partitions.items[k],
                &out->topics.items[i].partitions.items[k]);
    }
    if (park->open == 0) {
        free(park);
        return H_DONE;
    }
    park->counted = true;
    request->park = park;
    request->on_drop = dropped;
    return H_PARK;
}

/* --- DescribeProducers ----------------------------------------------------------------------- */

static bool
producers_fill(struct request *request, const struct partition *partition,
    struct km_describe_producers_response_partition_response *out)
{
    struct producer_info info;
    size_t position = 0;

    if (partition->producers == NULL)
        return true;
    out->active_producers.items =
        codec_array(&request->arena, &km_describe_producers_response_producer_state_desc,
            (int32_t)producers_count(partition->producers));
    if (out->active_producers.items == NULL)
        return false;
    while (producers_next(partition->producers, &position, &info))
        out->active_producers.items[out->active_producers.count++] =
            (struct km_describe_producers_response_producer_state){
                .producer_id = info.producer_id,
                .producer_epoch = info.producer_epoch,
                .last_sequence = info.last_sequence,
                .last_timestamp = info.last_timestamp,
                .coordinator_epoch = info.coordinator_epoch,
                .current_txn_start_offset = info.txn_first_offset,
            };
    return true;
}

static bool
topic_producers(struct broker *broker, struct request *request,
    const struct km_describe_producers_request_topic_request *in,
    struct km_describe_producers_response_topic_response *out)
{
    struct topic *topic = topics_find(&broker->topics, in->name.data, (size_t)in->name.size);
    bool is_named = topics_name_check(in->name.data, (size_t)in->name.size) == NULL;
    struct wire_string why = request_text(TOPICS_UNKNOWN_WHY);
    char invalid[TOPICS_NAME_WHY_BYTES];

    if (!is_named) {
        topics_name_why(in->name.data, (size_t)in->name.size, invalid);
        why = request_text_dup(request, invalid);
    }
    out->name = in->name;
    out->partitions.items = codec_array(&request->arena,
        &km_describe_producers_response_partition_response_desc, in->partition_indexes.count);
    if (out->partitions.items == NULL)
        return false;
    out->partitions.count = in->partition_indexes.count;
    for (int32_t i = 0; i < in->partition_indexes.count; i++) {
        struct km_describe_producers_response_partition_response *result =
            &out->partitions.items[i];
        struct partition *partition =
            topic == NULL ? NULL : topics_partition(topic, in->partition_indexes.items[i]);

        result->partition_index = in->partition_indexes.items[i];
        if (topic == NULL) {
            /* Of a topic it is said why, of a partition not (ReplicaManager.activeProducerState).
             */
            result->error_code =
                is_named ? KE_UNKNOWN_TOPIC_OR_PARTITION : KE_INVALID_TOPIC_EXCEPTION;
            result->error_message = why;
        } else if (partition == NULL)
            result->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
        else if (topic->configs.values.coordinated)
            /* No leader keeps producers of a coordinated topic; Inkless answers so. */
            result->error_code = KE_NOT_LEADER_OR_FOLLOWER;
        else if (!producers_fill(request, partition, result))
            return false;
    }
    return true;
}

enum h_result
h_describe_producers(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_describe_producers_request *in = in_;
    struct km_describe_producers_response *out = out_;

    out->topics.items = codec_array(
        &request->arena, &km_describe_producers_response_topic_response_desc, in->topics.count);
    if (out->topics.items == NULL)
        return H_CLOSE;
    out->topics.count = in->topics.count;
    for (int32_t i = 0; i < in->topics.count; i++)
        if (!topic_producers(broker, request, &in->topics.items[i], &out->topics.items[i]))
            return H_CLOSE;
    return H_DONE;
}
