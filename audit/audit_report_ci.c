/* JUnit and SARIF 2.1.0: what a CI reads. */
#include <stdlib.h>
#include <string.h>

#include "audit/audit_report.h"
#include "audit/facts.h"
#include "audit/waivers.h"
#include "lib/base/jdoc.h"

#define WHY_BYTES_MAX 2048
#define TIME_BYTES 32
#define NAME_BYTES_MAX 1024

/* --- JUnit: a test case per topic and design ---------------------------------------------------
 */

static void
case_print(const struct audit_report_row *row, enum rules_design design, enum rules_verdict least,
    FILE *out)
{
    const struct audit_hit *worst = rules_worst_new(row->topic, design);

    fprintf(out, "  <testcase classname=\"kdl.audit.%s\" name=\"", rules_design(design));
    audit_report_markup(row->topic->name, out);
    if (row->new_verdicts[design] < least || worst == NULL) {
        fputs("\"/>\n", out);
        return;
    }
    fprintf(out, "\"><failure type=\"%s\" message=\"%s: ", rules_verdict(row->new_verdicts[design]),
        worst->rule->id);
    audit_report_markup(worst->rule->title, out);
    fputs("\">", out);
    for (const struct audit_hit *hit = row->topic->hits; hit != NULL; hit = hit->next) {
        struct buf text;

        if (rules_weight(hit, design) < RULES_CHANGES || hit->is_known)
            continue;
        buf_init(&text, WHY_BYTES_MAX);
        audit_report_hit(hit, &text);
        fprintf(out, "%s: ", hit->rule->id);
        audit_report_markup(buf_text(&text), out);
        fprintf(out, " (%s)", audit_probe_api(hit->probe));
        buf_fini(&text);
        fputs("\n  ", out);
        audit_report_markup(hit->rule->remedy, out);
        fputc('\n', out);
    }
    fputs("</failure></testcase>\n", out);
}

void
audit_report_junit(const struct audit_report *report, enum rules_verdict least, FILE *out)
{
    uint32_t failures = 0;

    for (uint32_t i = 0; i < report->row_count; i++)
        for (unsigned d = 0; d < RULES_DESIGNS; d++)
            failures += audit_report_shows(report, d) && report->rows[i].new_verdicts[d] >= least &&
                        report->rows[i].new_verdicts[d] != RULES_READY;
    fprintf(out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuite name=\"kdl audit\" tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"0\">\n",
        report->row_count * (unsigned)__builtin_popcount(report->designs), failures);
    for (uint32_t i = 0; i < report->row_count; i++)
        for (unsigned d = 0; d < RULES_DESIGNS; d++)
            if (audit_report_shows(report, d))
                case_print(&report->rows[i], (enum rules_design)d, least, out);
    fputs("</testsuite>\n", out);
}

/* --- SARIF: a result per rule that holds ---------------------------------------------------------
 */

static const char *
level(enum rules_weight weight)
{
    static const char *const levels[RULES_WEIGHTS] = {
        "none", "note", "warning", "warning", "warning", "error"};

    return levels[weight];
}

static struct jdoc *
message(const char *text)
{
    struct jdoc *doc = jdoc_object();

    jdoc_set_text(doc, "text", text);
    return doc;
}

static struct jdoc *
weights_json(const struct rules_rule *rule)
{
    struct jdoc *weights = jdoc_object();

    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        jdoc_set_text(weights, rules_design((enum rules_design)d),
            rules_weight_name(rules_weight_of(rule, (enum rules_design)d)));
    return weights;
}

static struct jdoc *
driver_json(const bool *used)
{
    struct jdoc *driver = jdoc_object(), *list = jdoc_array();
    size_t count;
    const struct rules_rule *rules = rules_table(&count);

    for (size_t i = 0; i < count; i++) {
        struct jdoc *rule;

        if (!used[i])
            continue;
        rule = jdoc_object();
        jdoc_set_text(rule, "id", rules[i].id);
        jdoc_set_take(rule, "shortDescription", message(rules[i].title));
        jdoc_set_take(rule, "fullDescription", message(rules[i].why));
        jdoc_set_take(rule, "help", message(rules[i].remedy));
        jdoc_set_take(rule, "properties", weights_json(&rules[i]));
        jdoc_add_take(list, rule);
    }
    jdoc_set_text(driver, "name", "kdl");
    jdoc_set_text(driver, "version", KDL_VERSION);
    jdoc_set_take(driver, "rules", list);
    return driver;
}

/* The place of a rule among those that are used. */
static int64_t
index_of(const struct rules_rule *rule, const bool *used)
{
    size_t count;
    const struct rules_rule *rules = rules_table(&count);
    int64_t index = 0;

    for (const struct rules_rule *at = rules; at < rule; at++)
        index += used[at - rules];
    return index;
}

/* kafka://CLUSTER/TOPIC, where a rule holds. */
static struct jdoc *
location_json(const struct audit_report *report, const struct audit_topic *topic)
{
    struct jdoc *locations = jdoc_array(), *location = jdoc_object();
    struct jdoc *places = jdoc_array(), *place = jdoc_object();
    struct buf name;

    buf_init(&name, NAME_BYTES_MAX);
    buf_printf(&name, "kafka://%s%s%s", report->inventory->cluster_id, topic == NULL ? "" : "/",
        topic == NULL ? "" : topic->name);
    jdoc_set_text(place, "name", topic == NULL ? report->inventory->cluster_id : topic->name);
    jdoc_set_text(place, "fullyQualifiedName", buf_text(&name));
    jdoc_set_text(place, "kind", "resource");
    buf_fini(&name);
    jdoc_add_take(places, place);
    jdoc_set_take(location, "logicalLocations", places);
    jdoc_add_take(locations, location);
    return locations;
}

static struct jdoc *
suppressions_json(const struct waiver *waiver)
{
    struct jdoc *all = jdoc_array(), *one = jdoc_object();
    struct buf text;

    buf_init(&text, WHY_BYTES_MAX);
    buf_printf(&text, "%s, until %s: %s", waiver->owner, waiver->until, waiver->why);
    jdoc_set_text(one, "kind", "external");
    jdoc_set_text(one, "status", "accepted");
    jdoc_set_text(one, "justification", buf_text(&text));
    buf_fini(&text);
    jdoc_add_take(all, one);
    return all;
}

static void
result_add(struct jdoc *results, const struct audit_report *report, const bool *used,
    const struct audit_topic *topic, const struct audit_hit *hit)
{
    enum rules_weight weight = audit_report_weight(report, hit);
    struct jdoc *result, *properties, *prints;
    char time[TIME_BYTES];
    struct buf text;

    if (weight == RULES_NOTHING)
        return;
    result = jdoc_object();
    properties = jdoc_object();
    prints = jdoc_object();
    audit_report_time(report->inventory->asked_ms[hit->probe], time, sizeof time);
    buf_init(&text, WHY_BYTES_MAX);
    audit_report_hit(hit, &text);
    jdoc_set_text(result, "ruleId", hit->rule->id);
    jdoc_set_int(result, "ruleIndex", index_of(hit->rule, used));
    jdoc_set_text(result, "level", level(weight));
    jdoc_set_take(result, "message", message(buf_text(&text)));
    jdoc_set_take(result, "locations", location_json(report, topic));
    buf_clear(&text);
    buf_printf(&text, "%s %s", hit->rule->id, topic == NULL ? "" : topic->name);
    jdoc_set_text(prints, "kdl/v1", buf_text(&text));
    jdoc_set_take(result, "partialFingerprints", prints);
    buf_fini(&text);
    jdoc_set_text(properties, "value", facts_value(hit->value));
    jdoc_set_text(properties, "api", audit_probe_api(hit->probe));
    jdoc_set_text(properties, "time", time);
    jdoc_set_take(result, "properties", properties);
    if (report->has_baseline)
        jdoc_set_text(result, "baselineState", hit->is_known ? "unchanged" : "new");
    if (hit->waiver != NULL)
        jdoc_set_take(result, "suppressions", suppressions_json(hit->waiver));
    jdoc_add_take(results, result);
}

void
audit_report_sarif(const struct audit_report *report, FILE *out)
{
    struct jdoc *doc = jdoc_object(), *runs = jdoc_array(), *run = jdoc_object();
    struct jdoc *tool = jdoc_object(), *results = jdoc_array();
    bool *used = audit_report_used(report);
    const struct audit_hit *hit;
    char *text;

    for (hit = report->inventory->hits; hit != NULL; hit = hit->next)
        result_add(results, report, used, NULL, hit);
    for (uint32_t i = 0; i < report->row_count; i++)
        for (hit = report->rows[i].topic->hits; hit != NULL; hit = hit->next)
            result_add(results, report, used, report->rows[i].topic, hit);
    jdoc_set_take(tool, "driver", driver_json(used));
    jdoc_set_take(run, "tool", tool);
    jdoc_set_take(run, "results", results);
    jdoc_set_text(run, "columnKind", "utf16CodeUnits");
    jdoc_add_take(runs, run);
    jdoc_set_text(doc, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    jdoc_set_text(doc, "version", "2.1.0");
    jdoc_set_take(doc, "runs", runs);
    text = jdoc_dump(doc, 1);
    fprintf(out, "%s\n", text);
    free(text);
    free(used);
    jdoc_free(doc);
}
