#include "refbroker/coord/groups.h"

#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/kerr.h"
#include "refbroker/limits.h"

#define KEY_TYPE_GROUP 2
#define VALUE_VERSION_GROUP 3

struct groups *
groups_new(struct broker *broker)
{
    struct groups *groups = xcalloc(1, sizeof *groups);

    groups->broker = broker;
    map_init(&groups->by_id);
    heap_init(&groups->timers);
    pending_offsets_init(&groups->pending);
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
    pending_offsets_fini(&groups->pending);
    free(groups);
}

bool
groups_ready(struct groups *groups)
{
    return state_log_ready(groups->broker, GROUPS_TOPIC);
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

static struct wire_string
text_of(const char *text)
{
    return request_text(text);
}

static void
member_fill(const struct group_member *member, const char *protocol_name,
    struct km_group_metadata_value_member_metadata *out)
{
    codec_init(&km_group_metadata_value_member_metadata_desc, out);
    out->member_id = text_of(member->member_id);
    out->group_instance_id = text_of(member->instance_id);
    out->client_id = text_of(member->client_id);
    out->client_host = text_of(member->client_host);
    out->session_timeout = member->session_timeout_ms;
    out->rebalance_timeout = member->rebalance_timeout_ms;
    out->assignment = (struct wire_bytes){member->assignment, member->assignment_size};
    for (int32_t i = 0; protocol_name != NULL && i < member->protocol_count; i++)
        if (strcmp(member->protocols[i].name, protocol_name) == 0)
            out->subscription = (struct wire_bytes){
                member->protocols[i].metadata, member->protocols[i].metadata_size};
}

void
groups_save(struct group *group, struct append_waiter *waiter)
{
    struct km_group_metadata_key key = {.group = text_of(group->group_id)};
    struct km_group_metadata_value value;
    struct state_log_record record;
    struct group_member *member;
    struct buf key_bytes, value_bytes;
    size_t position = 0;
    uint8_t number[2];
    struct err e;

    codec_init(&km_group_metadata_value_desc, &value);
    value.protocol_type = text_of(group->protocol_type == NULL ? "" : group->protocol_type);
    value.generation = group->generation;
    value.protocol = text_of(group->protocol_name);
    value.leader = text_of(group->leader);
    value.current_state_timestamp = group->state_since_ms;
    value.members.items = xcalloc(map_count(&group->members), sizeof *value.members.items);
    while ((member = map_next(&group->members, &position, NULL, NULL)) != NULL)
        member_fill(member, group->protocol_name, &value.members.items[value.members.count++]);
    buf_init(&key_bytes, STATE_LOG_BATCH_BYTES_MAX);
    buf_init(&value_bytes, STATE_LOG_BATCH_BYTES_MAX);
    codec_bytes_put_int16(number, KEY_TYPE_GROUP);
    buf_append(&key_bytes, number, sizeof number);
    codec_bytes_put_int16(number, VALUE_VERSION_GROUP);
    buf_append(&value_bytes, number, sizeof number);
    if (codec_encode(&km_group_metadata_key_message, 0, &key, &key_bytes, &e) != RC_OK ||
        codec_encode(&km_group_metadata_value_message, VALUE_VERSION_GROUP, &value, &value_bytes,
            &e) != RC_OK) {
        waiter->done(group->groups->broker, waiter, KE_UNKNOWN_SERVER_ERROR);
    } else {
        record = (struct state_log_record){
            key_bytes.data, value_bytes.data, (int32_t)key_bytes.size, (int32_t)value_bytes.size};
        state_log_append(group->groups->broker, GROUPS_TOPIC,
            state_log_partition_of(group->groups->broker, GROUPS_TOPIC, group->group_id), &record,
            1, -1, -1, waiter);
    }
    free(value.members.items);
    buf_fini(&key_bytes);
    buf_fini(&value_bytes);
}
