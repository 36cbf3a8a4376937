#include "refbroker/meta/broker_configs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

static const struct broker_config_row rows[] = {
    {"follower.replication.throttled.rate", "bytes per second of replication to followers"},
    {"leader.replication.throttled.rate", "bytes per second of replication from leaders"},
    {"replica.alter.log.dirs.io.max.bytes.per.second", "bytes per second of moves between folders"},
};

const struct broker_config_row *
broker_configs_rows(size_t *count)
{
    *count = ARRAY_LEN(rows);
    return rows;
}

enum rc
broker_configs_check(const char *name, const char *value, struct err *e)
{
    long long number;
    size_t i = 0;
    char *end;

    while (i < ARRAY_LEN(rows) && strcmp(rows[i].name, name) != 0)
        i++;
    if (i == ARRAY_LEN(rows))
        return err_set(e, RC_CONFIG, "Cannot update these configs dynamically: [%s]", name);
    errno = 0;
    number = strtoll(value, &end, 10);
    if (*value == '\0' || *end != '\0' || errno != 0)
        return err_set(e, RC_CONFIG,
            "Invalid value %s for configuration %s: Not a number of type LONG", value, name);
    if (number < 0)
        return err_set(e, RC_CONFIG,
            "Invalid value %s for configuration %s: Value must be at least 0", value, name);
    return RC_OK;
}
