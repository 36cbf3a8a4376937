#include "refbroker/meta/topic_configs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"

/* Java shows a list in brackets, with a space behind each comma. */
static enum rc
replicas_refuse(const struct config_def *def, const char *text, struct err *e)
{
    struct buf shown;
    enum rc rc;

    buf_init(&shown, 2 * CONFIG_DEF_BYTES_MAX);
    for (; *text != '\0'; text++)
        buf_append_text(&shown, *text == ',' ? ", " : (const char[]){*text, '\0'});
    rc = err_set(e, RC_CONFIG,
        "Invalid value [%s] for configuration %s: %s must be the literal '*' or a list of replicas "
        "in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
        buf_text(&shown), def->name, def->name);
    buf_fini(&shown);
    return rc;
}

/* "*", or a list of partition:broker pairs, some of which may be empty. */
static enum rc
replicas(const struct config_def *def, const char *text, struct err *e)
{
    const char *at = text;

    if (strcmp(text, "*") == 0)
        return RC_OK;
    for (;;) {
        size_t left = strspn(at, "0123456789");
        size_t right = at[left] == ':' ? strspn(at + left + 1, "0123456789") : 0;

        if (left > 0 && right > 0)
            at += left + 1 + right;
        if (*at == '\0')
            return RC_OK;
        if (*at != ',')
            break;
        at++;
    }
    return replicas_refuse(def, text, e);
}

static const struct topic_config_row rows[] = {
#define TOPIC_CONFIG(name, type, default_text, check, effect, broker_name, help)                   \
    {{name, CONFIG_##type, default_text, check, help}, TOPIC_CONFIG_##effect, broker_name},
#include "refbroker/meta/topic_configs.def"
#undef TOPIC_CONFIG
};

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
        if (strcmp(rows[i].def.name, name) == 0)
            return &rows[i];
    return NULL;
}

const char *
topic_configs_defaults_get(
    const struct topic_defaults *defaults, const struct topic_config_row *row)
{
    return defaults->texts[row - rows];
}

const char *
topic_configs_get(const struct topic_configs *configs, const char *name)
{
    const char *text = map_get_text(&configs->set, name);
    const struct topic_config_row *row = topic_configs_find(name);

    REQUIRE(row != NULL);
    return text != NULL ? text : topic_configs_defaults_get(configs->defaults, row);
}

bool
topic_configs_is_set(const struct topic_configs *configs, const char *name)
{
    return map_get_text(&configs->set, name) != NULL;
}

/* What is no number, in a metadata file of another version, must not become a retention of 0. */
static int64_t
number(const struct topic_configs *configs, const char *name)
{
    const char *text = topic_configs_get(configs, name);
    char *end;
    int64_t value = strtoll(text, &end, 10);

    if (end != text && *end == '\0')
        return value;
    return strtoll(topic_configs_find(name)->def.default_text, NULL, 10);
}

static bool
is_true(const struct topic_configs *configs, const char *name)
{
    return strcmp(topic_configs_get(configs, name), "true") == 0;
}

/* The codec numbers are those of a batch's attributes. */
static void
compression_parse(const struct topic_configs *configs, struct topic_values *values)
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

    values->compression_codec = -1;
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
        if (strcmp(codecs[i].name, text) != 0)
            continue;
        values->compression_codec = codecs[i].codec;
        if (codecs[i].level != NULL)
            values->compression_level = (int32_t)number(configs, codecs[i].level);
    }
}

static void
values_parse(const struct topic_configs *configs, struct topic_values *values)
{
    const char *policy = topic_configs_get(configs, "cleanup.policy");

    values->retention_ms = number(configs, "retention.ms");
    values->retention_bytes = number(configs, "retention.bytes");
    values->delete_retention_ms = number(configs, "delete.retention.ms");
    values->min_compaction_lag_ms = number(configs, "min.compaction.lag.ms");
    values->max_compaction_lag_ms = number(configs, "max.compaction.lag.ms");
    values->segment_ms = number(configs, "segment.ms");
    values->segment_bytes = number(configs, "segment.bytes");
    values->min_cleanable_dirty_ratio =
        strtod(topic_configs_get(configs, "min.cleanable.dirty.ratio"), NULL);
    values->timestamp_before_max_ms = number(configs, "message.timestamp.before.max.ms");
    values->timestamp_after_max_ms = number(configs, "message.timestamp.after.max.ms");
    values->max_message_bytes = (int32_t)number(configs, "max.message.bytes");
    values->log_append_time =
        strcmp(topic_configs_get(configs, "message.timestamp.type"), "LogAppendTime") == 0;
    values->compacts = strstr(policy, "compact") != NULL;
    values->deletes = strstr(policy, "delete") != NULL;
    values->coordinated = is_true(configs, "diskless.enable");
    compression_parse(configs, values);
}

/* --- defaults -------------------------------------------------------------------------------- */

/* The values of a topic for which nobody set anything. */
static void
defaults_parse(struct topic_defaults *defaults)
{
    struct topic_configs none = {.defaults = defaults};

    values_parse(&none, &defaults->values);
}

void
topic_configs_defaults_init(struct topic_defaults *defaults)
{
    defaults->texts = xcalloc(ARRAY_LEN(rows), sizeof *defaults->texts);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        defaults->texts[i] = xstrdup(rows[i].def.default_text);
    defaults_parse(defaults);
}

void
topic_configs_defaults_fini(struct topic_defaults *defaults)
{
    for (size_t i = 0; i < ARRAY_LEN(rows) && defaults->texts != NULL; i++)
        free(defaults->texts[i]);
    free(defaults->texts);
}

void
topic_configs_defaults_set(
    struct topic_defaults *defaults, const struct topic_config_row *row, const char *text)
{
    free(defaults->texts[row - rows]);
    defaults->texts[row - rows] = xstrdup(text != NULL ? text : row->def.default_text);
    defaults_parse(defaults);
}

/* --- configs of a topic ---------------------------------------------------------------------- */

void
topic_configs_refresh(struct topic_configs *configs)
{
    if (map_count(&configs->set) == 0)
        configs->values = configs->defaults->values;
    else
        values_parse(configs, &configs->values);
}

void
topic_configs_init(struct topic_configs *configs, const struct topic_defaults *defaults)
{
    configs->defaults = defaults;
    map_init(&configs->set);
    topic_configs_refresh(configs);
}

void
topic_configs_fini(struct topic_configs *configs)
{
    map_fini(&configs->set, free);
}

enum rc
topic_configs_check(const char *name, const char *value, struct err *e)
{
    const struct topic_config_row *row = topic_configs_find(name);

    return row == NULL ? err_set(e, RC_CONFIG, "Unknown topic config name: %s", name)
                       : config_def_check(&row->def, value, e);
}

void
topic_configs_set(struct topic_configs *configs, const char *name, const char *value)
{
    const struct topic_config_row *row = topic_configs_find(name);
    struct buf text;

    buf_init(&text, CONFIG_DEF_BYTES_MAX);
    if (value == NULL)
        free(map_remove_text(&configs->set, name));
    else if (row != NULL && config_def_read(&row->def, value, &text, NULL) == RC_OK)
        free(map_put_text(&configs->set, name, xstrdup(buf_text(&text))));
    else
        free(map_put_text(&configs->set, name, xstrdup(value)));
    buf_fini(&text);
    topic_configs_refresh(configs);
}
