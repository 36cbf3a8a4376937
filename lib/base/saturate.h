/*
 * saturate: sums of numbers that a peer said, which end at the largest instead of wrapping round.
 *
 * Offsets and sizes come from answers and may be anything; a sum that has reached the end of its
 * type is as good as any other for what cannot be.
 */
#ifndef LIB_BASE_SATURATE_H
#define LIB_BASE_SATURATE_H

#include <stdint.h>

/* saturate_add and saturate_subtract: a + b and a - b, at most INT64_MAX, at least INT64_MIN. */
static inline int64_t
saturate_add(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

static inline int64_t
saturate_subtract(int64_t a, int64_t b)
{
    int64_t difference;

    if (__builtin_sub_overflow(a, b, &difference))
        return b > 0 ? INT64_MIN : INT64_MAX;
    return difference;
}

#endif
