#include "audit/audit_report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"

static int
by_need(const void *a, const void *b)
{
    const struct audit_report_row *x = a, *y = b;

    if (x->worst != y->worst)
        return x->worst < y->worst ? 1 : -1;
    if (x->topic->bytes != y->topic->bytes)
        return x->topic->bytes < y->topic->bytes ? 1 : -1;
    return strcmp(x->topic->name, y->topic->name);
}

static void
row_count(struct audit_report *report, const struct audit_report_row *row)
{
    for (unsigned i = 0; i < RULES_DESIGNS; i++)
        report->verdicts[i][row->verdicts[i]]++;
    report->partition_count += (uint32_t)row->topic->partition_count;
    if (row->worst != RULES_READY)
        return;
    report->ready++;
    if (row->topic->bytes < 0)
        report->ready_bytes = -1;
    else if (report->ready_bytes >= 0)
        report->ready_bytes = saturate_add(report->ready_bytes, row->topic->bytes);
}

static void
row_judge(const struct audit_report *report, struct audit_report_row *row)
{
    for (unsigned d = 0; d < RULES_DESIGNS; d++) {
        row->verdicts[d] = rules_judge(row->topic, (enum rules_design)d);
        row->new_verdicts[d] = rules_judge_new(row->topic, (enum rules_design)d);
        if ((report->designs & 1U << d) == 0 || row->verdicts[d] <= row->worst)
            continue;
        row->worst = row->verdicts[d];
        row->hit = rules_worst(row->topic, (enum rules_design)d);
    }
}

void
audit_report_init(
    struct audit_report *report, const struct audit_inventory *inventory, uint32_t designs)
{
    memset(report, 0, sizeof *report);
    report->inventory = inventory;
    report->designs = designs;
    report->rows = xcalloc((size_t)inventory->topic_count + 1, sizeof *report->rows);
    for (uint32_t i = 0; i < inventory->topic_count; i++) {
        struct audit_report_row *row = &report->rows[report->row_count];

        if (inventory->topics[i].is_internal)
            continue;
        row->topic = &inventory->topics[i];
        row_judge(report, row);
        row_count(report, row);
        report->row_count++;
    }
    qsort(report->rows, report->row_count, sizeof *report->rows, by_need);
}

void
audit_report_fini(struct audit_report *report)
{
    free(report->rows);
    memset(report, 0, sizeof *report);
}

void
audit_report_hit(const struct audit_hit *hit, struct buf *out)
{
    buf_printf(
        out, "%s%s", hit->value == AUDIT_UNKNOWN ? "not known whether: " : "", hit->rule->title);
    if (hit->text != NULL)
        buf_printf(out, ": %s", hit->text);
}

void
audit_report_why(const struct audit_report_row *row, struct buf *out)
{
    if (row->hit != NULL)
        audit_report_hit(row->hit, out);
}

static void
used_mark(const struct audit_hit *hits, bool *used)
{
    size_t count;
    const struct rules_rule *rules = rules_table(&count);

    for (const struct audit_hit *hit = hits; hit != NULL; hit = hit->next)
        used[hit->rule - rules] = true;
}

bool *
audit_report_used(const struct audit_report *report)
{
    size_t count;
    bool *used;

    (void)rules_table(&count);
    used = xcalloc(count, sizeof *used);
    used_mark(report->inventory->hits, used);
    for (uint32_t i = 0; i < report->row_count; i++)
        used_mark(report->rows[i].topic->hits, used);
    return used;
}

bool
audit_report_shows(const struct audit_report *report, unsigned design)
{
    return (report->designs & 1U << design) != 0;
}

enum rules_weight
audit_report_weight(const struct audit_report *report, const struct audit_hit *hit)
{
    enum rules_weight worst = RULES_NOTHING;

    for (unsigned d = 0; d < RULES_DESIGNS; d++)
        if (audit_report_shows(report, d) && rules_weight(hit, (enum rules_design)d) > worst)
            worst = rules_weight(hit, (enum rules_design)d);
    return worst;
}

const char *
audit_report_all(const struct audit_report *report)
{
    switch (__builtin_popcount(report->designs)) {
    case 1:
        return "the design";
    case 2:
        return "both designs";
    default:
        return "all of these designs";
    }
}

void
audit_report_time(int64_t wall_ms, char *out, size_t size)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    size_t used;

    out[0] = '\0';
    if (wall_ms <= 0 || gmtime_r(&seconds, &tm) == NULL)
        return;
    used = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + used, size - used, ".%03dZ", (int)(wall_ms % 1000));
}

const char *
audit_report_s(uint64_t count)
{
    return count == 1 ? "" : "s";
}

void
audit_report_bytes(int64_t bytes, char *out)
{
    static const char *const names[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)bytes;
    size_t i = 0;

    if (bytes < 0) {
        snprintf(out, AUDIT_REPORT_BYTES, "?");
        return;
    }
    while (value >= 999.5 && i + 1 < ARRAY_LEN(names)) {
        value /= 1000;
        i++;
    }
    snprintf(
        out, AUDIT_REPORT_BYTES, i == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s", value, names[i]);
}

void
audit_report_markup(const char *text, FILE *out)
{
    static const struct {
        char letter;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};

    for (; *text != '\0'; text++) {
        const char *entity = NULL;

        for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
            if (entities[i].letter == *text)
                entity = entities[i].entity;
        if (entity != NULL)
            fputs(entity, out);
        else
            /* XML knows no other control characters. */
            fputc(
                (unsigned char)*text < 0x20 && strchr("\t\n\r", *text) == NULL ? '?' : *text, out);
    }
}
