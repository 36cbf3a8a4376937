/*
 * conf_options: the table of conf.def, and what was set of it.
 *
 * For conf.c only: names to options, values with their origin and order, spelling hints.
 */
#ifndef LIB_KAFKA_CONF_OPTIONS_H
#define LIB_KAFKA_CONF_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum conf_option {
#define CONF_OPTION(option, kind, secret, fallback) CONF_##option,
#include "lib/kafka/conf.def"
    CONF_OPTION_COUNT,
};

struct conf_value {
    char *text; /* NULL: not set */
    char *origin;
    const char *name; /* the one that was used */
    unsigned order;   /* later ones are higher */
};

struct conf_options {
    struct conf_value values[CONF_OPTION_COUNT];
    unsigned order;
    size_t ignored;
};

void conf_options_init(struct conf_options *options);

/* conf_options_fini wipes secrets. */
void conf_options_fini(struct conf_options *options);

/* conf_options_find returns the option of a name; CONF_OPTION_COUNT for a known name that means
 * nothing here. RC_CONFIG for an unknown one, with the nearest that is known. */
MUST_CHECK enum rc conf_options_find(
    const char *name, const char *origin, enum conf_option *option, struct err *e);

/* conf_options_set checks and keeps a value under one of its option's names. */
MUST_CHECK enum rc conf_options_set(struct conf_options *options, enum conf_option option,
    const char *name, const char *value, const char *origin, struct err *e);

/* conf_options_text returns what was set or the fallback; NULL where there is neither, or where the
 * text is empty. conf_options_number returns a number that was checked when it was set. */
const char *conf_options_text(const struct conf_options *options, enum conf_option option);
int64_t conf_options_number(const struct conf_options *options, enum conf_option option);

/* conf_options_latest returns which of several options that say the same was set last;
 * CONF_OPTION_COUNT for none. */
enum conf_option conf_options_latest(
    const struct conf_options *options, const enum conf_option *candidates, size_t count);

/* conf_options_describe: see conf_describe. */
void conf_options_describe(const struct conf_options *options, struct buf *out);

#endif
