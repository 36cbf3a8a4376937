/* Waves: as text, as a graph for Graphviz, and the way from one topic to another. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_report.h"

static const char *
name_of(const struct audit_report *report, uint32_t topic)
{
    return report->inventory->topics[topic].name;
}

static void
names_print(const struct audit_report *report, const uint32_t *topics, uint32_t count, FILE *out)
{
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", name_of(report, topics[i]));
}

void
audit_report_waves(const struct audit_report *report, FILE *out)
{
    const struct waves *waves = report->waves;

    fprintf(out, "%4s %6s %8s %-18s\n", "WAVE", "TOPICS", "SIZE", "VERDICT");
    for (uint32_t w = 0; w < waves->wave_count; w++) {
        const struct waves_wave *wave = &waves->waves[w];
        char size[AUDIT_REPORT_BYTES];

        audit_report_bytes(wave->bytes, size);
        fprintf(out, "%4" PRIu32 " %6" PRIu32 " %8s %-18s ", w + 1, wave->topic_count, size,
            rules_verdict(wave->worst));
        names_print(report, wave->topics, wave->topic_count, out);
        fputc('\n', out);
        for (uint32_t i = 0; i < wave->subject_count && wave->topic_count > 1; i++) {
            const struct waves_subject *subject = &waves->subjects[wave->subjects[i]];

            if (subject->topic_count < 2)
                continue;
            fprintf(out, "%21s%s %s: ", "", waves_kind(subject->kind), subject->name);
            names_print(report, subject->topics, subject->topic_count, out);
            fprintf(out, " (%s)\n", audit_probe_api(subject->probe));
        }
    }
}

void
audit_report_waves_line(const struct audit_report *report, struct buf *out)
{
    const struct waves *waves = report->waves;
    const struct waves_wave *largest = &waves->waves[0];

    for (uint32_t w = 1; w < waves->wave_count; w++)
        if (waves->waves[w].topic_count > largest->topic_count)
            largest = &waves->waves[w];
    buf_printf(
        out, "%" PRIu32 " topic%s can move alone", waves->alone, audit_report_s(waves->alone));
    if (largest->topic_count > 1)
        buf_printf(out,
            ", %" PRIu32 " in %" PRIu32 " wave%s; the largest ties %" PRIu32
            " through %s (-o waves)",
            report->row_count - waves->alone, waves->wave_count - waves->alone,
            audit_report_s(waves->wave_count - waves->alone), largest->topic_count,
            waves->subjects[largest->subjects[0]].name);
}

/* --- Graphviz --------------------------------------------------------------------------------- */

static void
dot_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void
audit_report_dot(const struct audit_report *report, FILE *out)
{
    static const char *const colours[] = {"#1f8a4c", "#a86b00", "#7d4bb0", "#c0392b"};
    const struct waves *waves = report->waves;

    fputs("graph waves {\n  node [fontname=\"sans-serif\"];\n", out);
    for (uint32_t i = 0; i < report->row_count; i++) {
        fputs("  ", out);
        dot_text(report->rows[i].topic->name, out);
        fprintf(out, " [shape=box, color=\"%s\"];\n", colours[report->rows[i].worst]);
    }
    for (uint32_t s = 0; s < waves->subject_count; s++) {
        const struct waves_subject *subject = &waves->subjects[s];

        if (subject->topic_count < 2)
            continue;
        fprintf(out, "  subject%" PRIu32 " [shape=ellipse, label=", s);
        dot_text(subject->name, out);
        fputs(", tooltip=", out);
        dot_text(waves_kind(subject->kind), out);
        fputs("];\n", out);
        for (uint32_t i = 0; i < subject->topic_count; i++) {
            fprintf(out, "  subject%" PRIu32 " -- ", s);
            dot_text(name_of(report, subject->topics[i]), out);
            fputs(";\n", out);
        }
    }
    fputs("}\n", out);
}

/* --- a path ------------------------------------------------------------------------------------
 */

void
audit_report_path(const struct audit_report *report, uint32_t from, uint32_t to, FILE *out)
{
    uint32_t count;
    struct waves_step *path = waves_path(report->waves, report->inventory, from, to, &count);

    if (count == 0)
        fprintf(out, "%s and %s: no ties were seen between them; they can move apart.\n",
            name_of(report, from), name_of(report, to));
    else
        fprintf(out, "%s\n", name_of(report, from));
    for (uint32_t i = 0; i < count; i++) {
        const struct waves_subject *subject = &report->waves->subjects[path[i].subject];

        fprintf(out, "  %s %s (%s)\n%s\n", waves_kind(subject->kind), subject->name,
            audit_probe_api(subject->probe), name_of(report, path[i].topic));
    }
    free(path);
}
