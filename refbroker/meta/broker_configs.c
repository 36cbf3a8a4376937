#include "refbroker/meta/broker_configs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/xalloc.h"
#include "refbroker/broker.h"
#include "refbroker/limits.h"

/* None, or the one that Kafka has. */
#define AUTHORIZERS ", org.apache.kafka.metadata.authorizer.StandardAuthorizer"

/* What stands before the configs of the one listener that there is. */
#define OWN_LISTENER "listener.name.plaintext."

#define KEPT_HELP "kept and shown; this broker does not act on it"

#define AT(place, member) BROKER_CONFIG_##place, offsetof(struct broker_options, member)
#define AT_INT(member) AT(INT, member)
#define AT_LONG(member) AT(LONG, member)
#define AT_BYTES(member) AT(BYTES, member)
#define AT_BOOLEAN(member) AT(BOOLEAN, member)
#define AT_CHOICE(member) AT(CHOICE, member)
#define AT_BITS(member) AT(BITS, member)
#define AT_TOPICS BROKER_CONFIG_NOWHERE, 0
#define AT_START BROKER_CONFIG_NOWHERE, 0
#define AT_LISTENER BROKER_CONFIG_LISTENER, 0

/* The place of a text of `size` bytes among words, -1 where it is none. */
static int64_t
word_find(const char *words, const char *text, size_t size)
{
    for (int64_t i = 0;; i++) {
        size_t length = strcspn(words, ",");

        if (length == size && strncasecmp(words, text, size) == 0)
            return i;
        if (words[length] == '\0')
            return -1;
        words += length + 1 + strspn(words + length + 1, " ");
    }
}

/* One of the words, in letters of any case. */
static enum rc
any_case(const struct config_def *def, const char *text, struct err *e)
{
    char why[128];

    if (word_find(def->check.words, text, strlen(text)) >= 0)
        return RC_OK;
    snprintf(why, sizeof why, "String must be one of (case insensitive): %s", def->check.words);
    return config_def_refuse(def, text, why, e);
}

#define ONE_OF_ANY_CASE(words)                                                                     \
    {                                                                                              \
        INT64_MIN, INT64_MAX, (words), any_case                                                    \
    }

static const struct broker_config_row rows[] = {
#define BROKER_CONFIG(name, type, standard, check, mode, place, help)                              \
    {{name, CONFIG_##type, standard, check, help}, BROKER_CONFIG_##mode, BROKER_CONFIG_ACTS, place},
#define AUTHORIZER_CONFIG(name, help)                                                              \
    {{name, CONFIG_UNKNOWN, NULL, CONFIG_ANY, help}, BROKER_CONFIG_CLUSTER_WIDE,                   \
        BROKER_CONFIG_TAKEN, BROKER_CONFIG_NOWHERE, 0},
#define GROUP_SETTING(member, name, type, standard, check, mode, help)                             \
    {{name, CONFIG_##type, standard, check, help}, BROKER_CONFIG_##mode, BROKER_CONFIG_ACTS,       \
        AT_LONG(groups.member)},
#define KEPT_CONFIG(name, type, standard, check, mode)                                             \
    {{name, CONFIG_##type, standard, check, KEPT_HELP}, BROKER_CONFIG_##mode, BROKER_CONFIG_KEPT,  \
        BROKER_CONFIG_NOWHERE, 0},
#define EXTRA_CONFIG(name, type, check, mode)                                                      \
    {{name, CONFIG_##type, NULL, check, KEPT_HELP}, BROKER_CONFIG_##mode, BROKER_CONFIG_EXTRA,     \
        BROKER_CONFIG_NOWHERE, 0},
#define FOREIGN_CONFIG(name)                                                                       \
    {{name, CONFIG_STRING, NULL, CONFIG_ANY, KEPT_HELP}, BROKER_CONFIG_READ_ONLY,                  \
        BROKER_CONFIG_FOREIGN, BROKER_CONFIG_NOWHERE, 0},
#include "refbroker/meta/broker_configs.def"
#undef BROKER_CONFIG
#undef AUTHORIZER_CONFIG
#undef GROUP_SETTING
#undef KEPT_CONFIG
#undef EXTRA_CONFIG
#undef FOREIGN_CONFIG
};

/* Where the first has no value, the second counts, so many times. */
static const struct {
    const char *name;
    const char *coarser;
    int64_t factor;
} fallbacks[] = {
    {"log.retention.ms", "log.retention.minutes", INT64_C(60000)},
    {"log.retention.ms", "log.retention.hours", INT64_C(3600000)},
    {"log.roll.ms", "log.roll.hours", INT64_C(3600000)},
    {"log.roll.jitter.ms", "log.roll.jitter.hours", INT64_C(3600000)},
    {"log.flush.interval.ms", "log.flush.scheduler.interval.ms", 1},
};

const struct broker_config_row *
broker_configs_rows(size_t *count)
{
    *count = ARRAY_LEN(rows);
    return rows;
}

static int
compare_name(const void *name, const void *row)
{
    return strcmp(name, ((const struct broker_config_row *)row)->def.name);
}

const struct broker_config_row *
broker_configs_find(const char *name)
{
    return bsearch(name, rows, ARRAY_LEN(rows), sizeof rows[0], compare_name);
}

/* --- names of listeners ---------------------------------------------------------------------- */

const char *
broker_configs_behind_listener(const char *name)
{
    static const char prefix[] = "listener.name.";
    const char *dot;

    if (strncmp(name, prefix, strlen(prefix)) != 0)
        return NULL;
    dot = strchr(name + strlen(prefix), '.');
    return dot == NULL ? NULL : dot + 1;
}

/* The config that a listener's overrides: some stand behind the name of a mechanism, too. */
static const char *
overridden(const char *name)
{
    static const char *const of_mechanisms[] = {"sasl.jaas.config",
        "sasl.login.callback.handler.class", "sasl.login.class",
        "sasl.server.callback.handler.class", "connections.max.reauth.ms"};
    const char *base = broker_configs_behind_listener(name);

    for (size_t i = 0; base != NULL && i < ARRAY_LEN(of_mechanisms); i++) {
        size_t size = strlen(base), length = strlen(of_mechanisms[i]);

        if (size > length && strcmp(base + size - length, of_mechanisms[i]) == 0)
            return of_mechanisms[i];
    }
    return base;
}

enum config_type
broker_configs_type(const char *name)
{
    const struct broker_config_row *row = broker_configs_find(name);
    const char *base = overridden(name);

    if (row == NULL && base != NULL)
        row = broker_configs_find(base);
    return row == NULL ? CONFIG_UNKNOWN : row->def.type;
}

/* --- values ---------------------------------------------------------------------------------- */

/* The names that a value is looked for under: its own, then what it falls back to. */
static size_t
names_of(const char *name, const char *names[3])
{
    const char *base = overridden(name);
    size_t count = 0;

    names[count++] = name;
    if (base != NULL)
        names[count++] = base;
    for (size_t i = 0; i < ARRAY_LEN(fallbacks); i++)
        if (strcmp(fallbacks[i].name, name) == 0)
            names[count++] = fallbacks[i].coarser;
    return count;
}

static const char *
text_of(const struct broker *broker, const char *name, enum config_source source)
{
    const struct broker_config_row *row;
    char id[16] = "";

    switch (source) {
    case CONFIG_SOURCE_BROKER:
        snprintf(id, sizeof id, "%d", broker->options.node_id);
        /* fallthrough */
    case CONFIG_SOURCE_ALL_BROKERS:
        return resource_configs_get(&broker->resource_configs, RESOURCE_BROKER, id, name);
    case CONFIG_SOURCE_STATIC_BROKER:
        /* An older name. */
        return map_get_text(
            &broker->options.given, strcmp(name, "broker.id") == 0 ? "node.id" : name);
    default:
        row = broker_configs_find(name);
        return row == NULL ? NULL : row->def.default_text;
    }
}

size_t
broker_configs_values(const struct broker *broker, const char *name,
    struct broker_config_value values[BROKER_CONFIG_VALUES_MAX])
{
    static const enum config_source sources[] = {CONFIG_SOURCE_BROKER, CONFIG_SOURCE_ALL_BROKERS,
        CONFIG_SOURCE_STATIC_BROKER, CONFIG_SOURCE_DEFAULT};
    const char *names[3];
    size_t name_count = names_of(name, names), count = 0;

    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        for (size_t k = 0; k < name_count; k++) {
            const char *text = text_of(broker, names[k], sources[i]);

            /* What others have before it counts only where it has a value itself (ConfigHelper). */
            if (text != NULL && (count > 0 || k == 0))
                values[count++] = (struct broker_config_value){names[k], text, sources[i]};
        }
    return count;
}

const char *
broker_configs_in_force(
    const struct broker *broker, const char *name, const char *resource, const char *value)
{
    const char *own = text_of(broker, name, CONFIG_SOURCE_BROKER);
    const char *all = text_of(broker, name, CONFIG_SOURCE_ALL_BROKERS);
    const char *given = text_of(broker, name, CONFIG_SOURCE_STATIC_BROKER);

    if (resource != NULL && *resource == '\0')
        all = value;
    else if (resource != NULL)
        own = value;
    if (own != NULL)
        return own;
    if (all != NULL)
        return all;
    return given != NULL ? given : text_of(broker, name, CONFIG_SOURCE_DEFAULT);
}

/* --- where values are held ------------------------------------------------------------------- */

static int64_t
bits_parse(const char *words, const char *text)
{
    int64_t bits = 0;

    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        int64_t place = word_find(words, text, length);

        if (place >= 0)
            bits |= INT64_C(1) << place;
        text += length + (text[length] == ',');
    }
    return bits;
}

/* What is more than a whole number can be is the largest one. */
static int64_t
whole(const struct config_def *def, const char *text)
{
    double number;

    if (def->type != CONFIG_DOUBLE)
        return strtoll(text, NULL, 10);
    number = strtod(text, NULL);
    return number >= (double)INT64_MAX ? INT64_MAX : (int64_t)number;
}

/* Holds a text that was read by config_def_read. */
static void
hold(struct broker_options *options, const struct broker_config_row *row, const char *text)
{
    char *at = (char *)options + row->offset;
    int64_t number = whole(&row->def, text);

    switch (row->place) {
    case BROKER_CONFIG_NOWHERE:
    case BROKER_CONFIG_LISTENER:
        break;
    case BROKER_CONFIG_INT:
        memcpy(at, &(int32_t){(int32_t)number}, sizeof(int32_t));
        break;
    case BROKER_CONFIG_BYTES:
        memcpy(at, &(size_t){(size_t)number}, sizeof(size_t));
        break;
    case BROKER_CONFIG_BOOLEAN:
        memcpy(at, &(bool){strcmp(text, "true") == 0}, sizeof(bool));
        break;
    case BROKER_CONFIG_CHOICE:
        number = word_find(row->def.check.words, text, strlen(text));
        memcpy(at, &number, sizeof number);
        break;
    case BROKER_CONFIG_BITS:
        number = bits_parse(row->def.check.words, text);
        memcpy(at, &number, sizeof number);
        break;
    case BROKER_CONFIG_LONG:
        memcpy(at, &number, sizeof number);
        break;
    }
}

void
broker_configs_default(struct broker_options *options)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].def.default_text != NULL)
            hold(options, &rows[i], rows[i].def.default_text);
}

bool
broker_configs_is_setting(const struct broker_config_row *row)
{
    return row->effect == BROKER_CONFIG_ACTS || row->effect == BROKER_CONFIG_TAKEN;
}

/* The row of a setting that may be given, or NULL: `e` says why. */
static const struct broker_config_row *
given_row(const char *name, struct err *e)
{
    const char *base = overridden(name);
    const struct broker_config_row *row = broker_configs_find(base == NULL ? name : base);

    if (row == NULL || row->effect == BROKER_CONFIG_FOREIGN ||
        (base != NULL && row->place != BROKER_CONFIG_LISTENER))
        (void)err_set(e, RC_CONFIG, "unknown setting %s; --set help lists them", name);
    else if (!broker_configs_is_setting(row))
        (void)err_set(e, RC_CONFIG, "%s changes nothing here; --set help lists what does", name);
    else if (base != NULL && strncmp(name, OWN_LISTENER, strlen(OWN_LISTENER)) != 0)
        (void)err_set(e, RC_CONFIG,
            "%s: the listener of this broker is called PLAINTEXT: " OWN_LISTENER "%s", name,
            broker_configs_behind_listener(name));
    else
        return row;
    return NULL;
}

enum rc
broker_configs_give(
    struct broker_options *options, const char *name, const char *text, struct err *e)
{
    const struct broker_config_row *row = given_row(name, e);
    struct buf shown;
    enum rc rc;

    if (row == NULL)
        return RC_CONFIG;
    buf_init(&shown, CONFIG_DEF_BYTES_MAX);
    rc = config_def_read(&row->def, text, &shown, e);
    if (rc == RC_OK) {
        hold(options, row, buf_text(&shown));
        free(map_put_text(&options->given, name, xstrdup(text)));
    }
    buf_fini(&shown);
    return rc;
}

enum rc
broker_configs_given(struct broker_options *options, struct err *e)
{
    logins_fini(&options->logins);
    return logins_read(&options->given, &options->logins, e);
}

/* --- effect ---------------------------------------------------------------------------------- */

/* Holds what is in force; what a metadata file of another version may have wrong does no harm. */
static void
effect_options(struct broker *broker, const struct broker_config_row *row)
{
    const char *text = broker_configs_in_force(broker, row->def.name, NULL, NULL);
    struct buf shown;

    if (text == NULL || row->place == BROKER_CONFIG_NOWHERE)
        return;
    buf_init(&shown, CONFIG_DEF_BYTES_MAX);
    if (config_def_read(&row->def, text, &shown, NULL) == RC_OK)
        hold(&broker->options, row, buf_text(&shown));
    buf_fini(&shown);
}

/* What topics inherit: the value of the broker's config, or of the one that it falls back to. */
static void
inherited(const struct broker *broker, const char *name, struct buf *out)
{
    const char *text = broker_configs_in_force(broker, name, NULL, NULL);

    if (text != NULL && config_def_read(&broker_configs_find(name)->def, text, out, NULL) != RC_OK)
        buf_clear(out);
    for (size_t i = 0; i < ARRAY_LEN(fallbacks) && text == NULL; i++) {
        if (strcmp(fallbacks[i].name, name) != 0)
            continue;
        text = broker_configs_in_force(broker, fallbacks[i].coarser, NULL, NULL);
        if (text != NULL)
            buf_printf(out, "%" PRId64, (int64_t)strtoll(text, NULL, 10) * fallbacks[i].factor);
    }
}

static void
effect_topics(struct broker *broker, const struct topic_config_row *row)
{
    struct buf text;
    const char *value;

    buf_init(&text, CONFIG_DEF_BYTES_MAX);
    inherited(broker, row->broker_name, &text);
    value = text.size == 0 && row->def.type != CONFIG_LIST ? NULL : buf_text(&text);
    /* Every time below 0 is for ever (KafkaConfig). */
    if (value != NULL && strcmp(row->broker_name, "log.retention.ms") == 0 && *value == '-')
        value = "-1";
    if (strcmp(topic_configs_defaults_get(&broker->topics.defaults, row),
            value == NULL ? row->def.default_text : value) != 0)
        topics_set_default(&broker->topics, row, value);
    buf_fini(&text);
}

void
broker_configs_take_effect(struct broker *broker, const char *name)
{
    const struct broker_config_row *row = broker_configs_find(name);
    size_t count;
    const struct topic_config_row *topic_rows = topic_configs_rows(&count);

    if (row == NULL)
        return;
    effect_options(broker, row);
    for (size_t i = 0; i < count; i++)
        if (topic_rows[i].broker_name != NULL && strcmp(topic_rows[i].broker_name, name) == 0)
            effect_topics(broker, &topic_rows[i]);
}

void
broker_configs_load(struct broker *broker)
{
    size_t count;
    const struct topic_config_row *topic_rows = topic_configs_rows(&count);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (text_of(broker, rows[i].def.name, CONFIG_SOURCE_BROKER) != NULL ||
            text_of(broker, rows[i].def.name, CONFIG_SOURCE_ALL_BROKERS) != NULL)
            effect_options(broker, &rows[i]);
    for (size_t i = 0; i < count; i++)
        if (topic_rows[i].broker_name != NULL)
            effect_topics(broker, &topic_rows[i]);
}
