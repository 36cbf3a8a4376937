/* The parser: lines, words and indentation. Two spaces are one level; a deeper block behind a field
 * defines the struct that the field names. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/gen/kgen.h"

#define WORDS_MAX 24
#define LINE_BYTES_MAX 512

struct parser {
    struct kgen_model *model;
    const char *path;
    FILE *file;
    char line[LINE_BYTES_MAX];
    char *words[WORDS_MAX];
    int word_count;
    int level; /* of the current line, in steps of two spaces */
    int number;
    bool at_end;
    bool failed;
    char *api_name;
    int api_key;
};

static bool
fail(struct parser *p, const char *what, const char *word)
{
    if (!p->failed)
        fprintf(stderr, "%s:%d: %s: %s\n", p->path, p->number, what, word);
    p->failed = true;
    return false;
}

/* Reads the next line that holds anything. */
static void
next_line(struct parser *p)
{
    for (;;) {
        char *text, *hash;
        size_t spaces;

        p->word_count = 0;
        p->level = -1;
        if (fgets(p->line, sizeof p->line, p->file) == NULL) {
            p->at_end = true;
            return;
        }
        p->number++;
        hash = strchr(p->line, '#');
        if (hash != NULL)
            *hash = '\0';
        spaces = strspn(p->line, " ");
        for (text = strtok_r(p->line, " \n", &hash); text != NULL && p->word_count < WORDS_MAX;
             text = strtok_r(NULL, " \n", &hash))
            p->words[p->word_count++] = text;
        if (p->word_count == 0)
            continue;
        if (spaces % 2 != 0)
            fail(p, "indentation is not a multiple of two", p->words[0]);
        p->level = (int)(spaces / 2);
        return;
    }
}

static bool
is_word(const struct parser *p, int i, const char *word)
{
    return i < p->word_count && strcmp(p->words[i], word) == 0;
}

static bool
number_parse(struct parser *p, const char *text, const char **end, int *out)
{
    char *stop;
    long value = strtol(text, &stop, 10);

    if (stop == text || value < 0 || value > KGEN_VERSION_MAX)
        return fail(p, "not a number from 0 to 32767", text);
    *end = stop;
    *out = (int)value;
    return true;
}

/* "4", "4-7" or "4+". */
static bool
range_parse(struct parser *p, const char *text, struct kgen_range *out)
{
    const char *end = text;

    out->min = 0;
    if (!number_parse(p, text, &end, &out->min))
        return false;
    out->max = out->min;
    if (*end == '+' && end[1] == '\0') {
        out->max = KGEN_VERSION_MAX;
        return true;
    }
    if (*end == '-')
        return number_parse(p, end + 1, &end, &out->max) && out->max >= out->min && *end == '\0'
                   ? true
                   : fail(p, "not a range of versions", text);
    return *end == '\0' ? true : fail(p, "not a range of versions", text);
}

static struct kgen_struct *
struct_add(struct parser *p, struct kgen_message *message, const char *name)
{
    struct kgen_struct *s = xcalloc(1, sizeof *s);

    s->name = xstrdup(name);
    s->line = p->number;
    message->structs =
        xrealloc(message->structs, (size_t)message->struct_count + 1, sizeof(struct kgen_struct *));
    message->structs[message->struct_count++] = s;
    return s;
}

static bool
words_of_field(struct parser *p, struct kgen_field *field)
{
    const char *end;

    for (int i = 3; i < p->word_count; i++) {
        if (is_word(p, i, "ignorable")) {
            field->ignorable = true;
        } else if (is_word(p, i, "inflexible")) {
            field->inflexible = true;
        } else if (is_word(p, i, "null")) {
            field->nullable = field->versions;
            if (i + 1 < p->word_count && isdigit((unsigned char)p->words[i + 1][0]) &&
                !range_parse(p, p->words[++i], &field->nullable))
                return false;
        } else if (is_word(p, i, "tag") && i + 1 < p->word_count) {
            if (!number_parse(p, p->words[++i], &end, &field->tag))
                return false;
        } else if (is_word(p, i, "default") && i + 1 < p->word_count) {
            field->default_text = xstrdup(p->words[++i]);
        } else {
            return fail(p, "unknown word", p->words[i]);
        }
    }
    return true;
}

static bool
field_parse(struct parser *p, struct kgen_field *field)
{
    memset(field, 0, sizeof *field);
    field->tag = -1;
    field->nullable = (struct kgen_range){1, 0};
    field->line = p->number;
    if (p->word_count < 3)
        return fail(p, "a field needs name, type and versions", p->words[0]);
    field->name = xstrdup(p->words[0]);
    field->is_array = strncmp(p->words[1], "[]", 2) == 0;
    field->type = xstrdup(p->words[1] + (field->is_array ? 2 : 0));
    return range_parse(p, p->words[2], &field->versions) && words_of_field(p, field);
}

/* Reads the fields that stand at `level` into `s`, and the structs that they define behind them. */
static bool
fields_parse(struct parser *p, struct kgen_message *message, struct kgen_struct *s, int level)
{
    while (!p->at_end && p->level == level) {
        struct kgen_field field;
        struct kgen_struct *sub;

        if (!field_parse(p, &field))
            return false;
        s->fields = xrealloc(s->fields, (size_t)s->field_count + 1, sizeof *s->fields);
        s->fields[s->field_count++] = field;
        next_line(p);
        if (p->level <= level)
            continue;
        if (kgen_scalar(field.type) >= 0)
            return fail(p, "a scalar has no fields", field.name);
        sub = struct_add(p, message, field.type);
        if (!fields_parse(p, message, sub, level + 1))
            return false;
    }
    return p->level > level ? fail(p, "indented too deep", p->words[0]) : true;
}

static bool
body_parse(struct parser *p, struct kgen_message *message)
{
    struct kgen_struct *body = struct_add(p, message, "");

    next_line(p);
    while (!p->at_end && p->level == 1 && is_word(p, 0, "struct") && p->word_count == 2) {
        struct kgen_struct *s = struct_add(p, message, p->words[1]);

        next_line(p);
        if (!fields_parse(p, message, s, 2))
            return false;
    }
    if (!p->at_end && p->level == 1 && is_word(p, 0, "fields") && p->word_count == 1) {
        next_line(p);
        return fields_parse(p, message, body, 2);
    }
    return fields_parse(p, message, body, 1);
}

static bool
head_words(struct parser *p, struct kgen_message *message, int i)
{
    const char *end;
    struct kgen_range flexible;

    for (; i < p->word_count; i++) {
        bool has_value = i + 1 < p->word_count;

        if (is_word(p, i, "unstable")) {
            message->unstable = true;
        } else if (has_value && is_word(p, i, "versions")) {
            if (!range_parse(p, p->words[++i], &message->versions))
                return false;
        } else if (has_value && is_word(p, i, "flexible")) {
            if (!range_parse(p, p->words[++i], &flexible))
                return false;
            message->flexible_min = flexible.min;
        } else if (has_value && is_word(p, i, "type")) {
            if (!number_parse(p, p->words[++i], &end, &message->key))
                return false;
        } else {
            return fail(p, "unknown word", p->words[i]);
        }
    }
    return message->versions.max < KGEN_VERSION_MAX
               ? true
               : fail(p, "a message needs its last version", p->words[0]);
}

static bool
message_parse(struct parser *p)
{
    struct kgen_model *model = p->model;
    struct kgen_message message = {.file = p->path, .key = -1, .flexible_min = KGEN_VERSION_MAX};
    bool is_data = is_word(p, 0, "data");
    int start = is_data ? 2 : 1;

    if (is_data) {
        if (p->word_count < 2)
            return fail(p, "needs a name", p->words[0]);
        message.kind = KGEN_DATA;
        message.name = xstrdup(p->words[1]);
    } else {
        if (p->api_name == NULL)
            return fail(p, "stands before its api line", p->words[0]);
        message.kind = is_word(p, 0, "request") ? KGEN_REQUEST : KGEN_RESPONSE;
        message.name = xasprintf("%s_%s", p->api_name, p->words[0]);
        message.key = p->api_key;
    }
    message.versions = (struct kgen_range){0, KGEN_VERSION_MAX};
    if (!head_words(p, &message, start) || !body_parse(p, &message))
        return false;
    model->messages =
        xrealloc(model->messages, (size_t)model->message_count + 1, sizeof *model->messages);
    model->messages[model->message_count++] = message;
    return true;
}

static bool
api_parse(struct parser *p)
{
    const char *end;

    if (p->word_count != 3 || !number_parse(p, p->words[1], &end, &p->api_key))
        return fail(p, "expected: api KEY NAME", p->words[0]);
    p->api_name = xstrdup(p->words[2]);
    next_line(p);
    return true;
}

bool
kgen_parse(struct kgen_model *model, const char *path)
{
    struct parser p = {.model = model, .path = path};

    p.file = fopen(path, "r");
    if (p.file == NULL) {
        fprintf(stderr, "kgen: cannot read %s\n", path);
        return false;
    }
    next_line(&p);
    while (!p.at_end && !p.failed) {
        if (p.level == 0 && is_word(&p, 0, "api"))
            api_parse(&p);
        else if (p.level == 0 && (is_word(&p, 0, "request") || is_word(&p, 0, "response") ||
                                     is_word(&p, 0, "data")))
            message_parse(&p);
        else
            fail(&p, "expected api, request, response or data", p.words[0]);
    }
    fclose(p.file);
    free(p.api_name);
    return !p.failed;
}
