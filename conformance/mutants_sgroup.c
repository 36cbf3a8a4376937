/* Mutants of streams groups, of area streams. */
#include "conformance/kc_streams.h"
#include "conformance/mutants.h"
#include "lib/wire/kerr.h"

typedef struct km_streams_group_heartbeat_response_task_ids task_ids;

/* The answer to a heartbeat that was taken, or NULL. */
static kc_streams_response *
taken_answer(struct proxy_call *call)
{
    kc_streams_response *response = call->response;

    if (call->api_key != KM_STREAMS_GROUP_HEARTBEAT || response->error_code != KE_NONE)
        return NULL;
    call->is_changed = true;
    return response;
}

/* A heartbeat with an error is answered without. */
static void
error_hide(struct proxy_call *call, int16_t error)
{
    kc_streams_response *response = call->response;

    if (call->api_key != KM_STREAMS_GROUP_HEARTBEAT || response->error_code != error)
        return;
    response->error_code = KE_NONE;
    call->is_changed = true;
}

static void
status_hide(struct proxy_call *call, enum kc_streams_code code)
{
    kc_streams_response *response = taken_answer(call);
    int32_t kept = 0;

    if (response == NULL)
        return;
    for (int32_t i = 0; i < response->status.count; i++)
        if (response->status.items[i].status_code != (int8_t)code)
            response->status.items[kept++] = response->status.items[i];
    response->status.count = kept;
}

/* The one task 0_0. */
static struct km_streams_group_heartbeat_response_task_ids_array
first_task(void)
{
    static int32_t first = 0;
    static task_ids ids;

    ids.subtopology_id = kc_string("0");
    ids.partitions.items = &first;
    ids.partitions.count = 1;
    return (struct km_streams_group_heartbeat_response_task_ids_array){&ids, 1};
}

/* --- whether there are any -------------------------------------------------------------------- */

void
mutants_sgroup_not_finalized(struct proxy *proxy, struct proxy_call *call)
{
    struct km_api_versions_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_API_VERSIONS)
        return;
    response->finalized_features.count = 0;
    call->is_changed = true;
}

void
mutants_sgroup_always_there(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    error_hide(call, KE_UNSUPPORTED_VERSION);
}

/* --- joining ---------------------------------------------------------------------------------- */

void
mutants_sgroup_no_interval(struct proxy *proxy, struct proxy_call *call)
{
    kc_streams_response *response = taken_answer(call);

    (void)proxy;
    if (response != NULL)
        response->heartbeat_interval_ms = 0;
}

void
mutants_sgroup_joins_without(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    error_hide(call, KE_INVALID_REQUEST);
}

void
mutants_sgroup_joins_anyhow(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    error_hide(call, KE_INVALID_REQUEST);
}

void
mutants_sgroup_hears_again(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    error_hide(call, KE_INVALID_REQUEST);
}

void
mutants_sgroup_hides_delay(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    status_hide(call, KC_STREAMS_ASSIGNMENT_DELAYED);
}

/* --- topologies and topics -------------------------------------------------------------------- */

void
mutants_sgroup_any_changelog(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    error_hide(call, KE_STREAMS_INVALID_TOPOLOGY);
}

void
mutants_sgroup_any_name(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    error_hide(call, KE_STREAMS_INVALID_TOPOLOGY);
}

void
mutants_sgroup_hides_stale(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    status_hide(call, KC_STREAMS_STALE_TOPOLOGY);
}

void
mutants_sgroup_hides_missing(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    status_hide(call, KC_STREAMS_MISSING_SOURCE_TOPICS);
}

void
mutants_sgroup_hides_uneven(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    status_hide(call, KC_STREAMS_INCORRECTLY_PARTITIONED_TOPICS);
}

void
mutants_sgroup_hides_wrong_size(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    status_hide(call, KC_STREAMS_INCORRECTLY_PARTITIONED_TOPICS);
}

void
mutants_sgroup_no_tasks(struct proxy *proxy, struct proxy_call *call)
{
    kc_streams_response *response = taken_answer(call);

    (void)proxy;
    if (response != NULL && response->active_tasks.count > 0)
        response->active_tasks.count = 0;
}

/* The topology of a request that joins, or NULL. */
static kc_topology *
topology_asked(struct proxy_call *call)
{
    kc_streams_request *request = call->request;

    if (call->api_key != KM_STREAMS_GROUP_HEARTBEAT || request == NULL)
        return NULL;
    call->is_changed = true;
    return request->topology;
}

void
mutants_sgroup_own_configs(struct proxy *proxy, struct proxy_call *call)
{
    kc_topology *topology = topology_asked(call);

    (void)proxy;
    for (int32_t i = 0; topology != NULL && i < topology->subtopologies.count; i++)
        for (int32_t k = 0; k < topology->subtopologies.items[i].state_changelog_topics.count; k++)
            topology->subtopologies.items[i].state_changelog_topics.items[k].topic_configs.count =
                0;
}

void
mutants_sgroup_own_partitions(struct proxy *proxy, struct proxy_call *call)
{
    kc_topology *topology = topology_asked(call);

    (void)proxy;
    for (int32_t i = 0; topology != NULL && i < topology->subtopologies.count; i++)
        for (int32_t k = 0; k < topology->subtopologies.items[i].repartition_source_topics.count;
             k++)
            topology->subtopologies.items[i].repartition_source_topics.items[k].partitions = 0;
}

/* --- tasks ------------------------------------------------------------------------------------ */

/* Whoever is told of tasks has the first one among them. */
void
mutants_sgroup_gives_twice(struct proxy *proxy, struct proxy_call *call)
{
    kc_streams_response *response = taken_answer(call);

    (void)proxy;
    if (response != NULL && response->active_tasks.count > 0)
        response->active_tasks = first_task();
}

/* Who comes to a group where somebody has tasks has the first one at once. */
void
mutants_sgroup_moves_at_once(struct proxy *proxy, struct proxy_call *call)
{
    const kc_streams_request *request = call->request;
    kc_streams_response *response = taken_answer(call);

    if (response == NULL || request == NULL)
        return;
    if (request->active_tasks.count > 0)
        proxy->notes[0] = true;
    else if (proxy->notes[0] && request->member_epoch == KC_STREAMS_JOIN)
        response->active_tasks = first_task();
}

void
mutants_sgroup_keeps_who_left(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    error_hide(call, KE_UNKNOWN_MEMBER_ID);
}

void
mutants_sgroup_keeps_silent(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    error_hide(call, KE_UNKNOWN_MEMBER_ID);
}

void
mutants_sgroup_no_standbys(struct proxy *proxy, struct proxy_call *call)
{
    kc_streams_response *response = taken_answer(call);

    (void)proxy;
    if (response != NULL && response->standby_tasks.count > 0)
        response->standby_tasks.count = 0;
}

void
mutants_sgroup_any_epoch(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    error_hide(call, KE_FENCED_MEMBER_EPOCH);
}

void
mutants_sgroup_any_repetition(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    error_hide(call, KE_FENCED_MEMBER_EPOCH);
}

void
mutants_sgroup_any_task(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    error_hide(call, KE_INVALID_REQUEST);
}

void
mutants_sgroup_any_protocol(struct proxy *proxy, struct proxy_call *call)
{
    struct km_join_group_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_JOIN_GROUP || response->error_code != KE_INCONSISTENT_GROUP_PROTOCOL)
        return;
    response->error_code = KE_NONE;
    call->is_changed = true;
}

void
mutants_sgroup_any_commit(struct proxy *proxy, struct proxy_call *call)
{
    struct km_offset_commit_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_OFFSET_COMMIT || response->topics.count == 0)
        return;
    response->topics.items[0].partitions.items[0].error_code = KE_NONE;
    call->is_changed = true;
}

/* Tells a member that says what it has the same with every answer. */
void
mutants_sgroup_tells_again(struct proxy *proxy, struct proxy_call *call)
{
    static task_ids same;
    const kc_streams_request *request = call->request;
    kc_streams_response *response = taken_answer(call);

    (void)proxy;
    if (response == NULL || request == NULL || response->active_tasks.count >= 0 ||
        request->active_tasks.count <= 0)
        return;
    same.subtopology_id = request->active_tasks.items[0].subtopology_id;
    same.partitions.items = request->active_tasks.items[0].partitions.items;
    same.partitions.count = request->active_tasks.items[0].partitions.count;
    response->active_tasks.items = &same;
    response->active_tasks.count = 1;
}

/* --- what is told ----------------------------------------------------------------------------- */

void
mutants_sgroup_one_endpoint(struct proxy *proxy, struct proxy_call *call)
{
    kc_streams_response *response = taken_answer(call);

    (void)proxy;
    if (response != NULL && response->partitions_by_user_endpoint.count > 1)
        response->partitions_by_user_endpoint.count = 1;
}

void
mutants_sgroup_hides_shutdown(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    status_hide(call, KC_STREAMS_SHUTDOWN_APPLICATION);
}

void
mutants_sgroup_no_topology(struct proxy *proxy, struct proxy_call *call)
{
    struct km_streams_group_describe_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_STREAMS_GROUP_DESCRIBE || response->groups.count == 0)
        return;
    response->groups.items[0].topology = NULL;
    call->is_changed = true;
}

void
mutants_sgroup_not_listed(struct proxy *proxy, struct proxy_call *call)
{
    struct km_list_groups_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_LIST_GROUPS)
        return;
    response->groups.count = 0;
    call->is_changed = true;
}

void
mutants_sgroup_deletes_at_work(struct proxy *proxy, struct proxy_call *call)
{
    struct km_delete_groups_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_DELETE_GROUPS || response->results.count == 0)
        return;
    response->results.items[0].error_code = KE_NONE;
    call->is_changed = true;
}
