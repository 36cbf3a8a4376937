#include "refbroker/meta/config_def.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum rc
config_def_refuse(const struct config_def *def, const char *text, const char *why, struct err *e)
{
    return err_set(e, RC_CONFIG, "Invalid value %s for configuration %s: %s", text, def->name, why);
}

/* --- Kafka's form of a text ------------------------------------------------------------------ */

static enum rc
not_a_number(const struct config_def *def, const char *text, struct err *e)
{
    static const char *const names[] = {
        "", "BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"};
    char why[48];

    snprintf(why, sizeof why, "Not a number of type %s", names[def->type]);
    return config_def_refuse(def, text, why, e);
}

static bool
is_space(char c)
{
    return (unsigned char)c <= ' ';
}

/* The text without what String.trim takes away. */
static const char *
trim(const char *text, size_t *size)
{
    while (*text != '\0' && is_space(*text))
        text++;
    *size = strlen(text);
    while (*size > 0 && is_space(text[*size - 1]))
        --*size;
    return text;
}

static enum rc
integer(const struct config_def *def, const char *text, struct buf *out, struct err *e)
{
    int64_t high = def->type == CONFIG_SHORT ? INT16_MAX
                   : def->type == CONFIG_INT ? INT32_MAX
                                             : INT64_MAX;
    int64_t number;
    size_t size, sign;
    const char *digits = trim(text, &size);
    char *end;

    sign = *digits == '+' || *digits == '-';
    if (size == sign || strspn(digits + sign, "0123456789") != size - sign)
        return not_a_number(def, text, e);
    errno = 0;
    number = strtoll(digits, &end, 10);
    if (errno != 0 || number < -high - 1 || number > high)
        return not_a_number(def, text, e);
    buf_printf(out, "%" PRId64, number);
    return RC_OK;
}

static enum rc
real(const struct config_def *def, const char *text, struct buf *out, struct err *e)
{
    size_t size;
    const char *digits = trim(text, &size);
    char *end;

    /* Java takes a letter for the type at the end; it does not take the C library's other words. */
    if (size > 1 && strchr("fFdD", digits[size - 1]) != NULL)
        size--;
    if (strspn(digits, "0123456789+-.eE") < size)
        return not_a_number(def, text, e);
    buf_append(out, digits, size);
    (void)strtod(buf_text(out), &end);
    if (size == 0 || *end != '\0')
        return not_a_number(def, text, e);
    /* It shows whole numbers with a fraction. */
    if (strspn(buf_text(out), "-0123456789") == size)
        buf_append_text(out, ".0");
    return RC_OK;
}

static enum rc
boolean(const struct config_def *def, const char *text, struct buf *out, struct err *e)
{
    size_t size;
    const char *word = trim(text, &size);
    bool value = size == 4 && strncasecmp(word, "true", 4) == 0;

    if (!value && (size != 5 || strncasecmp(word, "false", 5) != 0))
        return config_def_refuse(def, text, "Expected value to be either true or false", e);
    buf_append_text(out, value ? "true" : "false");
    return RC_OK;
}

static bool
has_element(const char *list, const char *element, size_t size)
{
    for (const char *at = list; *at != '\0'; at += strspn(at, ",")) {
        size_t length = strcspn(at, ",");

        if (length == size && memcmp(at, element, size) == 0)
            return true;
        at += length;
    }
    return false;
}

/* Elements without the spaces around them, and each once where the config is a set of words. */
static void
list(const struct config_def *def, const char *text, struct buf *out)
{
    bool is_set = def->check.words != NULL;
    size_t left;
    const char *at = trim(text, &left);

    for (bool first = true; left > 0 || !first; first = false) {
        const char *comma = memchr(at, ',', left), *element = at;
        size_t size = comma == NULL ? left : (size_t)(comma - at);
        size_t whole = size;

        while (size > 0 && is_space(*element))
            element++, size--;
        while (size > 0 && is_space(element[size - 1]))
            size--;
        if (!is_set || !has_element(buf_text(out), element, size))
            buf_printf(out, "%s%.*s", first ? "" : ",", (int)size, element);
        if (comma == NULL)
            break;
        at += whole + 1;
        left -= whole + 1;
    }
}

static enum rc
normalize(const struct config_def *def, const char *text, struct buf *out, struct err *e)
{
    const char *word;
    size_t size;

    if (strlen(text) > CONFIG_DEF_BYTES_MAX)
        return err_set(e, RC_CONFIG, "Invalid value for configuration %s: longer than %d bytes",
            def->name, CONFIG_DEF_BYTES_MAX);
    switch (def->type) {
    case CONFIG_INT:
    case CONFIG_SHORT:
    case CONFIG_LONG:
        return integer(def, text, out, e);
    case CONFIG_DOUBLE:
        return real(def, text, out, e);
    case CONFIG_BOOLEAN:
        return boolean(def, text, out, e);
    case CONFIG_LIST:
        list(def, text, out);
        return RC_OK;
    default:
        word = trim(text, &size);
        buf_append(out, word, size);
        return RC_OK;
    }
}

/* --- rules ----------------------------------------------------------------------------------- */

static enum rc
between(const struct config_def *def, const char *text, struct err *e)
{
    int64_t low = def->check.low, high = def->check.high;
    bool too_low, too_high;
    char why[64];

    if (def->type == CONFIG_DOUBLE) {
        too_low = low > INT64_MIN && strtod(text, NULL) < (double)low;
        too_high = high < INT64_MAX && strtod(text, NULL) > (double)high;
    } else {
        too_low = strtoll(text, NULL, 10) < low;
        too_high = strtoll(text, NULL, 10) > high;
    }
    if (!too_low && !too_high)
        return RC_OK;
    snprintf(why, sizeof why,
        too_low ? "Value must be at least %" PRId64 : "Value must be no more than %" PRId64,
        too_low ? low : high);
    return config_def_refuse(def, text, why, e);
}

/* The text is one of the words. */
static enum rc
one_of(const struct config_def *def, const char *text, struct err *e)
{
    const char *words = def->check.words;
    char why[128];
    size_t size = strlen(text);

    for (const char *word = words; *word != '\0'; word += strspn(word, ", ")) {
        size_t length = strcspn(word, ",");

        if (length == size && memcmp(word, text, size) == 0)
            return RC_OK;
        word += length;
    }
    snprintf(why, sizeof why, "String must be one of: %s%s", *words == ',' ? "nothing" : "", words);
    return config_def_refuse(def, text, why, e);
}

static enum rc
some_of(const struct config_def *def, const char *text, struct err *e)
{
    const char *at = text;
    char word[64];
    enum rc rc;

    if (*text == '\0')
        return RC_OK;
    for (;;) {
        size_t size = strcspn(at, ",");

        if (size == 0)
            return err_set(e, RC_CONFIG, "Configuration '%s' values must not be empty.", def->name);
        snprintf(word, sizeof word, "%.*s", (int)size, at);
        rc = one_of(def, word, e);
        if (rc != RC_OK || at[size] == '\0')
            return rc;
        at += size + 1;
    }
}

enum rc
config_def_gzip_level(const struct config_def *def, const char *text, struct err *e)
{
    int64_t level = strtoll(text, NULL, 10);

    return level == -1 || (level >= 1 && level <= 9)
               ? RC_OK
               : config_def_refuse(def, text, "Value must be between 1 and 9 or equal to -1", e);
}

static enum rc
check(const struct config_def *def, const char *text, struct err *e)
{
    if (def->check.rule != NULL)
        return def->check.rule(def, text, e);
    if (def->check.words != NULL)
        return def->type == CONFIG_LIST ? some_of(def, text, e) : one_of(def, text, e);
    switch (def->type) {
    case CONFIG_INT:
    case CONFIG_SHORT:
    case CONFIG_LONG:
    case CONFIG_DOUBLE:
        return between(def, text, e);
    default:
        return RC_OK;
    }
}

enum rc
config_def_read(const struct config_def *def, const char *text, struct buf *out, struct err *e)
{
    enum rc rc = normalize(def, text, out, e);

    return rc == RC_OK ? check(def, buf_text(out), e) : rc;
}

enum rc
config_def_check(const struct config_def *def, const char *text, struct err *e)
{
    struct buf shown;
    enum rc rc;

    buf_init(&shown, CONFIG_DEF_BYTES_MAX);
    rc = config_def_read(def, text, &shown, e);
    buf_fini(&shown);
    return rc;
}
