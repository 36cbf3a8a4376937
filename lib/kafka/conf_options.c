#include "lib/kafka/conf_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/crypto/digest.h"
#include "lib/kafka/conf.h"
#include "lib/kafka/conf_text.h"

enum kind { KIND_TEXT, KIND_FILE, KIND_PEM, KIND_MS, KIND_BYTES, KIND_BOOL };

struct option_row {
    enum kind kind;
    bool secret;
    const char *fallback;
};

static const struct option_row rows[] = {
#define CONF_OPTION(option, kind, secret, fallback) {KIND_##kind, secret, fallback},
#include "lib/kafka/conf.def"
};

struct name_row {
    const char *name;
    enum conf_option option;
};

static const struct name_row names[] = {
#define CONF_NAME(name, option) {name, CONF_##option},
#include "lib/kafka/conf.def"
};

static const char *const ignored[] = {
#define CONF_IGNORED(name) name,
#include "lib/kafka/conf.def"
};

void
conf_options_init(struct conf_options *options)
{
    memset(options, 0, sizeof *options);
}

static void
value_drop(struct conf_value *value)
{
    if (value->text != NULL)
        digest_wipe(value->text, strlen(value->text));
    free(value->text);
    free(value->origin);
}

void
conf_options_fini(struct conf_options *options)
{
    for (size_t i = 0; i < CONF_OPTION_COUNT; i++)
        value_drop(&options->values[i]);
    conf_options_init(options);
}

static bool
is_ignored(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
        size_t size = strlen(ignored[i]);

        if (strcmp(ignored[i], name) == 0 ||
            (ignored[i][size - 1] == '*' && strncmp(ignored[i], name, size - 1) == 0))
            return true;
    }
    return false;
}

static void
nearest_try(const char *candidate, const char *name, const char **best, size_t *best_distance)
{
    size_t distance = conf_text_distance(candidate, name);

    if (distance < *best_distance) {
        *best = candidate;
        *best_distance = distance;
    }
}

static enum rc
name_unknown(const char *name, const char *origin, struct err *e)
{
    /* Further away it would be a guess, not a spelling mistake. */
    size_t distance = strlen(name) / 3 + 1;
    const char *best = NULL;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        nearest_try(names[i].name, name, &best, &distance);
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        nearest_try(ignored[i], name, &best, &distance);
    if (best == NULL)
        return err_set(e, RC_CONFIG, "%s: no Kafka client knows the property %.100s", origin, name);
    return err_set(e, RC_CONFIG, "%s: no Kafka client knows the property %.100s. Did you mean %s?",
        origin, name, best);
}

enum rc
conf_options_find(const char *name, const char *origin, enum conf_option *option, struct err *e)
{
    *option = CONF_OPTION_COUNT;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i].name, name) == 0) {
            *option = names[i].option;
            return RC_OK;
        }
    }
    return is_ignored(name) ? RC_OK : name_unknown(name, origin, e);
}

/* A whole number within limits; -1 otherwise. */
static int64_t
number_of(const char *text, int64_t min, int64_t max)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max)
        return -1;
    return value;
}

static enum rc
value_check(enum kind kind, const char *name, const char *value, const char *origin, struct err *e)
{
    switch (kind) {
    case KIND_MS:
        if (number_of(value, 1, CONF_MS_MAX) < 0)
            return err_set(
                e, RC_CONFIG, "%s: %s must be 1 to %d milliseconds", origin, name, CONF_MS_MAX);
        break;
    case KIND_BYTES:
        if (number_of(value, 1024, INT32_MAX) < 0)
            return err_set(
                e, RC_CONFIG, "%s: %s must be 1024 to %d bytes", origin, name, INT32_MAX);
        break;
    case KIND_BOOL:
        if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
            return err_set(e, RC_CONFIG, "%s: %s must be true or false", origin, name);
        break;
    case KIND_PEM:
        if (value[0] != '\0' && strstr(value, "-----BEGIN ") == NULL)
            return err_set(e, RC_CONFIG,
                "%s: %s must hold PEM text (-----BEGIN ...); a file belongs into ssl.*.location",
                origin, name);
        break;
    case KIND_TEXT:
    case KIND_FILE:
        break;
    }
    return RC_OK;
}

enum rc
conf_options_set(struct conf_options *options, enum conf_option option, const char *name,
    const char *value, const char *origin, struct err *e)
{
    struct conf_value *slot = &options->values[option];
    enum rc rc = value_check(rows[option].kind, name, value, origin, e);

    if (rc != RC_OK)
        return rc;
    value_drop(slot);
    slot->text = rows[option].kind == KIND_PEM ? conf_text_pem(value) : xstrdup(value);
    slot->origin = xstrdup(origin);
    slot->name = NULL;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].option == option && (slot->name == NULL || strcmp(names[i].name, name) == 0))
            slot->name = names[i].name;
    slot->order = ++options->order;
    return RC_OK;
}

const char *
conf_options_text(const struct conf_options *options, enum conf_option option)
{
    const char *text = options->values[option].text;

    if (text == NULL)
        return rows[option].fallback;
    return text[0] == '\0' ? NULL : text;
}

int64_t
conf_options_number(const struct conf_options *options, enum conf_option option)
{
    return number_of(conf_options_text(options, option), 0, INT64_MAX);
}

enum conf_option
conf_options_latest(
    const struct conf_options *options, const enum conf_option *candidates, size_t count)
{
    enum conf_option best = CONF_OPTION_COUNT;

    for (size_t i = 0; i < count; i++)
        if (conf_options_text(options, candidates[i]) != NULL &&
            (best == CONF_OPTION_COUNT ||
                options->values[candidates[i]].order > options->values[best].order))
            best = candidates[i];
    return best;
}

void
conf_options_describe(const struct conf_options *options, struct buf *out)
{
    for (size_t i = 0; i < CONF_OPTION_COUNT; i++) {
        const struct conf_value *value = &options->values[i];

        if (value->text == NULL)
            continue;
        buf_printf(out, "%s=%s   # %s\n", value->name,
            rows[i].secret             ? "****"
            : rows[i].kind == KIND_PEM ? "(PEM text)"
                                       : value->text,
            value->origin);
    }
}
