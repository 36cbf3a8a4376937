/*
 * DescribeConfigs and IncrementalAlterConfigs (ConfigHelper, ConfigurationControlManager, KIP-226,
 * KIP-339).
 *
 * Resource types: 2 topic, 4 broker, 32 group. Sources: 1 the topic's own, 8 the group's, 5 the
 * default. Brokers have no
 * configs that can be changed here yet; theirs are described as they are.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/doubled.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/coord/groups.h"
#include "refbroker/limits.h"
#include "refbroker/meta/topics.h"

enum { RESOURCE_TOPIC = 2, RESOURCE_BROKER = 4, RESOURCE_GROUP = 32 };
enum { SOURCE_TOPIC = 1, SOURCE_STATIC_BROKER = 4, SOURCE_DEFAULT = 5, SOURCE_GROUP = 8 };
enum { OPERATION_SET, OPERATION_DELETE, OPERATION_APPEND, OPERATION_SUBTRACT };

typedef struct km_describe_configs_response_resource_result config_out;
typedef struct km_incremental_alter_configs_request_alterable_config alter_config;
typedef struct km_incremental_alter_configs_request_alter_configs_resource alter_in;
typedef struct km_incremental_alter_configs_response_alter_configs_resource_response alter_out;

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
    items[out->synonyms.count++] = (struct km_describe_configs_response_synonym){
        request_text(row->name), request_text(row->default_text), SOURCE_DEFAULT};
    return true;
}

static bool
topic_describe(struct broker *broker, struct request *request,
    const struct km_describe_configs_request *in,
    const struct km_describe_configs_request_resource *ask,
    struct km_describe_configs_response_result *out)
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

struct broker_config {
    const char *name;
    const char *value;
    enum config_type type;
};

static bool
broker_describe(struct broker *broker, struct request *request,
    const struct km_describe_configs_request_resource *ask,
    struct km_describe_configs_response_result *out)
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
    char id[16];

    snprintf(id, sizeof id, "%d", o->node_id);
    if (!request_is_text(ask->resource_name, id)) {
        out->error_code = KE_INVALID_REQUEST;
        out->error_message =
            request_text("Unexpected broker id: this broker describes itself only");
        return true;
    }
    out->configs.items = codec_array(&request->arena,
        &km_describe_configs_response_resource_result_desc, (int32_t)ARRAY_LEN(configs));
    if (arena_is_full(&request->arena))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
        config_out *config;

        if (!is_asked(ask, configs[i].name))
            continue;
        config = &out->configs.items[out->configs.count++];
        config->name = request_text(configs[i].name);
        config->value = request_text(configs[i].value);
        config->read_only = true;
        config->config_source = SOURCE_STATIC_BROKER;
        config->config_type = (int8_t)configs[i].type;
    }
    return true;
}

/* A group need not exist to have configs. */
static bool
group_describe(struct broker *broker, struct request *request,
    const struct km_describe_configs_request_resource *ask,
    struct km_describe_configs_response_result *out)
{
    const char *group_id =
        arena_printf(&request->arena, "%.*s", ask->resource_name.size, ask->resource_name.data);
    size_t count;
    const struct group_config_row *rows = group_configs_rows(&count);

    out->configs.items = codec_array(
        &request->arena, &km_describe_configs_response_resource_result_desc, (int32_t)count);
    if (arena_is_full(&request->arena))
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *set = group_configs_get(&broker->groups->configs, group_id, rows[i].name);
        config_out *config;

        if (!is_asked(ask, rows[i].name))
            continue;
        config = &out->configs.items[out->configs.count++];
        config->name = request_text(rows[i].name);
        config->value = set != NULL ? request_text_dup(request, set)
                                    : request_text(arena_printf(&request->arena, "%" PRId64,
                                          group_configs_default(broker, &rows[i])));
        config->config_source = set != NULL ? SOURCE_GROUP : SOURCE_DEFAULT;
        config->config_type = CONFIG_INT;
        config->documentation = request_text(rows[i].help);
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
        struct km_describe_configs_response_result *result = &out->results.items[i];
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
        } else {
            result->error_code = KE_INVALID_REQUEST;
            result->error_message = request_text("Unsupported resource type");
        }
        if (!ok)
            return H_CLOSE;
    }
    return H_DONE;
}

/* --- IncrementalAlterConfigs ----------------------------------------------------------------- */

struct change {
    struct wire_uuid topic_id;
    char *group_id;   /* NULL: a topic's */
    int32_t resource; /* index in the answer */
    char *name;
    char *value; /* NULL: back to the default */
};

struct job {
    struct catalog_job job;
    struct broker *broker;
    struct request *request; /* NULL once it is gone */
    struct change *changes;
    size_t count;
};

static void
alter_refuse(struct request *request, alter_out *out, int16_t code, const char *text)
{
    out->error_code = code;
    out->error_message = request_text_dup(request, text);
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

    buf_init(&out, TOPIC_CONFIG_BYTES_MAX);
    list_add(&out, old, strlen(old), add ? none : words);
    if (add)
        list_add(&out, words.data, (size_t)words.size, none);
    if (out.size > 0)
        return (char *)buf_take(&out, &size);
    /* What has nothing left is an empty list, not the default. */
    buf_fini(&out);
    return xstrdup("");
}

/* What is wrong with an operation whatever its topic is: ConfigAdminManager looks for nulls, then
 * the controller for lists. */
static void
operations_check(struct request *request, const alter_in *in, alter_out *out)
{
    for (int32_t i = 0; i < in->configs.count; i++) {
        const alter_config *config = &in->configs.items[i];

        if (config->config_operation == OPERATION_DELETE || config->value.size >= 0)
            continue;
        alter_refuse(request, out, KE_INVALID_REQUEST,
            arena_printf(&request->arena, "Null value not supported for : %.*s", config->name.size,
                config->name.data));
        return;
    }
    for (int32_t i = 0; i < in->configs.count; i++) {
        const alter_config *config = &in->configs.items[i];
        const char *name =
            arena_printf(&request->arena, "%.*s", config->name.size, config->name.data);
        const struct topic_config_row *row = name == NULL ? NULL : topic_configs_find(name);

        if (config->config_operation < OPERATION_SET ||
            config->config_operation > OPERATION_SUBTRACT) {
            alter_refuse(request, out, KE_UNKNOWN_SERVER_ERROR, NULL);
            return;
        }
        if (config->config_operation < OPERATION_APPEND ||
            (row != NULL && row->type == CONFIG_LIST))
            continue;
        alter_refuse(request, out, KE_INVALID_CONFIG,
            arena_printf(&request->arena, "Can't %s to key %.*s because its type is not LIST.",
                config->config_operation == OPERATION_APPEND ? "APPEND" : "SUBTRACT",
                config->name.size, config->name.data));
        return;
    }
}

/* The new text of a config after a checked operation, NULL for its default. The caller frees it. A
 * topic of NULL has its defaults. */
static char *
new_value(const struct topic *topic, const char *name, const alter_config *config)
{
    switch (config->config_operation) {
    case OPERATION_SET:
        return xmemdup(config->value.data, (size_t)config->value.size);
    case OPERATION_APPEND:
    case OPERATION_SUBTRACT:
        return list_change(topic == NULL ? topic_configs_find(name)->default_text
                                         : topic_configs_get(&topic->configs, name),
            config->value, config->config_operation == OPERATION_APPEND);
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
names_check(struct request *request, const alter_in *in, alter_out *out)
{
    for (int32_t i = 0; i < in->configs.count && out->error_code == KE_NONE; i++) {
        const alter_config *config = &in->configs.items[i];
        const char *name =
            arena_printf(&request->arena, "%.*s", config->name.size, config->name.data);

        if (config->config_operation != OPERATION_DELETE && name != NULL &&
            topic_configs_find(name) == NULL)
            alter_refuse(request, out, KE_INVALID_CONFIG,
                arena_printf(&request->arena, "Unknown topic config name: %s", name));
    }
}

static void
change_read(struct job *job, const struct topic *topic, const alter_config *config, int32_t index,
    alter_out *out)
{
    struct change *change = &job->changes[job->count];
    const char *why;
    struct err e;

    if (topic != NULL)
        change->topic_id = topic->topic_id;
    change->resource = index;
    change->name = xmemdup(config->name.data, (size_t)config->name.size);
    change->value = new_value(topic, change->name, config);
    job->count++;
    if (change->value != NULL && topic_configs_check(change->name, change->value, &e) != RC_OK)
        alter_refuse(job->request, out, KE_INVALID_CONFIG, e.text);
    why = topic == NULL ? NULL : path_change_refused(topic, change->name, change->value);
    if (out->error_code == KE_NONE && why != NULL)
        alter_refuse(job->request, out, KE_INVALID_CONFIG, why);
}

static void
changes_drop(struct job *job, size_t from)
{
    while (job->count > from) {
        job->count--;
        free(job->changes[job->count].group_id);
        free(job->changes[job->count].name);
        free(job->changes[job->count].value);
        memset(&job->changes[job->count], 0, sizeof *job->changes);
    }
}

/* Checks one resource and appends its changes to the job; a refused resource changes nothing. */
static void
resource_read(struct job *job, const alter_in *in, int32_t index, alter_out *out)
{
    struct topic *topic =
        topics_find(&job->broker->topics, in->resource_name.data, (size_t)in->resource_name.size);
    size_t before = job->count;
    char why[TOPICS_NAME_WHY_BYTES];

    operations_check(job->request, in, out);
    if (out->error_code == KE_NONE &&
        topics_name_check(in->resource_name.data, (size_t)in->resource_name.size) != NULL) {
        topics_name_why(in->resource_name.data, (size_t)in->resource_name.size, why);
        alter_refuse(job->request, out, KE_INVALID_TOPIC_EXCEPTION, why);
    }
    names_check(job->request, in, out);
    for (int32_t i = 0; i < in->configs.count && out->error_code == KE_NONE; i++) {
        const alter_config *config = &in->configs.items[i];
        const char *name =
            arena_printf(&job->request->arena, "%.*s", config->name.size, config->name.data);

        /* Back to the default of what is unknown changes nothing. */
        if (name != NULL && topic_configs_find(name) != NULL)
            change_read(job, topic, config, index, out);
    }
    /* Kafka looks last whether the topic is there. */
    if (out->error_code == KE_NONE && topic == NULL)
        alter_refuse(job->request, out, KE_UNKNOWN_TOPIC_OR_PARTITION,
            arena_printf(&job->request->arena, "The topic '%.*s' does not exist.",
                in->resource_name.size, in->resource_name.data));
    if (out->error_code != 0)
        changes_drop(job, before);
}

/* Does so for a group, whose configs are numbers. */
static void
group_read(struct job *job, const alter_in *in, int32_t index, alter_out *out)
{
    size_t before = job->count;
    struct err e;

    if (in->resource_name.size == 0)
        alter_refuse(
            job->request, out, KE_INVALID_REQUEST, "Default group resources are not allowed.");
    for (int32_t i = 0; i < in->configs.count && out->error_code == 0; i++) {
        const alter_config *config = &in->configs.items[i];
        struct change *change = &job->changes[job->count++];
        bool set = config->config_operation == OPERATION_SET && config->value.size >= 0;

        *change = (struct change){.resource = index};
        change->group_id = xmemdup(in->resource_name.data, (size_t)in->resource_name.size);
        change->name = xmemdup(config->name.data, (size_t)config->name.size);
        change->value = set ? xmemdup(config->value.data, (size_t)config->value.size) : NULL;
        if (!set && config->config_operation != OPERATION_DELETE)
            alter_refuse(job->request, out, KE_INVALID_CONFIG,
                "a group's config can be set and deleted only");
        else if (group_configs_check(job->broker, change->name, change->value, &e) != RC_OK)
            alter_refuse(job->request, out, KE_INVALID_CONFIG, e.text);
    }
    if (out->error_code != 0)
        changes_drop(job, before);
}

static enum rc
apply(struct catalog *catalog, struct catalog_job *catalog_job, struct err *e)
{
    struct job *job = (struct job *)(void *)catalog_job;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < job->count && rc == RC_OK; i++) {
        const struct change *change = &job->changes[i];

        rc = change->group_id != NULL
                 ? catalog_put_group_config(
                       catalog, change->group_id, change->name, change->value, e)
                 : catalog_put_config(catalog, &change->topic_id, change->name, change->value, e);
    }
    return rc;
}

static void
job_free(struct job *job)
{
    changes_drop(job, 0);
    free(job->changes);
    free(job);
}

static void
job_done(struct catalog_job *catalog_job)
{
    struct job *job = (struct job *)(void *)catalog_job;
    struct km_incremental_alter_configs_response *out =
        job->request == NULL ? NULL : job->request->out;

    if (catalog_job->rc != RC_OK)
        log_error("CONFIG-ALTER", "%s", catalog_job->err.text);
    for (size_t i = 0; i < job->count; i++) {
        struct change *change = &job->changes[i];
        struct topic *topic = topics_find_id(&job->broker->topics, &change->topic_id);

        if (catalog_job->rc == RC_OK && change->group_id != NULL)
            group_configs_set(
                &job->broker->groups->configs, change->group_id, change->name, change->value);
        else if (catalog_job->rc == RC_OK && topic != NULL)
            topic_configs_set(&topic->configs, change->name, change->value);
        else if (catalog_job->rc != RC_OK && out != NULL)
            out->responses.items[change->resource].error_code = KE_KAFKA_STORAGE_ERROR;
    }
    if (job->request != NULL)
        broker_finish(job->broker, job->request);
    job_free(job);
}

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct job *)request->park)->request = NULL;
}

enum h_result
h_incremental_alter_configs(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_incremental_alter_configs_request *in = in_;
    struct km_incremental_alter_configs_response *out = out_;
    struct job *job = xcalloc(1, sizeof *job);
    size_t changes = 0;

    out->responses.items = codec_array(&request->arena,
        &km_incremental_alter_configs_response_alter_configs_resource_response_desc,
        in->resources.count);
    if (out->responses.items == NULL) {
        free(job);
        return H_CLOSE;
    }
    out->responses.count = in->resources.count;
    for (int32_t i = 0; i < in->resources.count; i++)
        changes += (size_t)in->resources.items[i].configs.count;
    job->broker = broker;
    job->request = request;
    job->changes = xcalloc(changes, sizeof *job->changes);
    for (int32_t i = 0; i < in->resources.count; i++) {
        const alter_in *resource = &in->resources.items[i];
        alter_out *result = &out->responses.items[i];

        result->resource_type = resource->resource_type;
        result->resource_name = resource->resource_name;
        result->error_message = request_text(NULL);
        if (doubled_any(resource->configs.items, sizeof(alter_config), resource->configs.count))
            alter_refuse(request, result, KE_INVALID_REQUEST, "Error due to duplicate config keys");
        else if (resource->resource_type == RESOURCE_TOPIC)
            resource_read(job, resource, i, result);
        else if (resource->resource_type == RESOURCE_GROUP)
            group_read(job, resource, i, result);
        else
            alter_refuse(request, result, KE_INVALID_REQUEST,
                "this broker has no configs of this kind that can be changed");
    }
    if (in->validate_only || job->count == 0) {
        job_free(job);
        return H_DONE;
    }
    job->job.apply = apply;
    job->job.done = job_done;
    request->park = job;
    request->on_drop = dropped;
    catalog_submit(broker->catalog, &job->job);
    return H_PARK;
}
