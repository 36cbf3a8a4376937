#include "refbroker/meta/topic_configs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/xalloc.h"

static bool
integer(const char *text, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

static bool
at_least(const char *value, int64_t low, const char **what, const char *text)
{
    int64_t number;

    *what = text;
    return integer(value, &number) && number >= low;
}

static bool
from_0(const char *value, const char **what)
{
    return at_least(value, 0, what, "Value must be at least 0");
}

static bool
from_1(const char *value, const char **what)
{
    return at_least(value, 1, what, "Value must be at least 1");
}

static bool
from_4(const char *value, const char **what)
{
    return at_least(value, 4, what, "Value must be at least 4");
}

static bool
from_minus_1(const char *value, const char **what)
{
    return at_least(value, -1, what, "Value must be at least -1");
}

static bool
from_minus_2(const char *value, const char **what)
{
    return at_least(value, -2, what, "Value must be at least -2");
}

static bool
segment_bytes(const char *value, const char **what)
{
    return at_least(value, 1048576, what, "Value must be at least 1048576");
}

static bool
between(const char *value, int64_t low, int64_t high, const char **what, const char *text)
{
    int64_t number;

    *what = text;
    return integer(value, &number) && number >= low && number <= high;
}

static bool
gzip_level(const char *value, const char **what)
{
    return strcmp(value, "-1") == 0 ||
           between(value, 1, 9, what, "Value must be between 1 and 9 or equal to -1");
}

static bool
lz4_level(const char *value, const char **what)
{
    return between(value, 1, 17, what, "Value must be no more than 17");
}

static bool
zstd_level(const char *value, const char **what)
{
    return between(value, -131072, 22, what, "Value must be no more than 22");
}

static bool
boolean(const char *value, const char **what)
{
    *what = "Expected value to be either true or false";
    return strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0;
}

static bool
one_of(const char *value, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(value, words[i]) == 0)
            return true;
    return false;
}

static bool
compression_type(const char *value, const char **what)
{
    static const char *const words[] = {
        "uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"};

    *what = "String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer";
    return one_of(value, words, ARRAY_LEN(words));
}

static bool
timestamp_type(const char *value, const char **what)
{
    static const char *const words[] = {"CreateTime", "LogAppendTime"};

    *what = "String must be one of: CreateTime, LogAppendTime";
    return one_of(value, words, ARRAY_LEN(words));
}

static bool
cleanup_policy(const char *value, const char **what)
{
    static const char *const words[] = {
        "", "compact", "delete", "compact,delete", "delete,compact"};

    *what = "String must be one of: compact, delete";
    return one_of(value, words, ARRAY_LEN(words));
}

static bool
ratio(const char *value, const char **what)
{
    char *end;
    double number = strtod(value, &end);

    *what = "Value must be between 0 and 1";
    return end != value && *end == '\0' && number >= 0 && number <= 1;
}

/* "*", or a list of partition:broker pairs. */
static bool
replicas(const char *value, const char **what)
{
    *what = "must be the literal '*' or a list of replicas in the following format: "
            "[partitionId]:[brokerId],[partitionId]:[brokerId],...";
    return *value == '\0' || strcmp(value, "*") == 0 ||
           (strspn(value, "0123456789:,") == strlen(value) && strchr(value, ':') != NULL);
}

#define KEPT false
#define EFFECTIVE true
static const struct topic_config_row rows[] = {
#define TOPIC_CONFIG(name, type, default_text, check, effect, help)                                \
    {name, CONFIG_##type, default_text, check, effect, help},
#include "refbroker/meta/topic_configs.def"
#undef TOPIC_CONFIG
};
#undef KEPT
#undef EFFECTIVE

const struct topic_config_row *
topic_configs_rows(size_t *count)
{
    *count = ARRAY_LEN(rows);
    return rows;
}

const struct topic_config_row *
topic_configs_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

const char *
topic_configs_get(const struct topic_configs *configs, const char *name)
{
    const char *text = map_get_text(&configs->set, name);
    const struct topic_config_row *row = topic_configs_find(name);

    REQUIRE(row != NULL);
    return text != NULL ? text : row->default_text;
}

bool
topic_configs_is_set(const struct topic_configs *configs, const char *name)
{
    return map_get_text(&configs->set, name) != NULL;
}

static int64_t
number(const struct topic_configs *configs, const char *name)
{
    int64_t value = 0;

    (void)integer(topic_configs_get(configs, name), &value);
    return value;
}

static bool
is_true(const struct topic_configs *configs, const char *name)
{
    return strcasecmp(topic_configs_get(configs, name), "true") == 0;
}

/* The codec numbers are those of a batch's attributes. */
static void
compression_parse(struct topic_configs *configs)
{
    static const struct {
        const char *name;
        int8_t codec;
        const char *level;
    } codecs[] = {
        {"uncompressed", 0, NULL},
        {"gzip", 1, "compression.gzip.level"},
        {"snappy", 2, NULL},
        {"lz4", 3, "compression.lz4.level"},
        {"zstd", 4, "compression.zstd.level"},
    };
    const char *text = topic_configs_get(configs, "compression.type");

    configs->values.compression_codec = -1;
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
        if (strcmp(codecs[i].name, text) != 0)
            continue;
        configs->values.compression_codec = codecs[i].codec;
        if (codecs[i].level != NULL)
            configs->values.compression_level = (int32_t)number(configs, codecs[i].level);
    }
}

static void
values_parse(struct topic_configs *configs)
{
    struct topic_values *values = &configs->values;
    const char *policy = topic_configs_get(configs, "cleanup.policy");

    values->retention_ms = number(configs, "retention.ms");
    values->retention_bytes = number(configs, "retention.bytes");
    values->timestamp_before_max_ms = number(configs, "message.timestamp.before.max.ms");
    values->timestamp_after_max_ms = number(configs, "message.timestamp.after.max.ms");
    values->max_message_bytes = (int32_t)number(configs, "max.message.bytes");
    values->log_append_time =
        strcmp(topic_configs_get(configs, "message.timestamp.type"), "LogAppendTime") == 0;
    values->compacts = strstr(policy, "compact") != NULL;
    values->deletes = strstr(policy, "delete") != NULL;
    values->coordinated = is_true(configs, "diskless.enable");
    compression_parse(configs);
}

void
topic_configs_init(struct topic_configs *configs)
{
    map_init(&configs->set);
    values_parse(configs);
}

void
topic_configs_fini(struct topic_configs *configs)
{
    map_fini(&configs->set, free);
}

static bool
fits_type(const struct topic_config_row *row, const char *value)
{
    int64_t integral;
    char *end;

    switch (row->type) {
    case CONFIG_INT:
        return integer(value, &integral) && integral >= INT32_MIN && integral <= INT32_MAX;
    case CONFIG_LONG:
        return integer(value, &integral);
    case CONFIG_DOUBLE:
        (void)strtod(value, &end);
        return end != value && *end == '\0';
    default:
        return true;
    }
}

enum rc
topic_configs_check(const char *name, const char *value, struct err *e)
{
    static const char *const type_names[] = {
        "", "BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"};
    const struct topic_config_row *row = topic_configs_find(name);
    const char *what = "";

    if (row == NULL)
        return err_set(e, RC_CONFIG, "Unknown topic config name: %s", name);
    if (!fits_type(row, value))
        return err_set(e, RC_CONFIG,
            "Invalid value %s for configuration %s: Not a number of type %s", value, name,
            type_names[row->type]);
    if (!row->check(value, &what))
        return err_set(
            e, RC_CONFIG, "Invalid value %s for configuration %s: %s", value, name, what);
    return RC_OK;
}

void
topic_configs_set(struct topic_configs *configs, const char *name, const char *value)
{
    if (value == NULL)
        free(map_remove_text(&configs->set, name));
    else
        free(map_put_text(&configs->set, name, xstrdup(value)));
    values_parse(configs);
}
