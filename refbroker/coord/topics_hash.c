#include "refbroker/coord/topics_hash.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/hash64.h"
#include "lib/base/xalloc.h"

static void
put_number(struct buf *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        buf_append_byte(out, (uint8_t)(value >> (8 * i)));
}

/* Kafka's Utils.computeTopicHash: numbers little-endian, names as UTF-16 with their length. */
static uint64_t
topic_hash(const struct topic *topic)
{
    struct buf bytes;
    uint64_t hash;

    buf_init(&bytes, SIZE_MAX);
    buf_append_byte(&bytes, 0);
    for (size_t half = 0; half < 16; half += 8)
        for (size_t i = 0; i < 8; i++)
            buf_append_byte(&bytes, topic->topic_id.bytes[half + 7 - i]);
    for (const char *c = topic->name; *c != '\0'; c++)
        put_number(&bytes, (uint8_t)*c, 2);
    put_number(&bytes, strlen(topic->name), 4);
    put_number(&bytes, (uint64_t)topic->partition_count, 4);
    for (int32_t i = 0; i < topic->partition_count; i++)
        put_number(&bytes, (uint64_t)i, 4);
    hash = hash64_of(bytes.data, bytes.size);
    buf_fini(&bytes);
    return hash;
}

static int
compare_topic(const void *a, const void *b)
{
    const struct topic *x = *(const struct topic *const *)a, *y = *(const struct topic *const *)b;

    return strcmp(x->name, y->name);
}

uint64_t
topics_hash_of(const struct topics *topics, const struct map *names)
{
    const struct topic **found = xcalloc(map_count(names) + 1, sizeof(struct topic *));
    size_t count = 0, position = 0, size;
    const void *name;
    struct buf bytes;
    uint64_t hash;

    while (map_next(names, &position, &name, &size) != NULL)
        if ((found[count] = topics_find(topics, name, size)) != NULL)
            count++;
    qsort(found, count, sizeof(struct topic *), compare_topic);
    buf_init(&bytes, SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        put_number(&bytes, topic_hash(found[i]), 8);
    hash = count == 0 ? 0 : hash64_of(bytes.data, bytes.size);
    buf_fini(&bytes);
    free(found);
    return hash;
}
