/* Mutants of what Kafka Streams needs, of area streams. */
#include "conformance/kc_topic.h"
#include "conformance/mutants.h"
#include "lib/wire/kerr.h"

#define LATEST_TIMESTAMP (-1)
#define AHEAD 8 /* offsets */

/* --- topics ----------------------------------------------------------------------------------- */

/* Tells another value of a config. */
static void
config_tell(struct proxy_call *call, const char *name, const char *value)
{
    struct km_describe_configs_response *response = call->response;

    if (call->api_key != KM_DESCRIBE_CONFIGS)
        return;
    for (int32_t i = 0; i < response->results.count; i++) {
        struct km_describe_configs_response_result *told = &response->results.items[i];

        for (int32_t k = 0; k < told->configs.count; k++)
            if (kc_topic_is_named(told->configs.items[k].name, name))
                told->configs.items[k].value = kc_string(value);
    }
    call->is_changed = true;
}

void
mutants_streams_large_segments(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    config_tell(call, "segment.bytes", "1073741824");
}

void
mutants_streams_keeps_a_week(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    config_tell(call, "retention.ms", "604800000");
}

void
mutants_streams_purges_nothing(struct proxy *proxy, struct proxy_call *call)
{
    struct km_delete_records_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_DELETE_RECORDS || request == NULL || request->topics.count == 0)
        return;
    request->topics.items[0].partitions.items[0].offset = 0;
    call->is_changed = true;
}

/* --- restoring -------------------------------------------------------------------------------- */

void
mutants_streams_end_too_far(struct proxy *proxy, struct proxy_call *call)
{
    const struct km_list_offsets_request *request = call->request;
    struct km_list_offsets_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_LIST_OFFSETS || request == NULL || response->topics.count == 0 ||
        request->topics.items[0].partitions.items[0].timestamp != LATEST_TIMESTAMP)
        return;
    response->topics.items[0].partitions.items[0].offset++;
    call->is_changed = true;
}

void
mutants_streams_end_uncommitted(struct proxy *proxy, struct proxy_call *call)
{
    struct km_list_offsets_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_LIST_OFFSETS || request == NULL)
        return;
    request->isolation_level = 0;
    call->is_changed = true;
}

/* --- exactly once ----------------------------------------------------------------------------- */

void
mutants_streams_any_generation(struct proxy *proxy, struct proxy_call *call)
{
    struct km_txn_offset_commit_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_TXN_OFFSET_COMMIT || response->topics.count == 0 ||
        response->topics.items[0].partitions.items[0].error_code != KE_ILLEGAL_GENERATION)
        return;
    response->topics.items[0].partitions.items[0].error_code = KE_NONE;
    call->is_changed = true;
}

void
mutants_streams_lets_zombies(struct proxy *proxy, struct proxy_call *call)
{
    struct km_end_txn_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_END_TXN || (response->error_code != KE_PRODUCER_FENCED &&
                                           response->error_code != KE_INVALID_PRODUCER_EPOCH))
        return;
    response->error_code = KE_NONE;
    call->is_changed = true;
}

void
mutants_streams_aborts(struct proxy *proxy, struct proxy_call *call)
{
    struct km_end_txn_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_END_TXN || request == NULL)
        return;
    request->committed = false;
    call->is_changed = true;
}

/* EndTxn is answered before markers are written (KIP-98), so the end may be asked for in between. */
void
mutants_streams_late_end(struct proxy *proxy, struct proxy_call *call)
{
    const struct km_list_offsets_request *request = call->request;
    struct km_list_offsets_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_LIST_OFFSETS || request == NULL || response->topics.count == 0 ||
        request->isolation_level != 0 ||
        request->topics.items[0].partitions.items[0].timestamp != LATEST_TIMESTAMP ||
        response->topics.items[0].partitions.items[0].offset <= 0)
        return;
    response->topics.items[0].partitions.items[0].offset--;
    call->is_changed = true;
}

void
mutants_streams_commits_ahead(struct proxy *proxy, struct proxy_call *call)
{
    struct km_offset_commit_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_OFFSET_COMMIT || request == NULL || request->topics.count == 0)
        return;
    request->topics.items[0].partitions.items[0].committed_offset += AHEAD;
    call->is_changed = true;
}
