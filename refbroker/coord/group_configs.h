/*
 * group_configs: configs of single groups (resource type GROUP, KIP-848), over the broker's
 * settings.
 *
 * They live in the catalog and can be set before a group exists. A value must lie between the
 * broker's group.consumer.min and max settings. The configs of share and streams groups are not
 * known here.
 */
#ifndef REFBROKER_COORD_GROUP_CONFIGS_H
#define REFBROKER_COORD_GROUP_CONFIGS_H

#include "lib/base/err.h"
#include "refbroker/broker.h"
#include "refbroker/coord/group.h"

struct group_configs {
    struct map by_group; /* struct map of texts by config name, by group id */
};

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

void group_configs_init(struct group_configs *configs);
void group_configs_fini(struct group_configs *configs);

/* group_configs_load reads all of them at a start. */
MUST_CHECK enum rc group_configs_load(struct broker *broker, struct err *e);

/* group_configs_check judges a value (NULL: the name alone); the text is that of Kafka. */
MUST_CHECK enum rc group_configs_check(
    const struct broker *broker, const char *name, const char *value, struct err *e);

/* group_configs_default is the value of a group that has none of its own. */
int64_t group_configs_default(const struct broker *broker, const struct group_config_row *row);

/* group_configs_set stores a value, NULL takes it back; memory only. */
void group_configs_set(
    struct group_configs *configs, const char *group_id, const char *name, const char *value);

/* group_configs_get returns what is set for a group, or NULL. */
const char *group_configs_get(
    const struct group_configs *configs, const char *group_id, const char *name);

/* What is in force. */
int64_t group_configs_session_timeout_ms(const struct group *group);
int64_t group_configs_heartbeat_interval_ms(const struct group *group);
int64_t group_configs_assignment_interval_ms(const struct group *group);

#endif
