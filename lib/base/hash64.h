/* hash64: XXH3 of 64 bits with seed 0, as other programs compute it too. Not for secrets. */
#ifndef LIB_BASE_HASH64_H
#define LIB_BASE_HASH64_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash64_of(const void *data, size_t size);

#endif
