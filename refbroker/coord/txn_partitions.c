#include "refbroker/coord/txn_partitions.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

void
txn_partitions_init(struct txn_partitions *set)
{
    map_init(&set->topics);
    set->count = 0;
}

static void
topic_free(void *value)
{
    struct txn_topic *topic = value;

    free(topic->name);
    free(topic->indexes);
    free(topic);
}

void
txn_partitions_clear(struct txn_partitions *set)
{
    map_fini(&set->topics, topic_free);
    set->count = 0;
}

/* The place of the first index that is not below `index`. */
static int32_t
place_of(const struct txn_topic *topic, int32_t index)
{
    int32_t low = 0, high = topic->count;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;

        if (topic->indexes[middle] < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void
txn_partitions_add(struct txn_partitions *set, const char *name, size_t size, int32_t index)
{
    struct txn_topic *topic = map_get(&set->topics, name, size);
    int32_t place;

    if (topic == NULL) {
        topic = xcalloc(1, sizeof *topic);
        topic->name = xmemdup(name, size);
        map_put(&set->topics, name, size, topic);
    }
    place = place_of(topic, index);
    if (place < topic->count && topic->indexes[place] == index)
        return;
    if (topic->count == topic->capacity) {
        topic->capacity = topic->capacity == 0 ? 4 : topic->capacity * 2;
        topic->indexes = xrealloc(topic->indexes, (size_t)topic->capacity, sizeof *topic->indexes);
    }
    memmove(&topic->indexes[place + 1], &topic->indexes[place],
        (size_t)(topic->count - place) * sizeof *topic->indexes);
    topic->indexes[place] = index;
    topic->count++;
    set->count++;
}

void
txn_partitions_add_all(struct txn_partitions *set, const struct txn_partitions *other)
{
    const struct txn_topic *topic;
    size_t position = 0;

    while ((topic = txn_partitions_next(other, &position)) != NULL)
        for (int32_t i = 0; i < topic->count; i++)
            txn_partitions_add(set, topic->name, strlen(topic->name), topic->indexes[i]);
}

bool
txn_partitions_has(const struct txn_partitions *set, const char *name, size_t size, int32_t index)
{
    const struct txn_topic *topic = map_get(&set->topics, name, size);
    int32_t place;

    if (topic == NULL)
        return false;
    place = place_of(topic, index);
    return place < topic->count && topic->indexes[place] == index;
}

bool
txn_partitions_has_all(const struct txn_partitions *set, const struct txn_partitions *other)
{
    const struct txn_topic *topic;
    size_t position = 0;

    while ((topic = txn_partitions_next(other, &position)) != NULL)
        for (int32_t i = 0; i < topic->count; i++)
            if (!txn_partitions_has(set, topic->name, strlen(topic->name), topic->indexes[i]))
                return false;
    return true;
}

const struct txn_topic *
txn_partitions_next(const struct txn_partitions *set, size_t *position)
{
    return map_next(&set->topics, position, NULL, NULL);
}
