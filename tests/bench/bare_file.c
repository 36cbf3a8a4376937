#include "tests/bench/bare_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/xalloc.h"

#define FILL_BYTES ((size_t)8 << 20)

uint8_t *
bare_file_noise(size_t size)
{
    uint8_t *data = aligned_alloc(BARE_FILE_ALIGN_BYTES, size);
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

struct bare_file
bare_file_make(const char *path, bool direct)
{
    struct bare_file file = {.path = path, .direct = direct};
    uint8_t *data = bare_file_noise(FILL_BYTES);

    file.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | (direct ? O_DIRECT : 0), 0600);
    for (size_t at = 0; file.fd >= 0 && direct && at < BARE_FILE_RECYCLED_BYTES; at += FILL_BYTES)
        REQUIRE(pwrite(file.fd, data, FILL_BYTES, (off_t)at) == (ssize_t)FILL_BYTES);
    free(data);
    if (file.fd >= 0 && fsync(file.fd) == 0 && direct) {
        close(file.fd);
        file.fd = open(path, O_RDWR | O_CLOEXEC | O_DIRECT | O_DSYNC);
    }
    if (file.fd < 0) {
        perror(path);
        exit(1);
    }
    return file;
}

void
bare_file_append(struct bare_file *file, const uint8_t *data, size_t size)
{
    if (file->direct && file->at + size > BARE_FILE_RECYCLED_BYTES)
        file->at = 0;
    REQUIRE(pwrite(file->fd, data, size, (off_t)file->at) == (ssize_t)size);
    REQUIRE(file->direct || fdatasync(file->fd) == 0);
    file->at += size;
}

void
bare_file_remove(struct bare_file *file)
{
    close(file->fd);
    unlink(file->path);
}
