#include "price/explain.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define WHOLE_FROM 1000.0
#define TEXT_COLUMNS 92
#define INDENT 4

void
explain_number(double number, char *out)
{
    char digits[EXPLAIN_NUMBER_BYTES];
    size_t count, kept = 0;

    if (!isfinite(number)) {
        snprintf(out, EXPLAIN_NUMBER_BYTES, "-");
        return;
    }
    if (fabs(number) < WHOLE_FROM) {
        snprintf(out, EXPLAIN_NUMBER_BYTES, "%.4g", number);
        return;
    }
    /* Beyond what a double counts, digits would be invented. */
    if (fabs(number) >= 1e15) {
        snprintf(out, EXPLAIN_NUMBER_BYTES, "%.4e", number);
        return;
    }
    count = (size_t)snprintf(digits, sizeof digits, "%.0f", number);
    for (size_t i = 0; i < count; i++) {
        out[kept++] = digits[i];
        if (isdigit((unsigned char)digits[i]) && i + 1 < count && (count - i - 1) % 3 == 0)
            out[kept++] = ',';
    }
    out[kept] = '\0';
}

static void
input_print(const struct inputs *inputs, enum sheet_value input, bool with_what, FILE *out)
{
    const struct inputs_entry *entry = &inputs->entries[input];
    char value[EXPLAIN_NUMBER_BYTES], low[EXPLAIN_NUMBER_BYTES], high[EXPLAIN_NUMBER_BYTES];

    explain_number(entry->value, value);
    explain_number(entry->low, low);
    explain_number(entry->high, high);
    fprintf(out, "%*s%-22s %12s %-13s %s: %s", INDENT, "", sheet_row(input)->name, value,
        sheet_row(input)->unit, inputs_origin(entry->origin), entry->note);
    if (entry->low != entry->high)
        fprintf(out, "; %s to %s", low, high);
    fputc('\n', out);
    if (with_what)
        fprintf(out, "%*s%*s%s\n", INDENT, "", 23, "", sheet_row(input)->what);
}

/* Cuts the text at blanks. */
static void
text_print(const char *text, FILE *out)
{
    const char *sign = "= ";

    while (*text != '\0') {
        size_t size = strlen(text);

        if (size > TEXT_COLUMNS) {
            size = TEXT_COLUMNS;
            while (size > 1 && text[size] != ' ')
                size--;
        }
        fprintf(out, "%*s%s%.*s\n", INDENT, "", sign, (int)size, text);
        sign = "  ";
        text += size;
        text += *text == ' ';
    }
}

static void
formula_print(
    const struct inputs *inputs, const double *values, enum sheet_value formula, FILE *out)
{
    const struct sheet_row *row = sheet_row(formula);
    const char *text = row->text;
    char number[EXPLAIN_NUMBER_BYTES];
    bool seen[SHEET_VALUES] = {false};
    enum sheet_value part;

    explain_number(values[formula], number);
    fprintf(out, "%s = %s %s   %s\n", row->name, number, row->unit, row->what);
    text_print(row->text, out);
    while ((part = sheet_next(&text)) != SHEET_VALUES) {
        if (seen[part])
            continue;
        seen[part] = true;
        if (part < SHEET_INPUTS) {
            input_print(inputs, part, false, out);
            continue;
        }
        explain_number(values[part], number);
        fprintf(out, "%*s%-22s %12s %-13s computed: %s\n", INDENT, "", sheet_row(part)->name,
            number, sheet_row(part)->unit, sheet_row(part)->what);
    }
    fputc('\n', out);
}

static void
users_print(const struct inputs *inputs, const double *values, enum sheet_value input, FILE *out)
{
    input_print(inputs, input, true, out);
    fputc('\n', out);
    for (unsigned i = SHEET_INPUTS; i < SHEET_VALUES; i++) {
        const char *text = sheet_row((enum sheet_value)i)->text;
        enum sheet_value part;

        do
            part = sheet_next(&text);
        while (part != SHEET_VALUES && part != input);
        if (part == input)
            formula_print(inputs, values, (enum sheet_value)i, out);
    }
}

/* A formula, and the formulas that it is made of, which stand above it in the table. */
static void
parts_print(const struct inputs *inputs, const double *values, enum sheet_value formula, FILE *out)
{
    bool wanted[SHEET_VALUES] = {false};

    for (unsigned i = formula; i >= SHEET_INPUTS; i--) {
        const char *text = sheet_row((enum sheet_value)i)->text;
        enum sheet_value part;

        if (i != formula && !wanted[i])
            continue;
        formula_print(inputs, values, (enum sheet_value)i, out);
        while ((part = sheet_next(&text)) != SHEET_VALUES)
            wanted[part] = true;
    }
}

void
explain_value(const struct inputs *inputs, enum sheet_value value, FILE *out)
{
    double values[SHEET_VALUES];

    inputs_values(inputs, values);
    sheet_compute(values);
    if (value < SHEET_INPUTS)
        users_print(inputs, values, value, out);
    else
        parts_print(inputs, values, value, out);
}

void
explain_all(const struct inputs *inputs, FILE *out)
{
    double values[SHEET_VALUES];

    inputs_values(inputs, values);
    sheet_compute(values);
    for (unsigned i = SHEET_INPUTS; i < SHEET_VALUES; i++)
        formula_print(inputs, values, (enum sheet_value)i, out);
    fputs("inputs\n", out);
    for (unsigned i = 0; i < SHEET_INPUTS; i++)
        input_print(inputs, (enum sheet_value)i, true, out);
}
