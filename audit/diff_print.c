/* Differences of two audits, for people and for programs. */
#include <inttypes.h>
#include <stdlib.h>

#include "audit/audit_report.h"
#include "audit/diff.h"
#include "lib/base/jdoc.h"
#include "lib/base/xalloc.h"

#define RATES_MAX 20
#define TIME_BYTES 32

static const char *
or_nothing(const char *text)
{
    return text == NULL ? "" : text;
}

static void
change_print(const struct diff_change *change, FILE *out)
{
    const char *topic = or_nothing(change->topic), *what = or_nothing(change->what);

    switch (change->kind) {
    case DIFF_VERDICT:
        fprintf(out, "  %s  %s: %s -> %s (%s)%s%s\n", topic, what,
            change->before == NULL ? "new" : change->before, change->after,
            change->worse > 0 ? "worse" : "better", change->why == NULL ? "" : "  ",
            or_nothing(change->why));
        break;
    case DIFF_TOPIC_ADDED:
        fprintf(out, "  + %s  %s partitions\n", topic, change->after);
        break;
    case DIFF_TOPIC_GONE:
        fprintf(out, "  - %s  %s partitions\n", topic, change->before);
        break;
    case DIFF_PARTITIONS:
        fprintf(out, "  %s  partitions: %s -> %s\n", topic, change->before, change->after);
        break;
    case DIFF_GROUP_ADDED:
        fprintf(out, "  %s  + group %s\n", topic, what);
        break;
    case DIFF_GROUP_GONE:
        fprintf(out, "  %s  - group %s\n", topic, what);
        break;
    case DIFF_FACT:
    case DIFF_CONFIG:
    case DIFF_CLUSTER:
    case DIFF_KINDS:
        fprintf(out, "  %s%s%s: %s -> %s\n", topic, *topic == '\0' ? "" : "  ", what,
            change->before, change->after);
        break;
    }
}

void
diff_print(const struct diff *diff, FILE *out)
{
    static const char *const headings[] = {[DIFF_VERDICT] = "verdicts",
        [DIFF_FACT] = "facts",
        [DIFF_TOPIC_ADDED] = "new topics",
        [DIFF_TOPIC_GONE] = "topics that are gone",
        [DIFF_PARTITIONS] = "partitions",
        [DIFF_CONFIG] = "configs",
        [DIFF_GROUP_ADDED] = "new groups on topics",
        [DIFF_GROUP_GONE] = "groups that are gone from topics",
        [DIFF_CLUSTER] = "cluster"};
    char before[TIME_BYTES], after[TIME_BYTES];

    audit_report_time(diff->before_ms, before, sizeof before);
    audit_report_time(diff->after_ms, after, sizeof after);
    fprintf(out, "%s -> %s\n%zu difference%s, %zu verdict%s worse, %zu better\n", before, after,
        diff->change_count, audit_report_s(diff->change_count), diff->worse,
        audit_report_s(diff->worse), diff->better);
    for (size_t i = 0; i < diff->change_count; i++) {
        const struct diff_change *change = &diff->changes[i];

        if (i == 0 || diff->changes[i - 1].kind != change->kind)
            fprintf(out, "\n%s\n", headings[change->kind]);
        change_print(change, out);
    }
    if (diff->rate_count > 0)
        fprintf(out, "\nwritten in between\n");
    for (size_t i = 0; i < diff->rate_count && i < RATES_MAX; i++)
        fprintf(out, "  %s  %" PRId64 " records, %.1f/s\n", diff->rates[i].topic,
            diff->rates[i].records, diff->rates[i].per_s);
    if (diff->rate_count > RATES_MAX)
        fprintf(out, "  and %zu other topics\n", diff->rate_count - RATES_MAX);
}

static void
set_some(struct jdoc *object, const char *name, const char *text)
{
    if (text != NULL)
        jdoc_set_text(object, name, text);
}

void
diff_json(const struct diff *diff, FILE *out)
{
    struct jdoc *json = jdoc_object(), *changes = jdoc_array(), *rates = jdoc_array();
    char time[TIME_BYTES], *text;

    jdoc_set_int(json, "format", 1);
    audit_report_time(diff->before_ms, time, sizeof time);
    jdoc_set_text(json, "before", time);
    audit_report_time(diff->after_ms, time, sizeof time);
    jdoc_set_text(json, "after", time);
    jdoc_set_int(json, "worse", (int64_t)diff->worse);
    jdoc_set_int(json, "better", (int64_t)diff->better);
    for (size_t i = 0; i < diff->change_count; i++) {
        const struct diff_change *change = &diff->changes[i];
        struct jdoc *row = jdoc_object();

        jdoc_set_text(row, "kind", diff_kind_name(change->kind));
        set_some(row, "topic", change->topic);
        set_some(row, "what", change->what);
        set_some(row, "before", change->before);
        set_some(row, "after", change->after);
        set_some(row, "why", change->why);
        if (change->kind == DIFF_VERDICT)
            jdoc_set_bool(row, "worse", change->worse > 0);
        jdoc_add_take(changes, row);
    }
    jdoc_set_take(json, "changes", changes);
    for (size_t i = 0; i < diff->rate_count; i++) {
        struct jdoc *row = jdoc_object();

        jdoc_set_text(row, "topic", diff->rates[i].topic);
        jdoc_set_int(row, "records", diff->rates[i].records);
        jdoc_set_take(row, "records_per_s", jdoc_real(diff->rates[i].per_s));
        jdoc_add_take(rates, row);
    }
    jdoc_set_take(json, "rates", rates);
    text = jdoc_dump(json, 2);
    fprintf(out, "%s\n", text);
    free(text);
    jdoc_free(json);
}
