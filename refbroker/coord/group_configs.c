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

void
group_configs_init(struct group_configs *configs)
{
    map_init(&configs->by_group);
}

static void
texts_free(void *value)
{
    map_fini(value, free);
    free(value);
}

void
group_configs_fini(struct group_configs *configs)
{
    map_fini(&configs->by_group, texts_free);
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

void
group_configs_set(
    struct group_configs *configs, const char *group_id, const char *name, const char *value)
{
    struct map *texts = map_get_text(&configs->by_group, group_id);

    if (texts == NULL && value == NULL)
        return;
    if (texts == NULL) {
        texts = xcalloc(1, sizeof *texts);
        map_init(texts);
        map_put_text(&configs->by_group, group_id, texts);
    }
    free(value == NULL ? map_remove_text(texts, name) : map_put_text(texts, name, xstrdup(value)));
    if (map_count(texts) == 0)
        texts_free(map_remove_text(&configs->by_group, group_id));
}

const char *
group_configs_get(const struct group_configs *configs, const char *group_id, const char *name)
{
    const struct map *texts = map_get_text(&configs->by_group, group_id);

    return texts == NULL ? NULL : map_get_text(texts, name);
}

static void
loaded(void *arg, const char *group_id, const char *name, const char *value)
{
    group_configs_set(arg, group_id, name, value);
}

enum rc
group_configs_load(struct broker *broker, struct err *e)
{
    return catalog_load_group_configs(broker->catalog, loaded, &broker->groups->configs, e);
}

static int64_t
in_force(const struct group *group, size_t place)
{
    const struct broker *broker = group->groups->broker;
    const char *set = group_configs_get(&group->groups->configs, group->group_id, rows[place].name);

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
