#include "lib/wire/codec_tree.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/codec_value.h"

void
codec_tree_uuid(const struct wire_uuid *uuid, char out[CODEC_TREE_UUID_CHARS + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned bits = 0, held = 0;
    size_t n = 0;

    for (size_t i = 0; i < sizeof uuid->bytes; i++) {
        bits = bits << 8 | uuid->bytes[i];
        for (held += 8; held >= 6; held -= 6)
            out[n++] = digits[bits >> (held - 6) & 0x3f];
    }
    out[n++] = digits[bits << (6 - held) & 0x3f];
    out[n] = '\0';
}

static void
uuid_print(const uint8_t *data, char out[CODEC_TREE_UUID_CHARS + 1])
{
    struct wire_uuid uuid;

    memcpy(&uuid, data, sizeof uuid);
    codec_tree_uuid(&uuid, out);
}

static void
hex_print(struct buf *out, const uint8_t *data, int32_t size)
{
    buf_append_text(out, "0x");
    for (int32_t i = 0; i < size && !buf_is_overflowed(out); i++)
        buf_printf(out, "%02x", data[i]);
}

static struct jdoc *json_struct(
    const struct wire_struct *desc, int16_t version, const void *object);

static struct jdoc *
json_bytes(const struct codec_value *value)
{
    struct jdoc *json;
    struct buf text;

    buf_init(&text, SIZE_MAX / 4);
    hex_print(&text, value->data, value->size);
    json = jdoc_text(buf_text(&text));
    buf_fini(&text);
    return json;
}

/* JSON has no word for what a peer can put into a float. */
static struct jdoc *
json_real(double real)
{
    if (isnan(real))
        return jdoc_text("NaN");
    if (isinf(real))
        return jdoc_text(real < 0 ? "-Infinity" : "Infinity");
    return jdoc_real(real);
}

static struct jdoc *
json_value(const struct wire_field *field, int16_t version, struct codec_value value)
{
    char uuid[CODEC_TREE_UUID_CHARS + 1];
    struct jdoc *array;

    switch (value.kind) {
    case CODEC_VALUE_NULL:
        return jdoc_null();
    case CODEC_VALUE_BOOL:
        return jdoc_bool(value.number != 0);
    case CODEC_VALUE_INT:
        return jdoc_int(value.number);
    case CODEC_VALUE_REAL:
        return json_real(value.real);
    case CODEC_VALUE_UUID:
        uuid_print(value.data, uuid);
        return jdoc_text(uuid);
    case CODEC_VALUE_STRING:
        return jdoc_text_sized(value.size == 0 ? "" : (const char *)value.data, (size_t)value.size);
    case CODEC_VALUE_BYTES:
        return json_bytes(&value);
    case CODEC_VALUE_RECORDS:
        return jdoc_int(value.size);
    case CODEC_VALUE_STRUCT:
        return json_struct(field->sub, version, value.data);
    case CODEC_VALUE_ARRAY:
        break;
    }
    array = jdoc_array();
    for (int32_t i = 0; i < value.size; i++)
        jdoc_add_take(array, json_value(field, version, codec_value_element(field, &value, i)));
    return array;
}

static struct jdoc *
json_struct(const struct wire_struct *desc, int16_t version, const void *object)
{
    struct jdoc *json = jdoc_object();

    for (uint32_t i = 0; i < desc->field_count; i++) {
        const struct wire_field *field = &desc->fields[i];
        const uint8_t *at = (const uint8_t *)object + field->offset;

        if (codec_value_has(field, version))
            jdoc_set_take(
                json, field->name, json_value(field, version, codec_value_load(field, at, false)));
    }
    return json;
}

struct jdoc *
codec_tree_json(const struct wire_message *message, int16_t version, const void *object)
{
    return json_struct(message->body, version, object);
}

static void
quoted_print(struct buf *out, const uint8_t *text, int32_t size)
{
    buf_append_byte(out, '"');
    for (int32_t i = 0; i < size && !buf_is_overflowed(out); i++) {
        if (text[i] == '"' || text[i] == '\\')
            buf_printf(out, "\\%c", text[i]);
        else if (text[i] < 0x20 || text[i] == 0x7f)
            buf_printf(out, "\\u%04x", text[i]);
        else
            buf_append_byte(out, text[i]);
    }
    buf_append_byte(out, '"');
}

static void text_struct(
    const struct wire_struct *desc, int16_t version, const void *object, struct buf *out);

void
codec_tree_value(
    const struct wire_field *field, int16_t version, struct codec_value value, struct buf *out)
{
    char uuid[CODEC_TREE_UUID_CHARS + 1];

    switch (value.kind) {
    case CODEC_VALUE_NULL:
        buf_append_text(out, "null");
        break;
    case CODEC_VALUE_BOOL:
        buf_append_text(out, value.number != 0 ? "true" : "false");
        break;
    case CODEC_VALUE_INT:
        buf_printf(out, "%" PRId64, value.number);
        break;
    case CODEC_VALUE_REAL:
        buf_printf(out, "%.17g", value.real);
        break;
    case CODEC_VALUE_UUID:
        uuid_print(value.data, uuid);
        buf_append_text(out, uuid);
        break;
    case CODEC_VALUE_STRING:
        quoted_print(out, value.data, value.size);
        break;
    case CODEC_VALUE_BYTES:
        hex_print(out, value.data, value.size);
        break;
    case CODEC_VALUE_RECORDS:
        buf_printf(out, "<%d bytes>", value.size);
        break;
    case CODEC_VALUE_STRUCT:
        text_struct(field->sub, version, value.data, out);
        break;
    case CODEC_VALUE_ARRAY:
        buf_append_byte(out, '[');
        for (int32_t i = 0; i < value.size && !buf_is_overflowed(out); i++) {
            if (i > 0)
                buf_append_byte(out, ' ');
            codec_tree_value(field, version, codec_value_element(field, &value, i), out);
        }
        buf_append_byte(out, ']');
        break;
    }
}

static void
text_struct(const struct wire_struct *desc, int16_t version, const void *object, struct buf *out)
{
    const char *space = "";

    buf_append_byte(out, '{');
    for (uint32_t i = 0; i < desc->field_count; i++) {
        const struct wire_field *field = &desc->fields[i];
        const uint8_t *at = (const uint8_t *)object + field->offset;

        if (!codec_value_has(field, version))
            continue;
        buf_printf(out, "%s%s=", space, field->name);
        codec_tree_value(field, version, codec_value_load(field, at, false), out);
        space = " ";
    }
    buf_append_byte(out, '}');
}

void
codec_tree_text(
    const struct wire_message *message, int16_t version, const void *object, struct buf *out)
{
    buf_printf(out, "%s v%d ", message->name, version);
    text_struct(message->body, version, object, out);
}

static const struct wire_field *
field_find(const struct wire_struct *desc, int16_t version, const char *name, size_t size)
{
    for (uint32_t i = 0; i < desc->field_count; i++)
        if (codec_value_has(&desc->fields[i], version) && strlen(desc->fields[i].name) == size &&
            memcmp(desc->fields[i].name, name, size) == 0)
            return &desc->fields[i];
    return NULL;
}

/* `[3]` or `[]` at *path. */
static enum rc
index_apply(struct codec_tree_node *node, const char **path, struct err *e)
{
    const struct wire_field *field = node->field;
    struct codec_value array = codec_value_load(field, node->at, false);
    int64_t index = 0;
    const char *p = *path + 1;

    if (!field->is_array)
        return err_set(e, RC_CONFIG, "%s is not an array", field->name);
    if (array.kind == CODEC_VALUE_NULL)
        return err_set(e, RC_NOTFOUND, "%s is null", field->name);
    if (*p == ']') {
        node->is_count = true;
        *path = p + 1;
        return RC_OK;
    }
    if (*p < '0' || *p > '9')
        return err_set(e, RC_CONFIG, "no number behind %s[", field->name);
    for (; *p >= '0' && *p <= '9'; p++)
        index = index > INT32_MAX ? index : index * 10 + (*p - '0');
    if (*p != ']')
        return err_set(e, RC_CONFIG, "no ] behind %s[", field->name);
    if (index >= array.size)
        return err_set(e, RC_NOTFOUND, "%s has %d elements", field->name, array.size);
    node->at = array.data + (size_t)index * codec_bytes_stride(field);
    node->is_element = true;
    *path = p + 1;
    return RC_OK;
}

/* One name and its index, inside a struct. */
static enum rc
segment_apply(const struct wire_struct *desc, int16_t version, const uint8_t *object,
    const char **path, struct codec_tree_node *node, struct err *e)
{
    size_t size = strcspn(*path, ".[");
    const struct wire_field *field = field_find(desc, version, *path, size);

    if (field == NULL)
        return err_set(e, RC_CONFIG, "version %d has no field %.*s", version, (int)size, *path);
    *node = (struct codec_tree_node){.field = field, .at = object + field->offset};
    *path += size;
    return **path == '[' ? index_apply(node, path, e) : RC_OK;
}

enum rc
codec_tree_find(const struct wire_message *message, int16_t version, const void *object,
    const char *path, struct codec_tree_node *out, struct err *e)
{
    const struct wire_struct *desc = message->body;
    const uint8_t *inside = object;
    struct codec_value value;
    enum rc rc;

    memset(out, 0, sizeof *out);
    for (;;) {
        rc = segment_apply(desc, version, inside, &path, out, e);
        if (rc != RC_OK || *path == '\0')
            return rc;
        if (*path != '.' || out->is_count)
            return err_set(e, RC_CONFIG, "nothing can follow at \"%s\"", path);
        path++;
        value = codec_value_load(out->field, out->at, out->is_element);
        if (value.kind == CODEC_VALUE_NULL)
            return err_set(e, RC_NOTFOUND, "%s is null", out->field->name);
        if (value.kind != CODEC_VALUE_STRUCT)
            return err_set(e, RC_CONFIG, "%s has no fields", out->field->name);
        desc = out->field->sub;
        inside = value.data;
    }
}

enum rc
codec_tree_int(const struct wire_message *message, int16_t version, const void *object,
    const char *path, int64_t *out, struct err *e)
{
    struct codec_tree_node node;
    struct codec_value value;
    enum rc rc = codec_tree_find(message, version, object, path, &node, e);

    if (rc != RC_OK)
        return rc;
    value = codec_value_load(node.field, node.at, node.is_element);
    *out = node.is_count ? value.size : value.number;
    if (!node.is_count && value.kind != CODEC_VALUE_INT && value.kind != CODEC_VALUE_BOOL)
        return err_set(e, RC_CONFIG, "%s is not a number", path);
    return RC_OK;
}

enum rc
codec_tree_print(const struct wire_message *message, int16_t version, const void *object,
    const char *path, struct buf *out, struct err *e)
{
    struct codec_tree_node node;
    enum rc rc = codec_tree_find(message, version, object, path, &node, e);

    if (rc != RC_OK)
        return rc;
    if (node.is_count)
        buf_printf(out, "%d", codec_value_load(node.field, node.at, false).size);
    else
        codec_tree_value(
            node.field, version, codec_value_load(node.field, node.at, node.is_element), out);
    return RC_OK;
}
