#include <stdlib.h>

#include "lib/base/jdoc.h"
#include "price/estimate.h"

static struct jdoc *
inputs_json(const struct inputs *inputs)
{
    struct jdoc *all = jdoc_object();

    for (unsigned i = 0; i < SHEET_INPUTS; i++) {
        const struct inputs_entry *entry = &inputs->entries[i];
        const struct sheet_row *row = sheet_row((enum sheet_value)i);
        struct jdoc *input = jdoc_object();

        jdoc_set_take(input, "value", jdoc_real(entry->value));
        jdoc_set_take(input, "low", jdoc_real(entry->low));
        jdoc_set_take(input, "high", jdoc_real(entry->high));
        jdoc_set_text(input, "unit", row->unit);
        jdoc_set_text(input, "origin", inputs_origin(entry->origin));
        jdoc_set_text(input, "source", entry->note);
        jdoc_set_text(input, "what", row->what);
        jdoc_set_take(all, row->name, input);
    }
    return all;
}

static struct jdoc *
formulas_json(const struct estimate *estimate)
{
    struct jdoc *all = jdoc_object();

    for (unsigned i = SHEET_INPUTS; i < SHEET_VALUES; i++) {
        const struct sheet_row *row = sheet_row((enum sheet_value)i);
        struct jdoc *formula = jdoc_object();

        jdoc_set_take(formula, "value", jdoc_real(estimate->values[i]));
        jdoc_set_text(formula, "unit", row->unit);
        jdoc_set_text(formula, "formula", row->text);
        jdoc_set_text(formula, "what", row->what);
        jdoc_set_take(all, row->name, formula);
    }
    return all;
}

static struct jdoc *
swings_json(const struct risk *risk)
{
    struct jdoc *list = jdoc_array();

    for (size_t i = 0; i < risk->count; i++) {
        struct jdoc *swing = jdoc_object();

        jdoc_set_text(swing, "input", sheet_row(risk->swings[i].input)->name);
        jdoc_set_take(swing, "at_low", jdoc_real(risk->swings[i].at_low));
        jdoc_set_take(swing, "at_high", jdoc_real(risk->swings[i].at_high));
        jdoc_add_take(list, swing);
    }
    return list;
}

static struct jdoc *
cliffs_json(const struct estimate *estimate, enum sheet_design d)
{
    struct jdoc *list = jdoc_array();

    for (size_t i = 0; i < CLIFF_INPUTS; i++) {
        const struct cliff *cliff = &estimate->cliffs[d][i];
        struct jdoc *row = jdoc_object();
        bool crosses = cliff->kind == CLIFF_BELOW || cliff->kind == CLIFF_ABOVE;

        jdoc_set_text(row, "input", sheet_row(cliff->input)->name);
        jdoc_set_text(row, "dearer", estimate_verdict(cliff->kind));
        jdoc_set_take(row, "at", crosses ? jdoc_real(cliff->at) : jdoc_null());
        jdoc_set_take(row, "from", jdoc_real(cliff->from));
        jdoc_set_take(row, "to", jdoc_real(cliff->to));
        jdoc_add_take(list, row);
    }
    return list;
}

static struct jdoc *
curve_json(const struct estimate *estimate, enum sheet_design d)
{
    struct jdoc *list = jdoc_array();

    for (size_t k = 0; k < ESTIMATE_CURVE; k++) {
        struct jdoc *row = jdoc_object();

        jdoc_set_take(row, "produce_mbps", jdoc_real(estimate_curve_mbps(k)));
        jdoc_set_take(row, "requests_per_tb", jdoc_real(estimate->per_tb[d][k]));
        jdoc_add_take(list, row);
    }
    return list;
}

static struct jdoc *
costs_json(enum sheet_design d)
{
    struct jdoc *list = jdoc_array();
    size_t count;
    const struct sheet_cost *costs = sheet_costs(&count);

    for (size_t i = 0; i < count; i++)
        if (costs[i].design == d)
            jdoc_add_take(list, jdoc_text(sheet_row(costs[i].value)->name));
    return list;
}

static struct jdoc *
design_json(const struct estimate *estimate, enum sheet_design d)
{
    const struct sheet_design_row *row = sheet_design(d);
    const struct risk *risk = &estimate->risks[d];
    struct jdoc *design = jdoc_object();

    jdoc_set_text(design, "name", row->shown);
    jdoc_set_text(design, "what", row->what);
    jdoc_set_take(design, "total", jdoc_real(risk->value));
    jdoc_set_take(design, "low", jdoc_real(risk->low));
    jdoc_set_take(design, "high", jdoc_real(risk->high));
    jdoc_set_take(
        design, "per_gb_produced", jdoc_real(risk->value / estimate->values[SHEET_in_gb]));
    jdoc_set_text(design, "formula", sheet_row(row->total)->name);
    jdoc_set_take(design, "costs", costs_json(d));
    jdoc_set_take(design, "tornado", swings_json(risk));
    if (!estimate_is_diskless(d))
        return design;
    jdoc_set_take(design, "cliffs", cliffs_json(estimate, d));
    jdoc_set_take(design, "curve", curve_json(estimate, d));
    jdoc_set_take(design, "overlap", jdoc_real(estimate->values[row->overlap]));
    return design;
}

void
estimate_json(const struct estimate *estimate, FILE *out)
{
    struct jdoc *doc = jdoc_object(), *designs = jdoc_array();
    char *text;

    for (unsigned d = 0; d < SHEET_DESIGNS; d++)
        jdoc_add_take(designs, design_json(estimate, (enum sheet_design)d));
    jdoc_set_int(doc, "format", 1);
    jdoc_set_text(doc, "kdl", KDL_VERSION);
    jdoc_set_text(doc, "prices", estimate->inputs->title);
    jdoc_set_take(doc, "designs", designs);
    jdoc_set_take(doc, "formulas", formulas_json(estimate));
    jdoc_set_take(doc, "inputs", inputs_json(estimate->inputs));
    text = jdoc_dump(doc, 2);
    fprintf(out, "%s\n", text);
    free(text);
    jdoc_free(doc);
}
