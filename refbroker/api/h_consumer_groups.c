/*
 * ConsumerGroupHeartbeat and ConsumerGroupDescribe (KIP-848), as GroupCoordinatorService answers
 * them.
 */
#include <string.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/group_operations.h"
#include "refbroker/api/handlers.h"
#include "refbroker/coord/consumer_heartbeat.h"
#include "refbroker/coord/group_answer.h"

typedef struct km_consumer_group_describe_response_described_group group_out;
typedef struct km_consumer_group_describe_response_member member_out;
typedef struct km_consumer_group_describe_response_topic_partitions parts_out;

enum { MEMBER_TYPE_CLASSIC = 0, MEMBER_TYPE_CONSUMER = 1 };

/* --- ConsumerGroupHeartbeat ----------------------------------------------------------------------
 */

static void
heartbeat_refuse(struct request *request, int16_t error, const char *text)
{
    struct km_consumer_group_heartbeat_response *out = request->out;

    codec_init(&km_consumer_group_heartbeat_response_desc, out);
    out->error_code = error;
    out->error_message = request_text_dup(request, text);
}

static void
heartbeat_failed(struct request *request, int32_t part, int16_t error)
{
    (void)part;
    heartbeat_refuse(request, error, kerr_name(error));
}

/* group.coordinator.rebalance.protocols and group.version */
static bool
is_enabled(const struct broker *broker)
{
    return (broker->options.groups.protocols & GROUP_PROTOCOL_CONSUMER) != 0 &&
           broker->features.levels[FEATURE_GROUP_VERSION] > 0;
}

enum h_result
h_consumer_group_heartbeat(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_consumer_group_heartbeat_request *in = in_;
    struct group_records records;
    enum h_result result = H_DONE;
    char *group_id;
    int16_t error;
    struct err e;

    if (!is_enabled(broker)) {
        heartbeat_refuse(request, KE_UNSUPPORTED_VERSION, NULL);
        return H_DONE;
    }
    if (!groups_exist(broker->groups)) {
        heartbeat_refuse(request, KE_NOT_COORDINATOR, NULL);
        return H_DONE;
    }
    err_clear(&e);
    group_records_init(&records);
    error = consumer_heartbeat(broker->groups, request, in, out_, &records, &e);
    if (error != KE_NONE) {
        heartbeat_refuse(request, error, e.text);
    } else {
        group_id = arena_dup(&request->arena, in->group_id.data, (size_t)in->group_id.size + 1);
        if (group_id != NULL)
            group_id[in->group_id.size] = '\0';
        result = group_id == NULL ? H_CLOSE
                                  : group_answer_one(broker->groups, request, group_id, &records,
                                        heartbeat_failed);
    }
    group_records_fini(&records);
    return result;
}

/* --- ConsumerGroupDescribe -----------------------------------------------------------------------
 */

/* Partitions of topics that exist, one entry per topic; `more` is joined in. */
static void
parts_describe(struct broker *broker, struct request *request, const struct topic_parts *parts,
    const struct topic_parts *more, struct km_consumer_group_describe_response_assignment *out)
{
    struct topic_parts all = {0};
    int32_t *numbers;

    topic_parts_copy(&all, parts);
    for (size_t i = 0; more != NULL && i < more->count; i++)
        topic_parts_add(&all, &more->items[i]);
    topic_parts_sort(&all);
    numbers = arena_array(&request->arena, all.count + 1, sizeof *numbers);
    out->topic_partitions.items =
        codec_array(&request->arena, &km_consumer_group_describe_response_topic_partitions_desc,
            (int32_t)topic_parts_topics(&all));
    /* Without room the arena is full, and dispatch sees that. */
    for (size_t at = 0, run; !arena_is_full(&request->arena) && at < all.count; at += run) {
        const struct topic *topic = topics_find_id(&broker->topics, &all.items[at].topic_id);
        parts_out *to = &out->topic_partitions.items[out->topic_partitions.count];

        run = topic_parts_run(&all, at);
        if (topic == NULL)
            continue;
        to->topic_id = topic->topic_id;
        to->topic_name = request_text_dup(request, topic->name);
        to->partitions.items = numbers + at;
        to->partitions.count = (int32_t)run;
        for (size_t i = 0; i < run; i++)
            numbers[at + i] = all.items[at + i].partition;
        out->topic_partitions.count++;
    }
    topic_parts_fini(&all);
}

static bool
member_describe(struct broker *broker, struct request *request,
    const struct consumer_member *member, member_out *out)
{
    size_t count = member->topics.count;

    out->member_id = request_text_dup(request, member->member_id);
    out->instance_id = request_text_dup(request, member->instance_id);
    out->rack_id = request_text_dup(request, member->rack_id);
    out->member_epoch = member->epoch;
    out->client_id = request_text_dup(request, member->client_id);
    out->client_host = request_text_dup(request, member->client_host);
    out->subscribed_topic_regex = request_text_dup(request, member->regex);
    out->subscribed_topic_names.items =
        arena_array(&request->arena, count + 1, sizeof *out->subscribed_topic_names.items);
    if (arena_is_full(&request->arena))
        return false;
    out->subscribed_topic_names.count = (int32_t)count;
    for (size_t i = 0; i < count; i++)
        out->subscribed_topic_names.items[i] = request_text_dup(request, member->topics.items[i]);
    parts_describe(broker, request, &member->assigned, &member->revoking, &out->assignment);
    parts_describe(broker, request, &member->target, NULL, &out->target_assignment);
    out->member_type = member->classic != NULL ? MEMBER_TYPE_CLASSIC : MEMBER_TYPE_CONSUMER;
    return !arena_is_full(&request->arena);
}

static bool
group_describe(struct broker *broker, struct request *request,
    const struct consumer_group *consumer, group_out *out)
{
    const struct consumer_member *member;
    size_t position = 0;

    out->group_state = request_text(consumer_group_state(consumer));
    out->group_epoch = consumer->epoch;
    out->assignment_epoch = consumer->target_epoch;
    out->assignor_name = request_text_dup(request, consumer_group_assignor(consumer, NULL));
    out->members.items = codec_array(&request->arena,
        &km_consumer_group_describe_response_member_desc, (int32_t)map_count(&consumer->members));
    if (out->members.items == NULL)
        return false;
    while ((member = map_next(&consumer->members, &position, NULL, NULL)) != NULL)
        if (!member_describe(broker, request, member, &out->members.items[out->members.count++]))
            return false;
    return true;
}

enum h_result
h_consumer_group_describe(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_consumer_group_describe_request *in = in_;
    struct km_consumer_group_describe_response *out = out_;

    out->groups.items = codec_array(&request->arena,
        &km_consumer_group_describe_response_described_group_desc, in->group_ids.count);
    if (out->groups.items == NULL)
        return H_CLOSE;
    out->groups.count = in->group_ids.count;
    for (int32_t i = 0; i < in->group_ids.count; i++) {
        const struct group *group = groups_find(broker->groups, in->group_ids.items[i]);
        group_out *result = &out->groups.items[i];

        result->group_id = in->group_ids.items[i];
        if (!is_enabled(broker)) {
            result->error_code = KE_UNSUPPORTED_VERSION;
        } else if (in->group_ids.items[i].size == 0) {
            result->error_code = KE_INVALID_GROUP_ID;
        } else if (group == NULL || group->consumer == NULL) {
            result->error_code = KE_GROUP_ID_NOT_FOUND;
            result->error_message = request_text_dup(request,
                arena_printf(&request->arena,
                    group == NULL ? "Group %.*s not found." : "Group %.*s is not a consumer group.",
                    result->group_id.size, result->group_id.data));
        } else {
            if (!group_describe(broker, request, group->consumer, result))
                return H_CLOSE;
            if (in->include_authorized_operations)
                result->authorized_operations = GROUP_OPERATIONS;
        }
    }
    return H_DONE;
}
