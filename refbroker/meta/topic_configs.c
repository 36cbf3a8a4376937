#include "refbroker/meta/topic_configs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"

/* --- rules ----------------------------------------------------------------------------------- */

/* A rule sees the text in Kafka's form (see normalize). */

static enum rc
refuse(const struct topic_config_row *row, const char *text, const char *why, struct err *e)
{
    return err_set(e, RC_CONFIG, "Invalid value %s for configuration %s: %s", text, row->name, why);
}

static enum rc
between(
    const struct topic_config_row *row, const char *text, int64_t low, int64_t high, struct err *e)
{
    int64_t number = strtoll(text, NULL, 10);
    char why[64];

    if (number >= low && number <= high)
        return RC_OK;
    snprintf(why, sizeof why,
        number < low ? "Value must be at least %" PRId64 : "Value must be no more than %" PRId64,
        number < low ? low : high);
    return refuse(row, text, why, e);
}

static enum rc
from_0(const struct topic_config_row *row, const char *text, struct err *e)
{
    return between(row, text, 0, INT64_MAX, e);
}

static enum rc
from_1(const struct topic_config_row *row, const char *text, struct err *e)
{
    return between(row, text, 1, INT64_MAX, e);
}

static enum rc
from_4(const struct topic_config_row *row, const char *text, struct err *e)
{
    return between(row, text, 4, INT64_MAX, e);
}

static enum rc
from_minus_1(const struct topic_config_row *row, const char *text, struct err *e)
{
    return between(row, text, -1, INT64_MAX, e);
}

static enum rc
from_minus_2(const struct topic_config_row *row, const char *text, struct err *e)
{
    return between(row, text, -2, INT64_MAX, e);
}

static enum rc
segment_bytes(const struct topic_config_row *row, const char *text, struct err *e)
{
    return between(row, text, 1048576, INT64_MAX, e);
}

static enum rc
gzip_level(const struct topic_config_row *row, const char *text, struct err *e)
{
    int64_t level = strtoll(text, NULL, 10);

    return level == -1 || (level >= 1 && level <= 9)
               ? RC_OK
               : refuse(row, text, "Value must be between 1 and 9 or equal to -1", e);
}

static enum rc
lz4_level(const struct topic_config_row *row, const char *text, struct err *e)
{
    return between(row, text, 1, 17, e);
}

static enum rc
zstd_level(const struct topic_config_row *row, const char *text, struct err *e)
{
    return between(row, text, -131072, 22, e);
}

static enum rc
anything(const struct topic_config_row *row, const char *text, struct err *e)
{
    (void)row;
    (void)text;
    (void)e;
    return RC_OK;
}

static enum rc
ratio(const struct topic_config_row *row, const char *text, struct err *e)
{
    double number = strtod(text, NULL);

    if (number >= 0 && number <= 1)
        return RC_OK;
    return refuse(
        row, text, number > 1 ? "Value must be no more than 1" : "Value must be at least 0", e);
}

/* The text is one of the words in `words`, which stand between commas. */
static enum rc
one_of(const struct topic_config_row *row, const char *text, const char *words, struct err *e)
{
    char why[128];
    size_t size = strlen(text);

    for (const char *word = words; *word != '\0'; word += strspn(word, ", ")) {
        size_t length = strcspn(word, ",");

        if (length == size && memcmp(word, text, size) == 0)
            return RC_OK;
        word += length;
    }
    snprintf(why, sizeof why, "String must be one of: %s", words);
    return refuse(row, text, why, e);
}

static enum rc
compression_type(const struct topic_config_row *row, const char *text, struct err *e)
{
    return one_of(row, text, "uncompressed, zstd, lz4, snappy, gzip, producer", e);
}

static enum rc
timestamp_type(const struct topic_config_row *row, const char *text, struct err *e)
{
    return one_of(row, text, "CreateTime, LogAppendTime", e);
}

static enum rc
cleanup_policy(const struct topic_config_row *row, const char *text, struct err *e)
{
    const char *at = text;
    char word[32];
    enum rc rc;

    if (*text == '\0')
        return RC_OK;
    for (;;) {
        size_t size = strcspn(at, ",");

        if (size == 0)
            return err_set(e, RC_CONFIG, "Configuration '%s' values must not be empty.", row->name);
        snprintf(word, sizeof word, "%.*s", (int)size, at);
        rc = one_of(row, word, "compact, delete", e);
        if (rc != RC_OK || at[size] == '\0')
            return rc;
        at += size + 1;
    }
}

/* Java shows a list in brackets, with a space behind each comma. */
static enum rc
replicas_refuse(const struct topic_config_row *row, const char *text, struct err *e)
{
    struct buf shown;
    enum rc rc;

    buf_init(&shown, 2 * TOPIC_CONFIG_BYTES_MAX);
    for (; *text != '\0'; text++)
        buf_append_text(&shown, *text == ',' ? ", " : (const char[]){*text, '\0'});
    rc = err_set(e, RC_CONFIG,
        "Invalid value [%s] for configuration %s: %s must be the literal '*' or a list of replicas "
        "in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
        buf_text(&shown), row->name, row->name);
    buf_fini(&shown);
    return rc;
}

/* "*", or a list of partition:broker pairs, some of which may be empty. */
static enum rc
replicas(const struct topic_config_row *row, const char *text, struct err *e)
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
    return replicas_refuse(row, text, e);
}

static const struct topic_config_row rows[] = {
#define TOPIC_CONFIG(name, type, default_text, check, effect, broker_name, help)                   \
    {name, CONFIG_##type, default_text, check, TOPIC_CONFIG_##effect, broker_name, help},
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

/* What is no number, in a metadata file of another version, must not become a retention of 0. */
static int64_t
number(const struct topic_configs *configs, const char *name)
{
    const char *text = topic_configs_get(configs, name);
    char *end;
    int64_t value = strtoll(text, &end, 10);

    if (end != text && *end == '\0')
        return value;
    return strtoll(topic_configs_find(name)->default_text, NULL, 10);
}

static bool
is_true(const struct topic_configs *configs, const char *name)
{
    return strcmp(topic_configs_get(configs, name), "true") == 0;
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

/* --- Kafka's form of a text ------------------------------------------------------------------ */

static enum rc
not_a_number(const struct topic_config_row *row, const char *text, struct err *e)
{
    static const char *const names[] = {
        "", "BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"};
    char why[48];

    snprintf(why, sizeof why, "Not a number of type %s", names[row->type]);
    return refuse(row, text, why, e);
}

static bool
is_space(char c)
{
    return (unsigned char)c <= ' ';
}

/* The text without what String.trim takes away. */
static const char *
trim(const char *text, size_t *size)
{
    while (*text != '\0' && is_space(*text))
        text++;
    *size = strlen(text);
    while (*size > 0 && is_space(text[*size - 1]))
        --*size;
    return text;
}

static enum rc
integer(const struct topic_config_row *row, const char *text, struct buf *out, struct err *e)
{
    int64_t low = row->type == CONFIG_INT ? INT32_MIN : INT64_MIN;
    int64_t high = row->type == CONFIG_INT ? INT32_MAX : INT64_MAX;
    int64_t number;
    size_t size, sign;
    const char *digits = trim(text, &size);
    char *end;

    sign = *digits == '+' || *digits == '-';
    if (size == sign || strspn(digits + sign, "0123456789") != size - sign)
        return not_a_number(row, text, e);
    errno = 0;
    number = strtoll(digits, &end, 10);
    if (errno != 0 || number < low || number > high)
        return not_a_number(row, text, e);
    buf_printf(out, "%" PRId64, number);
    return RC_OK;
}

static enum rc
real(const struct topic_config_row *row, const char *text, struct buf *out, struct err *e)
{
    size_t size;
    const char *digits = trim(text, &size);
    char *end;

    /* Java takes a letter for the type at the end; it does not take the C library's other words. */
    if (size > 1 && strchr("fFdD", digits[size - 1]) != NULL)
        size--;
    if (strspn(digits, "0123456789+-.eE") < size)
        return not_a_number(row, text, e);
    buf_append(out, digits, size);
    (void)strtod(buf_text(out), &end);
    return size > 0 && *end == '\0' ? RC_OK : not_a_number(row, text, e);
}

static enum rc
boolean(const struct topic_config_row *row, const char *text, struct buf *out, struct err *e)
{
    size_t size;
    const char *word = trim(text, &size);
    bool value = size == 4 && strncasecmp(word, "true", 4) == 0;

    if (!value && (size != 5 || strncasecmp(word, "false", 5) != 0))
        return refuse(row, text, "Expected value to be either true or false", e);
    buf_append_text(out, value ? "true" : "false");
    return RC_OK;
}

static bool
has_element(const char *list, const char *element, size_t size)
{
    for (const char *at = list; *at != '\0'; at += strspn(at, ",")) {
        size_t length = strcspn(at, ",");

        if (length == size && memcmp(at, element, size) == 0)
            return true;
        at += length;
    }
    return false;
}

/* Elements without the spaces around them, and each once where the config is a set. */
static void
list(const struct topic_config_row *row, const char *text, struct buf *out)
{
    bool is_set = row->check == cleanup_policy;
    size_t left;
    const char *at = trim(text, &left);

    for (bool first = true; left > 0 || !first; first = false) {
        const char *comma = memchr(at, ',', left), *element = at;
        size_t size = comma == NULL ? left : (size_t)(comma - at);
        size_t whole = size;

        while (size > 0 && is_space(*element))
            element++, size--;
        while (size > 0 && is_space(element[size - 1]))
            size--;
        if (!is_set || !has_element(buf_text(out), element, size))
            buf_printf(out, "%s%.*s", first ? "" : ",", (int)size, element);
        if (comma == NULL)
            break;
        at += whole + 1;
        left -= whole + 1;
    }
}

/* Writes the text as Kafka shows it: numbers as numbers, without spaces around. */
static enum rc
normalize(const struct topic_config_row *row, const char *text, struct buf *out, struct err *e)
{
    const char *word;
    size_t size;

    if (strlen(text) > TOPIC_CONFIG_BYTES_MAX)
        return err_set(e, RC_CONFIG, "Invalid value for configuration %s: longer than %d bytes",
            row->name, TOPIC_CONFIG_BYTES_MAX);
    switch (row->type) {
    case CONFIG_INT:
    case CONFIG_LONG:
        return integer(row, text, out, e);
    case CONFIG_DOUBLE:
        return real(row, text, out, e);
    case CONFIG_BOOLEAN:
        return boolean(row, text, out, e);
    case CONFIG_LIST:
        list(row, text, out);
        return RC_OK;
    default:
        word = trim(text, &size);
        buf_append(out, word, size);
        return RC_OK;
    }
}

enum rc
topic_configs_check(const char *name, const char *value, struct err *e)
{
    const struct topic_config_row *row = topic_configs_find(name);
    struct buf text;
    enum rc rc;

    if (row == NULL)
        return err_set(e, RC_CONFIG, "Unknown topic config name: %s", name);
    buf_init(&text, TOPIC_CONFIG_BYTES_MAX);
    rc = normalize(row, value, &text, e);
    if (rc == RC_OK)
        rc = row->check(row, buf_text(&text), e);
    buf_fini(&text);
    return rc;
}

void
topic_configs_set(struct topic_configs *configs, const char *name, const char *value)
{
    const struct topic_config_row *row = topic_configs_find(name);
    struct buf text;

    buf_init(&text, TOPIC_CONFIG_BYTES_MAX);
    if (value == NULL)
        free(map_remove_text(&configs->set, name));
    else if (row != NULL && normalize(row, value, &text, NULL) == RC_OK)
        free(map_put_text(&configs->set, name, xstrdup(buf_text(&text))));
    else
        free(map_put_text(&configs->set, name, xstrdup(value)));
    buf_fini(&text);
    values_parse(configs);
}
