#include "refbroker/coord/client_subscriptions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"
#include "refbroker/coord/client_metrics.h"

struct client_subscription {
    char *text;           /* of the metrics, cut into words */
    const char **metrics; /* views into it */
    size_t metric_count;
    int32_t interval_ms;
    struct client_match *match;
};

static void
subscription_free(void *value)
{
    struct client_subscription *subscription = value;

    if (subscription == NULL)
        return;
    free(subscription->text);
    free(subscription->metrics);
    client_match_free(subscription->match);
    free(subscription);
}

static bool
is_blank(char c)
{
    return (unsigned char)c <= ' ' && c != '\0';
}

/* Cuts a list as ConfigDef does: at commas, with the blanks around them and at both ends. */
static void
metrics_read(struct client_subscription *subscription, const char *text)
{
    char *at, *comma, *end;
    size_t most = 1;

    while (is_blank(*text))
        text++;
    for (const char *c = text; *c != '\0'; c++)
        most += *c == ',';
    subscription->text = xstrdup(text);
    subscription->metrics = xcalloc(most, sizeof *subscription->metrics);
    for (at = subscription->text; at != NULL; at = comma) {
        comma = strchr(at, ',');
        end = comma == NULL ? at + strlen(at) : comma;
        if (comma != NULL)
            *comma++ = '\0';
        while (end > at && is_blank(end[-1]))
            *--end = '\0';
        while (is_blank(*at))
            at++;
        if (most > 1 || *at != '\0')
            subscription->metrics[subscription->metric_count++] = at;
    }
}

static const char *
config_of(const struct resource_configs *configs, const char *subscription, const char *name)
{
    const char *set = resource_configs_get(configs, RESOURCE_CLIENT_METRICS, subscription, name);

    return set != NULL ? set : client_metrics_default(name);
}

static struct client_subscription *
subscription_read(const struct resource_configs *configs, const char *name)
{
    struct client_subscription *subscription = xcalloc(1, sizeof *subscription);
    const char *bad;
    size_t bad_size;

    metrics_read(subscription, config_of(configs, name, CLIENT_METRICS_METRICS));
    subscription->interval_ms =
        (int32_t)strtol(config_of(configs, name, CLIENT_METRICS_INTERVAL_MS), NULL, 10);
    subscription->match =
        client_match_new(config_of(configs, name, CLIENT_METRICS_MATCH), &bad, &bad_size);
    if (subscription->match != NULL)
        return subscription;
    subscription_free(subscription);
    return NULL;
}

void
client_subscriptions_init(struct client_subscriptions *subscriptions)
{
    map_init(&subscriptions->by_name);
    subscriptions->version = 0;
}

void
client_subscriptions_fini(struct client_subscriptions *subscriptions)
{
    map_fini(&subscriptions->by_name, subscription_free);
}

void
client_subscriptions_load(
    struct client_subscriptions *subscriptions, const struct resource_configs *configs)
{
    const char *name;

    for (size_t position = 0;
         (name = resource_configs_next(configs, RESOURCE_CLIENT_METRICS, &position)) != NULL;)
        client_subscriptions_update(subscriptions, configs, name);
}

void
client_subscriptions_update(struct client_subscriptions *subscriptions,
    const struct resource_configs *configs, const char *name)
{
    struct client_subscription *old = map_remove_text(&subscriptions->by_name, name), *now = NULL;

    if (resource_configs_count(configs, RESOURCE_CLIENT_METRICS, name) > 0)
        now = subscription_read(configs, name);
    if (now != NULL)
        (void)map_put_text(&subscriptions->by_name, name, now);
    if (now != NULL || old != NULL)
        subscriptions->version++;
    subscription_free(old);
}

static int
compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts, and leaves each once; where all are asked for, nothing but that. */
static void
choice_tidy(struct client_choice *choice)
{
    size_t kept = 0;

    if (choice->metric_count == 0)
        return;
    qsort(choice->metrics, choice->metric_count, sizeof *choice->metrics, compare_text);
    for (size_t i = 0; i < choice->metric_count; i++) {
        if (strcmp(choice->metrics[i], CLIENT_SUBSCRIPTIONS_ALL) == 0) {
            choice->metrics[0] = choice->metrics[i];
            kept = 1;
            break;
        }
        if (i == 0 || strcmp(choice->metrics[kept - 1], choice->metrics[i]) != 0)
            choice->metrics[kept++] = choice->metrics[i];
    }
    choice->metric_count = kept;
}

void
client_subscriptions_choose(const struct client_subscriptions *subscriptions,
    const struct client_traits *traits, struct client_choice *out)
{
    const struct client_subscription *subscription;

    *out =
        (struct client_choice){.interval_ms = (int32_t)strtol(
                                   client_metrics_default(CLIENT_METRICS_INTERVAL_MS), NULL, 10)};
    for (size_t position = 0;
         (subscription = map_next(&subscriptions->by_name, &position, NULL, NULL)) != NULL;) {
        if (!client_match_fits(subscription->match, traits))
            continue;
        if (subscription->interval_ms < out->interval_ms)
            out->interval_ms = subscription->interval_ms;
        if (subscription->metric_count == 0)
            continue;
        out->metrics = xrealloc(
            out->metrics, out->metric_count + subscription->metric_count, sizeof *out->metrics);
        memcpy(out->metrics + out->metric_count, subscription->metrics,
            subscription->metric_count * sizeof *out->metrics);
        out->metric_count += subscription->metric_count;
    }
    choice_tidy(out);
}

void
client_subscriptions_choice_fini(struct client_choice *choice)
{
    free(choice->metrics);
    choice->metrics = NULL;
    choice->metric_count = 0;
}

/* Uuid.hashCode */
static uint32_t
uuid_hash(const struct wire_uuid *uuid)
{
    uint64_t folded =
        (uint64_t)codec_bytes_int64(uuid->bytes) ^ (uint64_t)codec_bytes_int64(uuid->bytes + 8);

    return (uint32_t)(folded >> 32) ^ (uint32_t)folded;
}

int32_t
client_subscriptions_id(
    const struct client_choice *choice, const struct wire_uuid *client_instance_id)
{
    uint32_t crc = crc32c_of("[", 1);
    char end[16];

    for (size_t i = 0; i < choice->metric_count; i++) {
        if (i > 0)
            crc = crc32c_extend(crc, ", ", 2);
        crc = crc32c_extend(crc, choice->metrics[i], strlen(choice->metrics[i]));
    }
    snprintf(end, sizeof end, "]%" PRId32, choice->interval_ms);
    crc = crc32c_extend(crc, end, strlen(end));
    return (int32_t)(crc ^ uuid_hash(client_instance_id));
}
