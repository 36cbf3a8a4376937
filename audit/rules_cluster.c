/* Conditions about the cluster. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/rules_when.h"
#include "lib/base/saturate.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define MESSAGE_BYTES_HUGE (INT64_C(8) << 20)
#define CLUSTER_BYTES_SMALL INT64_C(10000000000)
#define DISK_SHARE_LEFT_LOW 0.15
#define TRANSACTIONS_TWO 2 /* the level of transaction.version with KIP-890 in full */

static const char *
value_of(const struct rules_look *look, enum audit_broker_config config)
{
    return look->inventory->configs[config].value;
}

static bool
told(struct rules_look *look, enum audit_broker_config config)
{
    return rules_when_seen(
        look, AUDIT_DEFAULTS, "%s=%s", inventory_broker_key(config), value_of(look, config));
}

static bool
counted(struct rules_look *look, uint32_t count, enum audit_probe probe, const char *what)
{
    return count > 0 && rules_when_seen(look, probe, "%" PRIu32 " %s", count, what);
}

bool
rules_when_creates_by_use(struct rules_look *look)
{
    const char *value = value_of(look, AUDIT_BROKER_AUTO_CREATE);

    return value != NULL && strcmp(value, "true") == 0 && told(look, AUDIT_BROKER_AUTO_CREATE);
}

bool
rules_when_compacts_by_default(struct rules_look *look)
{
    const char *value = value_of(look, AUDIT_BROKER_DEFAULT_CLEANUP_POLICY);

    return value != NULL && strstr(value, "compact") != NULL &&
           told(look, AUDIT_BROKER_DEFAULT_CLEANUP_POLICY);
}

bool
rules_when_has_transactions_two(struct rules_look *look)
{
    int16_t level = look->inventory->cluster.features[AUDIT_FEATURE_TRANSACTION];

    return level >= TRANSACTIONS_TWO &&
           rules_when_seen(look, AUDIT_VERSIONS, "%s=%d",
               inventory_feature_name(AUDIT_FEATURE_TRANSACTION), level);
}

bool
rules_when_has_transactional_ids(struct rules_look *look)
{
    return counted(
        look, look->inventory->transactional_id_count, AUDIT_TRANSACTIONS, "transactional ids");
}

static bool
has_groups_of(struct rules_look *look, enum audit_group_type type)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < look->inventory->group_count; i++)
        count += look->inventory->groups[i].type == type;
    return counted(look, count, AUDIT_GROUPS, "of them");
}

bool
rules_when_has_share_groups(struct rules_look *look)
{
    return has_groups_of(look, AUDIT_GROUP_SHARE);
}

bool
rules_when_has_streams_groups(struct rules_look *look)
{
    return has_groups_of(look, AUDIT_GROUP_STREAMS);
}

bool
rules_when_has_quotas(struct rules_look *look)
{
    return counted(look, look->inventory->cluster.quotas, AUDIT_QUOTAS, "users, clients or both");
}

bool
rules_when_has_client_id_quotas(struct rules_look *look)
{
    return counted(
        look, look->inventory->cluster.client_id_quotas, AUDIT_QUOTAS, "quotas name a client id");
}

bool
rules_when_has_scram_users(struct rules_look *look)
{
    return counted(look, look->inventory->cluster.scram_users, AUDIT_SCRAM_USERS, "users");
}

bool
rules_when_has_tokens(struct rules_look *look)
{
    return counted(look, look->inventory->cluster.tokens, AUDIT_TOKENS, "tokens");
}

bool
rules_when_has_metrics_subscriptions(struct rules_look *look)
{
    return counted(look, look->inventory->cluster.metrics_subscriptions,
        AUDIT_METRICS_SUBSCRIPTIONS, "subscriptions");
}

bool
rules_when_has_odd_brokers(struct rules_look *look)
{
    uint32_t odd = look->inventory->cluster.odd_brokers;

    return odd > 0 &&
           rules_when_seen(look, AUDIT_BROKER_VERSIONS,
               "%" PRIu32 " of %" PRIu32 " brokers serve other API versions than the first", odd,
               look->inventory->brokers);
}

bool
rules_when_has_full_disk(struct rules_look *look)
{
    const struct audit_disk *disk = &look->inventory->cluster.fullest;
    double share = inventory_share_left(disk);

    return share < DISK_SHARE_LEFT_LOW &&
           rules_when_seen(look, AUDIT_SIZES,
               "broker %" PRId32 " has %d %% of a disk left: %" PRId64 " of %" PRId64 " bytes",
               disk->broker, (int)(100 * share), disk->usable_bytes, disk->total_bytes);
}

bool
rules_when_has_acls(struct rules_look *look)
{
    return counted(look, look->inventory->cluster.acls, AUDIT_ACLS, "rules");
}

bool
rules_when_has_racks(struct rules_look *look)
{
    uint32_t racks = look->inventory->cluster.racks;

    return racks > 1 && counted(look, racks, AUDIT_METADATA, "racks");
}

bool
rules_when_has_huge_messages_by_default(struct rules_look *look)
{
    const char *value = value_of(look, AUDIT_BROKER_MESSAGE_MAX_BYTES);

    return value != NULL && strtoll(value, NULL, 10) > MESSAGE_BYTES_HUGE &&
           told(look, AUDIT_BROKER_MESSAGE_MAX_BYTES);
}

bool
rules_when_has_own_authorizer(struct rules_look *look)
{
    static const char kafkas[] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";
    const char *value = value_of(look, AUDIT_BROKER_AUTHORIZER);

    return value != NULL && *value != '\0' && strcmp(value, kafkas) != 0 &&
           told(look, AUDIT_BROKER_AUTHORIZER);
}

bool
rules_when_has_super_users(struct rules_look *look)
{
    const char *value = value_of(look, AUDIT_BROKER_SUPER_USERS);

    return value != NULL && *value != '\0' && told(look, AUDIT_BROKER_SUPER_USERS);
}

bool
rules_when_has_quota_callback(struct rules_look *look)
{
    const char *value = value_of(look, AUDIT_BROKER_QUOTA_CALLBACK);

    return value != NULL && *value != '\0' && told(look, AUDIT_BROKER_QUOTA_CALLBACK);
}

bool
rules_when_forgets_producers_early(struct rules_look *look)
{
    const char *value = value_of(look, AUDIT_BROKER_PRODUCER_EXPIRATION_MS);

    return value != NULL && strtoll(value, NULL, 10) < DAY_MS &&
           told(look, AUDIT_BROKER_PRODUCER_EXPIRATION_MS);
}

bool
rules_when_is_small(struct rules_look *look)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < look->inventory->topic_count; i++) {
        if (look->inventory->topics[i].bytes < 0)
            return false;
        sum = saturate_add(sum, look->inventory->topics[i].bytes);
    }
    return sum < CLUSTER_BYTES_SMALL && look->inventory->topic_count > 0 &&
           rules_when_seen(look, AUDIT_SIZES, "%" PRId64 " bytes in all", sum);
}

bool
rules_when_is_restricted(struct rules_look *look)
{
    return look->inventory->is_restricted &&
           rules_when_seen(
               look, AUDIT_CLUSTER, "DescribeCluster's authorized operations leave Describe out");
}
