/*
 * mutants: the brokers that are wrong in one place, those that are right in an unusual way, and
 * those that are none at all.
 */
#ifndef CONFORMANCE_MUTANTS_H
#define CONFORMANCE_MUTANTS_H

#include "conformance/proxy.h"

struct mutant {
    const char *name; /* "wire_correlation" */
    const char *check;
    const char *observed; /* NULL: unusual, not wrong; the check must pass */
    const char *what;
    struct proxy_rule rule;
};

/* mutants_count and mutants_at walk mutants.def. */
size_t mutants_count(void);
const struct mutant *mutants_at(size_t i);

/* Servers that answer everything alike, whatever it was: against them no check may pass. */
struct mutants_null {
    const char *name; /* "silent" */
    const char *what;
    struct proxy_rule rule;
};

size_t mutants_null_count(void);
const struct mutants_null *mutants_null_at(size_t i);

#define MUTANT(function, side, check, observed, what)                                              \
    void function(struct proxy *proxy, struct proxy_call *call);
#define UNUSUAL(function, side, check, what) MUTANT(function, side, check, NULL, what)
#include "conformance/mutants.def"
#undef UNUSUAL
#undef MUTANT

#endif
