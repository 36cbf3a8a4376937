/* What the codec could not interpret is refused here, with file and line. */
#include <stdio.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/gen/kgen.h"

static const char *const scalars[] = {"bool", "int8", "int16", "uint16", "int32", "int64",
    "float64", "uuid", "string", "bytes", "records"};

int
kgen_scalar(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(scalars); i++)
        if (strcmp(scalars[i], type) == 0)
            return (int)i;
    return -1;
}

static bool
fail(const struct kgen_message *message, int line, const char *what, const char *word)
{
    fprintf(stderr, "%s:%d: %s: %s\n", message->file, line, what, word);
    return false;
}

static bool
struct_resolve(const struct kgen_message *message, struct kgen_field *field)
{
    for (int i = 1; i < message->struct_count; i++)
        if (strcmp(message->structs[i]->name, field->type) == 0)
            field->sub = message->structs[i];
    return field->sub != NULL ? true : fail(message, field->line, "unknown type", field->type);
}

static bool
field_check(const struct kgen_message *message, struct kgen_field *field)
{
    int scalar = kgen_scalar(field->type);
    bool may_be_null = field->is_array || scalar < 0 || scalar >= kgen_scalar("string");

    if (scalar < 0 && !struct_resolve(message, field))
        return false;
    if (field->nullable.max >= field->nullable.min && !may_be_null)
        return fail(message, field->line, "this type is never null", field->name);
    if (field->tag >= 0 && message->flexible_min == KGEN_VERSION_MAX)
        return fail(message, field->line, "a tag needs flexible versions", field->name);
    if (field->default_text == NULL || strcmp(field->default_text, "null") == 0)
        return true;
    if (field->is_array || scalar < 0 || scalar > kgen_scalar("float64"))
        return fail(message, field->line, "only numbers have such a default", field->name);
    return true;
}

static bool
struct_check(const struct kgen_message *message, struct kgen_struct *s)
{
    int tags = 0, highest = -1;

    for (int i = 0; i < s->field_count; i++) {
        struct kgen_field *field = &s->fields[i];

        if (!field_check(message, field))
            return false;
        for (int k = 0; k < i; k++)
            if (strcmp(s->fields[k].name, field->name) == 0)
                return fail(message, field->line, "doubled name", field->name);
        if (field->tag < 0)
            continue;
        tags++;
        highest = field->tag > highest ? field->tag : highest;
    }
    return highest + 1 == tags ? true : fail(message, s->line, "tags have gaps", s->name);
}

static bool
depth_check(const struct kgen_message *message, const struct kgen_struct *s, int depth)
{
    if (depth > KGEN_DEPTH_MAX)
        return fail(message, s->line, "nested too deep", s->name);
    for (int i = 0; i < s->field_count; i++)
        if (s->fields[i].sub != NULL && !depth_check(message, s->fields[i].sub, depth + 1))
            return false;
    return true;
}

static bool
message_check(const struct kgen_model *model, const struct kgen_message *message)
{
    int partners = 0;

    for (int i = 0; i < message->struct_count; i++) {
        struct kgen_struct *s = message->structs[i];

        s->c_name = xasprintf("km_%s%s%s", message->name, *s->name == '\0' ? "" : "_", s->name);
        for (int k = 1; k < i; k++)
            if (strcmp(s->name, message->structs[k]->name) == 0)
                return fail(message, s->line, "doubled struct", message->structs[i]->name);
        if (!struct_check(message, s))
            return false;
    }
    for (int i = 0; i < model->message_count; i++) {
        const struct kgen_message *other = &model->messages[i];

        if (other != message && strcmp(other->name, message->name) == 0)
            return fail(message, 1, "doubled message", message->name);
        if (other->kind != KGEN_DATA && other->kind != message->kind && other->key == message->key)
            partners++;
    }
    if (message->kind != KGEN_DATA && partners != 1)
        return fail(
            message, 1, "a request needs one response and the other way round", message->name);
    return depth_check(message, message->structs[0], 1);
}

bool
kgen_check(struct kgen_model *model)
{
    for (int i = 0; i < model->message_count; i++)
        if (!message_check(model, &model->messages[i]))
            return false;
    return true;
}
