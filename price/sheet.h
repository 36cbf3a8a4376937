/*
 * sheet: the price model as a sheet of numbers: parameters, prices, and formulas above them.
 *
 * The rows stand in parameters.def, prices.def and formulas.def; a formula's expression is both the
 * code that computes it and the text that people read. A row of numbers is an array of SHEET_VALUES
 * doubles, inputs first; sheet_compute fills the rest from the inputs and nothing else.
 *
 * Money is in dollars a month of 730 hours, bytes are decimal (gb_bytes says what a GB of a bill
 * is). A result is not finite where a formula divides by a price of zero (break_even_kib).
 */
#ifndef PRICE_SHEET_H
#define PRICE_SHEET_H

#include <stddef.h>

/* Names as in the tables: users write and read them, too. */
enum sheet_value {
#define PARAMETER(name, ...) SHEET_##name,
#include "price/parameters.def"
    SHEET_PARAMETERS,
    SHEET_LAST_PARAMETER = SHEET_PARAMETERS - 1,
#define PRICE(name, unit, what) SHEET_##name,
#include "price/prices.def"
    SHEET_INPUTS,
    SHEET_LAST_INPUT = SHEET_INPUTS - 1,
#define FORMULA(name, unit, expression, what) SHEET_##name,
#include "price/formulas.def"
    SHEET_VALUES,
};

enum sheet_design {
#define DESIGN(name, shown, what, overlap) SHEET_DESIGN_##name,
#include "price/designs.def"
    SHEET_DESIGNS,
};

enum sheet_column {
#define COLUMN(name, shown) SHEET_COLUMN_##name,
#include "price/designs.def"
    SHEET_COLUMNS,
};

struct sheet_row {
    const char *name;
    const char *unit;
    const char *text; /* the formula; NULL: an input */
    const char *what;
};

struct sheet_cost {
    enum sheet_value value;
    enum sheet_design design;
    enum sheet_column column;
};

struct sheet_design_row {
    const char *name;
    const char *shown;
    const char *what;
    enum sheet_value total;
    enum sheet_value overlap; /* SHEET_VALUES: nobody moves to it */
};

/* sheet_compute fills values[SHEET_INPUTS] to values[SHEET_VALUES - 1]. */
void sheet_compute(double *values);

const struct sheet_row *sheet_row(enum sheet_value value);
const struct sheet_design_row *sheet_design(enum sheet_design design);
const char *sheet_column(enum sheet_column column);

/* sheet_costs returns the parts of all totals, in the order of the tables. */
const struct sheet_cost *sheet_costs(size_t *count);

/* sheet_find returns SHEET_VALUES for a name that is none; sheet_nearest the name most like it, or
 * NULL. */
enum sheet_value sheet_find(const char *name, size_t size);
const char *sheet_nearest(const char *name, enum sheet_value end);

/* sheet_next returns the next value that a formula's text names, and moves *text behind it;
 * SHEET_VALUES at the end. */
enum sheet_value sheet_next(const char **text);

#endif
