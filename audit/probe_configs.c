/* DescribeConfigs: what is deleted, and when. */
#include <string.h>

#include "audit/probe.h"
#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define RESOURCE_TOPIC 2
#define SOURCE_TOPIC 1 /* DYNAMIC_TOPIC_CONFIG */
#define TOPICS_PER_REQUEST 500

static struct wire_string keys[2];

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    (void)arg;
    (void)item;
    *out = (struct cluster_target){CLUSTER_ANY, NULL, 0};
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    const struct probe *probe = arg;
    struct km_describe_configs_request *request = batch->request;

    request->resources.items = codec_array(
        batch->arena, &km_describe_configs_request_resource_desc, (int32_t)batch->count);
    if (request->resources.items == NULL)
        return 0;
    request->resources.count = (int32_t)batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        request->resources.items[i].resource_type = RESOURCE_TOPIC;
        request->resources.items[i].resource_name =
            probe_text(probe->inventory->topics[batch->items[i]].name);
        request->resources.items[i].configuration_keys.items = keys;
        request->resources.items[i].configuration_keys.count = 2;
    }
    return batch->count;
}

static bool
is_named(struct wire_string name, const char *text)
{
    return name.size == (int32_t)strlen(text) && memcmp(name.data, text, strlen(text)) == 0;
}

static void
configs_take(struct audit_inventory *inventory, struct audit_topic *topic,
    const struct km_describe_configs_response_result *result)
{
    for (int32_t i = 0; i < result->configs.count; i++) {
        const struct km_describe_configs_response_resource_result *config =
            &result->configs.items[i];

        if (is_named(config->name, "cleanup.policy")) {
            topic->policy = inventory_text(inventory, config->value.data, config->value.size);
            topic->from_default = config->config_source > SOURCE_TOPIC;
        } else if (is_named(config->name, "retention.ms")) {
            topic->retention = inventory_text(inventory, config->value.data, config->value.size);
        }
    }
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    const struct probe *probe = arg;
    const struct km_describe_configs_response *response = batch->response;

    for (int32_t i = 0; i < response->results.count; i++) {
        const struct km_describe_configs_response_result *result = &response->results.items[i];
        uint32_t topic = inventory_topic(probe->inventory, result->resource_name);

        if (!cluster_fan_is_asked(batch->fan, topic))
            continue;
        if (result->error_code == KE_NONE)
            configs_take(probe->inventory, &probe->inventory->topics[topic], result);
        cluster_fan_settle(batch->fan, topic, result->error_code);
    }
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    const struct probe *probe = arg;

    if (rc != RC_OK)
        inventory_gap(probe->inventory, item, AUDIT_CONFIGS, NULL, rc, code, e);
}

void
probe_configs(const struct probe *probe)
{
    struct probe own = *probe;
    struct cluster_fan_spec spec = {.api = frame_api(KM_DESCRIBE_CONFIGS),
        .item_count = probe->inventory->topic_count,
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = &own,
        .batch_items_max = TOPICS_PER_REQUEST};

    keys[0] = probe_text("cleanup.policy");
    keys[1] = probe_text("retention.ms");
    probe_fan(probe, AUDIT_CONFIGS, &spec);
}
