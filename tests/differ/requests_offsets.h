/* requests_offsets: the makers of requests about committed offsets. */
#ifndef TESTS_DIFFER_REQUESTS_OFFSETS_H
#define TESTS_DIFFER_REQUESTS_OFFSETS_H

#include "tests/differ/making.h"

extern const struct maker requests_offsets[];
extern const size_t requests_offsets_count;

#endif
