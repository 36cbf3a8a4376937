/* Mutants of area fetch. */
#include <string.h>

#include "conformance/mutants.h"
#include "lib/wire/batch_view.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/kerr.h"

#define EVERY 13
#define NEVER_ENOUGH (1 << 30)
#define LISTED 3

/* The one partition that most checks ask for, in the answer and in the request; NULL where there
 * is none. */
static struct km_fetch_response_partition_data *
the_part(struct proxy_call *call)
{
    struct km_fetch_response *response = call->response;

    if (call->api_key != KM_FETCH || response->responses.count == 0 ||
        response->responses.items[0].partitions.count == 0)
        return NULL;
    call->is_changed = true;
    return &response->responses.items[0].partitions.items[0];
}

static const struct km_fetch_request_partition *
the_asked(const struct proxy_call *call)
{
    const struct km_fetch_request *request = call->request;

    return call->api_key != KM_FETCH || request == NULL || request->topics.count == 0 ||
                   request->topics.items[0].partitions.count == 0
               ? NULL
               : &request->topics.items[0].partitions.items[0];
}

/* The first batch of an answer; false where there is no whole one. */
static bool
first_batch(const struct km_fetch_response_partition_data *part, struct batch_view *out)
{
    return part != NULL && part->records.size > 0 &&
           batch_view_parse(part->records.data, (size_t)part->records.size, out, NULL) == RC_OK;
}

static void
first_batch_drop(struct km_fetch_response_partition_data *part, const struct batch_view *batch)
{
    part->records.data += batch->size;
    part->records.size -= (int32_t)batch->size;
}

void
mutants_fetch_backwards(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_response_partition_data *part = the_part(call);
    struct batch_view batch;

    (void)proxy;
    while (first_batch(part, &batch) && (int32_t)batch.size < part->records.size)
        first_batch_drop(part, &batch);
}

static void
skip_earlier(struct proxy_call *call)
{
    struct km_fetch_response_partition_data *part = the_part(call);
    const struct km_fetch_request_partition *asked = the_asked(call);
    struct batch_view batch;

    if (asked != NULL && first_batch(part, &batch) && batch.base_offset < asked->fetch_offset)
        first_batch_drop(part, &batch);
}

void
mutants_fetch_skips(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    skip_earlier(call);
}

void
mutants_fetch_skips_last(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    skip_earlier(call);
}

void
mutants_fetch_small_only(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_response_partition_data *part = the_part(call);
    const struct km_fetch_request_partition *asked = the_asked(call);

    (void)proxy;
    if (part != NULL && asked != NULL && part->records.size > asked->partition_max_bytes)
        part->records.size = 0;
}

static void
part_error_replace(struct proxy_call *call, int16_t old, int16_t new)
{
    struct km_fetch_response_partition_data *part = the_part(call);

    if (part != NULL && part->error_code == old)
        part->error_code = new;
}

void
mutants_fetch_beyond_is_fine(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    part_error_replace(call, KE_OFFSET_OUT_OF_RANGE, KE_NONE);
}

void
mutants_fetch_below_is_fine(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    part_error_replace(call, KE_OFFSET_OUT_OF_RANGE, KE_NONE);
}

void
mutants_fetch_end_is_error(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_response_partition_data *part = the_part(call);

    (void)proxy;
    if (part != NULL && part->records.size <= 0)
        part->error_code = KE_OFFSET_OUT_OF_RANGE;
}

static struct km_fetch_request *
fetch_request_of(struct proxy_call *call)
{
    if (call->api_key != KM_FETCH || call->request == NULL)
        return NULL;
    call->is_changed = true;
    return call->request;
}

void
mutants_fetch_impatient(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_request *request = fetch_request_of(call);

    (void)proxy;
    if (request != NULL)
        request->max_wait_ms = 0;
}

void
mutants_fetch_sleepy(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_request *request = fetch_request_of(call);

    (void)proxy;
    if (request != NULL)
        request->min_bytes = NEVER_ENOUGH;
}

void
mutants_fetch_no_session(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_FETCH)
        return;
    response->session_id = 0;
    call->is_changed = true;
}

/* Partitions 0 to 2 of the topic that the session began with, in every answer that has none. */
void
mutants_fetch_lists_all(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_response *response = call->response;
    struct km_fetch_response_fetchable_topic_response *topic;
    struct km_fetch_response_partition_data *parts;

    if (call->api_key != KM_FETCH)
        return;
    if (response->responses.count > 0) {
        memcpy(proxy->notes, &response->responses.items[0].topic_id, sizeof(struct wire_uuid));
        return;
    }
    topic = codec_array(&call->arena, &km_fetch_response_fetchable_topic_response_desc, 1);
    parts = codec_array(&call->arena, &km_fetch_response_partition_data_desc, LISTED);
    memcpy(&topic->topic_id, proxy->notes, sizeof topic->topic_id);
    for (int32_t i = 0; i < LISTED; i++)
        parts[i].partition_index = i;
    topic->partitions.items = parts;
    topic->partitions.count = LISTED;
    response->responses.items = topic;
    response->responses.count = 1;
    call->is_changed = true;
}

static void
top_error_replace(struct proxy_call *call, int16_t old, int16_t new)
{
    struct km_fetch_response *response = call->response;

    if (call->api_key != KM_FETCH || response->error_code != old)
        return;
    response->error_code = new;
    call->is_changed = true;
}

void
mutants_fetch_any_session(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    top_error_replace(call, KE_FETCH_SESSION_ID_NOT_FOUND, KE_NONE);
}

void
mutants_fetch_any_epoch(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    top_error_replace(call, KE_INVALID_FETCH_SESSION_EPOCH, KE_NONE);
}

void
mutants_fetch_own_view(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_response_partition_data *part = the_part(call);
    struct batch_view batch;

    if (first_batch(part, &batch) && (int32_t)batch.size < part->records.size &&
        ++proxy->notes[0] % EVERY == 0)
        first_batch_drop(part, &batch);
}

void
mutants_fetch_raw_offsets(struct proxy *proxy, struct proxy_call *call)
{
    struct km_fetch_response_partition_data *part = the_part(call);
    struct batch_view batch;
    uint8_t *copy;

    (void)proxy;
    if (part == NULL || part->records.size <= 0)
        return;
    copy = arena_dup(&call->arena, part->records.data, (size_t)part->records.size);
    part->records.data = copy;
    for (size_t at = 0;
         batch_view_parse(copy + at, (size_t)part->records.size - at, &batch, NULL) == RC_OK;
         at += batch.size)
        codec_bytes_put_int64(copy + at, 0);
}
