#include "lib/base/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct err_row {
    const char *name;
    const char *text;
    bool retriable;
    enum exit_code exit;
};

static const struct err_row rows[] = {
    {"OK", "fine", false, EXIT_OK},
#define ERR(name, text, retriable, exit) {#name, text, retriable, EXIT_##exit},
#include "lib/base/errs.def"
#undef ERR
};

static const struct err_row *
row_of(enum rc code)
{
    size_t i = (size_t)code;

    return i < sizeof rows / sizeof *rows ? &rows[i] : &rows[RC_INTERNAL];
}

enum rc
err_set_at(
    struct err *e, enum rc code, int number, const char *file, int line, const char *format, ...)
{
    va_list ap;
    size_t used;

    if (e == NULL)
        return code;
    e->code = code;
    e->sys_errno = number;
    e->file = file;
    e->line = line;
    va_start(ap, format);
    vsnprintf(e->text, sizeof e->text, format, ap);
    va_end(ap);
    if (number != 0) {
        used = strlen(e->text);
        snprintf(e->text + used, sizeof e->text - used, ": %s", strerror(number));
    }
    return code;
}

enum rc
err_note(struct err *e, const char *format, ...)
{
    char old[ERR_TEXT_MAX];
    va_list ap;
    size_t used;

    if (e == NULL)
        return RC_INTERNAL;
    memcpy(old, e->text, sizeof old);
    va_start(ap, format);
    vsnprintf(e->text, sizeof e->text, format, ap);
    va_end(ap);
    used = strlen(e->text);
    snprintf(e->text + used, sizeof e->text - used, ": %s", old);
    return e->code;
}

void
err_clear(struct err *e)
{
    if (e != NULL)
        memset(e, 0, sizeof *e);
}

const char *
err_name(enum rc code)
{
    return row_of(code)->name;
}

const char *
err_text(enum rc code)
{
    return row_of(code)->text;
}

bool
err_is_retriable(enum rc code)
{
    return row_of(code)->retriable;
}

enum exit_code
err_exit_code(enum rc code)
{
    return row_of(code)->exit;
}
