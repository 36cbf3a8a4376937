#include "refbroker/api/topic_groups.h"

#include "lib/base/map.h"

/* Numbers the topic of each row, and counts the rows of each topic. */
static void
topics_count(struct map *by_id, const struct wire_uuid *topic_ids, size_t count,
    struct topic_groups *out, struct topic_group **of_row)
{
    for (size_t i = 0; i < count; i++) {
        struct topic_group *group = map_get(by_id, &topic_ids[i], sizeof topic_ids[i]);

        if (group == NULL) {
            group = &out->items[out->count++];
            *group = (struct topic_group){.topic_id = topic_ids[i]};
            map_put(by_id, &topic_ids[i], sizeof topic_ids[i], group);
        }
        group->count++;
        of_row[i] = group;
    }
}

bool
topic_groups_make(
    struct arena *arena, const struct wire_uuid *topic_ids, size_t count, struct topic_groups *out)
{
    struct topic_group **of_row = arena_array(arena, count + 1, sizeof(struct topic_group *));
    size_t *rows = arena_array(arena, count + 1, sizeof *rows);
    size_t *next = arena_array(arena, count + 1, sizeof *next);
    struct map by_id;
    size_t at = 0;

    out->count = 0;
    out->items = arena_array(arena, count + 1, sizeof *out->items);
    if (arena_is_full(arena))
        return false;
    map_init(&by_id);
    topics_count(&by_id, topic_ids, count, out, of_row);
    map_fini(&by_id, NULL);
    for (int32_t i = 0; i < out->count; i++) {
        out->items[i].rows = rows + at;
        next[i] = at;
        at += (size_t)out->items[i].count;
    }
    for (size_t i = 0; i < count; i++)
        rows[next[of_row[i] - out->items]++] = i;
    return true;
}
