#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_report.h"
#include "audit/facts.h"

#define NAME_MIN 16
#define NAME_MAX_COLUMNS 44
#define FIXED_COLUMNS 42 /* from PARTS to GROUPS, with the gaps */
#define VERDICT_COLUMNS 7
#define LABEL_COLUMNS 13
#define RULES_TOLD 4 /* at the end */
#define WHY_MIN 30   /* columns; where there are fewer it gets a line of its own */
#define WHY_BYTES_MAX 2048

static const char *
paint(const struct audit_report_look *look, enum rules_verdict verdict)
{
    static const char *const colours[] = {"\033[32m", "\033[33m", "\033[35m", "\033[31m"};

    return look->colour ? colours[verdict] : "";
}

static const char *
plain(const struct audit_report_look *look)
{
    return look->colour ? "\033[0m" : "";
}

/* Kafka's names are ASCII. Cuts in the middle, where names of a family differ least. */
static void
name_print(const char *name, size_t columns, const struct audit_report_look *look, FILE *out)
{
    size_t length = strlen(name), head = (columns - 1) / 2, tail;

    if (length <= columns) {
        fprintf(out, "%-*s", (int)columns, name);
        return;
    }
    if (!look->utf8)
        head = (columns - 2) / 2;
    tail = columns - head - (look->utf8 ? 1 : 2);
    fprintf(out, "%.*s%s%s", (int)head, name, look->utf8 ? "\u2026" : "..", name + length - tail);
}

static const char *
mark(const struct audit_topic *topic, enum audit_fact fact)
{
    static const char *const marks[] = {"?", "no", "yes"};

    return marks[topic->facts[fact].value];
}

static const char *
short_verdict(enum rules_verdict verdict)
{
    return verdict == RULES_READY_WITH_CHANGES ? "CHANGES" : rules_verdict(verdict);
}

static void
why_print(const struct audit_report_row *row, size_t columns, const struct audit_report_look *look,
    FILE *out)
{
    struct buf why;
    const char *text;
    size_t length;

    buf_init(&why, WHY_BYTES_MAX);
    audit_report_why(row, &why);
    text = buf_text(&why);
    length = strlen(text);
    if (length <= columns)
        fputs(text, out);
    else if (columns > 4)
        fprintf(out, "%.*s%s", (int)(columns - (look->utf8 ? 1 : 2)), text,
            look->utf8 ? "\u2026" : "..");
    buf_fini(&why);
}

static size_t
design_columns(unsigned design)
{
    size_t columns = strlen(rules_design_heading((enum rules_design)design));

    return columns < VERDICT_COLUMNS ? VERDICT_COLUMNS : columns;
}

/* All columns but TOPIC and WHY. */
static size_t
fixed_columns(const struct audit_report *report)
{
    size_t columns = FIXED_COLUMNS;

    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        columns += audit_report_shows(report, d) ? 1 + design_columns(d) : 0;
    return columns;
}

static void
verdicts_print(const struct audit_report *report, const struct audit_report_row *row,
    const struct audit_report_look *look, FILE *out)
{
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        if (audit_report_shows(report, d))
            fprintf(out, " %s%-*s%s", paint(look, row->verdicts[d]), (int)design_columns(d),
                short_verdict(row->verdicts[d]), plain(look));
}

static void
row_print(const struct audit_report *report, const struct audit_report_row *row,
    size_t name_columns, const struct audit_report_look *look, FILE *out)
{
    const struct audit_topic *topic = row->topic;
    size_t width = look->width < AUDIT_REPORT_WIDTH_MIN ? AUDIT_REPORT_WIDTH_MIN : look->width;
    size_t used = name_columns + fixed_columns(report), indent = 2;
    char size[AUDIT_REPORT_BYTES], groups[16];
    bool fits = width >= used + WHY_MIN;
    const char *compact = mark(topic, AUDIT_FACT_COMPACTION);

    audit_report_bytes(topic->bytes, size);
    if (facts_role(topic) == AUDIT_ROLE_NONE &&
        topic->facts[AUDIT_FACT_COMPACTION].value == AUDIT_YES &&
        facts_keys(report->inventory, topic) == FACTS_KEYS_UNIQUE)
        compact = "yes !";
    if (topic->facts[AUDIT_FACT_GROUPS].value == AUDIT_UNKNOWN)
        snprintf(groups, sizeof groups, "?");
    else
        snprintf(groups, sizeof groups, "%" PRIu32, topic->use_count);
    name_print(topic->name, name_columns, look, out);
    fprintf(out, " %5d %8s %-3s %-7s %-7s %6s", topic->partition_count, size,
        mark(topic, AUDIT_FACT_TRANSACTIONS), compact, mark(topic, AUDIT_FACT_STREAMS_STATE),
        groups);
    verdicts_print(report, row, look, out);
    if (fits) {
        fputs("  ", out);
        why_print(row, width - used - 2, look, out);
        fputc('\n', out);
        return;
    }
    fputs("\n  ", out);
    why_print(row, width - indent, look, out);
    fputc('\n', out);
}

static void
head_print(const struct audit_report *report, const struct audit_report_look *look, FILE *out)
{
    const struct audit_inventory *inventory = report->inventory;
    const char *dot = look->utf8 ? "\u00b7" : "-";
    char size[AUDIT_REPORT_BYTES];

    audit_report_bytes((int64_t)inventory->sampled_bytes, size);
    fprintf(out, "cluster %s %s %" PRIu32 " broker%s\n", inventory->cluster_id, dot,
        inventory->brokers, audit_report_s(inventory->brokers));
    fprintf(out, "%" PRIu32 " topic%s %s %" PRIu32 " partition%s %s %" PRIu32 " group%s\n",
        report->row_count, audit_report_s(report->row_count), dot, report->partition_count,
        audit_report_s(report->partition_count), dot, inventory->group_count,
        audit_report_s(inventory->group_count));
    fprintf(out, "%.1f s, %" PRIu64 " requests, %s sampled\n", (double)inventory->took_ms / 1000,
        inventory->requests, size);
    if (inventory->watch.looks > 1)
        fprintf(out, "%" PRIu32 " looks in %.1f h, never more than %.1f min apart\n",
            inventory->watch.looks,
            (double)(inventory->asked_ms[AUDIT_METADATA] - inventory->watch.first_ms) / 3600000,
            (double)inventory->watch.longest_gap_ms / 60000);
    fputc('\n', out);
}

static void
totals_print(const struct audit_report *report, FILE *out)
{
    size_t columns = 0;

    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        if (audit_report_shows(report, d) && strlen(rules_design((enum rules_design)d)) > columns)
            columns = strlen(rules_design((enum rules_design)d));
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        if (audit_report_shows(report, d))
            fprintf(out,
                "%-*s  %" PRIu32 " ready, %" PRIu32 " with changes, %" PRIu32 " blocked, %" PRIu32
                " unknown\n",
                (int)columns, rules_design((enum rules_design)d), report->verdicts[d][RULES_READY],
                report->verdicts[d][RULES_READY_WITH_CHANGES], report->verdicts[d][RULES_BLOCKED],
                report->verdicts[d][RULES_UNKNOWN]);
}

/* The rules that weigh most, for whoever wants to know more. */
static void
next_print(const struct audit_report *report, FILE *out)
{
    const struct rules_rule *told[RULES_TOLD];
    size_t count = 0;

    for (uint32_t i = 0; i < report->row_count && count < RULES_TOLD; i++) {
        const struct audit_hit *hit = report->rows[i].hit;
        bool known = hit == NULL;

        for (size_t k = 0; k < count && !known; k++)
            known = told[k] == hit->rule;
        if (!known)
            told[count++] = hit->rule;
    }
    if (count > 0)
        fputs("more: kdl audit explain", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, " %s", told[i]->id);
    if (count > 0)
        fputc('\n', out);
}

/* A label and a text behind it, wrapped to the width. */
static void
wrapped(const char *label, const char *text, size_t width, FILE *out)
{
    size_t column = LABEL_COLUMNS;

    fprintf(out, "%-*s", LABEL_COLUMNS, label);
    while (*text != '\0') {
        size_t size = strcspn(text, " ");

        if (column > LABEL_COLUMNS && column + 1 + size > width) {
            fprintf(out, "\n%*s", LABEL_COLUMNS, "");
            column = LABEL_COLUMNS;
        } else if (column > LABEL_COLUMNS) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", (int)size, text);
        column += size;
        text += size + (text[size] == ' ');
    }
    fputc('\n', out);
}

static void
gaps_print(const struct audit_report *report, size_t width, FILE *out)
{
    const struct audit_inventory *inventory = report->inventory;
    struct buf text;

    buf_init(&text, WHY_BYTES_MAX);
    for (unsigned i = 0; i < AUDIT_PROBES; i++) {
        const struct audit_gap *gap = &inventory->gaps[i];

        if (gap->why == NULL)
            continue;
        buf_clear(&text);
        buf_printf(&text, "%s: %s%s", audit_probe_api((enum audit_probe)i), gap->why,
            gap->failures > 1 ? " (and more)" : "");
        wrapped("not seen:", buf_text(&text), width, out);
    }
    buf_fini(&text);
    if (inventory->is_restricted)
        wrapped("not seen:",
            "this login may not describe the cluster, so lists of topics, groups and transactions "
            "may be incomplete",
            width, out);
}

static void
waves_print(const struct audit_report *report, size_t width, FILE *out)
{
    struct buf text;

    if (report->waves == NULL || report->waves->wave_count == 0)
        return;
    buf_init(&text, WHY_BYTES_MAX);
    audit_report_waves_line(report, &text);
    wrapped("waves", buf_text(&text), width, out);
    buf_fini(&text);
}

static void
clients_print(const struct audit_report *report, size_t width, FILE *out)
{
    struct buf text;

    if (report->inventory->client_count == 0)
        return;
    buf_init(&text, WHY_BYTES_MAX);
    audit_report_clients_line(report->inventory, &text);
    wrapped("clients", buf_text(&text), width, out);
    buf_fini(&text);
}

/* What has to be done beside the topics. */
static void
cluster_print(const struct audit_report *report, size_t width, FILE *out)
{
    struct buf text;

    buf_init(&text, WHY_BYTES_MAX);
    for (const struct audit_hit *hit = report->inventory->hits; hit != NULL; hit = hit->next) {
        if (audit_report_weight(report, hit) < RULES_CHANGES || hit->value != AUDIT_YES)
            continue;
        buf_clear(&text);
        buf_printf(&text, "%s (%s): %s", hit->rule->title, hit->rule->id, hit->rule->remedy);
        wrapped("cluster", buf_text(&text), width, out);
    }
    buf_fini(&text);
}

static bool
is_waived(const struct audit_hit *hit)
{
    return hit->waiver != NULL;
}

static bool
is_known(const struct audit_hit *hit)
{
    return hit->is_known;
}

/* How many findings are so, on how many topics, and `more`; nothing where none is. */
static void
findings_print(const struct audit_report *report, bool (*is_so)(const struct audit_hit *hit),
    const char *name, const char *more, size_t width, FILE *out)
{
    uint32_t topics = 0, findings = 0;
    struct buf text;

    for (uint32_t i = 0; i < report->row_count; i++) {
        uint32_t before = findings;

        for (const struct audit_hit *hit = report->rows[i].topic->hits; hit != NULL;
             hit = hit->next)
            findings += is_so(hit);
        topics += findings > before;
    }
    if (findings == 0)
        return;
    buf_init(&text, WHY_BYTES_MAX);
    buf_printf(&text, "%" PRIu32 " finding%s on %" PRIu32 " topic%s%s", findings,
        audit_report_s(findings), topics, audit_report_s(topics), more);
    wrapped(name, buf_text(&text), width, out);
    buf_fini(&text);
}

static void
internal_print(const struct audit_report *report, size_t width, FILE *out)
{
    static const char title[] = "internal, not moved:";
    const struct audit_inventory *inventory = report->inventory;
    size_t column = sizeof title - 1;
    bool any = false;

    for (uint32_t i = 0; i < inventory->topic_count; i++) {
        size_t length = strlen(inventory->topics[i].name);

        if (!inventory->topics[i].is_internal)
            continue;
        if (!any)
            fputs(title, out);
        any = true;
        if (column + 1 + length > width) {
            fputs("\n ", out);
            column = 1;
        }
        fprintf(out, " %s", inventory->topics[i].name);
        column += 1 + length;
    }
    if (any)
        fputc('\n', out);
}

void
audit_report_table(
    const struct audit_report *report, const struct audit_report_look *look, FILE *out)
{
    size_t width = look->width < AUDIT_REPORT_WIDTH_MIN ? AUDIT_REPORT_WIDTH_MIN : look->width;
    size_t longest = NAME_MIN, fixed = fixed_columns(report);
    size_t cap = width > fixed + NAME_MIN ? width - fixed : NAME_MIN;
    uint32_t needing = report->row_count - report->ready;
    char size[AUDIT_REPORT_BYTES];

    for (uint32_t i = 0; i < needing; i++)
        if (strlen(report->rows[i].topic->name) > longest)
            longest = strlen(report->rows[i].topic->name);
    if (cap > NAME_MAX_COLUMNS)
        cap = NAME_MAX_COLUMNS;
    if (longest > cap)
        longest = cap;
    head_print(report, look, out);
    if (needing > 0) {
        fprintf(out, "%-*s PARTS     SIZE TXN COMPACT STREAMS GROUPS", (int)longest, "TOPIC");
        for (unsigned d = 0; d < RULES_DESIGNS; d++)
            if (audit_report_shows(report, d))
                fprintf(out, " %-*s", (int)design_columns(d),
                    rules_design_heading((enum rules_design)d));
        fprintf(out, "%s\n", width >= longest + fixed + WHY_MIN ? "  WHY" : "");
        for (uint32_t i = 0; i < needing; i++)
            row_print(report, &report->rows[i], longest, look, out);
        fputc('\n', out);
    }
    audit_report_bytes(report->ready_bytes, size);
    fprintf(out, "%s%" PRIu32 " topic%s READY for %s%s: %s\n", paint(look, RULES_READY),
        report->ready, report->ready == 1 ? " is" : "s are", audit_report_all(report), plain(look),
        size);
    totals_print(report, out);
    waves_print(report, width, out);
    clients_print(report, width, out);
    cluster_print(report, width, out);
    findings_print(report, is_waived, "waived", "", width, out);
    if (report->has_baseline)
        findings_print(report, is_known, "known", " stood in the baseline before", width, out);
    internal_print(report, width, out);
    gaps_print(report, width, out);
    next_print(report, out);
}
