/* What both halves of codec.h share: versions, defaults and their comparison. */
#include "lib/wire/codec.h"

#include <string.h>

#include "lib/wire/codec_bytes.h"

bool
codec_is_flexible(const struct wire_message *message, int16_t version)
{
    return version >= message->flexible_min;
}

bool
codec_has_version(const struct wire_message *message, int16_t version)
{
    return version >= message->versions.min && version <= message->versions.max;
}

struct wire_string
codec_string(const char *text)
{
    return (struct wire_string){text, text == NULL ? -1 : (int32_t)strlen(text)};
}

bool
codec_string_is(struct wire_string string, const char *text)
{
    size_t size = strlen(text);

    return string.size == (int32_t)size && (size == 0 || memcmp(string.data, text, size) == 0);
}

static void
int_store(enum wire_kind kind, int64_t value, void *member)
{
    int32_t word = (int32_t)value;
    int16_t half = (int16_t)value;
    int8_t byte = (int8_t)value;
    double real = (double)value;
    bool flag = value != 0;

    switch (kind) {
    case WIRE_BOOL:
        memcpy(member, &flag, sizeof flag);
        break;
    case WIRE_INT8:
        memcpy(member, &byte, sizeof byte);
        break;
    case WIRE_INT16:
    case WIRE_UINT16:
        memcpy(member, &half, sizeof half);
        break;
    case WIRE_INT32:
        memcpy(member, &word, sizeof word);
        break;
    case WIRE_INT64:
        memcpy(member, &value, sizeof value);
        break;
    case WIRE_FLOAT64:
        memcpy(member, &real, sizeof real);
        break;
    default:
        break;
    }
}

/* Everything but numbers starts as zero bytes: no text, no elements, a null pointer, the zero uuid.
 * Only a default of null differs. */
static void
field_init(const struct wire_field *field, uint8_t *member)
{
    static const int32_t null_size = -1;

    if (field->is_array) {
        if (field->default_null)
            memcpy(member + offsetof(struct wire_array, count), &null_size, sizeof null_size);
        return;
    }
    switch (field->kind) {
    case WIRE_STRING:
        *(const char **)(void *)member = field->default_null ? NULL : "";
        if (field->default_null)
            memcpy(member + offsetof(struct wire_string, size), &null_size, sizeof null_size);
        break;
    case WIRE_BYTES:
        if (field->default_null)
            memcpy(member + offsetof(struct wire_bytes, size), &null_size, sizeof null_size);
        break;
    case WIRE_RECORDS:
        memcpy(member + offsetof(struct wire_records, size), &null_size, sizeof null_size);
        break;
    case WIRE_STRUCT:
        if (!field->is_pointer)
            codec_init(field->sub, member);
        break;
    default:
        if (field->default_int != 0)
            int_store(field->kind, field->default_int, member);
        break;
    }
}

void
codec_init(const struct wire_struct *desc, void *object)
{
    uint8_t *base = object;

    memset(object, 0, desc->size);
    for (uint32_t i = 0; i < desc->field_count; i++)
        field_init(&desc->fields[i], base + desc->fields[i].offset);
}

void *
codec_array(struct arena *arena, const struct wire_struct *desc, int32_t count)
{
    uint8_t *items = arena_array(arena, (size_t)count, desc->size);

    if (items == NULL || count <= 0)
        return items;
    codec_init(desc, items);
    /* The others are copies: twice as many each time. */
    for (size_t done = 1, all = (size_t)count; done < all; done *= 2)
        memcpy(
            items + done * desc->size, items, (all - done < done ? all - done : done) * desc->size);
    return items;
}

static bool
struct_is_default(const struct wire_struct *desc, const uint8_t *object)
{
    for (uint32_t i = 0; i < desc->field_count; i++)
        if (!codec_is_default(&desc->fields[i], object + desc->fields[i].offset))
            return false;
    return true;
}

static bool
size_is_default(const struct wire_field *field, int32_t size)
{
    return field->default_null ? size < 0 : size == 0;
}

bool
codec_is_default(const struct wire_field *field, const void *member)
{
    uint8_t plain[sizeof(struct wire_uuid)] = {0};
    struct wire_array array;
    struct wire_string string;
    struct wire_bytes bytes;
    struct wire_records records;
    const uint8_t *object;

    if (field->is_array) {
        memcpy(&array, member, sizeof array);
        return size_is_default(field, array.count);
    }
    switch (field->kind) {
    case WIRE_STRING:
        memcpy(&string, member, sizeof string);
        return size_is_default(field, string.size);
    case WIRE_BYTES:
        memcpy(&bytes, member, sizeof bytes);
        return size_is_default(field, bytes.size);
    case WIRE_RECORDS:
        memcpy(&records, member, sizeof records);
        return records.size < 0;
    case WIRE_STRUCT:
        if (!field->is_pointer)
            return struct_is_default(field->sub, member);
        memcpy(&object, member, sizeof object);
        if (object == NULL || field->default_null)
            return object == NULL && field->default_null;
        return struct_is_default(field->sub, object);
    default:
        int_store(field->kind, field->default_int, plain);
        return memcmp(plain, member, codec_bytes_stride(field)) == 0;
    }
}
