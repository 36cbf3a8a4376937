/* ListPartitionReassignments, DescribeAcls, DescribeClientQuotas, DescribeUserScramCredentials,
 * ListConfigResources, DescribeDelegationToken: what belongs to no topic. One question each. */

#include "audit/grants.h"
#include "audit/probe.h"
#include "audit/streams.h"
#include "gen/messages.h"
#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define FILTER_ANY 1      /* of every enumeration of a filter of access rules */
#define CLIENT_METRICS 16 /* among the types of resources */

union question {
    struct km_list_partition_reassignments_request reassignments;
    struct km_describe_acls_request acls;
    struct km_describe_client_quotas_request quotas;
    struct km_describe_user_scram_credentials_request users;
    struct km_describe_delegation_token_request tokens;
};

/* Takes an answer; returns its error code. */
typedef int16_t take_fn(struct audit_inventory *inventory, const void *response);

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

/* --- subscriptions to clients' metrics ----------------------------------------------------------
 */

static void
subscriptions_target(void *arg, uint32_t item, struct cluster_target *out)
{
    (void)arg;
    (void)item;
    *out = (struct cluster_target){CLUSTER_ANY, NULL, 0};
}

/* Version 0 lists nothing else, and so has no types: what is asked depends on the broker. */
static size_t
subscriptions_build(void *arg, struct cluster_fan_batch *batch)
{
    static const int8_t wanted[] = {CLIENT_METRICS};
    struct km_list_config_resources_request *request = batch->request;

    (void)arg;
    if (batch->version > 0) {
        request->resource_types.items = arena_dup(batch->arena, wanted, sizeof wanted);
        request->resource_types.count = request->resource_types.items == NULL ? 0 : 1;
    }
    return 1;
}

static void
subscriptions_parse(void *arg, struct cluster_fan_batch *batch)
{
    const struct km_list_config_resources_response *response = batch->response;
    struct audit_inventory *inventory = arg;
    uint32_t count = 0;

    for (int32_t i = 0; i < response->config_resources.count; i++)
        count += response->config_resources.items[i].resource_type == CLIENT_METRICS;
    inventory->cluster.metrics_subscriptions = count;
    cluster_fan_settle(batch->fan, batch->items[0], response->error_code);
}

/* Brokers that do not have the API have no subscriptions either. */
static void
subscriptions_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    (void)item;
    if (rc != RC_OK && rc != RC_UNSUPPORTED && code != KE_UNSUPPORTED_VERSION)
        inventory_gap(arg, INVENTORY_NO_NUMBER, AUDIT_METRICS_SUBSCRIPTIONS, NULL, rc, code, e);
}

static void
subscriptions_ask(const struct probe *probe)
{
    struct cluster_fan_spec spec = {.api = frame_api(KM_LIST_CONFIG_RESOURCES),
        .item_count = 1,
        .target = subscriptions_target,
        .build = subscriptions_build,
        .parse = subscriptions_parse,
        .done = subscriptions_done,
        .arg = probe->inventory};

    probe_fan(probe, AUDIT_METRICS_SUBSCRIPTIONS, &spec);
}

/* --- all of it ----------------------------------------------------------------------------------
 */

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
    subscriptions_ask(probe);
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
