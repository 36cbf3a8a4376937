/*
 * group_settings: the settings of groups that broker_configs.def lists, and the policy of moving
 * groups between the two protocols (group.consumer.migration.policy), and which protocols there are
 * (group.coordinator.rebalance.protocols). Times as the names say.
 */
#ifndef REFBROKER_COORD_GROUP_SETTINGS_H
#define REFBROKER_COORD_GROUP_SETTINGS_H

#include <stdint.h>

/* ConsumerGroupMigrationPolicy; both bits: bidirectional. */
enum group_migration {
    GROUP_MIGRATION_DISABLED = 0,
    GROUP_MIGRATION_UPGRADE = 1,
    GROUP_MIGRATION_DOWNGRADE = 2,
    GROUP_MIGRATION_BIDIRECTIONAL = 3
};

/* The texts of the policy, in the order of its values. */
#define GROUP_MIGRATION_TEXTS "disabled,upgrade,downgrade,bidirectional"

/* Bits. Classic groups are always there, as in Kafka, and share groups where share.version says so.
 */
enum group_protocols {
    GROUP_PROTOCOL_CLASSIC = 1,
    GROUP_PROTOCOL_CONSUMER = 2,
    GROUP_PROTOCOL_STREAMS = 4,
    GROUP_PROTOCOL_SHARE = 8
};

/* The texts of the protocols, in the order of their bits. */
#define GROUP_PROTOCOL_TEXTS "classic,consumer,streams,share"

struct group_settings {
#define GROUP_SETTING(member, name, type, standard, check, mode, help) int64_t member;
#define BROKER_CONFIG(name, type, standard, check, mode, place, help)
#define KEPT_CONFIG(name, type, standard, check, mode)
#define EXTRA_CONFIG(name, type, check, mode)
#define AUTHORIZER_CONFIG(name, help)
#define FOREIGN_CONFIG(name)
#include "refbroker/meta/broker_configs.def"
#undef GROUP_SETTING
#undef BROKER_CONFIG
#undef KEPT_CONFIG
#undef EXTRA_CONFIG
#undef AUTHORIZER_CONFIG
#undef FOREIGN_CONFIG
    int64_t consumer_migration; /* enum group_migration */
    int64_t protocols;          /* of enum group_protocols */
};

#endif
