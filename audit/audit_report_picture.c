/* What moves together, as a picture inside the page: for each wave of several topics its programs
 * on the left, its topics on the right, a line where one needs the other. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_report.h"
#include "lib/base/xalloc.h"

/* Beyond these a picture tells nobody anything; the text of -o waves has them all. */
#define WAVES_MAX 20
#define COLUMN_MAX 40
#define LABEL_BYTES_MAX 40
#define LINE_BYTES_MAX 512

/* In units of the picture. */
#define ROW 26
#define WIDTH 1000
#define PROGRAM_X 520
#define TOPIC_X 620
#define BEND_X ((PROGRAM_X + TOPIC_X) / 2)
#define DOT 4

struct drawing {
    const struct audit_report *report;
    FILE *out;
    uint32_t *row_of;            /* of a topic in its wave, by place in the inventory */
    enum rules_verdict *verdict; /* by place in the inventory */
};

/* A program of one wave that ties anything. */
struct program {
    const struct waves_subject *subject;
    double middle; /* of the rows of its topics: few lines cross in this order */
};

static const char *const colours[] = {"var(--g)", "var(--y)", "var(--p)", "var(--r)"};

/* Where two are equal, the place in the waves decides: the same picture each time. */
static int
by_place(const struct program *a, const struct program *b)
{
    return (a->subject > b->subject) - (a->subject < b->subject);
}

static int
by_topics(const void *left, const void *right)
{
    const struct program *a = left, *b = right;

    if (a->subject->topic_count != b->subject->topic_count)
        return a->subject->topic_count > b->subject->topic_count ? -1 : 1;
    return by_place(a, b);
}

static int
by_middle(const void *left, const void *right)
{
    const struct program *a = left, *b = right;

    if (a->middle < b->middle || a->middle > b->middle)
        return a->middle < b->middle ? -1 : 1;
    return by_place(a, b);
}

/* The programs of a wave as they are drawn, of many those with the most topics; the caller frees
 * them. */
static struct program *
programs_of(const struct drawing *drawing, const struct waves_wave *wave, uint32_t *drawn,
    uint32_t *left_out)
{
    const struct waves *waves = drawing->report->waves;
    struct program *programs = xcalloc(wave->subject_count, sizeof *programs);
    uint32_t count = 0;

    for (uint32_t i = 0; i < wave->subject_count; i++) {
        const struct waves_subject *subject = &waves->subjects[wave->subjects[i]];
        double sum = 0;

        if (subject->topic_count < 2)
            continue;
        for (uint32_t t = 0; t < subject->topic_count; t++)
            sum += drawing->row_of[subject->topics[t]];
        programs[count++] = (struct program){subject, sum / subject->topic_count};
    }
    qsort(programs, count, sizeof *programs, by_topics);
    *drawn = count < COLUMN_MAX ? count : COLUMN_MAX;
    *left_out = count - *drawn;
    qsort(programs, *drawn, sizeof *programs, by_middle);
    return programs;
}

/* Where a row's middle is, in a column of `count` among `rows`. */
static double
row_y(uint32_t row, uint32_t count, uint32_t rows)
{
    return ROW * (row + (rows - count) / 2.0 + 0.5);
}

/* The beginning of a name, without a part of a letter at its end; longer ones show whole where the
 * mouse is. */
static void
label(const struct drawing *drawing, const char *kind, const char *name, double x, double y,
    const char *anchor)
{
    char shown[LABEL_BYTES_MAX + sizeof "..."];
    size_t size = strlen(name);

    if (size > LABEL_BYTES_MAX) {
        size = LABEL_BYTES_MAX;
        while (size > 0 && ((unsigned char)name[size] & 0xC0) == 0x80)
            size--;
        snprintf(shown, sizeof shown, "%.*s...", (int)size, name);
    } else {
        memcpy(shown, name, size + 1);
    }
    fprintf(drawing->out,
        "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\"><tspan opacity=\".6\">%s</tspan> ", x,
        y + DOT, anchor, kind);
    audit_report_markup(shown, drawing->out);
    fputs("<title>", drawing->out);
    audit_report_markup(name, drawing->out);
    fputs("</title></text>", drawing->out);
}

static void
program_draw(const struct drawing *drawing, const struct waves_subject *subject, double y,
    uint32_t topics, uint32_t rows)
{
    for (uint32_t t = 0; t < subject->topic_count; t++) {
        uint32_t row = drawing->row_of[subject->topics[t]];

        if (row < topics)
            fprintf(drawing->out, "<path d=\"M%d %.0fC%d %.0f %d %.0f %d %.0f\"/>", PROGRAM_X, y,
                BEND_X, y, BEND_X, row_y(row, topics, rows), TOPIC_X, row_y(row, topics, rows));
    }
    fprintf(drawing->out, "<circle cx=\"%d\" cy=\"%.0f\" r=\"%d\" fill=\"CanvasText\"/>", PROGRAM_X,
        y, DOT);
    label(drawing, waves_kind(subject->kind), subject->name, PROGRAM_X - 3 * DOT, y, "end");
}

static void
topic_draw(const struct drawing *drawing, uint32_t topic, double y)
{
    fprintf(drawing->out,
        "<rect x=\"%d\" y=\"%.0f\" width=\"%d\" height=\"%d\" fill=\"%s\" class=\"%s\"/>",
        TOPIC_X - DOT, y - DOT, 2 * DOT, 2 * DOT, colours[drawing->verdict[topic]],
        rules_verdict(drawing->verdict[topic]));
    label(
        drawing, "", drawing->report->inventory->topics[topic].name, TOPIC_X + 3 * DOT, y, "start");
}

static void
wave_draw(const struct drawing *drawing, uint32_t number)
{
    const struct waves *waves = drawing->report->waves;
    const struct waves_wave *wave = &waves->waves[number];
    uint32_t topics = wave->topic_count < COLUMN_MAX ? wave->topic_count : COLUMN_MAX;
    uint32_t rows, programs_drawn, left_out;
    struct program *programs;
    char size[AUDIT_REPORT_BYTES];

    for (uint32_t t = 0; t < wave->topic_count; t++)
        drawing->row_of[wave->topics[t]] = t;
    programs = programs_of(drawing, wave, &programs_drawn, &left_out);
    rows = topics > programs_drawn ? topics : programs_drawn;
    audit_report_bytes(wave->bytes, size);
    fprintf(drawing->out,
        "<figure><figcaption>Wave %" PRIu32 ": %" PRIu32 " topics, %s, <b class=\"%s\">%s</b>",
        number + 1, wave->topic_count, size, rules_verdict(wave->worst),
        rules_verdict(wave->worst));
    if (topics < wave->topic_count || left_out > 0)
        fprintf(drawing->out,
            " <small>%" PRIu32 " topics and %" PRIu32
            " programs more are in kdl audit -o waves</small>",
            wave->topic_count - topics, left_out);
    fprintf(drawing->out,
        "</figcaption><svg viewBox=\"0 0 %d %" PRIu32 "\" role=\"img\" aria-label=\"wave %" PRIu32
        ": %" PRIu32 " topics, %" PRIu32 " programs\">",
        WIDTH, rows * ROW, number + 1, wave->topic_count, programs_drawn + left_out);
    for (uint32_t i = 0; i < programs_drawn; i++)
        program_draw(drawing, programs[i].subject, row_y(i, programs_drawn, rows), topics, rows);
    for (uint32_t t = 0; t < topics; t++)
        topic_draw(drawing, wave->topics[t], row_y(t, topics, rows));
    fputs("</svg></figure>\n", drawing->out);
    free(programs);
}

void
audit_report_picture(const struct audit_report *report, FILE *out)
{
    const struct waves *waves = report->waves;
    struct drawing drawing = {report, out, NULL, NULL};
    uint32_t drawn = 0;
    struct buf line;

    if (waves == NULL || waves->wave_count == 0)
        return;
    drawing.row_of = xcalloc(report->inventory->topic_count, sizeof *drawing.row_of);
    drawing.verdict = xcalloc(report->inventory->topic_count, sizeof *drawing.verdict);
    for (uint32_t i = 0; i < report->row_count; i++)
        drawing.verdict[report->rows[i].topic - report->inventory->topics] = report->rows[i].worst;
    buf_init(&line, LINE_BYTES_MAX);
    audit_report_waves_line(report, &line);
    fputs("<h2>What moves together</h2><p>", out);
    audit_report_markup(buf_text(&line), out);
    fputs("</p>\n", out);
    buf_fini(&line);
    for (uint32_t w = 0; w < waves->wave_count && drawn < WAVES_MAX; w++)
        if (waves->waves[w].topic_count > 1) {
            wave_draw(&drawing, w);
            drawn++;
        }
    if (waves->wave_count - waves->alone > drawn)
        fprintf(out, "<p>%" PRIu32 " waves more are in kdl audit -o waves.</p>\n",
            waves->wave_count - waves->alone - drawn);
    free(drawing.row_of);
    free(drawing.verdict);
}
