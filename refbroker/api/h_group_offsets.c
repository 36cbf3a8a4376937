/*
 * OffsetCommit and OffsetFetch (GroupCoordinatorService, OffsetMetadataManager, KIP-516, KIP-709).
 *
 * A commit is checked against the group's generation, written to __consumer_offsets, and takes
 * effect when that is durable. Without a generation (-1) it is taken for groups that have no
 * members. From v10 on topics come by id.
 */
#include <string.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/coord/consumer_offsets.h"
#include "refbroker/coord/offset_commit.h"
#include "refbroker/coord/streams_offsets.h"
#include "refbroker/limits.h"

typedef struct km_offset_commit_request_partition commit_in;
typedef struct km_offset_commit_response_partition commit_out;

/* --- OffsetCommit
 * --------------------------------------------------------------------------------- */

static int16_t
group_check(struct group *group, const struct km_offset_commit_request *in)
{
    int32_t generation = in->generation_id_or_member_epoch;
    struct group_member *member;
    int16_t error;

    /* An administrator, or a consumer without a group's membership. */
    if (generation < 0 && group->state == GROUP_EMPTY)
        return KE_NONE;
    if (generation < 0 && in->member_id.size <= 0 && in->group_instance_id.size < 0)
        return KE_UNKNOWN_MEMBER_ID;
    error = group_member_check(group, in->member_id, in->group_instance_id, generation, &member);
    if (error == KE_NONE && group->state == GROUP_COMPLETING)
        error = KE_REBALANCE_IN_PROGRESS;
    if (error == KE_NONE)
        group_touch(member);
    return error;
}

/* Finds the group, or makes it for a commit without a generation, and tells whether it may. */
static int16_t
group_judge(struct broker *broker, const struct request *request)
{
    const struct km_offset_commit_request *in = request->in;
    int16_t version = request->header.api_version;
    struct group *group = groups_find(broker->groups, in->group_id);

    if (!groups_exist(broker->groups))
        return KE_NOT_COORDINATOR;
    if (!request_is_plain(in->group_id))
        return KE_INVALID_GROUP_ID;
    if (group == NULL && in->generation_id_or_member_epoch >= 0)
        return version >= 9 ? KE_GROUP_ID_NOT_FOUND : KE_ILLEGAL_GENERATION;
    if (group == NULL)
        return groups_make(broker->groups, in->group_id) == NULL ? KE_COORDINATOR_NOT_AVAILABLE
                                                                 : KE_NONE;
    if (group->share != NULL)
        return KE_GROUP_ID_NOT_FOUND;
    if (group->streams != NULL)
        return streams_offsets_commit_check(group->streams, in, version);
    return group->consumer != NULL ? consumer_offsets_commit_check(group->consumer, in, version)
                                   : group_check(group, in);
}

static struct topic *
topic_find(struct broker *broker, const struct request *request,
    const struct km_offset_commit_request_topic *in)
{
    return request->header.api_version >= 10
               ? topics_find_id(&broker->topics, &in->topic_id)
               : topics_find(&broker->topics, in->name.data, (size_t)in->name.size);
}

/* Answers partitions that are not there, and tells how many are (KafkaApis does so before the
 * coordinator is asked: a group is not made for what is nowhere). */
static size_t
partitions_judge(struct broker *broker, struct request *request)
{
    const struct km_offset_commit_request *in = request->in;
    struct km_offset_commit_response *out = request->out;
    size_t count = 0;

    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct topic *topic = topic_find(broker, request, &in->topics.items[i]);

        for (int32_t k = 0; k < in->topics.items[i].partitions.count; k++) {
            int32_t index = in->topics.items[i].partitions.items[k].partition_index;
            commit_out *to = &out->topics.items[i].partitions.items[k];

            to->partition_index = index;
            if (topic == NULL && request->header.api_version >= 10)
                to->error_code = KE_UNKNOWN_TOPIC_ID;
            else if (topic == NULL || index < 0 || index >= topic->partition_count)
                to->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
            else
                count++;
        }
    }
    return count;
}

static void
answer_fill(struct request *request, int16_t error)
{
    struct km_offset_commit_response *out = request->out;

    for (int32_t i = 0; error != KE_NONE && i < out->topics.count; i++)
        for (int32_t k = 0; k < out->topics.items[i].partitions.count; k++)
            if (out->topics.items[i].partitions.items[k].error_code == KE_NONE)
                out->topics.items[i].partitions.items[k].error_code = error;
}

/* Collects what is fine of `count` partitions that are there. */
static struct offset_commit *
commit_collect(struct broker *broker, struct request *request, size_t count)
{
    const struct km_offset_commit_request *in = request->in;
    struct km_offset_commit_response *out = request->out;
    struct offset_commit *commit = offset_commit_new(broker->groups, in->group_id, count);
    struct err e;

    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct topic *topic = topic_find(broker, request, &in->topics.items[i]);

        for (int32_t k = 0; k < in->topics.items[i].partitions.count; k++) {
            const commit_in *from = &in->topics.items[i].partitions.items[k];
            commit_out *to = &out->topics.items[i].partitions.items[k];

            if (to->error_code != KE_NONE)
                continue;
            if (from->committed_metadata.size > LIMIT_OFFSET_METADATA_BYTES_MAX)
                to->error_code = KE_OFFSET_METADATA_TOO_LARGE;
            else if (offset_commit_add(commit, topic->name, &topic->topic_id, from->partition_index,
                         from->committed_offset, from->committed_leader_epoch,
                         from->committed_metadata, &e) != RC_OK)
                to->error_code = KE_INVALID_COMMIT_OFFSET_SIZE;
        }
    }
    return commit;
}

static bool
commit_shape(struct request *request, const struct km_offset_commit_request *in,
    struct km_offset_commit_response *out)
{
    out->topics.items =
        codec_array(&request->arena, &km_offset_commit_response_topic_desc, in->topics.count);
    if (out->topics.items == NULL)
        return false;
    out->topics.count = in->topics.count;
    for (int32_t i = 0; i < in->topics.count; i++) {
        int32_t count = in->topics.items[i].partitions.count;

        out->topics.items[i].name = in->topics.items[i].name;
        out->topics.items[i].topic_id = in->topics.items[i].topic_id;
        out->topics.items[i].partitions.items =
            codec_array(&request->arena, &km_offset_commit_response_partition_desc, count);
        out->topics.items[i].partitions.count = count;
    }
    return !arena_is_full(&request->arena);
}

enum h_result
h_offset_commit(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_offset_commit_request *in = in_;
    struct offset_commit *commit;
    size_t count;
    int16_t error;

    if (!commit_shape(request, in, out_))
        return H_CLOSE;
    count = partitions_judge(broker, request);
    if (count == 0)
        return H_DONE;
    error = group_judge(broker, request);
    answer_fill(request, error);
    if (error != KE_NONE)
        return H_DONE;
    commit = commit_collect(broker, request, count);
    if (commit->count == 0) {
        offset_commit_free(commit);
        return H_DONE;
    }
    offset_commit_send(commit, request, -1, -1, answer_fill);
    return H_PARK;
}

/* --- OffsetFetch
 * ---------------------------------------------------------------------------------- */

typedef struct km_offset_fetch_response_group group_out;
typedef struct km_offset_fetch_response_topics topics_out;

/* Whoever wants only what is stable waits while a transaction has something else pending. */
static bool
is_unstable(const struct request *request, const struct group *group, const char *topic,
    size_t topic_size, int32_t partition)
{
    const struct km_offset_fetch_request *in = request->in;

    return in->require_stable && group != NULL &&
           pending_offsets_has(
               &group->groups->pending, group->group_id, topic, topic_size, partition);
}

static void
partition_fetch(struct request *request, const struct group *group, const char *topic,
    size_t topic_size, int32_t partition, struct km_offset_fetch_response_partitions *out)
{
    bool unstable = is_unstable(request, group, topic, topic_size, partition);
    const struct offset_entry *entry =
        group == NULL || unstable ? NULL
                                  : offsets_get(&group->offsets, topic, topic_size, partition);

    out->partition_index = partition;
    out->error_code = unstable ? KE_UNSTABLE_OFFSET_COMMIT : KE_NONE;
    out->committed_offset = entry == NULL ? -1 : entry->offset;
    out->committed_leader_epoch = entry == NULL ? -1 : entry->leader_epoch;
    out->metadata = entry == NULL ? request_text("") : request_text_dup(request, entry->metadata);
}

static bool
topic_fetch(struct broker *broker, struct request *request, const struct group *group,
    const struct km_offset_fetch_request_topics *in, topics_out *out)
{
    bool by_id = request->header.api_version >= 10;
    const struct topic *topic = by_id ? topics_find_id(&broker->topics, &in->topic_id) : NULL;
    int32_t count = in->partition_indexes.count;

    out->name = in->name;
    out->topic_id = in->topic_id;
    out->partitions.items =
        codec_array(&request->arena, &km_offset_fetch_response_partitions_desc, count);
    if (out->partitions.items == NULL)
        return false;
    out->partitions.count = count;
    for (int32_t i = 0; i < count; i++) {
        struct km_offset_fetch_response_partitions *to = &out->partitions.items[i];

        if (by_id && topic == NULL) {
            partition_fetch(request, NULL, "", 0, in->partition_indexes.items[i], to);
            to->error_code = KE_UNKNOWN_TOPIC_ID;
        } else {
            partition_fetch(request, group, by_id ? topic->name : in->name.data,
                by_id ? strlen(topic->name) : (size_t)in->name.size, in->partition_indexes.items[i],
                to);
        }
    }
    return true;
}

/* Appends the answers for the topics whose id is unknown, or for all others: those come first in
 * Kafka's answers. */
static bool
topics_fetch(struct broker *broker, struct request *request, const struct group *group,
    const struct km_offset_fetch_request_group *in, group_out *out, bool unknown)
{
    bool by_id = request->header.api_version >= 10;

    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct km_offset_fetch_request_topics *ask = &in->topics.items[i];

        if ((by_id && topics_find_id(&broker->topics, &ask->topic_id) == NULL) == unknown &&
            !topic_fetch(broker, request, group, ask, &out->topics.items[out->topics.count++]))
            return false;
    }
    return true;
}

/* Whether a client of this version can be told of an entry: those that know topics by id cannot be
 * told of one that is gone. */
static const struct topic *
entry_topic(struct broker *broker, const struct request *request, const struct offset_entry *entry,
    bool *told)
{
    const struct topic *topic = topics_find(&broker->topics, entry->topic, strlen(entry->topic));

    *told = topic != NULL || request->header.api_version < 10;
    return topic;
}

/* The topics of all entries, with room for as many partitions as each has; places maps a name to
 * its topic's place plus 1. */
static bool
topics_collect(struct broker *broker, struct request *request, const struct group *group,
    struct map *places, group_out *out)
{
    const struct offset_entry *entry;
    size_t position = 0;
    bool told;

    while ((entry = offsets_next(&group->offsets, &position)) != NULL) {
        const struct topic *topic = entry_topic(broker, request, entry, &told);
        uintptr_t place = (uintptr_t)map_get_text(places, entry->topic);

        if (!told)
            continue;
        if (place == 0) {
            place = (uintptr_t)++out->topics.count;
            map_put_text(places, entry->topic, (void *)place);
            out->topics.items[place - 1].name = request_text_dup(request, entry->topic);
            if (topic != NULL)
                out->topics.items[place - 1].topic_id = topic->topic_id;
        }
        out->topics.items[place - 1].partitions.count++;
    }
    for (int32_t i = 0; i < out->topics.count; i++) {
        out->topics.items[i].partitions.items = codec_array(&request->arena,
            &km_offset_fetch_response_partitions_desc, out->topics.items[i].partitions.count);
        out->topics.items[i].partitions.count = 0;
    }
    return !arena_is_full(&request->arena);
}

/* Everything that the group has committed. */
static bool
all_fetch(struct broker *broker, struct request *request, const struct group *group, group_out *out)
{
    const struct offset_entry *entry;
    struct map places;
    size_t position = 0;
    bool ok, told;

    if (group == NULL)
        return true;
    out->topics.items = codec_array(&request->arena, &km_offset_fetch_response_topics_desc,
        (int32_t)offsets_count(&group->offsets));
    if (out->topics.items == NULL)
        return false;
    map_init(&places);
    ok = topics_collect(broker, request, group, &places, out);
    while (ok && (entry = offsets_next(&group->offsets, &position)) != NULL) {
        topics_out *to;

        (void)entry_topic(broker, request, entry, &told);
        if (!told)
            continue;
        to = &out->topics.items[(uintptr_t)map_get_text(&places, entry->topic) - 1];
        partition_fetch(request, group, entry->topic, strlen(entry->topic), entry->partition,
            &to->partitions.items[to->partitions.count++]);
    }
    map_fini(&places, NULL);
    return ok;
}

static bool
group_fetch(struct broker *broker, struct request *request,
    const struct km_offset_fetch_request_group *in, group_out *out)
{
    const struct group *group = groups_find(broker->groups, in->group_id);

    /* A share group has committed nothing. */
    if (group != NULL && group->share != NULL)
        group = NULL;
    out->group_id = in->group_id;
    /* Who has not asked for the coordinator may ask before there is one. */
    if (!groups_exist(broker->groups))
        out->error_code = KE_NOT_COORDINATOR;
    else if (group != NULL && group->consumer != NULL)
        out->error_code =
            consumer_offsets_fetch_check(group->consumer, in->member_id, in->member_epoch);
    else if (group != NULL && group->streams != NULL)
        out->error_code =
            streams_offsets_fetch_check(group->streams, in->member_id, in->member_epoch);
    if (out->error_code != KE_NONE)
        return true;
    if (in->topics.count < 0)
        return all_fetch(broker, request, group, out);
    out->topics.items =
        codec_array(&request->arena, &km_offset_fetch_response_topics_desc, in->topics.count);
    if (out->topics.items == NULL)
        return false;
    return topics_fetch(broker, request, group, in, out, false) &&
           topics_fetch(broker, request, group, in, out, true);
}

/* Below version 2 there is no error of the group: each partition bears it. */
static bool
partitions_refuse(
    struct request *request, const struct km_offset_fetch_request_group *in, group_out *out)
{
    out->topics.items =
        codec_array(&request->arena, &km_offset_fetch_response_topics_desc, in->topics.count);
    if (out->topics.items == NULL)
        return false;
    out->topics.count = in->topics.count;
    for (int32_t i = 0; i < in->topics.count; i++) {
        topics_out *to = &out->topics.items[i];
        int32_t count = in->topics.items[i].partition_indexes.count;

        to->name = in->topics.items[i].name;
        to->partitions.items =
            codec_array(&request->arena, &km_offset_fetch_response_partitions_desc, count);
        if (to->partitions.items == NULL)
            return false;
        to->partitions.count = count;
        for (int32_t k = 0; k < count; k++) {
            partition_fetch(request, NULL, "", 0, in->topics.items[i].partition_indexes.items[k],
                &to->partitions.items[k]);
            to->partitions.items[k].error_code = out->error_code;
        }
    }
    out->error_code = KE_NONE;
    return true;
}

/* Requests before v8 ask for one group, in fields of their own. */
static bool
old_fetch(struct broker *broker, struct request *request, const struct km_offset_fetch_request *in,
    struct km_offset_fetch_response *out)
{
    struct km_offset_fetch_request_group ask = {
        .group_id = in->group_id, .member_id = request_text(NULL), .member_epoch = -1};
    group_out answer;

    codec_init(&km_offset_fetch_response_group_desc, &answer);
    ask.topics.count = in->topics.count;
    ask.topics.items =
        in->topics.count < 0
            ? NULL
            : codec_array(&request->arena, &km_offset_fetch_request_topics_desc, in->topics.count);
    if (in->topics.count >= 0 && ask.topics.items == NULL)
        return false;
    for (int32_t i = 0; i < in->topics.count; i++) {
        ask.topics.items[i].name = in->topics.items[i].name;
        ask.topics.items[i].partition_indexes.items = in->topics.items[i].partition_indexes.items;
        ask.topics.items[i].partition_indexes.count = in->topics.items[i].partition_indexes.count;
    }
    if (arena_is_full(&request->arena) || !group_fetch(broker, request, &ask, &answer) ||
        (answer.error_code != KE_NONE && request->header.api_version < 2 &&
            !partitions_refuse(request, &ask, &answer)))
        return false;
    out->error_code = answer.error_code;
    out->topics.items =
        codec_array(&request->arena, &km_offset_fetch_response_topic_desc, answer.topics.count);
    if (out->topics.items == NULL)
        return false;
    out->topics.count = answer.topics.count;
    for (int32_t i = 0; i < answer.topics.count; i++) {
        const topics_out *from = &answer.topics.items[i];

        out->topics.items[i].name = from->name;
        out->topics.items[i].partitions.items = codec_array(
            &request->arena, &km_offset_fetch_response_partition_desc, from->partitions.count);
        if (out->topics.items[i].partitions.items == NULL)
            return false;
        out->topics.items[i].partitions.count = from->partitions.count;
        for (int32_t k = 0; k < from->partitions.count; k++) {
            out->topics.items[i].partitions.items[k].partition_index =
                from->partitions.items[k].partition_index;
            out->topics.items[i].partitions.items[k].committed_offset =
                from->partitions.items[k].committed_offset;
            out->topics.items[i].partitions.items[k].committed_leader_epoch =
                from->partitions.items[k].committed_leader_epoch;
            out->topics.items[i].partitions.items[k].metadata = from->partitions.items[k].metadata;
            out->topics.items[i].partitions.items[k].error_code =
                from->partitions.items[k].error_code;
        }
    }
    return true;
}

enum h_result
h_offset_fetch(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_offset_fetch_request *in = in_;
    struct km_offset_fetch_response *out = out_;

    if (request->header.api_version < 8)
        return old_fetch(broker, request, in, out) ? H_DONE : H_CLOSE;
    out->groups.items =
        codec_array(&request->arena, &km_offset_fetch_response_group_desc, in->groups.count);
    if (out->groups.items == NULL)
        return H_CLOSE;
    out->groups.count = in->groups.count;
    for (int32_t i = 0; i < in->groups.count; i++)
        if (!group_fetch(broker, request, &in->groups.items[i], &out->groups.items[i]))
            return H_CLOSE;
    return H_DONE;
}
