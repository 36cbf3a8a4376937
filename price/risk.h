/*
 * risk: how far a total may be off, and because of what.
 *
 * Each input that has a range is moved to its ends while all others stay (a tornado). The band of a
 * total joins the swings as if the inputs knew nothing of each other: the root of the sum of their
 * squares, apart for those that lower it and those that raise it.
 */
#ifndef PRICE_RISK_H
#define PRICE_RISK_H

#include "price/inputs.h"

struct risk_swing {
    enum sheet_value input;
    double at_low; /* the total where the input has its low, */
    double at_high;
};

struct risk {
    double low;
    double value;
    double high;
    struct risk_swing swings[SHEET_INPUTS]; /* those that move the total, widest first */
    size_t count;
};

void risk_of(const struct inputs *inputs, enum sheet_value total, struct risk *out);

#endif
