#include "refbroker/coord/groups.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/group_records.h"
#include "refbroker/limits.h"
#include "refbroker/meta/create.h"

#define BATCH_BYTES_MAX ((size_t)32 * 1024 * 1024)

struct groups *
groups_new(struct broker *broker)
{
    struct groups *groups = xcalloc(1, sizeof *groups);

    groups->broker = broker;
    map_init(&groups->by_id);
    heap_init(&groups->timers);
    group_configs_init(&groups->configs);
    return groups;
}

static void
free_group(void *value)
{
    group_free(value);
}

void
groups_free(struct groups *groups)
{
    if (groups == NULL)
        return;
    map_fini(&groups->by_id, free_group);
    heap_fini(&groups->timers);
    group_configs_fini(&groups->configs);
    free(groups);
}

static struct topic *
log_topic(const struct groups *groups)
{
    return topics_find(&groups->broker->topics, GROUPS_TOPIC, strlen(GROUPS_TOPIC));
}

bool
groups_ready(struct groups *groups)
{
    if (log_topic(groups) != NULL)
        return true;
    (void)create_topic_by_use(groups->broker, GROUPS_TOPIC, strlen(GROUPS_TOPIC));
    return false;
}

struct group *
groups_find(const struct groups *groups, struct wire_string group_id)
{
    return group_id.size < 0 ? NULL : map_get(&groups->by_id, group_id.data, (size_t)group_id.size);
}

struct group *
groups_make(struct groups *groups, struct wire_string group_id)
{
    struct group *group = groups_find(groups, group_id);

    if (group != NULL || map_count(&groups->by_id) >= LIMIT_GROUPS_MAX)
        return group;
    group = group_new(groups, group_id.data, (size_t)group_id.size);
    map_put(&groups->by_id, group_id.data, (size_t)group_id.size, group);
    groups->broker->stats.groups++;
    return group;
}

void
groups_remove(struct group *group)
{
    struct groups *groups = group->groups;

    map_remove_text(&groups->by_id, group->group_id);
    groups->broker->stats.groups--;
    group_free(group);
}

struct group *
groups_next(const struct groups *groups, size_t *position)
{
    return map_next(&groups->by_id, position, NULL, NULL);
}

void
groups_timer_set(struct groups *groups, struct group_timer *timer, int64_t at_ms)
{
    heap_put(&groups->timers, &timer->node, at_ms);
}

void
groups_timer_clear(struct groups *groups, struct group_timer *timer)
{
    heap_remove(&groups->timers, &timer->node);
}

int64_t
groups_tick(struct groups *groups)
{
    int64_t now = env_now_ms(groups->broker->env);
    struct heap_node *node;

    while ((node = heap_pop_due(&groups->timers, now)) != NULL) {
        struct group_timer *timer = list_of(node, struct group_timer, node);

        timer->due(groups, timer);
    }
    node = heap_first(&groups->timers);
    return node == NULL ? INT64_MAX : node->deadline;
}

/* One UTF-16 unit of Java's String.hashCode. */
static uint32_t
hash_unit(uint32_t hash, uint32_t unit)
{
    return hash * 31 + unit;
}

int32_t
groups_partition_of(const char *group_id)
{
    const unsigned char *p = (const unsigned char *)group_id;
    uint32_t hash = 0;

    while (*p != '\0') {
        unsigned extra = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
        uint32_t point = extra == 0 ? *p : *p & (0x3fu >> extra);

        for (p++; extra > 0 && (*p & 0xc0) == 0x80; extra--)
            point = point << 6 | (*p++ & 0x3fu);
        if (point < 0x10000) {
            hash = hash_unit(hash, point);
        } else {
            hash = hash_unit(hash, 0xd800 + ((point - 0x10000) >> 10));
            hash = hash_unit(hash, 0xdc00 + ((point - 0x10000) & 0x3ff));
        }
    }
    return (int32_t)(hash & 0x7fffffff) % GROUPS_PARTITIONS;
}

/* Builds the batch; NULL where it is too large. */
static struct blob *
batch_build(struct groups *groups, const struct group_record *records, size_t count, struct err *e)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    struct blob *blob = NULL;
    struct buf out;
    enum rc rc = RC_OK;

    batch_builder_init(&builder, BATCH_BYTES_MAX);
    buf_init(&out, BATCH_BYTES_MAX);
    batch_builder_start(&builder, &options);
    for (size_t i = 0; i < count && rc == RC_OK; i++) {
        struct batch_builder_record record = {.offset = (int64_t)i,
            .timestamp = env_wall_ms(groups->broker->env),
            .key = records[i].key,
            .key_size = records[i].key_size,
            .value = records[i].value_size < 0 ? NULL : records[i].value,
            .value_size = records[i].value_size};

        rc = batch_builder_append(&builder, &record, e);
    }
    if (rc == RC_OK)
        rc = batch_builder_finish(&builder, &out, e);
    if (rc == RC_OK)
        blob = blob_new(out.size);
    if (blob != NULL)
        memcpy(blob->data, out.data, out.size);
    buf_fini(&out);
    batch_builder_fini(&builder);
    return blob;
}

void
groups_append(struct groups *groups, const char *group_id, const struct group_record *records,
    size_t count, struct append_waiter *waiter)
{
    struct topic *topic = log_topic(groups);
    struct append_result result;
    struct partition *partition;
    struct blob *blob;
    struct err e;

    if (topic == NULL) {
        waiter->done(groups->broker, waiter, KE_COORDINATOR_NOT_AVAILABLE);
        return;
    }
    partition = topic->partitions[groups_partition_of(group_id)];
    blob = batch_build(groups, records, count, &e);
    if (blob == NULL) {
        waiter->done(groups->broker, waiter, KE_MESSAGE_TOO_LARGE);
        return;
    }
    append_internal(groups->broker, partition, blob, blob->data, blob->size, &result);
    blob_unref(blob);
    if (result.error != KE_NONE) {
        waiter->done(groups->broker, waiter, KE_COORDINATOR_NOT_AVAILABLE);
        return;
    }
    waiter->end_offset = result.end_offset;
    append_wait(groups->broker, partition, waiter);
}

void
groups_save(struct group *group, struct append_waiter *waiter)
{
    struct group_records records;

    group_records_init(&records);
    group_records_group(&records, group);
    group_records_append(&records, group->groups, group->group_id, waiter);
    group_records_fini(&records);
}

void
groups_save_unasked(struct group *group)
{
    struct group_records records;

    group_records_init(&records);
    group_records_group(&records, group);
    group_records_append_unasked(&records, group->groups, group->group_id);
    group_records_fini(&records);
}
