/* Mutants of area share. */
#include "conformance/mutants.h"
#include "lib/wire/kerr.h"

static struct km_share_group_heartbeat_response *
heartbeat_answer(struct proxy_call *call)
{
    if (call->api_key != KM_SHARE_GROUP_HEARTBEAT)
        return NULL;
    call->is_changed = true;
    return call->response;
}

/* The partition of a ShareFetch's answer that has acquired something, or NULL. */
static struct km_share_fetch_response_partition_data *
acquired_answer(struct proxy_call *call)
{
    struct km_share_fetch_response *response = call->response;

    if (call->api_key != KM_SHARE_FETCH || response->responses.count == 0 ||
        response->responses.items[0].partitions.count == 0 ||
        response->responses.items[0].partitions.items[0].acquired_records.count == 0)
        return NULL;
    call->is_changed = true;
    return &response->responses.items[0].partitions.items[0];
}

/* The first partition of a ShareAcknowledge's answer, or NULL. */
static struct km_share_acknowledge_response_partition_data *
acknowledged_answer(struct proxy_call *call)
{
    struct km_share_acknowledge_response *response = call->response;

    if (call->api_key != KM_SHARE_ACKNOWLEDGE || response->responses.count == 0)
        return NULL;
    call->is_changed = true;
    return &response->responses.items[0].partitions.items[0];
}

void
mutants_share_not_finalized(struct proxy *proxy, struct proxy_call *call)
{
    struct km_api_versions_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_API_VERSIONS)
        return;
    response->finalized_features.count = 0;
    call->is_changed = true;
}

void
mutants_share_no_interval(struct proxy *proxy, struct proxy_call *call)
{
    struct km_share_group_heartbeat_response *response = heartbeat_answer(call);

    (void)proxy;
    if (response != NULL)
        response->heartbeat_interval_ms = 0;
}

void
mutants_share_keeps_who_left(struct proxy *proxy, struct proxy_call *call)
{
    struct km_share_group_heartbeat_response *response = heartbeat_answer(call);

    (void)proxy;
    if (response != NULL && response->error_code == KE_UNKNOWN_MEMBER_ID)
        response->error_code = KE_NONE;
}

void
mutants_share_counts_from_two(struct proxy *proxy, struct proxy_call *call)
{
    struct km_share_fetch_response_partition_data *part = acquired_answer(call);

    (void)proxy;
    for (int32_t i = 0; part != NULL && i < part->acquired_records.count; i++)
        part->acquired_records.items[i].delivery_count++;
}

void
mutants_share_always_first(struct proxy *proxy, struct proxy_call *call)
{
    struct km_share_fetch_response_partition_data *part = acquired_answer(call);

    (void)proxy;
    for (int32_t i = 0; part != NULL && i < part->acquired_records.count; i++)
        part->acquired_records.items[i].delivery_count = 1;
}

void
mutants_share_without_records(struct proxy *proxy, struct proxy_call *call)
{
    struct km_share_fetch_response_partition_data *part = acquired_answer(call);

    (void)proxy;
    if (part != NULL)
        part->records.size = 0;
}

void
mutants_share_takes_what_is_gone(struct proxy *proxy, struct proxy_call *call)
{
    struct km_share_acknowledge_response_partition_data *part = acknowledged_answer(call);

    (void)proxy;
    if (part != NULL && part->error_code == KE_INVALID_RECORD_STATE)
        part->error_code = KE_NONE;
}

void
mutants_share_takes_any_type(struct proxy *proxy, struct proxy_call *call)
{
    struct km_share_acknowledge_response_partition_data *part = acknowledged_answer(call);

    (void)proxy;
    if (part != NULL && part->error_code == KE_INVALID_REQUEST)
        part->error_code = KE_NONE;
}

void
mutants_share_any_session(struct proxy *proxy, struct proxy_call *call)
{
    struct km_share_acknowledge_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_SHARE_ACKNOWLEDGE)
        return;
    response->error_code = KE_NONE;
    call->is_changed = true;
}

void
mutants_share_silent_piggyback(struct proxy *proxy, struct proxy_call *call)
{
    struct km_share_fetch_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_SHARE_FETCH)
        return;
    for (int32_t i = 0; i < response->responses.count; i++)
        for (int32_t k = 0; k < response->responses.items[i].partitions.count; k++)
            response->responses.items[i].partitions.items[k].acknowledge_error_code = KE_NONE;
    call->is_changed = true;
}

/* The one partition whose offset is told, or NULL. */
static struct km_describe_share_group_offsets_response_partition *
offset_answer(struct proxy_call *call)
{
    struct km_describe_share_group_offsets_response *response = call->response;

    if (call->api_key != KM_DESCRIBE_SHARE_GROUP_OFFSETS || response->groups.count == 0 ||
        response->groups.items[0].topics.count == 0)
        return NULL;
    call->is_changed = true;
    return &response->groups.items[0].topics.items[0].partitions.items[0];
}

void
mutants_share_start_stands(struct proxy *proxy, struct proxy_call *call)
{
    struct km_describe_share_group_offsets_response_partition *part = offset_answer(call);

    (void)proxy;
    if (part != NULL)
        part->start_offset = 0;
}

void
mutants_share_no_lag(struct proxy *proxy, struct proxy_call *call)
{
    struct km_describe_share_group_offsets_response_partition *part = offset_answer(call);

    (void)proxy;
    if (part != NULL)
        part->lag = -1;
}

void
mutants_share_alters_at_work(struct proxy *proxy, struct proxy_call *call)
{
    struct km_alter_share_group_offsets_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_ALTER_SHARE_GROUP_OFFSETS)
        return;
    response->error_code = KE_NONE;
    call->is_changed = true;
}
