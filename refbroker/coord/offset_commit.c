#include "refbroker/coord/offset_commit.h"

#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/kerr.h"

#define KEY_TYPE_OFFSET 1
#define VALUE_VERSION_OFFSET 3

struct offset_commit *
offset_commit_new(struct groups *groups, struct wire_string group_id, size_t offsets_max)
{
    struct offset_commit *commit = xcalloc(1, sizeof *commit);

    commit->groups = groups;
    commit->group_id = xmemdup(group_id.data, (size_t)group_id.size);
    commit->entries = xcalloc(offsets_max, sizeof *commit->entries);
    commit->records = xcalloc(offsets_max, sizeof *commit->records);
    buf_init(&commit->bytes, STATE_LOG_BATCH_BYTES_MAX);
    return commit;
}

void
offset_commit_free(struct offset_commit *commit)
{
    for (size_t i = 0; i < commit->count; i++) {
        free(commit->entries[i].topic);
        free(commit->entries[i].metadata);
    }
    free(commit->entries);
    free(commit->records);
    free(commit->group_id);
    buf_fini(&commit->bytes);
    free(commit);
}

/* Appends a record's half: a number that tells what it is, then the message. */
static enum rc
half_encode(struct buf *bytes, int16_t number, const struct wire_message *message, int16_t version,
    const void *in, int32_t *size, struct err *e)
{
    size_t start = bytes->size;
    uint8_t prefix[2];
    enum rc rc;

    codec_bytes_put_int16(prefix, number);
    buf_append(bytes, prefix, sizeof prefix);
    rc = codec_encode(message, version, in, bytes, e);
    *size = (int32_t)(bytes->size - start);
    return rc;
}

enum rc
offset_commit_add(struct offset_commit *commit, const char *topic, int32_t partition,
    int64_t offset, int32_t leader_epoch, struct wire_string metadata, struct err *e)
{
    struct state_log_record *record = &commit->records[commit->count];
    struct km_offset_commit_key key = {.group = request_text(commit->group_id),
        .topic = request_text(topic),
        .partition = partition};
    struct km_offset_commit_value value;
    size_t start = commit->bytes.size;
    enum rc rc;

    codec_init(&km_offset_commit_value_desc, &value);
    value.offset = offset;
    value.leader_epoch = leader_epoch;
    value.metadata = metadata.size < 0 ? request_text("") : metadata;
    value.commit_timestamp = env_wall_ms(commit->groups->broker->env);
    rc = half_encode(&commit->bytes, KEY_TYPE_OFFSET, &km_offset_commit_key_message, 0, &key,
        &record->key_size, e);
    if (rc == RC_OK)
        rc = half_encode(&commit->bytes, VALUE_VERSION_OFFSET, &km_offset_commit_value_message,
            VALUE_VERSION_OFFSET, &value, &record->value_size, e);
    if (rc != RC_OK) {
        commit->bytes.size = start;
        return rc;
    }
    commit->entries[commit->count++] = (struct offset_entry){.topic = xstrdup(topic),
        .metadata = xmemdup(value.metadata.data, (size_t)value.metadata.size),
        .partition = partition,
        .leader_epoch = leader_epoch,
        .offset = offset,
        .commit_ms = value.commit_timestamp};
    return RC_OK;
}

static void
durable(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct offset_commit *commit = list_of(waiter, struct offset_commit, waiter);
    int64_t first = waiter->end_offset - (int64_t)commit->count;

    for (size_t i = 0; error == KE_NONE && i < commit->count; i++) {
        commit->entries[i].record_offset = first + (int64_t)i;
        groups_offset_put(
            commit->groups, commit->group_id, commit->producer_id, &commit->entries[i]);
        broker->stats.offset_commits_total++;
    }
    if (commit->request != NULL) {
        commit->answer(commit->request, error);
        broker_finish(broker, commit->request);
    }
    offset_commit_free(commit);
}

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct offset_commit *)request->park)->request = NULL;
}

/* The records' views, now that the bytes do not move any more. */
static void
records_point(struct offset_commit *commit)
{
    const uint8_t *at = commit->bytes.data;

    for (size_t i = 0; i < commit->count; i++) {
        struct state_log_record *record = &commit->records[i];

        record->key = at;
        record->value = at + record->key_size;
        at += record->key_size + record->value_size;
    }
}

void
offset_commit_send(struct offset_commit *commit, struct request *request, int64_t producer_id,
    int16_t producer_epoch, void (*answer)(struct request *request, int16_t error))
{
    struct broker *broker = commit->groups->broker;

    commit->request = request;
    commit->answer = answer;
    commit->producer_id = producer_id;
    commit->waiter.done = durable;
    request->park = commit;
    request->on_drop = dropped;
    records_point(commit);
    state_log_append(broker, GROUPS_TOPIC,
        state_log_partition_of(broker, GROUPS_TOPIC, commit->group_id), commit->records,
        commit->count, producer_id, producer_epoch, &commit->waiter);
}
