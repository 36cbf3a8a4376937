/*
 * ShareGroupHeartbeat and ShareGroupDescribe (KIP-932), as KafkaApis and GroupCoordinatorService
 * answer them.
 */
#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/group_operations.h"
#include "refbroker/api/handlers.h"
#include "refbroker/coord/group_answer.h"
#include "refbroker/coord/share_assignor.h"
#include "refbroker/coord/share_heartbeat.h"
#include "refbroker/coord/share_initialize.h"

typedef struct km_share_group_describe_response_described_group group_out;
typedef struct km_share_group_describe_response_member member_out;
typedef struct km_share_group_describe_response_topic_partitions parts_out;

/* Uuid's text, in UTF-16 units. */
#define MEMBER_ID_UNITS_MAX 36

/* --- ShareGroupHeartbeat -------------------------------------------------------------------------
 */

static void
heartbeat_refuse(struct request *request, int16_t error, const char *text)
{
    struct km_share_group_heartbeat_response *out = request->out;

    codec_init(&km_share_group_heartbeat_response_desc, out);
    out->error_code = error;
    out->error_message = request_text_dup(request, text);
}

static void
heartbeat_failed(struct request *request, int32_t part, int16_t error)
{
    (void)part;
    heartbeat_refuse(request, error, kerr_name(error));
}

/* KafkaApis.isMemberIdValid, which counts as Java's strings do. */
static bool
is_member_id(struct wire_string id)
{
    size_t units = 0;

    for (int32_t i = 0; i < id.size; i++) {
        unsigned char byte = (unsigned char)id.data[i];

        units += (byte & 0xc0) != 0x80;
        units += byte >= 0xf0;
    }
    return units > 0 && units <= MEMBER_ID_UNITS_MAX;
}

static enum h_result
heartbeat_take(struct broker *broker, struct request *request,
    const struct km_share_group_heartbeat_request *in)
{
    struct share_topics begun = {0};
    struct group_records records;
    enum h_result result = H_DONE;
    struct group *group;
    int16_t error;
    struct err e;

    err_clear(&e);
    group_records_init(&records);
    error = share_heartbeat(broker->groups, request, in, request->out, &records, &begun, &e);
    if (error != KE_NONE) {
        heartbeat_refuse(request, error, e.text);
    } else {
        group = groups_find(broker->groups, in->group_id);
        result =
            group_answer_one(broker->groups, request, group->group_id, &records, heartbeat_failed);
        share_initialize(group, &begun);
    }
    share_topics_fini(&begun);
    group_records_fini(&records);
    return result;
}

enum h_result
h_share_group_heartbeat(struct broker *broker, struct request *request, const void *in_, void *out)
{
    const struct km_share_group_heartbeat_request *in = in_;
    int16_t error = KE_NONE;
    struct err e;

    (void)out;
    err_clear(&e);
    if (!features_share_groups(&broker->features))
        error = KE_UNSUPPORTED_VERSION;
    else if (!is_member_id(in->member_id))
        error = KE_INVALID_REQUEST;
    if (error != KE_NONE) {
        heartbeat_refuse(request, error, NULL);
        return H_DONE;
    }
    error = share_heartbeat_check(in, &e);
    if (error != KE_NONE) {
        heartbeat_refuse(request, error, e.text);
        return H_DONE;
    }
    if (!groups_exist(broker->groups)) {
        heartbeat_refuse(request, KE_NOT_COORDINATOR, NULL);
        return H_DONE;
    }
    return heartbeat_take(broker, request, in);
}

/* --- ShareGroupDescribe --------------------------------------------------------------------------
 */

/* Partitions of topics that exist. */
static void
parts_describe(struct broker *broker, struct request *request, const struct share_parts *parts,
    struct km_share_group_describe_response_assignment *out)
{
    out->topic_partitions.items = codec_array(&request->arena,
        &km_share_group_describe_response_topic_partitions_desc, (int32_t)parts->count);
    /* Without room the arena is full, and dispatch sees that. */
    for (size_t i = 0; !arena_is_full(&request->arena) && i < parts->count; i++) {
        const struct share_parts_topic *from = &parts->topics[i];
        const struct topic *topic = topics_find_id(&broker->topics, &from->topic_id);
        parts_out *to = &out->topic_partitions.items[out->topic_partitions.count];

        if (topic == NULL)
            continue;
        to->topic_id = topic->topic_id;
        to->topic_name = request_text_dup(request, topic->name);
        to->partitions.items = arena_dup(&request->arena, from->partitions,
            (size_t)from->partition_count * sizeof *from->partitions);
        to->partitions.count = from->partition_count;
        out->topic_partitions.count++;
    }
}

static bool
member_describe(struct broker *broker, struct request *request, const struct share_member *member,
    member_out *out)
{
    size_t count = member->topics.count;

    out->member_id = request_text_dup(request, member->member_id);
    out->rack_id = request_text_dup(request, member->rack_id);
    out->member_epoch = member->epoch;
    out->client_id = request_text_dup(request, member->client_id);
    out->client_host = request_text_dup(request, member->client_host);
    out->subscribed_topic_names.items =
        arena_array(&request->arena, count + 1, sizeof *out->subscribed_topic_names.items);
    if (arena_is_full(&request->arena))
        return false;
    out->subscribed_topic_names.count = (int32_t)count;
    for (size_t i = 0; i < count; i++)
        out->subscribed_topic_names.items[i] = request_text_dup(request, member->topics.items[i]);
    parts_describe(broker, request, &member->assigned, &out->assignment);
    return !arena_is_full(&request->arena);
}

static bool
group_describe(
    struct broker *broker, struct request *request, const struct share_group *share, group_out *out)
{
    const struct share_member *member;
    size_t position = 0;

    out->group_state = request_text(share_group_state(share));
    out->group_epoch = share->epoch;
    out->assignment_epoch = share->target_epoch;
    out->assignor_name = request_text(SHARE_ASSIGNOR_NAME);
    out->members.items = codec_array(&request->arena, &km_share_group_describe_response_member_desc,
        (int32_t)map_count(&share->members));
    if (out->members.items == NULL)
        return false;
    while ((member = map_next(&share->members, &position, NULL, NULL)) != NULL)
        if (!member_describe(broker, request, member, &out->members.items[out->members.count++]))
            return false;
    return true;
}

/* What Kafka says of a group that is not there, or is none of these. */
static void
group_refuse(struct request *request, const struct group *group, group_out *out)
{
    out->error_code = KE_GROUP_ID_NOT_FOUND;
    out->error_message = request_text_dup(
        request, arena_printf(&request->arena,
                     group == NULL ? "Group %.*s not found." : "Group %.*s is not a share group.",
                     out->group_id.size, out->group_id.data));
}

enum h_result
h_share_group_describe(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_share_group_describe_request *in = in_;
    struct km_share_group_describe_response *out = out_;

    out->groups.items = codec_array(&request->arena,
        &km_share_group_describe_response_described_group_desc, in->group_ids.count);
    if (out->groups.items == NULL)
        return H_CLOSE;
    out->groups.count = in->group_ids.count;
    for (int32_t i = 0; i < in->group_ids.count; i++) {
        const struct group *group = groups_find(broker->groups, in->group_ids.items[i]);
        group_out *result = &out->groups.items[i];

        result->group_id = in->group_ids.items[i];
        if (!features_share_groups(&broker->features)) {
            result->error_code = KE_UNSUPPORTED_VERSION;
        } else if (result->group_id.size == 0) {
            result->error_code = KE_INVALID_GROUP_ID;
        } else if (group == NULL || group->share == NULL) {
            group_refuse(request, group, result);
        } else {
            if (!group_describe(broker, request, group->share, result))
                return H_CLOSE;
            if (in->include_authorized_operations)
                result->authorized_operations = GROUP_OPERATIONS;
        }
    }
    return H_DONE;
}
