/*
 * IncrementalAlterConfigs and AlterConfigs (KIP-133, KIP-339): what config_changes makes of them,
 * in one transaction of the catalog.
 *
 * AlterConfigs replaces all that a resource has: it is read as sets of what it names, and deletions
 * of what else is set.
 */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/alteration.h"
#include "refbroker/api/config_changes.h"
#include "refbroker/api/doubled.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/meta/topics.h"

typedef struct km_incremental_alter_configs_request_alterable_config alter_config;
typedef struct km_incremental_alter_configs_request_alter_configs_resource alter_in;

/* Fills in the answer for one resource. */
typedef void answer_fn(
    struct request *request, int32_t index, const struct config_refusal *refusal);

struct config_alteration {
    struct alteration alteration; /* first */
    struct config_changes changes;
    answer_fn *answer;
};

static enum rc
changes_write(struct catalog *catalog, const struct alteration *alteration, struct err *e)
{
    const struct config_alteration *job = (const void *)alteration;

    return config_changes_apply(&job->changes, catalog, e);
}

static enum rc
changes_take_effect(const struct alteration *alteration, struct err *e)
{
    const struct config_alteration *job = (const void *)alteration;

    (void)e;
    config_changes_take_effect(&job->changes);
    return RC_OK;
}

static void
complain(const struct err *e)
{
    log_error("CONFIG-ALTER", "%s", e->text);
}

static void
answer_fail(const struct alteration *alteration, void *out)
{
    static const struct config_refusal failed = {KE_KAFKA_STORAGE_ERROR, NULL};
    const struct config_alteration *job = (const void *)alteration;

    (void)out;
    for (size_t i = 0; i < job->changes.count; i++)
        job->answer(alteration->request, job->changes.items[i].index, &failed);
}

static void
alteration_free(struct alteration *alteration)
{
    struct config_alteration *job = (void *)alteration;

    config_changes_fini(&job->changes);
    free(job);
}

static const struct alteration_kind kind = {
    changes_write, changes_take_effect, complain, answer_fail, alteration_free};

/* The key of a resource, to see whether it comes twice. */
static struct buf
resource_key(const alter_in *in)
{
    struct buf key;

    buf_init(&key, (size_t)INT16_MAX + 1);
    buf_append(&key, &in->resource_type, 1);
    buf_append(&key, in->resource_name.data, (size_t)in->resource_name.size);
    return key;
}

/* Reads all resources, answers those that are refused, and has the rest written. */
static enum h_result
resources_alter(struct broker *broker, struct request *request, answer_fn *answer,
    const alter_in *resources, int32_t count, bool validate_only)
{
    struct config_alteration *job = xcalloc(1, sizeof *job);
    size_t most = 0;
    struct doubled seen;

    alteration_init(&job->alteration, &kind, broker, request);
    job->answer = answer;
    doubled_init(&seen);
    for (int32_t i = 0; i < count; i++) {
        struct buf key = resource_key(&resources[i]);

        doubled_note(&seen, key.data, key.size);
        buf_fini(&key);
        most += (size_t)resources[i].configs.count;
    }
    config_changes_init(&job->changes, broker, request, most);
    for (int32_t i = 0; i < count; i++) {
        struct config_refusal refusal = {KE_NONE, NULL};
        struct buf key = resource_key(&resources[i]);

        if (doubled_is(&seen, key.data, key.size))
            config_changes_refuse(
                request, &refusal, KE_INVALID_REQUEST, "Each resource must appear at most once.");
        else
            config_changes_read(&job->changes, &resources[i], i, &refusal);
        buf_fini(&key);
        answer(request, i, &refusal);
    }
    doubled_fini(&seen);
    return alteration_end(&job->alteration, !validate_only && job->changes.count > 0);
}

static void
incremental_answer(struct request *request, int32_t index, const struct config_refusal *refusal)
{
    const struct km_incremental_alter_configs_request *in = request->in;
    struct km_incremental_alter_configs_response *out = request->out;
    struct km_incremental_alter_configs_response_alter_configs_resource_response *result =
        &out->responses.items[index];

    result->resource_type = in->resources.items[index].resource_type;
    result->resource_name = in->resources.items[index].resource_name;
    result->error_code = refusal->code;
    result->error_message = request_text(refusal->text);
}

enum h_result
h_incremental_alter_configs(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_incremental_alter_configs_request *in = in_;
    struct km_incremental_alter_configs_response *out = out_;

    out->responses.items = codec_array(&request->arena,
        &km_incremental_alter_configs_response_alter_configs_resource_response_desc,
        in->resources.count);
    if (out->responses.items == NULL)
        return H_CLOSE;
    out->responses.count = in->resources.count;
    return resources_alter(broker, request, incremental_answer, in->resources.items,
        in->resources.count, in->validate_only);
}

/* --- AlterConfigs ----------------------------------------------------------------------------- */

static void
legacy_answer(struct request *request, int32_t index, const struct config_refusal *refusal)
{
    const struct km_alter_configs_request *in = request->in;
    struct km_alter_configs_response *out = request->out;
    struct km_alter_configs_response_resource_response *result = &out->responses.items[index];

    result->resource_type = in->resources.items[index].resource_type;
    result->resource_name = in->resources.items[index].resource_name;
    result->error_code = refusal->code;
    result->error_message = request_text(refusal->text);
}

/* The next config that is set for a resource, NULL behind the last. */
static const char *
next_set(const struct broker *broker, int8_t type, const char *resource, size_t *position)
{
    const struct topic *topic;
    const void *name = NULL;

    if (type != RESOURCE_TOPIC)
        return resource_configs_each(&broker->resource_configs, (enum resource_type)type, resource,
                   position, (const char **)&name) == NULL
                   ? NULL
                   : name;
    topic = topics_find(&broker->topics, resource, strlen(resource));
    if (topic != NULL)
        (void)map_next(&topic->configs.set, position, &name, NULL);
    return name;
}

/* The operations that make what a resource has what the request names; false: no memory. */
static bool
operations_make(struct broker *broker, struct request *request,
    const struct km_alter_configs_request_resource *in, alter_in *out)
{
    const char *resource =
        arena_printf(&request->arena, "%.*s", in->resource_name.size, in->resource_name.data);
    size_t most = (size_t)in->configs.count, position = 0;
    struct map named;
    alter_config *config;
    const char *name;

    if (resource == NULL)
        return false;
    while (next_set(broker, in->resource_type, resource, &position) != NULL)
        most++;
    out->resource_type = in->resource_type;
    out->resource_name = in->resource_name;
    out->configs.items = codec_array(&request->arena,
        &km_incremental_alter_configs_request_alterable_config_desc, (int32_t)most);
    if (arena_is_full(&request->arena))
        return false;
    map_init(&named);
    for (int32_t i = 0; i < in->configs.count; i++) {
        config = &out->configs.items[out->configs.count++];
        config->name = in->configs.items[i].name;
        (void)map_put(&named, config->name.data, (size_t)config->name.size, config);
        config->value = in->configs.items[i].value;
        config->config_operation = OPERATION_SET;
    }
    position = 0;
    while ((name = next_set(broker, in->resource_type, resource, &position)) != NULL) {
        /* The path of a topic stays as it is: it is chosen at its creation. */
        if (map_get_text(&named, name) != NULL || strcmp(name, "diskless.enable") == 0)
            continue;
        config = &out->configs.items[out->configs.count++];
        config->name = request_text_dup(request, name);
        config->value.size = -1;
        config->config_operation = OPERATION_DELETE;
    }
    map_fini(&named, NULL);
    return !arena_is_full(&request->arena);
}

enum h_result
h_alter_configs(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_alter_configs_request *in = in_;
    struct km_alter_configs_response *out = out_;
    alter_in *resources = codec_array(&request->arena,
        &km_incremental_alter_configs_request_alter_configs_resource_desc, in->resources.count);

    out->responses.items = codec_array(
        &request->arena, &km_alter_configs_response_resource_response_desc, in->resources.count);
    if (arena_is_full(&request->arena))
        return H_CLOSE;
    out->responses.count = in->resources.count;
    for (int32_t i = 0; i < in->resources.count; i++)
        if (!operations_make(broker, request, &in->resources.items[i], &resources[i]))
            return H_CLOSE;
    return resources_alter(
        broker, request, legacy_answer, resources, in->resources.count, in->validate_only);
}
