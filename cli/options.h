/*
 * options: the flags of a command, from one table.
 *
 * The table makes the parser, the help and the completion. Flags are "--name VALUE",
 * "--name=VALUE", "--name" for switches, and "-n VALUE" where a short form is given; "--" ends
 * them. A wrong use is one line that says what to do, with the nearest known flag.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define OPTIONS_MAX 40
#define OPTIONS_REPEAT_MAX 64

enum option_kind {
    OPTION_SWITCH,
    OPTION_TEXT,
    OPTION_INT,  /* min..max of the row */
    OPTION_WORD, /* one of `words`, separated by '|' */
    OPTION_LIST, /* may be given several times */
};

struct option_row {
    const char *name; /* without dashes */
    char letter;      /* 0: no short form */
    enum option_kind kind;
    const char *value; /* how the help calls it: "HOST:PORT" */
    const char *words; /* OPTION_WORD */
    int64_t min;
    int64_t max;
    const char *help;
};

/* The flags that were given. Texts are views into argv. */
struct options {
    const struct option_row *rows;
    size_t count;
    const char *texts[OPTIONS_MAX];
    int64_t numbers[OPTIONS_MAX];
    bool given[OPTIONS_MAX];
    const char *list_texts[OPTIONS_REPEAT_MAX];
    size_t list_rows[OPTIONS_REPEAT_MAX];
    size_t list_count;
    const char **words; /* what is no flag */
    size_t word_count;
};

/* options_parse reads argv[0..argc); words points into a part of argv that it rearranges. RC_CONFIG
 * for wrong use. */
MUST_CHECK enum rc options_parse(struct options *options, const struct option_row *rows,
    size_t count, int argc, const char **argv, struct err *e);

/* options_text returns a flag's value or the fallback; options_int and options_is likewise. The
 * name must be in the table. */
const char *options_text(const struct options *options, const char *name, const char *fallback);
int64_t options_int(const struct options *options, const char *name, int64_t fallback);
bool options_is(const struct options *options, const char *name);

/* options_list walks the values of an OPTION_LIST: start with *position = 0; NULL at the end. */
const char *options_list(const struct options *options, const char *name, size_t *position);

/* options_help appends the table, one flag a line. */
void options_help(const struct option_row *rows, size_t count, struct buf *out);

/* options_nearest returns the index of the word most like `text`, or -1 where none is near. */
int options_nearest(const char *text, const char *const *words, size_t count);

#endif
