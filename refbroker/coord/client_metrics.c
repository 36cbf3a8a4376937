#include "refbroker/coord/client_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/topic_pattern.h"

#define INTERVAL_MS_MIN 100
#define INTERVAL_MS_MAX 3600000

static const struct client_metrics_row rows[] = {
    {"interval.ms", CONFIG_INT, "300000", "Push interval in milliseconds"},
    {"match", CONFIG_LIST, "", "Client match pattern list"},
    {"metrics", CONFIG_LIST, "", "Subscription metrics list"},
};

static const char *const properties[] = {"client_instance_id", "client_id", "client_software_name",
    "client_software_version", "client_source_address", "client_source_port"};

const struct client_metrics_row *
client_metrics_rows(size_t *count)
{
    *count = ARRAY_LEN(rows);
    return rows;
}

static int16_t
interval_check(const char *value, struct err *e)
{
    char *end;
    long long number = strtoll(value, &end, 10);

    if (*value == '\0' || *end != '\0' || number < INT32_MIN || number > INT32_MAX) {
        (void)err_set(e, RC_CONFIG,
            "Invalid value %s for configuration interval.ms: Not a number of type INT", value);
        return KE_INVALID_CONFIG;
    }
    if (number >= INTERVAL_MS_MIN && number <= INTERVAL_MS_MAX)
        return KE_NONE;
    (void)err_set(e, RC_CONFIG,
        "Invalid value %s for interval.ms, interval must be between %d and %d (1 hour)", value,
        INTERVAL_MS_MIN, INTERVAL_MS_MAX);
    return KE_INVALID_REQUEST;
}

/* What String.trim leaves. */
static void
trim(const char **text, size_t *size)
{
    while (*size > 0 && (unsigned char)**text <= ' ')
        ++*text, --*size;
    while (*size > 0 && (unsigned char)(*text)[*size - 1] <= ' ')
        --*size;
}

/* One of the words of a match: PROPERTY=PATTERN. */
static bool
word_is_match(const char *word, size_t size)
{
    const char *sign = memchr(word, '=', size), *why;
    const char *pattern = sign == NULL ? NULL : sign + 1;
    size_t name_size = sign == NULL ? 0 : (size_t)(sign - word);
    size_t pattern_size = sign == NULL ? 0 : size - name_size - 1;
    struct topic_pattern *compiled;
    bool known = false;

    if (pattern_size == 0 || memchr(pattern, '=', pattern_size) != NULL)
        return false;
    trim(&word, &name_size);
    trim(&pattern, &pattern_size);
    for (size_t i = 0; i < ARRAY_LEN(properties); i++)
        known = known ||
                (strlen(properties[i]) == name_size && memcmp(properties[i], word, name_size) == 0);
    if (!known)
        return false;
    compiled = topic_pattern_new(pattern, pattern_size, &why);
    topic_pattern_free(compiled);
    return compiled != NULL;
}

static int16_t
match_check(const char *value, struct err *e)
{
    size_t left = strlen(value);

    while (left > 0) {
        const char *comma = memchr(value, ',', left), *word = value;
        size_t size = comma == NULL ? left : (size_t)(comma - value);
        size_t step = comma == NULL ? left : size + 1;

        trim(&word, &size);
        if (!word_is_match(word, size)) {
            (void)err_set(e, RC_CONFIG, "Illegal client matching pattern: %.*s", (int)size, word);
            return KE_INVALID_CONFIG;
        }
        value += step;
        left -= step;
    }
    return KE_NONE;
}

int16_t
client_metrics_check(const char *subscription, const char *name, const char *value, struct err *e)
{
    const struct client_metrics_row *row = NULL;

    if (*subscription == '\0') {
        (void)err_set(e, RC_CONFIG, "Subscription name can't be empty");
        return KE_INVALID_REQUEST;
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            row = &rows[i];
    /* The default of what is unknown changes nothing. */
    if (value == NULL)
        return KE_NONE;
    if (row == NULL) {
        (void)err_set(e, RC_CONFIG, "Unknown client metrics configuration: %s", name);
        return KE_INVALID_REQUEST;
    }
    if (row->type == CONFIG_INT)
        return interval_check(value, e);
    return strcmp(name, "match") == 0 ? match_check(value, e) : KE_NONE;
}
