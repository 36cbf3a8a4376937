#include "refbroker/coord/pending_offsets.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"

#define KEY_BYTES_MAX                                                                              \
    ((size_t)1 << 17) /* a group id and a topic's name are shorter than 32 KiB                     \
                       */

struct pending_entry {
    char *group_id;
    struct offset_entry offset;
};

struct pending_producer {
    int32_t log_partition;
    struct map entries; /* struct pending_entry by group, topic and partition */
};

struct producer_key {
    int64_t producer_id;
    int64_t log_partition;
};

void
pending_offsets_init(struct pending_offsets *pending)
{
    map_init(&pending->producers);
    map_init(&pending->open);
}

static void
entry_free(void *value)
{
    struct pending_entry *entry = value;

    free(entry->group_id);
    free(entry->offset.topic);
    free(entry->offset.metadata);
    free(entry);
}

static void
producer_free(void *value)
{
    struct pending_producer *producer = value;

    map_fini(&producer->entries, entry_free);
    free(producer);
}

void
pending_offsets_fini(struct pending_offsets *pending)
{
    map_fini(&pending->producers, producer_free);
    map_fini(&pending->open, NULL);
}

/* The group id with its end, the partition, the topic: no two triples have the same key. */
static void
key_make(
    struct buf *key, const char *group_id, const char *topic, size_t topic_size, int32_t partition)
{
    buf_init(key, KEY_BYTES_MAX);
    buf_append(key, group_id, strlen(group_id) + 1);
    buf_append(key, &partition, sizeof partition);
    buf_append(key, topic, topic_size);
}

static struct pending_producer *
producer_find(const struct pending_offsets *pending, int32_t log_partition, int64_t producer_id)
{
    struct producer_key key = {producer_id, log_partition};

    return map_get(&pending->producers, &key, sizeof key);
}

static struct pending_producer *
producer_make(struct pending_offsets *pending, int32_t log_partition, int64_t producer_id)
{
    struct producer_key key = {producer_id, log_partition};
    struct pending_producer *producer = producer_find(pending, log_partition, producer_id);

    if (producer != NULL)
        return producer;
    producer = xcalloc(1, sizeof *producer);
    producer->log_partition = log_partition;
    map_init(&producer->entries);
    map_put(&pending->producers, &key, sizeof key, producer);
    return producer;
}

static void
open_change(struct pending_offsets *pending, const struct buf *key, int change)
{
    uintptr_t count = (uintptr_t)map_get(&pending->open, key->data, key->size);

    count += (uintptr_t)change;
    if (count == 0)
        (void)map_remove(&pending->open, key->data, key->size);
    else
        (void)map_put(&pending->open, key->data, key->size, (void *)count);
}

void
pending_offsets_put(struct pending_offsets *pending, int32_t log_partition, int64_t producer_id,
    const char *group_id, const struct offset_entry *from)
{
    struct pending_producer *producer = producer_make(pending, log_partition, producer_id);
    struct pending_entry *entry = xcalloc(1, sizeof *entry);
    struct pending_entry *before;
    struct buf key;

    entry->group_id = xstrdup(group_id);
    entry->offset = *from;
    entry->offset.topic = xstrdup(from->topic);
    entry->offset.metadata = xstrdup(from->metadata);
    key_make(&key, group_id, from->topic, strlen(from->topic), from->partition);
    before = map_put(&producer->entries, key.data, key.size, entry);
    if (before == NULL)
        open_change(pending, &key, 1);
    else
        entry_free(before);
    buf_fini(&key);
}

bool
pending_offsets_has(const struct pending_offsets *pending, const char *group_id, const char *topic,
    size_t topic_size, int32_t partition)
{
    struct buf key;
    bool has;

    if (map_count(&pending->open) == 0)
        return false;
    key_make(&key, group_id, topic, topic_size, partition);
    has = map_get(&pending->open, key.data, key.size) != NULL;
    buf_fini(&key);
    return has;
}

void
pending_offsets_end(struct pending_offsets *pending, int32_t log_partition, int64_t producer_id,
    pending_offsets_fn *fn, void *arg)
{
    struct producer_key producer_key = {producer_id, log_partition};
    struct pending_producer *producer =
        map_remove(&pending->producers, &producer_key, sizeof producer_key);
    struct pending_entry *entry;
    size_t position = 0;
    struct buf key;

    if (producer == NULL)
        return;
    while ((entry = map_next(&producer->entries, &position, NULL, NULL)) != NULL) {
        key_make(&key, entry->group_id, entry->offset.topic, strlen(entry->offset.topic),
            entry->offset.partition);
        open_change(pending, &key, -1);
        buf_fini(&key);
        if (fn != NULL)
            fn(arg, entry->group_id, &entry->offset);
    }
    producer_free(producer);
}

void
pending_offsets_forget(struct pending_offsets *pending, int32_t log_partition, const char *group_id,
    const char *topic, size_t topic_size, int32_t partition)
{
    struct pending_producer *producer;
    size_t position = 0;
    struct buf key;

    key_make(&key, group_id, topic, topic_size, partition);
    while ((producer = map_next(&pending->producers, &position, NULL, NULL)) != NULL) {
        struct pending_entry *entry = producer->log_partition != log_partition
                                          ? NULL
                                          : map_remove(&producer->entries, key.data, key.size);

        if (entry == NULL)
            continue;
        open_change(pending, &key, -1);
        entry_free(entry);
    }
    buf_fini(&key);
}
