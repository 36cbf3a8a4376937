/* Mutants of the areas txn and connect. */
#include "conformance/mutants.h"
#include "lib/wire/batch_view.h"
#include "lib/wire/kerr.h"

#define V2_END_VERSION 5
#define LONG_TIMEOUT_MS 60000
#define PENDING_OFFSET 5

/* --- InitProducerId --------------------------------------------------------------------------- */

void
mutants_txn_second_epoch(struct proxy *proxy, struct proxy_call *call)
{
    struct km_init_producer_id_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_INIT_PRODUCER_ID)
        return;
    response->producer_epoch++;
    call->is_changed = true;
}

void
mutants_txn_lets_in(struct proxy *proxy, struct proxy_call *call)
{
    struct km_init_producer_id_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_INIT_PRODUCER_ID || response->error_code != KE_CONCURRENT_TRANSACTIONS)
        return;
    response->error_code = KE_NONE;
    call->is_changed = true;
}

void
mutants_txn_patient(struct proxy *proxy, struct proxy_call *call)
{
    struct km_init_producer_id_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_INIT_PRODUCER_ID || request == NULL)
        return;
    request->transaction_timeout_ms = LONG_TIMEOUT_MS;
    call->is_changed = true;
}

/* --- EndTxn ----------------------------------------------------------------------------------- */

static void
always_aborts(struct proxy_call *call)
{
    struct km_end_txn_request *request = call->request;

    if (call->api_key != KM_END_TXN || request == NULL)
        return;
    request->committed = false;
    call->is_changed = true;
}

void
mutants_txn_aborts_all(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    always_aborts(call);
}

void
mutants_txn_aborts_after_death(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    always_aborts(call);
}

void
mutants_txn_offsets_lost(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    always_aborts(call);
}

void
mutants_txn_fences_nobody(struct proxy *proxy, struct proxy_call *call)
{
    struct km_end_txn_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_END_TXN)
        return;
    response->error_code = KE_NONE;
    call->is_changed = true;
}

void
mutants_txn_keeps_epoch(struct proxy *proxy, struct proxy_call *call)
{
    struct km_end_txn_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_END_TXN)
        return;
    response->producer_epoch--;
    call->is_changed = true;
}

void
mutants_txn_new_clients_only(struct proxy *proxy, struct proxy_call *call)
{
    struct km_end_txn_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_END_TXN || call->version >= V2_END_VERSION)
        return;
    response->error_code = KE_INVALID_TXN_STATE;
    call->is_changed = true;
}

/* --- Fetch ------------------------------------------------------------------------------------ */

/* The one partition of a Fetch's answer, or NULL. */
static struct km_fetch_response_partition_data *
fetched(struct proxy_call *call)
{
    struct km_fetch_response *response = call->response;

    if (call->api_key != KM_FETCH || response->responses.count == 0 ||
        response->responses.items[0].partitions.count == 0)
        return NULL;
    call->is_changed = true;
    return &response->responses.items[0].partitions.items[0];
}

void
mutants_txn_no_aborted_list(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_response_partition_data *part = fetched(call);

    (void)proxy;
    if (part != NULL)
        part->aborted_transactions.count = 0;
}

void
mutants_txn_first_aborted_only(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_response_partition_data *part = fetched(call);

    (void)proxy;
    if (part != NULL && part->aborted_transactions.count > 1)
        part->aborted_transactions.count = 1;
}

void
mutants_txn_all_stable(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_response_partition_data *part = fetched(call);

    (void)proxy;
    if (part != NULL)
        part->last_stable_offset = part->high_watermark;
}

void
mutants_txn_latest_uncommitted(struct proxy *proxy, struct proxy_call *call)
{
    struct km_list_offsets_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_LIST_OFFSETS || request == NULL)
        return;
    request->isolation_level = 0;
    call->is_changed = true;
}

void
mutants_txn_aborted_late(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_response_partition_data *part = fetched(call);

    (void)proxy;
    for (int32_t i = 0; part != NULL && i < part->aborted_transactions.count; i++)
        part->aborted_transactions.items[i].first_offset++;
}

void
mutants_txn_uncommitted(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_FETCH || request == NULL)
        return;
    request->isolation_level = 0;
    call->is_changed = true;
}

void
mutants_txn_no_markers(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_response_partition_data *part = fetched(call);
    struct batch_view batch;
    int32_t at = 0;

    (void)proxy;
    while (part != NULL && at < part->records.size) {
        if (batch_view_parse(
                part->records.data + at, (size_t)(part->records.size - at), &batch, NULL) != RC_OK)
            return;
        if (batch_view_is_control(&batch))
            part->records.size = at;
        at += (int32_t)batch.size;
    }
}

/* --- others ----------------------------------------------------------------------------------- */

void
mutants_txn_delayed_taken(struct proxy *proxy, struct proxy_call *call)
{
    struct km_produce_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_PRODUCE || response->responses.count == 0 ||
        response->responses.items[0].partition_responses.count == 0)
        return;
    response->responses.items[0].partition_responses.items[0].error_code = KE_NONE;
    call->is_changed = true;
}

void
mutants_txn_adds_nothing(struct proxy *proxy, struct proxy_call *call)
{
    struct km_describe_transactions_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_DESCRIBE_TRANSACTIONS || response->transaction_states.count == 0)
        return;
    response->transaction_states.items[0].topics.count = 0;
    call->is_changed = true;
}

void
mutants_txn_unstable(struct proxy *proxy, struct proxy_call *call)
{
    struct km_offset_fetch_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_OFFSET_FETCH || request == NULL)
        return;
    request->require_stable = false;
    call->is_changed = true;
}

void
mutants_txn_offsets_early(struct proxy *proxy, struct proxy_call *call)
{
    struct km_offset_fetch_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_OFFSET_FETCH || response->topics.count == 0)
        return;
    response->topics.items[0].partitions.items[0].committed_offset = PENDING_OFFSET;
    call->is_changed = true;
}

void
mutants_txn_loses_input(struct proxy *proxy, struct proxy_call *call)
{
    struct km_txn_offset_commit_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_TXN_OFFSET_COMMIT || request == NULL || request->topics.count == 0)
        return;
    request->topics.items[0].partitions.items[0].committed_offset++;
    call->is_changed = true;
}

void
mutants_txn_deletes(struct proxy *proxy, struct proxy_call *call)
{
    struct km_describe_configs_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_DESCRIBE_CONFIGS || response->results.count == 0 ||
        response->results.items[0].configs.count == 0)
        return;
    response->results.items[0].configs.items[0].value = (struct wire_string){"delete", 6};
    call->is_changed = true;
}
