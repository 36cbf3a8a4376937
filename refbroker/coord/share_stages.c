#include "refbroker/coord/share_stages.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

/* --- topics --------------------------------------------------------------------------------------
 */

static void
topic_fini(struct share_topic *topic)
{
    free(topic->name);
    free(topic->partitions);
}

void
share_topics_fini(struct share_topics *topics)
{
    for (size_t i = 0; i < topics->count; i++)
        topic_fini(&topics->items[i]);
    free(topics->items);
    memset(topics, 0, sizeof *topics);
}

/* The place of a topic, or where it belongs. */
static size_t
place_of(const struct share_topics *topics, const struct wire_uuid *topic_id)
{
    size_t low = 0, high = topics->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(&topics->items[middle].topic_id, topic_id, sizeof *topic_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool
is_at(const struct share_topics *topics, size_t place, const struct wire_uuid *topic_id)
{
    return place < topics->count &&
           memcmp(&topics->items[place].topic_id, topic_id, sizeof *topic_id) == 0;
}

const struct share_topic *
share_topics_find(const struct share_topics *topics, const struct wire_uuid *topic_id)
{
    size_t place = place_of(topics, topic_id);

    return is_at(topics, place, topic_id) ? &topics->items[place] : NULL;
}

static struct share_topic *
topic_make(struct share_topics *topics, const struct wire_uuid *topic_id, const char *name)
{
    size_t place = place_of(topics, topic_id);
    struct share_topic *topic;

    if (is_at(topics, place, topic_id)) {
        topic = &topics->items[place];
        if (strcmp(topic->name, name) != 0) {
            free(topic->name);
            topic->name = xstrdup(name);
        }
        return topic;
    }
    if (topics->count == topics->capacity) {
        topics->capacity = topics->capacity == 0 ? 4 : topics->capacity * 2;
        topics->items = xrealloc(topics->items, topics->capacity, sizeof *topics->items);
    }
    topic = &topics->items[place];
    memmove(topic + 1, topic, (topics->count - place) * sizeof *topic);
    topics->count++;
    *topic = (struct share_topic){.topic_id = *topic_id, .name = xstrdup(name)};
    return topic;
}

static int
compare_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

void
share_topics_add(struct share_topics *topics, const struct wire_uuid *topic_id, const char *name,
    const int32_t *partitions, int32_t count)
{
    struct share_topic *topic = topic_make(topics, topic_id, name);
    size_t total = (size_t)topic->partition_count + (size_t)count;
    int32_t *numbers = xcalloc(total + 1, sizeof *numbers);
    int32_t kept = 0;

    if (topic->partition_count > 0)
        memcpy(numbers, topic->partitions, (size_t)topic->partition_count * sizeof *numbers);
    if (count > 0)
        memcpy(numbers + topic->partition_count, partitions, (size_t)count * sizeof *numbers);
    qsort(numbers, total, sizeof *numbers, compare_number);
    for (size_t i = 0; i < total; i++)
        if (kept == 0 || numbers[kept - 1] != numbers[i])
            numbers[kept++] = numbers[i];
    free(topic->partitions);
    topic->partitions = numbers;
    topic->partition_count = kept;
}

bool
share_topic_has(const struct share_topic *topic, int32_t partition)
{
    return topic->partition_count > 0 &&
           bsearch(&partition, topic->partitions, (size_t)topic->partition_count, sizeof partition,
               compare_number) != NULL;
}

static void
place_remove(struct share_topics *topics, size_t place)
{
    struct share_topic *topic = &topics->items[place];

    topic_fini(topic);
    topics->count--;
    memmove(topic, topic + 1, (topics->count - place) * sizeof *topic);
}

bool
share_topics_remove(struct share_topics *topics, const struct wire_uuid *topic_id)
{
    size_t place = place_of(topics, topic_id);

    if (!is_at(topics, place, topic_id))
        return false;
    place_remove(topics, place);
    return true;
}

/* Takes partitions, ascending, away; a topic that has none left goes. */
static void
topics_take(struct share_topics *topics, const struct share_topic *from)
{
    size_t place = place_of(topics, &from->topic_id);
    struct share_topic *topic;
    int32_t kept = 0;

    if (!is_at(topics, place, &from->topic_id))
        return;
    topic = &topics->items[place];
    for (int32_t i = 0; i < topic->partition_count; i++)
        if (!share_topic_has(from, topic->partitions[i]))
            topic->partitions[kept++] = topic->partitions[i];
    topic->partition_count = kept;
    if (kept == 0)
        place_remove(topics, place);
}

/* --- stages --------------------------------------------------------------------------------------
 */

void
share_stages_fini(struct share_stages *stages)
{
    share_topics_fini(&stages->initializing);
    share_topics_fini(&stages->initialized);
    share_topics_fini(&stages->deleting);
    memset(stages, 0, sizeof *stages);
}

static void
topics_join(struct share_topics *to, const struct share_topics *from)
{
    for (size_t i = 0; i < from->count; i++)
        share_topics_add(to, &from->items[i].topic_id, from->items[i].name,
            from->items[i].partitions, from->items[i].partition_count);
}

void
share_stages_begin(struct share_stages *stages, const struct share_topics *topics)
{
    topics_join(&stages->initializing, topics);
    for (size_t i = 0; i < stages->initializing.count; i++)
        (void)share_topics_remove(&stages->deleting, &stages->initializing.items[i].topic_id);
}

void
share_stages_complete(struct share_stages *stages, const struct share_topics *topics)
{
    topics_join(&stages->initialized, topics);
    share_stages_withdraw(stages, topics);
}

void
share_stages_withdraw(struct share_stages *stages, const struct share_topics *topics)
{
    for (size_t i = 0; i < topics->count; i++)
        topics_take(&stages->initializing, &topics->items[i]);
}

void
share_stages_delete(struct share_stages *stages, const struct wire_uuid *topic_id)
{
    const struct share_topic *topic = share_topics_find(&stages->initialized, topic_id);

    if (topic == NULL)
        return;
    share_topics_add(&stages->deleting, topic_id, topic->name, NULL, 0);
    (void)share_topics_remove(&stages->initialized, topic_id);
}

void
share_stages_delete_all(struct share_stages *stages)
{
    const struct share_topics *from[] = {&stages->initialized, &stages->initializing};

    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < from[k]->count; i++)
            share_topics_add(
                &stages->deleting, &from[k]->items[i].topic_id, from[k]->items[i].name, NULL, 0);
    share_topics_fini(&stages->initialized);
    share_topics_fini(&stages->initializing);
}

bool
share_stages_forget(struct share_stages *stages, const struct wire_uuid *topic_id)
{
    bool initializing = share_topics_remove(&stages->initializing, topic_id);
    bool initialized = share_topics_remove(&stages->initialized, topic_id);

    return share_topics_remove(&stages->deleting, topic_id) || initializing || initialized;
}
