#include "refbroker/coord/offsets.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define KEY_BYTES_MAX 512

void
offsets_init(struct offsets *offsets)
{
    map_init(&offsets->entries);
}

static void
entry_free(void *value)
{
    struct offset_entry *entry = value;

    free(entry->topic);
    free(entry->metadata);
    free(entry);
}

void
offsets_fini(struct offsets *offsets)
{
    map_fini(&offsets->entries, entry_free);
}

static size_t
key_make(char key[KEY_BYTES_MAX], const char *topic, size_t topic_size, int32_t partition)
{
    if (topic_size > KEY_BYTES_MAX - sizeof partition)
        topic_size = KEY_BYTES_MAX - sizeof partition;
    memcpy(key, &partition, sizeof partition);
    memcpy(key + sizeof partition, topic, topic_size);
    return topic_size + sizeof partition;
}

void
offsets_put(struct offsets *offsets, const struct offset_entry *from)
{
    char key[KEY_BYTES_MAX];
    size_t size = key_make(key, from->topic, strlen(from->topic), from->partition);
    struct offset_entry *entry = map_get(&offsets->entries, key, size);
    char *topic = entry == NULL ? xstrdup(from->topic) : entry->topic;

    if (entry == NULL) {
        entry = xcalloc(1, sizeof *entry);
        map_put(&offsets->entries, key, size, entry);
    }
    free(entry->metadata);
    *entry = *from;
    entry->topic = topic;
    entry->metadata = xstrdup(from->metadata);
}

const struct offset_entry *
offsets_get(const struct offsets *offsets, const char *topic, size_t topic_size, int32_t partition)
{
    char key[KEY_BYTES_MAX];
    size_t size = key_make(key, topic, topic_size, partition);

    return map_get(&offsets->entries, key, size);
}

void
offsets_remove(struct offsets *offsets, const char *topic, size_t topic_size, int32_t partition)
{
    char key[KEY_BYTES_MAX];
    size_t size = key_make(key, topic, topic_size, partition);
    struct offset_entry *entry = map_remove(&offsets->entries, key, size);

    if (entry != NULL)
        entry_free(entry);
}

const struct offset_entry *
offsets_next(const struct offsets *offsets, size_t *position)
{
    return map_next(&offsets->entries, position, NULL, NULL);
}

size_t
offsets_count(const struct offsets *offsets)
{
    return map_count(&offsets->entries);
}
