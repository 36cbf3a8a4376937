#include "lib/wire/codec_bytes.h"

#include <endian.h>
#include <string.h>

int16_t
codec_bytes_int16(const uint8_t *p)
{
    uint16_t value;

    memcpy(&value, p, sizeof value);
    return (int16_t)be16toh(value);
}

int32_t
codec_bytes_int32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof value);
    return (int32_t)be32toh(value);
}

int64_t
codec_bytes_int64(const uint8_t *p)
{
    uint64_t value;

    memcpy(&value, p, sizeof value);
    return (int64_t)be64toh(value);
}

void
codec_bytes_put_int16(uint8_t *p, int16_t value)
{
    uint16_t swapped = htobe16((uint16_t)value);

    memcpy(p, &swapped, sizeof swapped);
}

void
codec_bytes_put_int32(uint8_t *p, int32_t value)
{
    uint32_t swapped = htobe32((uint32_t)value);

    memcpy(p, &swapped, sizeof swapped);
}

void
codec_bytes_put_int64(uint8_t *p, int64_t value)
{
    uint64_t swapped = htobe64((uint64_t)value);

    memcpy(p, &swapped, sizeof swapped);
}

size_t
codec_bytes_uvarint(const uint8_t *p, size_t size, uint32_t *out)
{
    uint32_t value = 0;

    for (size_t i = 0; i < size && i < CODEC_UVARINT_BYTES_MAX; i++) {
        value |= (uint32_t)(p[i] & 0x7f) << (7 * i);
        if ((p[i] & 0x80) == 0) {
            *out = value;
            return i + 1;
        }
    }
    return 0;
}

size_t
codec_bytes_put_uvarint(uint8_t *p, uint32_t value)
{
    size_t size = 0;

    for (; value >= 0x80; value >>= 7, size++)
        if (p != NULL)
            p[size] = (uint8_t)(value | 0x80);
    if (p != NULL)
        p[size] = (uint8_t)value;
    return size + 1;
}

size_t
codec_bytes_stride(const struct wire_field *field)
{
    static const size_t sizes[] = {
        [WIRE_BOOL] = sizeof(bool),
        [WIRE_INT8] = 1,
        [WIRE_INT16] = 2,
        [WIRE_UINT16] = 2,
        [WIRE_INT32] = 4,
        [WIRE_INT64] = 8,
        [WIRE_FLOAT64] = 8,
        [WIRE_UUID] = sizeof(struct wire_uuid),
        [WIRE_STRING] = sizeof(struct wire_string),
        [WIRE_BYTES] = sizeof(struct wire_bytes),
        [WIRE_RECORDS] = sizeof(struct wire_records),
    };

    return field->kind == WIRE_STRUCT ? field->sub->size : sizes[field->kind];
}
