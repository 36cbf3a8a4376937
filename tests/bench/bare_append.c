/*
 * bare_append: what the disk does by itself: durable appends of one size, one after another.
 *
 *   bare_append FILE direct|fdatasync WRITE_BYTES SECONDS
 *
 * direct: O_DIRECT | O_DSYNC into a file that was written before (a recycled log, 512 MiB), round
 * and round. fdatasync: write and fdatasync at the end of a file that grows. Prints figures as
 * "metric<TAB>unit<TAB>value". WRITE_BYTES is a multiple of 4096.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/xalloc.h"

#define RECYCLED_BYTES ((size_t)512 << 20)
#define FILL_BYTES ((size_t)8 << 20)
#define GROWN_BYTES_MAX ((size_t)4 << 30)
#define WRITES_MAX 1000000
#define ALIGN_BYTES 4096

static double
now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint8_t *
noise(size_t size)
{
    uint8_t *data = aligned_alloc(ALIGN_BYTES, size);
    uint32_t x = 2463534242;

    REQUIRE(data != NULL);
    for (size_t i = 0; i < size; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        data[i] = (uint8_t)x;
    }
    return data;
}

/* The file as it is before the first append. */
static int
file_make(const char *path, bool direct)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | (direct ? O_DIRECT : 0), 0600);
    uint8_t *data = noise(FILL_BYTES);

    for (size_t at = 0; fd >= 0 && direct && at < RECYCLED_BYTES; at += FILL_BYTES)
        REQUIRE(pwrite(fd, data, FILL_BYTES, (off_t)at) == (ssize_t)FILL_BYTES);
    free(data);
    if (fd >= 0 && fsync(fd) == 0 && direct) {
        close(fd);
        fd = open(path, O_RDWR | O_CLOEXEC | O_DIRECT | O_DSYNC);
    }
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

static int
by_time(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

int
main(int argc, char **argv)
{
    bool direct = argc == 5 && strcmp(argv[2], "direct") == 0;
    size_t size = argc == 5 ? strtoull(argv[3], NULL, 10) : 0, count = 0, at = 0;
    double *times, started, now;
    uint8_t *data;
    int fd;

    if (size == 0 || size % ALIGN_BYTES != 0 || size > RECYCLED_BYTES) {
        fprintf(stderr, "usage: bare_append FILE direct|fdatasync WRITE_BYTES SECONDS\n");
        return 2;
    }
    fd = file_make(argv[1], direct);
    data = noise(size);
    times = xcalloc(WRITES_MAX, sizeof *times);
    started = now = now_s();
    while (now - started < strtod(argv[4], NULL) && count < WRITES_MAX && at < GROWN_BYTES_MAX) {
        double begin = now;

        if (direct && at + size > RECYCLED_BYTES)
            at = 0;
        REQUIRE(pwrite(fd, data, size, (off_t)at) == (ssize_t)size);
        REQUIRE(direct || fdatasync(fd) == 0);
        at += size;
        now = now_s();
        times[count++] = now - begin;
    }
    qsort(times, count, sizeof *times, by_time);
    printf("throughput\tMB/s\t%.1f\n", (double)count * (double)size / (now - started) / 1e6);
    printf("p50\tms\t%.3f\n", times[count / 2] * 1e3);
    printf("p99\tms\t%.3f\n", times[count * 99 / 100] * 1e3);
    free(times);
    free(data);
    close(fd);
    return unlink(argv[1]) == 0 ? 0 : 1;
}
