#include "refbroker/meta/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/limits.h"
#include "refbroker/meta/internal_topics.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

void
topics_init(struct topics *topics, struct cache *cache)
{
    memset(topics, 0, sizeof *topics);
    topics->cache = cache;
    topic_configs_defaults_init(&topics->defaults);
    topics->version = 1;
}

static void
topic_free(struct topic *topic)
{
    for (int32_t i = 0; i < topic->partition_count; i++)
        partition_drop(topic->partitions[i]);
    free(topic->partitions);
    topic_configs_fini(&topic->configs);
    free(topic->name);
    free(topic);
}

void
topics_fini(struct topics *topics)
{
    struct topic *topic;
    size_t position = 0;

    while ((topic = topics_next(topics, &position)) != NULL)
        topic_free(topic);
    map_fini(&topics->by_name, NULL);
    map_fini(&topics->by_id, NULL);
    topic_configs_defaults_fini(&topics->defaults);
}

struct topic *
topics_add(
    struct topics *topics, const struct wire_uuid *topic_id, const char *name, int32_t partitions)
{
    struct topic *topic = xcalloc(1, sizeof *topic);

    topic->topic_id = *topic_id;
    topic->name = xstrdup(name);
    topic->replication_factor = 1;
    topic_configs_init(&topic->configs, &topics->defaults);
    REQUIRE(map_put_text(&topics->by_name, name, topic) == NULL);
    REQUIRE(map_put(&topics->by_id, topic_id, sizeof *topic_id, topic) == NULL);
    topics_grow(topics, topic, partitions);
    topics->created = topics->version;
    return topic;
}

void
topics_grow(struct topics *topics, struct topic *topic, int32_t count)
{
    REQUIRE(count >= topic->partition_count);
    topic->partitions = xrealloc(topic->partitions, (size_t)count, sizeof(struct partition *));
    topics->partition_count += count - topic->partition_count;
    for (int32_t i = topic->partition_count; i < count; i++)
        topic->partitions[i] = partition_new(topics->cache, topic, i);
    topic->partition_count = count;
    topics->version++;
}

void
topics_set_default(struct topics *topics, const struct topic_config_row *row, const char *text)
{
    struct topic *topic;

    topic_configs_defaults_set(&topics->defaults, row, text);
    for (size_t position = 0; (topic = topics_next(topics, &position)) != NULL;)
        topic_configs_refresh(&topic->configs);
}

void
topics_remove(struct topics *topics, struct topic *topic)
{
    map_remove_text(&topics->by_name, topic->name);
    map_remove(&topics->by_id, &topic->topic_id, sizeof topic->topic_id);
    topics->partition_count -= topic->partition_count;
    topics->version++;
    topic_free(topic);
}

struct topic *
topics_find(const struct topics *topics, const char *name, size_t size)
{
    return map_get(&topics->by_name, name, size);
}

struct topic *
topics_find_id(const struct topics *topics, const struct wire_uuid *topic_id)
{
    return map_get(&topics->by_id, topic_id, sizeof *topic_id);
}

struct topic *
topics_next(const struct topics *topics, size_t *position)
{
    return map_next(&topics->by_name, position, NULL, NULL);
}

struct partition *
topics_partition(struct topic *topic, int32_t index)
{
    return index >= 0 && index < topic->partition_count ? topic->partitions[index] : NULL;
}

const char *
topics_name_check(const char *name, size_t size)
{
    if (size == 0)
        return "the empty string is not allowed";
    if (size == 1 && name[0] == '.')
        return "'.' is not allowed";
    if (size == 2 && memcmp(name, "..", 2) == 0)
        return "'..' is not allowed";
    if (size > LIMIT_TOPIC_NAME_BYTES_MAX)
        return "the length of the name is longer than the max allowed length 249";
    for (size_t i = 0; i < size; i++)
        if (memchr(NAME_CHARACTERS, name[i], sizeof NAME_CHARACTERS - 1) == NULL)
            return "it contains one or more characters other than ASCII alphanumerics, '.', '_' "
                   "and '-'";
    return NULL;
}

void
topics_name_why(const char *name, size_t size, char out[TOPICS_NAME_WHY_BYTES])
{
    static const char start[] = "Topic name is invalid: ";
    int shown = size > LIMIT_TOPIC_NAME_BYTES_MAX + 1 ? LIMIT_TOPIC_NAME_BYTES_MAX + 1 : (int)size;

    if (size > LIMIT_TOPIC_NAME_BYTES_MAX)
        snprintf(out, TOPICS_NAME_WHY_BYTES,
            "%sthe length of '%.*s' is longer than the max allowed length %d", start, shown, name,
            LIMIT_TOPIC_NAME_BYTES_MAX);
    else if (size > 2 || (size > 0 && name[0] != '.'))
        snprintf(out, TOPICS_NAME_WHY_BYTES,
            "%s'%.*s' contains one or more characters other than ASCII alphanumerics, '.', '_' and "
            "'-'",
            start, shown, name);
    else
        snprintf(out, TOPICS_NAME_WHY_BYTES, "%s%s", start, topics_name_check(name, size));
}

static bool
collide(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++)
        if (*a != *b && !((*a == '.' && *b == '_') || (*a == '_' && *b == '.')))
            return false;
    return *a == *b;
}

const struct topic *
topics_name_collides(const struct topics *topics, const char *name)
{
    const struct topic *topic;
    size_t position = 0;

    if (strpbrk(name, "._") == NULL)
        return NULL;
    while ((topic = topics_next(topics, &position)) != NULL)
        if (strcmp(topic->name, name) != 0 && collide(topic->name, name))
            return topic;
    return NULL;
}

bool
topics_is_internal(const char *name)
{
    return internal_topics_find(name) != INTERNAL_TOPIC_COUNT;
}
