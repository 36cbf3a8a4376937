#include "refbroker/coord/groups.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/group_records.h"
#include "refbroker/coord/share_calls.h"
#include "refbroker/coord/streams_creation.h"
#include "refbroker/limits.h"

struct groups *
groups_new(struct broker *broker)
{
    struct groups *groups = xcalloc(1, sizeof *groups);

    groups->broker = broker;
    map_init(&groups->by_id);
    heap_init(&groups->timers);
    pending_offsets_init(&groups->pending);
    list_init(&groups->share_calls);
    map_init(&groups->streams_failures);
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
    share_calls_end(groups);
    map_fini(&groups->by_id, free_group);
    heap_fini(&groups->timers);
    pending_offsets_fini(&groups->pending);
    streams_creation_forget(groups);
    free(groups);
}

bool
groups_ready(struct groups *groups)
{
    return state_log_ready(groups->broker, GROUPS_TOPIC);
}

bool
groups_exist(const struct groups *groups)
{
    return topics_find(&groups->broker->topics, GROUPS_TOPIC, strlen(GROUPS_TOPIC)) != NULL;
}

int16_t
groups_id_check(struct wire_string group_id)
{
    return group_id.size == 0 || !request_is_plain(group_id) ? KE_INVALID_GROUP_ID : KE_NONE;
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

    if (group != NULL || !request_is_plain(group_id) ||
        map_count(&groups->by_id) >= LIMIT_GROUPS_MAX)
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

void
groups_offset_put(struct groups *groups, const char *group_id, int64_t producer_id,
    const struct offset_entry *entry)
{
    struct group *group = groups_make(groups, request_text(group_id));

    if (producer_id >= 0)
        pending_offsets_put(&groups->pending,
            state_log_partition_of(groups->broker, GROUPS_TOPIC, group_id), producer_id, group_id,
            entry);
    else if (group != NULL)
        offsets_put(&group->offsets, entry);
}

/* What was committed later in the log stays. */
static void
offset_enter(void *arg, const char *group_id, const struct offset_entry *entry)
{
    struct groups *groups = arg;
    struct group *group = groups_make(groups, request_text(group_id));
    const struct offset_entry *known;

    if (group == NULL)
        return;
    known = offsets_get(&group->offsets, entry->topic, strlen(entry->topic), entry->partition);
    if (known == NULL || entry->record_offset > known->record_offset)
        offsets_put(&group->offsets, entry);
}

void
groups_txn_end(struct groups *groups, int32_t log_partition, int64_t producer_id, bool commit)
{
    pending_offsets_end(
        &groups->pending, log_partition, producer_id, commit ? offset_enter : NULL, groups);
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
