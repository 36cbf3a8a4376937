#include "refbroker/coord/share_records.h"

#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "refbroker/coord/java_hash.h"

/* Each record has a key struct, a value struct and their messages, of which the names follow. */
#define PUT(records, type, name, key, value)                                                       \
    group_records_put(                                                                             \
        records, type, &km_##name##_key_message, key, &km_##name##_value_message, 0, value)

/* Of a topic that is gone (GroupMetadataManager.attachTopicName). */
#define NAME_UNKNOWN "<UNKNOWN>"

typedef struct km_share_group_state_partition_metadata_value stages_value;
typedef struct km_share_group_state_partition_metadata_value_topic_partitions_info parts_value;
typedef struct km_share_group_state_partition_metadata_value_topic_info name_value;

static const char *
group_id_of(const struct share_member *member)
{
    return member->share->group->group_id;
}

/* --- members -------------------------------------------------------------------------------------
 */

void
share_records_member(struct group_records *records, const struct share_member *member)
{
    struct km_share_group_member_metadata_key key = {
        request_text(group_id_of(member)), request_text(member->member_id)};
    struct wire_string *topics = xcalloc(member->topics.count + 1, sizeof *topics);
    struct km_share_group_member_metadata_value value;

    codec_init(&km_share_group_member_metadata_value_desc, &value);
    for (size_t i = 0; i < member->topics.count; i++)
        topics[i] = request_text(member->topics.items[i]);
    value.rack_id = request_text(member->rack_id);
    value.client_id = request_text(member->client_id);
    value.client_host = request_text(member->client_host);
    value.subscribed_topic_names.items = topics;
    value.subscribed_topic_names.count = (int32_t)member->topics.count;
    PUT(records, GROUP_RECORD_SHARE_MEMBER, share_group_member_metadata, &key, &value);
    free(topics);
}

void
share_records_target(struct group_records *records, const struct share_member *member)
{
    struct km_share_group_target_assignment_member_key key = {
        request_text(group_id_of(member)), request_text(member->member_id)};
    struct km_share_group_target_assignment_member_value value;
    const struct share_parts *parts = &member->target;

    codec_init(&km_share_group_target_assignment_member_value_desc, &value);
    value.topic_partitions.items = xcalloc(parts->count + 1, sizeof *value.topic_partitions.items);
    value.topic_partitions.count = (int32_t)parts->count;
    for (size_t i = 0; i < parts->count; i++) {
        value.topic_partitions.items[i].topic_id = parts->topics[i].topic_id;
        value.topic_partitions.items[i].partitions.items = parts->topics[i].partitions;
        value.topic_partitions.items[i].partitions.count = parts->topics[i].partition_count;
    }
    PUT(records, GROUP_RECORD_SHARE_TARGET, share_group_target_assignment_member, &key, &value);
    free(value.topic_partitions.items);
}

void
share_records_current(struct group_records *records, const struct share_member *member)
{
    struct km_share_group_current_member_assignment_key key = {
        request_text(group_id_of(member)), request_text(member->member_id)};
    struct km_share_group_current_member_assignment_value value;
    const struct share_parts *parts = &member->assigned;

    codec_init(&km_share_group_current_member_assignment_value_desc, &value);
    value.member_epoch = member->epoch;
    value.previous_member_epoch = member->previous_epoch;
    value.assigned_partitions.items =
        xcalloc(parts->count + 1, sizeof *value.assigned_partitions.items);
    value.assigned_partitions.count = (int32_t)parts->count;
    for (size_t i = 0; i < parts->count; i++) {
        value.assigned_partitions.items[i].topic_id = parts->topics[i].topic_id;
        value.assigned_partitions.items[i].partitions.items = parts->topics[i].partitions;
        value.assigned_partitions.items[i].partitions.count = parts->topics[i].partition_count;
    }
    PUT(records, GROUP_RECORD_SHARE_CURRENT, share_group_current_member_assignment, &key, &value);
    free(value.assigned_partitions.items);
}

void
share_records_member_gone(
    struct group_records *records, const char *group_id, const char *member_id)
{
    struct km_share_group_current_member_assignment_key current = {
        request_text(group_id), request_text(member_id)};
    struct km_share_group_target_assignment_member_key target = {
        request_text(group_id), request_text(member_id)};
    struct km_share_group_member_metadata_key member = {
        request_text(group_id), request_text(member_id)};

    PUT(records, GROUP_RECORD_SHARE_CURRENT, share_group_current_member_assignment, &current, NULL);
    PUT(records, GROUP_RECORD_SHARE_TARGET, share_group_target_assignment_member, &target, NULL);
    PUT(records, GROUP_RECORD_SHARE_MEMBER, share_group_member_metadata, &member, NULL);
}

/* --- the group -----------------------------------------------------------------------------------
 */

void
share_records_epoch(struct group_records *records, const struct share_group *share)
{
    struct km_share_group_metadata_key key = {request_text(share->group->group_id)};
    struct km_share_group_metadata_value value;

    codec_init(&km_share_group_metadata_value_desc, &value);
    value.epoch = share->epoch;
    value.metadata_hash = (int64_t)share->metadata_hash;
    PUT(records, GROUP_RECORD_SHARE_EPOCH, share_group_metadata, &key, &value);
}

void
share_records_target_epoch(struct group_records *records, const struct share_group *share)
{
    struct km_share_group_target_assignment_metadata_key key = {
        request_text(share->group->group_id)};
    struct km_share_group_target_assignment_metadata_value value;

    codec_init(&km_share_group_target_assignment_metadata_value_desc, &value);
    value.assignment_epoch = share->target_epoch;
    value.assignment_timestamp = share->target_ms;
    PUT(records, GROUP_RECORD_SHARE_TARGET_EPOCH, share_group_target_assignment_metadata, &key,
        &value);
}

/* The topics in the order of Kafka's table; the caller frees them. */
static const struct share_topic **
topics_order(const struct share_topics *topics)
{
    const struct share_topic **ordered = xcalloc(topics->count + 1, sizeof *ordered);
    struct java_hash_entry *order = xcalloc(topics->count + 1, sizeof *order);

    for (size_t i = 0; i < topics->count; i++)
        order[i] = (struct java_hash_entry){
            .bucket = java_hash_bucket(java_hash_uuid(&topics->items[i].topic_id),
                java_hash_capacity(JAVA_HASH_CAPACITY, topics->count)),
            .came = i,
            .at = i};
    java_hash_order(order, topics->count);
    for (size_t i = 0; i < topics->count; i++)
        ordered[i] = &topics->items[order[i].at];
    free(order);
    return ordered;
}

/* The caller frees the items. */
static parts_value *
parts_make(const struct share_topics *topics)
{
    const struct share_topic **from = topics_order(topics);
    parts_value *items = xcalloc(topics->count + 1, sizeof *items);

    for (size_t i = 0; i < topics->count; i++) {
        items[i].topic_id = from[i]->topic_id;
        items[i].topic_name = request_text(from[i]->name);
        items[i].partitions.items = from[i]->partitions;
        items[i].partitions.count = from[i]->partition_count;
    }
    free(from);
    return items;
}

static name_value *
names_make(const struct topics *registry, const struct share_topics *topics)
{
    const struct share_topic **from = topics_order(topics);
    name_value *items = xcalloc(topics->count + 1, sizeof *items);

    for (size_t i = 0; i < topics->count; i++) {
        const struct topic *topic = topics_find_id(registry, &from[i]->topic_id);

        items[i].topic_id = from[i]->topic_id;
        items[i].topic_name = request_text(topic == NULL ? NAME_UNKNOWN : topic->name);
    }
    free(from);
    return items;
}

void
share_records_stages(struct group_records *records, struct share_group *share)
{
    struct km_share_group_state_partition_metadata_key key = {request_text(share->group->group_id)};
    struct broker *broker = share->group->groups->broker;
    struct share_stages *stages = &share->stages;
    stages_value value;

    codec_init(&km_share_group_state_partition_metadata_value_desc, &value);
    value.initializing_topics.items = parts_make(&stages->initializing);
    value.initializing_topics.count = (int32_t)stages->initializing.count;
    value.initialized_topics.items = parts_make(&stages->initialized);
    value.initialized_topics.count = (int32_t)stages->initialized.count;
    value.deleting_topics.items = names_make(&broker->topics, &stages->deleting);
    value.deleting_topics.count = (int32_t)stages->deleting.count;
    PUT(records, GROUP_RECORD_SHARE_STAGES, share_group_state_partition_metadata, &key, &value);
    free(value.initializing_topics.items);
    free(value.initialized_topics.items);
    free(value.deleting_topics.items);
    share->all_assigned = false;
    stages->exists = true;
    stages->recorded_ms = env_wall_ms(broker->env);
}

/* A group that is deleted has no members, so that there is nothing of theirs. */
void
share_records_group_gone(struct group_records *records, const struct share_group *share)
{
    const char *group_id = share->group->group_id;
    struct km_share_group_target_assignment_metadata_key target = {request_text(group_id)};
    struct km_share_group_state_partition_metadata_key stages = {request_text(group_id)};
    struct km_share_group_metadata_key epoch = {request_text(group_id)};

    PUT(records, GROUP_RECORD_SHARE_TARGET_EPOCH, share_group_target_assignment_metadata, &target,
        NULL);
    PUT(records, GROUP_RECORD_SHARE_STAGES, share_group_state_partition_metadata, &stages, NULL);
    PUT(records, GROUP_RECORD_SHARE_EPOCH, share_group_metadata, &epoch, NULL);
}
