/* Mutants of area compact. */
#include "conformance/mutants.h"
#include "lib/wire/batch_view.h"
#include "lib/wire/kerr.h"

/* The one answer of a ListOffsets that asked for `timestamp`, or NULL. */
static struct km_list_offsets_response_partition_response *
offset_of(struct proxy_call *call, int64_t timestamp)
{
    const struct km_list_offsets_request *request = call->request;
    struct km_list_offsets_response *response = call->response;

    if (call->api_key != KM_LIST_OFFSETS || request == NULL || request->topics.count == 0 ||
        response->topics.count == 0 ||
        request->topics.items[0].partitions.items[0].timestamp != timestamp)
        return NULL;
    call->is_changed = true;
    return &response->topics.items[0].partitions.items[0];
}

void
mutants_compact_commits_all(struct proxy *proxy, struct proxy_call *call)
{
    struct km_end_txn_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_END_TXN || request == NULL)
        return;
    request->committed = true;
    call->is_changed = true;
}

void
mutants_compact_gaps_are_errors(struct proxy *proxy, struct proxy_call *call)
{
    const struct km_fetch_request *request = call->request;
    struct km_fetch_response *response = call->response;
    struct km_fetch_response_partition_data *part;
    struct batch_view batch;

    if (call->api_key != KM_FETCH || request == NULL || request->topics.count == 0 ||
        response->responses.count == 0)
        return;
    part = &response->responses.items[0].partitions.items[0];
    /* What the check reads before, from the start, is left alone. */
    if (part->records.size <= 0 || request->topics.items[0].partitions.items[0].fetch_offset == 0 ||
        batch_view_parse(part->records.data, (size_t)part->records.size, &batch, NULL) != RC_OK ||
        batch.base_offset <= request->topics.items[0].partitions.items[0].fetch_offset)
        return;
    (void)proxy;
    part->error_code = KE_OFFSET_OUT_OF_RANGE;
    part->records.size = 0;
    call->is_changed = true;
}

void
mutants_compact_moves_no_start(struct proxy *proxy, struct proxy_call *call)
{
    struct km_list_offsets_response_partition_response *part = offset_of(call, -2);

    (void)proxy;
    if (part != NULL)
        part->offset = 0;
}

void
mutants_compact_keeps_too_long(struct proxy *proxy, struct proxy_call *call)
{
    mutants_compact_moves_no_start(proxy, call);
}

void
mutants_compact_deletes_all(struct proxy *proxy, struct proxy_call *call)
{
    struct km_list_offsets_response_partition_response *part = offset_of(call, -2);

    /* The check's last batch: 64 KiB. */
    (void)proxy;
    if (part != NULL && part->offset > 0)
        part->offset = 79;
}

void
mutants_compact_begins_anew(struct proxy *proxy, struct proxy_call *call)
{
    struct km_list_offsets_response_partition_response *part = offset_of(call, -1);

    (void)proxy;
    if (part != NULL)
        part->offset = 0;
}
