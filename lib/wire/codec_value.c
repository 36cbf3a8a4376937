#include "lib/wire/codec_value.h"

#include <string.h>

#include "lib/wire/codec_bytes.h"

bool
codec_value_has(const struct wire_field *field, int16_t version)
{
    return version >= field->versions.min && version <= field->versions.max;
}

static struct codec_value
blob_load(const struct wire_field *field, const void *at)
{
    struct codec_value value = {.kind = CODEC_VALUE_STRING};
    struct wire_string string;
    struct wire_bytes bytes;

    if (field->kind == WIRE_STRING) {
        memcpy(&string, at, sizeof string);
        value.data = (const uint8_t *)string.data;
        value.size = string.size;
    } else if (field->kind == WIRE_BYTES) {
        memcpy(&bytes, at, sizeof bytes);
        value.kind = CODEC_VALUE_BYTES;
        value.data = bytes.data;
        value.size = bytes.size;
    } else {
        memcpy(&value.records, at, sizeof value.records);
        value.kind = CODEC_VALUE_RECORDS;
        value.size = value.records.size;
    }
    if (value.size < 0)
        value.kind = CODEC_VALUE_NULL;
    return value;
}

static struct codec_value
scalar_load(enum wire_kind kind, const void *at)
{
    struct codec_value value = {.kind = CODEC_VALUE_INT};
    uint16_t unsigned_half;
    int16_t half;
    int32_t word;
    int8_t byte;
    bool flag;

    switch (kind) {
    case WIRE_BOOL:
        memcpy(&flag, at, sizeof flag);
        value.kind = CODEC_VALUE_BOOL;
        value.number = flag;
        break;
    case WIRE_INT8:
        memcpy(&byte, at, sizeof byte);
        value.number = (int64_t)byte; /* NOLINT(bugprone-signed-char-misuse): an int8 has a sign */
        break;
    case WIRE_INT16:
        memcpy(&half, at, sizeof half);
        value.number = half;
        break;
    case WIRE_UINT16:
        memcpy(&unsigned_half, at, sizeof unsigned_half);
        value.number = unsigned_half;
        break;
    case WIRE_INT32:
        memcpy(&word, at, sizeof word);
        value.number = word;
        break;
    case WIRE_INT64:
        memcpy(&value.number, at, sizeof value.number);
        break;
    case WIRE_FLOAT64:
        memcpy(&value.real, at, sizeof value.real);
        memcpy(&value.number, at, sizeof value.number);
        value.kind = CODEC_VALUE_REAL;
        break;
    default:
        value.kind = CODEC_VALUE_UUID;
        value.data = at;
        break;
    }
    return value;
}

struct codec_value
codec_value_load(const struct wire_field *field, const void *at, bool is_element)
{
    struct codec_value value = {.kind = CODEC_VALUE_STRUCT, .data = at};
    struct wire_array array;

    if (field->is_array && !is_element) {
        memcpy(&array, at, sizeof array);
        value.kind = array.count < 0 ? CODEC_VALUE_NULL : CODEC_VALUE_ARRAY;
        value.data = array.items;
        value.size = array.count;
        return value;
    }
    if (field->kind < WIRE_STRING)
        return scalar_load(field->kind, at);
    if (field->kind != WIRE_STRUCT)
        return blob_load(field, at);
    if (field->is_pointer && !field->is_array) {
        memcpy(&value.data, at, sizeof value.data);
        if (value.data == NULL)
            value.kind = CODEC_VALUE_NULL;
    }
    return value;
}

struct codec_value
codec_value_element(const struct wire_field *field, const struct codec_value *array, int32_t index)
{
    return codec_value_load(field, array->data + (size_t)index * codec_bytes_stride(field), true);
}

static bool
records_equal(const struct wire_records *a, const struct wire_records *b)
{
    const struct wire_records *sides[2] = {a, b};
    const uint8_t *at[2] = {a->data, b->data};
    size_t have[2] = {(size_t)a->size, (size_t)b->size};
    int32_t next[2] = {0, 0};
    size_t left = (size_t)a->size;

    if (a->size != b->size)
        return false;
    for (int s = 0; s < 2; s++)
        if (sides[s]->data == NULL)
            have[s] = 0;
    while (left > 0) {
        size_t n;

        for (int s = 0; s < 2; s++) {
            while (have[s] == 0 && next[s] < sides[s]->fragment_count) {
                at[s] = sides[s]->fragments[next[s]].data;
                have[s] = sides[s]->fragments[next[s]++].size;
            }
        }
        n = have[0] < have[1] ? have[0] : have[1];
        if (n == 0 || memcmp(at[0], at[1], n) != 0)
            return false;
        at[0] += n, at[1] += n;
        have[0] -= n, have[1] -= n;
        left -= n;
    }
    return true;
}

bool
codec_value_equal(const struct codec_value *a, const struct codec_value *b)
{
    switch (a->kind) {
    case CODEC_VALUE_NULL:
        return true;
    case CODEC_VALUE_UUID:
        return memcmp(a->data, b->data, sizeof(struct wire_uuid)) == 0;
    case CODEC_VALUE_STRING:
    case CODEC_VALUE_BYTES:
        return a->size == b->size &&
               (a->size == 0 || memcmp(a->data, b->data, (size_t)a->size) == 0);
    case CODEC_VALUE_RECORDS:
        return records_equal(&a->records, &b->records);
    default:
        return a->number == b->number;
    }
}
