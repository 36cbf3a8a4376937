#include "refbroker/coord/client_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/client_match.h"

#define INTERVAL_MS_MIN 100
#define INTERVAL_MS_MAX 3600000

static const struct client_metrics_row rows[] = {
    {CLIENT_METRICS_INTERVAL_MS, CONFIG_INT, "300000", "Push interval in milliseconds"},
    {CLIENT_METRICS_MATCH, CONFIG_LIST, "", "Client match pattern list"},
    {CLIENT_METRICS_METRICS, CONFIG_LIST, "", "Subscription metrics list"},
};

const struct client_metrics_row *
client_metrics_rows(size_t *count)
{
    *count = ARRAY_LEN(rows);
    return rows;
}

static const struct client_metrics_row *
row_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

const char *
client_metrics_default(const char *name)
{
    const struct client_metrics_row *row = row_find(name);

    REQUIRE(row != NULL);
    return row->default_text;
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

static int16_t
match_check(const char *value, struct err *e)
{
    const char *bad = NULL;
    size_t bad_size = 0;
    struct client_match *match = client_match_new(value, &bad, &bad_size);

    client_match_free(match);
    if (match != NULL)
        return KE_NONE;
    (void)err_set(e, RC_CONFIG, "Illegal client matching pattern: %.*s", (int)bad_size, bad);
    return KE_INVALID_CONFIG;
}

int16_t
client_metrics_check(const char *subscription, const char *name, const char *value, struct err *e)
{
    const struct client_metrics_row *row = row_find(name);

    if (*subscription == '\0') {
        (void)err_set(e, RC_CONFIG, "Subscription name can't be empty");
        return KE_INVALID_REQUEST;
    }
    /* The default of what is unknown changes nothing. */
    if (value == NULL)
        return KE_NONE;
    if (row == NULL) {
        (void)err_set(e, RC_CONFIG, "Unknown client metrics configuration: %s", name);
        return KE_INVALID_REQUEST;
    }
    if (row->type == CONFIG_INT)
        return interval_check(value, e);
    return strcmp(name, CLIENT_METRICS_MATCH) == 0 ? match_check(value, e) : KE_NONE;
}
