/* Mutants of area meta. */
#include <string.h>

#include "conformance/mutants.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define NO_SUCH_BROKER 4711

/* The response of a Metadata call, or NULL for another. */
static struct km_metadata_response *
metadata_of(struct proxy_call *call)
{
    if (call->api_key != KM_METADATA || call->response == NULL)
        return NULL;
    call->is_changed = true;
    return call->response;
}

static struct km_metadata_request *
metadata_request_of(struct proxy_call *call)
{
    if (call->api_key != KM_METADATA || call->request == NULL)
        return NULL;
    call->is_changed = true;
    return call->request;
}

void
mutants_meta_empty_is_all(struct proxy *proxy, struct proxy_call *call)
{
    struct km_metadata_request *request = metadata_request_of(call);

    (void)proxy;
    if (request != NULL && request->topics.count == 0)
        request->topics.count = -1;
}

void
mutants_meta_forgets_topics(struct proxy *proxy, struct proxy_call *call)
{
    struct km_metadata_response *response = metadata_of(call);
    const struct km_metadata_request *request = call->request;

    (void)proxy;
    if (response != NULL && request != NULL && request->topics.count < 0)
        response->topics.count = 0;
}

void
mutants_meta_creates(struct proxy *proxy, struct proxy_call *call)
{
    struct km_metadata_request *request = metadata_request_of(call);

    (void)proxy;
    if (request != NULL)
        request->allow_auto_topic_creation = true;
}

void
mutants_meta_never_creates(struct proxy *proxy, struct proxy_call *call)
{
    struct km_metadata_request *request = metadata_request_of(call);

    (void)proxy;
    if (request != NULL)
        request->allow_auto_topic_creation = false;
}

void
mutants_meta_no_ids(struct proxy *proxy, struct proxy_call *call)
{
    struct km_metadata_response *response = metadata_of(call);

    (void)proxy;
    for (int32_t i = 0; response != NULL && i < response->topics.count; i++)
        memset(&response->topics.items[i].topic_id, 0, sizeof response->topics.items[i].topic_id);
}

void
mutants_meta_id_of_name(struct proxy *proxy, struct proxy_call *call)
{
    struct km_metadata_response *response = metadata_of(call);

    (void)proxy;
    for (int32_t i = 0; response != NULL && i < response->topics.count; i++) {
        struct wire_string name = response->topics.items[i].name;
        uint8_t *id = response->topics.items[i].topic_id.bytes;

        for (int32_t k = 0; k < name.size; k++)
            id[k % 16] = (uint8_t)(k < 16 ? name.data[k] : id[k % 16] * 31 + name.data[k]);
    }
}

void
mutants_meta_stray_leader(struct proxy *proxy, struct proxy_call *call)
{
    struct km_metadata_response *response = metadata_of(call);

    (void)proxy;
    for (int32_t i = 0; response != NULL && i < response->topics.count; i++)
        for (int32_t k = 0; k < response->topics.items[i].partitions.count; k++)
            response->topics.items[i].partitions.items[k].leader_id = NO_SUCH_BROKER;
}

void
mutants_meta_stale(struct proxy *proxy, struct proxy_call *call)
{
    struct km_metadata_response *response = metadata_of(call);

    (void)proxy;
    for (int32_t i = 0; response != NULL && i < response->topics.count; i++) {
        response->topics.items[i].error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
        response->topics.items[i].partitions.count = 0;
    }
}

void
mutants_meta_immortal(struct proxy *proxy, struct proxy_call *call)
{
    struct km_metadata_response *response = metadata_of(call);

    (void)proxy;
    for (int32_t i = 0; response != NULL && i < response->topics.count; i++)
        response->topics.items[i].error_code = KE_NONE;
}

void
mutants_meta_no_coordinator(struct proxy *proxy, struct proxy_call *call)
{
    struct km_find_coordinator_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_FIND_COORDINATOR)
        return;
    if (response->coordinators.count == 0)
        response->node_id = NO_SUCH_BROKER;
    for (int32_t i = 0; i < response->coordinators.count; i++)
        response->coordinators.items[i].node_id = NO_SUCH_BROKER;
    call->is_changed = true;
}

void
mutants_meta_one_page(struct proxy *proxy, struct proxy_call *call)
{
    struct km_describe_topic_partitions_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_DESCRIBE_TOPIC_PARTITIONS)
        return;
    response->next_cursor = NULL;
    call->is_changed = true;
}
