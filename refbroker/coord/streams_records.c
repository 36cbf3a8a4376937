#include "refbroker/coord/streams_records.h"

#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"

/* Each record has a key struct, a value struct and their messages, of which the names follow. */
#define PUT(records, type, name, key, value)                                                       \
    group_records_put(                                                                             \
        records, type, &km_##name##_key_message, key, &km_##name##_value_message, 0, value)

typedef struct km_streams_group_current_member_assignment_value_task_ids current_ids;
typedef struct km_streams_group_target_assignment_member_value_task_ids target_ids;

static const char *
group_id_of(const struct streams_member *member)
{
    return member->streams->group->group_id;
}

/* --- members -------------------------------------------------------------------------------------
 */

void
streams_records_member(struct group_records *records, const struct streams_member *member)
{
    struct km_streams_group_member_metadata_key key = {
        request_text(group_id_of(member)), request_text(member->member_id)};
    struct km_streams_group_member_metadata_value value;
    struct km_streams_group_member_metadata_value_endpoint endpoint;

    codec_init(&km_streams_group_member_metadata_value_desc, &value);
    value.instance_id = request_text(member->instance_id);
    value.rack_id = request_text(member->rack_id);
    value.client_id = request_text(member->client_id);
    value.client_host = request_text(member->client_host);
    value.rebalance_timeout_ms = member->rebalance_timeout_ms;
    value.topology_epoch = member->topology_epoch;
    value.process_id = request_text(member->process_id);
    endpoint.host = request_text(member->endpoint_host);
    endpoint.port = member->endpoint_port;
    value.user_endpoint = member->endpoint_host == NULL ? NULL : &endpoint;
    value.client_tags.items = xcalloc(member->tags.count + 1, sizeof *value.client_tags.items);
    value.client_tags.count = (int32_t)member->tags.count;
    for (size_t i = 0; i < member->tags.count; i++) {
        value.client_tags.items[i].key = request_text(member->tags.items[i].name);
        value.client_tags.items[i].value = request_text(member->tags.items[i].value);
    }
    PUT(records, GROUP_RECORD_STREAMS_MEMBER, streams_group_member_metadata, &key, &value);
    free(value.client_tags.items);
}

/* The partitions of all runs of a set, or their epochs, one run behind the other. */
static int32_t *
numbers_make(const struct streams_tasks *tasks, bool epochs)
{
    int32_t *numbers = xcalloc(tasks->task_count + 1, sizeof *numbers);
    size_t at = 0;

    for (size_t i = 0; i < tasks->count; i++)
        for (size_t k = 0; k < tasks->runs[i].count; k++)
            numbers[at++] =
                epochs ? tasks->runs[i].tasks[k].epoch : tasks->runs[i].tasks[k].partition;
    return numbers;
}

/* The lists of messages, whose types differ, are alike: items that begin with a subtopology's id
 * and its partitions. */
#define IDS_FILL(items, tasks, numbers)                                                            \
    do {                                                                                           \
        size_t at_ = 0;                                                                            \
        for (size_t i_ = 0; i_ < (tasks)->count; i_++) {                                           \
            (items)[i_].subtopology_id = request_text((tasks)->runs[i_].subtopology_id);           \
            (items)[i_].partitions.items = (numbers) + at_;                                        \
            (items)[i_].partitions.count = (int32_t)(tasks)->runs[i_].count;                       \
            at_ += (tasks)->runs[i_].count;                                                        \
        }                                                                                          \
    } while (0)

static struct km_streams_group_target_assignment_member_value_task_ids_array
target_ids_make(const struct streams_tasks *tasks, int32_t **numbers)
{
    target_ids *items = xcalloc(tasks->count + 1, sizeof *items);

    *numbers = numbers_make(tasks, false);
    IDS_FILL(items, tasks, *numbers);
    return (struct km_streams_group_target_assignment_member_value_task_ids_array){
        items, (int32_t)tasks->count};
}

void
streams_records_target(struct group_records *records, const struct streams_member *member)
{
    struct km_streams_group_target_assignment_member_key key = {
        request_text(group_id_of(member)), request_text(member->member_id)};
    struct km_streams_group_target_assignment_member_value value;
    int32_t *numbers[3];

    codec_init(&km_streams_group_target_assignment_member_value_desc, &value);
    value.active_tasks = target_ids_make(&member->target.active, &numbers[0]);
    value.standby_tasks = target_ids_make(&member->target.standby, &numbers[1]);
    value.warmup_tasks = target_ids_make(&member->target.warmup, &numbers[2]);
    PUT(records, GROUP_RECORD_STREAMS_TARGET, streams_group_target_assignment_member, &key, &value);
    free(value.active_tasks.items);
    free(value.standby_tasks.items);
    free(value.warmup_tasks.items);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        free(numbers[i]);
}

static struct km_streams_group_current_member_assignment_value_task_ids_array
current_ids_make(const struct streams_tasks *tasks, int32_t **numbers)
{
    current_ids *items = xcalloc(tasks->count + 1, sizeof *items);

    *numbers = numbers_make(tasks, false);
    IDS_FILL(items, tasks, *numbers);
    return (struct km_streams_group_current_member_assignment_value_task_ids_array){
        items, (int32_t)tasks->count};
}

/* Active tasks tell their epochs, too. */
static void
epochs_fill(
    struct km_streams_group_current_member_assignment_value_task_ids_array *ids, int32_t *epochs)
{
    for (int32_t i = 0; i < ids->count; i++) {
        ids->items[i].assignment_epochs.items = epochs;
        ids->items[i].assignment_epochs.count = ids->items[i].partitions.count;
        epochs += ids->items[i].partitions.count;
    }
}

void
streams_records_current(struct group_records *records, const struct streams_member *member)
{
    struct km_streams_group_current_member_assignment_key key = {
        request_text(group_id_of(member)), request_text(member->member_id)};
    struct km_streams_group_current_member_assignment_value value;
    int32_t *numbers[8];

    codec_init(&km_streams_group_current_member_assignment_value_desc, &value);
    value.member_epoch = member->epoch;
    value.previous_member_epoch = member->previous_epoch;
    value.state = (int8_t)member->state;
    value.active_tasks = current_ids_make(&member->assigned.active, &numbers[0]);
    value.standby_tasks = current_ids_make(&member->assigned.standby, &numbers[1]);
    value.warmup_tasks = current_ids_make(&member->assigned.warmup, &numbers[2]);
    value.active_tasks_pending_revocation = current_ids_make(&member->revoking.active, &numbers[3]);
    value.standby_tasks_pending_revocation =
        current_ids_make(&member->revoking.standby, &numbers[4]);
    value.warmup_tasks_pending_revocation = current_ids_make(&member->revoking.warmup, &numbers[5]);
    numbers[6] = numbers_make(&member->assigned.active, true);
    numbers[7] = numbers_make(&member->revoking.active, true);
    epochs_fill(&value.active_tasks, numbers[6]);
    epochs_fill(&value.active_tasks_pending_revocation, numbers[7]);
    PUT(records, GROUP_RECORD_STREAMS_CURRENT, streams_group_current_member_assignment, &key,
        &value);
    free(value.active_tasks.items);
    free(value.standby_tasks.items);
    free(value.warmup_tasks.items);
    free(value.active_tasks_pending_revocation.items);
    free(value.standby_tasks_pending_revocation.items);
    free(value.warmup_tasks_pending_revocation.items);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        free(numbers[i]);
}

void
streams_records_member_gone(
    struct group_records *records, const char *group_id, const char *member_id)
{
    struct km_streams_group_current_member_assignment_key current = {
        request_text(group_id), request_text(member_id)};
    struct km_streams_group_target_assignment_member_key target = {
        request_text(group_id), request_text(member_id)};
    struct km_streams_group_member_metadata_key member = {
        request_text(group_id), request_text(member_id)};

    PUT(records, GROUP_RECORD_STREAMS_CURRENT, streams_group_current_member_assignment, &current,
        NULL);
    PUT(records, GROUP_RECORD_STREAMS_TARGET, streams_group_target_assignment_member, &target,
        NULL);
    PUT(records, GROUP_RECORD_STREAMS_MEMBER, streams_group_member_metadata, &member, NULL);
}

/* --- the group -----------------------------------------------------------------------------------
 */

void
streams_records_epoch(struct group_records *records, const struct streams_group *streams)
{
    struct km_streams_group_metadata_key key = {request_text(streams->group->group_id)};
    struct km_streams_group_metadata_value value;

    codec_init(&km_streams_group_metadata_value_desc, &value);
    value.epoch = streams->epoch;
    value.metadata_hash = (int64_t)streams->metadata_hash;
    value.validated_topology_epoch = streams->validated_epoch;
    value.last_assignment_configs.items =
        xcalloc(streams->settings.count + 1, sizeof *value.last_assignment_configs.items);
    value.last_assignment_configs.count = (int32_t)streams->settings.count;
    for (size_t i = 0; i < streams->settings.count; i++) {
        value.last_assignment_configs.items[i].key = request_text(streams->settings.items[i].name);
        value.last_assignment_configs.items[i].value =
            request_text(streams->settings.items[i].value);
    }
    PUT(records, GROUP_RECORD_STREAMS_EPOCH, streams_group_metadata, &key, &value);
    free(value.last_assignment_configs.items);
}

void
streams_records_target_epoch(struct group_records *records, const struct streams_group *streams)
{
    struct km_streams_group_target_assignment_metadata_key key = {
        request_text(streams->group->group_id)};
    struct km_streams_group_target_assignment_metadata_value value;

    codec_init(&km_streams_group_target_assignment_metadata_value_desc, &value);
    value.assignment_epoch = streams->target_epoch;
    value.assignment_timestamp = streams->target_ms;
    PUT(records, GROUP_RECORD_STREAMS_TARGET_EPOCH, streams_group_target_assignment_metadata, &key,
        &value);
}

void
streams_records_topology(struct group_records *records, const struct streams_group *streams)
{
    struct km_streams_group_topology_key key = {request_text(streams->group->group_id)};

    PUT(records, GROUP_RECORD_STREAMS_TOPOLOGY, streams_group_topology, &key,
        &streams->topology->value);
}

void
streams_records_group_gone(struct group_records *records, const char *group_id)
{
    struct km_streams_group_target_assignment_metadata_key target = {request_text(group_id)};
    struct km_streams_group_metadata_key epoch = {request_text(group_id)};
    struct km_streams_group_topology_key topology = {request_text(group_id)};

    PUT(records, GROUP_RECORD_STREAMS_TARGET_EPOCH, streams_group_target_assignment_metadata,
        &target, NULL);
    PUT(records, GROUP_RECORD_STREAMS_EPOCH, streams_group_metadata, &epoch, NULL);
    PUT(records, GROUP_RECORD_STREAMS_TOPOLOGY, streams_group_topology, &topology, NULL);
}
