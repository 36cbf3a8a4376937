/*
 * inputs: the inputs of a price, and for each where its number is from.
 *
 * An input has a value and, where nobody knows it exactly, a range (low, high). A default has the
 * range of parameters.def; what is given or measured has none, unless it is given as
 * LOW:VALUE:HIGH. Later sources beat earlier ones by the order of the calls.
 */
#ifndef PRICE_INPUTS_H
#define PRICE_INPUTS_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "price/sheet.h"

#define INPUTS_NOTE_BYTES 256

enum inputs_origin {
    INPUTS_DEFAULT,
    INPUTS_PRICES,   /* a line of a price file */
    INPUTS_MEASURED, /* at a cluster */
    INPUTS_AUDIT,    /* from an audit's JSON */
    INPUTS_GIVEN,    /* by a flag */
    INPUTS_ORIGINS,
};

struct inputs_entry {
    double value;
    double low;
    double high;
    enum inputs_origin origin;
    char note[INPUTS_NOTE_BYTES]; /* for people: which line, which flag, how it was measured */
};

struct inputs {
    struct inputs_entry entries[SHEET_INPUTS];
    char title[INPUTS_NOTE_BYTES]; /* of the price file */
};

/* inputs_init has all defaults; prices are 0 until a price file is read. */
void inputs_init(struct inputs *inputs);

/* inputs_give takes VALUE or LOW:VALUE:HIGH. RC_CONFIG, and nothing changed, for what is no number
 * in the input's range; `called` is how the user calls it ("--zones"). */
MUST_CHECK enum rc inputs_give(struct inputs *inputs, enum sheet_value input, const char *text,
    const char *called, struct err *e);

/* inputs_give_pair takes NAME=VALUE of any input. */
MUST_CHECK enum rc inputs_give_pair(struct inputs *inputs, const char *pair, struct err *e);

/* inputs_put sets a known value, moved into the range that is accepted. */
void inputs_put(struct inputs *inputs, enum sheet_value input, double value,
    enum inputs_origin origin, const char *note);

/* inputs_values copies the values to the front of a row of numbers. */
void inputs_values(const struct inputs *inputs, double *values);

/* inputs_origin returns the origin's name. */
const char *inputs_origin(enum inputs_origin origin);

/* inputs_number reads a finite number that is all of a text; false for anything else. */
bool inputs_number(const char *text, size_t size, double *out);

#endif
