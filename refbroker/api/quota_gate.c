#include "refbroker/api/quota_gate.h"

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "refbroker/client.h"

#define REQUEST_WAIT_MS_MAX 1000 /* ClientRequestQuotaManager: one sample */

static const struct wire_string nobody = {"", 0};

static struct quota_client
client_of(const struct request *request)
{
    struct wire_string id = request->header.client_id;

    return (struct quota_client){client_user(request->client), id.size < 0 ? nobody : id};
}

static void
wait_at_least(struct request *request, int64_t wait_ms)
{
    if (wait_ms > request->throttle_ms)
        request->throttle_ms = wait_ms < INT32_MAX ? wait_ms : INT32_MAX;
}

bool
quota_gate_mutate(
    struct broker *broker, struct request *request, int32_t partitions, int16_t strict_since)
{
    struct quota_client client = client_of(request);
    int64_t wait_ms;
    bool ok = quota_meters_take(&broker->quota_meters, &client, partitions,
        request->header.api_version >= strict_since, env_now_ms(broker->env), &wait_ms);

    wait_at_least(request, wait_ms);
    return ok;
}

int32_t
quota_gate_fetch_bytes_max(struct broker *broker, const struct request *request, int32_t bytes_max)
{
    struct quota_client client = client_of(request);
    double most = quota_meters_most(&broker->quota_meters, QUOTA_CONSUMER_BYTE_RATE, &client);

    return most < bytes_max ? (int32_t)most : bytes_max;
}

bool
quota_gate_fetch(struct broker *broker, struct request *request, int64_t bytes)
{
    struct quota_client client = client_of(request);
    int64_t now_ms = env_now_ms(broker->env);
    int64_t wait_ms = quota_meters_record(
        &broker->quota_meters, QUOTA_CONSUMER_BYTE_RATE, &client, (double)bytes, now_ms);

    if (wait_ms == 0)
        return true;
    quota_meters_unrecord(
        &broker->quota_meters, QUOTA_CONSUMER_BYTE_RATE, &client, (double)bytes, now_ms);
    wait_at_least(request, wait_ms);
    return false;
}

int64_t
quota_gate_settle(struct broker *broker, struct request *request)
{
    struct quota_client client = client_of(request);
    int64_t now_ms, wait_ms;

    if (map_count(&broker->quotas.by_entity) == 0 || request->header.api == NULL)
        return 0;
    now_ms = env_now_ms(broker->env);
    if (request->header.api_key == KM_PRODUCE)
        wait_at_least(request, quota_meters_record(&broker->quota_meters, QUOTA_PRODUCER_BYTE_RATE,
                                   &client, (double)request->frame->size, now_ms));
    /* A percentage of one thread, per second. */
    wait_ms = quota_meters_record(&broker->quota_meters, QUOTA_REQUEST_PERCENTAGE, &client,
        (double)request->handled_us / 1e6 * 100, now_ms);
    wait_at_least(request, wait_ms < REQUEST_WAIT_MS_MAX ? wait_ms : REQUEST_WAIT_MS_MAX);
    if (request->throttle_ms > 0 && request->out != NULL) {
        /* Where its version has a place for it. */
        int32_t *told = request_answer_member(request, "throttle_time_ms");

        if (told != NULL)
            *told = (int32_t)request->throttle_ms;
    }
    return request->throttle_ms;
}
