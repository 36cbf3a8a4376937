#include "refbroker/coord/group_expiry.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/consumer_protocol.h"
#include "refbroker/coord/consumer_records.h"
#include "refbroker/coord/share_records.h"
#include "refbroker/coord/streams_records.h"

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define MINUTE_MS INT64_C(60000)

static bool
uses_consumer_protocol(const struct group *group)
{
    return group->protocol_type != NULL &&
           strcmp(group->protocol_type, CONSUMER_PROTOCOL_TYPE) == 0;
}

static bool
member_topics(const struct group_member *member, struct arena *arena, struct map *topics)
{
    struct km_consumer_protocol_subscription subscription;
    const char *protocol_name = member->group->protocol_name;
    struct err e;

    for (int32_t i = 0; i < member->protocol_count; i++) {
        const struct group_protocol *protocol = &member->protocols[i];
        struct wire_bytes data = {protocol->metadata, protocol->metadata_size};

        if (strcmp(protocol->name, protocol_name) != 0)
            continue;
        if (consumer_protocol_topics(data, arena, &subscription, &e) != RC_OK)
            return false;
        for (int32_t k = 0; k < subscription.topics.count; k++) {
            struct wire_string topic = subscription.topics.items[k];

            map_put(topics, topic.data, (size_t)topic.size, (void *)(uintptr_t)1);
        }
    }
    return true;
}

bool
group_subscriptions(const struct group *group, struct map *topics)
{
    const struct group_member *member;
    size_t position = 0, size;
    struct arena arena;
    bool known = true;
    const void *name;

    map_init(topics);
    if (group->consumer != NULL) {
        while (map_next(&group->consumer->readers, &position, &name, &size) != NULL)
            map_put(topics, name, size, (void *)(uintptr_t)1);
        return true;
    }
    if (group->streams != NULL) {
        while (map_count(&group->streams->members) > 0 &&
               map_next(&group->streams->sources, &position, &name, &size) != NULL)
            map_put(topics, name, size, (void *)(uintptr_t)1);
        return true;
    }
    if (!uses_consumer_protocol(group) || map_count(&group->members) == 0)
        return true;
    if (group->protocol_name == NULL)
        return false;
    arena_init(&arena, ARENA_BYTES_MAX);
    while (known && (member = map_next(&group->members, &position, NULL, NULL)) != NULL) {
        known = member_topics(member, &arena, topics);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return known;
}

void
group_expiry_offset_gone(struct group *group, const char *topic, size_t topic_size,
    int32_t partition, struct group_records *records)
{
    struct groups *groups = group->groups;
    char *name;

    if (offsets_get(&group->offsets, topic, topic_size, partition) == NULL &&
        !pending_offsets_has(&groups->pending, group->group_id, topic, topic_size, partition))
        return;
    name = xmemdup(topic, topic_size); /* `topic` may be a view of what goes */
    group_records_offset_gone(records, group->group_id, name, partition);
    offsets_remove(&group->offsets, name, topic_size, partition);
    pending_offsets_forget(&groups->pending,
        state_log_partition_of(groups->broker, GROUPS_TOPIC, group->group_id), group->group_id,
        name, topic_size, partition);
    free(name);
}

static void
entry_gone(struct group *group, const struct offset_entry *entry, struct group_records *records)
{
    group_expiry_offset_gone(group, entry->topic, strlen(entry->topic), entry->partition, records);
}

/* Drops what the group has of a topic, or of any (NULL), pending offsets included. */
static void
offsets_gone(struct group *group, const char *topic, struct group_records *records)
{
    const struct pending_offsets *pending = &group->groups->pending;
    const struct offset_entry *entry;
    size_t position = 0, size;
    const char *name;
    int32_t partition;

    while ((entry = offsets_next(&group->offsets, &position)) != NULL)
        if (topic == NULL || strcmp(entry->topic, topic) == 0)
            entry_gone(group, entry, records);
    position = 0;
    while (pending_offsets_has_group(pending, group->group_id) &&
           (name = pending_offsets_next(pending, group->group_id, &position, &size, &partition)) !=
               NULL)
        if (topic == NULL || (size == strlen(topic) && memcmp(name, topic, size) == 0))
            group_expiry_offset_gone(group, name, size, partition, records);
}

int16_t
group_expiry_delete_check(const struct group *group)
{
    bool empty = group->state == GROUP_EMPTY;

    if (group->consumer != NULL)
        empty = map_count(&group->consumer->members) == 0;
    else if (group->share != NULL)
        empty = map_count(&group->share->members) == 0;
    else if (group->streams != NULL)
        empty = map_count(&group->streams->members) == 0;
    return empty ? KE_NONE : KE_NON_EMPTY_GROUP;
}

void
group_expiry_delete(struct group *group, struct group_records *records)
{
    offsets_gone(group, NULL, records);
    if (group->consumer != NULL)
        consumer_records_group_gone(records, group->consumer);
    else if (group->share != NULL)
        share_records_group_gone(records, group->share);
    else if (group->streams != NULL)
        streams_records_group_gone(records, group->group_id);
    else
        group_records_group_gone(records, group->group_id);
    groups_remove(group);
}

void
group_expiry_topic_gone(struct groups *groups, const char *topic)
{
    struct group *group;
    size_t at = 0;

    while ((group = groups_next(groups, &at)) != NULL) {
        struct group_records records;

        group_records_init(&records);
        offsets_gone(group, topic, &records);
        if (records.count > 0)
            group_records_append_unasked(&records, groups, group->group_id);
        group_records_fini(&records);
    }
}

/* --- by time -------------------------------------------------------------------------------------
 */

/* Whether the group's offsets can expire at all, and from when on instead of their commits (-1:
 * from these). */
static bool
can_expire(const struct group *group, int64_t *base_ms)
{
    *base_ms = -1;
    if (!group_is_classic(group) || group->protocol_type == NULL)
        return true;
    if (group->state == GROUP_EMPTY) {
        *base_ms = group->state_since_ms > 0 ? group->state_since_ms : -1;
        return true;
    }
    return group->state == GROUP_STABLE && uses_consumer_protocol(group);
}

/* Returns whether all offsets are gone. What a transaction has pending stays, as Kafka has it
 * (OffsetMetadataManager.cleanupExpiredOffsets). */
static bool
offsets_expire(struct group *group, struct group_records *records)
{
    const struct pending_offsets *pending = &group->groups->pending;
    const struct broker *broker = group->groups->broker;
    int64_t retention_ms = broker->options.groups.offsets_retention_minutes * MINUTE_MS;
    int64_t now = env_wall_ms(broker->env), base_ms;
    const struct offset_entry *entry;
    struct map topics;
    size_t position = 0;
    bool known;

    if (offsets_count(&group->offsets) == 0)
        return !pending_offsets_has_group(pending, group->group_id);
    if (!can_expire(group, &base_ms))
        return false;
    known = group_subscriptions(group, &topics);
    while (known && (entry = offsets_next(&group->offsets, &position)) != NULL) {
        int64_t from_ms = base_ms >= 0 ? base_ms : entry->commit_ms;

        if (map_get_text(&topics, entry->topic) == NULL && now - from_ms >= retention_ms &&
            !pending_offsets_has(
                pending, group->group_id, entry->topic, strlen(entry->topic), entry->partition))
            entry_gone(group, entry, records);
    }
    map_fini(&topics, NULL);
    return offsets_count(&group->offsets) == 0 &&
           !pending_offsets_has_group(pending, group->group_id);
}

static void
group_look(struct groups *groups, struct group *group)
{
    char *group_id = xstrdup(group->group_id);
    struct group_records records;

    group_records_init(&records);
    if (offsets_expire(group, &records) && map_count(&group->pending) == 0 &&
        group_expiry_delete_check(group) == KE_NONE) {
        log_info("GROUP-EXPIRED", "group %s has neither members nor offsets", group_id);
        group_expiry_delete(group, &records);
    }
    if (records.count > 0)
        group_records_append_unasked(&records, groups, group_id);
    group_records_fini(&records);
    free(group_id);
}

static void
look(struct groups *groups, struct group_timer *timer)
{
    struct group *group;
    size_t position = 0;

    (void)timer;
    /* A share group has no offsets of this kind, and never ends by itself. */
    while ((group = groups_next(groups, &position)) != NULL)
        if (group->share == NULL)
            group_look(groups, group);
    group_expiry_start(groups);
}

void
group_expiry_start(struct groups *groups)
{
    groups->expiry.due = look;
    groups_timer_set(groups, &groups->expiry,
        env_now_ms(groups->broker->env) +
            groups->broker->options.groups.offsets_retention_check_ms);
}
