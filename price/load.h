/*
 * load: what somebody has seen of an estate, and how it becomes inputs.
 *
 * A cluster that was measured and an audit's JSON both fill a load; what they did not see is not
 * known. What the user gives beats a load.
 */
#ifndef PRICE_LOAD_H
#define PRICE_LOAD_H

#include <stdbool.h>

#include "price/inputs.h"

struct load_number {
    bool known;
    double value;
    char how[INPUTS_NOTE_BYTES]; /* it is known, or why it is not */
};

struct load {
    enum inputs_origin origin;
    struct load_number brokers;
    struct load_number zones;
    struct load_number partitions;
    struct load_number replication;
    struct load_number produced; /* bytes a second, as stored */
    struct load_number stored;   /* bytes, one copy */
    struct load_number fan_out;
};

/* load_know sets a number and says how it is known. */
void load_know(struct load_number *number, double value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* load_miss says why a number is not known. */
void load_miss(struct load_number *number, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* load_apply fills the inputs that are not given. Retention is what is stored through what is
 * produced: how long data really stays. */
void load_apply(const struct load *load, struct inputs *inputs);

#endif
