#include "refbroker/coord/client_samples.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/list.h"
#include "lib/base/xalloc.h"

#define PREFIX "client_"
#define NAME_BYTES_MAX 200
#define LABEL_BYTES_MAX 64
#define VALUE_BYTES_MAX 128
#define LABELS_MAX (CLIENT_TRAIT_COUNT + OTLP_ATTRIBUTES_MAX)
/* name{label="value",…}; a character of a value may need an escape. */
#define TEXT_BYTES_MAX                                                                             \
    (sizeof PREFIX + NAME_BYTES_MAX + LABELS_MAX * (LABEL_BYTES_MAX + 2 * VALUE_BYTES_MAX + 4))

struct family {
    char *name;
    bool counter;
    struct list samples;
};

struct sample {
    struct list_node in_family;
    struct family *family;
    double value;
    char number[CLIENT_SAMPLES_NUMBER_BYTES];
    size_t text_size;
    char text[]; /* name{labels} */
};

struct label {
    char name[LABEL_BYTES_MAX + 1];
    struct wire_string value;
};

/* --- texts ------------------------------------------------------------------------------------ */

/* What Prometheus allows in names, cut to `most` bytes. */
static size_t
name_clean(struct wire_string name, char *out, size_t most)
{
    size_t size = 0;

    for (int32_t i = 0; i < name.size && size < most; i++)
        out[size++] = isalnum((unsigned char)name.data[i]) ? name.data[i] : '_';
    out[size] = '\0';
    return size;
}

/* Bytes of the character of UTF-8 that begins here, 0 where none does that can be shown. */
static size_t
character_size(const unsigned char *at, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = *at >= 0x20 && *at < 0x7f   ? 1
                  : *at >= 0xc2 && *at < 0xe0 ? 2
                  : *at >= 0xe0 && *at < 0xf0 ? 3
                  : *at >= 0xf0 && *at < 0xf5 ? 4
                                              : 0;
    uint32_t code;

    if (size <= 1 || size > left)
        return size > left ? 0 : size;
    code = *at & (0xffU >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3fU);
    }
    return code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : size;
}

/* A label's value, cut, in valid UTF-8 without controls, with Prometheus' escapes. */
static void
value_append(struct buf *out, struct wire_string value)
{
    size_t left = value.size < VALUE_BYTES_MAX ? (size_t)value.size : VALUE_BYTES_MAX;
    const unsigned char *at = (const unsigned char *)value.data;

    while (left > 0) {
        size_t size = character_size(at, left);

        if (*at == '\n')
            buf_append_text(out, "\\n");
        else if (*at == '"' || *at == '\\')
            buf_printf(out, "\\%c", *at);
        else if (size == 0)
            buf_append_byte(out, '?');
        else
            buf_append(out, at, size);
        size = size == 0 ? 1 : size;
        at += size;
        left -= size;
    }
}

static bool
label_is_known(const struct label *labels, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(labels[i].name, name) == 0)
            return true;
    return false;
}

/* Adds a label in the order of names. One that is there already stays as it is; empty ones are none
 * for Prometheus, and names that begin with two bars are its own. */
static size_t
label_add(struct label *labels, size_t count, struct wire_string name, struct wire_string value)
{
    struct label label = {.value = value};
    size_t at = count;

    while (name.size > 0 && !isalpha((unsigned char)*name.data)) {
        name.data++;
        name.size--;
    }
    if (value.size <= 0 || name_clean(name, label.name, LABEL_BYTES_MAX) == 0 ||
        label_is_known(labels, count, label.name))
        return count;
    for (; at > 0 && strcmp(labels[at - 1].name, label.name) > 0; at--)
        labels[at] = labels[at - 1];
    labels[at] = label;
    return count + 1;
}

/* What is known of the client goes before what it says of itself. */
static size_t
labels_make(
    const struct otlp_point *point, const struct client_traits *traits, struct label *labels)
{
    static const enum client_trait shown[] = {CLIENT_TRAIT_CLIENT_ID, CLIENT_TRAIT_INSTANCE_ID,
        CLIENT_TRAIT_SOFTWARE_NAME, CLIENT_TRAIT_SOFTWARE_VERSION};
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        const char *name = client_match_trait_name(shown[i]), *value = traits->values[shown[i]];

        if (value != NULL)
            count = label_add(labels, count, (struct wire_string){name, (int32_t)strlen(name)},
                (struct wire_string){value, (int32_t)strlen(value)});
    }
    for (size_t i = 0; i < point->attribute_count; i++)
        count = label_add(labels, count, point->attributes[i].key, point->attributes[i].value);
    return count;
}

/* Whole numbers up to here are written as such. */
#define WHOLE_MAX 1e15

/* As short as it can be and still be the same number. */
static void
number_write(double value, char out[CLIENT_SAMPLES_NUMBER_BYTES])
{
    if (fabs(value) < WHOLE_MAX && value == (double)(int64_t)value) {
        snprintf(out, CLIENT_SAMPLES_NUMBER_BYTES, "%" PRId64, (int64_t)value);
    } else if (isnan(value)) {
        snprintf(out, CLIENT_SAMPLES_NUMBER_BYTES, "NaN");
    } else if (isinf(value)) {
        snprintf(out, CLIENT_SAMPLES_NUMBER_BYTES, value > 0 ? "+Inf" : "-Inf");
    } else {
        snprintf(out, CLIENT_SAMPLES_NUMBER_BYTES, "%.15g", value);
        if (strtod(out, NULL) != value)
            snprintf(out, CLIENT_SAMPLES_NUMBER_BYTES, "%.17g", value);
    }
}

bool
client_samples_name(const struct otlp_point *point, const struct client_traits *traits,
    struct arena *arena, struct client_sample *out)
{
    struct label labels[LABELS_MAX];
    size_t count = labels_make(point, traits, labels);
    char name[NAME_BYTES_MAX + 1];
    struct buf text;

    if (name_clean(point->name, name, NAME_BYTES_MAX) == 0)
        return false;
    buf_init(&text, TEXT_BYTES_MAX);
    buf_printf(&text, PREFIX "%s", name);
    *out = (struct client_sample){.name_size = text.size,
        .value = point->value,
        .counter = point->counter,
        .adds = point->adds};
    number_write(out->value, out->number);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&text, "%c%s=\"", i == 0 ? '{' : ',', labels[i].name);
        value_append(&text, labels[i].value);
        buf_append_byte(&text, '"');
    }
    if (count > 0)
        buf_append_byte(&text, '}');
    out->text = arena_dup(arena, text.data, text.size);
    buf_fini(&text);
    return out->text != NULL;
}

/* --- values ----------------------------------------------------------------------------------- */

static void
family_free(void *value)
{
    struct family *family = value;

    free(family->name);
    free(family);
}

void
client_samples_init(struct client_samples *samples)
{
    map_init(&samples->families);
    samples->count = samples->bytes = 0;
}

void
client_samples_fini(struct client_samples *samples)
{
    map_fini(&samples->families, family_free);
}

static struct family *
family_get(struct client_samples *samples, const char *name, size_t size, bool counter)
{
    struct family *family = map_get(&samples->families, name, size);

    if (family != NULL)
        return family;
    family = xcalloc(1, sizeof *family);
    family->name = xmemdup(name, size);
    family->counter = counter;
    list_init(&family->samples);
    (void)map_put(&samples->families, name, size, family);
    return family;
}

static struct sample *
sample_new(struct client_samples *samples, struct client_samples_owner *owner,
    const struct client_sample *from, size_t size)
{
    struct sample *sample = xcalloc(1, sizeof *sample + size + 1);

    memcpy(sample->text, from->text, size);
    sample->text_size = size;
    sample->family = family_get(samples, from->text, from->name_size, from->counter);
    list_push_back(&sample->family->samples, &sample->in_family);
    (void)map_put(&owner->by_text, sample->text, size, sample);
    samples->count++;
    samples->bytes += size;
    return sample;
}

bool
client_samples_put(struct client_samples *samples, struct client_samples_owner *owner,
    const struct client_sample *from)
{
    size_t size = strlen(from->text);
    struct sample *sample = map_get(&owner->by_text, from->text, size);

    if (sample == NULL) {
        if (samples->count == CLIENT_SAMPLES_MAX ||
            size > CLIENT_SAMPLES_BYTES_MAX - samples->bytes)
            return false;
        sample = sample_new(samples, owner, from, size);
    }
    if (from->adds && sample->value != 0) {
        sample->value += from->value;
        number_write(sample->value, sample->number);
    } else {
        sample->value = from->value;
        memcpy(sample->number, from->number, sizeof sample->number);
    }
    return true;
}

void
client_samples_drop(struct client_samples *samples, struct client_samples_owner *owner)
{
    struct sample *sample;

    for (size_t position = 0;
         (sample = map_next(&owner->by_text, &position, NULL, NULL)) != NULL;) {
        struct family *family = sample->family;

        list_remove(&family->samples, &sample->in_family);
        if (list_is_empty(&family->samples)) {
            (void)map_remove(&samples->families, family->name, strlen(family->name));
            family_free(family);
        }
        samples->count--;
        samples->bytes -= sample->text_size;
    }
    map_fini(&owner->by_text, free);
}

void
client_samples_write(const struct client_samples *samples, struct buf *out)
{
    const struct family *family;

    for (size_t position = 0;
         (family = map_next(&samples->families, &position, NULL, NULL)) != NULL;) {
        buf_printf(out, "# TYPE %s %s\n", family->name, family->counter ? "counter" : "gauge");
        LIST_EACH(&family->samples, node)
        {
            const struct sample *sample = list_of(node, struct sample, in_family);

            buf_append(out, sample->text, sample->text_size);
            buf_append_byte(out, ' ');
            buf_append_text(out, sample->number);
            buf_append_byte(out, '\n');
        }
    }
}
