/* The reading half of codec.h. */
#include <string.h>

#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"

#define STRING_BYTES_MAX 32767

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    struct arena *arena;
    struct err *e;
    int16_t version;
    bool flexible;
};

static enum rc struct_read(struct reader *r, const struct wire_struct *desc, void *out);

static size_t
left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

static enum rc
need(const struct reader *r, size_t size)
{
    return size <= left(r)
               ? RC_OK
               : err_set(r->e, RC_TRUNCATED, "needs %zu bytes, %zu are left", size, left(r));
}

static enum rc
uvarint_read(struct reader *r, uint32_t *out)
{
    size_t used = codec_bytes_uvarint(r->at, left(r), out);

    if (used == 0)
        return left(r) < 5 ? err_set(r->e, RC_TRUNCATED, "ends inside a variable-length number")
                           : err_set(r->e, RC_PROTOCOL, "a variable-length number is too long");
    r->at += used;
    return RC_OK;
}

/* The length of something that may be null: *size is -1 for null. `wide` lengths have 32 bits
 * outside flexible versions, others 16. */
static enum rc
length_read(struct reader *r, bool flexible, bool wide, int32_t *size)
{
    uint32_t plus_one;
    enum rc rc;

    if (flexible) {
        rc = uvarint_read(r, &plus_one);
        if (rc != RC_OK)
            return rc;
        if (plus_one > INT32_MAX)
            return err_set(r->e, RC_PROTOCOL, "length %u is too large", plus_one);
        *size = (int32_t)plus_one - 1;
        return RC_OK;
    }
    rc = need(r, wide ? 4 : 2);
    if (rc != RC_OK)
        return rc;
    *size = wide ? codec_bytes_int32(r->at) : codec_bytes_int16(r->at);
    r->at += wide ? 4 : 2;
    if (*size < 0)
        *size = -1;
    return RC_OK;
}

static bool
in_range(struct wire_range range, int16_t version)
{
    return version >= range.min && version <= range.max;
}

/* The smallest encoding of one element: what an array's count is held against before memory is
 * spent on it. */
static size_t
size_min(const struct reader *r, const struct wire_field *field, bool element)
{
    static const uint8_t sizes[] = {1, 1, 2, 2, 4, 8, 8, 16};
    const struct wire_struct *sub = field->sub;
    size_t size = r->flexible ? 1 : 0;

    if (field->is_array && !element)
        return r->flexible ? 1 : 4;
    if (field->kind < WIRE_STRING)
        return sizes[field->kind];
    if (field->kind == WIRE_STRING)
        return r->flexible ? 1 : 2;
    if (field->kind != WIRE_STRUCT)
        return r->flexible ? 1 : 4;
    if (field->is_pointer)
        return 1;
    for (uint32_t i = 0; i < sub->field_count; i++)
        if (sub->fields[i].tag < 0 && in_range(sub->fields[i].versions, r->version))
            size += size_min(r, &sub->fields[i], false);
    return size;
}

static enum rc
scalar_read(struct reader *r, enum wire_kind kind, void *out)
{
    static const uint8_t sizes[] = {1, 1, 2, 2, 4, 8, 8, 16};
    size_t size = sizes[kind];
    enum rc rc = need(r, size);
    int64_t wide;
    int32_t word;
    int16_t half;
    bool flag;

    if (rc != RC_OK)
        return rc;
    switch (kind) {
    case WIRE_BOOL:
        flag = *r->at != 0;
        memcpy(out, &flag, sizeof flag);
        break;
    case WIRE_INT16:
    case WIRE_UINT16:
        half = codec_bytes_int16(r->at);
        memcpy(out, &half, sizeof half);
        break;
    case WIRE_INT32:
        word = codec_bytes_int32(r->at);
        memcpy(out, &word, sizeof word);
        break;
    case WIRE_INT64:
    case WIRE_FLOAT64:
        wide = codec_bytes_int64(r->at);
        memcpy(out, &wide, sizeof wide);
        break;
    default:
        memcpy(out, r->at, size);
        break;
    }
    r->at += size;
    return RC_OK;
}

static enum rc
null_check(const struct reader *r, const struct wire_field *field, int32_t size)
{
    return size >= 0 || in_range(field->nullable, r->version)
               ? RC_OK
               : err_set(r->e, RC_PROTOCOL, "null is not allowed");
}

static enum rc
blob_read(struct reader *r, const struct wire_field *field, void *out)
{
    struct wire_string string = {NULL, -1};
    struct wire_bytes bytes = {NULL, -1};
    struct wire_records records = {NULL, NULL, -1, 0};
    bool is_string = field->kind == WIRE_STRING;
    int32_t size;
    enum rc rc = length_read(r, r->flexible && !field->inflexible, !is_string, &size);

    if (rc == RC_OK)
        rc = null_check(r, field, size);
    if (rc == RC_OK && is_string && size > STRING_BYTES_MAX)
        rc = err_set(r->e, RC_PROTOCOL, "a string of %d bytes is too long", size);
    if (rc == RC_OK && size > 0)
        rc = need(r, (size_t)size);
    if (rc != RC_OK)
        return rc;
    if (is_string) {
        if (size >= 0)
            string = (struct wire_string){(const char *)r->at, size};
        memcpy(out, &string, sizeof string);
    } else if (field->kind == WIRE_BYTES) {
        if (size >= 0)
            bytes = (struct wire_bytes){r->at, size};
        memcpy(out, &bytes, sizeof bytes);
    } else {
        if (size >= 0)
            records = (struct wire_records){r->at, NULL, size, 0};
        memcpy(out, &records, sizeof records);
    }
    if (size > 0)
        r->at += size;
    return RC_OK;
}

static enum rc
pointer_read(struct reader *r, const struct wire_field *field, void *out)
{
    void *object = NULL;
    int8_t present;
    enum rc rc = scalar_read(r, WIRE_INT8, &present);

    /* As a tag the mark in front is 0 for null and 1, elsewhere -1 and 1. */
    if (rc == RC_OK && field->tag >= 0)
        present = (int8_t)(present == 0 ? -1 : 1);
    if (rc == RC_OK)
        rc = null_check(r, field, present);
    if (rc != RC_OK)
        return rc;
    if (present >= 0) {
        object = codec_array(r->arena, field->sub, 1);
        if (object == NULL)
            return err_set(r->e, RC_LIMIT, "the message needs more memory than allowed");
        rc = struct_read(r, field->sub, object);
    }
    memcpy(out, &object, sizeof object);
    return rc;
}

static enum rc
single_read(struct reader *r, const struct wire_field *field, void *out)
{
    if (field->kind < WIRE_STRING)
        return scalar_read(r, field->kind, out);
    if (field->kind != WIRE_STRUCT)
        return blob_read(r, field, out);
    if (field->is_pointer && !field->is_array)
        return pointer_read(r, field, out);
    return struct_read(r, field->sub, out);
}

static enum rc
array_read(struct reader *r, const struct wire_field *field, void *out)
{
    struct wire_array array = {NULL, -1};
    size_t stride = codec_bytes_stride(field);
    size_t element_min;
    uint8_t *item;
    enum rc rc = length_read(r, r->flexible, true, &array.count);

    if (rc == RC_OK)
        rc = null_check(r, field, array.count);
    if (rc != RC_OK)
        return rc;
    if (array.count > 0) {
        element_min = size_min(r, field, true);
        if ((size_t)array.count > left(r) / (element_min == 0 ? 1 : element_min))
            return err_set(r->e, RC_TRUNCATED, "%d elements in %zu bytes", array.count, left(r));
        array.items = field->kind == WIRE_STRUCT
                          ? codec_array(r->arena, field->sub, array.count)
                          : arena_array(r->arena, (size_t)array.count, stride);
        if (array.items == NULL)
            return err_set(r->e, RC_LIMIT, "the message needs more memory than allowed");
    }
    item = array.items;
    for (int32_t i = 0; i < array.count && rc == RC_OK; i++, item += stride)
        rc = single_read(r, field, item);
    memcpy(out, &array, sizeof array);
    return rc;
}

static enum rc
field_read(struct reader *r, const struct wire_field *field, void *out)
{
    enum rc rc = field->is_array ? array_read(r, field, out) : single_read(r, field, out);

    return rc == RC_OK || r->e == NULL ? rc : err_note(r->e, "%s", field->name);
}

/* A tag that is absent and whose struct is not null by default stands for a struct of defaults. */
static enum rc
absent_pointer(struct reader *r, const struct wire_field *field, void *out)
{
    void *object = codec_array(r->arena, field->sub, 1);

    if (object == NULL)
        return err_set(r->e, RC_LIMIT, "the message needs more memory than allowed");
    memcpy(out, &object, sizeof object);
    return RC_OK;
}

static const struct wire_field *
tag_find(const struct reader *r, const struct wire_struct *desc, uint32_t tag)
{
    for (uint32_t i = 0; i < desc->field_count; i++)
        if (desc->fields[i].tag == (int32_t)tag && in_range(desc->fields[i].versions, r->version))
            return &desc->fields[i];
    return NULL;
}

static enum rc
tag_read(struct reader *r, const struct wire_struct *desc, int64_t *last, uint8_t *out)
{
    const struct wire_field *field;
    const uint8_t *end;
    struct reader inner;
    uint32_t tag, size;
    enum rc rc = uvarint_read(r, &tag);

    if (rc == RC_OK)
        rc = uvarint_read(r, &size);
    if (rc == RC_OK)
        rc = need(r, size);
    if (rc != RC_OK)
        return rc;
    if ((int64_t)tag <= *last)
        return err_set(r->e, RC_PROTOCOL, "tag %u does not ascend", tag);
    *last = tag;
    end = r->at + size;
    field = tag > INT16_MAX ? NULL : tag_find(r, desc, tag);
    if (field != NULL) {
        inner = *r;
        inner.end = end;
        rc = field_read(&inner, field, out + field->offset);
        if (rc == RC_OK && inner.at != end)
            rc = err_set(r->e, RC_PROTOCOL, "tag %u has %zu bytes too many", tag, left(&inner));
    }
    r->at = end;
    return rc;
}

/* `out` has its defaults already. */
static enum rc
struct_read(struct reader *r, const struct wire_struct *desc, void *out)
{
    uint8_t *base = out;
    uint32_t tag_count;
    int64_t last = -1;
    enum rc rc = RC_OK;

    for (uint32_t i = 0; i < desc->field_count && rc == RC_OK; i++) {
        const struct wire_field *field = &desc->fields[i];

        if (field->tag >= 0 && field->is_pointer && !field->default_null)
            rc = absent_pointer(r, field, base + field->offset);
        else if (field->tag < 0 && in_range(field->versions, r->version))
            rc = field_read(r, field, base + field->offset);
    }
    if (rc != RC_OK || !r->flexible)
        return rc;
    rc = uvarint_read(r, &tag_count);
    for (; rc == RC_OK && tag_count > 0; tag_count--)
        rc = tag_read(r, desc, &last, base);
    return rc;
}

enum rc
codec_decode(const struct wire_message *message, int16_t version, const void *data, size_t size,
    struct arena *arena, void *out, size_t *used, struct err *e)
{
    struct reader r = {data, (const uint8_t *)data + size, arena, e, version, false};
    enum rc rc;

    if (!codec_has_version(message, version))
        return err_set(e, RC_UNSUPPORTED, "%s has no version %d", message->name, version);
    r.flexible = codec_is_flexible(message, version);
    codec_init(message->body, out);
    rc = struct_read(&r, message->body, out);
    if (used != NULL)
        *used = (size_t)(r.at - (const uint8_t *)data);
    return rc == RC_OK || e == NULL ? rc : err_note(e, "%s v%d", message->name, version);
}
