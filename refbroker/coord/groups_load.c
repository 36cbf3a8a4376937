/* Reading __consumer_offsets back at a start: the records in order, the last one of a key wins. */
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"
#include "refbroker/coord/consumer_records.h"
#include "refbroker/log/reader.h"

#define SCRATCH_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct loader {
    struct groups *groups;
    struct arena arena;
    struct buf scratch;
    size_t unknown;
    struct err *e;
};

/* Decodes what stands behind a leading int16; false where it is not readable. */
static bool
body_decode(struct loader *l, const struct wire_message *message, int16_t version,
    const uint8_t *data, int32_t size, void *out)
{
    return codec_decode(message, version, data + 2, (size_t)size - 2, &l->arena, out, NULL, l->e) ==
           RC_OK;
}

static bool
offset_load(struct loader *l, const struct batch_records_record *record)
{
    struct km_offset_commit_value value;
    struct km_offset_commit_key key;
    struct group *group;

    if (!body_decode(l, &km_offset_commit_key_message, 0, record->key, record->key_size, &key))
        return false;
    if (record->value_size < 0) {
        group = groups_find(l->groups, key.group);
        if (group != NULL)
            offsets_remove(&group->offsets, key.topic.data, (size_t)key.topic.size, key.partition);
        return true;
    }
    if (record->value_size < 2 ||
        !body_decode(l, &km_offset_commit_value_message, codec_bytes_int16(record->value),
            record->value, record->value_size, &value))
        return false;
    group = groups_make(l->groups, key.group);
    if (group != NULL)
        offsets_put(&group->offsets, key.topic.data, (size_t)key.topic.size, key.partition,
            value.offset, value.leader_epoch, value.metadata.data, (size_t)value.metadata.size,
            value.commit_timestamp);
    return group != NULL;
}

static bool
group_load(struct loader *l, const struct batch_records_record *record)
{
    struct km_group_metadata_value value;
    struct km_group_metadata_key key;
    struct group *group;

    if (!body_decode(l, &km_group_metadata_key_message, 0, record->key, record->key_size, &key))
        return false;
    if (record->value_size < 0) {
        codec_init(&km_group_metadata_value_desc, &value);
        group = groups_find(l->groups, key.group);
    } else {
        if (record->value_size < 2 ||
            !body_decode(l, &km_group_metadata_value_message, codec_bytes_int16(record->value),
                record->value, record->value_size, &value))
            return false;
        group = groups_make(l->groups, key.group);
    }
    if (group != NULL)
        group_restore(group, &value);
    if (group != NULL)
        group->loaded = record->value_size >= 0;
    return true;
}

static void
record_load(struct loader *l, const struct batch_records_record *record)
{
    int16_t type = record->key_size < 2 ? -1 : codec_bytes_int16(record->key);
    bool known = false;

    arena_reset(&l->arena);
    if (type == GROUP_RECORD_OFFSET || type == GROUP_RECORD_OFFSET_OLD)
        known = offset_load(l, record);
    else if (type == GROUP_RECORD_GROUP)
        known = group_load(l, record);
    else
        known = consumer_records_load(l->groups, &l->arena, type,
            (struct wire_bytes){record->key, record->key_size},
            (struct wire_bytes){record->value, record->value_size});
    l->unknown += !known;
}

static enum rc
batches_load(struct loader *l, const uint8_t *data, size_t size)
{
    struct batch_view_cursor cursor = {data, size};
    struct batch_records_record record;
    struct batch_records records;
    struct batch_view batch;
    bool found;
    enum rc rc;

    while ((rc = batch_view_next(&cursor, &batch, &found, l->e)) == RC_OK && found) {
        if (batch_view_is_control(&batch))
            continue;
        rc = batch_records_open(&records, &batch, &l->scratch, SCRATCH_BYTES_MAX, l->e);
        while (rc == RC_OK && (rc = batch_records_next(&records, &record, &found, l->e)) == RC_OK &&
               found)
            record_load(l, &record);
        if (rc != RC_OK)
            break;
    }
    return rc;
}

static enum rc
run_load(struct loader *l, const struct run *run)
{
    char key[READER_KEY_BYTES];
    struct blob *blob = blob_new(run->size);
    enum rc rc;

    if (blob == NULL)
        return err_set(l->e, RC_LIMIT, "no memory for a run of %u bytes", run->size);
    reader_key(key, run->object_id);
    rc = store_get(l->groups->broker->store, key, run->position, blob->data, run->size, l->e);
    if (rc == RC_OK && crc32c_of(blob->data, run->size) != run->crc)
        rc = err_set(l->e, RC_CORRUPT, "object %s is damaged", key);
    if (rc == RC_OK)
        rc = batches_load(l, blob->data, run->size);
    blob_unref(blob);
    return rc;
}

static enum rc
partition_load(struct loader *l, const struct partition *partition)
{
    int64_t cached_from = cache_start(partition);
    const struct cached_batch *cached;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < partition->runs.count && rc == RC_OK; i++)
        if (partition->runs.runs[i].base_offset < cached_from)
            rc = run_load(l, &partition->runs.runs[i]);
    for (cached = cache_find(partition, cached_from); cached != NULL && rc == RC_OK;
         cached = cache_next(cached))
        rc = batches_load(l, cached->data, cached->size);
    return rc;
}

/* Of a deleted group nothing is left. */
static void
groups_settle(struct groups *groups)
{
    struct group *group;
    size_t position = 0;

    consumer_records_loaded(groups);
    while ((group = groups_next(groups, &position)) != NULL)
        if (!group->loaded && group->consumer == NULL && offsets_count(&group->offsets) == 0)
            groups_remove(group);
}

enum rc
groups_load(struct groups *groups, struct err *e)
{
    struct topic *topic = topics_find(&groups->broker->topics, GROUPS_TOPIC, strlen(GROUPS_TOPIC));
    struct loader l = {.groups = groups, .e = e};
    enum rc rc = RC_OK;

    arena_init(&l.arena, ARENA_BYTES_MAX);
    buf_init(&l.scratch, SCRATCH_BYTES_MAX);
    for (int32_t i = 0; topic != NULL && i < topic->partition_count && rc == RC_OK; i++) {
        rc = partition_load(&l, topic->partitions[i]);
        if (rc != RC_OK)
            err_note(e, GROUPS_TOPIC "-%d", i);
    }
    if (rc == RC_OK)
        groups_settle(groups);
    if (l.unknown > 0)
        log_warn("GROUP-LOAD", "%zu records of " GROUPS_TOPIC " were passed over", l.unknown);
    arena_fini(&l.arena);
    buf_fini(&l.scratch);
    return rc;
}
