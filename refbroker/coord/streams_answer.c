#include "refbroker/coord/streams_answer.h"

#include <stdlib.h>

#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/streams_creation.h"

#define DETAIL_BYTES_MAX ((size_t)64 * 1024)

typedef struct km_streams_group_heartbeat_response_endpoint_to_partitions endpoint_out;
typedef struct km_streams_group_heartbeat_response_task_ids_array ids_array;

/* --- statuses ------------------------------------------------------------------------------------
 */

void
streams_answer_begin(struct streams_answer *answer)
{
    answer->out->status.items = codec_array(&answer->request->arena,
        &km_streams_group_heartbeat_response_status_desc, STREAMS_ANSWER_STATUSES_MAX);
}

static void
status_add(struct streams_answer *answer, enum streams_status code, const char *detail)
{
    struct km_streams_group_heartbeat_response_status_array *list = &answer->out->status;

    if (list->items == NULL)
        return;
    list->items[list->count].status_code = (int8_t)code;
    list->items[list->count].status_detail = request_text_dup(answer->request, detail);
    list->count++;
}

void
streams_answer_stale(struct streams_answer *answer, int32_t group_topology_epoch)
{
    int32_t epoch = answer->member->topology_epoch;

    if (epoch < group_topology_epoch)
        status_add(answer, STREAMS_STATUS_STALE_TOPOLOGY,
            arena_printf(&answer->request->arena,
                "The member's topology epoch %d is behind the group's topology epoch %d.", epoch,
                group_topology_epoch));
}

void
streams_answer_delay(struct streams_answer *answer, enum streams_delay delay)
{
    if (delay == STREAMS_DELAY_FIRST)
        status_add(answer, STREAMS_STATUS_ASSIGNMENT_DELAYED,
            "Assignment delayed due to the configured initial rebalance delay.");
    else if (delay == STREAMS_DELAY_INTERVAL)
        status_add(answer, STREAMS_STATUS_ASSIGNMENT_DELAYED,
            "Assignment delayed due to the configured assignment interval.");
}

void
streams_answer_topics(struct streams_answer *answer)
{
    const struct streams_group *streams = answer->member->streams;
    struct buf text;

    if (streams->topics.status == STREAMS_STATUS_NONE)
        return;
    buf_init(&text, DETAIL_BYTES_MAX);
    buf_append_text(&text, streams->topics.detail);
    streams_creation_why(streams->group->groups, &streams->topics, &text);
    status_add(answer, streams->topics.status, buf_text(&text));
    buf_fini(&text);
}

void
streams_answer_shutdown(struct streams_answer *answer)
{
    const char *asker = answer->member->streams->shutdown_member_id;

    if (asker != NULL)
        status_add(answer, STREAMS_STATUS_SHUTDOWN_APPLICATION,
            arena_printf(&answer->request->arena,
                "Streams group member %s encountered a fatal error and requested a shutdown for "
                "the entire application.",
                asker));
}

/* --- tasks ---------------------------------------------------------------------------------------
 */

static ids_array
tasks_list(struct request *request, const struct streams_tasks *tasks)
{
    ids_array list = {
        codec_array(&request->arena, &km_streams_group_heartbeat_response_task_ids_desc,
            (int32_t)tasks->count),
        0};
    int32_t *numbers = arena_array(&request->arena, tasks->task_count + 1, sizeof *numbers);
    size_t *order = streams_tasks_by_table(tasks);

    for (size_t i = 0; !arena_is_full(&request->arena) && i < tasks->count; i++) {
        const struct streams_run *run = &tasks->runs[order[i]];

        list.items[i].subtopology_id = request_text_dup(request, run->subtopology_id);
        list.items[i].partitions.items = numbers;
        list.items[i].partitions.count = (int32_t)run->count;
        for (size_t k = 0; k < run->count; k++)
            *numbers++ = run->tasks[k].partition;
        list.count++;
    }
    free(order);
    return list;
}

void
streams_answer_tasks(struct streams_answer *answer)
{
    const struct streams_assignment *assigned = &answer->member->assigned;

    answer->out->active_tasks = tasks_list(answer->request, &assigned->active);
    answer->out->standby_tasks = tasks_list(answer->request, &assigned->standby);
    answer->out->warmup_tasks = tasks_list(answer->request, &assigned->warmup);
}

/* --- endpoints -----------------------------------------------------------------------------------
 */

/* Of what cannot be told there is nothing. */
static void
partitions_fill(struct request *request, const struct streams_group *streams,
    const struct streams_tasks *tasks,
    struct km_streams_group_heartbeat_response_topic_partition_array *out)
{
    struct streams_topics_view view = streams_group_view(streams->group->groups->broker);

    if (streams_topics_endpoint(&streams->topics, tasks, &view, &request->arena, out) != KE_NONE)
        out->count = 0;
}

static void
endpoint_fill(struct request *request, const struct streams_member *member, endpoint_out *out)
{
    const struct streams_group *streams = member->streams;

    out->user_endpoint.host = request_text_dup(request, member->endpoint_host);
    out->user_endpoint.port = member->endpoint_port;
    if (!streams->is_configured)
        return;
    partitions_fill(request, streams, &member->assigned.active, &out->active_partitions);
    partitions_fill(request, streams, &member->assigned.standby, &out->standby_partitions);
}

void
streams_answer_endpoints(struct streams_answer *answer)
{
    const struct streams_group *streams = answer->member->streams;
    const struct streams_member *member;
    size_t position = 0;

    answer->out->partitions_by_user_endpoint.items = codec_array(&answer->request->arena,
        &km_streams_group_heartbeat_response_endpoint_to_partitions_desc,
        (int32_t)map_count(&streams->members));
    if (answer->out->partitions_by_user_endpoint.items == NULL)
        return;
    answer->out->partitions_by_user_endpoint.count = 0;
    while ((member = map_next(&streams->members, &position, NULL, NULL)) != NULL)
        if (member != answer->member && member->endpoint_host != NULL)
            endpoint_fill(answer->request, member,
                &answer->out->partitions_by_user_endpoint
                     .items[answer->out->partitions_by_user_endpoint.count++]);
    if (answer->member->endpoint_host != NULL)
        endpoint_fill(answer->request, answer->member,
            &answer->out->partitions_by_user_endpoint
                 .items[answer->out->partitions_by_user_endpoint.count++]);
}
