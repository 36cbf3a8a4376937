/* Mutants of area offsets. */
#include "conformance/mutants.h"
#include "lib/wire/kerr.h"

#define BATCH_RECORDS 3
#define STEP_MS 10

/* --- ListOffsets ------------------------------------------------------------------------------ */

/* The timestamp that was asked for and the answer's one partition; NULL for another call. */
static struct km_list_offsets_response_partition_response *
the_offset(struct proxy_call *call, int64_t *asked)
{
    const struct km_list_offsets_request *request = call->request;
    struct km_list_offsets_response *response = call->response;

    if (call->api_key != KM_LIST_OFFSETS || request == NULL || request->topics.count == 0 ||
        response->topics.count == 0)
        return NULL;
    *asked = request->topics.items[0].partitions.items[0].timestamp;
    call->is_changed = true;
    return &response->topics.items[0].partitions.items[0];
}

void
mutants_offsets_earliest_zero(struct proxy *proxy, struct proxy_call *call)
{
    int64_t asked;
    struct km_list_offsets_response_partition_response *part = the_offset(call, &asked);

    (void)proxy;
    if (part != NULL && asked == -2)
        part->offset = 0;
}

void
mutants_offsets_latest_off(struct proxy *proxy, struct proxy_call *call)
{
    int64_t asked;
    struct km_list_offsets_response_partition_response *part = the_offset(call, &asked);

    (void)proxy;
    if (part != NULL && asked == -1)
        part->offset--;
}

void
mutants_offsets_too_far(struct proxy *proxy, struct proxy_call *call)
{
    int64_t asked;
    struct km_list_offsets_response_partition_response *part = the_offset(call, &asked);

    (void)proxy;
    if (part != NULL && asked == -1)
        part->offset++;
}

/* The check's batches have three records each. */
void
mutants_offsets_batches(struct proxy *proxy, struct proxy_call *call)
{
    int64_t asked;
    struct km_list_offsets_response_partition_response *part = the_offset(call, &asked);

    (void)proxy;
    if (part != NULL && asked >= 0)
        part->offset -= part->offset % BATCH_RECORDS;
}

void
mutants_offsets_after(struct proxy *proxy, struct proxy_call *call)
{
    struct km_list_offsets_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_LIST_OFFSETS || request == NULL ||
        request->topics.items[0].partitions.items[0].timestamp < 0)
        return;
    request->topics.items[0].partitions.items[0].timestamp += STEP_MS;
    call->is_changed = true;
}

/* The check's batch with the highest timestamp ends two records behind it. */
void
mutants_offsets_last_max(struct proxy *proxy, struct proxy_call *call)
{
    int64_t asked;
    struct km_list_offsets_response_partition_response *part = the_offset(call, &asked);

    (void)proxy;
    if (part != NULL && asked == -3)
        part->offset += 2;
}

/* --- DeleteRecords ---------------------------------------------------------------------------- */

static struct km_delete_records_response_partition_result *
the_deletion(struct proxy_call *call)
{
    struct km_delete_records_response *response = call->response;

    if (call->api_key != KM_DELETE_RECORDS || response->topics.count == 0)
        return NULL;
    call->is_changed = true;
    return &response->topics.items[0].partitions.items[0];
}

void
mutants_offsets_deletes_beyond(struct proxy *proxy, struct proxy_call *call)
{
    struct km_delete_records_response_partition_result *part = the_deletion(call);

    (void)proxy;
    if (part != NULL)
        part->error_code = KE_NONE;
}

void
mutants_offsets_no_low_watermark(struct proxy *proxy, struct proxy_call *call)
{
    struct km_delete_records_response_partition_result *part = the_deletion(call);

    (void)proxy;
    if (part != NULL)
        part->low_watermark = -1;
}

void
mutants_offsets_deletes_nothing(struct proxy *proxy, struct proxy_call *call)
{
    struct km_delete_records_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_DELETE_RECORDS || request == NULL)
        return;
    request->topics.items[0].partitions.items[0].offset = 0;
    call->is_changed = true;
}
