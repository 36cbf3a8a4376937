/*
 * GetTelemetrySubscriptions and PushTelemetry (KIP-714), as in a Kafka 4.3 with a receiver of
 * telemetry; served with kdl.client.metrics.enable only.
 *
 * What a client may do when is the business of coord/client_instances. Metrics that cannot be read,
 * decompressed ones that are too large included, answer 87, as in Kafka 4.3.1.
 */
#include <string.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_tree.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/client.h"
#include "refbroker/coord/client_instances.h"
#include "refbroker/coord/client_report.h"
#include "refbroker/limits.h"

/* In the order in which Kafka prefers them. */
static const int8_t accepted_codecs[] = {
    COMPRESS_ZSTD, COMPRESS_LZ4, COMPRESS_GZIP, COMPRESS_SNAPPY};

/* The ids that mean something else: 0, and the one of the metadata's topic. */
static bool
is_reserved(const struct wire_uuid *id)
{
    static const struct wire_uuid zero;

    return memcmp(id->bytes, zero.bytes, sizeof id->bytes - 1) == 0 && id->bytes[15] <= 1;
}

static bool
is_zero(const struct wire_uuid *id)
{
    return is_reserved(id) && id->bytes[15] == 0;
}

static const char *
text_or_unknown(const char *text)
{
    return text == NULL ? "unknown" : text;
}

/* Who asks; false without memory. */
static bool
traits_read(struct request *request, const struct wire_uuid *id, struct client_traits *out)
{
    const struct client *client = request->client;
    struct wire_string client_id = request->header.client_id;
    char id_text[CODEC_TREE_UUID_CHARS + 1];

    codec_tree_uuid(id, id_text);
    if (client_id.size > LIMIT_CLIENT_TRAIT_BYTES_MAX)
        client_id.size = LIMIT_CLIENT_TRAIT_BYTES_MAX;
    *out = (struct client_traits){
        .values = {
            [CLIENT_TRAIT_INSTANCE_ID] = arena_strdup(&request->arena, id_text),
            [CLIENT_TRAIT_CLIENT_ID] = client_id.size < 0 ? NULL
                                                          : arena_printf(&request->arena, "%.*s",
                                                                client_id.size, client_id.data),
            [CLIENT_TRAIT_SOFTWARE_NAME] = text_or_unknown(client->software_name),
            [CLIENT_TRAIT_SOFTWARE_VERSION] = text_or_unknown(client->software_version),
            [CLIENT_TRAIT_SOURCE_ADDRESS] = client->client_host,
            [CLIENT_TRAIT_SOURCE_PORT] = arena_printf(&request->arena, "%d", client->client_port),
        }};
    return !arena_is_full(&request->arena);
}

/* The client, which is known from now on; where it is new it goes with this connection. */
static struct client_instance *
instance_use(struct broker *broker, struct request *request, const struct wire_uuid *id,
    const struct client_traits *traits)
{
    bool fresh;
    struct client_instance *instance =
        client_instances_use(broker->client_instances, id, traits, &fresh);

    if (fresh) {
        request->client->has_instance = true;
        request->client->instance_id = *id;
    }
    return instance;
}

/* --- GetTelemetrySubscriptions ---------------------------------------------------------------- */

/* What the client is asked for; the names are copied, since a subscription may change. */
static bool
metrics_fill(struct broker *broker, struct request *request, const struct client_traits *traits,
    struct km_get_telemetry_subscriptions_response *out)
{
    struct client_choice choice;

    client_subscriptions_choose(&broker->client_instances->subscriptions, traits, &choice);
    out->requested_metrics.items =
        arena_array(&request->arena, choice.metric_count, sizeof *out->requested_metrics.items);
    for (size_t i = 0; i < choice.metric_count && !arena_is_full(&request->arena); i++)
        out->requested_metrics.items[out->requested_metrics.count++] =
            request_text_dup(request, choice.metrics[i]);
    client_subscriptions_choice_fini(&choice);
    return !arena_is_full(&request->arena);
}

enum h_result
h_get_telemetry_subscriptions(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_get_telemetry_subscriptions_request *in = in_;
    struct km_get_telemetry_subscriptions_response *out = out_;
    struct client_instances *instances = broker->client_instances;
    struct client_instance *instance;
    struct client_traits traits;
    struct wire_uuid id = is_zero(&in->client_instance_id) ? client_instances_new_id(instances)
                                                           : in->client_instance_id;

    if (!traits_read(request, &id, &traits))
        return H_CLOSE;
    instance = instance_use(broker, request, &id, &traits);
    out->error_code = client_instances_get(instances, instance);
    if (out->error_code != KE_NONE) {
        broker->stats.client_metrics_refused_total++;
        return H_DONE;
    }
    out->client_instance_id = id;
    out->subscription_id = instance->subscription_id;
    out->accepted_compression_types.items =
        arena_dup(&request->arena, accepted_codecs, sizeof accepted_codecs);
    out->accepted_compression_types.count = sizeof accepted_codecs;
    out->push_interval_ms = instance->interval_ms;
    out->telemetry_max_bytes = (int32_t)broker->options.telemetry_bytes_max;
    out->delta_temporality = true;
    return metrics_fill(broker, request, &traits, out) ? H_DONE : H_CLOSE;
}

/* --- PushTelemetry ---------------------------------------------------------------------------- */

static void
report_done(struct broker *broker, void *arg, int16_t error)
{
    struct request *request = arg;
    struct km_push_telemetry_response *out = request->out;

    out->error_code = error;
    broker->stats.client_metrics_refused_total += error != KE_NONE;
    broker_finish(broker, request);
}

static void
report_drop(struct broker *broker, struct request *request)
{
    (void)broker;
    client_report_forget(request->park);
}

/* Has the metrics read; an error where too much is under way. */
static int16_t
report_begin(struct broker *broker, struct request *request,
    const struct km_push_telemetry_request *in, const struct client_traits *traits)
{
    struct client_report_ask ask = {.frame = request->frame,
        .metrics = in->metrics,
        .codec = (enum compress_codec)in->compression_type,
        .client_instance_id = in->client_instance_id,
        .traits = traits};

    request->park = client_report_submit(broker, &ask, report_done, request);
    if (request->park == NULL)
        return KE_THROTTLING_QUOTA_EXCEEDED;
    request->on_drop = report_drop;
    return KE_NONE;
}

static int16_t
push_judge(struct broker *broker, struct request *request,
    const struct km_push_telemetry_request *in, const struct client_traits *traits, bool *parked)
{
    struct client_instance *instance =
        instance_use(broker, request, &in->client_instance_id, traits);
    struct client_push push = {.subscription_id = in->subscription_id,
        .last = in->terminating,
        .codec = in->compression_type,
        .size = in->metrics.size < 0 ? 0 : (size_t)in->metrics.size,
        .size_max = broker->options.telemetry_bytes_max};
    int16_t error = client_instances_push(broker->client_instances, instance, &push);

    if (error == KE_NONE && push.size > 0) {
        error = report_begin(broker, request, in, traits);
        *parked = error == KE_NONE;
    }
    if (!*parked && error == KE_NONE)
        client_instances_settle(broker->client_instances, instance, KE_NONE);
    return error;
}

enum h_result
h_push_telemetry(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_push_telemetry_request *in = in_;
    struct km_push_telemetry_response *out = out_;
    struct client_traits traits;
    bool parked = false;

    if (!traits_read(request, &in->client_instance_id, &traits))
        return H_CLOSE;
    out->error_code = is_reserved(&in->client_instance_id)
                          ? KE_INVALID_REQUEST
                          : push_judge(broker, request, in, &traits, &parked);
    broker->stats.client_metrics_refused_total += out->error_code != KE_NONE;
    return parked ? H_PARK : H_DONE;
}
