/* Mutants of area cg848. */
#include <string.h>

#include "conformance/mutants.h"
#include "lib/wire/kerr.h"

static struct km_consumer_group_heartbeat_response *
heartbeat_answer(struct proxy_call *call)
{
    if (call->api_key != KM_CONSUMER_GROUP_HEARTBEAT)
        return NULL;
    call->is_changed = true;
    return call->response;
}

void
mutants_cg848_no_interval(struct proxy *proxy, struct proxy_call *call)
{
    struct km_consumer_group_heartbeat_response *response = heartbeat_answer(call);

    (void)proxy;
    if (response != NULL)
        response->heartbeat_interval_ms = 0;
}

/* Who has to wait for partitions gets the first at once, of the topic that an owner named. */
void
mutants_cg848_moves_at_once(struct proxy *proxy, struct proxy_call *call)
{
    static struct km_consumer_group_heartbeat_response_topic_partitions given;
    static int32_t first = 0;
    struct km_consumer_group_heartbeat_response *response = heartbeat_answer(call);
    const struct km_consumer_group_heartbeat_request *request = call->request;

    if (response == NULL || request == NULL)
        return;
    if (request->topic_partitions.count > 0) {
        given.topic_id = request->topic_partitions.items[0].topic_id;
        proxy->notes[0] = true;
    } else if (proxy->notes[0] && response->assignment != NULL &&
               response->assignment->topic_partitions.count == 0) {
        given.partitions.items = &first;
        given.partitions.count = 1;
        response->assignment->topic_partitions.items = &given;
        response->assignment->topic_partitions.count = 1;
    }
}

void
mutants_cg848_keeps_silent(struct proxy *proxy, struct proxy_call *call)
{
    struct km_consumer_group_heartbeat_response *response = heartbeat_answer(call);

    (void)proxy;
    if (response != NULL && response->error_code == KE_UNKNOWN_MEMBER_ID)
        response->error_code = KE_NONE;
}

void
mutants_cg848_any_epoch(struct proxy *proxy, struct proxy_call *call)
{
    struct km_offset_commit_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_OFFSET_COMMIT || response->topics.count == 0)
        return;
    response->topics.items[0].partitions.items[0].error_code = KE_NONE;
    call->is_changed = true;
}

/* Members of the old protocol hear nothing of those of the new one. */
void
mutants_cg848_leaves_classic(struct proxy *proxy, struct proxy_call *call)
{
    struct km_heartbeat_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_HEARTBEAT)
        return;
    response->error_code = KE_NONE;
    call->is_changed = true;
}
