/*
 * StreamsGroupHeartbeat and StreamsGroupDescribe (KIP-1071), as KafkaApis and
 * GroupCoordinatorService answer them.
 */
#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/group_operations.h"
#include "refbroker/api/handlers.h"
#include "refbroker/coord/group_answer.h"
#include "refbroker/coord/streams_heartbeat.h"

typedef struct km_streams_group_describe_response_described_group group_out;
typedef struct km_streams_group_describe_response_member member_out;
typedef struct km_streams_group_describe_response_assignment assignment_out;
typedef struct km_streams_group_describe_response_task_ids_array ids_array;

/* --- StreamsGroupHeartbeat -----------------------------------------------------------------------
 */

static void
heartbeat_refuse(struct request *request, int16_t error, const char *text)
{
    struct km_streams_group_heartbeat_response *out = request->out;

    codec_init(&km_streams_group_heartbeat_response_desc, out);
    out->error_code = error;
    out->error_message = request_text_dup(request, text == NULL || text[0] == '\0' ? NULL : text);
}

static void
heartbeat_failed(struct request *request, int32_t part, int16_t error)
{
    (void)part;
    heartbeat_refuse(request, error, kerr_name(error));
}

static enum h_result
heartbeat_take(struct broker *broker, struct request *request,
    const struct km_streams_group_heartbeat_request *in)
{
    struct streams_creation *creation;
    struct group_records records;
    enum h_result result = H_DONE;
    const struct group *group;
    int16_t error;
    struct err e;

    err_clear(&e);
    group_records_init(&records);
    error = streams_heartbeat(broker->groups, request, in, request->out, &records, &creation, &e);
    if (error != KE_NONE) {
        heartbeat_refuse(request, error, e.text);
    } else {
        group = groups_find(broker->groups, in->group_id);
        result =
            group_answer_one(broker->groups, request, group->group_id, &records, heartbeat_failed);
        if (creation != NULL)
            streams_creation_begin(creation, group->group_id);
    }
    group_records_fini(&records);
    return result;
}

/* The request by itself, in Kafka's order: names of topics first. */
static int16_t
heartbeat_check(
    struct request *request, const struct km_streams_group_heartbeat_request *in, struct err *e)
{
    struct wire_string *names;
    int16_t error = KE_NONE;
    size_t count;

    if (in->topology != NULL)
        error = streams_topology_check_names(in->topology, &request->arena, &names, &count, e);
    return error != KE_NONE ? error : streams_heartbeat_check(in, e);
}

enum h_result
h_streams_group_heartbeat(
    struct broker *broker, struct request *request, const void *in_, void *out)
{
    const struct km_streams_group_heartbeat_request *in = in_;
    int16_t error;
    struct err e;

    (void)out;
    if (!streams_group_is_enabled(broker)) {
        heartbeat_refuse(request, KE_UNSUPPORTED_VERSION, NULL);
        return H_DONE;
    }
    err_clear(&e);
    error = heartbeat_check(request, in, &e);
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

/* --- StreamsGroupDescribe ------------------------------------------------------------------------
 */

static void
tasks_describe(struct request *request, const struct streams_tasks *tasks, ids_array *out)
{
    int32_t *numbers = arena_array(&request->arena, tasks->task_count + 1, sizeof *numbers);

    out->items = codec_array(
        &request->arena, &km_streams_group_describe_response_task_ids_desc, (int32_t)tasks->count);
    /* Without room the arena is full, and dispatch sees that. */
    for (size_t i = 0; !arena_is_full(&request->arena) && i < tasks->count; i++) {
        const struct streams_run *run = &tasks->runs[i];

        out->items[i].subtopology_id = request_text_dup(request, run->subtopology_id);
        out->items[i].partitions.items = numbers;
        out->items[i].partitions.count = (int32_t)run->count;
        for (size_t k = 0; k < run->count; k++)
            *numbers++ = run->tasks[k].partition;
        out->count++;
    }
}

static void
assignment_describe(
    struct request *request, const struct streams_assignment *assignment, assignment_out *out)
{
    tasks_describe(request, &assignment->active, &out->active_tasks);
    tasks_describe(request, &assignment->standby, &out->standby_tasks);
    tasks_describe(request, &assignment->warmup, &out->warmup_tasks);
}

static void
endpoint_describe(struct request *request, const struct streams_member *member, member_out *out)
{
    if (member->endpoint_host == NULL)
        return;
    out->user_endpoint =
        codec_array(&request->arena, &km_streams_group_describe_response_endpoint_desc, 1);
    if (out->user_endpoint == NULL)
        return;
    out->user_endpoint->host = request_text_dup(request, member->endpoint_host);
    out->user_endpoint->port = member->endpoint_port;
}

static bool
member_describe(struct request *request, const struct streams_member *member, member_out *out)
{
    size_t count = member->tags.count;

    out->member_id = request_text_dup(request, member->member_id);
    out->member_epoch = member->epoch;
    out->instance_id = request_text_dup(request, member->instance_id);
    out->rack_id = request_text_dup(request, member->rack_id);
    out->client_id = request_text_dup(request, member->client_id);
    out->client_host = request_text_dup(request, member->client_host);
    out->topology_epoch = member->topology_epoch;
    out->process_id = request_text_dup(request, member->process_id);
    endpoint_describe(request, member, out);
    out->client_tags.items = codec_array(
        &request->arena, &km_streams_group_describe_response_key_value_desc, (int32_t)count);
    if (arena_is_full(&request->arena))
        return false;
    out->client_tags.count = (int32_t)count;
    for (size_t i = 0; i < count; i++) {
        out->client_tags.items[i].key = request_text_dup(request, member->tags.items[i].name);
        out->client_tags.items[i].value = request_text_dup(request, member->tags.items[i].value);
    }
    assignment_describe(request, &member->assigned, &out->assignment);
    assignment_describe(request, &member->target, &out->target_assignment);
    return !arena_is_full(&request->arena);
}

static bool
topology_describe(struct request *request, const struct streams_group *streams, group_out *out)
{
    out->topology =
        codec_array(&request->arena, &km_streams_group_describe_response_topology_desc, 1);
    return out->topology != NULL &&
           streams_topics_describe(streams->is_configured ? &streams->topics : NULL,
               streams->topology, &request->arena, out->topology);
}

static bool
group_describe(struct request *request, const struct streams_group *streams, group_out *out)
{
    const struct streams_member *member;
    size_t position = 0;

    out->group_state = request_text(streams_group_state_name(streams));
    out->group_epoch = streams->epoch;
    out->assignment_epoch = streams->target_epoch;
    if (!topology_describe(request, streams, out))
        return false;
    out->members.items = codec_array(&request->arena,
        &km_streams_group_describe_response_member_desc, (int32_t)map_count(&streams->members));
    if (out->members.items == NULL)
        return false;
    while ((member = map_next(&streams->members, &position, NULL, NULL)) != NULL)
        if (!member_describe(request, member, &out->members.items[out->members.count++]))
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
                     group == NULL ? "Group %.*s not found." : "Group %.*s is not a streams group.",
                     out->group_id.size, out->group_id.data));
}

/* A group whose log has no topology is one that Kafka cannot describe. */
static bool
one_describe(struct broker *broker, struct request *request, bool operations, group_out *out)
{
    const struct group *group = groups_find(broker->groups, out->group_id);

    if (!streams_group_is_enabled(broker)) {
        out->error_code = KE_UNSUPPORTED_VERSION;
    } else if (out->group_id.size == 0) {
        out->error_code = KE_INVALID_GROUP_ID;
    } else if (group == NULL || group->streams == NULL) {
        group_refuse(request, group, out);
    } else if (group->streams->topology == NULL) {
        out->error_code = KE_UNKNOWN_SERVER_ERROR;
    } else {
        if (!group_describe(request, group->streams, out))
            return false;
        if (operations)
            out->authorized_operations = GROUP_OPERATIONS;
    }
    return true;
}

enum h_result
h_streams_group_describe(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_streams_group_describe_request *in = in_;
    struct km_streams_group_describe_response *out = out_;

    out->groups.items = codec_array(&request->arena,
        &km_streams_group_describe_response_described_group_desc, in->group_ids.count);
    if (out->groups.items == NULL)
        return H_CLOSE;
    out->groups.count = in->group_ids.count;
    for (int32_t i = 0; i < in->group_ids.count; i++) {
        out->groups.items[i].group_id = in->group_ids.items[i];
        if (!one_describe(
                broker, request, in->include_authorized_operations, &out->groups.items[i]))
            return H_CLOSE;
    }
    return H_DONE;
}
