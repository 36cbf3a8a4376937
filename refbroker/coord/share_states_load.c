/* Reading __share_group_state back at a start: a snapshot, then the updates behind it. */
#include "lib/wire/batch_view.h"
#include "refbroker/coord/share_states_entry.h"
#include "refbroker/coord/state_log.h"
#include "refbroker/limits.h"

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct loader {
    struct share_states *states;
    struct arena arena;
};

static void
snapshot_load(struct share_shard *shard, const struct share_record *record, int64_t offset)
{
    struct share_state state;

    share_state_copy(&record->state, &state);
    share_states_entry_snapshot(shard, &record->key, &state, offset);
}

static bool
record_load(void *arg, const struct state_log_entry *from)
{
    struct loader *l = arg;
    struct share_shard *shard = &l->states->shards[from->partition];
    struct share_record record;
    struct share_entry *entry;
    struct share_state next;
    struct err e;

    if (batch_view_is_control(from->batch))
        return true;
    arena_reset(&l->arena);
    if (share_record_read(from->record, &l->arena, &record, &e) != RC_OK)
        return false;
    entry = share_states_entry_find(l->states, &record.key);
    /* A key of another partition of the log is none of this one's. */
    if (entry != NULL && entry->shard != shard)
        return false;
    if (record.is_gone) {
        share_states_entry_gone(shard, entry, from->record->offset);
    } else if (record.type == SHARE_RECORD_SNAPSHOT) {
        if (entry == NULL && map_count(&l->states->by_key) >= LIMIT_SHARE_STATES_MAX)
            return false;
        snapshot_load(shard, &record, from->record->offset);
    } else if (entry == NULL) {
        return false;
    } else {
        share_state_update(
            &entry->state, &record.state, record.state.batches, record.state.batch_count, &next);
        share_states_entry_update(entry, &next, record.state.leader_epoch);
    }
    return true;
}

/* Topics that went while nobody was there to see it. */
static void
topics_settle(struct share_states *states)
{
    struct share_topic *topic;
    size_t position = 0;

    while ((topic = map_next(&states->by_topic, &position, NULL, NULL)) != NULL)
        if (topics_find_id(&states->broker->topics, &topic->topic_id) == NULL)
            share_states_topic_mark(states, topic);
}

enum rc
share_states_load(struct share_states *states, struct err *e)
{
    struct loader l = {.states = states};
    enum rc rc;

    if (!share_states_shards(states))
        return RC_OK;
    arena_init(&l.arena, ARENA_BYTES_MAX);
    rc = state_log_read(states->broker, SHARE_STATES_TOPIC, record_load, &l, e);
    if (rc == RC_OK)
        topics_settle(states);
    arena_fini(&l.arena);
    return rc;
}
