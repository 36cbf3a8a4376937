#include "lib/base/jdoc.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"

/* struct jdoc is jansson's value under our name: these two casts are the only bridge. */
static json_t *
inner(const struct jdoc *doc)
{
    union {
        const struct jdoc *ours;
        json_t *theirs;
    } u = {.ours = doc};

    return u.theirs;
}

static struct jdoc *
outer(json_t *value)
{
    REQUIRE(value != NULL);
    return (struct jdoc *)(void *)value;
}

struct jdoc *
jdoc_object(void)
{
    return outer(json_object());
}

struct jdoc *
jdoc_array(void)
{
    return outer(json_array());
}

/* The size of the character at p, or 0 where no valid UTF-8 begins. */
static size_t
character_size(const unsigned char *p, size_t size)
{
    size_t n = p[0] < 0x80   ? 1
               : p[0] < 0xc2 ? 0
               : p[0] < 0xe0 ? 2
               : p[0] < 0xf0 ? 3
               : p[0] < 0xf5 ? 4
                             : 0;

    if (n == 0 || n > size)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    /* Longer than needed, a surrogate, or beyond the last character. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* Text with each bad byte replaced, in `fixed`, which the caller frees. */
static void
text_fix(struct buf *fixed, const char *text, size_t size)
{
    buf_init(fixed, SIZE_MAX);
    for (size_t at = 0, n; at < size; at += n == 0 ? 1 : n) {
        n = character_size((const unsigned char *)text + at, size - at);
        if (n == 0)
            buf_append_text(fixed, "\xef\xbf\xbd");
        else
            buf_append(fixed, text + at, n);
    }
}

struct jdoc *
jdoc_text_sized(const char *text, size_t size)
{
    json_t *value = json_stringn(text, size);
    struct buf fixed;

    if (value != NULL)
        return outer(value);
    text_fix(&fixed, text, size);
    value = json_stringn(buf_text(&fixed), fixed.size);
    buf_fini(&fixed);
    return outer(value);
}

struct jdoc *
jdoc_text(const char *text)
{
    return jdoc_text_sized(text, strlen(text));
}

struct jdoc *
jdoc_int(int64_t value)
{
    return outer(json_integer(value));
}

struct jdoc *
jdoc_real(double value)
{
    return isfinite(value) ? outer(json_real(value)) : jdoc_null();
}

struct jdoc *
jdoc_bool(bool value)
{
    return outer(json_boolean(value));
}

struct jdoc *
jdoc_null(void)
{
    return outer(json_null());
}

void
jdoc_free(struct jdoc *doc)
{
    if (doc != NULL)
        json_decref(inner(doc));
}

void
jdoc_set_take(struct jdoc *object, const char *name, struct jdoc *value)
{
    struct buf fixed;

    text_fix(&fixed, name, strlen(name));
    REQUIRE(json_object_set_new(inner(object), buf_text(&fixed), inner(value)) == 0);
    buf_fini(&fixed);
}

void
jdoc_add_take(struct jdoc *array, struct jdoc *value)
{
    REQUIRE(json_array_append_new(inner(array), inner(value)) == 0);
}

void
jdoc_set_text(struct jdoc *object, const char *name, const char *text)
{
    jdoc_set_take(object, name, text == NULL ? jdoc_null() : jdoc_text(text));
}

void
jdoc_set_int(struct jdoc *object, const char *name, int64_t value)
{
    jdoc_set_take(object, name, jdoc_int(value));
}

void
jdoc_set_bool(struct jdoc *object, const char *name, bool value)
{
    jdoc_set_take(object, name, jdoc_bool(value));
}

const struct jdoc *
jdoc_get(const struct jdoc *object, const char *name)
{
    return object == NULL ? NULL
                          : (const struct jdoc *)(void *)json_object_get(inner(object), name);
}

const struct jdoc *
jdoc_at(const struct jdoc *array, size_t index)
{
    return array == NULL ? NULL : (const struct jdoc *)(void *)json_array_get(inner(array), index);
}

size_t
jdoc_count(const struct jdoc *container)
{
    if (container == NULL)
        return 0;
    return json_is_object(inner(container)) ? json_object_size(inner(container))
                                            : json_array_size(inner(container));
}

const char *
jdoc_text_of(const struct jdoc *value, const char *fallback)
{
    return value != NULL && json_is_string(inner(value)) ? json_string_value(inner(value))
                                                         : fallback;
}

int64_t
jdoc_int_of(const struct jdoc *value, int64_t fallback)
{
    return value != NULL && json_is_integer(inner(value)) ? json_integer_value(inner(value))
                                                          : fallback;
}

double
jdoc_real_of(const struct jdoc *value, double fallback)
{
    return value != NULL && json_is_number(inner(value)) ? json_number_value(inner(value))
                                                         : fallback;
}

const char *
jdoc_get_text(const struct jdoc *object, const char *name, const char *fallback)
{
    return jdoc_text_of(jdoc_get(object, name), fallback);
}

int64_t
jdoc_get_int(const struct jdoc *object, const char *name, int64_t fallback)
{
    return jdoc_int_of(jdoc_get(object, name), fallback);
}

bool
jdoc_get_bool(const struct jdoc *object, const char *name, bool fallback)
{
    const struct jdoc *value = jdoc_get(object, name);

    return value != NULL && json_is_boolean(inner(value)) ? json_is_true(inner(value)) : fallback;
}

const char *
jdoc_next(const struct jdoc *object, void **iterator, const struct jdoc **value)
{
    json_t *in = inner(object);

    *iterator = *iterator == NULL ? json_object_iter(in) : json_object_iter_next(in, *iterator);
    if (*iterator == NULL)
        return NULL;
    *value = (const struct jdoc *)(void *)json_object_iter_value(*iterator);
    return json_object_iter_key(*iterator);
}

enum rc
jdoc_parse(const char *text, size_t size, struct jdoc **out, struct err *e)
{
    json_error_t where;
    json_t *value =
        json_loadb(text, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);

    *out = NULL;
    if (value == NULL)
        return err_set(
            e, RC_CORRUPT, "JSON, line %d column %d: %s", where.line, where.column, where.text);
    *out = outer(value);
    return RC_OK;
}

char *
jdoc_dump(const struct jdoc *doc, unsigned indent)
{
    char *text = json_dumps(inner(doc), JSON_INDENT(indent) | JSON_ENCODE_ANY);

    REQUIRE(text != NULL);
    return text;
}
