/* DescribeCluster, ListPartitionReassignments, DescribeAcls, DescribeClientQuotas,
 * DescribeUserScramCredentials, ListConfigResources, DescribeDelegationToken: what belongs to no
 * topic. One question each, of whichever broker; none waits for the answer to another. */
#include <stdlib.h>

#include "audit/grants.h"
#include "audit/probe.h"
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define OPERATION_DESCRIBE 8 /* AclOperation's code, and its bit in authorized_operations */
#define FILTER_ANY 1         /* of every enumeration of a filter of access rules */
#define CLIENT_METRICS 16    /* among the types of resources */

struct question {
    enum audit_probe which;
    int16_t key;
    cluster_fan_build_fn *build;
    /* takes an answer without an error */
    void (*take)(struct audit_inventory *inventory, const void *response);
    int16_t none; /* the error code by which a cluster says that it has none; NONE: no such code */
};

struct asking {
    struct audit_inventory *inventory;
    const struct question *question;
    struct cluster_fan *fan;
};

/* The defaults of most requests ask for all. */
static size_t
all_build(void *arg, struct cluster_fan_batch *batch)
{
    (void)arg;
    (void)batch;
    return 1;
}

/* --- what the login may do with the cluster -----------------------------------------------------
 */

static size_t
rights_build(void *arg, struct cluster_fan_batch *batch)
{
    struct km_describe_cluster_request *request = batch->request;

    (void)arg;
    request->include_cluster_authorized_operations = true;
    return 1;
}

static void
rights_take(struct audit_inventory *inventory, const void *response_)
{
    const struct km_describe_cluster_response *response = response_;

    /* INT32_MIN: the broker does not say. */
    if (response->cluster_authorized_operations != INT32_MIN)
        inventory->is_restricted =
            (response->cluster_authorized_operations & (1 << OPERATION_DESCRIBE)) == 0;
}

/* --- reassignments, access rules, quotas, users -------------------------------------------------
 */

static void
reassignments_take(struct audit_inventory *inventory, const void *response_)
{
    const struct km_list_partition_reassignments_response *response = response_;

    for (int32_t i = 0; i < response->topics.count; i++) {
        uint32_t topic = inventory_topic(inventory, response->topics.items[i].name);

        if (topic != INVENTORY_NO_NUMBER)
            inventory->topics[topic].moving = (uint32_t)response->topics.items[i].partitions.count;
    }
}

static size_t
acls_build(void *arg, struct cluster_fan_batch *batch)
{
    static const struct wire_string any_text = {NULL, -1};
    struct km_describe_acls_request *request = batch->request;

    (void)arg;
    request->resource_type_filter = FILTER_ANY;
    request->resource_name_filter = any_text;
    request->principal_filter = any_text;
    request->host_filter = any_text;
    request->pattern_type_filter = FILTER_ANY;
    request->operation = FILTER_ANY;
    request->permission_type = FILTER_ANY;
    return 1;
}

static void
acls_take(struct audit_inventory *inventory, const void *response_)
{
    const struct km_describe_acls_response *response = response_;

    for (int32_t i = 0; i < response->resources.count; i++)
        inventory->cluster.acls += (uint32_t)response->resources.items[i].acls.count;
    grants_derive(inventory, response);
}

static void
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
}

static void
users_take(struct audit_inventory *inventory, const void *response_)
{
    const struct km_describe_user_scram_credentials_response *response = response_;

    inventory->cluster.scram_users =
        response->results.count < 0 ? 0 : (uint32_t)response->results.count;
}

/* --- subscriptions to clients' metrics ----------------------------------------------------------
 */

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
subscriptions_take(struct audit_inventory *inventory, const void *response_)
{
    const struct km_list_config_resources_response *response = response_;
    uint32_t count = 0;

    for (int32_t i = 0; i < response->config_resources.count; i++)
        count += response->config_resources.items[i].resource_type == CLIENT_METRICS;
    inventory->cluster.metrics_subscriptions = count;
}

/* --- delegation tokens --------------------------------------------------------------------------
 */

static size_t
tokens_build(void *arg, struct cluster_fan_batch *batch)
{
    struct km_describe_delegation_token_request *request = batch->request;

    (void)arg;
    request->owners.count = -1;
    return 1;
}

static void
tokens_take(struct audit_inventory *inventory, const void *response_)
{
    const struct km_describe_delegation_token_response *response = response_;

    inventory->cluster.tokens = response->tokens.count < 0 ? 0 : (uint32_t)response->tokens.count;
}

/* --- asking -------------------------------------------------------------------------------------
 */

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    (void)arg;
    (void)item;
    *out = (struct cluster_target){CLUSTER_ANY, NULL, 0};
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    const struct asking *asking = arg;
    int16_t code = conn_reply_error(batch->reply);

    if (code == KE_NONE)
        asking->question->take(asking->inventory, batch->response);
    cluster_fan_settle(
        batch->fan, batch->items[0], code == asking->question->none ? KE_NONE : code);
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    const struct asking *asking = arg;

    (void)item;
    /* Brokers that do not have the API at all have none of it either. */
    if (rc != RC_OK && (rc != RC_UNSUPPORTED || asking->question->none != KE_UNSUPPORTED_VERSION))
        inventory_gap(
            asking->inventory, INVENTORY_NO_NUMBER, asking->question->which, NULL, rc, code, e);
}

/* The asking must outlive the fan that it is given. */
static void
ask(struct asking *asking, const struct probe *probe, const struct question *question)
{
    struct cluster_fan_spec spec = {.api = frame_api(question->key),
        .item_count = 1,
        .target = target,
        .build = question->build,
        .parse = parse,
        .done = done,
        .arg = asking};

    *asking = (struct asking){probe->inventory, question, NULL};
    asking->fan = probe_fan_start(probe, question->which, &spec);
}

static void
ask_alone(const struct probe *probe, const struct question *question)
{
    struct asking asking;

    ask(&asking, probe, question);
    cluster_fan_finish(probe->cluster, asking.fan, NULL);
}

static const struct question rights = {
    AUDIT_CLUSTER, KM_DESCRIBE_CLUSTER, rights_build, rights_take, KE_NONE};

/* Without a secret there are no tokens. */
static const struct question tokens = {AUDIT_TOKENS, KM_DESCRIBE_DELEGATION_TOKEN, tokens_build,
    tokens_take, KE_DELEGATION_TOKEN_AUTH_DISABLED};

static const struct question questions[] = {
    {AUDIT_REASSIGNMENTS, KM_LIST_PARTITION_REASSIGNMENTS, all_build, reassignments_take, KE_NONE},
    /* Without an authorizer there are no rules. */
    {AUDIT_ACLS, KM_DESCRIBE_ACLS, acls_build, acls_take, KE_SECURITY_DISABLED},
    {AUDIT_QUOTAS, KM_DESCRIBE_CLIENT_QUOTAS, all_build, quotas_take, KE_NONE},
    {AUDIT_SCRAM_USERS, KM_DESCRIBE_USER_SCRAM_CREDENTIALS, all_build, users_take, KE_NONE},
    {AUDIT_METRICS_SUBSCRIPTIONS, KM_LIST_CONFIG_RESOURCES, subscriptions_build, subscriptions_take,
        KE_UNSUPPORTED_VERSION},
};

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

struct probe_cluster {
    struct cluster *cluster;
    struct asking asking[ARRAY_LEN(questions)];
};

struct probe_cluster *
probe_cluster_begin(const struct probe *probe)
{
    struct probe_cluster *own = xcalloc(1, sizeof *own);

    own->cluster = probe->cluster;
    racks_count(probe);
    for (size_t i = 0; i < ARRAY_LEN(questions); i++)
        ask(&own->asking[i], probe, &questions[i]);
    return own;
}

void
probe_cluster_end(struct probe_cluster *own)
{
    for (size_t i = 0; i < ARRAY_LEN(questions); i++)
        cluster_fan_finish(own->cluster, own->asking[i].fan, NULL);
    free(own);
}

void
probe_rights(const struct probe *probe)
{
    ask_alone(probe, &rights);
}

/* Over a connection without a login nobody may ask for tokens (DelegationTokenRequestNotAllowed),
 * so that asking where there can be none would leave a gap. */
void
probe_tokens(const struct probe *probe)
{
    const struct audit_inventory *inventory = probe->inventory;

    if (inventory->configs[AUDIT_BROKER_TOKEN_SECRET_KEY].value == NULL &&
        inventory->configs[AUDIT_BROKER_TOKEN_MASTER_KEY].value == NULL &&
        inventory->gaps[AUDIT_DEFAULTS].why == NULL)
        return;
    ask_alone(probe, &tokens);
}
