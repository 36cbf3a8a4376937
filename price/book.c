#include "price/book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/price_book.h"
#include "lib/base/text_file.h"
#include "lib/base/xalloc.h"

#define BLANKS " \t\r"
#define DATE_SIZE 10 /* 2026-11-22 */

/* A line being read. */
struct line {
    const char *file;
    unsigned number;
    const char *at;
    const char *end;
};

struct word {
    const char *text;
    size_t size;
};

const char *
book_builtin(void)
{
    return price_book_text;
}

static struct word
word_next(struct line *line)
{
    struct word word;

    while (line->at < line->end && strchr(BLANKS, *line->at) != NULL)
        line->at++;
    word.text = line->at;
    while (line->at < line->end && strchr(BLANKS, *line->at) == NULL)
        line->at++;
    word.size = (size_t)(line->at - word.text);
    return word;
}

/* What is left of a line, without blanks around. */
static struct word
rest(struct line *line)
{
    struct word word;

    while (line->at < line->end && strchr(BLANKS, *line->at) != NULL)
        line->at++;
    while (line->end > line->at && strchr(BLANKS, line->end[-1]) != NULL)
        line->end--;
    word.text = line->at;
    word.size = (size_t)(line->end - line->at);
    return word;
}

static bool
word_is(struct word word, const char *text)
{
    return strlen(text) == word.size && memcmp(word.text, text, word.size) == 0;
}

static bool
is_date(struct word word)
{
    static const char form[] = "dddd-dd-dd";
    long month, day;

    if (word.size != DATE_SIZE)
        return false;
    for (size_t i = 0; i < DATE_SIZE; i++)
        if (form[i] == 'd' ? word.text[i] < '0' || word.text[i] > '9' : word.text[i] != form[i])
            return false;
    month = (word.text[5] - '0') * 10 + word.text[6] - '0';
    day = (word.text[8] - '0') * 10 + word.text[9] - '0';
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static enum rc
name_unknown(const struct line *line, struct word name, struct err *e)
{
    char *copy = xmemdup(name.text, name.size);
    const char *nearest = sheet_nearest(copy, SHEET_INPUTS);
    enum rc rc;

    if (nearest != NULL && sheet_find(nearest, strlen(nearest)) >= SHEET_PARAMETERS)
        rc = err_set(e, RC_CONFIG, "%s:%u: there is no price %s. Did you mean %s?", line->file,
            line->number, copy, nearest);
    else
        rc = err_set(e, RC_CONFIG, "%s:%u: there is no price %s; --print-prices shows all.",
            line->file, line->number, copy);
    free(copy);
    return rc;
}

static enum rc
price_read(struct inputs *inputs, struct line *line, struct word name, struct err *e)
{
    enum sheet_value input = sheet_find(name.text, name.size);
    struct word number = word_next(line), date = word_next(line), source = rest(line);
    char note[INPUTS_NOTE_BYTES];
    double value;

    if (input < SHEET_PARAMETERS || input >= SHEET_INPUTS)
        return name_unknown(line, name, e);
    if (inputs->entries[input].origin == INPUTS_PRICES)
        return err_set(e, RC_CONFIG, "%s:%u: %s is there twice.", line->file, line->number,
            sheet_row(input)->name);
    if (!inputs_number(number.text, number.size, &value) || value < 0 || value > 1e9)
        return err_set(e, RC_CONFIG, "%s:%u: %s wants a price from 0 to 1e9, not %.*s.", line->file,
            line->number, sheet_row(input)->name, (int)number.size, number.text);
    if (!is_date(date) || source.size == 0)
        return err_set(e, RC_CONFIG,
            "%s:%u: %s wants a date (2026-11-22) and a source behind its price.", line->file,
            line->number, sheet_row(input)->name);
    snprintf(note, sizeof note, "%s:%u, %.*s, %.*s", line->file, line->number, (int)date.size,
        date.text, (int)source.size, source.text);
    inputs_put(inputs, input, value, INPUTS_PRICES, note);
    return RC_OK;
}

static enum rc
line_read(struct inputs *inputs, struct line *line, struct err *e)
{
    struct word name = word_next(line);

    if (name.size == 0 || name.text[0] == '#')
        return RC_OK;
    if (word_is(name, "title")) {
        struct word title = rest(line);

        snprintf(inputs->title, sizeof inputs->title, "%.*s", (int)title.size, title.text);
        return RC_OK;
    }
    return price_read(inputs, line, name, e);
}

enum rc
book_read(struct inputs *inputs, const char *text, size_t size, const char *file, struct err *e)
{
    struct line line = {.file = file};
    const char *at = text, *end = text + size;
    enum rc rc = RC_OK;

    if (memchr(text, '\0', size) != NULL)
        return err_set(e, RC_CONFIG, "%s is no text.", file);
    snprintf(inputs->title, sizeof inputs->title, "%s", file);
    while (rc == RC_OK && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        line.number++;
        line.at = at;
        line.end = stop == NULL ? end : stop;
        at = line.end + 1;
        rc = line_read(inputs, &line, e);
    }
    for (unsigned i = SHEET_PARAMETERS; rc == RC_OK && i < SHEET_INPUTS; i++)
        if (inputs->entries[i].origin != INPUTS_PRICES)
            rc = err_set(e, RC_CONFIG, "%s:%u: %s is missing (%s).", file, line.number,
                sheet_row((enum sheet_value)i)->name, sheet_row((enum sheet_value)i)->what);
    return rc;
}

enum rc
book_load(struct inputs *inputs, const char *path, struct err *e)
{
    struct buf text;
    enum rc rc;

    buf_init(&text, BOOK_BYTES_MAX);
    rc = text_file_read(path, NULL, &text, e);
    if (rc == RC_OK)
        rc = book_read(inputs, buf_text(&text), text.size, path, e);
    else
        rc = err_note(e, "--prices");
    buf_fini(&text);
    return rc;
}
