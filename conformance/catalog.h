/*
 * catalog: all checks, in the order of their areas, and the choice among them.
 */
#ifndef CONFORMANCE_CATALOG_H
#define CONFORMANCE_CATALOG_H

#include "conformance/check.h"

#define CATALOG_PATTERNS_MAX 64

struct catalog_entry {
    const char *area;
    const struct check *check;
};

/* A check is chosen when one of the patterns (shell globs over ids; none: any) and one of the areas
 * (none: any) fits, and it is a core check where only those are wanted. */
struct catalog_filter {
    const char *patterns[CATALOG_PATTERNS_MAX];
    size_t pattern_count;
    const char *areas[CATALOG_PATTERNS_MAX];
    size_t area_count;
    bool is_core_only;
};

size_t catalog_count(void);

/* catalog_at returns entry `number`, below catalog_count. */
struct catalog_entry catalog_at(size_t number);

bool catalog_is_chosen(const struct catalog_filter *filter, size_t number);

/* catalog_has tells whether a pattern fits any check; catalog_has_area whether there is an area. */
bool catalog_has(const char *pattern);
bool catalog_has_area(const char *area);

#endif
