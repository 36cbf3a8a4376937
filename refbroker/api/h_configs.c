/*
 * DescribeConfigs and ListConfigResources (ConfigHelper, KIP-226, KIP-714, KIP-1142).
 */
#include <inttypes.h>
#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/config_entries.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/coord/client_metrics.h"
#include "refbroker/coord/group_configs.h"
#include "refbroker/meta/topics.h"

typedef struct km_describe_configs_response_result result_out;
typedef struct km_list_config_resources_response_config_resource resource_out;

static void
refuse(result_out *out, int16_t code, struct wire_string why)
{
    out->error_code = code;
    out->error_message = why;
}

static bool
topic_describe(struct config_entries *entries)
{
    const struct km_describe_configs_request_resource *ask = entries->ask;
    struct topic *topic = topics_find(
        &entries->broker->topics, ask->resource_name.data, (size_t)ask->resource_name.size);
    size_t count;
    const struct topic_config_row *rows = topic_configs_rows(&count);
    bool ok = true;

    if (topic == NULL) {
        char why[TOPICS_NAME_WHY_BYTES] = "";
        int16_t code = KE_UNKNOWN_TOPIC_OR_PARTITION;

        if (topics_name_check(ask->resource_name.data, (size_t)ask->resource_name.size) != NULL) {
            topics_name_why(ask->resource_name.data, (size_t)ask->resource_name.size, why);
            code = KE_INVALID_TOPIC_EXCEPTION;
        }
        refuse(entries->out, code, request_text_dup(entries->request, why));
        return true;
    }
    if (!config_entries_begin(entries, count))
        return false;
    for (size_t i = 0; i < count && ok; i++) {
        const char *name = rows[i].def.name;
        struct config_entry entry = {.name = name,
            .value = topic_configs_get(&topic->configs, name),
            .type = rows[i].def.type,
            .help = rows[i].def.help,
            .set = map_get_text(&topic->configs.set, name),
            .set_source = CONFIG_SOURCE_TOPIC,
            .broker_name = rows[i].broker_name};

        if (rows[i].effect != TOPIC_CONFIG_HIDDEN || entry.set != NULL)
            ok = config_entries_add(entries, &entry);
    }
    return ok;
}

static bool
broker_describe(struct config_entries *entries)
{
    struct request *request = entries->request;
    struct wire_string asked = entries->ask->resource_name;
    const char *name = arena_printf(&request->arena, "%.*s", asked.size, asked.data);
    int32_t node_id = entries->broker->options.node_id;
    char *end;
    long id;

    if (name == NULL)
        return false;
    id = strtol(name, &end, 10);
    if (*name != '\0' && *end != '\0')
        refuse(entries->out, KE_INVALID_REQUEST,
            request_text(arena_printf(
                &request->arena, "Broker id must be an integer, but it is: %s", name)));
    else if (*name != '\0' && id != node_id)
        refuse(entries->out, KE_INVALID_REQUEST,
            request_text(arena_printf(&request->arena,
                "Unexpected broker id, expected %d or empty string, but received %s", node_id,
                name)));
    else
        return config_entries_of_broker(entries, *name == '\0');
    return !arena_is_full(&request->arena);
}

/* What is set for a thing that is no topic. */
static const char *
set_text(const struct config_entries *entries, const char *name)
{
    struct wire_string resource = entries->ask->resource_name;
    const char *text = arena_printf(&entries->request->arena, "%.*s", resource.size, resource.data);

    return text == NULL ? NULL
                        : resource_configs_get(&entries->broker->resource_configs,
                              (enum resource_type)entries->ask->resource_type, text, name);
}

static bool
group_describe(struct config_entries *entries)
{
    struct arena *arena = &entries->request->arena;
    size_t count;
    const struct group_config_row *rows = group_configs_rows(&count);
    bool ok = config_entries_begin(entries, count);

    for (size_t i = 0; i < count && ok; i++) {
        const char *set = set_text(entries, rows[i].def.name);
        struct config_entry entry = {.name = rows[i].def.name,
            .value = set != NULL ? set : group_configs_default(entries->broker, &rows[i], arena),
            .type = rows[i].def.type,
            .help = rows[i].def.help,
            .set = set,
            .set_source = CONFIG_SOURCE_GROUP,
            .broker_name = rows[i].standard.name,
            .standard = rows[i].def.default_text};

        ok = !arena_is_full(arena) && config_entries_add(entries, &entry);
    }
    return ok;
}

static bool
client_metrics_describe(struct config_entries *entries)
{
    size_t count;
    const struct client_metrics_row *rows = client_metrics_rows(&count);
    bool ok;

    if (entries->ask->resource_name.size <= 0) {
        refuse(entries->out, KE_INVALID_REQUEST,
            request_text("Client metrics subscription name must not be empty"));
        return true;
    }
    ok = config_entries_begin(entries, count);
    for (size_t i = 0; i < count && ok; i++) {
        const char *set = set_text(entries, rows[i].name);
        struct config_entry entry = {.name = rows[i].name,
            .value = set != NULL ? set : rows[i].default_text,
            .type = rows[i].type,
            .help = rows[i].help,
            .set = set,
            .set_source = CONFIG_SOURCE_CLIENT_METRICS};

        ok = config_entries_add(entries, &entry);
    }
    return ok;
}

static bool
resource_describe(struct config_entries *entries)
{
    switch (entries->ask->resource_type) {
    case RESOURCE_TOPIC:
        return topic_describe(entries);
    case RESOURCE_BROKER:
        return broker_describe(entries);
    case RESOURCE_GROUP:
        return group_describe(entries);
    case RESOURCE_CLIENT_METRICS:
        return client_metrics_describe(entries);
    default:
        refuse(entries->out, KE_INVALID_REQUEST, request_text("Unsupported resource type"));
        return true;
    }
}

enum h_result
h_describe_configs(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_describe_configs_request *in = in_;
    struct km_describe_configs_response *out = out_;

    out->results.items = codec_array(
        &request->arena, &km_describe_configs_response_result_desc, in->resources.count);
    if (out->results.items == NULL)
        return H_CLOSE;
    out->results.count = in->resources.count;
    for (int32_t i = 0; i < in->resources.count; i++) {
        const struct km_describe_configs_request_resource *ask = &in->resources.items[i];
        result_out *result = &out->results.items[i];
        struct config_entries entries;
        bool ok;

        result->resource_type = ask->resource_type;
        result->resource_name = ask->resource_name;
        result->error_message = request_text("");
        config_entries_init(&entries, broker, request, ask, result);
        ok = resource_describe(&entries);
        config_entries_fini(&entries);
        if (!ok)
            return H_CLOSE;
    }
    return H_DONE;
}

/* --- ListConfigResources ---------------------------------------------------------------------- */

static bool
is_listed(const struct request *request, enum resource_type type)
{
    const struct km_list_config_resources_request *in = request->in;

    if (request->header.api_version == 0)
        return type == RESOURCE_CLIENT_METRICS;
    for (int32_t i = 0; i < in->resource_types.count; i++)
        if (in->resource_types.items[i] == (int8_t)type)
            return true;
    return in->resource_types.count == 0;
}

static void
resource_add(
    struct km_list_config_resources_response *out, enum resource_type type, struct wire_string name)
{
    resource_out *resource = &out->config_resources.items[out->config_resources.count++];

    resource->resource_type = (int8_t)type;
    resource->resource_name = name;
}

enum h_result
h_list_config_resources(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    static const enum resource_type kept[] = {RESOURCE_CLIENT_METRICS, RESOURCE_GROUP};
    const struct km_list_config_resources_request *in = in_;
    struct km_list_config_resources_response *out = out_;
    size_t position = 0, most = map_count(&broker->topics.by_name) +
                                map_count(&broker->resource_configs.by_resource) + 2;
    const struct topic *topic;
    const char *id = arena_printf(&request->arena, "%d", broker->options.node_id), *name;

    for (int32_t i = 0; i < in->resource_types.count; i++) {
        int8_t type = in->resource_types.items[i];

        if (type != RESOURCE_TOPIC && type != RESOURCE_BROKER && type != RESOURCE_BROKER_LOGGER &&
            type != RESOURCE_CLIENT_METRICS && type != RESOURCE_GROUP) {
            out->error_code = KE_UNSUPPORTED_VERSION;
            return H_DONE;
        }
    }
    out->config_resources.items = codec_array(
        &request->arena, &km_list_config_resources_response_config_resource_desc, (int32_t)most);
    if (arena_is_full(&request->arena))
        return H_CLOSE;
    while (is_listed(request, RESOURCE_TOPIC) &&
           (topic = topics_next(&broker->topics, &position)) != NULL)
        resource_add(out, RESOURCE_TOPIC, request_text_dup(request, topic->name));
    if (is_listed(request, RESOURCE_BROKER))
        resource_add(out, RESOURCE_BROKER, request_text(id));
    if (is_listed(request, RESOURCE_BROKER_LOGGER))
        resource_add(out, RESOURCE_BROKER_LOGGER, request_text(id));
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        position = 0;
        while (
            is_listed(request, kept[i]) &&
            (name = resource_configs_next(&broker->resource_configs, kept[i], &position)) != NULL)
            resource_add(out, kept[i], request_text_dup(request, name));
    }
    return arena_is_full(&request->arena) ? H_CLOSE : H_DONE;
}
