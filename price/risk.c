#include "price/risk.h"

#include <math.h>
#include <stdlib.h>

static double
total_with(const double *inputs, enum sheet_value moved, double to, enum sheet_value total)
{
    double values[SHEET_VALUES];

    for (size_t i = 0; i < SHEET_INPUTS; i++)
        values[i] = inputs[i];
    values[moved] = to;
    sheet_compute(values);
    return values[total];
}

static double
width(const struct risk_swing *swing)
{
    return fabs(swing->at_high - swing->at_low);
}

/* Widest first; equals in the order of the table. */
static int
by_width(const void *a, const void *b)
{
    const struct risk_swing *x = a, *y = b;

    if (width(x) != width(y))
        return width(x) < width(y) ? 1 : -1;
    return (x->input > y->input) - (x->input < y->input);
}

static double
square(double x)
{
    return x * x;
}

void
risk_of(const struct inputs *inputs, enum sheet_value total, struct risk *out)
{
    double values[SHEET_VALUES], lower = 0, higher = 0;

    inputs_values(inputs, values);
    sheet_compute(values);
    *out = (struct risk){.value = values[total]};
    for (unsigned i = 0; i < SHEET_INPUTS; i++) {
        const struct inputs_entry *entry = &inputs->entries[i];
        struct risk_swing swing = {.input = (enum sheet_value)i};

        if (entry->low == entry->high)
            continue;
        swing.at_low = total_with(values, swing.input, entry->low, total);
        swing.at_high = total_with(values, swing.input, entry->high, total);
        if (swing.at_low == out->value && swing.at_high == out->value)
            continue;
        lower += square(fmax(0, out->value - fmin(swing.at_low, swing.at_high)));
        higher += square(fmax(0, fmax(swing.at_low, swing.at_high) - out->value));
        out->swings[out->count++] = swing;
    }
    out->low = out->value - sqrt(lower);
    out->high = out->value + sqrt(higher);
    qsort(out->swings, out->count, sizeof *out->swings, by_width);
}
