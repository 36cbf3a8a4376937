/*
 * DeleteGroups (KIP-229) and OffsetDelete (KIP-496), as GroupCoordinatorService answers them. What
 * is gone is told when its tombstones are durable.
 */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/coord/group_answer.h"
#include "refbroker/coord/group_expiry.h"
#include "refbroker/coord/share_delete.h"

typedef struct km_delete_groups_response_deletable_group_result delete_out;

/* --- DeleteGroups --------------------------------------------------------------------------------
 */

static void
delete_failed(struct request *request, int32_t part, int16_t error)
{
    struct km_delete_groups_response *out = request->out;

    out->results.items[part].error_code = error;
}

static void
delete_one(struct broker *broker, struct group_answer *answer, int32_t index, delete_out *out)
{
    struct group *group = groups_find(broker->groups, out->group_id);
    struct group_records records;
    char *group_id;

    if (group == NULL) {
        out->error_code = KE_GROUP_ID_NOT_FOUND;
        return;
    }
    out->error_code = group_expiry_delete_check(group);
    if (out->error_code != KE_NONE)
        return;
    if (group->share != NULL) {
        share_delete_group(group, answer, index);
        return;
    }
    group_id = xstrdup(group->group_id);
    group_records_init(&records);
    group_expiry_delete(group, &records);
    group_answer_add(answer, group_id, index, &records);
    group_records_fini(&records);
    free(group_id);
}

enum h_result
h_delete_groups(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_delete_groups_request *in = in_;
    struct km_delete_groups_response *out = out_;
    struct group_answer *answer;

    out->results.items = codec_array(&request->arena,
        &km_delete_groups_response_deletable_group_result_desc, in->groups_names.count);
    if (out->results.items == NULL)
        return H_CLOSE;
    out->results.count = in->groups_names.count;
    answer = group_answer_begin(broker->groups, request, delete_failed);
    for (int32_t i = 0; i < in->groups_names.count; i++) {
        out->results.items[i].group_id = in->groups_names.items[i];
        delete_one(broker, answer, i, &out->results.items[i]);
    }
    return group_answer_end(answer);
}

/* --- OffsetDelete --------------------------------------------------------------------------------
 */

static void
offset_delete_failed(struct request *request, int32_t part, int16_t error)
{
    struct km_offset_delete_response *out = request->out;

    (void)part;
    out->error_code = error;
    out->topics.count = 0;
}

static bool
offset_delete_shape(struct request *request, const struct km_offset_delete_request *in,
    struct km_offset_delete_response *out)
{
    out->topics.items =
        codec_array(&request->arena, &km_offset_delete_response_topic_desc, in->topics.count);
    if (out->topics.items == NULL)
        return false;
    out->topics.count = in->topics.count;
    for (int32_t i = 0; i < in->topics.count; i++) {
        int32_t count = in->topics.items[i].partitions.count;

        out->topics.items[i].name = in->topics.items[i].name;
        out->topics.items[i].partitions.items =
            codec_array(&request->arena, &km_offset_delete_response_partition_desc, count);
        out->topics.items[i].partitions.count = count;
    }
    return !arena_is_full(&request->arena);
}

static void
topic_delete(struct broker *broker, struct group *group, struct wire_string name, bool is_read,
    const struct km_offset_delete_request_topic *in, struct km_offset_delete_response_topic *out,
    struct group_records *records)
{
    struct topic *topic = topics_find(&broker->topics, name.data, (size_t)name.size);

    for (int32_t i = 0; i < in->partitions.count; i++) {
        int32_t partition = in->partitions.items[i].partition_index;

        out->partitions.items[i].partition_index = partition;
        if (topic == NULL || topics_partition(topic, partition) == NULL)
            out->partitions.items[i].error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
        else if (is_read)
            out->partitions.items[i].error_code = KE_GROUP_SUBSCRIBED_TO_TOPIC;
        else
            group_expiry_offset_gone(group, name.data, (size_t)name.size, partition, records);
    }
}

/* A group with members can lose offsets of topics that it does not read, which is known of
 * consumers only. */
static int16_t
offset_delete_check(const struct group *group)
{
    if (group == NULL || group->share != NULL)
        return KE_GROUP_ID_NOT_FOUND;
    if (group_is_classic(group) && group->state != GROUP_EMPTY &&
        strcmp(group->protocol_type == NULL ? "" : group->protocol_type, "consumer") != 0)
        return KE_NON_EMPTY_GROUP;
    return KE_NONE;
}

enum h_result
h_offset_delete(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_offset_delete_request *in = in_;
    struct km_offset_delete_response *out = out_;
    struct group *group = groups_find(broker->groups, in->group_id);
    struct group_records records;
    enum h_result result;
    struct map topics;
    bool known;

    out->error_code = in->group_id.size == 0 ? KE_INVALID_GROUP_ID : offset_delete_check(group);
    if (out->error_code != KE_NONE)
        return H_DONE;
    if (!offset_delete_shape(request, in, out))
        return H_CLOSE;
    known = group_subscriptions(group, &topics);
    group_records_init(&records);
    for (int32_t i = 0; i < in->topics.count; i++) {
        struct wire_string name = in->topics.items[i].name;
        bool is_read = !known || map_get(&topics, name.data, (size_t)name.size) != NULL;

        topic_delete(
            broker, group, name, is_read, &in->topics.items[i], &out->topics.items[i], &records);
    }
    map_fini(&topics, NULL);
    result =
        group_answer_one(broker->groups, request, group->group_id, &records, offset_delete_failed);
    group_records_fini(&records);
    return result;
}
