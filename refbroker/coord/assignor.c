#include "refbroker/coord/assignor.h"

#include <stdlib.h>
#include <string.h>

struct assignor_row {
    const char *name;
    assignor_fn *fn;
};

static const struct assignor_row rows[] = {
    {"uniform", assignor_uniform},
    {"range", assignor_range},
};

assignor_fn *
assignor_find(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].fn;
    return NULL;
}

const char *
assignor_default_name(void)
{
    return rows[0].name;
}

static int
compare_topic(const void *key, const void *item)
{
    return memcmp(key, &((const struct assignor_topic *)item)->topic_id, sizeof(struct wire_uuid));
}

int32_t
assignor_topic_find(const struct assignor_group *group, const struct wire_uuid *topic_id)
{
    const struct assignor_topic *topic =
        group->topic_count == 0 ? NULL
                                : bsearch(topic_id, group->topics, (size_t)group->topic_count,
                                      sizeof *group->topics, compare_topic);

    return topic == NULL ? -1 : (int32_t)(topic - group->topics);
}

static int
compare_place(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

bool
assignor_reads(const struct assignor_member *member, int32_t topic)
{
    return member->topic_count > 0 && bsearch(&topic, member->topics, (size_t)member->topic_count,
                                          sizeof topic, compare_place) != NULL;
}

void
assignor_give(const struct assignor_group *group, struct assignor_member *member, int32_t topic,
    int32_t partition)
{
    struct topic_part part = {.topic_id = group->topics[topic].topic_id, .partition = partition};

    topic_parts_add(&member->target, &part);
}
