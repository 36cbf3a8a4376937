#include "lib/wire/varint.h"

/* Two loops and not one: the 32-bit reader runs four times per record. */
size_t
varint_get(const uint8_t *p, size_t size, int32_t *out)
{
    uint32_t value = 0;

    for (size_t i = 0; i < size && i < VARINT_BYTES_MAX; i++) {
        value |= (uint32_t)(p[i] & 0x7f) << (7 * i);
        if ((p[i] & 0x80) == 0) {
            *out = (int32_t)((value >> 1) ^ (0 - (value & 1)));
            return i + 1;
        }
    }
    return 0;
}

size_t
varint_get_long(const uint8_t *p, size_t size, int64_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size && i < VARINT_LONG_BYTES_MAX; i++) {
        value |= (uint64_t)(p[i] & 0x7f) << (7 * i);
        if ((p[i] & 0x80) == 0) {
            *out = (int64_t)((value >> 1) ^ (0 - (value & 1)));
            return i + 1;
        }
    }
    return 0;
}

static uint64_t
zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

size_t
varint_put(uint8_t *p, int32_t value)
{
    return varint_put_long(p, value);
}

size_t
varint_put_long(uint8_t *p, int64_t value)
{
    uint64_t rest = zigzag(value);
    size_t size = 0;

    for (; rest >= 0x80; rest >>= 7)
        p[size++] = (uint8_t)(rest | 0x80);
    p[size++] = (uint8_t)rest;
    return size;
}

size_t
varint_size(int32_t value)
{
    return varint_size_long(value);
}

size_t
varint_size_long(int64_t value)
{
    uint64_t rest = zigzag(value);
    size_t size = 1;

    while (rest >= 0x80) {
        rest >>= 7;
        size++;
    }
    return size;
}
