/*
 * cliff: for which values of one input a total is above another one, everything else as it is.
 *
 * Totals have steps (brokers are whole), so that two of them may cross more than once. What is told
 * is the crossing from which on, up to the end of the range, nothing changes any more.
 */
#ifndef PRICE_CLIFF_H
#define PRICE_CLIFF_H

#include "price/inputs.h"

enum cliff_kind {
    CLIFF_NEVER,  /* dearer nowhere in the range */
    CLIFF_ALWAYS, /* dearer everywhere */
    CLIFF_BELOW,  /* cheaper from `at` on, dearer just below */
    CLIFF_ABOVE,  /* dearer from `at` on, cheaper just below */
};

struct cliff {
    enum cliff_kind kind;
    enum sheet_value input;
    double at;
    double from; /* the range that was looked at */
    double to;
};

/* The inputs that are looked at. */
#define CLIFF_INPUTS 3
struct cliff_range {
    enum sheet_value input;
    double from;
    double to;
};
const struct cliff_range *cliff_ranges(void);

/* cliff_find tells where `total` is above `against`, to six digits (the whole number for inputs
 * without a fraction). */
struct cliff cliff_find(const struct inputs *inputs, const struct cliff_range *range,
    enum sheet_value total, enum sheet_value against);

#endif
