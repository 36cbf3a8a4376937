/* CSV (RFC 4180) and Markdown: a row per topic. */
#include <inttypes.h>
#include <string.h>

#include "audit/audit_report.h"
#include "audit/facts.h"

#define WHY_BYTES_MAX 2048
#define TIME_BYTES 32

/* --- CSV -------------------------------------------------------------------------------------- */

static void
csv_text(const char *text, FILE *out)
{
    if (strpbrk(text, "\",\r\n") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* The ids of the rules whose weight lies between two, for the designs that are looked at. */
static void
csv_rules(const struct audit_report *report, const struct audit_topic *topic,
    enum rules_weight least, enum rules_weight most, FILE *out)
{
    const char *separator = "";

    for (const struct audit_hit *hit = topic->hits; hit != NULL; hit = hit->next) {
        enum rules_weight weight = audit_report_weight(report, hit);

        if (weight < least || weight > most)
            continue;
        fprintf(out, "%s%s", separator, hit->rule->id);
        separator = " ";
    }
}

static void
csv_number(int64_t number, FILE *out)
{
    if (number >= 0)
        fprintf(out, "%" PRId64, number);
}

static void
csv_row(const struct audit_report *report, const struct audit_report_row *row, FILE *out)
{
    const struct audit_topic *topic = row->topic;
    const char *policy = topic->configs[AUDIT_CONFIG_CLEANUP_POLICY].value;
    struct buf why;

    csv_text(topic->name, out);
    fprintf(out, ",%" PRId32 ",", topic->partition_count);
    csv_number(topic->bytes, out);
    fprintf(out, ",%" PRId64 ",%" PRIu32 ",", topic->offsets, topic->replication);
    csv_text(policy == NULL ? "" : policy, out);
    for (unsigned f = 0; f < AUDIT_FACTS; f++)
        fprintf(out, ",%s", facts_value(topic->facts[f].value));
    fprintf(out, ",%" PRIu32, topic->use_count);
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        fprintf(out, ",%s", rules_verdict(row->verdicts[d]));
    fputc(',', out);
    csv_rules(report, topic, RULES_CHANGES, RULES_BLOCKS, out);
    fputc(',', out);
    csv_rules(report, topic, RULES_NOTE, RULES_WARNING, out);
    fputc(',', out);
    buf_init(&why, WHY_BYTES_MAX);
    audit_report_why(row, &why);
    csv_text(why.size == 0 ? "" : buf_text(&why), out);
    buf_fini(&why);
    fputs("\r\n", out);
}

void
audit_report_csv(const struct audit_report *report, FILE *out)
{
    fputs("topic,partitions,bytes,offsets,replication,cleanup_policy", out);
    for (unsigned f = 0; f < AUDIT_FACTS; f++)
        fprintf(out, ",%s", facts_name((enum audit_fact)f));
    fputs(",group_count", out);
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        fprintf(out, ",%s", rules_design((enum rules_design)d));
    fputs(",rules,notes,why\r\n", out);
    for (uint32_t i = 0; i < report->row_count; i++)
        csv_row(report, &report->rows[i], out);
}

/* --- Markdown --------------------------------------------------------------------------------- */

/* What would end a cell, or begin something, is escaped. */
static void
markdown_text(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (strchr("\\`*_{}[]<>|#", *text) != NULL)
            fputc('\\', out);
        fputc(*text == '\n' || *text == '\r' ? ' ' : *text, out);
    }
}

static void
markdown_row(const struct audit_report *report, const struct audit_report_row *row, FILE *out)
{
    static const char *const marks[] = {"?", "no", "yes"};
    char size[AUDIT_REPORT_BYTES];
    struct buf why;

    audit_report_bytes(row->topic->bytes, size);
    fputs("| ", out);
    markdown_text(row->topic->name, out);
    fprintf(out, " | %" PRId32 " | %s", row->topic->partition_count, size);
    for (unsigned f = 0; f < AUDIT_FACTS; f++)
        fprintf(out, " | %s", marks[row->topic->facts[f].value]);
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        if (audit_report_shows(report, d)) {
            fputs(" | ", out);
            markdown_text(rules_verdict(row->verdicts[d]), out);
        }
    buf_init(&why, WHY_BYTES_MAX);
    audit_report_why(row, &why);
    fputs(" | ", out);
    if (row->hit != NULL)
        fprintf(out, "%s: ", row->hit->rule->id);
    markdown_text(why.size == 0 ? "" : buf_text(&why), out);
    buf_fini(&why);
    fputs(" |\n", out);
}

static void
markdown_head(const struct audit_report *report, FILE *out)
{
    fputs("\n| topic | partitions | size", out);
    for (unsigned f = 0; f < AUDIT_FACTS; f++) {
        fputs(" | ", out);
        markdown_text(facts_name((enum audit_fact)f), out);
    }
    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        if (audit_report_shows(report, d)) {
            fputs(" | ", out);
            markdown_text(rules_design((enum rules_design)d), out);
        }
    fputs(" | why |\n|---|--:|--:", out);
    for (unsigned i = 0; i < AUDIT_FACTS + (unsigned)__builtin_popcount(report->designs) + 1; i++)
        fputs("|---", out);
    fputs("|\n", out);
}

void
audit_report_markdown(const struct audit_report *report, FILE *out)
{
    const struct audit_inventory *inventory = report->inventory;
    char time[TIME_BYTES];
    bool any = false;

    audit_report_time(inventory->asked_ms[AUDIT_METADATA], time, sizeof time);
    fputs("# Which topics can go diskless\n\nCluster ", out);
    markdown_text(inventory->cluster_id, out);
    fprintf(out, ", audited %s: %" PRIu32 " of %" PRIu32 " topics are READY for %s.\n", time,
        report->ready, report->row_count, audit_report_all(report));
    markdown_head(report, out);
    for (uint32_t i = 0; i < report->row_count; i++)
        markdown_row(report, &report->rows[i], out);
    if (inventory->client_count > 0) {
        struct buf clients;

        buf_init(&clients, WHY_BYTES_MAX);
        audit_report_clients_line(inventory, &clients);
        fputs("\nClients: ", out);
        markdown_text(buf_text(&clients), out);
        fputs(".\n", out);
        buf_fini(&clients);
    }
    for (const struct audit_hit *hit = inventory->hits; hit != NULL; hit = hit->next) {
        if (audit_report_weight(report, hit) < RULES_WARNING || hit->value != AUDIT_YES)
            continue;
        fprintf(out, "%s- %s: ", any ? "" : "\n## The cluster\n\n", hit->rule->id);
        any = true;
        markdown_text(hit->rule->title, out);
        fputs(": ", out);
        markdown_text(hit->rule->remedy, out);
        fputc('\n', out);
    }
}
