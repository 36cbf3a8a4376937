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
        report->verdicts[i][row->results[i].verdict]++;
    report->partition_count += (uint32_t)row->topic->partition_count;
    if (row->worst != RULES_READY)
        return;
    report->ready++;
    if (row->topic->bytes < 0)
        report->ready_bytes = -1;
    else if (report->ready_bytes >= 0)
        report->ready_bytes = saturate_add(report->ready_bytes, row->topic->bytes);
}

void
audit_report_init(struct audit_report *report, const struct audit_inventory *inventory)
{
    memset(report, 0, sizeof *report);
    report->inventory = inventory;
    report->rows = xcalloc((size_t)inventory->topic_count + 1, sizeof *report->rows);
    for (uint32_t i = 0; i < inventory->topic_count; i++) {
        struct audit_report_row *row = &report->rows[report->row_count];

        if (inventory->topics[i].is_internal)
            continue;
        row->topic = &inventory->topics[i];
        for (unsigned d = 0; d < RULES_DESIGNS; d++) {
            rules_judge(inventory, row->topic, (enum rules_design)d, &row->results[d]);
            if (row->results[d].verdict > row->worst)
                row->worst = row->results[d].verdict;
        }
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

/* The fact that a rule's id stands for. */
static enum audit_fact
fact_of(const char *id)
{
    static const struct {
        char family[4];
        enum audit_fact fact;
    } families[] = {
        {"TXN", AUDIT_FACT_TRANSACTIONS},
        {"CMP", AUDIT_FACT_COMPACTION},
        {"STR", AUDIT_FACT_STREAMS_STATE},
        {"SHR", AUDIT_FACT_GROUPS},
    };

    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        if (strncmp(id, families[i].family, 3) == 0)
            return families[i].fact;
    return AUDIT_FACT_TRANSACTIONS;
}

void
audit_report_why(
    const struct audit_report *report, const struct audit_report_row *row, struct buf *out)
{
    const struct rules_result *result = &row->results[RULES_COORDINATED];
    const struct audit_finding *finding;

    (void)report;
    if (row->results[RULES_WAL].verdict > result->verdict)
        result = &row->results[RULES_WAL];
    if (result->reason_count == 0)
        return;
    finding = &row->topic->facts[fact_of(result->reasons[0]->id)];
    buf_append_text(out, result->reasons[0]->why);
    if (finding->first != NULL) {
        /* Of a compacted topic the keys tell more than the policy, which the column shows. */
        const struct audit_evidence *evidence = finding->first;

        if (fact_of(result->reasons[0]->id) == AUDIT_FACT_COMPACTION && evidence->next != NULL)
            evidence = evidence->next;
        buf_printf(out, ": %s", evidence->text);
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
