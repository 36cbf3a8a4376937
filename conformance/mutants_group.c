/* Mutants of area group. */
#include "conformance/mutants.h"
#include "lib/wire/kerr.h"

/* The answer of an API, about to be changed; NULL for other calls. */
static void *
answer_of(struct proxy_call *call, enum km_api api)
{
    if (call->api_key != (int16_t)api)
        return NULL;
    call->is_changed = true;
    return call->response;
}

/* --- members ---------------------------------------------------------------------------------- */

void
mutants_group_no_id_needed(struct proxy *proxy, struct proxy_call *call)
{
    struct km_join_group_response *response = answer_of(call, KM_JOIN_GROUP);

    (void)proxy;
    if (response != NULL && response->error_code == KE_MEMBER_ID_REQUIRED)
        response->error_code = KE_NONE;
}

void
mutants_group_hides_members(struct proxy *proxy, struct proxy_call *call)
{
    struct km_join_group_response *response = answer_of(call, KM_JOIN_GROUP);

    (void)proxy;
    if (response != NULL && response->members.count > 1)
        response->members.count = 1;
}

void
mutants_group_cuts_assignments(struct proxy *proxy, struct proxy_call *call)
{
    struct km_sync_group_response *response = answer_of(call, KM_SYNC_GROUP);

    (void)proxy;
    if (response != NULL && response->assignment.size > INT16_MAX)
        response->assignment.size = INT16_MAX;
}

static void
heartbeat_turn(struct proxy_call *call, int16_t from, int16_t to)
{
    struct km_heartbeat_response *response = answer_of(call, KM_HEARTBEAT);

    if (response != NULL && response->error_code == from)
        response->error_code = to;
}

void
mutants_group_quiet(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    heartbeat_turn(call, KE_REBALANCE_IN_PROGRESS, KE_NONE);
}

void
mutants_group_evicts_early(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    heartbeat_turn(call, KE_NONE, KE_REBALANCE_IN_PROGRESS);
}

/* The broker behind gets a request that removes nobody. */
void
mutants_group_keeps_leavers(struct proxy *proxy, struct proxy_call *call)
{
    struct km_leave_group_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_LEAVE_GROUP || request == NULL)
        return;
    request->members.count = 0;
    call->is_changed = true;
}

/* The third that joins without a member id is the one that comes back. */
void
mutants_group_rebalances_static(struct proxy *proxy, struct proxy_call *call)
{
    const struct km_join_group_request *request = call->request;
    struct km_join_group_response *response = answer_of(call, KM_JOIN_GROUP);

    if (response != NULL && request != NULL && request->member_id.size == 0 &&
        ++proxy->notes[0] == 3)
        response->generation_id++;
}

void
mutants_group_fences_nobody(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    heartbeat_turn(call, KE_FENCED_INSTANCE_ID, KE_NONE);
}

/* --- offsets ---------------------------------------------------------------------------------- */

static int16_t *
commit_code(struct proxy_call *call)
{
    struct km_offset_commit_response *response = answer_of(call, KM_OFFSET_COMMIT);

    return response == NULL || response->topics.count == 0
               ? NULL
               : &response->topics.items[0].partitions.items[0].error_code;
}

void
mutants_group_stops_commits(struct proxy *proxy, struct proxy_call *call)
{
    int16_t *code = commit_code(call);

    (void)proxy;
    if (code != NULL && *code == KE_NONE)
        *code = KE_REBALANCE_IN_PROGRESS;
}

void
mutants_group_any_generation(struct proxy *proxy, struct proxy_call *call)
{
    int16_t *code = commit_code(call);

    (void)proxy;
    if (code != NULL)
        *code = KE_NONE;
}

void
mutants_group_old_owners(struct proxy *proxy, struct proxy_call *call)
{
    mutants_group_any_generation(proxy, call);
}

static struct km_offset_fetch_response_partitions *
committed(struct proxy_call *call)
{
    struct km_offset_fetch_response *response = answer_of(call, KM_OFFSET_FETCH);

    return response == NULL || response->groups.count == 0 ||
                   response->groups.items[0].topics.count == 0
               ? NULL
               : &response->groups.items[0].topics.items[0].partitions.items[0];
}

void
mutants_group_no_metadata(struct proxy *proxy, struct proxy_call *call)
{
    struct km_offset_fetch_response_partitions *part = committed(call);

    (void)proxy;
    if (part != NULL)
        part->metadata.size = 0;
}

void
mutants_group_no_epoch(struct proxy *proxy, struct proxy_call *call)
{
    struct km_offset_fetch_response_partitions *part = committed(call);

    (void)proxy;
    if (part != NULL)
        part->committed_leader_epoch = -1;
}

/* The check asks after its restart only. */
void
mutants_group_forgets_offsets(struct proxy *proxy, struct proxy_call *call)
{
    struct km_offset_fetch_response_partitions *part = committed(call);

    (void)proxy;
    if (part != NULL)
        part->committed_offset = -1;
}

void
mutants_group_forgets_members(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    heartbeat_turn(call, KE_NONE, KE_UNKNOWN_MEMBER_ID);
}

/* --- descriptions ----------------------------------------------------------------------------- */

void
mutants_group_always_stable(struct proxy *proxy, struct proxy_call *call)
{
    static const char stable[] = "Stable";
    struct km_describe_groups_response *response = answer_of(call, KM_DESCRIBE_GROUPS);

    (void)proxy;
    if (response != NULL && response->groups.count > 0)
        response->groups.items[0].group_state = (struct wire_string){stable, sizeof stable - 1};
}
