#include "refbroker/coord/share_parts.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/java_hash.h"

void
share_parts_fini(struct share_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        free(parts->topics[i].partitions);
    free(parts->topics);
    memset(parts, 0, sizeof *parts);
}

size_t
share_parts_topic_add(struct share_parts *parts, const struct wire_uuid *topic_id)
{
    if (parts->count == parts->capacity) {
        parts->capacity = parts->capacity == 0 ? 4 : parts->capacity * 2;
        parts->topics = xrealloc(parts->topics, parts->capacity, sizeof *parts->topics);
    }
    parts->topics[parts->count] = (struct share_parts_topic){.topic_id = *topic_id};
    return parts->count++;
}

void
share_parts_add(struct share_parts *parts, size_t place, int32_t partition)
{
    struct share_parts_topic *topic = &parts->topics[place];

    if (topic->partition_count == topic->capacity) {
        topic->capacity = topic->capacity == 0 ? 4 : topic->capacity * 2;
        topic->partitions =
            xrealloc(topic->partitions, (size_t)topic->capacity, sizeof *topic->partitions);
    }
    topic->partitions[topic->partition_count++] = partition;
}

void
share_parts_copy(struct share_parts *to, const struct share_parts *from)
{
    share_parts_fini(to);
    for (size_t i = 0; i < from->count; i++) {
        size_t place = share_parts_topic_add(to, &from->topics[i].topic_id);

        for (int32_t k = 0; k < from->topics[i].partition_count; k++)
            share_parts_add(to, place, from->topics[i].partitions[k]);
    }
}

void
share_parts_move(struct share_parts *to, struct share_parts *from)
{
    share_parts_fini(to);
    *to = *from;
    memset(from, 0, sizeof *from);
}

size_t
share_parts_total(const struct share_parts *parts)
{
    size_t total = 0;

    for (size_t i = 0; i < parts->count; i++)
        total += (size_t)parts->topics[i].partition_count;
    return total;
}

/* --- comparison ----------------------------------------------------------------------------------
 */

static int
compare_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

static int
compare_topic(const void *a, const void *b)
{
    return memcmp(&((const struct share_parts_topic *)a)->topic_id,
        &((const struct share_parts_topic *)b)->topic_id, sizeof(struct wire_uuid));
}

/* A copy with topics and partitions in their own order. */
static struct share_parts
sorted(const struct share_parts *parts)
{
    struct share_parts copy = {0};

    share_parts_copy(&copy, parts);
    for (size_t i = 0; i < copy.count; i++)
        if (copy.topics[i].partition_count > 1)
            qsort(copy.topics[i].partitions, (size_t)copy.topics[i].partition_count,
                sizeof(int32_t), compare_number);
    if (copy.count > 1)
        qsort(copy.topics, copy.count, sizeof *copy.topics, compare_topic);
    return copy;
}

static bool
topic_same(const struct share_parts_topic *a, const struct share_parts_topic *b)
{
    return compare_topic(a, b) == 0 && a->partition_count == b->partition_count &&
           (a->partition_count == 0 || memcmp(a->partitions, b->partitions,
                                           (size_t)a->partition_count * sizeof(int32_t)) == 0);
}

bool
share_parts_same(const struct share_parts *a, const struct share_parts *b)
{
    struct share_parts x, y;
    bool same = true;

    if (a->count != b->count || share_parts_total(a) != share_parts_total(b))
        return false;
    x = sorted(a);
    y = sorted(b);
    for (size_t i = 0; same && i < x.count; i++)
        same = topic_same(&x.topics[i], &y.topics[i]);
    share_parts_fini(&x);
    share_parts_fini(&y);
    return same;
}

/* --- order ---------------------------------------------------------------------------------------
 */

void
share_parts_order(struct share_parts *parts, size_t buckets)
{
    struct java_hash_entry *order = xcalloc(parts->count + 1, sizeof *order);
    struct share_parts_topic *topics = xcalloc(parts->count + 1, sizeof *topics);

    for (size_t i = 0; i < parts->count; i++)
        order[i] = (struct java_hash_entry){
            .bucket = java_hash_bucket(java_hash_uuid(&parts->topics[i].topic_id), buckets),
            .came = i,
            .at = i};
    java_hash_order(order, parts->count);
    for (size_t i = 0; i < parts->count; i++)
        topics[i] = parts->topics[order[i].at];
    free(parts->topics);
    parts->topics = topics;
    parts->capacity = parts->count + 1;
    free(order);
}

void
share_parts_topic_order(struct share_parts_topic *topic, size_t buckets)
{
    size_t count = (size_t)topic->partition_count;
    struct java_hash_entry *order = xcalloc(count + 1, sizeof *order);
    int32_t *partitions = xcalloc(count + 1, sizeof *partitions);

    for (size_t i = 0; i < count; i++)
        order[i] = (struct java_hash_entry){
            .bucket = java_hash_bucket(topic->partitions[i], buckets), .came = i, .at = i};
    java_hash_order(order, count);
    for (size_t i = 0; i < count; i++)
        partitions[i] = topic->partitions[order[i].at];
    free(topic->partitions);
    topic->partitions = partitions;
    topic->capacity = topic->partition_count + 1;
    free(order);
}

void
share_parts_replay(struct share_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        share_parts_topic_order(
            &parts->topics[i], java_hash_copied((size_t)parts->topics[i].partition_count));
    share_parts_order(parts, java_hash_capacity(JAVA_HASH_CAPACITY, parts->count));
}
