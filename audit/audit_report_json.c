#include <stdlib.h>
#include <string.h>

#include "audit/audit_report.h"
#include "audit/facts.h"
#include "audit/waivers.h"
#include "lib/base/jdoc.h"

#define TIME_BYTES 32

static struct jdoc *
evidence_json(const struct audit_inventory *inventory, const struct audit_finding *finding)
{
    struct jdoc *list = jdoc_array();

    for (const struct audit_evidence *e = finding->first; e != NULL; e = e->next) {
        struct jdoc *row = jdoc_object();
        char time[TIME_BYTES];

        audit_report_time(inventory->asked_ms[e->probe], time, sizeof time);
        jdoc_set_text(row, "api", audit_probe_api(e->probe));
        jdoc_set_text(row, "text", e->text);
        jdoc_set_text(row, "time", time);
        jdoc_add_take(list, row);
    }
    return list;
}

static struct jdoc *
facts_json(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    struct jdoc *facts = jdoc_object();

    for (unsigned i = 0; i < AUDIT_FACTS; i++) {
        const struct audit_finding *finding = &topic->facts[i];
        struct jdoc *fact = jdoc_object();

        jdoc_set_text(fact, "value", facts_value(finding->value));
        jdoc_set_text(fact, "confidence", facts_confidence(finding->confidence));
        jdoc_set_take(fact, "evidence", evidence_json(inventory, finding));
        if (i == AUDIT_FACT_GROUPS) {
            struct jdoc *names = jdoc_array();

            for (const struct audit_use *use = topic->uses; use != NULL; use = use->next)
                jdoc_add_take(names, jdoc_text(inventory->groups[use->group].id));
            jdoc_set_take(fact, "names", names);
        }
        jdoc_set_take(facts, facts_name((enum audit_fact)i), fact);
    }
    return facts;
}

static struct jdoc *
reason_json(const struct audit_hit *hit, enum rules_design design)
{
    struct jdoc *reason = jdoc_object();

    jdoc_set_text(reason, "rule", hit->rule->id);
    jdoc_set_text(reason, "verdict", rules_verdict(rules_allows(rules_weight(hit, design))));
    jdoc_set_text(reason, "why", hit->rule->title);
    jdoc_set_text(reason, "remedy", hit->rule->remedy);
    return reason;
}

static struct jdoc *
verdicts_json(const struct audit_report_row *row)
{
    struct jdoc *verdicts = jdoc_object();

    for (unsigned i = 0; i < RULES_DESIGNS; i++) {
        enum rules_design design = (enum rules_design)i;
        struct jdoc *verdict = jdoc_object(), *reasons = jdoc_array();

        for (const struct audit_hit *hit = row->topic->hits; hit != NULL; hit = hit->next)
            if (rules_weight(hit, design) >= RULES_CHANGES)
                jdoc_add_take(reasons, reason_json(hit, design));
        jdoc_set_text(verdict, "verdict", rules_verdict(row->verdicts[i]));
        jdoc_set_take(verdict, "reasons", reasons);
        jdoc_set_take(verdicts, rules_design(design), verdict);
    }
    return verdicts;
}

static struct jdoc *
waiver_json(const struct waiver *waiver)
{
    struct jdoc *json = jdoc_object();

    jdoc_set_text(json, "owner", waiver->owner);
    jdoc_set_text(json, "until", waiver->until);
    jdoc_set_text(json, "why", waiver->why);
    return json;
}

/* All rules that hold, or of which that is not known, warnings and notes among them. */
static struct jdoc *
findings_json(const struct audit_inventory *inventory, const struct audit_hit *hits)
{
    struct jdoc *list = jdoc_array();

    for (const struct audit_hit *hit = hits; hit != NULL; hit = hit->next) {
        struct jdoc *row = jdoc_object();
        char time[TIME_BYTES];

        audit_report_time(inventory->asked_ms[hit->probe], time, sizeof time);
        jdoc_set_text(row, "rule", hit->rule->id);
        jdoc_set_text(row, "value", facts_value(hit->value));
        jdoc_set_text(row, "api", audit_probe_api(hit->probe));
        jdoc_set_text(row, "text", hit->text == NULL ? "" : hit->text);
        jdoc_set_text(row, "time", time);
        if (hit->is_known)
            jdoc_set_bool(row, "known", true);
        if (hit->waiver != NULL)
            jdoc_set_take(row, "waiver", waiver_json(hit->waiver));
        jdoc_add_take(list, row);
    }
    return list;
}

/* The rules that the findings name, once each, with what they weigh where they hold. */
static struct jdoc *
rules_json(const struct audit_report *report)
{
    struct jdoc *all = jdoc_object();
    bool *used = audit_report_used(report);
    size_t count;
    const struct rules_rule *rules = rules_table(&count);

    for (size_t i = 0; i < count; i++) {
        struct jdoc *rule, *weights;

        if (!used[i])
            continue;
        rule = jdoc_object();
        weights = jdoc_object();
        for (unsigned d = 0; d < RULES_DESIGNS; d++)
            jdoc_set_text(weights, rules_design((enum rules_design)d),
                rules_weight_name(rules_weight_of(&rules[i], (enum rules_design)d)));
        jdoc_set_text(rule, "title", rules[i].title);
        jdoc_set_text(rule, "why", rules[i].why);
        jdoc_set_text(rule, "remedy", rules[i].remedy);
        jdoc_set_text(rule, "command", rules[i].command);
        jdoc_set_take(rule, "weights", weights);
        jdoc_set_take(all, rules[i].id, rule);
    }
    free(used);
    return all;
}

static double
per_second(int64_t records, int64_t window_ms)
{
    return (double)records * 1000 / (double)window_ms;
}

/* What came between looks at the ends of the logs. */
static void
rate_set(struct jdoc *row, const struct audit_rate *rate)
{
    struct jdoc *json;

    if (rate->window_ms <= 0 || rate->peak_window_ms <= 0)
        return;
    json = jdoc_object();
    jdoc_set_int(json, "records", rate->records);
    jdoc_set_int(json, "window_ms", rate->window_ms);
    jdoc_set_take(json, "records_per_s", jdoc_real(per_second(rate->records, rate->window_ms)));
    jdoc_set_take(json, "peak_records_per_s",
        jdoc_real(per_second(rate->peak_records, rate->peak_window_ms)));
    jdoc_set_take(row, "rate", json);
}

static void
per_second_set(struct jdoc *json, const char *name, int64_t per_day)
{
    jdoc_set_take(
        json, name, per_day < 0 ? jdoc_null() : jdoc_real((double)per_day / AUDIT_TRAFFIC_SECONDS));
}

/* What the brokers' metrics told. */
static void
traffic_set(struct jdoc *row, const struct audit_traffic *traffic)
{
    struct jdoc *json;

    if (traffic->window_ms <= 0)
        return;
    json = jdoc_object();
    per_second_set(json, "bytes_in_per_s", traffic->bytes_in);
    per_second_set(json, "bytes_out_per_s", traffic->bytes_out);
    per_second_set(json, "records_in_per_s", traffic->records_in);
    jdoc_set_int(json, "window_ms", traffic->window_ms);
    jdoc_set_take(row, "traffic", json);
}

static struct jdoc *
principals_json(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    struct jdoc *list = jdoc_array();

    for (const struct audit_grant *g = topic->grants; g != NULL; g = g->next) {
        const struct audit_principal *principal = &inventory->principals[g->principal];
        struct jdoc *row = jdoc_object();

        jdoc_set_text(row, "name", principal->name);
        jdoc_set_bool(row, "write", g->may_write);
        jdoc_set_bool(row, "read", g->may_read);
        jdoc_set_take(row, "transactional_ids",
            principal->transactional_ids == NULL ? jdoc_null()
                                                 : jdoc_text(principal->transactional_ids));
        jdoc_add_take(list, row);
    }
    return list;
}

static struct jdoc *
topic_json(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    const char *policy = topic->configs[AUDIT_CONFIG_CLEANUP_POLICY].value;
    const struct audit_sample *sample = &topic->sample;
    struct jdoc *row = jdoc_object(), *sampled = jdoc_object();

    jdoc_set_text(row, "name", topic->name);
    jdoc_set_int(row, "partitions", topic->partition_count);
    jdoc_set_take(row, "bytes", topic->bytes < 0 ? jdoc_null() : jdoc_int(topic->bytes));
    jdoc_set_int(row, "offsets", topic->offsets);
    if (topic->tiered > 0)
        jdoc_set_int(row, "tiered_offsets", topic->tiered);
    jdoc_set_take(row, "cleanup_policy", policy == NULL ? jdoc_null() : jdoc_text(policy));
    rate_set(row, &topic->rate);
    traffic_set(row, &topic->traffic);
    if (topic->is_internal)
        jdoc_set_bool(row, "internal", true);
    jdoc_set_int(sampled, "batches", (int64_t)sample->batches);
    jdoc_set_int(sampled, "bytes", (int64_t)sample->bytes);
    jdoc_set_int(sampled, "offsets", (int64_t)sample->offsets);
    jdoc_set_bool(sampled, "whole",
        sample->cut == 0 && inventory_gap_of(inventory, topic, AUDIT_SAMPLES) == NULL);
    if (!topic->is_internal)
        jdoc_set_take(row, "sampled", sampled);
    else
        jdoc_free(sampled);
    if (topic->contacts != NULL)
        jdoc_set_take(row, "clients", audit_report_clients_json(inventory, topic));
    if (topic->grants != NULL)
        jdoc_set_take(row, "principals", principals_json(inventory, topic));
    return row;
}

static struct jdoc *
disk_json(const struct audit_disk *disk)
{
    struct jdoc *out = jdoc_object();

    jdoc_set_int(out, "broker", disk->broker);
    jdoc_set_int(out, "total_bytes", disk->total_bytes);
    jdoc_set_int(out, "usable_bytes", disk->usable_bytes);
    return out;
}

static struct jdoc *
cluster_json(const struct audit_report *report)
{
    const struct audit_inventory *inventory = report->inventory;
    struct jdoc *cluster = jdoc_object();

    jdoc_set_text(cluster, "id", inventory->cluster_id);
    jdoc_set_int(cluster, "brokers", inventory->brokers);
    jdoc_set_int(cluster, "topics", report->row_count);
    jdoc_set_int(cluster, "partitions", report->partition_count);
    jdoc_set_int(cluster, "groups", inventory->group_count);
    jdoc_set_int(cluster, "transactional_ids", inventory->transactional_id_count);
    jdoc_set_bool(cluster, "restricted_login", inventory->is_restricted);
    if (inventory->client_count > 0)
        jdoc_set_take(cluster, "software", audit_report_software_json(inventory));
    if (inventory->cluster.fullest.total_bytes > 0)
        jdoc_set_take(cluster, "fullest_disk", disk_json(&inventory->cluster.fullest));
    jdoc_set_take(cluster, "findings", findings_json(inventory, inventory->hits));
    return cluster;
}

static struct jdoc *
watch_json(const struct audit_inventory *inventory)
{
    struct jdoc *json = jdoc_object();
    char time[TIME_BYTES];

    audit_report_time(inventory->watch.first_ms, time, sizeof time);
    jdoc_set_int(json, "looks", inventory->watch.looks);
    jdoc_set_text(json, "first", time);
    jdoc_set_int(json, "longest_gap_ms", inventory->watch.longest_gap_ms);
    return json;
}

static struct jdoc *
audit_json(const struct audit_report *report)
{
    const struct audit_inventory *inventory = report->inventory;
    struct jdoc *audit = jdoc_object(), *gaps = jdoc_array();
    char time[TIME_BYTES];

    audit_report_time(inventory->asked_ms[AUDIT_METADATA], time, sizeof time);
    jdoc_set_text(audit, "time", time);
    jdoc_set_text(audit, "kdl", KDL_VERSION);
    jdoc_set_int(audit, "took_ms", inventory->took_ms);
    jdoc_set_int(audit, "requests", (int64_t)inventory->requests);
    jdoc_set_int(audit, "sampled_bytes", (int64_t)inventory->sampled_bytes);
    for (unsigned i = 0; i < AUDIT_PROBES; i++) {
        struct jdoc *gap;

        if (inventory->gaps[i].why == NULL)
            continue;
        gap = jdoc_object();
        jdoc_set_text(gap, "api", audit_probe_api((enum audit_probe)i));
        jdoc_set_text(gap, "text", inventory->gaps[i].why);
        jdoc_set_int(gap, "failures", inventory->gaps[i].failures);
        jdoc_add_take(gaps, gap);
    }
    jdoc_set_take(audit, "gaps", gaps);
    if (inventory->watch.looks > 1)
        jdoc_set_take(audit, "watch", watch_json(inventory));
    return audit;
}

static struct jdoc *
summary_json(const struct audit_report *report)
{
    struct jdoc *summary = jdoc_object();

    jdoc_set_int(summary, "ready_for_both", report->ready);
    for (unsigned i = 0; i < RULES_DESIGNS; i++) {
        struct jdoc *counts = jdoc_object();

        for (unsigned v = 0; v <= RULES_BLOCKED; v++)
            jdoc_set_int(counts, rules_verdict((enum rules_verdict)v), report->verdicts[i][v]);
        jdoc_set_take(summary, rules_design((enum rules_design)i), counts);
    }
    return summary;
}

static struct jdoc *
names_json(const struct audit_inventory *inventory, const uint32_t *topics, uint32_t count)
{
    struct jdoc *names = jdoc_array();

    for (uint32_t i = 0; i < count; i++)
        jdoc_add_take(names, jdoc_text(inventory->topics[topics[i]].name));
    return names;
}

static struct jdoc *
waves_json(const struct audit_report *report)
{
    struct jdoc *list = jdoc_array();

    for (uint32_t w = 0; report->waves != NULL && w < report->waves->wave_count; w++) {
        const struct waves_wave *wave = &report->waves->waves[w];
        struct jdoc *row = jdoc_object(), *ties = jdoc_array();

        jdoc_set_take(
            row, "topics", names_json(report->inventory, wave->topics, wave->topic_count));
        jdoc_set_text(row, "verdict", rules_verdict(wave->worst));
        jdoc_set_take(row, "bytes", wave->bytes < 0 ? jdoc_null() : jdoc_int(wave->bytes));
        for (uint32_t i = 0; i < wave->subject_count; i++) {
            const struct waves_subject *subject = &report->waves->subjects[wave->subjects[i]];
            struct jdoc *tie = jdoc_object();

            jdoc_set_text(tie, "kind", waves_kind(subject->kind));
            jdoc_set_text(tie, "name", subject->name);
            jdoc_set_text(tie, "api", audit_probe_api(subject->probe));
            jdoc_set_take(tie, "topics",
                names_json(report->inventory, subject->topics, subject->topic_count));
            jdoc_add_take(ties, tie);
        }
        jdoc_set_take(row, "ties", ties);
        jdoc_add_take(list, row);
    }
    return list;
}

/* --- member by member --------------------------------------------------------------------------
 *
 * An estate's topics are many times larger as values of a library than as text: each is made,
 * written and freed by itself, in the lines that the whole as one value would have.
 */

#define INDENT 2

/* Writes a value at a depth, behind what stands in its line already. */
static void
value_put(struct jdoc *value, int depth, FILE *out)
{
    char *text = jdoc_dump(value, INDENT);

    for (char *line = text, *end; line != NULL; line = end == NULL ? NULL : end + 1) {
        end = strchr(line, '\n');
        fprintf(out, "%.*s", end == NULL ? (int)strlen(line) : (int)(end - line), line);
        if (end != NULL)
            fprintf(out, "\n%*s", depth * INDENT, "");
    }
    free(text);
    jdoc_free(value);
}

static void
member_put(const char *name, struct jdoc *value, FILE *out)
{
    fprintf(out, "  \"%s\": ", name);
    value_put(value, 1, out);
    fputs(",\n", out);
}

static void
item_put(struct jdoc *item, bool first, FILE *out)
{
    fputs(first ? "\n    " : ",\n    ", out);
    value_put(item, 2, out);
}

void
audit_report_json(const struct audit_report *report, FILE *out)
{
    const struct audit_inventory *inventory = report->inventory;
    bool any = false;

    fputs("{\n", out);
    member_put("format", jdoc_int(1), out);
    member_put("cluster", cluster_json(report), out);
    member_put("audit", audit_json(report), out);
    member_put("summary", summary_json(report), out);
    member_put("rules", rules_json(report), out);
    fputs("  \"topics\": [", out);
    for (uint32_t i = 0; i < report->row_count; i++) {
        struct jdoc *row = topic_json(inventory, report->rows[i].topic);

        jdoc_set_take(row, "facts", facts_json(inventory, report->rows[i].topic));
        jdoc_set_take(row, "verdicts", verdicts_json(&report->rows[i]));
        jdoc_set_take(row, "findings", findings_json(inventory, report->rows[i].topic->hits));
        item_put(row, i == 0, out);
    }
    fputs(report->row_count == 0 ? "],\n" : "\n  ],\n", out);
    member_put("waves", waves_json(report), out);
    fputs("  \"internal_topics\": [", out);
    for (uint32_t i = 0; i < inventory->topic_count; i++)
        if (inventory->topics[i].is_internal) {
            item_put(topic_json(inventory, &inventory->topics[i]), !any, out);
            any = true;
        }
    fputs(any ? "\n  ]\n}\n" : "]\n}\n", out);
}
