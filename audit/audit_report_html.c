/* One file without any reference to the network: style, bar and filter stand inside. */
#include <inttypes.h>
#include <string.h>

#include "audit/audit_report.h"
#include "audit/facts.h"
#include "audit/waivers.h"

#define WHY_BYTES_MAX 2048
#define TIME_BYTES 32
#define EVERYTHING_BYTES 64
#define BAR_WIDTH 1000

static const char style[] =
    ":root{color-scheme:light dark;--g:#1f8a4c;--y:#a86b00;--p:#7d4bb0;--r:#c0392b;--l:#8883;"
    "--s:#8881}"
    "@media (prefers-color-scheme:dark){:root{--g:#4cc27f;--y:#e0a63a;--p:#b58be0;--r:#f07a6c}}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1.2rem;"
    "background:Canvas;color:CanvasText}"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .4rem}p{margin:.3rem 0}"
    ".tiles{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.2rem 0}"
    ".tiles div{border:1px solid var(--l);border-radius:.5rem;padding:.5rem 1rem;min-width:7rem}"
    ".tiles b{display:block;font-size:1.5rem;font-weight:600}"
    ".chart{display:grid;grid-template-columns:8rem 1fr;gap:.3rem 1rem;align-items:center}"
    ".chart svg{width:100%;height:1.1rem;border-radius:.25rem}"
    ".chart p{grid-column:2;margin:0 0 .6rem;font-size:.9rem}.chart p span{margin-right:1rem}"
    ".find{display:flex;flex-wrap:wrap;gap:1rem;align-items:center;margin:1.6rem 0 .8rem}"
    "input[type=search]{font:inherit;padding:.35rem .7rem;width:22rem;max-width:100%}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem}"
    "th{border-bottom:2px solid var(--l);font-size:.85rem;position:sticky;top:0;background:Canvas}"
    "tbody{border-bottom:1px solid var(--l)}tbody:hover{background:var(--s)}"
    "td.n,th.n{text-align:right;white-space:nowrap}td.t{font-weight:600;overflow-wrap:anywhere}"
    "td.no{opacity:.45}tr.w td{padding-top:0;font-size:.9rem}"
    ".READY{color:var(--g)}.READY_WITH_CHANGES{color:var(--y)}.UNKNOWN{color:var(--p)}"
    ".BLOCKED{color:var(--r)}td.v{font-weight:600;white-space:nowrap;font-size:.85rem}"
    "figure{margin:1rem 0;max-width:64rem}figure svg{width:100%;font-size:14px;fill:CanvasText}"
    "figure path{fill:none;stroke:currentColor;stroke-opacity:.45}"
    "figcaption{font-size:.9rem}details ul{margin:.3rem "
    "0;padding-left:1.2rem}summary{cursor:pointer}small{opacity:.7}"
    "@media print{.find{display:none}details{display:block}th{position:static}}";

static const char script[] =
    "(function(){var f=document.getElementById('f'),d=document.getElementById('d'),"
    "c=document.getElementById('c'),all=document.querySelectorAll('tbody');"
    "function look(){var t=f.value.toLowerCase(),n=0;all.forEach(function(b){"
    "b.hidden=b.textContent.toLowerCase().indexOf(t)<0||(d.checked&&!b.dataset.decide);"
    "if(!b.hidden)n++});c.textContent=n+' of '+all.length+' topics'}"
    "f.addEventListener('input',look);d.addEventListener('change',look);look()})()";

static void
bar(const struct audit_report *report, enum rules_design design, FILE *out)
{
    static const char *const colours[] = {"var(--g)", "var(--y)", "var(--p)", "var(--r)"};
    uint32_t done = 0;

    fprintf(out,
        "<b>%s</b><svg viewBox=\"0 0 %d 16\" preserveAspectRatio=\"none\" role=\"img\" "
        "aria-label=\"%s\">",
        rules_design(design), BAR_WIDTH, rules_design(design));
    for (unsigned v = 0; v <= RULES_BLOCKED && report->row_count > 0; v++) {
        uint32_t count = report->verdicts[design][v];

        fprintf(out, "<rect x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"16\" fill=\"%s\"/>",
            (double)done * BAR_WIDTH / report->row_count,
            (double)count * BAR_WIDTH / report->row_count, colours[v]);
        done += count;
    }
    fputs("</svg><p>", out);
    for (unsigned v = 0; v <= RULES_BLOCKED; v++)
        if (report->verdicts[design][v] > 0)
            fprintf(out, "<span class=\"%s\">%" PRIu32 " %s</span>",
                rules_verdict((enum rules_verdict)v), report->verdicts[design][v],
                rules_verdict((enum rules_verdict)v));
    fputs("</p>\n", out);
}

static void
hit_print(const struct audit_report *report, const struct audit_hit *hit, FILE *out)
{
    enum rules_weight worst = audit_report_weight(report, hit);
    const char *separator = "";
    struct buf text;

    if (worst == RULES_NOTHING)
        return;
    fprintf(out, "<li><b class=\"%s\">%s</b> ", rules_verdict(rules_allows(worst)), hit->rule->id);
    buf_init(&text, WHY_BYTES_MAX);
    audit_report_hit(hit, &text);
    audit_report_markup(buf_text(&text), out);
    buf_fini(&text);
    fputs(" <small>", out);
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        if (audit_report_shows(report, d) &&
            rules_weight(hit, (enum rules_design)d) != RULES_NOTHING) {
            fprintf(out, "%s%s: %s", separator, rules_design((enum rules_design)d),
                rules_weight_name(rules_weight(hit, (enum rules_design)d)));
            separator = ", ";
        }
    fputs("</small><br>", out);
    audit_report_markup(hit->rule->why, out);
    fputs(". What to do: ", out);
    audit_report_markup(hit->rule->remedy, out);
    if (hit->waiver != NULL) {
        fputs(". <b>Waived</b> by ", out);
        audit_report_markup(hit->waiver->owner, out);
        fprintf(out, " until %s: ", hit->waiver->until);
        audit_report_markup(hit->waiver->why, out);
    }
    fputs(".</li>", out);
}

static void
details(const struct audit_report *report, const struct audit_report_row *row, FILE *out)
{
    struct buf why;

    buf_init(&why, WHY_BYTES_MAX);
    audit_report_why(row, &why);
    fputs("<details><summary>", out);
    audit_report_markup(why.size == 0 ? "evidence" : buf_text(&why), out);
    fputs("</summary><ul>", out);
    buf_fini(&why);
    for (const struct audit_hit *hit = row->topic->hits; hit != NULL; hit = hit->next)
        hit_print(report, hit, out);
    for (unsigned f = 0; f < AUDIT_FACTS; f++) {
        const struct audit_finding *finding = &row->topic->facts[f];

        for (const struct audit_evidence *e = finding->first; e != NULL; e = e->next) {
            char time[TIME_BYTES];

            audit_report_time(report->inventory->asked_ms[e->probe], time, sizeof time);
            fprintf(out, "<li>%s: %s (%s) <small>%s, %s</small> ", facts_name((enum audit_fact)f),
                facts_value(finding->value), facts_confidence(finding->confidence),
                audit_probe_api(e->probe), time);
            audit_report_markup(e->text, out);
            fputs("</li>", out);
        }
    }
    fputs("</ul></details>", out);
}

/* A topic is a body of two rows, so that the filter hides both: what it is, and why. */
static void
row_print(const struct audit_report *report, const struct audit_report_row *row, FILE *out)
{
    const struct audit_topic *topic = row->topic;
    char size[AUDIT_REPORT_BYTES];

    audit_report_bytes(topic->bytes, size);
    fprintf(out, "<tbody%s><tr><td class=\"t\">",
        row->worst == RULES_READY ? "" : " data-decide=\"1\"");
    audit_report_markup(topic->name, out);
    fprintf(
        out, "</td><td class=\"n\">%d</td><td class=\"n\">%s</td>", topic->partition_count, size);
    for (unsigned f = 0; f < AUDIT_FACTS; f++)
        fprintf(out, "<td class=\"%s\">%s</td>", facts_value(topic->facts[f].value),
            facts_value(topic->facts[f].value));
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        if (audit_report_shows(report, d))
            fprintf(out, "<td class=\"v %s\">%s</td>", rules_verdict(row->verdicts[d]),
                rules_verdict(row->verdicts[d]));
    fprintf(out, "</tr><tr class=\"w\"><td colspan=\"%d\">",
        3 + AUDIT_FACTS + __builtin_popcount(report->designs));
    details(report, row, out);
    fputs("</td></tr></tbody>\n", out);
}

static void
tile(uint32_t number, const char *what, const char *detail, FILE *out)
{
    fprintf(out, "<div><b>%" PRIu32 "</b>%s%s<small>%s</small></div>", number, what,
        *detail == '\0' ? "" : "<br>", detail);
}

static void
head_print(const struct audit_report *report, FILE *out)
{
    const struct audit_inventory *inventory = report->inventory;
    char time[TIME_BYTES], size[AUDIT_REPORT_BYTES], ready[AUDIT_REPORT_BYTES];
    char everything[EVERYTHING_BYTES];

    audit_report_time(inventory->asked_ms[AUDIT_METADATA], time, sizeof time);
    audit_report_bytes((int64_t)inventory->sampled_bytes, size);
    audit_report_bytes(report->ready_bytes, ready);
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width\"><title>kdl audit ",
        out);
    audit_report_markup(inventory->cluster_id, out);
    fprintf(out, "</title><style>%s</style></head><body>\n<h1>Which topics can go diskless</h1>\n",
        style);
    fputs("<p>cluster ", out);
    audit_report_markup(inventory->cluster_id, out);
    fprintf(out, ", audited %s with %" PRIu64 " requests, %s of batches sampled</p>\n", time,
        inventory->requests, size);
    fputs("<div class=\"tiles\">", out);
    tile(inventory->brokers, "brokers", "", out);
    tile(report->row_count, "topics", "", out);
    tile(report->partition_count, "partitions", "", out);
    tile(inventory->group_count, "groups", "", out);
    snprintf(everything, sizeof everything, "ready for %s", audit_report_all(report));
    tile(report->ready, everything, report->ready_bytes < 0 ? "" : ready, out);
    fputs("</div>\n<div class=\"chart\">", out);
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        if (audit_report_shows(report, d))
            bar(report, (enum rules_design)d, out);
    fputs("</div>\n", out);
    audit_report_picture(report, out);
}

static void
clients_print(const struct audit_inventory *inventory, FILE *out)
{
    struct buf text;

    if (inventory->client_count == 0)
        return;
    buf_init(&text, WHY_BYTES_MAX);
    audit_report_clients_line(inventory, &text);
    fputs("<h2>Clients</h2><p>", out);
    audit_report_markup(buf_text(&text), out);
    fputs("</p>\n", out);
    buf_fini(&text);
}

static void
tail_print(const struct audit_report *report, FILE *out)
{
    const struct audit_inventory *inventory = report->inventory;

    fputs("<h2>The cluster</h2><ul>", out);
    for (const struct audit_hit *hit = inventory->hits; hit != NULL; hit = hit->next)
        hit_print(report, hit, out);
    fputs("</ul>\n", out);
    clients_print(inventory, out);
    fputs("<h2>Internal topics</h2><ul>", out);
    for (uint32_t i = 0; i < inventory->topic_count; i++)
        if (inventory->topics[i].is_internal) {
            fputs("<li>", out);
            audit_report_markup(inventory->topics[i].name, out);
            fputs("</li>", out);
        }
    fputs("</ul>\n<h2>Not seen</h2><ul>", out);
    for (unsigned i = 0; i < AUDIT_PROBES; i++)
        if (inventory->gaps[i].why != NULL) {
            fprintf(out, "<li>%s: ", audit_probe_api((enum audit_probe)i));
            audit_report_markup(inventory->gaps[i].why, out);
            fputs("</li>", out);
        }
    fprintf(out, "</ul>\n<script>%s</script></body></html>\n", script);
}

void
audit_report_html(const struct audit_report *report, FILE *out)
{
    head_print(report, out);
    fputs("<div class=\"find\"><input id=\"f\" type=\"search\" placeholder=\"topic, rule, group "
          "...\" aria-label=\"filter\"><label><input id=\"d\" type=\"checkbox\"> only what needs a "
          "decision</label><span id=\"c\"></span></div>\n"
          "<table><thead><tr><th>topic</th><th class=\"n\">partitions</th><th "
          "class=\"n\">size</th>",
        out);
    for (unsigned f = 0; f < AUDIT_FACTS; f++)
        fprintf(out, "<th>%s</th>", facts_name((enum audit_fact)f));
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        if (audit_report_shows(report, d))
            fprintf(out, "<th>%s</th>", rules_design((enum rules_design)d));
    fputs("</tr></thead>\n", out);
    for (uint32_t i = 0; i < report->row_count; i++)
        row_print(report, &report->rows[i], out);
    fputs("</table>\n", out);
    tail_print(report, out);
}
