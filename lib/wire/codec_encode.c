/* The writing half of codec.h. One walk serves measuring, writing and gathering, so that sizes
 * cannot disagree. */
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"

#define STRING_BYTES_MAX 32767

struct gather {
    struct wire_fragment *pieces;
    size_t count;
    uint8_t *piece_start; /* of the piece that is being written */
};

struct writer {
    uint8_t *at; /* NULL while measuring */
    size_t size; /* of the message so far, outside fragments included */
    size_t outside_bytes;
    size_t outside_pieces;
    struct gather *gather; /* NULL: fragments are copied */
    struct err *e;
    int16_t version;
    bool flexible;
};

static enum rc struct_write(struct writer *w, const struct wire_struct *desc, const void *in);

static bool
in_range(struct wire_range range, int16_t version)
{
    return version >= range.min && version <= range.max;
}

static void
put(struct writer *w, const void *data, size_t size)
{
    if (w->at != NULL && data != NULL && size > 0) {
        memcpy(w->at, data, size);
        w->at += size;
    }
    w->size += size;
}

static void
put_uvarint(struct writer *w, uint32_t value)
{
    uint8_t bytes[CODEC_UVARINT_BYTES_MAX];

    put(w, bytes, codec_bytes_put_uvarint(bytes, value));
}

static void
put_length(struct writer *w, bool flexible, bool wide, int32_t size)
{
    uint8_t bytes[4];

    if (flexible) {
        put_uvarint(w, (uint32_t)(size + 1));
    } else if (wide) {
        codec_bytes_put_int32(bytes, size);
        put(w, bytes, 4);
    } else {
        codec_bytes_put_int16(bytes, (int16_t)size);
        put(w, bytes, 2);
    }
}

static enum rc
null_check(const struct writer *w, const struct wire_field *field)
{
    return in_range(field->nullable, w->version)
               ? RC_OK
               : err_set(w->e, RC_PROTOCOL, "null is not allowed");
}

static void
scalar_write(struct writer *w, enum wire_kind kind, const void *in)
{
    uint8_t bytes[8];
    int64_t wide;
    int32_t word;
    int16_t half;

    switch (kind) {
    case WIRE_INT16:
    case WIRE_UINT16:
        memcpy(&half, in, sizeof half);
        codec_bytes_put_int16(bytes, half);
        put(w, bytes, 2);
        break;
    case WIRE_INT32:
        memcpy(&word, in, sizeof word);
        codec_bytes_put_int32(bytes, word);
        put(w, bytes, 4);
        break;
    case WIRE_INT64:
    case WIRE_FLOAT64:
        memcpy(&wide, in, sizeof wide);
        codec_bytes_put_int64(bytes, wide);
        put(w, bytes, 8);
        break;
    default:
        put(w, in, kind == WIRE_UUID ? sizeof(struct wire_uuid) : 1);
        break;
    }
}

/* Ends the piece that is being written and lists one that lies elsewhere. */
static void
piece_add(struct writer *w, const struct wire_fragment *outside)
{
    struct gather *g = w->gather;

    if (w->at != g->piece_start)
        g->pieces[g->count++] =
            (struct wire_fragment){g->piece_start, (size_t)(w->at - g->piece_start)};
    if (outside != NULL)
        g->pieces[g->count++] = *outside;
    g->piece_start = w->at;
}

static void
records_write(struct writer *w, const struct wire_records *records)
{
    if (records->data != NULL || records->fragment_count == 0) {
        put(w, records->data, records->size > 0 ? (size_t)records->size : 0);
        return;
    }
    for (int32_t i = 0; i < records->fragment_count; i++) {
        const struct wire_fragment *fragment = &records->fragments[i];

        if (w->gather != NULL && w->at != NULL) {
            piece_add(w, fragment);
            w->size += fragment->size;
        } else {
            put(w, fragment->data, fragment->size);
        }
        w->outside_bytes += fragment->size;
        w->outside_pieces++;
    }
}

static enum rc
blob_write(struct writer *w, const struct wire_field *field, const void *in)
{
    struct wire_string string = {NULL, 0};
    struct wire_bytes bytes = {NULL, 0};
    struct wire_records records = {NULL, NULL, 0, 0};
    bool is_string = field->kind == WIRE_STRING;
    int32_t size;

    if (is_string)
        memcpy(&string, in, sizeof string);
    else if (field->kind == WIRE_BYTES)
        memcpy(&bytes, in, sizeof bytes);
    else
        memcpy(&records, in, sizeof records);
    size = is_string ? string.size : field->kind == WIRE_BYTES ? bytes.size : records.size;
    if (size < 0 && null_check(w, field) != RC_OK)
        return RC_PROTOCOL;
    if (is_string && size > STRING_BYTES_MAX)
        return err_set(w->e, RC_PROTOCOL, "a string of %d bytes is too long", size);
    put_length(w, w->flexible && !field->inflexible, !is_string, size < 0 ? -1 : size);
    if (size <= 0)
        return RC_OK;
    if (field->kind == WIRE_RECORDS)
        records_write(w, &records);
    else
        put(w, is_string ? (const void *)string.data : bytes.data, (size_t)size);
    return RC_OK;
}

static enum rc
pointer_write(struct writer *w, const struct wire_field *field, const void *in)
{
    const void *object;
    int8_t present;

    memcpy(&object, in, sizeof object);
    if (object == NULL && null_check(w, field) != RC_OK)
        return RC_PROTOCOL;
    /* As a tag the mark in front is 0 for null and 1, elsewhere -1 and 1. */
    present = object != NULL ? 1 : field->tag >= 0 ? 0 : -1;
    put(w, &present, 1);
    return object == NULL ? RC_OK : struct_write(w, field->sub, object);
}

static enum rc
single_write(struct writer *w, const struct wire_field *field, const void *in)
{
    if (field->kind < WIRE_STRING) {
        scalar_write(w, field->kind, in);
        return RC_OK;
    }
    if (field->kind != WIRE_STRUCT)
        return blob_write(w, field, in);
    if (field->is_pointer && !field->is_array)
        return pointer_write(w, field, in);
    return struct_write(w, field->sub, in);
}

static enum rc
field_write(struct writer *w, const struct wire_field *field, const void *in)
{
    size_t stride = codec_bytes_stride(field);
    struct wire_array array;
    const uint8_t *item;
    enum rc rc = RC_OK;

    if (field->is_array) {
        memcpy(&array, in, sizeof array);
        if (array.count < 0)
            rc = null_check(w, field);
        if (rc == RC_OK)
            put_length(w, w->flexible, true, array.count < 0 ? -1 : array.count);
        item = array.items;
        for (int32_t i = 0; i < array.count && rc == RC_OK; i++, item += stride)
            rc = single_write(w, field, item);
    } else {
        rc = single_write(w, field, in);
    }
    return rc == RC_OK || w->e == NULL ? rc : err_note(w->e, "%s", field->name);
}

static enum rc
tags_write(struct writer *w, const struct wire_struct *desc, const uint8_t *base)
{
    const struct wire_field *present[64];
    uint32_t count = 0;
    enum rc rc = RC_OK;

    for (int32_t tag = 0; count < ARRAY_LEN(present); tag++) {
        uint32_t i = 0;

        while (i < desc->field_count && desc->fields[i].tag != tag)
            i++;
        if (i == desc->field_count)
            break;
        if (in_range(desc->fields[i].versions, w->version) &&
            !codec_is_default(&desc->fields[i], base + desc->fields[i].offset))
            present[count++] = &desc->fields[i];
    }
    put_uvarint(w, count);
    for (uint32_t i = 0; i < count && rc == RC_OK; i++) {
        struct writer measure = {.version = w->version, .flexible = w->flexible, .e = w->e};

        rc = field_write(&measure, present[i], base + present[i]->offset);
        if (rc != RC_OK)
            break;
        put_uvarint(w, (uint32_t)present[i]->tag);
        put_uvarint(w, (uint32_t)measure.size);
        rc = field_write(w, present[i], base + present[i]->offset);
    }
    return rc;
}

static enum rc
struct_write(struct writer *w, const struct wire_struct *desc, const void *in)
{
    const uint8_t *base = in;
    enum rc rc = RC_OK;

    for (uint32_t i = 0; i < desc->field_count && rc == RC_OK; i++) {
        const struct wire_field *field = &desc->fields[i];

        if (!in_range(field->versions, w->version)) {
            if (!field->ignorable && !codec_is_default(field, base + field->offset))
                rc = err_set(w->e, RC_UNSUPPORTED, "version %d has no %s", w->version, field->name);
        } else if (field->tag < 0) {
            rc = field_write(w, field, base + field->offset);
        }
    }
    return rc == RC_OK && w->flexible ? tags_write(w, desc, base) : rc;
}

static enum rc
message_write(struct writer *w, const struct wire_message *message, const void *in)
{
    enum rc rc;

    if (!codec_has_version(message, w->version))
        return err_set(w->e, RC_UNSUPPORTED, "%s has no version %d", message->name, w->version);
    w->flexible = codec_is_flexible(message, w->version);
    rc = struct_write(w, message->body, in);
    return rc == RC_OK || w->e == NULL ? rc : err_note(w->e, "%s v%d", message->name, w->version);
}

enum rc
codec_measure(const struct wire_message *message, int16_t version, const void *in, size_t *size,
    struct err *e)
{
    struct writer w = {.version = version, .e = e};
    enum rc rc = message_write(&w, message, in);

    *size = w.size;
    return rc;
}

enum rc
codec_encode(const struct wire_message *message, int16_t version, const void *in, struct buf *out,
    struct err *e)
{
    struct writer w = {.version = version, .e = e};
    size_t size;
    enum rc rc = codec_measure(message, version, in, &size, e);

    if (rc != RC_OK)
        return rc;
    w.at = buf_reserve(out, size);
    if (w.at == NULL)
        return err_set(e, RC_LIMIT, "%s of %zu bytes is too large", message->name, size);
    rc = message_write(&w, message, in);
    REQUIRE(rc == RC_OK && w.size == size);
    buf_commit(out, size);
    return RC_OK;
}

enum rc
codec_gather(const struct wire_message *message, int16_t version, const void *in, struct buf *out,
    struct arena *arena, struct wire_fragment **pieces, size_t *piece_count, struct err *e)
{
    struct writer w = {.version = version, .e = e};
    struct gather gather = {NULL, 0, NULL};
    size_t before = out->size;
    size_t inside;
    enum rc rc = message_write(&w, message, in);

    if (rc != RC_OK)
        return rc;
    inside = w.size - w.outside_bytes;
    gather.pieces = arena_array(arena, w.outside_pieces * 2 + 1, sizeof *gather.pieces);
    if (gather.pieces == NULL || buf_reserve(out, inside) == NULL)
        return err_set(e, RC_LIMIT, "%s of %zu bytes is too large", message->name, w.size);
    gather.piece_start = out->data;
    w = (struct writer){.at = out->data + before, .gather = &gather, .version = version, .e = e};
    rc = message_write(&w, message, in);
    REQUIRE(rc == RC_OK && w.at == out->data + before + inside);
    piece_add(&w, NULL);
    buf_commit(out, inside);
    *pieces = gather.pieces;
    *piece_count = gather.count;
    return RC_OK;
}
