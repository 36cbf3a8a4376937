/* One file without any reference to the network: style, bar and filter stand inside. */
#include <inttypes.h>
#include <string.h>

#include "audit/audit_report.h"
#include "audit/facts.h"

#define WHY_BYTES_MAX 2048
#define TIME_BYTES 32
#define BAR_WIDTH 600

static const char style[] =
    ":root{color-scheme:light dark;--g:#2a8a4a;--y:#b07a00;--p:#8a4ab0;--r:#c0392b;--l:#8884}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:78rem;padding:0 1rem;"
    "background:Canvas;color:CanvasText}"
    "h1{font-size:1.4rem;margin:0}p{margin:.4rem 0}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--l);"
    "vertical-align:top}td.n,th.n{text-align:right;white-space:nowrap}"
    "input{font:inherit;padding:.3rem .6rem;width:20rem;max-width:100%;margin:1rem 0}"
    ".READY{color:var(--g)}.READY_WITH_CHANGES{color:var(--y)}.UNKNOWN{color:var(--p)}"
    ".BLOCKED{color:var(--r)}.v{font-weight:600;white-space:nowrap}details ul{margin:.3rem 0}"
    "summary{cursor:pointer}small{opacity:.7}svg{display:block;margin:.2rem 0 .8rem}"
    "@media print{input{display:none}}";

static const char script[] = "document.getElementById('f').addEventListener('input',function(e){"
                             "var t=e.target.value.toLowerCase();"
                             "document.querySelectorAll('tbody tr').forEach(function(r){"
                             "r.hidden=r.textContent.toLowerCase().indexOf(t)<0})})";

static void
escaped(const char *text, FILE *out)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            /* Control characters are not allowed in HTML; other programs' texts may hold any. */
            fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
        }
}

static void
bar(const struct audit_report *report, enum rules_design design, FILE *out)
{
    static const char *const colours[] = {"var(--g)", "var(--y)", "var(--p)", "var(--r)"};
    uint32_t done = 0;

    fprintf(out, "<p>%s: ", rules_design(design));
    for (unsigned v = 0; v <= RULES_BLOCKED; v++)
        if (report->verdicts[design][v] > 0)
            fprintf(out, "<span class=\"%s\">%" PRIu32 " %s</span> ",
                rules_verdict((enum rules_verdict)v), report->verdicts[design][v],
                rules_verdict((enum rules_verdict)v));
    fprintf(out,
        "</p>\n<svg width=\"%d\" height=\"14\" viewBox=\"0 0 %d 14\" role=\"img\" "
        "aria-label=\"%s\">",
        BAR_WIDTH, BAR_WIDTH, rules_design(design));
    for (unsigned v = 0; v <= RULES_BLOCKED && report->row_count > 0; v++) {
        uint32_t count = report->verdicts[design][v];

        fprintf(out, "<rect x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"14\" fill=\"%s\"/>",
            (double)done * BAR_WIDTH / report->row_count,
            (double)count * BAR_WIDTH / report->row_count, colours[v]);
        done += count;
    }
    fputs("</svg>\n", out);
}

static void
details(const struct audit_report *report, const struct audit_report_row *row, FILE *out)
{
    struct buf why;

    buf_init(&why, WHY_BYTES_MAX);
    audit_report_why(report, row, &why);
    fputs("<details><summary>", out);
    escaped(why.size == 0 ? "evidence" : buf_text(&why), out);
    fputs("</summary><ul>", out);
    buf_fini(&why);
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        for (size_t i = 0; i < row->results[d].reason_count; i++) {
            const struct rules_rule *rule = row->results[d].reasons[i];

            fprintf(out, "<li><b>%s</b> %s: ", rule->id, rules_design((enum rules_design)d));
            escaped(rule->why, out);
            fputs(". What to do: ", out);
            escaped(rule->remedy, out);
            fputs("</li>", out);
        }
    for (unsigned f = 0; f < AUDIT_FACTS; f++) {
        const struct audit_finding *finding = &row->topic->facts[f];

        for (const struct audit_evidence *e = finding->first; e != NULL; e = e->next) {
            char time[TIME_BYTES];

            audit_report_time(report->inventory->asked_ms[e->probe], time, sizeof time);
            fprintf(out, "<li>%s: %s (%s) <small>%s, %s</small> ", facts_name((enum audit_fact)f),
                facts_value(finding->value), facts_confidence(finding->confidence),
                audit_probe_api(e->probe), time);
            escaped(e->text, out);
            fputs("</li>", out);
        }
    }
    fputs("</ul></details>", out);
}

static void
row_print(const struct audit_report *report, const struct audit_report_row *row, FILE *out)
{
    const struct audit_topic *topic = row->topic;
    char size[AUDIT_REPORT_BYTES];

    audit_report_bytes(topic->bytes, size);
    fputs("<tr><td>", out);
    escaped(topic->name, out);
    fprintf(
        out, "</td><td class=\"n\">%d</td><td class=\"n\">%s</td>", topic->partition_count, size);
    for (unsigned f = 0; f < AUDIT_FACTS; f++)
        fprintf(out, "<td>%s</td>", facts_value(topic->facts[f].value));
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        fprintf(out, "<td class=\"v %s\">%s</td>", rules_verdict(row->results[d].verdict),
            rules_verdict(row->results[d].verdict));
    fputs("<td>", out);
    details(report, row, out);
    fputs("</td></tr>\n", out);
}

static void
head_print(const struct audit_report *report, FILE *out)
{
    const struct audit_inventory *inventory = report->inventory;
    char time[TIME_BYTES], size[AUDIT_REPORT_BYTES];

    audit_report_time(inventory->asked_ms[AUDIT_METADATA], time, sizeof time);
    audit_report_bytes((int64_t)inventory->sampled_bytes, size);
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width\"><title>kdl audit ",
        out);
    escaped(inventory->cluster_id, out);
    fprintf(out, "</title><style>%s</style></head><body>\n<h1>cluster ", style);
    escaped(inventory->cluster_id, out);
    fprintf(out,
        "</h1>\n<p>%s, %" PRIu32 " brokers, %" PRIu32 " topics, %" PRIu32 " partitions, %" PRIu32
        " groups; %" PRIu64 " requests, %s sampled</p>\n<p><b>%" PRIu32
        " topics are READY for both designs</b></p>\n",
        time, inventory->brokers, report->row_count, report->partition_count,
        inventory->group_count, inventory->requests, size, report->ready);
}

static void
tail_print(const struct audit_report *report, FILE *out)
{
    const struct audit_inventory *inventory = report->inventory;

    fputs("<h2>Internal topics</h2><ul>", out);
    for (uint32_t i = 0; i < inventory->topic_count; i++)
        if (inventory->topics[i].is_internal) {
            fputs("<li>", out);
            escaped(inventory->topics[i].name, out);
            fputs("</li>", out);
        }
    fputs("</ul>\n<h2>Not seen</h2><ul>", out);
    for (unsigned i = 0; i < AUDIT_PROBES; i++)
        if (inventory->gaps[i].why != NULL) {
            fprintf(out, "<li>%s: ", audit_probe_api((enum audit_probe)i));
            escaped(inventory->gaps[i].why, out);
            fputs("</li>", out);
        }
    fprintf(out, "</ul>\n<script>%s</script></body></html>\n", script);
}

void
audit_report_html(const struct audit_report *report, FILE *out)
{
    head_print(report, out);
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        bar(report, (enum rules_design)d, out);
    fputs("<input id=\"f\" type=\"search\" placeholder=\"filter\" aria-label=\"filter\">\n"
          "<table><thead><tr><th>topic</th><th class=\"n\">partitions</th><th "
          "class=\"n\">size</th>",
        out);
    for (unsigned f = 0; f < AUDIT_FACTS; f++)
        fprintf(out, "<th>%s</th>", facts_name((enum audit_fact)f));
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        fprintf(out, "<th>%s</th>", rules_design((enum rules_design)d));
    fputs("<th>why</th></tr></thead><tbody>\n", out);
    for (uint32_t i = 0; i < report->row_count; i++)
        row_print(report, &report->rows[i], out);
    fputs("</tbody></table>\n", out);
    tail_print(report, out);
}
