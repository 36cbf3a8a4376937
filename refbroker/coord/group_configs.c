#include "refbroker/coord/group_configs.h"

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/groups.h"
#include "refbroker/meta/catalog.h"

#define WHY_BYTES 512
#define DURATION_MAX (INT64_MAX / 4)
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

/* Reads digits, as a number that ends at DURATION_MAX; NULL where there are none. */
static const char *
digits(const char *p, int64_t *number)
{
    const char *begin = p;

    for (*number = 0; *p >= '0' && *p <= '9'; p++)
        *number = *number > DURATION_MAX / 10 ? DURATION_MAX : *number * 10 + (*p - '0');
    return p == begin ? NULL : p;
}

/* The thousandths that digits behind a point stand for. */
static int64_t
thousandths(const char *p)
{
    int64_t ms = 0;

    for (int i = 0; i < 3; i++)
        ms = ms * 10 + (*p >= '0' && *p <= '9' ? *p++ - '0' : 0);
    return ms;
}

static int64_t
capped_sum(int64_t ms, int64_t number, int64_t unit_ms)
{
    return number > (DURATION_MAX - ms) / unit_ms ? DURATION_MAX : ms + number * unit_ms;
}

/* Whether a text is an ISO 8601 duration that is not negative, as java.time.Duration reads it:
 * P1DT2H3M4.5S, with at least one of its parts; *ms ends at DURATION_MAX. */
static bool
duration_read(const char *p, int64_t *ms)
{
    static const char units[] = "DHMS";
    static const int64_t units_ms[] = {86400000, 3600000, 60000, 1000};
    size_t unit = 0;
    bool timed = false, any = false;

    *ms = 0;
    if (toupper((unsigned char)*p++) != 'P')
        return false;
    while (*p != '\0') {
        const char *end;
        int64_t number, fraction_ms = 0, ignored;

        if (!timed && toupper((unsigned char)*p) == 'T') {
            timed = true;
            unit = 1;
            p++;
        }
        end = digits(p, &number);
        if (end != NULL && *end == '.' && (end[1] | 0x20) != 's') {
            fraction_ms = thousandths(end + 1);
            end = digits(end + 1, &ignored);
            unit = sizeof units - 2;
        }
        if (end == NULL)
            return false;
        while (unit < sizeof units - 1 && toupper((unsigned char)*end) != units[unit])
            unit++;
        if (unit >= sizeof units - 1 || timed != (unit > 0))
            return false;
        *ms = capped_sum(capped_sum(*ms, number, units_ms[unit]), fraction_ms, 1);
        unit++;
        any = true;
        p = end + 1;
    }
    return any;
}

/* False for a text that is none. */
static bool
reset_read(const char *text, struct group_share_reset *out)
{
    static const char by_duration[] = "by_duration:";

    *out = (struct group_share_reset){GROUP_RESET_EARLIEST, 0};
    if (strcmp(text, "earliest") == 0)
        return true;
    out->where = GROUP_RESET_LATEST;
    if (strcmp(text, "latest") == 0)
        return true;
    out->where = GROUP_RESET_BY_DURATION;
    return strncmp(text, by_duration, sizeof by_duration - 1) == 0 &&
           duration_read(text + sizeof by_duration - 1, &out->duration_ms);
}

static enum rc
offset_reset(const struct config_def *def, const char *text, struct err *e)
{
    struct group_share_reset reset;
    char why[WHY_BYTES];

    if (reset_read(text, &reset))
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

static const char *
own_of(const struct broker *broker, const char *group_id, size_t place)
{
    return resource_configs_get(
        &broker->resource_configs, RESOURCE_GROUP, group_id, rows[place].def.name);
}

static int64_t
number_of(const struct broker *broker, const char *group_id, size_t place)
{
    const char *set = own_of(broker, group_id, place);

    return set == NULL ? setting_of(broker, rows[place].standard.at) : strtoll(set, NULL, 10);
}

static const char *
text_of(const struct broker *broker, const char *group_id, size_t place)
{
    const char *set = own_of(broker, group_id, place);

    return set == NULL ? rows[place].def.default_text : set;
}

static int64_t
in_force(const struct group *group, size_t place)
{
    return number_of(group->groups->broker, group->group_id, place);
}

/* The row of the group's protocol. */
static int64_t
by_protocol(const struct group *group, size_t consumer, size_t share, size_t streams)
{
    size_t place = consumer;

    if (group->share != NULL)
        place = share;
    else if (group->streams != NULL)
        place = streams;
    return in_force(group, place);
}

int64_t
group_configs_session_timeout_ms(const struct group *group)
{
    return by_protocol(group, ROW_CONSUMER_SESSION, ROW_SHARE_SESSION, ROW_STREAMS_SESSION);
}

int64_t
group_configs_heartbeat_interval_ms(const struct group *group)
{
    return by_protocol(group, ROW_CONSUMER_HEARTBEAT, ROW_SHARE_HEARTBEAT, ROW_STREAMS_HEARTBEAT);
}

bool
group_configs_may_assign(const struct group *group, int64_t assigned_ms)
{
    int64_t interval_ms =
        by_protocol(group, ROW_CONSUMER_ASSIGNMENT, ROW_SHARE_ASSIGNMENT, ROW_STREAMS_ASSIGNMENT);

    return assigned_ms == 0 || interval_ms == 0 ||
           env_wall_ms(group->groups->broker->env) >= assigned_ms + interval_ms;
}

int64_t
group_configs_streams_standbys(const struct group *group)
{
    return in_force(group, ROW_STREAMS_STANDBYS);
}

int64_t
group_configs_streams_delay_ms(const struct group *group)
{
    return in_force(group, ROW_STREAMS_DELAY);
}

void
group_configs_share(
    const struct broker *broker, const char *group_id, struct group_share_configs *out)
{
    out->record_lock_duration_ms = number_of(broker, group_id, ROW_SHARE_RECORD_LOCK);
    out->delivery_count_limit = number_of(broker, group_id, ROW_SHARE_DELIVERY_COUNT);
    out->partition_max_record_locks = number_of(broker, group_id, ROW_SHARE_RECORD_LOCKS);
    out->read_committed =
        strcmp(text_of(broker, group_id, ROW_SHARE_ISOLATION), "read_committed") == 0;
    out->renews = strcasecmp(text_of(broker, group_id, ROW_SHARE_RENEW), "true") == 0;
}

struct group_share_reset
group_configs_share_reset(const struct broker *broker, const char *group_id)
{
    struct group_share_reset reset;

    /* What is kept was judged when it was set. */
    if (!reset_read(text_of(broker, group_id, ROW_SHARE_OFFSET_RESET), &reset))
        reset.where = GROUP_RESET_LATEST;
    return reset;
}
