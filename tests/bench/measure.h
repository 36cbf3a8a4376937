/*
 * measure: times, and figures of many of them.
 */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/* measure_now_us is the monotonic clock. */
static inline int64_t
measure_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* measure_cpu_seconds is user and system time. */
static inline double
measure_cpu_seconds(const struct rusage *usage)
{
    return (double)usage->ru_utime.tv_sec + (double)usage->ru_utime.tv_usec / 1e6 +
           (double)usage->ru_stime.tv_sec + (double)usage->ru_stime.tv_usec / 1e6;
}

static inline int
measure_compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* measure_print_latencies sorts times in microseconds, one at least, and prints p50 and p99 as
 * "metric<TAB>unit<TAB>value". */
static inline void
measure_print_latencies(int64_t *us, size_t count)
{
    qsort(us, count, sizeof *us, measure_compare);
    printf("p50\tms\t%.3f\n", (double)us[count / 2] / 1e3);
    printf("p99\tms\t%.3f\n", (double)us[count * 99 / 100] / 1e3);
}

#endif
