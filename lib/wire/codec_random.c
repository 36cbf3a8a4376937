#include "lib/wire/codec_random.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"

#define COUNT_MAX 3
#define BLOB_BYTES_MAX 40
#define STRING_BYTES_MAX 32767

struct maker {
    struct env *env;
    struct arena *arena;
    int16_t version;
};

static void struct_make(struct maker *maker, const struct wire_struct *desc, uint8_t *out);

static bool
in_range(struct wire_range range, int16_t version)
{
    return version >= range.min && version <= range.max;
}

static uint64_t
dice(struct maker *maker, uint64_t sides)
{
    return env_random_below(maker->env, sides);
}

static void
scalar_make(struct maker *maker, enum wire_kind kind, void *out)
{
    static const int64_t ends[] = {0, 1, -1, INT8_MAX, INT8_MIN, INT16_MAX, INT16_MIN, INT32_MAX,
        INT32_MIN, INT64_MAX, INT64_MIN};
    uint64_t value = dice(maker, 2) == 0 ? (uint64_t)ends[dice(maker, ARRAY_LEN(ends))]
                                         : env_random(maker->env) >> dice(maker, 64);
    double real = (double)(int64_t)value / 8;
    uint32_t word = (uint32_t)value;
    uint16_t half = (uint16_t)value;
    uint8_t byte = (uint8_t)value;
    bool flag = value % 2 != 0;

    switch (kind) {
    case WIRE_BOOL:
        memcpy(out, &flag, sizeof flag);
        break;
    case WIRE_INT8:
        memcpy(out, &byte, sizeof byte);
        break;
    case WIRE_INT16:
    case WIRE_UINT16:
        memcpy(out, &half, sizeof half);
        break;
    case WIRE_INT32:
        memcpy(out, &word, sizeof word);
        break;
    case WIRE_INT64:
        memcpy(out, &value, sizeof value);
        break;
    case WIRE_FLOAT64:
        memcpy(out, &real, sizeof real);
        break;
    default:
        env_random_bytes(maker->env, out, sizeof(struct wire_uuid));
        break;
    }
}

/* Valid UTF-8: a Java peer could not give anything else back. */
static char *
text_make(struct maker *maker, int32_t *size)
{
    static const char *const pieces[] = {"a", "Z", "0", "-", "_", ".", " ", "\"", "\\", "\n",
        "\xc3\xa9", "\xe6\xbc\xa2", "\xf0\x9f\x98\x80"};
    size_t size_max = dice(maker, 500) == 0 ? STRING_BYTES_MAX : dice(maker, 20);
    char *text = arena_alloc(maker->arena, size_max + 1);
    size_t used = 0;

    *size = 0;
    if (text == NULL)
        return NULL;
    while (used < size_max) {
        const char *piece = pieces[dice(maker, ARRAY_LEN(pieces))];
        size_t n = strlen(piece);

        if (n > size_max - used)
            n = strlen(piece = "x");
        memcpy(text + used, piece, n);
        used += n;
    }
    *size = (int32_t)used;
    return text;
}

static uint8_t *
bytes_make(struct maker *maker, int32_t *size)
{
    size_t n = dice(maker, 100) == 0 ? dice(maker, 5000) : dice(maker, BLOB_BYTES_MAX);
    uint8_t *bytes = arena_alloc(maker->arena, n + 1);

    *size = bytes == NULL ? 0 : (int32_t)n;
    if (bytes != NULL)
        env_random_bytes(maker->env, bytes, n);
    return bytes;
}

static void
blob_make(struct maker *maker, enum wire_kind kind, bool null, void *out)
{
    struct wire_string string = {NULL, -1};
    struct wire_bytes bytes = {NULL, -1};
    struct wire_records records = {NULL, NULL, -1, 0};

    if (kind == WIRE_STRING) {
        if (!null)
            string.data = text_make(maker, &string.size);
        memcpy(out, &string, sizeof string);
    } else if (kind == WIRE_BYTES) {
        if (!null)
            bytes.data = bytes_make(maker, &bytes.size);
        memcpy(out, &bytes, sizeof bytes);
    } else {
        if (!null)
            records.data = bytes_make(maker, &records.size);
        memcpy(out, &records, sizeof records);
    }
}

static void
single_make(struct maker *maker, const struct wire_field *field, bool null, uint8_t *out)
{
    uint8_t *object = NULL;

    if (field->kind < WIRE_STRING) {
        scalar_make(maker, field->kind, out);
    } else if (field->kind != WIRE_STRUCT) {
        blob_make(maker, field->kind, null, out);
    } else if (field->is_pointer && !field->is_array) {
        if (!null)
            object = arena_alloc(maker->arena, field->sub->size);
        if (object != NULL)
            struct_make(maker, field->sub, object);
        memcpy(out, &object, sizeof object);
    } else {
        struct_make(maker, field->sub, out);
    }
}

static void
field_make(struct maker *maker, const struct wire_field *field, uint8_t *out)
{
    bool null = in_range(field->nullable, maker->version) && dice(maker, 4) == 0;
    struct wire_array array = {NULL, -1};
    size_t stride = codec_bytes_stride(field);

    if (!field->is_array) {
        single_make(maker, field, null, out);
        return;
    }
    if (!null) {
        array.count = (int32_t)dice(maker, COUNT_MAX + 1);
        array.items = arena_array(maker->arena, (size_t)array.count, stride);
        if (array.items == NULL)
            array.count = 0;
    }
    for (int32_t i = 0; i < array.count; i++)
        single_make(maker, field, false, (uint8_t *)array.items + (size_t)i * stride);
    memcpy(out, &array, sizeof array);
}

/* A struct that is not null by default has to be there, tag or not, and where the version lacks it:
 * only so it counts as left at its default. */
static void
default_make(struct maker *maker, const struct wire_field *field, uint8_t *out)
{
    void *object;

    if (field->kind != WIRE_STRUCT || !field->is_pointer || field->is_array || field->default_null)
        return;
    object = codec_array(maker->arena, field->sub, 1);
    memcpy(out, &object, sizeof object);
}

static void
struct_make(struct maker *maker, const struct wire_struct *desc, uint8_t *out)
{
    codec_init(desc, out);
    for (uint32_t i = 0; i < desc->field_count && !arena_is_full(maker->arena); i++) {
        const struct wire_field *field = &desc->fields[i];

        if (!in_range(field->versions, maker->version) || (field->tag >= 0 && dice(maker, 2) == 0))
            default_make(maker, field, out + field->offset);
        else
            field_make(maker, field, out + field->offset);
    }
}

enum rc
codec_random(const struct wire_message *message, int16_t version, struct env *env,
    struct arena *arena, void *out, struct err *e)
{
    struct maker maker = {env, arena, version};

    if (!codec_has_version(message, version))
        return err_set(e, RC_UNSUPPORTED, "%s has no version %d", message->name, version);
    struct_make(&maker, message->body, out);
    return arena_is_full(arena)
               ? err_set(e, RC_LIMIT, "a random %s needs more memory than allowed", message->name)
               : RC_OK;
}
