#include "lib/wire/crc32c.h"

#include <isa-l/crc.h>

/* ISA-L takes the length as an int. */
#define PIECE_BYTES_MAX ((size_t)1 << 30)

uint32_t
crc32c_of(const void *data, size_t size)
{
    return crc32c_extend(0, data, size);
}

uint32_t
crc32c_extend(uint32_t crc, const void *data, size_t size)
{
    /* ISA-L's prototype lacks a const that its function keeps. */
    union {
        const void *ours;
        unsigned char *theirs;
    } at = {.ours = data};

    crc = ~crc;
    while (size > 0) {
        size_t n = size < PIECE_BYTES_MAX ? size : PIECE_BYTES_MAX;

        crc = crc32_iscsi(at.theirs, (int)n, crc);
        at.theirs += n;
        size -= n;
    }
    return ~crc;
}

uint32_t
crc32c_old(const void *data, size_t size)
{
    return size == 0 ? 0 : crc32_gzip_refl(0, data, size);
}
