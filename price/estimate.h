/*
 * estimate: all that is said about one set of inputs, and how it is shown: for people, and as JSON.
 */
#ifndef PRICE_ESTIMATE_H
#define PRICE_ESTIMATE_H

#include <stdbool.h>
#include <stdio.h>

#include "price/cliff.h"
#include "price/inputs.h"
#include "price/risk.h"

#define ESTIMATE_CURVE 4
#define ESTIMATE_WIDTH_MIN 80

struct estimate {
    const struct inputs *inputs;
    double values[SHEET_VALUES];
    double costs[SHEET_DESIGNS][SHEET_COLUMNS];
    struct risk risks[SHEET_DESIGNS];
    struct cliff cliffs[SHEET_DESIGNS][CLIFF_INPUTS]; /* of diskless designs */
    double per_tb[SHEET_DESIGNS][ESTIMATE_CURVE];     /* dollars for requests, per TB produced */
    enum sheet_design old_best;                       /* the cheapest of those that are there, */
    enum sheet_design new_best;                       /* and of those to move to */
};

/* estimate_init computes everything; the inputs must outlive it. */
void estimate_init(struct estimate *estimate, const struct inputs *inputs);

bool estimate_is_diskless(enum sheet_design design);

/* estimate_curve_mbps returns the produce rate of a place of per_tb. */
double estimate_curve_mbps(size_t place);

/* How a table looks. */
struct estimate_look {
    size_t width; /* columns; at least ESTIMATE_WIDTH_MIN are used */
    bool utf8;
};

void estimate_table(const struct estimate *estimate, const struct estimate_look *look, FILE *out);
void estimate_json(const struct estimate *estimate, FILE *out);

/* estimate_verdict returns a cliff's word in JSON: never, always, below, above. */
const char *estimate_verdict(enum cliff_kind kind);

#endif
