/* requests_groups: the makers of requests about groups: members of both protocols, and groups as a
 * whole. */
#ifndef TESTS_DIFFER_REQUESTS_GROUPS_H
#define TESTS_DIFFER_REQUESTS_GROUPS_H

#include "tests/differ/making.h"

extern const struct maker requests_groups[];
extern const size_t requests_groups_count;

#endif
