/*
 * group_configs: configs of single groups (resource type GROUP, KIP-848), over the broker's
 * settings.
 *
 * They live in the broker's resource_configs and can be set before a group exists. A value must lie
 * between the broker's group.consumer.min and max settings. The configs of share and streams groups
 * are not known here.
 */
#ifndef REFBROKER_COORD_GROUP_CONFIGS_H
#define REFBROKER_COORD_GROUP_CONFIGS_H

#include "lib/base/err.h"
#include "refbroker/broker.h"
#include "refbroker/coord/group.h"

/* One config: its name, and where in the settings its default, lowest and highest value are. */
struct group_config_row {
    const char *name;
    const char *broker_name; /* of the default */
    const char *min_name;
    const char *max_name;
    size_t standard;
    size_t min;
    size_t max;
    const char *help;
};

const struct group_config_row *group_configs_rows(size_t *count);

/* group_configs_check judges a value (NULL: the name alone); the text is that of Kafka. */
MUST_CHECK enum rc group_configs_check(
    const struct broker *broker, const char *name, const char *value, struct err *e);

/* group_configs_default is the value of a group that has none of its own. */
int64_t group_configs_default(const struct broker *broker, const struct group_config_row *row);

/* What is in force. */
int64_t group_configs_session_timeout_ms(const struct group *group);
int64_t group_configs_heartbeat_interval_ms(const struct group *group);
int64_t group_configs_assignment_interval_ms(const struct group *group);

#endif
