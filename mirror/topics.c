#include "mirror/topics.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define TIMEOUT_MS 30000
#define RESOURCE_TOPIC 2
#define SOURCE_TOPIC 1    /* a config that the topic has of its own */
#define STATE_MIRRORING 1 /* as in MirrorState */
#define STATE_PROMOTED 2

static const struct cluster_target any = {CLUSTER_ANY, NULL, 0};
static const struct cluster_target controller = {CLUSTER_CONTROLLER, NULL, 0};

/* Configs that belong to the cluster that a topic lies in, not to its content. */
static const char *const not_copied[] = {"follower.replication.throttled.replicas",
    "leader.replication.throttled.replicas", "remote.storage.enable", "local.retention.ms",
    "local.retention.bytes", "remote.log.copy.disable", "remote.log.delete.on.disable",
    "unclean.leader.election.enable", "diskless.enable", "min.insync.replicas"};

enum rc
topics_configs_ask(struct cluster *cluster, const struct selection *selection, const char *name,
    struct conn_reply **reply, struct err *e)
{
    struct wire_string key = codec_string(name);
    struct km_describe_configs_request request;
    enum rc rc;

    codec_init(&km_describe_configs_request_desc, &request);
    request.resources.items = xcalloc(selection->topic_count, sizeof *request.resources.items);
    request.resources.count = (int32_t)selection->topic_count;
    for (uint32_t i = 0; i < selection->topic_count; i++) {
        codec_init(&km_describe_configs_request_resource_desc, &request.resources.items[i]);
        request.resources.items[i].resource_type = RESOURCE_TOPIC;
        request.resources.items[i].resource_name = codec_string(selection->topics[i].name);
        request.resources.items[i].configuration_keys.items = &key;
        request.resources.items[i].configuration_keys.count = name == NULL ? -1 : 1;
    }
    rc = cluster_call(cluster, &any, frame_api(KM_DESCRIBE_CONFIGS), NULL, &request, 0, reply, e);
    free(request.resources.items);
    return rc;
}

const struct km_describe_configs_response_result *
topics_configs_of(const struct conn_reply *reply, const char *topic)
{
    const struct km_describe_configs_response *response = reply->response;

    for (int32_t i = 0; i < response->results.count; i++)
        if (codec_string_is(response->results.items[i].resource_name, topic))
            return &response->results.items[i];
    return NULL;
}

enum rc
topics_compaction(struct cluster *cluster, struct selection *selection, struct err *e)
{
    struct conn_reply *reply;
    enum rc rc = topics_configs_ask(cluster, selection, "cleanup.policy", &reply, e);

    if (rc != RC_OK)
        return rc;
    for (uint32_t i = 0; i < selection->topic_count; i++) {
        struct selection_topic *topic = &selection->topics[i];
        const struct km_describe_configs_response_result *result =
            topics_configs_of(reply, topic->name);

        for (int32_t k = 0; result != NULL && k < result->configs.count; k++)
            topic->compacts =
                result->configs.items[k].value.size > 0 &&
                memmem(result->configs.items[k].value.data,
                    (size_t)result->configs.items[k].value.size, "compact", 7) != NULL;
    }
    conn_reply_unref(reply);
    return RC_OK;
}

bool
topics_is_own(const struct km_describe_configs_response_resource_result *config)
{
    return config->config_source == SOURCE_TOPIC && config->value.size >= 0;
}

bool
topics_is_copied(struct wire_string name)
{
    for (size_t i = 0; i < ARRAY_LEN(not_copied); i++)
        if (codec_string_is(name, not_copied[i]))
            return false;
    return true;
}

enum rc
topics_make(struct cluster *to, const struct topics_wanted *wanted, bool *made, struct err *e)
{
    struct km_create_topics_request_creatable_topic make;
    struct km_create_topics_request request;
    const struct km_create_topics_response *response;
    const struct km_create_topics_response_creatable_topic_result *answer;
    struct conn_reply *reply;
    enum rc rc;

    codec_init(&km_create_topics_request_desc, &request);
    codec_init(&km_create_topics_request_creatable_topic_desc, &make);
    make.name = wanted->name;
    make.num_partitions = wanted->partition_count;
    make.replication_factor = -1;
    make.configs.items = wanted->configs;
    make.configs.count = wanted->config_count;
    request.topics.items = &make;
    request.topics.count = 1;
    request.timeout_ms = TIMEOUT_MS;
    rc = cluster_call(
        to, &controller, frame_api(KM_CREATE_TOPICS), NULL, &request, TIMEOUT_MS, &reply, e);
    if (rc != RC_OK)
        return rc;
    response = reply->response;
    answer = response->topics.items;
    if (response->topics.count != 1)
        rc = err_set(e, RC_PROTOCOL, "CreateTopics answers about %d topics instead of 1",
            response->topics.count);
    else if (answer->error_code != KE_NONE && answer->error_code != KE_TOPIC_ALREADY_EXISTS)
        rc = err_set(e, RC_REMOTE, "the target refuses topic %.*s: %d %s: %.*s", wanted->name.size,
            wanted->name.data, answer->error_code, kerr_name(answer->error_code),
            answer->error_message.size < 0 ? 0 : answer->error_message.size,
            answer->error_message.size < 0 ? "" : answer->error_message.data);
    else
        *made = answer->error_code == KE_NONE;
    conn_reply_unref(reply);
    return rc;
}

/* --- their state -------------------------------------------------------------------------------
 */

/* Sets the state of all topics; `epochs` are what promotion has to go above, by topic, or NULL. */
static enum rc
state_set(struct cluster *to, const struct selection *selection,
    const struct km_mirror_state_request_topic *wanted, const int32_t *epochs,
    struct conn_reply **reply, struct err *e)
{
    struct km_mirror_state_request request;
    const struct km_mirror_state_response *response;
    enum rc rc;

    codec_init(&km_mirror_state_request_desc, &request);
    request.topics.items = xcalloc(selection->topic_count, sizeof *request.topics.items);
    request.topics.count = (int32_t)selection->topic_count;
    for (uint32_t i = 0; i < selection->topic_count; i++) {
        request.topics.items[i] = *wanted;
        request.topics.items[i].name = codec_string(selection->topics[i].name);
        if (epochs != NULL)
            request.topics.items[i].leader_epoch_min = epochs[i];
    }
    rc = cluster_call(to, &any, frame_api(KM_MIRROR_STATE), NULL, &request, TIMEOUT_MS, reply, e);
    free(request.topics.items);
    if (rc == RC_UNSUPPORTED)
        return err_set(e, rc,
            "the target keeps no offsets for a mirror: it is no refbroker (it lacks API %d)",
            KM_MIRROR_STATE);
    if (rc != RC_OK)
        return rc;
    response = (*reply)->response;
    if (response->topics.count == (int32_t)selection->topic_count)
        return RC_OK;
    conn_reply_unref(*reply);
    return err_set(e, RC_PROTOCOL, "MirrorState answers about %d topics instead of %u",
        response->topics.count, selection->topic_count);
}

enum rc
topics_mirroring(struct cluster *to, const struct selection *selection, struct err *e)
{
    struct km_mirror_state_request_topic wanted;
    const struct km_mirror_state_response *response;
    struct conn_reply *reply;
    enum rc rc;

    codec_init(&km_mirror_state_request_topic_desc, &wanted);
    wanted.state = STATE_MIRRORING;
    rc = state_set(to, selection, &wanted, NULL, &reply, e);
    if (rc != RC_OK)
        return rc;
    response = reply->response;
    for (int32_t i = 0; i < response->topics.count && rc == RC_OK; i++)
        if (response->topics.items[i].error_code != KE_NONE)
            rc = err_set(e, RC_CONFLICT,
                "the target's topic %s cannot be mirrored into: %.*s. Delete it there, or choose "
                "other topics.",
                selection->topics[i].name,
                response->topics.items[i].error_message.size < 0
                    ? 0
                    : response->topics.items[i].error_message.size,
                response->topics.items[i].error_message.data);
    conn_reply_unref(reply);
    return rc;
}

enum rc
topics_promote(struct cluster *to, const struct selection *selection, const int32_t *epochs,
    bool aborts_open, struct err *e)
{
    struct km_mirror_state_request_topic wanted;
    const struct km_mirror_state_response *response;
    struct conn_reply *reply;
    enum rc rc;

    codec_init(&km_mirror_state_request_topic_desc, &wanted);
    wanted.state = STATE_PROMOTED;
    wanted.abort_open = aborts_open;
    rc = state_set(to, selection, &wanted, epochs, &reply, e);
    if (rc != RC_OK)
        return rc;
    response = reply->response;
    for (int32_t i = 0; i < response->topics.count && rc == RC_OK; i++) {
        const struct km_mirror_state_response_topic *topic = &response->topics.items[i];

        if (topic->error_code == KE_NONE && topic->state == STATE_PROMOTED)
            continue;
        rc = err_set(e, RC_CONFLICT, "topic %s is not promoted: %d %s: %.*s",
            selection->topics[i].name, topic->error_code, kerr_name(topic->error_code),
            topic->error_message.size < 0 ? 0 : topic->error_message.size,
            topic->error_message.size < 0 ? "" : topic->error_message.data);
    }
    conn_reply_unref(reply);
    return rc;
}
