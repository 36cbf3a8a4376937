/*
 * OffsetCommit and OffsetFetch (GroupCoordinatorService, OffsetMetadataManager, KIP-516, KIP-709).
 *
 * A commit is checked against the group's generation, written to __consumer_offsets, and takes
 * effect when that is durable. Without a generation (-1) it is taken for groups that have no
 * members. From v10 on topics come by id.
 */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/coord/consumer_offsets.h"
#include "refbroker/coord/groups.h"
#include "refbroker/limits.h"

#define KEY_TYPE_OFFSET 1
#define VALUE_VERSION_OFFSET 4
#define RECORDS_BYTES_MAX ((size_t)32 * 1024 * 1024)

typedef struct km_offset_commit_request_partition commit_in;
typedef struct km_offset_commit_response_partition commit_out;

/* --- OffsetCommit
 * --------------------------------------------------------------------------------- */

/* A commit on its way into the log; it outlives its request. */
struct commit {
    struct append_waiter waiter;
    struct groups *groups;
    struct request *request; /* NULL once it is gone */
    char *group_id;
    struct offset_entry *entries;
    size_t count;
    struct buf bytes; /* keys and values of the records */
};

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
    if (error == KE_NONE && generation < 0)
        error = KE_ILLEGAL_GENERATION;
    if (error == KE_NONE && group->state == GROUP_COMPLETING)
        error = KE_REBALANCE_IN_PROGRESS;
    if (error == KE_NONE)
        group_touch(member);
    return error;
}

static struct group *
group_find(struct broker *broker, const struct request *request, int16_t *error)
{
    const struct km_offset_commit_request *in = request->in;
    int16_t version = request->header.api_version;
    struct group *group = groups_find(broker->groups, in->group_id);

    *error = KE_NONE;
    if (!groups_ready(broker->groups)) {
        *error = KE_COORDINATOR_NOT_AVAILABLE;
    } else if (group == NULL && in->generation_id_or_member_epoch >= 0) {
        *error = version >= 9 ? KE_GROUP_ID_NOT_FOUND : KE_ILLEGAL_GENERATION;
    } else if (group == NULL) {
        group = groups_make(broker->groups, in->group_id);
        if (group == NULL)
            *error = KE_COORDINATOR_NOT_AVAILABLE;
    } else if (group->consumer != NULL) {
        *error = consumer_offsets_commit_check(group->consumer, in, version);
    } else {
        *error = group_check(group, in);
    }
    return group;
}

/* Adds one offset to the commit, as an entry and as a record's bytes; the sizes go to `record`. */
static enum rc
commit_add(struct commit *commit, struct group_record *record, const struct topic *topic,
    const commit_in *in, int64_t now_ms, struct err *e)
{
    struct offset_entry *entry = &commit->entries[commit->count];
    struct km_offset_commit_key key = {.group = request_text(commit->group_id),
        .topic = request_text(topic->name),
        .partition = in->partition_index};
    struct km_offset_commit_value value;
    size_t start = commit->bytes.size;
    uint8_t number[2];
    enum rc rc;

    codec_init(&km_offset_commit_value_desc, &value);
    value.offset = in->committed_offset;
    value.leader_epoch = in->committed_leader_epoch;
    value.metadata = in->committed_metadata.size < 0 ? request_text("") : in->committed_metadata;
    value.commit_timestamp = now_ms;
    value.topic_id = topic->topic_id;
    codec_bytes_put_int16(number, KEY_TYPE_OFFSET);
    buf_append(&commit->bytes, number, sizeof number);
    rc = codec_encode(&km_offset_commit_key_message, 0, &key, &commit->bytes, e);
    record->key_size = (int32_t)(commit->bytes.size - start);
    start = commit->bytes.size;
    codec_bytes_put_int16(number, VALUE_VERSION_OFFSET);
    buf_append(&commit->bytes, number, sizeof number);
    if (rc == RC_OK)
        rc = codec_encode(
            &km_offset_commit_value_message, VALUE_VERSION_OFFSET, &value, &commit->bytes, e);
    if (rc != RC_OK)
        return rc;
    record->value_size = (int32_t)(commit->bytes.size - start);
    entry->topic = xstrdup(topic->name);
    entry->partition = in->partition_index;
    entry->offset = in->committed_offset;
    entry->leader_epoch = in->committed_leader_epoch;
    entry->metadata = xmemdup(value.metadata.data, (size_t)value.metadata.size);
    entry->commit_ms = now_ms;
    commit->count++;
    return RC_OK;
}

static int16_t
partition_check(const struct topic *topic, const commit_in *in, bool by_id)
{
    if (topic == NULL)
        return by_id ? KE_UNKNOWN_TOPIC_ID : KE_UNKNOWN_TOPIC_OR_PARTITION;
    if (in->partition_index < 0 || in->partition_index >= topic->partition_count)
        return KE_UNKNOWN_TOPIC_OR_PARTITION;
    if (in->committed_metadata.size > LIMIT_OFFSET_METADATA_BYTES_MAX)
        return KE_OFFSET_METADATA_TOO_LARGE;
    return KE_NONE;
}

static void
commit_free(struct commit *commit)
{
    for (size_t i = 0; i < commit->count; i++) {
        free(commit->entries[i].topic);
        free(commit->entries[i].metadata);
    }
    free(commit->entries);
    free(commit->group_id);
    buf_fini(&commit->bytes);
    free(commit);
}

static void
committed(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct commit *commit = (struct commit *)(void *)waiter;
    struct group *group = map_get_text(&commit->groups->by_id, commit->group_id);

    for (size_t i = 0; error == KE_NONE && group != NULL && i < commit->count; i++) {
        const struct offset_entry *entry = &commit->entries[i];

        offsets_put(&group->offsets, entry->topic, strlen(entry->topic), entry->partition,
            entry->offset, entry->leader_epoch, entry->metadata, strlen(entry->metadata),
            entry->commit_ms);
        broker->stats.offset_commits_total++;
    }
    if (commit->request != NULL) {
        struct km_offset_commit_response *out = commit->request->out;

        for (int32_t i = 0; error != KE_NONE && i < out->topics.count; i++)
            for (int32_t k = 0; k < out->topics.items[i].partitions.count; k++)
                if (out->topics.items[i].partitions.items[k].error_code == KE_NONE)
                    out->topics.items[i].partitions.items[k].error_code = error;
        broker_finish(broker, commit->request);
    }
    commit_free(commit);
}

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct commit *)request->park)->request = NULL;
}

/* Judges every partition and collects those that are fine. */
static struct group_record *
commit_collect(
    struct broker *broker, struct request *request, struct commit *commit, int16_t group_error)
{
    const struct km_offset_commit_request *in = request->in;
    struct km_offset_commit_response *out = request->out;
    bool by_id = request->header.api_version >= 10;
    struct group_record *records;
    size_t partitions = 0;
    struct err e;

    for (int32_t i = 0; i < in->topics.count; i++)
        partitions += (size_t)in->topics.items[i].partitions.count;
    records = xcalloc(partitions, sizeof *records);
    commit->entries = xcalloc(partitions, sizeof *commit->entries);
    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct km_offset_commit_request_topic *topic_in = &in->topics.items[i];
        struct topic *topic =
            by_id ? topics_find_id(&broker->topics, &topic_in->topic_id)
                  : topics_find(&broker->topics, topic_in->name.data, (size_t)topic_in->name.size);

        for (int32_t k = 0; k < topic_in->partitions.count; k++) {
            const commit_in *from = &topic_in->partitions.items[k];
            commit_out *to = &out->topics.items[i].partitions.items[k];

            to->partition_index = from->partition_index;
            to->error_code =
                group_error != KE_NONE ? group_error : partition_check(topic, from, by_id);
            if (to->error_code == KE_NONE && commit_add(commit, &records[commit->count], topic,
                                                 from, env_wall_ms(broker->env), &e) != RC_OK)
                to->error_code = KE_INVALID_COMMIT_OFFSET_SIZE;
        }
    }
    return records;
}

/* The records' views, once the bytes do not move any more. */
static void
records_point(const struct commit *commit, struct group_record *records)
{
    const uint8_t *at = commit->bytes.data;

    for (size_t i = 0; i < commit->count; i++) {
        records[i].key = at;
        records[i].value = at + records[i].key_size;
        at += records[i].key_size + records[i].value_size;
    }
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
    struct group_record *records;
    struct commit *commit;
    struct group *group;
    int16_t error;

    if (!commit_shape(request, in, out_))
        return H_CLOSE;
    group = group_find(broker, request, &error);
    commit = xcalloc(1, sizeof *commit);
    commit->groups = broker->groups;
    commit->group_id = xmemdup(in->group_id.data, (size_t)in->group_id.size);
    buf_init(&commit->bytes, RECORDS_BYTES_MAX);
    records = commit_collect(broker, request, commit, error);
    if (commit->count == 0 || group == NULL) {
        commit_free(commit);
        free(records);
        return H_DONE;
    }
    records_point(commit, records);
    commit->request = request;
    commit->waiter.done = committed;
    request->park = commit;
    request->on_drop = dropped;
    groups_append(broker->groups, commit->group_id, records, commit->count, &commit->waiter);
    free(records);
    return H_PARK;
}

/* --- OffsetFetch
 * ---------------------------------------------------------------------------------- */

typedef struct km_offset_fetch_response_group group_out;
typedef struct km_offset_fetch_response_topics topics_out;

static void
partition_fetch(struct request *request, const struct group *group, const char *topic,
    size_t topic_size, int32_t partition, struct km_offset_fetch_response_partitions *out)
{
    const struct offset_entry *entry =
        group == NULL ? NULL : offsets_get(&group->offsets, topic, topic_size, partition);

    out->partition_index = partition;
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

    out->group_id = in->group_id;
    if (group != NULL && group->consumer != NULL)
        out->error_code =
            consumer_offsets_fetch_check(group->consumer, in->member_id, in->member_epoch);
    if (out->error_code != KE_NONE)
        return true;
    if (in->topics.count < 0)
        return all_fetch(broker, request, group, out);
    out->topics.items =
        codec_array(&request->arena, &km_offset_fetch_response_topics_desc, in->topics.count);
    if (out->topics.items == NULL)
        return false;
    out->topics.count = in->topics.count;
    for (int32_t i = 0; i < in->topics.count; i++)
        if (!topic_fetch(broker, request, group, &in->topics.items[i], &out->topics.items[i]))
            return false;
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
    if (ask.topics.count > 0 && ask.topics.items == NULL)
        return false;
    for (int32_t i = 0; i < ask.topics.count; i++) {
        ask.topics.items[i].name = in->topics.items[i].name;
        ask.topics.items[i].partition_indexes.items = in->topics.items[i].partition_indexes.items;
        ask.topics.items[i].partition_indexes.count = in->topics.items[i].partition_indexes.count;
    }
    if (arena_is_full(&request->arena) || !group_fetch(broker, request, &ask, &answer))
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
