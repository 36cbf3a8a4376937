/* ApiVersions, ListPartitionReassignments, DescribeAcls, DescribeClientQuotas,
 * DescribeUserScramCredentials, DescribeDelegationToken: what belongs to no topic. One question
 * each. */

#include "audit/grants.h"
#include "audit/probe.h"
#include "audit/streams.h"
#include "gen/messages.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define FILTER_ANY 1 /* of every enumeration of a filter of access rules */

union question {
    struct km_api_versions_request features;
    struct km_list_partition_reassignments_request reassignments;
    struct km_describe_acls_request acls;
    struct km_describe_client_quotas_request quotas;
    struct km_describe_user_scram_credentials_request users;
    struct km_describe_delegation_token_request tokens;
};

/* Takes an answer; returns its error code. */
typedef int16_t take_fn(struct audit_inventory *inventory, const void *response);

static int16_t
features_take(struct audit_inventory *inventory, const void *response_)
{
    const struct km_api_versions_response *response = response_;

    for (int32_t i = 0; i < response->finalized_features.count; i++)
        for (unsigned k = 0; k < AUDIT_FEATURES; k++)
            if (codec_string_is(response->finalized_features.items[i].name,
                    inventory_feature_name((enum audit_feature)k)))
                inventory->cluster.features[k] =
                    response->finalized_features.items[i].max_version_level;
    return response->error_code;
}

static int16_t
reassignments_take(struct audit_inventory *inventory, const void *response_)
{
    const struct km_list_partition_reassignments_response *response = response_;

    for (int32_t i = 0; i < response->topics.count; i++) {
        uint32_t topic = inventory_topic(inventory, response->topics.items[i].name);

        if (topic != INVENTORY_NO_NUMBER)
            inventory->topics[topic].moving = (uint32_t)response->topics.items[i].partitions.count;
    }
    return response->error_code;
}

static int16_t
acls_take(struct audit_inventory *inventory, const void *response_)
{
    const struct km_describe_acls_response *response = response_;

    for (int32_t i = 0; i < response->resources.count; i++)
        inventory->cluster.acls += (uint32_t)response->resources.items[i].acls.count;
    grants_derive(inventory, response);
    /* Without an authorizer there are no rules. */
    return response->error_code == KE_SECURITY_DISABLED ? KE_NONE : response->error_code;
}

static int16_t
quotas_take(struct audit_inventory *inventory, const void *response_)
{
    const struct km_describe_client_quotas_response *response = response_;

    for (int32_t i = 0; i < response->entries.count; i++) {
        const struct km_describe_client_quotas_response_entry_data *entry =
            &response->entries.items[i];

        inventory->cluster.quotas++;
        for (int32_t k = 0; k < entry->entity.count; k++)
            inventory->cluster.client_id_quotas +=
                codec_string_is(entry->entity.items[k].entity_type, "client-id");
    }
    return response->error_code;
}

static int16_t
users_take(struct audit_inventory *inventory, const void *response_)
{
    const struct km_describe_user_scram_credentials_response *response = response_;

    inventory->cluster.scram_users =
        response->results.count < 0 ? 0 : (uint32_t)response->results.count;
    return response->error_code;
}

static int16_t
tokens_take(struct audit_inventory *inventory, const void *response_)
{
    const struct km_describe_delegation_token_response *response = response_;

    inventory->cluster.tokens = response->tokens.count < 0 ? 0 : (uint32_t)response->tokens.count;
    /* Without a secret there are none. */
    return response->error_code == KE_DELEGATION_TOKEN_AUTH_DISABLED ? KE_NONE
                                                                     : response->error_code;
}

static void
ask(const struct probe *probe, enum audit_probe which, int16_t key, const union question *question,
    take_fn *take)
{
    static const struct cluster_target any = {CLUSTER_ANY, NULL, 0};
    struct conn_reply *reply;
    int16_t code;
    struct env env;
    struct err e;
    enum rc rc;

    REQUIRE(probe_is_allowed(key));
    env_init_real(&env);
    probe->inventory->asked_ms[which] = env_wall_ms(&env);
    rc = cluster_call(probe->cluster, &any, frame_api(key), NULL, question, 0, &reply, &e);
    if (rc != RC_OK) {
        inventory_gap(probe->inventory, INVENTORY_NO_NUMBER, which, NULL, rc, 0, &e);
        return;
    }
    code = take(probe->inventory, reply->response);
    if (code != KE_NONE)
        inventory_gap(probe->inventory, INVENTORY_NO_NUMBER, which, NULL, RC_REMOTE, code, NULL);
    conn_reply_unref(reply);
}

static void
racks_count(const struct probe *probe)
{
    const struct cluster_map *map = cluster_view(probe->cluster);
    const struct cluster_broker *broker;
    size_t position = 0;
    struct map racks;

    map_init(&racks);
    while ((broker = cluster_map_next_broker(map, &position)) != NULL)
        if (broker->rack != NULL)
            map_put_text(&racks, broker->rack, &racks);
    probe->inventory->cluster.racks = (uint32_t)map_count(&racks);
    map_fini(&racks, NULL);
}

void
probe_cluster(const struct probe *probe)
{
    static const struct wire_string any_text = {NULL, -1};
    union question question;

    racks_count(probe);
    codec_init(&km_api_versions_request_desc, &question);
    question.features.client_software_name = codec_string("kdl");
    question.features.client_software_version = codec_string(KDL_VERSION);
    ask(probe, AUDIT_VERSIONS, KM_API_VERSIONS, &question, features_take);
    codec_init(&km_list_partition_reassignments_request_desc, &question);
    ask(probe, AUDIT_REASSIGNMENTS, KM_LIST_PARTITION_REASSIGNMENTS, &question, reassignments_take);
    codec_init(&km_describe_acls_request_desc, &question);
    question.acls.resource_type_filter = FILTER_ANY;
    question.acls.resource_name_filter = any_text;
    question.acls.principal_filter = any_text;
    question.acls.host_filter = any_text;
    question.acls.pattern_type_filter = FILTER_ANY;
    question.acls.operation = FILTER_ANY;
    question.acls.permission_type = FILTER_ANY;
    ask(probe, AUDIT_ACLS, KM_DESCRIBE_ACLS, &question, acls_take);
    codec_init(&km_describe_client_quotas_request_desc, &question);
    ask(probe, AUDIT_QUOTAS, KM_DESCRIBE_CLIENT_QUOTAS, &question, quotas_take);
    codec_init(&km_describe_user_scram_credentials_request_desc, &question);
    ask(probe, AUDIT_SCRAM_USERS, KM_DESCRIBE_USER_SCRAM_CREDENTIALS, &question, users_take);
}

/* Over a connection without a login nobody may ask for tokens (DelegationTokenRequestNotAllowed),
 * so that asking where there can be none would leave a gap. */
void
probe_tokens(const struct probe *probe)
{
    const struct audit_inventory *inventory = probe->inventory;
    union question question;

    if (inventory->configs[AUDIT_BROKER_TOKEN_SECRET_KEY].value == NULL &&
        inventory->configs[AUDIT_BROKER_TOKEN_MASTER_KEY].value == NULL &&
        inventory->gaps[AUDIT_DEFAULTS].why == NULL)
        return;
    codec_init(&km_describe_delegation_token_request_desc, &question);
    question.tokens.owners.count = -1;
    ask(probe, AUDIT_TOKENS, KM_DESCRIBE_DELEGATION_TOKEN, &question, tokens_take);
}
