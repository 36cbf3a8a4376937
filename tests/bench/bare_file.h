/*
 * bare_file: a file for durable appends without any broker.
 *
 * direct: O_DIRECT | O_DSYNC into a file that was written before (a recycled log, 512 MiB), round
 * and round. Not direct: write and fdatasync at the end of a file that grows.
 */
#ifndef TESTS_BENCH_BARE_FILE_H
#define TESTS_BENCH_BARE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BARE_FILE_RECYCLED_BYTES ((size_t)512 << 20)
#define BARE_FILE_ALIGN_BYTES 4096

struct bare_file {
    const char *path;
    int fd;
    bool direct;
    size_t at; /* of the next append */
};

/* bare_file_make opens the file as it is before the first append; without one the program ends. */
struct bare_file bare_file_make(const char *path, bool direct);

/* bare_file_append appends, and returns when that is durable. Size and data are aligned. */
void bare_file_append(struct bare_file *file, const uint8_t *data, size_t size);

/* bare_file_remove closes and removes it. */
void bare_file_remove(struct bare_file *file);

/* bare_file_noise returns aligned bytes by chance, which the caller frees. */
uint8_t *bare_file_noise(size_t size);

#endif
