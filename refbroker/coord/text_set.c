#include "refbroker/coord/text_set.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/request.h"

static int
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct text_set
text_set_from(const struct wire_string *items, int32_t count)
{
    struct text_set set = {xcalloc((size_t)(count < 0 ? 0 : count) + 1, sizeof *set.items), 0};
    size_t kept = 0;

    for (int32_t i = 0; i < count; i++)
        set.items[set.count++] = xmemdup(items[i].data, (size_t)items[i].size);
    qsort(set.items, set.count, sizeof(char *), compare);
    for (size_t i = 0; i < set.count; i++)
        if (kept > 0 && strcmp(set.items[kept - 1], set.items[i]) == 0)
            free(set.items[i]);
        else
            set.items[kept++] = set.items[i];
    set.count = kept;
    return set;
}

void
text_set_fini(struct text_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->items[i]);
    free(set->items);
    *set = (struct text_set){NULL, 0};
}

bool
text_set_equal(const struct text_set *a, const struct text_set *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

bool
text_set_has(const struct text_set *set, const char *text)
{
    return set->count > 0 &&
           bsearch(&text, set->items, set->count, sizeof(char *), compare) != NULL;
}

bool
text_replace(char **text, struct wire_string value)
{
    if (value.size < 0 ? *text == NULL : *text != NULL && request_is_text(value, *text))
        return false;
    free(*text);
    *text = value.size < 0 ? NULL : xmemdup(value.data, (size_t)value.size);
    return true;
}

bool
text_is_blank(struct wire_string text)
{
    for (int32_t i = 0; i < text.size; i++)
        if (!isspace((unsigned char)text.data[i]))
            return false;
    return text.size >= 0;
}
