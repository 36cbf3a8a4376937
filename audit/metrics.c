#include "audit/metrics.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/env.h"
#include "lib/base/lines.h"
#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"

#define FAMILY "brokertopicmetrics"
#define START "process_start_time_seconds"
#define NAME_MAX_BYTES 256
#define START_SAME_S 0.0005 /* the exporter gives milliseconds */

enum kind { BYTES_IN, BYTES_OUT, MESSAGES_IN, KINDS };

static const char *const kind_names[KINDS] = {"bytesin", "bytesout", "messagesin"};

/* One file. A counter that it does not have is NaN. */
struct scrape {
    double started_s; /* NaN: not told */
    double at_s;
    double (*counters)[KINDS]; /* by topic */
    uint64_t samples;          /* of topics; */
    uint64_t found;            /* of these, of topics of the inventory */
};

/* --- lines ------------------------------------------------------------------------------------ */

/* A sample, cut to pieces in its line. */
struct sample {
    const char *name;
    char topic[NAME_MAX_BYTES]; /* labels; "" where there is none */
    char mbean[NAME_MAX_BYTES];
    double value;
};

/* Reads one `name="value"`; false where the text is none. *at is set behind it and its comma. */
static bool
label_read(char **at, const char **name, char *value, size_t size)
{
    char *p = *at;
    size_t used = 0;

    p += strspn(p, " ,");
    *name = p;
    p += strcspn(p, "=\" }");
    if (*p != '=' || p[1] != '"')
        return false;
    *p = '\0';
    for (p += 2; *p != '"' && *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        if (used + 1 < size)
            value[used++] = *p;
    }
    value[used] = '\0';
    if (*p != '"')
        return false;
    *at = p + 1 + strspn(p + 1, " ,");
    return true;
}

static bool
labels_read(char **at, struct sample *sample)
{
    char value[NAME_MAX_BYTES];
    const char *name;

    while (**at != '}') {
        if (!label_read(at, &name, value, sizeof value))
            return false;
        if (strcmp(name, "topic") == 0)
            memcpy(sample->topic, value, sizeof value);
        else if (strcmp(name, "name") == 0)
            memcpy(sample->mbean, value, sizeof value);
    }
    (*at)++;
    return true;
}

/* Prometheus' text format: name{label="value",...} value [time]. */
static bool
sample_read(char *line, struct sample *sample)
{
    char *at = line + strcspn(line, "{ "), *end;
    bool labelled = *at == '{';

    sample->name = line;
    sample->topic[0] = sample->mbean[0] = '\0';
    if (*at == '\0' || at == line)
        return false;
    *at++ = '\0';
    if (labelled && !labels_read(&at, sample))
        return false;
    sample->value = strtod(at, &end);
    return end != at && isfinite(sample->value) && sample->value >= 0;
}

static void
lower(const char *from, char *to, size_t size)
{
    size_t i = 0;

    for (; i + 1 < size && from[i] != '\0'; i++)
        to[i] = (char)tolower((unsigned char)from[i]);
    to[i] = '\0';
}

static bool
ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), length = strlen(end);

    return size >= length && strcmp(text + size - length, end) == 0;
}

static enum kind
kind_of(const struct sample *sample)
{
    char name[NAME_MAX_BYTES], mbean[NAME_MAX_BYTES];
    unsigned kind = 0;

    lower(sample->name, name, sizeof name);
    lower(sample->mbean, mbean, sizeof mbean);
    if (strstr(name, FAMILY) == NULL ||
        (!ends_with(name, "_total") && !ends_with(name, "_count")) ||
        strstr(name, "replication") != NULL || strstr(mbean, "replication") != NULL ||
        strstr(name, "reassignment") != NULL || strstr(mbean, "reassignment") != NULL)
        return KINDS;
    while (kind < KINDS && strstr(name, kind_names[kind]) == NULL &&
           strstr(mbean, kind_names[kind]) == NULL)
        kind++;
    return (enum kind)kind;
}

static void
line_take(const struct audit_inventory *inventory, struct scrape *scrape, char *line)
{
    struct sample sample;
    uint32_t topic;
    enum kind kind;

    if (line[0] == '#' || !sample_read(line, &sample))
        return;
    if (strcmp(sample.name, START) == 0) {
        scrape->started_s = sample.value;
        return;
    }
    kind = sample.topic[0] == '\0' ? KINDS : kind_of(&sample);
    if (kind == KINDS)
        return;
    scrape->samples++;
    topic = inventory_topic(inventory, codec_string(sample.topic));
    if (topic == INVENTORY_NO_NUMBER)
        return;
    scrape->found++;
    scrape->counters[topic][kind] = sample.value;
}

/* --- files ------------------------------------------------------------------------------------ */

struct reading {
    const struct audit_inventory *inventory;
    struct scrape *scrape;
};

/* Lines that do not fit are of no counter. */
static void
line_read(void *arg, uint64_t number, char *text, bool is_whole)
{
    struct reading *own = arg;

    (void)number;
    if (is_whole)
        line_take(own->inventory, own->scrape, text);
}

static enum rc
scrape_read(
    struct audit_inventory *inventory, const char *path, struct scrape *scrape, struct err *e)
{
    struct reading reading = {inventory, scrape};
    FILE *file = fopen(path, "re");
    struct stat about;
    enum rc rc = RC_OK;

    *scrape = (struct scrape){.started_s = NAN,
        .counters = xcalloc(inventory->topic_count + 1, sizeof *scrape->counters)};
    for (uint32_t t = 0; t < inventory->topic_count; t++)
        for (unsigned k = 0; k < KINDS; k++)
            scrape->counters[t][k] = NAN;
    if (file == NULL || fstat(fileno(file), &about) != 0) {
        rc = err_set_errno(e, RC_CONFIG, errno, "%s", path);
    } else {
        scrape->at_s = (double)about.st_mtim.tv_sec + (double)about.st_mtim.tv_nsec / 1e9;
        if (lines_read(file, METRICS_LINE_MAX, line_read, &reading, e) != RC_OK)
            rc = err_set(e, RC_CONFIG, "%s cannot be read", path);
        else if (scrape->samples == 0)
            rc = err_set(e, RC_CONFIG,
                "%s has no BrokerTopicMetrics counter with a label `topic`: give what a broker's "
                "JMX exporter answers, one file per broker",
                path);
        else if (isnan(scrape->started_s) || scrape->started_s >= scrape->at_s)
            rc = err_set(e, RC_CONFIG,
                "%s does not tell a start (" START ") before it was written, so that no rate can "
                "be told",
                path);
        else if (scrape->found == 0)
            inventory_gap_foreign(inventory, AUDIT_METRICS, path);
    }
    if (file != NULL)
        (void)fclose(file);
    return rc;
}

/* --- what they say together ------------------------------------------------------------------- */

static bool
is_same_process(const struct scrape *a, const struct scrape *b)
{
    return fabs(a->started_s - b->started_s) < START_SAME_S;
}

/* What the process counted, in a second; NaN where it does not count that. */
static double
rate_of(const struct scrape *first, const struct scrape *last, uint32_t topic, enum kind kind)
{
    double from = first->counters[topic][kind], to = last->counters[topic][kind];

    if (first == last)
        return to / (last->at_s - last->started_s);
    /* Counters come to be with the first request. */
    if (isnan(from))
        from = 0;
    return to < from ? NAN : (to - from) / (last->at_s - first->at_s);
}

static int64_t
a_day(double per_second)
{
    double count = per_second * AUDIT_TRAFFIC_SECONDS;

    return count < (double)INT64_MAX ? (int64_t)round(count) : INT64_MAX;
}

static void
traffic_add(struct audit_traffic *traffic, const struct scrape *first, const struct scrape *last,
    uint32_t topic)
{
    int64_t *const sums[KINDS] = {&traffic->bytes_in, &traffic->bytes_out, &traffic->records_in};
    double since_s = first == last ? last->started_s : first->at_s;
    /* A start may be of any year. */
    int64_t window_ms = (int64_t)round(fmin((last->at_s - since_s) * 1000, 1e15));

    for (unsigned k = 0; k < KINDS; k++) {
        double rate = rate_of(first, last, topic, (enum kind)k);

        if (isnan(rate))
            continue;
        *sums[k] = saturate_add(*sums[k] < 0 ? 0 : *sums[k], a_day(rate));
        if (traffic->window_ms == 0 || window_ms < traffic->window_ms)
            traffic->window_ms = window_ms;
    }
}

static void
all_add(struct audit_inventory *inventory, const struct scrape *scrapes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct scrape *first = &scrapes[i], *last = first;
        bool is_done = false;

        for (size_t j = 0; j < count; j++) {
            if (!is_same_process(&scrapes[i], &scrapes[j]))
                continue;
            is_done |= j < i;
            if (scrapes[j].at_s < first->at_s)
                first = &scrapes[j];
            if (scrapes[j].at_s > last->at_s)
                last = &scrapes[j];
        }
        for (uint32_t t = 0; t < inventory->topic_count && !is_done; t++)
            traffic_add(&inventory->topics[t].traffic, first, last, t);
    }
}

enum rc
metrics_read(
    struct audit_inventory *inventory, const char *const *paths, size_t count, struct err *e)
{
    struct scrape *scrapes = xcalloc(count + 1, sizeof *scrapes);
    struct env env;
    size_t read = 0;
    enum rc rc = RC_OK;

    for (; read < count && rc == RC_OK; read++)
        rc = scrape_read(inventory, paths[read], &scrapes[read], e);
    if (rc == RC_OK)
        all_add(inventory, scrapes, count);
    env_init_real(&env);
    inventory->asked_ms[AUDIT_METRICS] = env_wall_ms(&env);
    for (size_t i = 0; i < read; i++)
        free(scrapes[i].counters);
    free(scrapes);
    return rc;
}
