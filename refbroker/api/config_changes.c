#include "refbroker/api/config_changes.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/doubled.h"
#include "refbroker/coord/client_instances.h"
#include "refbroker/coord/client_metrics.h"
#include "refbroker/coord/group_configs.h"
#include "refbroker/meta/broker_configs.h"
#include "refbroker/meta/topics.h"

typedef struct km_incremental_alter_configs_request_alterable_config alter_config;
typedef struct km_incremental_alter_configs_request_alter_configs_resource alter_in;

void
config_changes_init(
    struct config_changes *changes, struct broker *broker, struct request *request, size_t most)
{
    *changes = (struct config_changes){
        .broker = broker, .request = request, .items = xcalloc(most, sizeof *changes->items)};
}

void
config_changes_refuse(
    struct request *request, struct config_refusal *out, int16_t code, const char *text)
{
    out->code = code;
    out->text = text == NULL ? NULL : arena_strdup(&request->arena, text);
}

/* Whether a word is in a list, which has commas between its words. */
static bool
list_has(const char *list, size_t size, const char *word, size_t word_size)
{
    for (size_t at = 0; at < size;) {
        const char *comma = memchr(list + at, ',', size - at);
        size_t length = comma == NULL ? size - at : (size_t)(comma - list) - at;

        if (length == word_size && memcmp(list + at, word, length) == 0)
            return true;
        at += length + 1;
    }
    return false;
}

/* Adds the words of a list that `out` has not and that are not among the others. */
static void
list_add(struct buf *out, const char *list, size_t size, struct wire_string without)
{
    for (size_t at = 0; at < size;) {
        const char *comma = memchr(list + at, ',', size - at);
        size_t length = comma == NULL ? size - at : (size_t)(comma - list) - at;

        if (!list_has((const char *)out->data, out->size, list + at, length) &&
            !list_has(without.data, (size_t)without.size, list + at, length))
            buf_printf(out, "%s%.*s", out->size > 0 ? "," : "", (int)length, list + at);
        at += length + 1;
    }
}

/* A list with the words of another added or taken away. The caller frees it. */
static char *
list_change(const char *old, struct wire_string words, bool add)
{
    static const struct wire_string none = {"", 0};
    struct buf out;
    size_t size;

    buf_init(&out, CONFIG_DEF_BYTES_MAX);
    list_add(&out, old, strlen(old), add ? none : words);
    if (add)
        list_add(&out, words.data, (size_t)words.size, none);
    if (out.size > 0)
        return (char *)buf_take(&out, &size);
    /* What has nothing left is an empty list, not the default. */
    buf_fini(&out);
    return xstrdup("");
}

/* Names that come twice, and values of null (ConfigAdminManager). */
static void
shape_check(struct request *request, const alter_in *in, struct config_refusal *out)
{
    const char *nulls = NULL;

    for (int32_t i = 0; i < in->configs.count; i++) {
        const alter_config *config = &in->configs.items[i];

        if (config->config_operation != OPERATION_DELETE && config->value.size < 0)
            nulls = arena_printf(&request->arena, "%s%s%.*s", nulls == NULL ? "" : nulls,
                nulls == NULL ? "" : ", ", config->name.size, config->name.data);
    }
    if (doubled_any(in->configs.items, sizeof in->configs.items[0], in->configs.count))
        config_changes_refuse(
            request, out, KE_INVALID_REQUEST, "Error due to duplicate config keys");
    else if (nulls != NULL)
        config_changes_refuse(request, out, KE_INVALID_REQUEST,
            arena_printf(&request->arena, "Null value not supported for : %s", nulls));
}

/* Lists only can be added to (the controller). */
static void
operations_check(struct request *request, const alter_in *in, struct config_refusal *out)
{
    for (int32_t i = 0; i < in->configs.count && out->code == KE_NONE; i++) {
        const alter_config *config = &in->configs.items[i];
        const char *name =
            arena_printf(&request->arena, "%.*s", config->name.size, config->name.data);
        const struct topic_config_row *row =
            name == NULL || in->resource_type != RESOURCE_TOPIC ? NULL : topic_configs_find(name);

        if (config->config_operation < OPERATION_SET ||
            config->config_operation > OPERATION_SUBTRACT)
            config_changes_refuse(request, out, KE_UNKNOWN_SERVER_ERROR, NULL);
        else if (config->config_operation >= OPERATION_APPEND &&
                 (row == NULL || row->def.type != CONFIG_LIST))
            config_changes_refuse(request, out, KE_INVALID_CONFIG,
                arena_printf(&request->arena, "Can't %s to key %.*s because its type is not LIST.",
                    config->config_operation == OPERATION_APPEND ? "APPEND" : "SUBTRACT",
                    config->name.size, config->name.data));
    }
}

/* The new text of a config after a checked operation, NULL for its default. The caller frees it;
 * `old` is what a list has. */
static char *
new_value(const char *old, const alter_config *config)
{
    switch (config->config_operation) {
    case OPERATION_SET:
        return xmemdup(config->value.data, (size_t)config->value.size);
    case OPERATION_APPEND:
    case OPERATION_SUBTRACT:
        return list_change(old, config->value, config->config_operation == OPERATION_APPEND);
    default:
        return NULL;
    }
}

/* The path of a topic is chosen at its creation (Inkless: observed behaviour, messages as it has
 * them). */
static const char *
path_change_refused(const struct topic *topic, const char *name, const char *value)
{
    bool coordinated = topic->configs.values.coordinated;

    if (strcmp(name, "diskless.enable") != 0)
        return NULL;
    if (value == NULL)
        return coordinated ? "It is not allowed to delete the diskless.enable config" : NULL;
    if (coordinated && strcasecmp(value, "false") == 0)
        return "It is invalid to disable diskless.";
    if (!coordinated && strcasecmp(value, "true") == 0)
        return "It is invalid to enable diskless on an already existing topic.";
    return NULL;
}

/* Unknown names are told before wrong values. */
static void
names_check(struct request *request, const alter_in *in, struct config_refusal *out)
{
    for (int32_t i = 0; i < in->configs.count && out->code == KE_NONE; i++) {
        const alter_config *config = &in->configs.items[i];
        const char *name =
            arena_printf(&request->arena, "%.*s", config->name.size, config->name.data);

        if (config->config_operation != OPERATION_DELETE && name != NULL &&
            topic_configs_find(name) == NULL)
            config_changes_refuse(request, out, KE_INVALID_CONFIG,
                arena_printf(&request->arena, "Unknown topic config name: %s", name));
    }
}

static void
change_read(struct config_changes *changes, const struct topic *topic, const alter_config *config,
    int32_t index, struct config_refusal *out)
{
    struct config_change *change = &changes->items[changes->count];
    const char *why;
    struct err e;

    if (topic != NULL)
        change->topic_id = topic->topic_id;
    change->type = RESOURCE_TOPIC;
    change->index = index;
    change->name = xmemdup(config->name.data, (size_t)config->name.size);
    change->value = new_value(topic == NULL ? topic_configs_find(change->name)->def.default_text
                                            : topic_configs_get(&topic->configs, change->name),
        config);
    changes->count++;
    if (change->value != NULL && topic_configs_check(change->name, change->value, &e) != RC_OK)
        config_changes_refuse(changes->request, out, KE_INVALID_CONFIG, e.text);
    why = topic == NULL ? NULL : path_change_refused(topic, change->name, change->value);
    if (out->code == KE_NONE && why != NULL)
        config_changes_refuse(changes->request, out, KE_INVALID_CONFIG, why);
}

static void
drop_from(struct config_changes *changes, size_t from)
{
    while (changes->count > from) {
        changes->count--;
        free(changes->items[changes->count].resource);
        free(changes->items[changes->count].name);
        free(changes->items[changes->count].value);
        memset(&changes->items[changes->count], 0, sizeof *changes->items);
    }
}

/* Checks a topic's configs and appends the changes to the job. */
static void
topic_read(
    struct config_changes *changes, const alter_in *in, int32_t index, struct config_refusal *out)
{
    struct topic *topic = topics_find(
        &changes->broker->topics, in->resource_name.data, (size_t)in->resource_name.size);
    char why[TOPICS_NAME_WHY_BYTES];

    if (out->code == KE_NONE &&
        topics_name_check(in->resource_name.data, (size_t)in->resource_name.size) != NULL) {
        topics_name_why(in->resource_name.data, (size_t)in->resource_name.size, why);
        config_changes_refuse(changes->request, out, KE_INVALID_TOPIC_EXCEPTION, why);
    }
    names_check(changes->request, in, out);
    for (int32_t i = 0; i < in->configs.count && out->code == KE_NONE; i++) {
        const alter_config *config = &in->configs.items[i];
        const char *name =
            arena_printf(&changes->request->arena, "%.*s", config->name.size, config->name.data);

        /* Back to the default of what is unknown changes nothing. */
        if (name != NULL && topic_configs_find(name) != NULL)
            change_read(changes, topic, config, index, out);
    }
    /* Kafka looks last whether the topic is there. */
    if (out->code == KE_NONE && topic == NULL)
        config_changes_refuse(changes->request, out, KE_UNKNOWN_TOPIC_OR_PARTITION,
            arena_printf(&changes->request->arena, "The topic '%.*s' does not exist.",
                in->resource_name.size, in->resource_name.data));
}

/* A group as a request would leave it. */
struct changed_group {
    const struct config_changes *changes;
    const char *group_id;
    int32_t index;
};

static const char *
changed_own(void *arg, const char *name)
{
    const struct changed_group *group = arg;

    for (size_t i = group->changes->count; i > 0; i--) {
        const struct config_change *change = &group->changes->items[i - 1];

        if (change->index == group->index && strcmp(change->name, name) == 0)
            return change->value;
    }
    return resource_configs_get(
        &group->changes->broker->resource_configs, RESOURCE_GROUP, group->group_id, name);
}

static void
group_check(
    struct config_changes *changes, const alter_in *in, int32_t index, struct config_refusal *out)
{
    struct changed_group group = {changes,
        arena_printf(
            &changes->request->arena, "%.*s", in->resource_name.size, in->resource_name.data),
        index};
    struct err e;

    if (group.group_id != NULL &&
        group_configs_check_together(changes->broker, changed_own, &group, &e) != RC_OK)
        config_changes_refuse(changes->request, out, KE_INVALID_CONFIG, e.text);
}

/* Does so for a group or a subscription to metrics, which need not exist. */
static void
kept_read(
    struct config_changes *changes, const alter_in *in, int32_t index, struct config_refusal *out)
{
    bool group = in->resource_type == RESOURCE_GROUP;
    size_t kept = map_count(&changes->broker->resource_configs.by_resource);
    struct err e;

    if (group && in->resource_name.size == 0)
        config_changes_refuse(
            changes->request, out, KE_INVALID_REQUEST, "Default group resources are not allowed.");
    for (int32_t i = 0; i < in->configs.count && out->code == KE_NONE; i++) {
        const alter_config *config = &in->configs.items[i];
        struct config_change *change = &changes->items[changes->count++];
        int16_t code;

        *change =
            (struct config_change){.type = (enum resource_type)in->resource_type, .index = index};
        change->resource = xmemdup(in->resource_name.data, (size_t)in->resource_name.size);
        change->name = xmemdup(config->name.data, (size_t)config->name.size);
        if (config->config_operation == OPERATION_SET)
            change->value = xmemdup(config->value.data, (size_t)config->value.size);
        if (change->value != NULL && kept + changes->count > RESOURCE_CONFIGS_MAX) {
            config_changes_refuse(
                changes->request, out, KE_POLICY_VIOLATION, "Too many things have configs.");
            break;
        }
        if (group)
            code = group_configs_check(changes->broker, change->name, change->value, &e) == RC_OK
                       ? KE_NONE
                       : KE_INVALID_CONFIG;
        else
            code = client_metrics_check(change->resource, change->name, change->value, &e);
        if (code != KE_NONE)
            config_changes_refuse(changes->request, out, code, e.text);
    }
    if (group && out->code == KE_NONE)
        group_check(changes, in, index, out);
}

/* The id of this broker as text, or "" for all brokers; NULL where the name is neither. */
static const char *
broker_resource(struct config_changes *changes, const alter_in *in, struct config_refusal *out)
{
    struct arena *arena = &changes->request->arena;
    const char *name = arena_printf(arena, "%.*s", in->resource_name.size, in->resource_name.data);
    int32_t node_id = changes->broker->options.node_id;
    char *end;

    if (name == NULL || *name == '\0')
        return name;
    if (strtol(name, &end, 10) == node_id && *end == '\0')
        return arena_printf(arena, "%d", node_id);
    config_changes_refuse(changes->request, out, KE_INVALID_REQUEST,
        *end != '\0' ? arena_printf(arena, "Node id must be an integer, but it is: %s", name)
                     : arena_printf(arena, "Unexpected broker id, expected %d, but received %s",
                           node_id, name));
    return NULL;
}

/* Only lists can be added to, and only those that are known. */
static void
broker_operation_check(struct request *request, const alter_config *config, const char *name,
    struct config_refusal *out)
{
    const struct broker_config_row *row = broker_configs_find(name);

    if (config->config_operation < OPERATION_SET || config->config_operation > OPERATION_SUBTRACT)
        config_changes_refuse(request, out, KE_UNKNOWN_SERVER_ERROR, NULL);
    else if (config->config_operation >= OPERATION_APPEND && row == NULL)
        config_changes_refuse(request, out, KE_INVALID_CONFIG,
            arena_printf(&request->arena, "Unknown config name: %s", name));
    else if (config->config_operation >= OPERATION_APPEND && row->def.type != CONFIG_LIST)
        config_changes_refuse(request, out, KE_INVALID_CONFIG,
            arena_printf(&request->arena, "Config value %s is not allowed for config key: %s",
                config->config_operation == OPERATION_APPEND ? "append" : "subtract", name));
}

static void
broker_change_read(struct config_changes *changes, const char *resource, const alter_config *config,
    int32_t index, struct config_refusal *out)
{
    struct config_change *change = &changes->items[changes->count++];
    const struct broker_config_row *row;
    const char *old;

    *change = (struct config_change){.type = RESOURCE_BROKER, .index = index};
    change->resource = xstrdup(resource);
    change->name = xmemdup(config->name.data, (size_t)config->name.size);
    broker_operation_check(changes->request, config, change->name, out);
    if (out->code != KE_NONE)
        return;
    row = broker_configs_find(change->name);
    old = resource_configs_get(
        &changes->broker->resource_configs, RESOURCE_BROKER, resource, change->name);
    if (old == NULL && row != NULL)
        old = row->def.default_text;
    change->value = new_value(old == NULL ? "" : old, config);
}

/* Does so for this broker, by its id, or for all brokers, by no name. */
static void
broker_read(
    struct config_changes *changes, const alter_in *in, int32_t index, struct config_refusal *out)
{
    struct broker_config_change *judged;
    size_t first = changes->count, count;
    const char *resource = broker_resource(changes, in, out);
    struct err e;

    if (resource == NULL)
        return;
    for (int32_t i = 0; i < in->configs.count && out->code == KE_NONE; i++)
        broker_change_read(changes, resource, &in->configs.items[i], index, out);
    count = changes->count - first;
    if (out->code != KE_NONE || count == 0)
        return;
    judged = xcalloc(count, sizeof *judged);
    for (size_t i = 0; i < count; i++)
        judged[i] = (struct broker_config_change){
            changes->items[first + i].name, changes->items[first + i].value};
    if (broker_configs_check(changes->broker, resource, judged, count, &e) != RC_OK)
        config_changes_refuse(changes->request, out, KE_INVALID_REQUEST, e.text);
    free(judged);
}

/* Checks one resource and appends its changes to the job; a refused resource changes nothing. */
void
config_changes_read(
    struct config_changes *changes, const alter_in *in, int32_t index, struct config_refusal *out)
{
    size_t before = changes->count;

    shape_check(changes->request, in, out);
    if (out->code == KE_NONE)
        switch (in->resource_type) {
        case RESOURCE_TOPIC:
            operations_check(changes->request, in, out);
            topic_read(changes, in, index, out);
            break;
        case RESOURCE_GROUP:
        case RESOURCE_CLIENT_METRICS:
            operations_check(changes->request, in, out);
            kept_read(changes, in, index, out);
            break;
        case RESOURCE_BROKER:
            broker_read(changes, in, index, out);
            break;
        case RESOURCE_BROKER_LOGGER:
            config_changes_refuse(changes->request, out, KE_INVALID_REQUEST,
                "the levels of this broker's log cannot be changed");
            break;
        default:
            config_changes_refuse(changes->request, out, KE_INVALID_REQUEST,
                arena_printf(
                    &changes->request->arena, "Unknown resource type %d", in->resource_type));
        }
    if (out->code != KE_NONE)
        drop_from(changes, before);
}

enum rc
config_changes_apply(const struct config_changes *changes, struct catalog *catalog, struct err *e)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < changes->count && rc == RC_OK; i++) {
        const struct config_change *change = &changes->items[i];

        rc = change->type == RESOURCE_TOPIC
                 ? catalog_put_config(catalog, &change->topic_id, change->name, change->value, e)
                 : catalog_put_resource_config(
                       catalog, change->type, change->resource, change->name, change->value, e);
    }
    return rc;
}

void
config_changes_take_effect(const struct config_changes *changes)
{
    struct broker *broker = changes->broker;

    for (size_t i = 0; i < changes->count; i++) {
        const struct config_change *change = &changes->items[i];
        struct topic *topic = topics_find_id(&broker->topics, &change->topic_id);

        if (change->type != RESOURCE_TOPIC)
            resource_configs_set(&broker->resource_configs, change->type, change->resource,
                change->name, change->value);
        else if (topic != NULL)
            topic_configs_set(&topic->configs, change->name, change->value);
        if (change->type == RESOURCE_CLIENT_METRICS && broker->client_instances != NULL)
            client_subscriptions_update(&broker->client_instances->subscriptions,
                &broker->resource_configs, change->resource);
        if (change->type == RESOURCE_BROKER)
            broker_configs_take_effect(broker, change->name);
    }
}

void
config_changes_fini(struct config_changes *changes)
{
    drop_from(changes, 0);
    free(changes->items);
}
