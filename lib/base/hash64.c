#include "lib/base/hash64.h"

#include <xxhash.h>

uint64_t
hash64_of(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}
