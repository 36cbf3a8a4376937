/* The generated C: a struct per message and per nested struct, and the tables of lib/wire/desc.h.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/gen/kgen.h"

struct scalar_row {
    const char *c_type;
    const char *kind;
};

/* In the order of kgen_scalar. */
static const struct scalar_row scalar_rows[] = {
    {"bool", "WIRE_BOOL"},
    {"int8_t", "WIRE_INT8"},
    {"int16_t", "WIRE_INT16"},
    {"uint16_t", "WIRE_UINT16"},
    {"int32_t", "WIRE_INT32"},
    {"int64_t", "WIRE_INT64"},
    {"double", "WIRE_FLOAT64"},
    {"struct wire_uuid", "WIRE_UUID"},
    {"struct wire_string", "WIRE_STRING"},
    {"struct wire_bytes", "WIRE_BYTES"},
    {"struct wire_records", "WIRE_RECORDS"},
};

static bool
is_pointer(const struct kgen_field *field)
{
    return field->sub != NULL && !field->is_array && field->nullable.max >= field->nullable.min;
}

static void
emit_member(const struct kgen_field *field, FILE *out)
{
    int scalar = kgen_scalar(field->type);

    REQUIRE(scalar >= 0 || field->sub != NULL);
    if (field->is_array && scalar >= 0)
        fprintf(out, "    struct {\n        %s *items;\n        int32_t count;\n    } %s;\n",
            scalar_rows[scalar].c_type, field->name);
    else if (field->is_array)
        fprintf(out, "    struct %s_array %s;\n", field->sub->c_name, field->name);
    else if (scalar >= 0)
        fprintf(out, "    %s %s;\n", scalar_rows[scalar].c_type, field->name);
    else
        fprintf(out, "    struct %s %s%s;\n", field->sub->c_name, is_pointer(field) ? "*" : "",
            field->name);
}

/* A struct is written after those that it holds. */
static void
emit_struct(struct kgen_struct *s, FILE *out)
{
    const char *name;

    if (s->emitted)
        return;
    s->emitted = true;
    for (int i = 0; i < s->field_count; i++)
        if (s->fields[i].sub != NULL)
            emit_struct(s->fields[i].sub, out);
    name = s->c_name;
    fprintf(out, "\nstruct %s {\n", name);
    for (int i = 0; i < s->field_count; i++)
        emit_member(&s->fields[i], out);
    if (s->field_count == 0)
        fprintf(out, "    char empty;\n");
    fprintf(out, "};\n");
    fprintf(out, "struct %s_array {\n    struct %s *items;\n    int32_t count;\n};\n", name, name);
    fprintf(out, "extern const struct wire_struct %s_desc;\n", name);
}

static void
emit_upper(const char *text, FILE *out)
{
    for (; *text != '\0'; text++)
        fputc(toupper((unsigned char)*text), out);
}

static int
by_key(const void *a, const void *b)
{
    const struct kgen_message *const *x = a, *const *y = b;

    return ((*x)->key > (*y)->key) - ((*x)->key < (*y)->key);
}

/* The requests in the order of their keys; the caller frees the array. */
static const struct kgen_message **
requests_sorted(const struct kgen_model *model, int *count)
{
    const struct kgen_message **list = xcalloc((size_t)model->message_count, sizeof *list);

    *count = 0;
    for (int i = 0; i < model->message_count; i++)
        if (model->messages[i].kind == KGEN_REQUEST)
            list[(*count)++] = &model->messages[i];
    qsort(list, (size_t)*count, sizeof *list, by_key);
    return list;
}

static char *
api_name(const struct kgen_message *request)
{
    return xmemdup(request->name, strlen(request->name) - strlen("_request"));
}

void
kgen_emit_header(const struct kgen_model *model, FILE *out)
{
    const struct kgen_message **requests;
    int count;

    fprintf(out, "/* Written by kgen from lib/wire/schema; do not edit. */\n"
                 "#ifndef GEN_MESSAGES_H\n#define GEN_MESSAGES_H\n\n#include "
                 "\"lib/wire/desc.h\"\n\nenum km_api {\n");
    requests = requests_sorted(model, &count);
    for (int i = 0; i < count; i++) {
        char *name = api_name(requests[i]);

        fprintf(out, "    KM_");
        emit_upper(name, out);
        fprintf(out, " = %d,\n", requests[i]->key);
        free(name);
    }
    fprintf(out, "};\n\n#define KM_API_COUNT %d\n\n", count);
    fprintf(out, "/* Every API in the order of the keys. */\nextern const struct wire_api "
                 "km_apis[KM_API_COUNT];\n\n/* Every message; ends with NULL. */\nextern const "
                 "struct wire_message *const km_messages[];\n");
    free(requests);
    for (int i = 0; i < model->message_count; i++) {
        const struct kgen_message *message = &model->messages[i];

        for (int k = message->struct_count - 1; k >= 0; k--)
            emit_struct(message->structs[k], out);
        fprintf(out, "extern const struct wire_message km_%s_message;\n", message->name);
    }
    fprintf(out, "\n#endif\n");
}

static void
emit_field(const struct kgen_struct *s, const struct kgen_field *field, FILE *out)
{
    int scalar = kgen_scalar(field->type);
    const char *text = field->default_text;
    bool null_default = text != NULL && strcmp(text, "null") == 0;

    fprintf(out, "    {.name = \"%s\", .kind = %s, .offset = offsetof(struct %s, %s)", field->name,
        scalar >= 0 ? scalar_rows[scalar].kind : "WIRE_STRUCT", s->c_name, field->name);
    fprintf(out, ", .versions = {%d, %d}, .nullable = {%d, %d}, .tag = %d", field->versions.min,
        field->versions.max, field->nullable.min, field->nullable.max, field->tag);
    if (field->sub != NULL)
        fprintf(out, ", .sub = &%s_desc", field->sub->c_name);
    if (null_default)
        fprintf(out, ", .default_null = true");
    else if (text != NULL)
        fprintf(out, ", .default_int = %s", strcmp(text, "true") == 0 ? "1" : text);
    fprintf(out, "%s%s%s%s},\n", field->is_array ? ", .is_array = true" : "",
        is_pointer(field) ? ", .is_pointer = true" : "",
        field->ignorable ? ", .ignorable = true" : "",
        field->inflexible ? ", .inflexible = true" : "");
}

static void
emit_tables(const struct kgen_message *message, FILE *out)
{
    static const char *const kinds[] = {"WIRE_REQUEST", "WIRE_RESPONSE", "WIRE_DATA"};

    for (int k = 0; k < message->struct_count; k++) {
        const struct kgen_struct *s = message->structs[k];
        const char *name = s->c_name;

        if (s->field_count > 0) {
            fprintf(out, "\nstatic const struct wire_field %s_fields[] = {\n", name);
            for (int i = 0; i < s->field_count; i++)
                emit_field(s, &s->fields[i], out);
            fprintf(out, "};\n");
        }
        fprintf(out, "const struct wire_struct %s_desc = {\"%s\", ", name, s->name);
        if (s->field_count > 0)
            fprintf(out, "%s_fields, %d", name, s->field_count);
        else
            fprintf(out, "NULL, 0");
        fprintf(out, ", sizeof(struct %s)};\n", name);
    }
    fprintf(out,
        "const struct wire_message km_%s_message = {\"%s\", &km_%s_desc, %s, %d, {%d, %d}, %d, "
        "%s};\n",
        message->name, message->name, message->name, kinds[message->kind], message->key,
        message->versions.min, message->versions.max, message->flexible_min,
        message->unstable ? "true" : "false");
}

void
kgen_emit_source(const struct kgen_model *model, FILE *out)
{
    const struct kgen_message **requests;
    int count;

    fprintf(out, "/* Written by kgen from lib/wire/schema; do not edit. */\n#include "
                 "\"gen/messages.h\"\n");
    for (int i = 0; i < model->message_count; i++)
        emit_tables(&model->messages[i], out);
    requests = requests_sorted(model, &count);
    fprintf(out, "\nconst struct wire_api km_apis[KM_API_COUNT] = {\n");
    for (int i = 0; i < count; i++) {
        char *name = api_name(requests[i]);

        fprintf(out, "    {%d, \"%s\", &km_%s_request_message, &km_%s_response_message},\n",
            requests[i]->key, name, name, name);
        free(name);
    }
    fprintf(out, "};\n\nconst struct wire_message *const km_messages[] = {\n");
    for (int i = 0; i < model->message_count; i++)
        fprintf(out, "    &km_%s_message,\n", model->messages[i].name);
    fprintf(out, "    NULL,\n};\n");
    free(requests);
}
