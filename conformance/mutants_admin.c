/* Mutants of area admin. */
#include "conformance/mutants.h"
#include "lib/wire/kerr.h"

#define SOURCE_DEFAULT 5

static struct km_create_topics_response_creatable_topic_result *
created(struct proxy_call *call)
{
    struct km_create_topics_response *response = call->response;

    if (call->api_key != KM_CREATE_TOPICS || response->topics.count == 0)
        return NULL;
    call->is_changed = true;
    return &response->topics.items[0];
}

void
mutants_admin_echoes_nothing(struct proxy *proxy, struct proxy_call *call)
{
    struct km_create_topics_response_creatable_topic_result *topic = created(call);

    (void)proxy;
    if (topic != NULL)
        topic->configs.count = 0;
}

void
mutants_admin_creates_twice(struct proxy *proxy, struct proxy_call *call)
{
    struct km_create_topics_response_creatable_topic_result *topic = created(call);

    (void)proxy;
    if (topic != NULL)
        topic->error_code = KE_NONE;
}

/* The check writes three records before. */
void
mutants_admin_goes_on(struct proxy *proxy, struct proxy_call *call)
{
    struct km_list_offsets_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_LIST_OFFSETS || response->topics.count == 0)
        return;
    response->topics.items[0].partitions.items[0].offset += 3;
    call->is_changed = true;
}

void
mutants_admin_no_result(struct proxy *proxy, struct proxy_call *call)
{
    struct km_create_partitions_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_CREATE_PARTITIONS)
        return;
    response->results.count = 0;
    call->is_changed = true;
}

void
mutants_admin_all_defaults(struct proxy *proxy, struct proxy_call *call)
{
    struct km_describe_configs_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_DESCRIBE_CONFIGS || response->results.count == 0)
        return;
    for (int32_t i = 0; i < response->results.items[0].configs.count; i++)
        response->results.items[0].configs.items[i].config_source = SOURCE_DEFAULT;
    call->is_changed = true;
}

void
mutants_admin_sets_nothing(struct proxy *proxy, struct proxy_call *call)
{
    struct km_incremental_alter_configs_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_INCREMENTAL_ALTER_CONFIGS || request == NULL)
        return;
    request->validate_only = true;
    call->is_changed = true;
}

/* --- quotas ----------------------------------------------------------------------------------- */

void
mutants_admin_says_longer(struct proxy *proxy, struct proxy_call *call)
{
    struct km_produce_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_PRODUCE || response->throttle_time_ms == 0)
        return;
    response->throttle_time_ms *= 3;
    call->is_changed = true;
}

void
mutants_admin_takes_any_quota(struct proxy *proxy, struct proxy_call *call)
{
    struct km_alter_client_quotas_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_ALTER_CLIENT_QUOTAS || response->entries.count == 0)
        return;
    response->entries.items[0].error_code = KE_NONE;
    call->is_changed = true;
}
