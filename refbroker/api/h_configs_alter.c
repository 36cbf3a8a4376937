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
#include "refbroker/api/config_changes.h"
#include "refbroker/api/doubled.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/coord/client_metrics.h"
#include "refbroker/coord/group_configs.h"
#include "refbroker/meta/broker_configs.h"
#include "refbroker/meta/topics.h"

typedef struct km_incremental_alter_configs_request_alterable_config alter_config;
typedef struct km_incremental_alter_configs_request_alter_configs_resource alter_in;

/* Fills in the answer for one resource. */
typedef void answer_fn(
    struct request *request, int32_t index, const struct config_refusal *refusal);

struct job {
    struct catalog_job job;
    struct request *request; /* NULL once it is gone */
    struct config_changes changes;
    answer_fn *answer;
};

static enum rc
apply(struct catalog *catalog, struct catalog_job *catalog_job, struct err *e)
{
    struct job *job = (struct job *)(void *)catalog_job;

    return config_changes_apply(&job->changes, catalog, e);
}

static void
job_free(struct job *job)
{
    config_changes_fini(&job->changes);
    free(job);
}

static void
job_done(struct catalog_job *catalog_job)
{
    static const struct config_refusal failed = {KE_KAFKA_STORAGE_ERROR, NULL};
    struct job *job = (struct job *)(void *)catalog_job;
    struct broker *broker = job->changes.broker;

    if (catalog_job->rc == RC_OK)
        config_changes_take_effect(&job->changes);
    else
        log_error("CONFIG-ALTER", "%s", catalog_job->err.text);
    for (size_t i = 0; i < job->changes.count; i++)
        if (catalog_job->rc != RC_OK && job->request != NULL)
            job->answer(job->request, job->changes.items[i].index, &failed);
    if (job->request != NULL)
        broker_finish(broker, job->request);
    job_free(job);
}

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct job *)request->park)->request = NULL;
}

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
    struct job *job = xcalloc(1, sizeof *job);
    size_t most = 0;
    struct doubled seen;

    job->request = request;
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
    if (validate_only || job->changes.count == 0 || arena_is_full(&request->arena)) {
        job_free(job);
        return arena_is_full(&request->arena) ? H_CLOSE : H_DONE;
    }
    job->job.apply = apply;
    job->job.done = job_done;
    request->park = job;
    request->on_drop = dropped;
    catalog_submit(broker->catalog, &job->job);
    return H_PARK;
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

static bool
names(const struct km_alter_configs_request_resource *in, const char *name)
{
    for (int32_t i = 0; i < in->configs.count; i++)
        if (request_is_text(in->configs.items[i].name, name))
            return true;
    return false;
}

/* Whether a config is set that the request does not name. The path of a topic stays as it is: it is
 * chosen at its creation. */
static bool
goes(const struct broker *broker, const struct km_alter_configs_request_resource *in,
    const char *resource, const char *name)
{
    const struct topic *topic;

    if (names(in, name) || strcmp(name, "diskless.enable") == 0)
        return false;
    if (in->resource_type != RESOURCE_TOPIC)
        return resource_configs_get(&broker->resource_configs,
                   (enum resource_type)in->resource_type, resource, name) != NULL;
    topic = topics_find(&broker->topics, resource, strlen(resource));
    return topic != NULL && topic_configs_is_set(&topic->configs, name);
}

/* The names that a kind of resource knows, by index; NULL behind the last. */
static const char *
known_name(int8_t type, size_t index)
{
    size_t topics, groups, metrics, brokers;
    const struct topic_config_row *topic_rows = topic_configs_rows(&topics);
    const struct group_config_row *group_rows = group_configs_rows(&groups);
    const struct client_metrics_row *metrics_rows = client_metrics_rows(&metrics);
    const struct broker_config_row *broker_rows = broker_configs_rows(&brokers);

    switch (type) {
    case RESOURCE_TOPIC:
        return index < topics ? topic_rows[index].name : NULL;
    case RESOURCE_GROUP:
        return index < groups ? group_rows[index].name : NULL;
    case RESOURCE_CLIENT_METRICS:
        return index < metrics ? metrics_rows[index].name : NULL;
    case RESOURCE_BROKER:
        return index < brokers ? broker_rows[index].name : NULL;
    default:
        return NULL;
    }
}

/* The operations that make what a resource has what the request names; false: no memory. */
static bool
operations_make(struct broker *broker, struct request *request,
    const struct km_alter_configs_request_resource *in, alter_in *out)
{
    const char *resource =
        arena_printf(&request->arena, "%.*s", in->resource_name.size, in->resource_name.data);
    size_t most = (size_t)in->configs.count;
    alter_config *config;

    while (known_name(in->resource_type, most - (size_t)in->configs.count) != NULL)
        most++;
    out->resource_type = in->resource_type;
    out->resource_name = in->resource_name;
    out->configs.items = codec_array(&request->arena,
        &km_incremental_alter_configs_request_alterable_config_desc, (int32_t)most);
    if (arena_is_full(&request->arena))
        return false;
    for (int32_t i = 0; i < in->configs.count; i++) {
        config = &out->configs.items[out->configs.count++];
        config->name = in->configs.items[i].name;
        config->value = in->configs.items[i].value;
        config->config_operation = OPERATION_SET;
    }
    for (size_t i = 0; known_name(in->resource_type, i) != NULL; i++) {
        const char *name = known_name(in->resource_type, i);

        if (!goes(broker, in, resource, name))
            continue;
        config = &out->configs.items[out->configs.count++];
        config->name = request_text(name);
        config->value.size = -1;
        config->config_operation = OPERATION_DELETE;
    }
    return true;
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
