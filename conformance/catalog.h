/*
 * catalog: all checks, in the order of their areas.
 */
#ifndef CONFORMANCE_CATALOG_H
#define CONFORMANCE_CATALOG_H

#include "conformance/check.h"

struct catalog_entry {
    const char *area;
    const struct check *check;
};

size_t catalog_count(void);

/* catalog_at returns entry `number`, below catalog_count. */
struct catalog_entry catalog_at(size_t number);

/* catalog_has tells whether a pattern (a shell glob over ids) fits any check. */
bool catalog_has(const char *pattern);

#endif
