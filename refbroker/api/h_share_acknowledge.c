/*
 * ShareAcknowledge (KIP-932, KIP-1222; KafkaApis.handleShareAcknowledgeRequest).
 *
 * The answer waits until what was said is durable. An epoch of -1 ends the member's session.
 */
#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/api/share_acks.h"
#include "refbroker/api/share_leader.h"
#include "refbroker/api/share_leave.h"
#include "refbroker/api/topic_groups.h"
#include "refbroker/broker.h"
#include "refbroker/coord/group_configs.h"
#include "refbroker/meta/features.h"

typedef struct km_share_acknowledge_response_partition_data partition_out;
typedef struct km_share_acknowledge_response_topic_response topic_out;

/* The highest type of acknowledgement: KIP-1222 has brought renewals. */
#define VERSION_RENEW 2
#define TYPE_REJECT 3
#define TYPE_RENEW 4

struct park {
    struct share_session_key member;
    struct share_acks *acks;
};

static enum h_result
refuse(struct km_share_acknowledge_response *out, int16_t error)
{
    codec_init(&km_share_acknowledge_response_desc, out);
    out->error_code = error;
    return H_DONE;
}

static void
partition_fill(struct broker *broker, const struct share_ack *ack,
    struct km_share_acknowledge_response *out, partition_out *to)
{
    struct share_leader leader;

    to->partition_index = ack->partition;
    to->error_code = ack->error;
    to->error_message = ack->text;
    if (!share_leader_find(broker, &ack->topic_id, ack->partition, ack->error, &leader))
        return;
    to->current_leader.leader_id = leader.id;
    to->current_leader.leader_epoch = leader.epoch;
    if (out->node_endpoints.items == NULL || out->node_endpoints.count > 0 || leader.id < 0)
        return;
    out->node_endpoints.items[out->node_endpoints.count++] =
        (struct km_share_acknowledge_response_node_endpoint){.node_id = leader.id,
            .host = request_text(broker->options.host),
            .port = broker->options.port,
            .rack = request_text(NULL)};
}

/* Without room the arena is full, and dispatch sees that. */
static void
topics_fill(struct broker *broker, struct request *request, const struct share_ack **rows,
    const struct topic_groups *groups)
{
    struct km_share_acknowledge_response *out = request->out;

    out->responses.items = codec_array(
        &request->arena, &km_share_acknowledge_response_topic_response_desc, groups->count);
    for (int32_t i = 0; out->responses.items != NULL && i < groups->count; i++) {
        topic_out *topic = &out->responses.items[out->responses.count++];

        topic->topic_id = groups->items[i].topic_id;
        topic->partitions.items = codec_array(&request->arena,
            &km_share_acknowledge_response_partition_data_desc, groups->items[i].count);
        for (int32_t k = 0; topic->partitions.items != NULL && k < groups->items[i].count; k++)
            partition_fill(broker, rows[groups->items[i].rows[k]], out,
                &topic->partitions.items[topic->partitions.count++]);
    }
}

static void
response_fill(struct broker *broker, struct request *request, const struct park *park)
{
    struct km_share_acknowledge_response *out = request->out;
    struct group_share_configs configs;
    const struct share_ack **rows;
    struct wire_uuid *topic_ids;
    struct topic_groups groups;
    const struct share_ack *ack;
    size_t position = 0, count = 0;

    while (share_acks_next(park->acks, &position) != NULL)
        count++;
    rows = arena_array(&request->arena, count + 1, sizeof(const struct share_ack *));
    topic_ids = arena_array(&request->arena, count + 1, sizeof *topic_ids);
    if (rows == NULL || topic_ids == NULL)
        return;
    position = count = 0;
    while ((ack = share_acks_next(park->acks, &position)) != NULL) {
        topic_ids[count] = ack->topic_id;
        rows[count++] = ack;
    }
    group_configs_share(broker, park->member.group_id, &configs);
    out->acquisition_lock_timeout_ms = (int32_t)configs.record_lock_duration_ms;
    out->node_endpoints.items =
        codec_array(&request->arena, &km_share_acknowledge_response_node_endpoint_desc, 1);
    if (topic_groups_make(&request->arena, topic_ids, count, &groups))
        topics_fill(broker, request, rows, &groups);
}

static void
answer(struct broker *broker, struct request *request)
{
    const struct km_share_acknowledge_request *in = request->in;
    struct park *park = request->park;

    if (in->share_session_epoch == SHARE_SESSION_FINAL)
        share_leave(broker, &park->member);
    response_fill(broker, request, park);
    share_acks_free(park->acks);
}

static void
durable(struct broker *broker, struct request *request)
{
    answer(broker, request);
    broker_finish(broker, request);
}

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    share_acks_free(((struct park *)request->park)->acks);
}

static bool
acks_fill(struct request *request, struct share_acks *acks)
{
    const struct km_share_acknowledge_request *in = request->in;

    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct km_share_acknowledge_request_acknowledge_topic *topic = &in->topics.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            const struct km_share_acknowledge_request_acknowledge_partition *partition =
                &topic->partitions.items[k];
            int32_t count = partition->acknowledgement_batches.count;
            struct share_acknowledgement *said =
                arena_array(&request->arena, (size_t)count + 1, sizeof *said);

            if (said == NULL)
                return false;
            for (int32_t n = 0; n < count; n++) {
                const struct km_share_acknowledge_request_acknowledgement_batch *batch =
                    &partition->acknowledgement_batches.items[n];

                said[n] = (struct share_acknowledgement){batch->first_offset, batch->last_offset,
                    batch->acknowledge_types.items, batch->acknowledge_types.count};
            }
            share_acks_add(acks, &topic->topic_id, partition->partition_index, said, (size_t)count);
        }
    }
    return true;
}

enum h_result
h_share_acknowledge(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_share_acknowledge_request *in = in_;
    bool renews = request->header.api_version >= VERSION_RENEW;
    struct park *park = arena_alloc(&request->arena, sizeof *park);
    int16_t error;

    if (park == NULL)
        return H_CLOSE;
    if (!features_share_groups(&broker->features))
        return refuse(out_, KE_UNSUPPORTED_VERSION);
    error = share_session_key_read(request, in->group_id, in->member_id, &park->member);
    if (error == KE_NONE)
        error = share_session_step(broker->share_sessions, &park->member, in->share_session_epoch);
    if (error != KE_NONE)
        return refuse(out_, error);
    request->park = park;
    park->acks = share_acks_new(broker, request, &park->member, durable);
    if (!acks_fill(request, park->acks)) {
        share_acks_free(park->acks);
        return H_CLOSE;
    }
    request->on_drop = dropped;
    if (!share_acks_run(park->acks, renews ? TYPE_RENEW : TYPE_REJECT, in->is_renew_ack))
        return H_PARK;
    answer(broker, request);
    return H_DONE;
}
