#include "lib/wire/codec_diff.h"

#include "lib/wire/codec_tree.h"
#include "lib/wire/codec_value.h"

struct differ {
    struct buf *out;
    struct buf path;
    size_t count;
    int16_t version;
};

static void
difference_add(struct differ *differ, const struct wire_field *field, struct codec_value a,
    struct codec_value b)
{
    differ->count++;
    buf_append(differ->out, differ->path.data, differ->path.size);
    buf_append_text(differ->out, ": ");
    codec_tree_value(field, differ->version, a, differ->out);
    buf_append_text(differ->out, ", ");
    codec_tree_value(field, differ->version, b, differ->out);
    buf_append_byte(differ->out, '\n');
}

static void diff_struct(
    struct differ *differ, const struct wire_struct *desc, const uint8_t *a, const uint8_t *b);

static void
diff_value(struct differ *differ, const struct wire_field *field, struct codec_value a,
    struct codec_value b)
{
    size_t path_size = differ->path.size;
    int32_t common = a.size < b.size ? a.size : b.size;

    if (a.kind == b.kind && a.kind == CODEC_VALUE_STRUCT) {
        buf_append_byte(&differ->path, '.');
        diff_struct(differ, field->sub, a.data, b.data);
    } else if (a.kind == b.kind && a.kind == CODEC_VALUE_ARRAY) {
        if (a.size != b.size) {
            buf_append_text(&differ->path, "[]");
            difference_add(differ, field,
                (struct codec_value){.kind = CODEC_VALUE_INT, .number = a.size},
                (struct codec_value){.kind = CODEC_VALUE_INT, .number = b.size});
        }
        for (int32_t i = 0; i < common; i++) {
            differ->path.size = path_size;
            buf_printf(&differ->path, "[%d]", i);
            diff_value(differ, field, codec_value_element(field, &a, i),
                codec_value_element(field, &b, i));
        }
    } else if (a.kind != b.kind || !codec_value_equal(&a, &b)) {
        difference_add(differ, field, a, b);
    }
    differ->path.size = path_size;
}

static void
diff_struct(
    struct differ *differ, const struct wire_struct *desc, const uint8_t *a, const uint8_t *b)
{
    size_t path_size = differ->path.size;

    for (uint32_t i = 0; i < desc->field_count; i++) {
        const struct wire_field *field = &desc->fields[i];

        if (!codec_value_has(field, differ->version))
            continue;
        buf_append_text(&differ->path, field->name);
        diff_value(differ, field, codec_value_load(field, a + field->offset, false),
            codec_value_load(field, b + field->offset, false));
        differ->path.size = path_size;
    }
}

size_t
codec_diff(const struct wire_message *message, int16_t version, const void *a, const void *b,
    struct buf *out)
{
    struct differ differ = {.out = out, .version = version};

    buf_init(&differ.path, SIZE_MAX / 4);
    diff_struct(&differ, message->body, a, b);
    buf_fini(&differ.path);
    return differ.count;
}
