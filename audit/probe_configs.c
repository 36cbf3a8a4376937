/* DescribeConfigs: how topics are kept, and what a broker's defaults are. */
#include <stdlib.h>
#include <string.h>

#include "audit/probe.h"
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define RESOURCE_TOPIC 2
#define RESOURCE_BROKER 4
#define SOURCE_TOPIC 1 /* DYNAMIC_TOPIC_CONFIG */
#define SOURCE_DEFAULT 5
#define TOPICS_PER_REQUEST 500

struct probe_configs {
    const struct probe *probe;
    struct wire_string keys[AUDIT_TOPIC_CONFIGS + AUDIT_BROKER_CONFIGS];
    int32_t *brokers;
    struct cluster_fan *fans[2]; /* of topics and of a broker; NULL: nothing to ask */
};

/* --- topics ---------------------------------------------------------------------------------- */

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
    struct probe_configs *own = arg;
    struct km_describe_configs_request *request = batch->request;

    request->resources.items = codec_array(
        batch->arena, &km_describe_configs_request_resource_desc, (int32_t)batch->count);
    if (request->resources.items == NULL)
        return 0;
    request->resources.count = (int32_t)batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        request->resources.items[i].resource_type = RESOURCE_TOPIC;
        request->resources.items[i].resource_name =
            codec_string(own->probe->inventory->topics[batch->items[i]].name);
        request->resources.items[i].configuration_keys.items = own->keys;
        request->resources.items[i].configuration_keys.count = AUDIT_TOPIC_CONFIGS;
    }
    return batch->count;
}

/* Which key a name is, looked for from `from` on, since the next one in an answer is often the next
 * one here; AUDIT_TOPIC_CONFIGS: none. */
static unsigned
key_of(const struct probe_configs *own, struct wire_string name, unsigned from)
{
    for (unsigned i = 0; i < AUDIT_TOPIC_CONFIGS; i++) {
        unsigned k = (from + i) % AUDIT_TOPIC_CONFIGS;

        if (own->keys[k].size == name.size &&
            memcmp(own->keys[k].data, name.data, (size_t)name.size) == 0)
            return k;
    }
    return AUDIT_TOPIC_CONFIGS;
}

static void
topic_take(const struct probe_configs *own, struct audit_topic *topic,
    const struct km_describe_configs_response_result *result)
{
    unsigned next = 0;

    for (int32_t i = 0; i < result->configs.count; i++) {
        const struct km_describe_configs_response_resource_result *config =
            &result->configs.items[i];
        unsigned key = key_of(own, config->name, next);

        if (key == AUDIT_TOPIC_CONFIGS || config->value.size < 0)
            continue;
        next = key + 1;
        topic->configs[key] = (struct audit_config){
            inventory_text(own->probe->inventory, config->value.data, config->value.size),
            config->config_source == SOURCE_TOPIC};
    }
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    struct probe_configs *own = arg;
    struct audit_inventory *inventory = own->probe->inventory;
    const struct km_describe_configs_response *response = batch->response;

    for (int32_t i = 0; i < response->results.count; i++) {
        const struct km_describe_configs_response_result *result = &response->results.items[i];
        uint32_t topic = inventory_topic(inventory, result->resource_name);

        if (!cluster_fan_is_asked(batch->fan, topic))
            continue;
        if (result->error_code == KE_NONE)
            topic_take(own, &inventory->topics[topic], result);
        cluster_fan_settle(batch->fan, topic, result->error_code);
    }
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct probe_configs *own = arg;

    if (rc != RC_OK)
        inventory_gap(own->probe->inventory, item, AUDIT_CONFIGS, NULL, rc, code, e);
}

/* --- one broker ------------------------------------------------------------------------------ */

static void
broker_target(void *arg, uint32_t item, struct cluster_target *out)
{
    *out =
        (struct cluster_target){CLUSTER_BROKER, NULL, ((struct probe_configs *)arg)->brokers[item]};
}

static size_t
broker_build(void *arg, struct cluster_fan_batch *batch)
{
    struct probe_configs *own = arg;
    struct km_describe_configs_request *request = batch->request;
    char *id = arena_printf(batch->arena, "%d", own->brokers[batch->items[0]]);

    request->resources.items =
        codec_array(batch->arena, &km_describe_configs_request_resource_desc, 1);
    if (request->resources.items == NULL || id == NULL)
        return 0;
    request->resources.count = 1;
    request->resources.items[0].resource_type = RESOURCE_BROKER;
    request->resources.items[0].resource_name = codec_string(id);
    request->resources.items[0].configuration_keys.items = &own->keys[AUDIT_TOPIC_CONFIGS];
    request->resources.items[0].configuration_keys.count = AUDIT_BROKER_CONFIGS;
    return 1;
}

/* No broker tells the value of a secret, but that it has one. */
static void
broker_config_take(struct audit_inventory *inventory, struct audit_config *into,
    const struct km_describe_configs_response_resource_result *config)
{
    into->is_own = config->config_source != SOURCE_DEFAULT;
    if (config->value.size >= 0)
        into->value = inventory_text(inventory, config->value.data, config->value.size);
    else if (config->is_sensitive && into->is_own)
        into->value = INVENTORY_SECRET;
}

static void
broker_parse(void *arg, struct cluster_fan_batch *batch)
{
    struct audit_inventory *inventory = ((struct probe_configs *)arg)->probe->inventory;
    const struct km_describe_configs_response *response = batch->response;
    const struct km_describe_configs_response_result *result = response->results.items;

    if (response->results.count != 1)
        return;
    for (int32_t i = 0; result->error_code == KE_NONE && i < result->configs.count; i++) {
        const struct km_describe_configs_response_resource_result *config =
            &result->configs.items[i];

        for (unsigned k = 0; k < AUDIT_BROKER_CONFIGS; k++)
            if (codec_string_is(config->name, inventory_broker_key((enum audit_broker_config)k)))
                broker_config_take(inventory, &inventory->configs[k], config);
    }
    cluster_fan_settle(batch->fan, batch->items[0], result->error_code);
}

static void
broker_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    (void)item;
    if (rc != RC_OK)
        inventory_gap(((struct probe_configs *)arg)->probe->inventory, INVENTORY_NO_NUMBER,
            AUDIT_DEFAULTS, NULL, rc, code, e);
}

struct probe_configs *
probe_configs_begin(const struct probe *probe)
{
    struct probe_configs *own = xcalloc(1, sizeof *own);
    struct cluster_fan_spec topics = {.api = frame_api(KM_DESCRIBE_CONFIGS),
        .item_count = probe->inventory->topic_count,
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = own,
        .batch_items_max = TOPICS_PER_REQUEST,
        .aside = true};
    struct cluster_fan_spec broker = {.api = frame_api(KM_DESCRIBE_CONFIGS),
        .target = broker_target,
        .build = broker_build,
        .parse = broker_parse,
        .done = broker_done,
        .arg = own,
        .batch_items_max = 1};
    uint32_t count;

    own->probe = probe;
    own->brokers = probe_brokers(probe, &count);
    broker.item_count = count > 0 ? 1 : 0;
    for (unsigned i = 0; i < AUDIT_TOPIC_CONFIGS; i++)
        own->keys[i] = codec_string(inventory_topic_key((enum audit_topic_config)i));
    for (unsigned i = 0; i < AUDIT_BROKER_CONFIGS; i++)
        own->keys[AUDIT_TOPIC_CONFIGS + i] =
            codec_string(inventory_broker_key((enum audit_broker_config)i));
    own->fans[0] = probe_fan_start(probe, AUDIT_CONFIGS, &topics);
    own->fans[1] = probe_fan_start(probe, AUDIT_DEFAULTS, &broker);
    return own;
}

void
probe_configs_end(struct probe_configs *configs)
{
    for (size_t i = 0; i < ARRAY_LEN(configs->fans); i++)
        if (configs->fans[i] != NULL)
            cluster_fan_finish(configs->probe->cluster, configs->fans[i], NULL);
    free(configs->brokers);
    free(configs);
}
