#include "mirror/save.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_view.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"
#include "mirror/fetching.h"
#include "mirror/recording.h"
#include "mirror/topics.h"

#define TIMEOUT_MS 30000
#define FETCH_BYTES (8 * 1024 * 1024) /* far below what an entry may hold */

/* Topics by name, one group to a request. */
static const struct wire_range offset_fetch_versions = {2, 7};

struct saving {
    struct cluster *cluster;
    struct selection selection;
    struct recording_writer *writer;
    struct save_result *result;
};

/* --- topics ------------------------------------------------------------------------------------
 */

static enum rc
topic_save(struct saving *s, const struct selection_topic *topic,
    const struct km_describe_configs_response_result *from, struct err *e)
{
    struct km_recording_topic entry;
    enum rc rc;

    codec_init(&km_recording_topic_desc, &entry);
    entry.name = codec_string(topic->name);
    entry.configs.items =
        xcalloc(from == NULL ? 0 : (size_t)from->configs.count, sizeof *entry.configs.items);
    for (int32_t i = 0; from != NULL && i < from->configs.count; i++)
        if (topics_is_own(&from->configs.items[i]) && topics_is_copied(from->configs.items[i].name))
            entry.configs.items[entry.configs.count++] = (struct km_recording_topic_config){
                from->configs.items[i].name, from->configs.items[i].value};
    entry.partitions.items =
        xcalloc((size_t)topic->partition_count, sizeof *entry.partitions.items);
    entry.partitions.count = topic->partition_count;
    for (int32_t i = 0; i < topic->partition_count; i++) {
        const struct selection_partition *p = &s->selection.partitions[topic->first + (uint32_t)i];

        entry.partitions.items[i] =
            (struct km_recording_topic_partition){p->log_start_offset, p->end_offset};
    }
    rc = recording_put(s->writer, &km_recording_topic_message, &entry, e);
    free(entry.configs.items);
    free(entry.partitions.items);
    s->result->topics++;
    return rc;
}

static enum rc
topics_save(struct saving *s, struct err *e)
{
    struct conn_reply *reply;
    enum rc rc = topics_configs_ask(s->cluster, &s->selection, NULL, &reply, e);

    if (rc != RC_OK)
        return rc;
    for (uint32_t i = 0; i < s->selection.topic_count && rc == RC_OK; i++) {
        const struct selection_topic *topic = &s->selection.topics[i];

        rc = topic_save(s, topic, topics_configs_of(reply, topic->name), e);
    }
    conn_reply_unref(reply);
    return rc;
}

/* --- batches -----------------------------------------------------------------------------------
 */

static enum rc
fetch(struct saving *s, uint32_t number, int64_t offset, struct conn_reply **reply, struct err *e)
{
    const struct selection_partition *p = &s->selection.partitions[number];
    const char *topic = selection_name(&s->selection, number);
    struct cluster_target leader = {CLUSTER_LEADER, topic, p->partition};
    struct km_fetch_request_partition partition;
    struct km_fetch_request_topic of;
    struct km_fetch_request request;

    codec_init(&km_fetch_request_desc, &request);
    codec_init(&km_fetch_request_topic_desc, &of);
    codec_init(&km_fetch_request_partition_desc, &partition);
    partition.partition = p->partition;
    partition.fetch_offset = offset;
    partition.partition_max_bytes = FETCH_BYTES;
    of.topic = codec_string(topic);
    of.partitions.items = &partition;
    of.partitions.count = 1;
    request.min_bytes = 1;
    request.max_wait_ms = TIMEOUT_MS / 2;
    request.max_bytes = FETCH_BYTES;
    request.session_epoch = -1;
    request.topics.items = &of;
    request.topics.count = 1;
    return cluster_call(
        s->cluster, &leader, frame_api(KM_FETCH), &fetching_versions, &request, 0, reply, e);
}

/* The whole batches below `end`; what the last one of them leaves to read is *next. */
static enum rc
batches_cut(
    const struct wire_records *records, int64_t end, size_t *size, int64_t *next, struct err *e)
{
    struct batch_view_cursor cursor = {
        records->data, records->size < 0 ? 0 : (size_t)records->size};
    struct batch_view batch;
    bool found;
    enum rc rc;

    *size = 0;
    while ((rc = batch_view_next(&cursor, &batch, &found, e)) == RC_OK && found &&
           batch.base_offset < end) {
        if (!batch_view_is_intact(&batch))
            return err_set(e, RC_CORRUPT, "the batch at offset %" PRId64 " has a wrong checksum",
                batch.base_offset);
        *size += batch.size;
        *next = batch_view_next_offset(&batch);
    }
    if (rc == RC_OK && *size == 0)
        rc = err_set(
            e, RC_PROTOCOL, "no batch at offset %" PRId64 ", below the high watermark", *next);
    return rc;
}

static enum rc
answer_save(struct saving *s, uint32_t number, const struct km_fetch_response *response,
    int64_t *next, struct err *e)
{
    const struct selection_partition *p = &s->selection.partitions[number];
    const struct km_fetch_response_partition_data *data;
    struct km_recording_batches entry;
    size_t size = 0;
    enum rc rc;

    if (response->responses.count != 1 || response->responses.items[0].partitions.count != 1)
        return err_set(e, RC_PROTOCOL, "a Fetch of one partition answers about others");
    data = &response->responses.items[0].partitions.items[0];
    if (data->error_code != KE_NONE)
        return err_set(e, RC_REMOTE, "Fetch: %d %s", data->error_code, kerr_name(data->error_code));
    rc = batches_cut(&data->records, p->end_offset, &size, next, e);
    if (rc != RC_OK)
        return rc;
    codec_init(&km_recording_batches_desc, &entry);
    entry.topic = codec_string(selection_name(&s->selection, number));
    entry.partition = p->partition;
    entry.records = (struct wire_records){data->records.data, NULL, (int32_t)size, 0};
    return recording_put(s->writer, &km_recording_batches_message, &entry, e);
}

static enum rc
partition_save(struct saving *s, uint32_t number, struct err *e)
{
    const struct selection_partition *p = &s->selection.partitions[number];
    int64_t next = p->log_start_offset;
    enum rc rc = RC_OK;

    while (rc == RC_OK && next < p->end_offset) {
        struct conn_reply *reply;

        rc = fetch(s, number, next, &reply, e);
        if (rc != RC_OK)
            break;
        rc = answer_save(s, number, reply->response, &next, e);
        conn_reply_unref(reply);
    }
    s->result->partitions++;
    return rc == RC_OK ? rc
                       : err_note(e, "%s-%d", selection_name(&s->selection, number), p->partition);
}

/* --- groups ------------------------------------------------------------------------------------
 */

/* Those offsets of an answer that lie on saved topics; the array's elements are moved together. */
static void
offsets_choose(const struct saving *s, const struct km_offset_fetch_response_topic *from,
    struct km_recording_group_topic *out)
{
    out->name = from->name;
    out->partitions.items = xcalloc((size_t)from->partitions.count, sizeof *out->partitions.items);
    for (int32_t i = 0; i < from->partitions.count; i++) {
        const struct km_offset_fetch_response_partition *p = &from->partitions.items[i];

        if (p->committed_offset >= 0 &&
            selection_find(&s->selection, from->name, p->partition_index) != UINT32_MAX)
            out->partitions.items[out->partitions.count++] = (struct km_recording_group_partition){
                p->partition_index, p->committed_offset, p->metadata};
    }
}

static enum rc
group_write(struct saving *s, const char *group, const struct km_offset_fetch_response *response,
    struct err *e)
{
    struct km_recording_group entry;
    enum rc rc;

    if (response->error_code != KE_NONE)
        return err_set(e, RC_REMOTE, "OffsetFetch: %d %s", response->error_code,
            kerr_name(response->error_code));
    codec_init(&km_recording_group_desc, &entry);
    entry.group_id = codec_string(group);
    entry.topics.items = xcalloc((size_t)response->topics.count, sizeof *entry.topics.items);
    for (int32_t i = 0; i < response->topics.count; i++) {
        struct km_recording_group_topic *topic = &entry.topics.items[entry.topics.count];

        offsets_choose(s, &response->topics.items[i], topic);
        if (topic->partitions.count > 0)
            entry.topics.count++;
        else
            free(topic->partitions.items);
    }
    rc = recording_put(s->writer, &km_recording_group_message, &entry, e);
    for (int32_t i = 0; i < entry.topics.count; i++)
        free(entry.topics.items[i].partitions.items);
    free(entry.topics.items);
    s->result->groups++;
    return rc;
}

static enum rc
group_save(struct saving *s, const char *group, struct err *e)
{
    struct cluster_target coordinator = {CLUSTER_GROUP, group, 0};
    struct km_offset_fetch_request request;
    struct conn_reply *reply;
    enum rc rc;

    codec_init(&km_offset_fetch_request_desc, &request);
    request.group_id = codec_string(group);
    request.topics.count = -1;
    rc = cluster_call(s->cluster, &coordinator, frame_api(KM_OFFSET_FETCH), &offset_fetch_versions,
        &request, TIMEOUT_MS, &reply, e);
    if (rc == RC_OK) {
        rc = group_write(s, group, reply->response, e);
        conn_reply_unref(reply);
    }
    return rc == RC_OK ? rc : err_note(e, "group %s", group);
}

static enum rc
groups_save(struct saving *s, const char *groups, struct err *e)
{
    char *copy = xstrdup(groups), *rest = copy, *group;
    enum rc rc = RC_OK;

    while (rc == RC_OK && (group = strsep(&rest, ",")) != NULL)
        if (*group != '\0')
            rc = group_save(s, group, e);
    free(copy);
    return rc;
}

/* --- all ---------------------------------------------------------------------------------------
 */

static enum rc
all_save(struct saving *s, const struct save_wanted *wanted, struct err *e)
{
    enum rc rc = recording_create(wanted->path, &s->writer, e);

    if (rc == RC_OK)
        rc = topics_save(s, e);
    for (uint32_t i = 0; i < s->selection.partition_count && rc == RC_OK; i++)
        rc = partition_save(s, i, e);
    if (rc == RC_OK && wanted->groups != NULL)
        rc = groups_save(s, wanted->groups, e);
    if (rc == RC_OK)
        return recording_finish_take(&s->writer, &s->result->bytes, e);
    recording_give_up(s->writer);
    return rc;
}

enum rc
save_cluster(struct cluster *cluster, const struct save_wanted *wanted, struct save_result *result,
    struct err *e)
{
    struct saving s = {.cluster = cluster, .result = result};
    enum rc rc = selection_init(&s.selection, cluster, wanted->patterns, e);

    memset(result, 0, sizeof *result);
    if (rc != RC_OK)
        return rc;
    rc = selection_offsets(&s.selection, cluster, e);
    if (rc == RC_OK)
        rc = all_save(&s, wanted, e);
    selection_fini(&s.selection);
    return rc;
}
