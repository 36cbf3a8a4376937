#include "price/estimate.h"

#include <string.h>

static const double curve_mbps[ESTIMATE_CURVE] = {1, 10, 100, 1000};

bool
estimate_is_diskless(enum sheet_design design)
{
    return sheet_design(design)->overlap != SHEET_VALUES;
}

double
estimate_curve_mbps(size_t place)
{
    return curve_mbps[place];
}

const char *
estimate_verdict(enum cliff_kind kind)
{
    static const char *const names[] = {"never", "always", "below", "above"};

    return names[kind];
}

static void
costs_add(const double *values, double costs[SHEET_DESIGNS][SHEET_COLUMNS])
{
    size_t count;
    const struct sheet_cost *rows = sheet_costs(&count);

    for (size_t i = 0; i < count; i++)
        costs[rows[i].design][rows[i].column] += values[rows[i].value];
}

static void
curve_fill(struct estimate *estimate)
{
    double values[SHEET_VALUES];

    inputs_values(estimate->inputs, values);
    for (size_t k = 0; k < ESTIMATE_CURVE; k++) {
        double costs[SHEET_DESIGNS][SHEET_COLUMNS] = {{0}};

        values[SHEET_produce_mbps] = curve_mbps[k];
        sheet_compute(values);
        costs_add(values, costs);
        for (unsigned d = 0; d < SHEET_DESIGNS; d++)
            estimate->per_tb[d][k] = costs[d][SHEET_COLUMN_requests] / values[SHEET_in_gb] * 1000;
    }
}

static enum sheet_design
cheapest(const struct estimate *estimate, bool diskless)
{
    enum sheet_design best = SHEET_DESIGNS;

    for (unsigned d = 0; d < SHEET_DESIGNS; d++)
        if (estimate_is_diskless((enum sheet_design)d) == diskless &&
            (best == SHEET_DESIGNS || estimate->risks[d].value < estimate->risks[best].value))
            best = (enum sheet_design)d;
    return best;
}

void
estimate_init(struct estimate *estimate, const struct inputs *inputs)
{
    memset(estimate, 0, sizeof *estimate);
    estimate->inputs = inputs;
    inputs_values(inputs, estimate->values);
    sheet_compute(estimate->values);
    costs_add(estimate->values, estimate->costs);
    curve_fill(estimate);
    for (unsigned d = 0; d < SHEET_DESIGNS; d++) {
        const struct sheet_design_row *design = sheet_design((enum sheet_design)d);

        risk_of(inputs, design->total, &estimate->risks[d]);
        for (size_t i = 0; i < CLIFF_INPUTS && estimate_is_diskless((enum sheet_design)d); i++)
            estimate->cliffs[d][i] =
                cliff_find(inputs, &cliff_ranges()[i], design->total, SHEET_classic_best);
    }
    estimate->old_best = cheapest(estimate, false);
    estimate->new_best = cheapest(estimate, true);
}
