#include "price/sheet.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/kafka/conf_text.h"

#define DISTANCE_MAX 3
#define OBJECT_FIRST_GB 51200.0   /* 50 TB, in the GB of the bill */
#define OBJECT_SECOND_GB 460800.0 /* the next 450 TB */

/* --- what formulas may call ------------------------------------------------------------------- */

static double
min(double a, double b)
{
    return a < b ? a : b;
}

static double
max(double a, double b)
{
    return a > b ? a : b;
}

static double
object_month(double gb, double first, double next, double beyond)
{
    double second = max(0, min(gb - OBJECT_FIRST_GB, OBJECT_SECOND_GB));

    return min(gb, OBJECT_FIRST_GB) * first + second * next +
           max(0, gb - OBJECT_FIRST_GB - OBJECT_SECOND_GB) * beyond;
}

/* Every row of the tables is a constant of this function, in their order: an expression sees what
 * stands above it, and the compiler sees names that do not exist and inputs that nothing uses. */
void
sheet_compute(double *values)
{
#define PARAMETER(name, ...) const double name = values[SHEET_##name];
#include "price/parameters.def"
#define PRICE(name, unit, what) const double name = values[SHEET_##name];
#include "price/prices.def"
#define FORMULA(name, unit, expression, what) const double name = (expression);
#include "price/formulas.def"

#define FORMULA(name, unit, expression, what) values[SHEET_##name] = name;
#include "price/formulas.def"
}

/* --- the tables ------------------------------------------------------------------------------- */

static const struct sheet_row rows[SHEET_VALUES] = {
#define PARAMETER(name, kind, unit, base, low, high, min, max, what, source)                       \
    {#name, unit, NULL, what},
#include "price/parameters.def"
#define PRICE(name, unit, what) {#name, unit, NULL, what},
#include "price/prices.def"
#define FORMULA(name, unit, expression, what) {#name, unit, #expression, what},
#include "price/formulas.def"
};

static const struct sheet_design_row designs[SHEET_DESIGNS] = {
#define DESIGN(name, shown, what, overlap)                                                         \
    {#name, shown, what, SHEET_##name##_total, SHEET_##overlap},
#include "price/designs.def"
};

static const char *const columns[SHEET_COLUMNS] = {
#define COLUMN(name, shown) shown,
#include "price/designs.def"
};

static const struct sheet_cost costs[] = {
#define FORMULA(name, unit, expression, what)
#define COST(name, design, column, expression, what)                                               \
    {SHEET_##name, SHEET_DESIGN_##design, SHEET_COLUMN_##column},
#include "price/formulas.def"
};

const struct sheet_row *
sheet_row(enum sheet_value value)
{
    return &rows[value];
}

const struct sheet_design_row *
sheet_design(enum sheet_design design)
{
    return &designs[design];
}

const char *
sheet_column(enum sheet_column column)
{
    return columns[column];
}

const struct sheet_cost *
sheet_costs(size_t *count)
{
    *count = ARRAY_LEN(costs);
    return costs;
}

enum sheet_value
sheet_find(const char *name, size_t size)
{
    size_t i = 0;

    while (
        i < SHEET_VALUES && (strncmp(rows[i].name, name, size) != 0 || rows[i].name[size] != '\0'))
        i++;
    return (enum sheet_value)i;
}

const char *
sheet_nearest(const char *name, enum sheet_value end)
{
    size_t best = DISTANCE_MAX + 1;
    const char *found = NULL;

    for (size_t i = 0; i < end; i++) {
        size_t distance = conf_text_distance(name, rows[i].name);

        if (distance < best) {
            best = distance;
            found = rows[i].name;
        }
    }
    return found;
}

enum sheet_value
sheet_next(const char **text)
{
    while (**text != '\0') {
        const char *start = *text;
        enum sheet_value value;

        while (isalnum((unsigned char)**text) || **text == '_')
            (*text)++;
        if (*text == start) {
            (*text)++;
            continue;
        }
        value = sheet_find(start, (size_t)(*text - start));
        if (value != SHEET_VALUES)
            return value;
    }
    return SHEET_VALUES;
}
