#include "refbroker/coord/group_configs.h"

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/groups.h"
#include "refbroker/meta/catalog.h"

#define WHY_BYTES 512
#define AT(member) offsetof(struct group_settings, member)
#define NONE                                                                                       \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

static config_rule_fn offset_reset;

enum {
#define GROUP_RANGE(id, kind, member, name, low, help) ROW_##id,
#define GROUP_COUNT(id, kind, member, name, help) ROW_##id,
#define GROUP_OTHER(id, type, name, standard, check, help) ROW_##id,
#include "refbroker/coord/group_configs.def"
#undef GROUP_RANGE
#undef GROUP_COUNT
#undef GROUP_OTHER
};

static const struct group_config_row rows[] = {
#define GROUP_RANGE(id, kind, member, name, low, help)                                             \
    {{#kind "." name, CONFIG_INT, NULL, CONFIG_FROM(low), help},                                   \
        {"group." #kind "." name, AT(kind##_##member)},                                            \
        {"group." #kind ".min." name, AT(kind##_min_##member)},                                    \
        {"group." #kind ".max." name, AT(kind##_max_##member)}},
#define GROUP_COUNT(id, kind, member, name, help)                                                  \
    {{#kind "." name, CONFIG_INT, NULL, CONFIG_FROM(0), help},                                     \
        {"group." #kind "." name, AT(kind##_##member)}, NONE, MAX_OF_##id},
#define GROUP_OTHER(id, type, name, standard, check, help)                                         \
    {{name, CONFIG_##type, standard, check, help}, NONE, NONE, NONE},
#define MAX_OF_STREAMS_STANDBYS                                                                    \
    {                                                                                              \
        "group.streams.max.standby.replicas", AT(streams_max_standby_replicas)                     \
    }
#define MAX_OF_STREAMS_DELAY NONE
#include "refbroker/coord/group_configs.def"
#undef GROUP_RANGE
#undef GROUP_COUNT
#undef GROUP_OTHER
};

/* Reads digits; NULL where there are none. */
static const char *
digits(const char *p)
{
    const char *begin = p;

    while (*p >= '0' && *p <= '9')
        p++;
    return p == begin ? NULL : p;
}

/* Whether a text is an ISO 8601 duration that is not negative, as java.time.Duration reads it:
 * P1DT2H3M4.5S, with at least one of its parts. */
static bool
is_duration(const char *p)
{
    static const char units[] = "DHMS";
    size_t unit = 0;
    bool timed = false, any = false;

    if (toupper((unsigned char)*p++) != 'P')
        return false;
    while (*p != '\0') {
        const char *end;

        if (!timed && toupper((unsigned char)*p) == 'T') {
            timed = true;
            unit = 1;
            p++;
        }
        end = digits(p);
        if (end != NULL && *end == '.' && (end[1] | 0x20) != 's') {
            end = digits(end + 1);
            unit = sizeof units - 2;
        }
        if (end == NULL)
            return false;
        while (unit < sizeof units - 1 && toupper((unsigned char)*end) != units[unit])
            unit++;
        if (unit >= sizeof units - 1 || timed != (unit > 0))
            return false;
        unit++;
        any = true;
        p = end + 1;
    }
    return any;
}

static enum rc
offset_reset(const struct config_def *def, const char *text, struct err *e)
{
    static const char by_duration[] = "by_duration:";
    char why[WHY_BYTES];

    if (strcmp(text, "earliest") == 0 || strcmp(text, "latest") == 0 ||
        (strncmp(text, by_duration, sizeof by_duration - 1) == 0 &&
            is_duration(text + sizeof by_duration - 1)))
        return RC_OK;
    snprintf(why, sizeof why,
        "Invalid value `%s` for configuration %s. The value must be either 'earliest', 'latest' or "
        "of the format 'by_duration:<PnDTnHnMn.nS>'.",
        text, def->name);
    return config_def_refuse(def, text, why, e);
}

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
        if (strcmp(rows[i].def.name, name) == 0)
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
    enum rc rc;

    if (value == NULL)
        return RC_OK;
    if (row == NULL)
        return err_set(e, RC_CONFIG, "Unknown group config name: %s", name);
    rc = config_def_check(&row->def, value, e);
    if (rc != RC_OK || row->def.type != CONFIG_INT)
        return rc;
    number = strtoll(value, NULL, 10);
    if (row->min.name != NULL && number < setting_of(broker, row->min.at))
        return err_set(e, RC_CONFIG, "%s must be greater than or equal to %s", name, row->min.name);
    if (row->max.name != NULL && number > setting_of(broker, row->max.at))
        return err_set(e, RC_CONFIG, "%s must be less than or equal to %s", name, row->max.name);
    return RC_OK;
}

enum rc
group_configs_check_together(
    const struct broker *broker, group_configs_own_fn *own, void *arg, struct err *e)
{
    static const size_t pairs[][2] = {{ROW_CONSUMER_SESSION, ROW_CONSUMER_HEARTBEAT},
        {ROW_SHARE_SESSION, ROW_SHARE_HEARTBEAT}, {ROW_STREAMS_SESSION, ROW_STREAMS_HEARTBEAT}};

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        int64_t times_ms[2];

        for (size_t k = 0; k < 2; k++) {
            const struct group_config_row *row = &rows[pairs[i][k]];
            const char *text = own(arg, row->def.name);

            times_ms[k] =
                text == NULL ? setting_of(broker, row->standard.at) : strtoll(text, NULL, 10);
        }
        if (times_ms[0] <= times_ms[1])
            return err_set(e, RC_CONFIG, "%s must be greater than %s", rows[pairs[i][0]].def.name,
                rows[pairs[i][1]].def.name);
    }
    return RC_OK;
}

const char *
group_configs_default(
    const struct broker *broker, const struct group_config_row *row, struct arena *arena)
{
    if (row->standard.name == NULL)
        return row->def.default_text;
    return arena_printf(arena, "%" PRId64, setting_of(broker, row->standard.at));
}

static int64_t
in_force(const struct group *group, size_t place)
{
    const struct broker *broker = group->groups->broker;
    const char *set = resource_configs_get(
        &broker->resource_configs, RESOURCE_GROUP, group->group_id, rows[place].def.name);

    return set == NULL ? setting_of(broker, rows[place].standard.at) : strtoll(set, NULL, 10);
}

int64_t
group_configs_session_timeout_ms(const struct group *group)
{
    return in_force(group, group->share != NULL ? ROW_SHARE_SESSION : ROW_CONSUMER_SESSION);
}

int64_t
group_configs_heartbeat_interval_ms(const struct group *group)
{
    return in_force(group, group->share != NULL ? ROW_SHARE_HEARTBEAT : ROW_CONSUMER_HEARTBEAT);
}

int64_t
group_configs_assignment_interval_ms(const struct group *group)
{
    return in_force(group, group->share != NULL ? ROW_SHARE_ASSIGNMENT : ROW_CONSUMER_ASSIGNMENT);
}
