#include "price/cliff.h"

#include <math.h>

#define STEPS_PER_DECADE 24
#define HALVINGS 60

static const struct cliff_range ranges[CLIFF_INPUTS] = {
    {SHEET_produce_mbps, 0.001, 10000},
    {SHEET_partitions, 1, 1000000},
    {SHEET_fan_out, 0.01, 100},
};

const struct cliff_range *
cliff_ranges(void)
{
    return ranges;
}

struct comparison {
    double values[SHEET_VALUES];
    enum sheet_value input;
    enum sheet_value total;
    enum sheet_value against;
};

static bool
is_dearer(struct comparison *comparison, double at)
{
    comparison->values[comparison->input] = at;
    sheet_compute(comparison->values);
    return comparison->values[comparison->total] > comparison->values[comparison->against];
}

/* Between two places that differ: the lowest place, to all digits, that is as `high` is. */
static double
bisect(struct comparison *comparison, double low, double high)
{
    bool wanted = is_dearer(comparison, high);

    for (unsigned i = 0; i < HALVINGS; i++) {
        double middle = sqrt(low * high);

        if (is_dearer(comparison, middle) == wanted)
            high = middle;
        else
            low = middle;
    }
    return high;
}

struct cliff
cliff_find(const struct inputs *inputs, const struct cliff_range *range, enum sheet_value total,
    enum sheet_value against)
{
    struct comparison comparison = {.input = range->input, .total = total, .against = against};
    struct cliff cliff = {.input = range->input, .from = range->from, .to = range->to};
    double step = pow(10, 1.0 / STEPS_PER_DECADE), at = range->to;
    bool at_end;

    inputs_values(inputs, comparison.values);
    at_end = is_dearer(&comparison, range->to);
    cliff.kind = at_end ? CLIFF_ALWAYS : CLIFF_NEVER;
    while (at > range->from) {
        double next = fmax(at / step, range->from);

        if (is_dearer(&comparison, next) != at_end) {
            cliff.kind = at_end ? CLIFF_ABOVE : CLIFF_BELOW;
            cliff.at = bisect(&comparison, next, at);
            break;
        }
        at = next;
    }
    if (range->input == SHEET_partitions)
        cliff.at = ceil(cliff.at);
    return cliff;
}
