#include "mirror/fence.h"

#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define TIMEOUT_MS 30000

/* As in the protocol: ResourceType, PatternType, AclOperation, AclPermissionType. */
#define RESOURCE_TOPIC 2
#define PATTERN_ANY 1
#define PATTERN_LITERAL 3
#define PATTERN_PREFIXED 4
#define OPERATION_ANY 1
#define OPERATION_READ 3
#define OPERATION_WRITE 4
#define OPERATION_DESCRIBE_CONFIGS 10
#define PERMISSION_ANY 1
#define PERMISSION_DENY 2
#define PERMISSION_ALLOW 3
#define EVERYBODY "User:*"
#define EVERYWHERE "*"
#define EVERY_TOPIC "*"

static const struct cluster_target controller = {CLUSTER_CONTROLLER, NULL, 0};

/* The rules of a topic; the first one is the fence, the others open it (Read implies Describe). */
static const struct {
    int8_t operation;
    int8_t permission;
} rules[] = {
    {OPERATION_WRITE, PERMISSION_DENY},
    {OPERATION_READ, PERMISSION_ALLOW},
    {OPERATION_DESCRIBE_CONFIGS, PERMISSION_ALLOW},
};

static enum rc
refusal(int16_t code, struct wire_string message, struct err *e)
{
    if (code == KE_NONE)
        return RC_OK;
    if (code == KE_SECURITY_DISABLED)
        return err_set(e, RC_UNSUPPORTED,
            "it has no authorizer, so there are no rules that keep producers out: stop them, and "
            "leave out --fence");
    if (code == KE_CLUSTER_AUTHORIZATION_FAILED)
        return err_set(e, RC_DENIED,
            "the login may not change access rules: grant it Describe and Alter on the cluster, or "
            "stop the producers and leave out --fence");
    return err_set(e, RC_REMOTE, "access rules: %d %s: %.*s", code, kerr_name(code),
        message.size < 0 ? 0 : message.size, message.size < 0 ? "" : message.data);
}

/* --- which there are ---------------------------------------------------------------------------
 */

static bool
applies(const struct km_describe_acls_response_resource *resource, const char *topic)
{
    struct wire_string name = resource->resource_name;

    if (resource->pattern_type == PATTERN_PREFIXED)
        return name.size >= 0 && strncmp(topic, name.data, (size_t)name.size) == 0;
    return codec_string_is(name, topic) || codec_string_is(name, EVERY_TOPIC);
}

enum rc
fence_look(
    struct cluster *cluster, const struct selection *selection, bool *has_rules, struct err *e)
{
    struct km_describe_acls_request request;
    const struct km_describe_acls_response *response;
    struct conn_reply *reply;
    enum rc rc;

    codec_init(&km_describe_acls_request_desc, &request);
    request.resource_type_filter = RESOURCE_TOPIC;
    request.pattern_type_filter = PATTERN_ANY;
    request.operation = OPERATION_ANY;
    request.permission_type = PERMISSION_ANY;
    rc = cluster_call(
        cluster, &controller, frame_api(KM_DESCRIBE_ACLS), NULL, &request, TIMEOUT_MS, &reply, e);
    if (rc != RC_OK)
        return rc;
    response = reply->response;
    rc = refusal(response->error_code, response->error_message, e);
    for (uint32_t i = 0; i < selection->topic_count && rc == RC_OK; i++) {
        has_rules[i] = false;
        for (int32_t k = 0; k < response->resources.count && !has_rules[i]; k++)
            has_rules[i] = applies(&response->resources.items[k], selection->topics[i].name);
    }
    conn_reply_unref(reply);
    return rc;
}

/* --- setting and lifting -----------------------------------------------------------------------
 */

/* How many rules the topics have in all. */
static int32_t
rules_count(const struct selection *selection, const bool *opens)
{
    int32_t count = 0;

    for (uint32_t i = 0; i < selection->topic_count; i++)
        count += opens[i] ? (int32_t)ARRAY_LEN(rules) : 1;
    return count;
}

enum rc
fence_set(
    struct cluster *cluster, const struct selection *selection, const bool *opens, struct err *e)
{
    struct km_create_acls_request request;
    const struct km_create_acls_response *response;
    struct conn_reply *reply;
    int32_t count = rules_count(selection, opens);
    enum rc rc;

    codec_init(&km_create_acls_request_desc, &request);
    request.creations.items = xcalloc((size_t)count, sizeof *request.creations.items);
    for (uint32_t i = 0; i < selection->topic_count; i++)
        for (size_t k = 0; k < (opens[i] ? ARRAY_LEN(rules) : 1); k++)
            request.creations.items[request.creations.count++] =
                (struct km_create_acls_request_acl_creation){.resource_type = RESOURCE_TOPIC,
                    .resource_name = codec_string(selection->topics[i].name),
                    .resource_pattern_type = PATTERN_LITERAL,
                    .principal = codec_string(EVERYBODY),
                    .host = codec_string(EVERYWHERE),
                    .operation = rules[k].operation,
                    .permission_type = rules[k].permission};
    rc = cluster_call(
        cluster, &controller, frame_api(KM_CREATE_ACLS), NULL, &request, TIMEOUT_MS, &reply, e);
    free(request.creations.items);
    if (rc != RC_OK)
        return rc;
    response = reply->response;
    if (response->results.count != count)
        rc = err_set(e, RC_PROTOCOL, "CreateAcls answers about %d rules instead of %d",
            response->results.count, count);
    for (int32_t i = 0; i < response->results.count && rc == RC_OK; i++)
        rc = refusal(
            response->results.items[i].error_code, response->results.items[i].error_message, e);
    conn_reply_unref(reply);
    return rc;
}

static enum rc
lifted_check(const struct km_delete_acls_response_filter_result *result, struct err *e)
{
    enum rc rc = refusal(result->error_code, result->error_message, e);

    for (int32_t i = 0; i < result->matching_acls.count && rc == RC_OK; i++)
        rc = refusal(result->matching_acls.items[i].error_code,
            result->matching_acls.items[i].error_message, e);
    return rc;
}

enum rc
fence_lift(
    struct cluster *cluster, const struct selection *selection, const bool *opens, struct err *e)
{
    struct km_delete_acls_request request;
    const struct km_delete_acls_response *response;
    struct conn_reply *reply;
    int32_t count = rules_count(selection, opens);
    enum rc rc;

    codec_init(&km_delete_acls_request_desc, &request);
    request.filters.items = xcalloc((size_t)count, sizeof *request.filters.items);
    for (uint32_t i = 0; i < selection->topic_count; i++)
        for (size_t k = 0; k < (opens[i] ? ARRAY_LEN(rules) : 1); k++)
            request.filters.items[request.filters.count++] =
                (struct km_delete_acls_request_filter){.resource_type_filter = RESOURCE_TOPIC,
                    .resource_name_filter = codec_string(selection->topics[i].name),
                    .pattern_type_filter = PATTERN_LITERAL,
                    .principal_filter = codec_string(EVERYBODY),
                    .host_filter = codec_string(EVERYWHERE),
                    .operation = rules[k].operation,
                    .permission_type = rules[k].permission};
    rc = cluster_call(
        cluster, &controller, frame_api(KM_DELETE_ACLS), NULL, &request, TIMEOUT_MS, &reply, e);
    free(request.filters.items);
    if (rc != RC_OK)
        return rc;
    response = reply->response;
    if (response->filter_results.count != count)
        rc = err_set(e, RC_PROTOCOL, "DeleteAcls answers about %d filters instead of %d",
            response->filter_results.count, count);
    for (int32_t i = 0; i < response->filter_results.count && rc == RC_OK; i++)
        rc = lifted_check(&response->filter_results.items[i], e);
    conn_reply_unref(reply);
    return rc;
}
