#include "refbroker/coord/topic_parts.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

void
topic_parts_fini(struct topic_parts *parts)
{
    free(parts->items);
    memset(parts, 0, sizeof *parts);
}

void
topic_parts_add(struct topic_parts *parts, const struct topic_part *part)
{
    if (parts->count == parts->capacity) {
        parts->capacity = parts->capacity == 0 ? 8 : parts->capacity * 2;
        parts->items = xrealloc(parts->items, parts->capacity, sizeof *parts->items);
    }
    parts->items[parts->count++] = *part;
}

int
topic_parts_compare(const struct topic_part *a, const struct topic_part *b)
{
    int order = memcmp(&a->topic_id, &b->topic_id, sizeof a->topic_id);

    return order != 0 ? order : (a->partition > b->partition) - (a->partition < b->partition);
}

static int
compare(const void *a, const void *b)
{
    return topic_parts_compare(a, b);
}

void
topic_parts_sort(struct topic_parts *parts)
{
    size_t kept = 0;

    if (parts->count > 1)
        qsort(parts->items, parts->count, sizeof *parts->items, compare);
    for (size_t i = 0; i < parts->count; i++)
        if (kept == 0 || topic_parts_compare(&parts->items[kept - 1], &parts->items[i]) != 0)
            parts->items[kept++] = parts->items[i];
    parts->count = kept;
}

void
topic_parts_copy(struct topic_parts *to, const struct topic_parts *from)
{
    struct topic_part *items =
        from->count == 0 ? NULL : xmemdup(from->items, from->count * sizeof *from->items);

    free(to->items);
    *to = (struct topic_parts){items, from->count, from->count};
}

void
topic_parts_move(struct topic_parts *to, struct topic_parts *from)
{
    free(to->items);
    *to = *from;
    memset(from, 0, sizeof *from);
}

const struct topic_part *
topic_parts_find(
    const struct topic_parts *parts, const struct wire_uuid *topic_id, int32_t partition)
{
    struct topic_part key = {.topic_id = *topic_id, .partition = partition};

    return parts->count == 0
               ? NULL
               : bsearch(&key, parts->items, parts->count, sizeof *parts->items, compare);
}

bool
topic_parts_same(const struct topic_parts *a, const struct topic_parts *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (topic_parts_compare(&a->items[i], &b->items[i]) != 0)
            return false;
    return true;
}

bool
topic_parts_equal(const struct topic_parts *a, const struct topic_parts *b)
{
    if (!topic_parts_same(a, b))
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].epoch != b->items[i].epoch)
            return false;
    return true;
}

bool
topic_parts_contains(const struct topic_parts *all, const struct topic_parts *some)
{
    for (size_t i = 0; i < some->count; i++)
        if (topic_parts_find(all, &some->items[i].topic_id, some->items[i].partition) == NULL)
            return false;
    return true;
}

bool
topic_parts_touches(const struct topic_parts *all, const struct topic_parts *some)
{
    for (size_t i = 0; i < some->count; i++)
        if (topic_parts_find(all, &some->items[i].topic_id, some->items[i].partition) != NULL)
            return true;
    return false;
}

size_t
topic_parts_run(const struct topic_parts *parts, size_t from)
{
    size_t end = from;

    while (end < parts->count && memcmp(&parts->items[end].topic_id, &parts->items[from].topic_id,
                                     sizeof(struct wire_uuid)) == 0)
        end++;
    return end - from;
}

size_t
topic_parts_topics(const struct topic_parts *parts)
{
    size_t count = 0;

    for (size_t at = 0; at < parts->count; at += topic_parts_run(parts, at))
        count++;
    return count;
}
