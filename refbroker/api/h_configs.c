/*
 * DescribeConfigs and ListConfigResources (ConfigHelper, KIP-226, KIP-714, KIP-1142).
 *
 * Of a broker's configs those are described which say something here, and what was set since.
 */
#include <inttypes.h>
#include <stdio.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/coord/client_metrics.h"
#include "refbroker/coord/group_configs.h"
#include "refbroker/limits.h"
#include "refbroker/meta/broker_configs.h"
#include "refbroker/meta/topics.h"

/* ConfigSource */
enum {
    SOURCE_TOPIC = 1,
    SOURCE_BROKER = 2,
    SOURCE_ALL_BROKERS = 3,
    SOURCE_STATIC_BROKER = 4,
    SOURCE_DEFAULT = 5,
    SOURCE_CLIENT_METRICS = 7,
    SOURCE_GROUP = 8
};

typedef struct km_describe_configs_response_resource_result config_out;
typedef struct km_describe_configs_response_result result_out;
typedef struct km_list_config_resources_response_config_resource resource_out;

static bool
is_asked(const struct km_describe_configs_request_resource *in, const char *name)
{
    /* No keys are all keys, too. */
    if (in->configuration_keys.count <= 0)
        return true;
    for (int32_t i = 0; i < in->configuration_keys.count; i++)
        if (request_is_text(in->configuration_keys.items[i], name))
            return true;
    return false;
}

/* The values in force from the nearest down: the topic's own where it is set, then the default. */
static bool
synonyms_fill(
    struct request *request, const struct topic_config_row *row, const char *set, config_out *out)
{
    struct km_describe_configs_response_synonym *items =
        codec_array(&request->arena, &km_describe_configs_response_synonym_desc, 2);

    if (items == NULL)
        return false;
    out->synonyms.items = items;
    if (set != NULL)
        items[out->synonyms.count++] = (struct km_describe_configs_response_synonym){
            request_text(row->name), request_text(set), SOURCE_TOPIC};
    if (row->broker_name != NULL)
        items[out->synonyms.count++] = (struct km_describe_configs_response_synonym){
            request_text(row->broker_name), request_text(row->default_text), SOURCE_DEFAULT};
    return true;
}

static bool
topic_describe(struct broker *broker, struct request *request,
    const struct km_describe_configs_request *in,
    const struct km_describe_configs_request_resource *ask, result_out *out)
{
    struct topic *topic =
        topics_find(&broker->topics, ask->resource_name.data, (size_t)ask->resource_name.size);
    size_t count;
    const struct topic_config_row *rows = topic_configs_rows(&count);

    if (topic == NULL) {
        char why[TOPICS_NAME_WHY_BYTES] = "";

        out->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
        if (topics_name_check(ask->resource_name.data, (size_t)ask->resource_name.size) != NULL) {
            topics_name_why(ask->resource_name.data, (size_t)ask->resource_name.size, why);
            out->error_code = KE_INVALID_TOPIC_EXCEPTION;
        }
        out->error_message = request_text_dup(request, why);
        return true;
    }
    out->configs.items = codec_array(
        &request->arena, &km_describe_configs_response_resource_result_desc, (int32_t)count);
    if (out->configs.items == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *set = map_get_text(&topic->configs.set, rows[i].name);
        config_out *config;

        if (rows[i].effect == TOPIC_CONFIG_HIDDEN || !is_asked(ask, rows[i].name))
            continue;
        config = &out->configs.items[out->configs.count++];
        config->name = request_text(rows[i].name);
        set = set == NULL ? NULL : arena_strdup(&request->arena, set);
        config->value = request_text(set != NULL ? set : rows[i].default_text);
        config->config_source = set != NULL ? SOURCE_TOPIC : SOURCE_DEFAULT;
        config->config_type = (int8_t)rows[i].type;
        config->documentation = request_text(in->include_documentation ? rows[i].help : NULL);
        if (in->include_synonyms && !synonyms_fill(request, &rows[i], set, config))
            return false;
    }
    return true;
}

/* What is set for this broker, or for all; the nearer one counts. */
static bool
throttles_describe(struct broker *broker, struct request *request,
    const struct km_describe_configs_request_resource *ask, result_out *out)
{
    const struct km_describe_configs_request *in = request->in;
    const char *id = arena_printf(&request->arena, "%d", broker->options.node_id);
    size_t count;
    const struct broker_config_row *rows = broker_configs_rows(&count);

    for (size_t i = 0; i < count && id != NULL; i++) {
        const char *own = ask->resource_name.size == 0
                              ? NULL
                              : resource_configs_get(
                                    &broker->resource_configs, RESOURCE_BROKER, id, rows[i].name);
        const char *all =
            resource_configs_get(&broker->resource_configs, RESOURCE_BROKER, "", rows[i].name);
        struct km_describe_configs_response_synonym *synonyms =
            codec_array(&request->arena, &km_describe_configs_response_synonym_desc, 2);
        config_out *config;

        if (synonyms == NULL)
            return false;
        if ((own == NULL && all == NULL) || !is_asked(ask, rows[i].name))
            continue;
        config = &out->configs.items[out->configs.count++];
        config->name = request_text(rows[i].name);
        config->value = request_text_dup(request, own != NULL ? own : all);
        config->config_source = own != NULL ? SOURCE_BROKER : SOURCE_ALL_BROKERS;
        config->config_type = CONFIG_LONG;
        config->documentation = request_text(in->include_documentation ? rows[i].help : NULL);
        config->synonyms.items = synonyms;
        if (in->include_synonyms && own != NULL)
            synonyms[config->synonyms.count++] = (struct km_describe_configs_response_synonym){
                config->name, config->value, SOURCE_BROKER};
        if (in->include_synonyms && all != NULL)
            synonyms[config->synonyms.count++] = (struct km_describe_configs_response_synonym){
                config->name, request_text_dup(request, all), SOURCE_ALL_BROKERS};
    }
    return !arena_is_full(&request->arena);
}

struct broker_config {
    const char *name;
    const char *value;
    enum config_type type;
};

static bool
broker_describe(struct broker *broker, struct request *request,
    const struct km_describe_configs_request_resource *ask, result_out *out)
{
    const struct broker_options *o = &broker->options;
    const struct broker_config configs[] = {
        {"auto.create.topics.enable", o->auto_create_topics ? "true" : "false", CONFIG_BOOLEAN},
        {"broker.id", arena_printf(&request->arena, "%d", o->node_id), CONFIG_INT},
        {"default.replication.factor", "1", CONFIG_INT},
        {"message.max.bytes", "1048588", CONFIG_INT},
        {"num.partitions", arena_printf(&request->arena, "%d", o->num_partitions), CONFIG_INT},
        {"socket.request.max.bytes", arena_printf(&request->arena, "%zu", LIMIT_REQUEST_BYTES_MAX),
            CONFIG_INT},
    };
    size_t throttles;
    char id[16];

    (void)broker_configs_rows(&throttles);
    snprintf(id, sizeof id, "%d", o->node_id);
    if (ask->resource_name.size != 0 && !request_is_text(ask->resource_name, id)) {
        out->error_code = KE_INVALID_REQUEST;
        out->error_message =
            request_text("Unexpected broker id: this broker describes itself only");
        return true;
    }
    out->configs.items =
        codec_array(&request->arena, &km_describe_configs_response_resource_result_desc,
            (int32_t)(ARRAY_LEN(configs) + throttles));
    if (arena_is_full(&request->arena))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
        config_out *config;

        /* Those of all brokers are the ones that were set for all. */
        if (ask->resource_name.size == 0 || !is_asked(ask, configs[i].name))
            continue;
        config = &out->configs.items[out->configs.count++];
        config->name = request_text(configs[i].name);
        config->value = request_text(configs[i].value);
        config->read_only = true;
        config->config_source = SOURCE_STATIC_BROKER;
        config->config_type = (int8_t)configs[i].type;
    }
    return throttles_describe(broker, request, ask, out);
}

/* A config of something that is no topic. `broker_name` is that of its default, NULL where the
 * default is nobody's. */
struct kept_config {
    const char *name;
    const char *help;
    const char *default_text;
    const char *broker_name;
    enum config_type type;
    int8_t source;
};

/* Adds it where it is asked for, with the value that the thing has. */
static bool
kept_describe(struct broker *broker, struct request *request,
    const struct km_describe_configs_request_resource *ask, const struct kept_config *kept,
    result_out *out)
{
    const struct km_describe_configs_request *in = request->in;
    const char *resource =
        arena_printf(&request->arena, "%.*s", ask->resource_name.size, ask->resource_name.data);
    const char *set = resource == NULL
                          ? NULL
                          : resource_configs_get(&broker->resource_configs,
                                (enum resource_type)ask->resource_type, resource, kept->name);
    struct km_describe_configs_response_synonym *synonyms =
        codec_array(&request->arena, &km_describe_configs_response_synonym_desc, 2);
    config_out *config;

    if (arena_is_full(&request->arena))
        return false;
    if (!is_asked(ask, kept->name))
        return true;
    config = &out->configs.items[out->configs.count++];
    config->name = request_text(kept->name);
    config->value = request_text_dup(request, set != NULL ? set : kept->default_text);
    config->config_source = set != NULL ? kept->source : SOURCE_DEFAULT;
    config->config_type = (int8_t)kept->type;
    config->documentation = request_text(in->include_documentation ? kept->help : NULL);
    config->synonyms.items = synonyms;
    if (in->include_synonyms && set != NULL)
        synonyms[config->synonyms.count++] = (struct km_describe_configs_response_synonym){
            config->name, config->value, kept->source};
    if (in->include_synonyms && kept->broker_name != NULL)
        synonyms[config->synonyms.count++] = (struct km_describe_configs_response_synonym){
            request_text(kept->broker_name), request_text(kept->default_text), SOURCE_DEFAULT};
    return true;
}

static bool
group_describe(struct broker *broker, struct request *request,
    const struct km_describe_configs_request_resource *ask, result_out *out)
{
    size_t count;
    const struct group_config_row *rows = group_configs_rows(&count);

    out->configs.items = codec_array(
        &request->arena, &km_describe_configs_response_resource_result_desc, (int32_t)count);
    for (size_t i = 0; i < count; i++) {
        struct kept_config kept = {rows[i].name, rows[i].help,
            arena_printf(&request->arena, "%" PRId64, group_configs_default(broker, &rows[i])),
            rows[i].broker_name, CONFIG_INT, SOURCE_GROUP};

        if (arena_is_full(&request->arena) || !kept_describe(broker, request, ask, &kept, out))
            return false;
    }
    return true;
}

static bool
client_metrics_describe(struct broker *broker, struct request *request,
    const struct km_describe_configs_request_resource *ask, result_out *out)
{
    size_t count;
    const struct client_metrics_row *rows = client_metrics_rows(&count);

    if (ask->resource_name.size <= 0) {
        out->error_code = KE_INVALID_REQUEST;
        out->error_message = request_text("Client metrics subscription name must not be empty");
        return true;
    }
    out->configs.items = codec_array(
        &request->arena, &km_describe_configs_response_resource_result_desc, (int32_t)count);
    for (size_t i = 0; i < count; i++) {
        struct kept_config kept = {rows[i].name, rows[i].help, rows[i].default_text, NULL,
            rows[i].type, SOURCE_CLIENT_METRICS};

        if (arena_is_full(&request->arena) || !kept_describe(broker, request, ask, &kept, out))
            return false;
    }
    return true;
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
        bool ok = true;

        result->resource_type = ask->resource_type;
        result->resource_name = ask->resource_name;
        result->error_message = request_text("");
        if (ask->resource_type == RESOURCE_TOPIC) {
            ok = topic_describe(broker, request, in, ask, result);
        } else if (ask->resource_type == RESOURCE_BROKER) {
            ok = broker_describe(broker, request, ask, result);
        } else if (ask->resource_type == RESOURCE_GROUP) {
            ok = group_describe(broker, request, ask, result);
        } else if (ask->resource_type == RESOURCE_CLIENT_METRICS) {
            ok = client_metrics_describe(broker, request, ask, result);
        } else {
            result->error_code = KE_INVALID_REQUEST;
            result->error_message = request_text("Unsupported resource type");
        }
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
