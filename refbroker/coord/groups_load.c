/* Reading __consumer_offsets back at a start: the records in order, the last one of a key wins. */
#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/coord/consumer_records.h"
#include "refbroker/coord/share_records.h"
#include "refbroker/coord/streams_records.h"

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct loader {
    struct groups *groups;
    struct arena arena;
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

static char *
text_of(struct loader *l, struct wire_string string)
{
    return string.size <= 0 ? arena_strdup(&l->arena, "")
                            : arena_printf(&l->arena, "%.*s", (int)string.size, string.data);
}

static void
offset_forget(struct loader *l, int32_t log_partition, const struct km_offset_commit_key *key)
{
    struct group *group = groups_find(l->groups, key->group);
    size_t size = (size_t)key->topic.size;

    if (group != NULL)
        offsets_remove(&group->offsets, key->topic.data, size, key->partition);
    pending_offsets_forget(&l->groups->pending, log_partition, text_of(l, key->group),
        key->topic.data, size, key->partition);
}

static bool
offset_load(struct loader *l, const struct state_log_entry *from)
{
    const struct batch_records_record *record = from->record;
    struct km_offset_commit_value value;
    struct km_offset_commit_key key;
    struct offset_entry entry;
    const char *group_id;

    if (!body_decode(l, &km_offset_commit_key_message, 0, record->key, record->key_size, &key))
        return false;
    if (record->value_size < 0) {
        offset_forget(l, from->partition, &key);
        return true;
    }
    if (record->value_size < 2 ||
        !body_decode(l, &km_offset_commit_value_message, codec_bytes_int16(record->value),
            record->value, record->value_size, &value))
        return false;
    group_id = text_of(l, key.group);
    entry = (struct offset_entry){.topic = text_of(l, key.topic),
        .metadata = text_of(l, value.metadata),
        .partition = key.partition,
        .leader_epoch = value.leader_epoch,
        .offset = value.offset,
        .commit_ms = value.commit_timestamp,
        .record_offset = record->offset};
    if (arena_is_full(&l->arena))
        return false;
    groups_offset_put(l->groups, group_id,
        batch_view_is_transactional(from->batch) ? from->batch->producer_id : -1, &entry);
    return true;
}

/* The key of a marker is its version and type (0: abort, 1: commit). */
static bool
marker_load(struct loader *l, const struct state_log_entry *from)
{
    const struct batch_records_record *record = from->record;
    int16_t type = record->key_size < 4 ? -1 : codec_bytes_int16(record->key + 2);

    if (type == 0 || type == 1)
        groups_txn_end(l->groups, from->partition, from->batch->producer_id, type == 1);
    return true;
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

typedef bool records_load_fn(struct groups *groups, struct arena *arena, int16_t type,
    struct wire_bytes key, struct wire_bytes value);

/* Of the protocol that a record is of. */
static records_load_fn *
loader_of(int16_t type)
{
    if (type >= GROUP_RECORD_SHARE_MEMBER && type <= GROUP_RECORD_SHARE_STAGES)
        return share_records_load;
    return type >= GROUP_RECORD_STREAMS_EPOCH && type <= GROUP_RECORD_STREAMS_TOPOLOGY
               ? streams_records_load
               : consumer_records_load;
}

static bool
record_load(void *arg, const struct state_log_entry *entry)
{
    const struct batch_records_record *record = entry->record;
    int16_t type = record->key_size < 2 ? -1 : codec_bytes_int16(record->key);
    struct loader *l = arg;

    if (batch_view_is_control(entry->batch))
        return marker_load(l, entry);
    arena_reset(&l->arena);
    if (type == GROUP_RECORD_OFFSET || type == GROUP_RECORD_OFFSET_OLD)
        return offset_load(l, entry);
    if (type == GROUP_RECORD_GROUP)
        return group_load(l, record);
    return loader_of(type)(l->groups, &l->arena, type,
        (struct wire_bytes){record->key, record->key_size},
        (struct wire_bytes){record->value, record->value_size});
}

/* Of a deleted group nothing is left. */
static void
groups_settle(struct groups *groups)
{
    struct group *group;
    size_t position = 0;

    consumer_records_loaded(groups);
    share_records_loaded(groups);
    streams_records_loaded(groups);
    while ((group = groups_next(groups, &position)) != NULL)
        if (!group->loaded && group_is_classic(group) && offsets_count(&group->offsets) == 0 &&
            !pending_offsets_has_group(&groups->pending, group->group_id))
            groups_remove(group);
}

enum rc
groups_load(struct groups *groups, struct err *e)
{
    struct loader l = {.groups = groups, .e = e};
    enum rc rc;

    arena_init(&l.arena, ARENA_BYTES_MAX);
    rc = state_log_read(groups->broker, GROUPS_TOPIC, record_load, &l, e);
    if (rc == RC_OK)
        groups_settle(groups);
    arena_fini(&l.arena);
    return rc;
}
