#include "lib/wire/kerr.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/xalloc.h"

struct row {
    const char *name;
    const char *meaning;
    int16_t code;
    bool retriable;
    bool stale;
};

/* Without gaps from -1 upward, which the unit test holds. */
static const struct row rows[] = {
#define KERR(code, name, retriable, stale, meaning) {#name, meaning, code, retriable, stale},
#include "lib/wire/kerr.def"
#undef KERR
};

static const struct row *
find(int16_t code)
{
    if (code < -1 || code > (int)ARRAY_LEN(rows) - 2)
        return NULL;
    return &rows[code + 1];
}

const char *
kerr_name(int16_t code)
{
    static _Thread_local char unknown[16];
    const struct row *row = find(code);

    if (row != NULL)
        return row->name;
    snprintf(unknown, sizeof unknown, "CODE_%d", code);
    return unknown;
}

const char *
kerr_meaning(int16_t code)
{
    const struct row *row = find(code);

    return row != NULL ? row->meaning : "a code that Kafka 4.3 does not know";
}

bool
kerr_is_retriable(int16_t code)
{
    const struct row *row = find(code);

    return row != NULL && row->retriable;
}

bool
kerr_is_stale(int16_t code)
{
    const struct row *row = find(code);

    return row != NULL && row->stale;
}

bool
kerr_find(const char *name, int16_t *code)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *code = rows[i].code;
            return true;
        }
    }
    return false;
}
