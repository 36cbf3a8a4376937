#include "refbroker/coord/group_configs.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/groups.h"
#include "refbroker/meta/catalog.h"

#define AT(member) offsetof(struct group_settings, member)

enum { ROW_SESSION, ROW_HEARTBEAT, ROW_ASSIGNMENT };

static const struct group_config_row rows[] = {
    [ROW_SESSION] = {"consumer.session.timeout.ms", "group.consumer.session.timeout.ms",
        "group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms",
        AT(consumer_session_timeout_ms), AT(consumer_min_session_timeout_ms),
        AT(consumer_max_session_timeout_ms),
        "The timeout to detect client failures when using the consumer group protocol."},
    [ROW_HEARTBEAT] = {"consumer.heartbeat.interval.ms", "group.consumer.heartbeat.interval.ms",
        "group.consumer.min.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms",
        AT(consumer_heartbeat_interval_ms), AT(consumer_min_heartbeat_interval_ms),
        AT(consumer_max_heartbeat_interval_ms),
        "The heartbeat interval given to the members of a consumer group."},
    [ROW_ASSIGNMENT] = {"consumer.assignment.interval.ms", "group.consumer.assignment.interval.ms",
        "group.consumer.min.assignment.interval.ms", "group.consumer.max.assignment.interval.ms",
        AT(consumer_assignment_interval_ms), AT(consumer_min_assignment_interval_ms),
        AT(consumer_max_assignment_interval_ms),
        "The interval between assignment updates for the consumer group."},
};

const struct group_config_row *
group_configs_rows(size_t *count)
{
    *count = ARRAY_LEN(rows);
    return rows;
}

static const struct group_config_row *
row_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static int64_t
setting_of(const struct broker *broker, size_t at)
{
    int64_t value;

    memcpy(&value, (const char *)&broker->options.groups + at, sizeof value);
    return value;
}

enum rc
group_configs_check(const struct broker *broker, const char *name, const char *value, struct err *e)
{
    const struct group_config_row *row = row_find(name);
    int64_t number;
    char *end;

    if (row == NULL)
        return err_set(e, RC_CONFIG, "Unknown group config name: %s", name);
    if (value == NULL)
        return RC_OK;
    number = strtoll(value, &end, 10);
    if (*value == '\0' || *end != '\0' || number < INT32_MIN || number > INT32_MAX)
        return err_set(e, RC_CONFIG,
            "Invalid value %s for configuration %s: Not a number of type INT", value, name);
    if (number < setting_of(broker, row->min))
        return err_set(e, RC_CONFIG, "%s must be greater than or equal to %s", name, row->min_name);
    if (number > setting_of(broker, row->max))
        return err_set(e, RC_CONFIG, "%s must be less than or equal to %s", name, row->max_name);
    return RC_OK;
}

int64_t
group_configs_default(const struct broker *broker, const struct group_config_row *row)
{
    return setting_of(broker, row->standard);
}

static int64_t
in_force(const struct group *group, size_t place)
{
    const struct broker *broker = group->groups->broker;
    const char *set = resource_configs_get(
        &broker->resource_configs, RESOURCE_GROUP, group->group_id, rows[place].name);

    return set == NULL ? setting_of(broker, rows[place].standard) : strtoll(set, NULL, 10);
}

int64_t
group_configs_session_timeout_ms(const struct group *group)
{
    return in_force(group, ROW_SESSION);
}

int64_t
group_configs_heartbeat_interval_ms(const struct group *group)
{
    return in_force(group, ROW_HEARTBEAT);
}

int64_t
group_configs_assignment_interval_ms(const struct group *group)
{
    return in_force(group, ROW_ASSIGNMENT);
}
