#include "cli/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define WORD_BYTES_MAX 64
#define DISTANCE_MAX 3

/* The number of letters to change, add or take away (Levenshtein). */
static size_t
distance(const char *a, const char *b)
{
    size_t row[WORD_BYTES_MAX + 1];
    size_t columns = strlen(b);

    if (columns > WORD_BYTES_MAX)
        return SIZE_MAX;
    for (size_t i = 0; i <= columns; i++)
        row[i] = i;
    for (; *a != '\0'; a++) {
        size_t diagonal = row[0]++;

        for (size_t i = 1; i <= columns; i++) {
            size_t best = diagonal + (*a != b[i - 1]);

            diagonal = row[i];
            if (row[i] + 1 < best)
                best = row[i] + 1;
            if (row[i - 1] + 1 < best)
                best = row[i - 1] + 1;
            row[i] = best;
        }
    }
    return row[columns];
}

int
options_nearest(const char *text, const char *const *words, size_t count)
{
    size_t best = DISTANCE_MAX + 1;
    int found = -1;

    for (size_t i = 0; i < count; i++) {
        size_t d = distance(text, words[i]);

        if (d < best) {
            best = d;
            found = (int)i;
        }
    }
    return found;
}

static size_t
row_of(const struct options *options, const char *name)
{
    size_t i = 0;

    while (i < options->count && strcmp(options->rows[i].name, name) != 0)
        i++;
    REQUIRE(i < options->count);
    return i;
}

static enum rc
unknown(const struct options *options, const char *name, struct err *e)
{
    const char *names[OPTIONS_MAX];
    int nearest;

    for (size_t i = 0; i < options->count; i++)
        names[i] = options->rows[i].name;
    nearest = options_nearest(name, names, options->count);
    if (nearest < 0)
        return err_set(e, RC_CONFIG, "unknown option --%s.", name);
    return err_set(e, RC_CONFIG, "unknown option --%s. Did you mean --%s?", name, names[nearest]);
}

static bool
word_is_listed(const char *words, const char *text)
{
    size_t size = strlen(text);

    for (const char *at = words; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, text, size) == 0 && (at[size] == '|' || at[size] == '\0'))
            return true;
    }
    return false;
}

static enum rc
value_store(struct options *options, size_t i, const char *text, struct err *e)
{
    const struct option_row *row = &options->rows[i];
    char *end;

    options->given[i] = true;
    options->texts[i] = text;
    switch (row->kind) {
    case OPTION_INT:
        errno = 0;
        options->numbers[i] = strtoll(text, &end, 10);
        if (end == text || *end != '\0' || errno != 0 || options->numbers[i] < row->min ||
            options->numbers[i] > row->max)
            return err_set(e, RC_CONFIG,
                "--%s wants a number from %" PRId64 " to %" PRId64 ", not %s.", row->name, row->min,
                row->max, text);
        return RC_OK;
    case OPTION_WORD:
        return word_is_listed(row->words, text)
                   ? RC_OK
                   : err_set(e, RC_CONFIG, "--%s wants %s, not %s.", row->name, row->words, text);
    case OPTION_LIST:
        if (options->list_count == OPTIONS_REPEAT_MAX)
            return err_set(e, RC_CONFIG, "too many --%s.", row->name);
        options->list_texts[options->list_count] = text;
        options->list_rows[options->list_count++] = i;
        return RC_OK;
    default:
        return RC_OK;
    }
}

struct walk {
    int argc;
    const char **argv;
    int at;
};

/* The value of a flag: behind '=', or the next word. */
static enum rc
flag_take(struct options *options, struct walk *walk, size_t i, const char *inside, struct err *e)
{
    const struct option_row *row = &options->rows[i];

    if (row->kind == OPTION_SWITCH) {
        options->given[i] = true;
        return inside == NULL ? RC_OK : err_set(e, RC_CONFIG, "--%s takes no value.", row->name);
    }
    if (inside == NULL) {
        if (walk->at + 1 >= walk->argc)
            return err_set(e, RC_CONFIG, "--%s wants %s.", row->name, row->value);
        inside = walk->argv[++walk->at];
    }
    return value_store(options, i, inside, e);
}

static enum rc
long_flag(struct options *options, struct walk *walk, struct err *e)
{
    const char *name = walk->argv[walk->at] + 2;
    const char *equals = strchr(name, '=');
    size_t size = equals == NULL ? strlen(name) : (size_t)(equals - name);
    char *copy;
    enum rc rc;

    for (size_t i = 0; i < options->count; i++)
        if (strncmp(options->rows[i].name, name, size) == 0 && options->rows[i].name[size] == '\0')
            return flag_take(options, walk, i, equals == NULL ? NULL : equals + 1, e);
    copy = xmemdup(name, size);
    rc = unknown(options, copy, e);
    free(copy);
    return rc;
}

static enum rc
short_flag(struct options *options, struct walk *walk, struct err *e)
{
    const char *text = walk->argv[walk->at] + 1;

    for (size_t i = 0; i < options->count; i++)
        if (options->rows[i].letter == *text)
            return flag_take(options, walk, i, text[1] == '\0' ? NULL : text + 1, e);
    return err_set(e, RC_CONFIG, "unknown option -%s.", text);
}

enum rc
options_parse(struct options *options, const struct option_row *rows, size_t count, int argc,
    const char **argv, struct err *e)
{
    struct walk walk = {argc, argv, 0};
    bool ended = false;
    enum rc rc = RC_OK;

    REQUIRE(count <= OPTIONS_MAX);
    memset(options, 0, sizeof *options);
    options->rows = rows;
    options->count = count;
    options->words = argv;
    for (; walk.at < argc && rc == RC_OK; walk.at++) {
        const char *text = argv[walk.at];

        if (ended || text[0] != '-' || text[1] == '\0')
            options->words[options->word_count++] = text;
        else if (strcmp(text, "--") == 0)
            ended = true;
        else if (text[1] == '-')
            rc = long_flag(options, &walk, e);
        else
            rc = short_flag(options, &walk, e);
    }
    return rc;
}

const char *
options_text(const struct options *options, const char *name, const char *fallback)
{
    size_t i = row_of(options, name);

    return options->given[i] ? options->texts[i] : fallback;
}

int64_t
options_int(const struct options *options, const char *name, int64_t fallback)
{
    size_t i = row_of(options, name);

    return options->given[i] ? options->numbers[i] : fallback;
}

bool
options_is(const struct options *options, const char *name)
{
    return options->given[row_of(options, name)];
}

const char *
options_list(const struct options *options, const char *name, size_t *position)
{
    size_t i = row_of(options, name);

    while (*position < options->list_count) {
        size_t at = (*position)++;

        if (options->list_rows[at] == i)
            return options->list_texts[at];
    }
    return NULL;
}

void
options_help(const struct option_row *rows, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        size_t before = out->size;

        buf_printf(out, rows[i].letter != 0 ? "  -%c, " : "      ", rows[i].letter);
        buf_printf(out, "--%s", rows[i].name);
        if (rows[i].kind != OPTION_SWITCH)
            buf_printf(out, " %s", rows[i].value);
        buf_printf(out, "%*s%s", (int)(out->size - before < 34 ? 34 - (out->size - before) : 1), "",
            rows[i].help);
        if (rows[i].kind == OPTION_WORD)
            buf_printf(out, " (%s)", rows[i].words);
        buf_append_text(out, "\n");
    }
}
