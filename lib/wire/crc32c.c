#include "lib/wire/crc32c.h"

#include <isa-l/crc.h>
#include <pthread.h>

/* ISA-L takes the length as an int. */
#define PIECE_BYTES_MAX ((size_t)1 << 30)

/* Checksums are polynomials over GF(2) modulo this one, with x^0 in the highest bit. */
#define POLYNOMIAL 0x82f63b78u
#define X_TO_0 0x80000000u
#define X_TO_8 0x00800000u

/* shifts[k][n] is x^(8 n 256^k): what a checksum is multiplied by for n 256^k bytes behind it. */
static uint32_t shifts[sizeof(size_t)][256];
static pthread_once_t shifts_once = PTHREAD_ONCE_INIT;

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

static uint32_t
multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;

    for (int i = 31; i >= 0; i--) {
        product ^= b & (0u - ((a >> i) & 1));
        b = (b >> 1) ^ (POLYNOMIAL & (0u - (b & 1)));
    }
    return product;
}

static void
shifts_make(void)
{
    uint32_t step = X_TO_8;

    for (size_t k = 0; k < sizeof(size_t); k++) {
        shifts[k][0] = X_TO_0;
        for (size_t n = 1; n < 256; n++)
            shifts[k][n] = multiply(shifts[k][n - 1], step);
        step = multiply(shifts[k][255], step);
    }
}

uint32_t
crc32c_join(uint32_t first, uint32_t second, size_t second_bytes)
{
    pthread_once(&shifts_once, shifts_make);
    for (size_t k = 0; second_bytes > 0; k++, second_bytes >>= 8)
        if ((second_bytes & 255) != 0)
            first = multiply(shifts[k][second_bytes & 255], first);
    return first ^ second;
}

uint32_t
crc32c_old(const void *data, size_t size)
{
    return size == 0 ? 0 : crc32_gzip_refl(0, data, size);
}
