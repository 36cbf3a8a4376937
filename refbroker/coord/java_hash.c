#include "refbroker/coord/java_hash.h"

#include <stdlib.h>

/* The next code point, U+FFFD for what is none; moves *text behind it. */
static uint32_t
code_point_next(const unsigned char **text)
{
    const unsigned char *at = *text;
    int more = at[0] >= 0xf0 ? 3 : at[0] >= 0xe0 ? 2 : at[0] >= 0xc2 ? 1 : 0;
    uint32_t code = more == 0 ? at[0] : at[0] & (0x3fu >> more);

    if ((at[0] >= 0x80 && at[0] < 0xc2) || at[0] >= 0xf5) {
        *text = at + 1;
        return 0xfffd;
    }
    for (int i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            *text = at + i;
            return 0xfffd;
        }
        code = code << 6 | (at[i] & 0x3fu);
    }
    *text = at + more + 1;
    return code;
}

int32_t
java_hash_text(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    uint32_t hash = 0;

    while (*at != '\0') {
        uint32_t code = code_point_next(&at);

        if (code >= 0x10000) {
            hash = hash * 31 + (0xd800 + ((code - 0x10000) >> 10));
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        hash = hash * 31 + code;
    }
    return (int32_t)hash;
}

int32_t
java_hash_uuid(const struct wire_uuid *uuid)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < sizeof uuid->bytes; i += 4)
        hash ^= (uint32_t)uuid->bytes[i] << 24 | (uint32_t)uuid->bytes[i + 1] << 16 |
                (uint32_t)uuid->bytes[i + 2] << 8 | uuid->bytes[i + 3];
    return (int32_t)hash;
}

size_t
java_hash_capacity(size_t capacity, size_t count)
{
    while (count * 4 > capacity * 3)
        capacity *= 2;
    return capacity;
}

size_t
java_hash_reserved(size_t size)
{
    size_t capacity = 1;

    while (capacity < size)
        capacity *= 2;
    return capacity;
}

size_t
java_hash_copied(size_t count)
{
    size_t size = (size_t)((float)count / 0.75f) + 1;

    return java_hash_reserved(size < JAVA_HASH_CAPACITY ? JAVA_HASH_CAPACITY : size);
}

uint32_t
java_hash_bucket(int32_t hash, size_t capacity)
{
    uint32_t spread = (uint32_t)hash ^ (uint32_t)hash >> 16;

    return spread & (uint32_t)(capacity - 1);
}

static int
compare_entry(const void *a, const void *b)
{
    const struct java_hash_entry *x = a, *y = b;

    if (x->bucket != y->bucket)
        return x->bucket < y->bucket ? -1 : 1;
    return (x->came > y->came) - (x->came < y->came);
}

void
java_hash_order(struct java_hash_entry *entries, size_t count)
{
    if (count > 1)
        qsort(entries, count, sizeof *entries, compare_entry);
}

void
java_hash_sort(struct java_hash_entry *entries, size_t count, size_t capacity)
{
    for (size_t i = 0; i < count; i++) {
        entries[i].bucket = java_hash_bucket(entries[i].hash, capacity);
        entries[i].came = i;
    }
    java_hash_order(entries, count);
}
