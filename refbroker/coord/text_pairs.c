#include "refbroker/coord/text_pairs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/request.h"

void
text_pairs_fini(struct text_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].name);
        free(pairs->items[i].value);
    }
    free(pairs->items);
    *pairs = (struct text_pairs){NULL, 0};
}

enum rc
text_pairs_add(
    struct text_pairs *pairs, struct wire_string name, struct wire_string value, struct err *e)
{
    char *text = xmemdup(name.data, (size_t)name.size);
    size_t at = 0;
    int order = 1;

    while (at < pairs->count && (order = strcmp(pairs->items[at].name, text)) < 0)
        at++;
    if (at < pairs->count && order == 0) {
        free(text);
        return err_set(e, RC_CONFLICT, "%s is there twice", pairs->items[at].name);
    }
    pairs->items = xrealloc(pairs->items, pairs->count + 1, sizeof *pairs->items);
    memmove(&pairs->items[at + 1], &pairs->items[at], (pairs->count - at) * sizeof *pairs->items);
    pairs->items[at] = (struct text_pair){text, xmemdup(value.data, (size_t)value.size)};
    pairs->count++;
    return RC_OK;
}

void
text_pairs_move(struct text_pairs *to, struct text_pairs *from)
{
    text_pairs_fini(to);
    *to = *from;
    *from = (struct text_pairs){NULL, 0};
}

bool
text_pairs_equal(const struct text_pairs *a, const struct text_pairs *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i].name, b->items[i].name) != 0 ||
            strcmp(a->items[i].value, b->items[i].value) != 0)
            return false;
    return true;
}
