#include <math.h>
#include <string.h>

#include "lib/base/buf.h"
#include "price/estimate.h"
#include "price/explain.h"

#define NAME_COLUMNS 16
#define BAR_TEXT_COLUMNS 44 /* what stands beside a bar */
#define SWINGS_SHOWN 6
#define SWING_NAME_COLUMNS 23
#define SWING_RANGE_COLUMNS 17 /* "0.05 to 0.2" */
#define SWING_MONEY_COLUMNS 20 /* "12,345 to 23,456" */
#define LINE_BYTES_MAX 4096

struct pen {
    const struct estimate *estimate;
    size_t width;
    bool utf8;
    FILE *out;
};

/* A number as text, so that a format may name it; printed before the next one of its place. */
struct number {
    char text[EXPLAIN_NUMBER_BYTES];
};

static struct number
number_of(double value)
{
    struct number number = {""};

    explain_number(value, number.text);
    return number;
}

/* Dollars, and other amounts without a fraction; cents where there are few. */
static struct number
money(double value)
{
    struct number number = {""};

    if (fabs(value) < 10)
        snprintf(number.text, sizeof number.text, "%.2f", value);
    else if (fabs(value) < 999.5)
        snprintf(number.text, sizeof number.text, "%.0f", value);
    else if (fabs(value) < 1e6)
        explain_number(value, number.text);
    else if (fabs(value) < 1e9)
        snprintf(number.text, sizeof number.text, "%.2f M", value / 1e6);
    else
        snprintf(number.text, sizeof number.text, "%.2f G", value / 1e9);
    return number;
}

/* "60.5 TB", of GB. */
static struct number
volume(double gb)
{
    static const char *const units[] = {"MB", "GB", "TB", "PB", "EB"};
    double value = gb * 1000;
    struct number number = {""};
    size_t i = 0;

    for (; value >= 999.5 && i + 1 < sizeof units / sizeof *units; i++)
        value /= 1000;
    snprintf(number.text, sizeof number.text, "%.*f %s", value < 99.5 ? 1 : 0, value, units[i]);
    return number;
}

static void
repeat(const struct pen *pen, const char *utf8, char ascii, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (pen->utf8)
            fputs(utf8, pen->out);
        else
            fputc(ascii, pen->out);
}

/* Prints words behind a label, further lines indented below it. */
static void
wrap(const struct pen *pen, const char *label, const char *text)
{
    size_t column = (size_t)fprintf(pen->out, "%-*s", NAME_COLUMNS, label);
    bool is_first = true;

    while (*text != '\0') {
        size_t size = strcspn(text, " ");

        if (!is_first && column + 1 + size > pen->width) {
            fprintf(pen->out, "\n%*s", NAME_COLUMNS, "");
            column = NAME_COLUMNS;
            is_first = true;
        }
        column += (size_t)fprintf(pen->out, "%s%.*s", is_first ? "" : " ", (int)size, text);
        is_first = false;
        text += size + (text[size] == ' ');
    }
    fputc('\n', pen->out);
}

static void
head(const struct pen *pen)
{
    const double *values = pen->estimate->values;

    fprintf(pen->out, "%s MB/s in, read %s times, kept %s h: %s a month, %s held\n",
        number_of(values[SHEET_produce_mbps]).text, number_of(values[SHEET_fan_out]).text,
        number_of(values[SHEET_retention_hours]).text, volume(values[SHEET_in_gb]).text,
        volume(values[SHEET_held_gb]).text);
    if (pen->estimate->inputs->entries[SHEET_produce_mbps].origin == INPUTS_DEFAULT)
        fputs("an example: --produce-mbps N says how much is produced, -b HOST:PORT measures it\n",
            pen->out);
    fprintf(
        pen->out, "prices: %s; no discounts, support or people\n\n", pen->estimate->inputs->title);
}

static void
prices(const struct pen *pen)
{
    const struct estimate *estimate = pen->estimate;

    fprintf(pen->out, "%-*s", NAME_COLUMNS, "$ A MONTH");
    for (unsigned c = 0; c < SHEET_COLUMNS; c++)
        fprintf(pen->out, "%9s", sheet_column((enum sheet_column)c));
    fprintf(pen->out, "%10s\n", "TOTAL");
    for (unsigned d = 0; d < SHEET_DESIGNS; d++) {
        fprintf(pen->out, "%-*s", NAME_COLUMNS, sheet_design((enum sheet_design)d)->shown);
        for (unsigned c = 0; c < SHEET_COLUMNS; c++)
            fprintf(pen->out, "%9s",
                estimate->costs[d][c] == 0 ? "-" : money(estimate->costs[d][c]).text);
        fprintf(pen->out, "%10s\n", money(estimate->risks[d].value).text);
    }
    fputc('\n', pen->out);
}

static void
bars(const struct pen *pen)
{
    const struct estimate *estimate = pen->estimate;
    size_t columns = pen->width - NAME_COLUMNS - BAR_TEXT_COLUMNS;
    double most = 0;

    for (unsigned d = 0; d < SHEET_DESIGNS; d++)
        most = fmax(most, estimate->risks[d].high);
    for (unsigned d = 0; d < SHEET_DESIGNS; d++) {
        const struct risk *risk = &estimate->risks[d];
        size_t full = (size_t)lround(risk->value / most * (double)columns);
        size_t all = (size_t)lround(risk->high / most * (double)columns);

        fprintf(pen->out, "%-*s", NAME_COLUMNS, sheet_design((enum sheet_design)d)->shown);
        repeat(pen, "█", '#', full);
        repeat(pen, "░", '.', all - full);
        fprintf(pen->out, "%*s %s ($%.4f/GB; %s to %s)\n", (int)(columns - all), "",
            money(risk->value).text, risk->value / estimate->values[SHEET_in_gb],
            money(risk->low).text, money(risk->high).text);
    }
    fputc('\n', pen->out);
}

/* One swing: to the left what lowers the total, to the right what raises it. */
static void
swing(const struct pen *pen, const struct risk *risk, const struct risk_swing *row, double widest)
{
    size_t half =
        (pen->width - SWING_NAME_COLUMNS - SWING_RANGE_COLUMNS - SWING_MONEY_COLUMNS - 3) / 2;
    double low = fmin(row->at_low, row->at_high), high = fmax(row->at_low, row->at_high);
    size_t left = (size_t)lround(fmax(0, risk->value - low) / widest * (double)half);
    size_t right = (size_t)lround(fmax(0, high - risk->value) / widest * (double)half);
    const struct inputs_entry *entry = &pen->estimate->inputs->entries[row->input];
    char range[2 * EXPLAIN_NUMBER_BYTES];

    snprintf(range, sizeof range, "%.3g to %.3g", entry->low, entry->high);
    fprintf(pen->out, "%-*s%-*s", SWING_NAME_COLUMNS, sheet_row(row->input)->name,
        SWING_RANGE_COLUMNS, range);
    fprintf(pen->out, "%*s", (int)(half - left), "");
    repeat(pen, "█", '#', left);
    fputs(pen->utf8 ? "│" : "|", pen->out);
    repeat(pen, "█", '#', right);
    fprintf(pen->out, "%*s %s to %s\n", (int)(half - right), "", money(row->at_low).text,
        money(row->at_high).text);
}

static void
tornado(const struct pen *pen, enum sheet_design design)
{
    const struct risk *risk = &pen->estimate->risks[design];
    double widest = 0;

    if (risk->count == 0)
        return;
    for (size_t i = 0; i < risk->count; i++)
        widest = fmax(widest, fmax(fabs(risk->swings[i].at_low - risk->value),
                                  fabs(risk->swings[i].at_high - risk->value)));
    fprintf(pen->out, "WHAT MOVES %s MOST\n", sheet_design(design)->shown);
    for (size_t i = 0; i < risk->count && i < SWINGS_SHOWN; i++)
        swing(pen, risk, &risk->swings[i], widest);
    fputc('\n', pen->out);
}

static void
curve(const struct pen *pen)
{
    fputs("REQUESTS, $ PER TB IN, AT\n", pen->out);
    fprintf(pen->out, "%-*s", NAME_COLUMNS, "");
    for (size_t k = 0; k < ESTIMATE_CURVE; k++)
        fprintf(pen->out, "%9s MB/s", number_of(estimate_curve_mbps(k)).text);
    fputc('\n', pen->out);
    for (unsigned d = 0; d < SHEET_DESIGNS; d++) {
        if (!estimate_is_diskless((enum sheet_design)d))
            continue;
        fprintf(pen->out, "%-*s", NAME_COLUMNS, sheet_design((enum sheet_design)d)->shown);
        for (size_t k = 0; k < ESTIMATE_CURVE; k++)
            fprintf(pen->out, "%14s", money(pen->estimate->per_tb[d][k]).text);
        fputc('\n', pen->out);
    }
    fputc('\n', pen->out);
}

/* "dearer below 5.3 MB/s in (here 100)", of one input. */
static void
cliff_append(const struct pen *pen, const struct cliff *cliff, struct buf *text)
{
    const char *name = cliff->input == SHEET_produce_mbps ? "MB/s in"
                       : cliff->input == SHEET_partitions ? "partitions"
                                                          : "readers of each byte";
    struct number here = number_of(pen->estimate->values[cliff->input]);

    switch (cliff->kind) {
    case CLIFF_BELOW:
        buf_printf(text, "dearer below %s %s", number_of(cliff->at).text, name);
        break;
    case CLIFF_ABOVE:
        buf_printf(text, "dearer from %s %s on", number_of(cliff->at).text, name);
        break;
    case CLIFF_ALWAYS:
        buf_printf(text, "dearer at any number up to %s %s", number_of(cliff->to).text, name);
        break;
    case CLIFF_NEVER:
        buf_printf(text, "cheaper at any number up to %s %s", number_of(cliff->to).text, name);
        break;
    }
    buf_printf(text, " (here %s)", here.text);
}

static void
cliffs(const struct pen *pen)
{
    fputs("WHERE DISKLESS IS DEARER than the cheaper classic, one thing changed at a time\n",
        pen->out);
    for (unsigned d = 0; d < SHEET_DESIGNS; d++) {
        struct buf text;

        if (!estimate_is_diskless((enum sheet_design)d))
            continue;
        buf_init(&text, LINE_BYTES_MAX);
        for (size_t i = 0; i < CLIFF_INPUTS; i++) {
            buf_append_text(&text, i == 0 ? "" : "; ");
            cliff_append(pen, &pen->estimate->cliffs[d][i], &text);
        }
        wrap(pen, sheet_design((enum sheet_design)d)->shown, buf_text(&text));
        buf_fini(&text);
    }
    fputc('\n', pen->out);
}

static void
rows(const struct pen *pen)
{
    const double *values = pen->estimate->values;
    struct buf text;

    buf_init(&text, LINE_BYTES_MAX);
    buf_printf(&text,
        "Inkless keeps %s rows of batches in its database until they are consolidated; at most %s "
        "where one row holds all batches of a partition in an object",
        money(values[SHEET_batch_rows]).text, money(values[SHEET_coalesced_rows]).text);
    wrap(pen, "METADATA", buf_text(&text));
    buf_clear(&text);
    buf_printf(&text, "an object of Inkless has %s KiB here; ",
        number_of(values[SHEET_inkless_object_kib]).text);
    if (isfinite(values[SHEET_break_even_kib]))
        buf_printf(&text, "below %s KiB its requests cost more than replicating it between zones",
            number_of(values[SHEET_break_even_kib]).text);
    else
        buf_append_text(&text, "replicating it between zones would cost nothing");
    wrap(pen, "OBJECTS", buf_text(&text));
    buf_fini(&text);
}

static void
move(const struct pen *pen)
{
    const struct estimate *estimate = pen->estimate;
    const struct sheet_design_row *design = sheet_design(estimate->new_best);
    double saved = estimate->values[SHEET_classic_best] - estimate->risks[estimate->new_best].value;
    double overlap = estimate->values[design->overlap];
    struct buf text;

    buf_init(&text, LINE_BYTES_MAX);
    buf_printf(&text,
        "to %s: %s days of both estates cost %s on top of the old one (of these %s for copying and "
        "verifying %s)",
        design->shown, number_of(estimate->values[SHEET_overlap_days]).text, money(overlap).text,
        money(estimate->values[SHEET_copy_usd]).text, volume(estimate->values[SHEET_copy_gb]).text);
    if (saved > 0)
        buf_printf(&text, "; paid back in %.1f months", overlap / saved);
    else
        buf_append_text(&text, "; never paid back, since it is dearer");
    wrap(pen, "MOVE", buf_text(&text));
    buf_fini(&text);
}

/* Whether a number of brokers is left to the formulas. */
static bool
is_sized(const struct inputs *inputs, enum sheet_value input)
{
    return (input == SHEET_brokers || input == SHEET_diskless_brokers) &&
           inputs->entries[input].value == 0;
}

static void
sizes(const struct pen *pen)
{
    const double *values = pen->estimate->values;
    struct buf text;

    buf_init(&text, LINE_BYTES_MAX);
    buf_printf(&text,
        "for %s MB/s at the peak: %s brokers classic, %s tiered, %s Inkless, %s AutoMQ",
        number_of(values[SHEET_wire_mbps] * values[SHEET_peak]).text,
        number_of(values[SHEET_classic_brokers]).text, number_of(values[SHEET_tiered_brokers]).text,
        number_of(values[SHEET_inkless_brokers]).text,
        number_of(values[SHEET_automq_brokers]).text);
    wrap(pen, "BROKERS", buf_text(&text));
    buf_fini(&text);
}

/* What was assumed: the inputs that are asked for by flags, and prices apart. */
static void
assumed(const struct pen *pen)
{
    static const char *const labels[INPUTS_ORIGINS] = {
        [INPUTS_DEFAULT] = "ASSUMED",
        [INPUTS_MEASURED] = "MEASURED",
        [INPUTS_AUDIT] = "FROM AUDIT",
        [INPUTS_GIVEN] = "GIVEN",
    };
    static const enum sheet_value flagged[] = {
#define FLAG(name, ...) SHEET_##name,
#define PARAMETER(...)
#include "price/parameters.def"
    };

    for (unsigned origin = 0; origin < INPUTS_ORIGINS; origin++) {
        struct buf text;

        if (labels[origin] == NULL)
            continue;
        buf_init(&text, LINE_BYTES_MAX);
        for (size_t i = 0; i < sizeof flagged / sizeof *flagged; i++) {
            const struct inputs_entry *entry = &pen->estimate->inputs->entries[flagged[i]];

            if (entry->origin != origin || is_sized(pen->estimate->inputs, flagged[i]))
                continue;
            buf_printf(&text, "%s%s %s", text.size == 0 ? "" : ", ", sheet_row(flagged[i])->name,
                number_of(entry->value).text);
            if (entry->low != entry->high)
                buf_printf(&text, " (%g to %g)", entry->low, entry->high);
        }
        if (text.size > 0)
            wrap(pen, labels[origin], buf_text(&text));
        buf_fini(&text);
    }
}

void
estimate_table(const struct estimate *estimate, const struct estimate_look *look, FILE *out)
{
    struct pen pen = {estimate, look->width, look->utf8, out};

    if (pen.width < ESTIMATE_WIDTH_MIN)
        pen.width = ESTIMATE_WIDTH_MIN;
    head(&pen);
    prices(&pen);
    bars(&pen);
    tornado(&pen, estimate->old_best);
    tornado(&pen, estimate->new_best);
    curve(&pen);
    cliffs(&pen);
    sizes(&pen);
    rows(&pen);
    move(&pen);
    assumed(&pen);
    fprintf(out, "\nwhere a number is from: kdl price ... --explain %s, --explain all\n",
        sheet_row(sheet_design(estimate->new_best)->total)->name);
}
