#include "refbroker/coord/share_states_entry.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/share_key.h"
#include "refbroker/coord/state_log.h"

/* --- shards ---------------------------------------------------------------------------------- */

bool
share_states_shards(struct share_states *states)
{
    const struct topic *log;

    if (states->shards != NULL)
        return true;
    log = topics_find(&states->broker->topics, SHARE_STATES_TOPIC, strlen(SHARE_STATES_TOPIC));
    if (log == NULL)
        return false;
    states->log_id = log->topic_id;
    states->shard_count = log->partition_count;
    states->shards = xcalloc((size_t)log->partition_count, sizeof *states->shards);
    for (int32_t i = 0; i < states->shard_count; i++) {
        states->shards[i].states = states;
        states->shards[i].partition = i;
        states->shards[i].tombstone_offset = -1;
        states->shards[i].prune_offset = -1;
        list_init(&states->shards[i].entries);
    }
    return true;
}

static void
entry_free(void *value)
{
    struct share_entry *entry = value;

    share_state_fini(&entry->state);
    free(entry->group_id);
    free(entry);
}

void
share_states_clear(struct share_states *states)
{
    states->broker->stats.share_states -= (int64_t)map_count(&states->by_key);
    map_fini(&states->by_key, entry_free);
    map_fini(&states->by_topic, free);
    map_init(&states->by_key);
    map_init(&states->by_topic);
    list_init(&states->gone);
    free(states->shards);
    states->shards = NULL;
    states->shard_count = 0;
    states->batch_count = 0;
    states->cold_shard = -1;
}

/* --- entries --------------------------------------------------------------------------------- */

struct share_entry *
share_states_entry_find(const struct share_states *states, const struct share_key *key)
{
    char *text = share_key_text(key);
    struct share_entry *entry = map_get_text(&states->by_key, text);

    free(text);
    return entry;
}

struct share_shard *
share_states_shard_of(struct share_states *states, const struct share_key *key)
{
    char *text = share_key_text(key);
    int32_t partition = state_log_partition_among(text, states->shard_count);

    free(text);
    return &states->shards[partition];
}

static struct share_entry *
entry_make(struct share_shard *shard, const struct share_key *key)
{
    struct share_states *states = shard->states;
    struct share_entry *entry = xcalloc(1, sizeof *entry);
    struct share_topic *topic = map_get(&states->by_topic, &key->topic_id, sizeof key->topic_id);
    char *text = share_key_text(key);

    if (topic == NULL) {
        topic = xcalloc(1, sizeof *topic);
        topic->topic_id = key->topic_id;
        list_init(&topic->entries);
        (void)map_put(&states->by_topic, &key->topic_id, sizeof key->topic_id, topic);
    }
    entry->key = *key;
    entry->group_id = xstrdup(key->group_id);
    entry->key.group_id = entry->group_id;
    entry->topic = topic;
    entry->shard = shard;
    entry->leader_epoch_max = INT32_MIN;
    entry->state_epoch_max = INT32_MIN;
    list_push_back(&topic->entries, &entry->in_topic);
    list_push_back(&shard->entries, &entry->in_shard);
    (void)map_put_text(&states->by_key, text, entry);
    free(text);
    states->broker->stats.share_states++;
    return entry;
}

static bool
is_cold(const struct share_entry *entry)
{
    return entry->state.created_ms != entry->state.written_ms;
}

static void
state_set(struct share_entry *entry, struct share_state *state_take)
{
    struct share_shard *shard = entry->shard;

    shard->states->batch_count += state_take->batch_count - entry->state.batch_count;
    shard->cold_count -= is_cold(entry);
    share_state_fini(&entry->state);
    entry->state = *state_take;
    memset(state_take, 0, sizeof *state_take);
    shard->cold_count += is_cold(entry);
}

static void
epoch_raise(int32_t *epoch_max, int32_t epoch)
{
    if (epoch > *epoch_max)
        *epoch_max = epoch;
}

/* --- records --------------------------------------------------------------------------------- */

void
share_states_entry_snapshot(struct share_shard *shard, const struct share_key *key,
    struct share_state *state_take, int64_t offset)
{
    struct share_entry *entry = share_states_entry_find(shard->states, key);

    if (entry == NULL)
        entry = entry_make(shard, key);
    epoch_raise(&entry->leader_epoch_max, state_take->leader_epoch);
    epoch_raise(&entry->state_epoch_max, state_take->state_epoch);
    state_set(entry, state_take);
    if (entry->update_count >= shard->states->broker->options.share_updates_per_snapshot)
        entry->update_count = 0;
    entry->snapshot_offset = offset;
    list_remove(&entry->shard->entries, &entry->in_shard);
    list_push_back(&entry->shard->entries, &entry->in_shard);
}

void
share_states_entry_update(
    struct share_entry *entry, struct share_state *next_take, int32_t leader_epoch)
{
    epoch_raise(&entry->leader_epoch_max, leader_epoch);
    state_set(entry, next_take);
    entry->update_count++;
}

void
share_states_entry_gone(struct share_shard *shard, struct share_entry *entry, int64_t offset)
{
    struct share_states *states = shard->states;
    char *text;

    shard->tombstone_offset = offset;
    if (entry == NULL)
        return;
    text = share_key_text(&entry->key);
    (void)map_remove_text(&states->by_key, text);
    free(text);
    states->broker->stats.share_states--;
    states->batch_count -= entry->state.batch_count;
    entry->shard->cold_count -= is_cold(entry);
    list_remove(&entry->shard->entries, &entry->in_shard);
    list_remove(&entry->topic->entries, &entry->in_topic);
    if (list_is_empty(&entry->topic->entries)) {
        list_remove(&states->gone, &entry->topic->in_gone);
        (void)map_remove(&states->by_topic, &entry->key.topic_id, sizeof entry->key.topic_id);
        free(entry->topic);
    }
    entry_free(entry);
}

int16_t
share_states_put(struct share_shard *shard, enum share_record_type type,
    const struct share_key *key, const struct share_state *value, int64_t *offset)
{
    struct state_log_record record = {.value_size = -1};
    struct arena arena;
    struct buf key_bytes, value_bytes;
    int16_t error = KE_MESSAGE_TOO_LARGE;
    struct err e;
    enum rc rc;

    arena_init(&arena, STATE_LOG_BATCH_BYTES_MAX);
    buf_init(&key_bytes, STATE_LOG_BATCH_BYTES_MAX);
    buf_init(&value_bytes, STATE_LOG_BATCH_BYTES_MAX);
    rc = share_record_key(type, key, &key_bytes, &e);
    if (rc == RC_OK && value != NULL)
        rc = share_record_value(type, value, &arena, &value_bytes, &e);
    record.key = key_bytes.data;
    record.key_size = (int32_t)key_bytes.size;
    if (value != NULL) {
        record.value = value_bytes.data;
        record.value_size = (int32_t)value_bytes.size;
    }
    if (rc == RC_OK)
        error = state_log_put(shard->states->broker, SHARE_STATES_TOPIC, shard->partition, &record,
            1, -1, -1, offset);
    arena_fini(&arena);
    buf_fini(&key_bytes);
    buf_fini(&value_bytes);
    return error;
}

void
share_states_topic_mark(struct share_states *states, struct share_topic *topic)
{
    if (!list_is_linked(&topic->in_gone))
        list_push_back(&states->gone, &topic->in_gone);
}
