#include "mirror/load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"
#include "mirror/recording.h"
#include "mirror/topics.h"

#define TIMEOUT_MS 30000
#define NAMES_BYTES_MAX ((size_t)16 << 20)

struct loading {
    struct cluster *to;
    struct recording_reader *reader;
    struct load_result *result;
    struct buf names; /* of the topics, as patterns */
    struct selection selection;
    bool has_selection; /* after the last topic entry */
};

/* --- topics ------------------------------------------------------------------------------------
 */

static enum rc
topic_load(struct loading *l, const struct km_recording_topic *topic, struct err *e)
{
    struct topics_wanted wanted = {topic->name, topic->partitions.count, NULL, 0};
    bool made = false;
    enum rc rc;

    if (l->has_selection)
        return err_set(
            e, RC_CORRUPT, "topic %.*s comes behind batches", topic->name.size, topic->name.data);
    wanted.configs = xcalloc((size_t)topic->configs.count + 1, sizeof *wanted.configs);
    for (int32_t i = 0; i < topic->configs.count; i++)
        if (!codec_string_is(topic->configs.items[i].name, "retention.ms"))
            wanted.configs[wanted.config_count++] =
                (struct km_create_topics_request_creatable_topic_config){
                    topic->configs.items[i].name, topic->configs.items[i].value};
    wanted.configs[wanted.config_count++] =
        (struct km_create_topics_request_creatable_topic_config){
            codec_string("retention.ms"), codec_string("-1")};
    rc = topics_make(l->to, &wanted, &made, e);
    free(wanted.configs);
    buf_printf(&l->names, "%.*s,", topic->name.size, topic->name.data);
    l->result->topics++;
    return rc;
}

static enum rc
topics_end(struct loading *l, struct err *e)
{
    enum rc rc;

    if (l->has_selection)
        return RC_OK;
    rc = selection_init(&l->selection, l->to, buf_text(&l->names), e);
    if (rc != RC_OK)
        return rc;
    l->has_selection = true;
    return topics_mirroring(l->to, &l->selection, e);
}

/* --- batches -----------------------------------------------------------------------------------
 */

static enum rc
append_check(const struct km_mirror_append_response *response, struct err *e)
{
    const struct km_mirror_append_response_partition *answer;

    if (response->topics.count != 1 || response->topics.items[0].partitions.count != 1)
        return err_set(e, RC_PROTOCOL, "MirrorAppend of one partition answers about others");
    answer = &response->topics.items[0].partitions.items[0];
    if (answer->error_code == KE_NONE)
        return RC_OK;
    return err_set(e, answer->diverging_offset >= 0 ? RC_CONFLICT : RC_REMOTE,
        "the target refuses: %d %s%s%.*s", answer->error_code, kerr_name(answer->error_code),
        answer->error_message.size > 0 ? ": " : "",
        answer->error_message.size > 0 ? answer->error_message.size : 0,
        answer->error_message.size > 0 ? answer->error_message.data : "");
}

static enum rc
batches_load(struct loading *l, const struct km_recording_batches *batches, struct err *e)
{
    uint32_t number = selection_find(&l->selection, batches->topic, batches->partition);
    struct km_mirror_append_request_partition partition;
    struct km_mirror_append_request_topic topic;
    struct km_mirror_append_request request;
    struct cluster_target leader;
    struct conn_reply *reply;
    enum rc rc;

    if (number == UINT32_MAX)
        return err_set(e, RC_CORRUPT, "batches of %.*s-%d, which the recording did not announce",
            batches->topic.size, batches->topic.data, batches->partition);
    codec_init(&km_mirror_append_request_desc, &request);
    codec_init(&km_mirror_append_request_topic_desc, &topic);
    codec_init(&km_mirror_append_request_partition_desc, &partition);
    partition.partition_index = batches->partition;
    partition.records = batches->records;
    topic.topic_id = l->selection.topics[l->selection.partitions[number].topic].id;
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    request.topics.items = &topic;
    request.topics.count = 1;
    leader = (struct cluster_target){
        CLUSTER_LEADER, selection_name(&l->selection, number), batches->partition};
    rc = cluster_call(
        l->to, &leader, frame_api(KM_MIRROR_APPEND), NULL, &request, TIMEOUT_MS, &reply, e);
    if (rc != RC_OK)
        return rc;
    rc = append_check(reply->response, e);
    conn_reply_unref(reply);
    if (rc != RC_OK)
        return err_note(e, "%.*s-%d", batches->topic.size, batches->topic.data, batches->partition);
    l->result->batch_bytes += (uint64_t)(batches->records.size < 0 ? 0 : batches->records.size);
    return RC_OK;
}

/* --- groups ------------------------------------------------------------------------------------
 */

static enum rc
commit_check(const struct km_offset_commit_response *response, struct err *e)
{
    for (int32_t i = 0; i < response->topics.count; i++)
        for (int32_t k = 0; k < response->topics.items[i].partitions.count; k++) {
            int16_t code = response->topics.items[i].partitions.items[k].error_code;

            if (code != KE_NONE)
                return err_set(e, RC_REMOTE, "OffsetCommit: %d %s", code, kerr_name(code));
        }
    return RC_OK;
}

static enum rc
commit(struct loading *l, const char *group, const struct km_offset_commit_request *request,
    struct err *e)
{
    /* Topics by name. */
    static const struct wire_range versions = {2, 9};
    struct cluster_target coordinator = {CLUSTER_GROUP, group, 0};
    struct conn_reply *reply;
    enum rc rc = cluster_call(l->to, &coordinator, frame_api(KM_OFFSET_COMMIT), &versions, request,
        TIMEOUT_MS, &reply, e);

    if (rc == RC_OK) {
        rc = commit_check(reply->response, e);
        conn_reply_unref(reply);
    }
    return rc == RC_OK ? rc : err_note(e, "group %s", group);
}

static enum rc
group_load(struct loading *l, const struct km_recording_group *group, struct err *e)
{
    struct km_offset_commit_request request;
    struct arena arena;
    enum rc rc;

    arena_init(&arena, RECORDING_ENTRY_BYTES_MAX);
    codec_init(&km_offset_commit_request_desc, &request);
    request.group_id = group->group_id;
    request.topics.items =
        codec_array(&arena, &km_offset_commit_request_topic_desc, group->topics.count);
    for (int32_t i = 0; i < group->topics.count && !arena_is_full(&arena); i++) {
        const struct km_recording_group_topic *from = &group->topics.items[i];
        struct km_offset_commit_request_topic *topic = &request.topics.items[i];

        topic->name = from->name;
        topic->partitions.items =
            codec_array(&arena, &km_offset_commit_request_partition_desc, from->partitions.count);
        topic->partitions.count = from->partitions.count;
        for (int32_t k = 0; k < from->partitions.count && topic->partitions.items != NULL; k++) {
            topic->partitions.items[k].partition_index = from->partitions.items[k].partition_index;
            topic->partitions.items[k].committed_offset =
                from->partitions.items[k].committed_offset;
            topic->partitions.items[k].committed_metadata = from->partitions.items[k].metadata;
        }
    }
    request.topics.count = group->topics.count;
    if (arena_is_full(&arena)) {
        rc = err_set(e, RC_LIMIT, "a group with too many offsets");
    } else {
        const char *id = arena_printf(&arena, "%.*s", group->group_id.size, group->group_id.data);

        rc = commit(l, id == NULL ? "" : id, &request, e);
    }
    arena_fini(&arena);
    l->result->groups++;
    return rc;
}

/* --- all ---------------------------------------------------------------------------------------
 */

static enum rc
entries_load(struct loading *l, struct err *e)
{
    for (;;) {
        const struct wire_message *message;
        const void *body = NULL;
        enum rc rc = recording_next(l->reader, &message, &body, e);

        if (rc != RC_OK || message == NULL)
            return rc;
        if (message == &km_recording_topic_message)
            rc = topic_load(l, body, e);
        else
            rc = topics_end(l, e);
        if (rc == RC_OK && message == &km_recording_batches_message)
            rc = batches_load(l, body, e);
        if (rc == RC_OK && message == &km_recording_group_message)
            rc = group_load(l, body, e);
        if (rc != RC_OK)
            return rc;
    }
}

enum rc
load_recording(struct cluster *to, const char *path, struct load_result *result, struct err *e)
{
    struct loading l = {.to = to, .result = result};
    enum rc rc = recording_open(path, &l.reader, e);

    memset(result, 0, sizeof *result);
    if (rc != RC_OK)
        return rc;
    buf_init(&l.names, NAMES_BYTES_MAX);
    rc = entries_load(&l, e);
    if (l.has_selection)
        selection_fini(&l.selection);
    buf_fini(&l.names);
    recording_close(l.reader);
    return rc;
}
