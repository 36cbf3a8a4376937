#include "refbroker/coord/share_result.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/java_hash.h"

static int
compare_topic(const void *key, const void *item)
{
    return memcmp(
        key, &((const struct share_assignor_topic *)item)->topic_id, sizeof(struct wire_uuid));
}

int32_t
share_assignor_topic_find(
    const struct share_assignor_group *group, const struct wire_uuid *topic_id)
{
    const struct share_assignor_topic *topic =
        group->topic_count == 0 ? NULL
                                : bsearch(topic_id, group->topics, (size_t)group->topic_count,
                                      sizeof *group->topics, compare_topic);

    return topic == NULL ? SHARE_ASSIGNOR_NOWHERE : (int32_t)(topic - group->topics);
}

void
share_result_init(
    struct share_result *result, const struct share_assignor_group *group, int32_t member)
{
    const struct share_parts *owned = group->members[member].owned;

    *result = (struct share_result){
        .buckets = java_hash_capacity(java_hash_reserved(owned->count), owned->count),
        .places = xcalloc((size_t)group->topic_count + 1, sizeof *result->places)};
    for (size_t i = 0; i < owned->count; i++) {
        int32_t topic = share_assignor_topic_find(group, &owned->topics[i].topic_id);
        size_t place;

        if (topic == SHARE_ASSIGNOR_NOWHERE && group->homogeneous)
            continue;
        place = share_parts_topic_add(&result->parts, &owned->topics[i].topic_id);
        if (topic != SHARE_ASSIGNOR_NOWHERE) {
            result->places[topic] = place + 1;
            continue;
        }
        for (int32_t k = 0; k < owned->topics[i].partition_count; k++)
            share_parts_add(&result->parts, place, owned->topics[i].partitions[k]);
    }
    result->had_count = result->parts.count;
}

void
share_result_keep(struct share_result *result, int32_t topic, int32_t partition)
{
    share_parts_add(&result->parts, result->places[topic] - 1, partition);
}

void
share_result_give(struct share_result *result, const struct share_assignor_group *group,
    int32_t topic, int32_t partition)
{
    size_t *place = &result->places[topic];

    result->buckets = java_hash_capacity(result->buckets, result->parts.count);
    if (partition == SHARE_RESULT_AGAIN)
        return;
    if (*place == 0)
        *place = share_parts_topic_add(&result->parts, &group->topics[topic].topic_id) + 1;
    share_parts_add(&result->parts, *place - 1, partition);
}

static size_t
larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* What comes by computeIfAbsent goes in front of its bucket: the last new topic comes first. */
static void
news_turn(struct share_result *result)
{
    struct share_parts *parts = &result->parts;
    size_t count = parts->count, new_count = count - result->had_count;
    struct share_parts_topic *turned = xcalloc(count + 1, sizeof *turned);

    for (size_t i = 0; i < new_count; i++)
        turned[i] = parts->topics[count - 1 - i];
    for (size_t i = new_count; i < count; i++)
        turned[i] = parts->topics[i - new_count];
    free(parts->topics);
    parts->topics = turned;
    parts->capacity = count + 1;
}

/* In a copy of the member's tables each has room for what was in it, and grows from there. */
static void
result_order(struct share_result *result, const struct share_parts *owned)
{
    struct share_parts *parts = &result->parts;
    size_t old = 0;

    for (size_t i = 0; i < parts->count; i++) {
        size_t count = (size_t)parts->topics[i].partition_count, had = 0;
        size_t buckets = JAVA_HASH_CAPACITY;

        while (old < owned->count && memcmp(&owned->topics[old].topic_id,
                                         &parts->topics[i].topic_id, sizeof(struct wire_uuid)) != 0)
            old++;
        if (old < owned->count) {
            had = (size_t)owned->topics[old].partition_count;
            buckets = java_hash_copied(had);
        }
        share_parts_topic_order(&parts->topics[i], java_hash_capacity(buckets, larger(count, had)));
    }
    news_turn(result);
    share_parts_order(parts, result->buckets);
}

void
share_result_end(struct share_result *result, struct share_assignor_member *member)
{
    if (result->is_made_anew || !share_parts_same(&result->parts, member->owned)) {
        result_order(result, member->owned);
        share_parts_move(&member->target, &result->parts);
    } else {
        share_parts_copy(&member->target, member->owned);
        share_parts_fini(&result->parts);
    }
    free(result->places);
}
