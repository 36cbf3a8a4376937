#include "refbroker/coord/share_states.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/share_states_entry.h"
#include "refbroker/coord/state_log.h"
#include "refbroker/limits.h"

/* What Kafka says (Errors, ShareCoordinatorShard). */
#define NEGATIVE_PARTITION "The partition id cannot be a negative number."
#define UNINITIALIZED "operation on uninitialized share partition not allowed."
#define FENCED_LEADER_EPOCH "The leader epoch in the request is older than the epoch on the broker."
#define FENCED_STATE_EPOCH                                                                         \
    "The share coordinator rejected the request because the share-group state epoch did not "      \
    "match."
#define NOT_COORDINATOR "This is not the correct coordinator."

/* What only this broker says. */
#define TOO_MANY_BATCHES "The partition has too many batches of states."

struct share_states *
share_states_new(struct broker *broker)
{
    struct share_states *states = xcalloc(1, sizeof *states);
    int64_t now = env_now_ms(broker->env);

    states->broker = broker;
    map_init(&states->by_key);
    map_init(&states->by_topic);
    list_init(&states->gone);
    states->cold_shard = -1;
    states->cold_next_ms = now + broker->options.share_cold_snapshot_ms;
    states->prune_next_ms = now + broker->options.share_prune_ms;
    return states;
}

void
share_states_free(struct share_states *states)
{
    if (states == NULL)
        return;
    share_states_clear(states);
    free(states);
}

bool
share_states_ready(struct share_states *states)
{
    return state_log_ready(states->broker, SHARE_STATES_TOPIC);
}

const struct share_state *
share_states_find(const struct share_states *states, const struct share_key *key)
{
    const struct share_entry *entry = share_states_entry_find(states, key);

    return entry == NULL ? NULL : &entry->state;
}

/* --- refusals -------------------------------------------------------------------------------- */

static int16_t
refuse(struct err *e, int16_t error, const char *why)
{
    (void)err_set(e, RC_CONFLICT, "%s", why);
    return error;
}

/* CoordinatorOperationExceptionHelper */
int16_t
share_states_append_error(int16_t error, struct err *e)
{
    switch (error) {
    case KE_NONE:
        return KE_NONE;
    case KE_COORDINATOR_NOT_AVAILABLE:
        return refuse(e, error, "The coordinator is not available.");
    case KE_UNKNOWN_TOPIC_OR_PARTITION:
        return refuse(e, KE_COORDINATOR_NOT_AVAILABLE, TOPICS_UNKNOWN_WHY);
    case KE_KAFKA_STORAGE_ERROR:
        return refuse(
            e, KE_NOT_COORDINATOR, "Disk error when trying to access log file on the disk.");
    default:
        return refuse(e, KE_UNKNOWN_SERVER_ERROR, SHARE_STATES_UNEXPECTED_WHY);
    }
}

/* What comes first: whether there is a log, and the partition a number that one can have. */
static int16_t
ask_begin(struct share_states *states, const struct share_key *key, struct err *e)
{
    if (!share_states_shards(states))
        return refuse(e, KE_NOT_COORDINATOR, NOT_COORDINATOR);
    if (key->partition < 0)
        return refuse(e, KE_INVALID_REQUEST, NEGATIVE_PARTITION);
    if (*key->group_id == '\0' || strlen(key->group_id) > INT16_MAX)
        return refuse(e, KE_INVALID_REQUEST, "A group's id is missing, or too long.");
    return KE_NONE;
}

/* What comes last: whether the partition is there. */
static int16_t
ask_topic(const struct share_states *states, const struct share_key *key, struct err *e)
{
    const struct topic *topic = topics_find_id(&states->broker->topics, &key->topic_id);

    return topic != NULL && key->partition < topic->partition_count
               ? KE_NONE
               : refuse(e, KE_UNKNOWN_TOPIC_OR_PARTITION, TOPICS_UNKNOWN_WHY);
}

static bool
is_fenced(int32_t epoch, int32_t epoch_max)
{
    return epoch != -1 && epoch_max > epoch;
}

static int16_t
log_wait(struct share_shard *shard, struct append_waiter *waiter)
{
    state_log_wait(shard->states->broker, SHARE_STATES_TOPIC, shard->partition, waiter);
    return KE_NONE;
}

/* --- changes --------------------------------------------------------------------------------- */

/* Whether a state may become as large as `next`. */
static bool
fits(const struct share_states *states, const struct share_state *now,
    const struct share_state *next)
{
    return next->batch_count <= now->batch_count ||
           (next->batch_count <= LIMIT_SHARE_STATE_BATCHES_MAX &&
               states->batch_count - now->batch_count + next->batch_count <=
                   LIMIT_SHARE_BATCHES_MAX);
}

static int16_t
snapshot_write(struct share_entry *entry, struct share_state *next_take, struct err *e)
{
    int64_t offset;
    int16_t error;

    next_take->snapshot_epoch = share_state_epoch_next(next_take->snapshot_epoch);
    next_take->created_ms = env_wall_ms(entry->shard->states->broker->env);
    next_take->written_ms = next_take->created_ms;
    error = share_states_put(entry->shard, SHARE_RECORD_SNAPSHOT, &entry->key, next_take, &offset);
    if (error != KE_NONE)
        return share_states_append_error(error, e);
    share_states_entry_snapshot(entry->shard, &entry->key, next_take, offset);
    return KE_NONE;
}

static int16_t
update_write(struct share_entry *entry, const struct share_state *update,
    struct share_state *next_take, struct err *e)
{
    int64_t offset;
    int16_t error =
        share_states_put(entry->shard, SHARE_RECORD_UPDATE, &entry->key, update, &offset);

    if (error != KE_NONE)
        return share_states_append_error(error, e);
    share_states_entry_update(entry, next_take, update->leader_epoch);
    return KE_NONE;
}

/*
 * Writes the record of a change: an update, whose batches are merged among themselves, or a
 * snapshot where enough updates came since the last one (generateShareStateRecord). Of `change`
 * leader epoch, start offset and count are looked at.
 */
static int16_t
change_write(struct share_entry *entry, const struct share_state *change,
    const struct share_batch *batches, size_t count, struct err *e)
{
    const struct share_states *states = entry->shard->states;
    bool is_snapshot = entry->update_count >= states->broker->options.share_updates_per_snapshot;
    struct share_state update = *change, next;
    int16_t error;

    update.snapshot_epoch = entry->state.snapshot_epoch;
    update.batches = NULL;
    update.batch_count = 0;
    if (!is_snapshot) {
        share_state_merge(&update, batches, count);
        batches = update.batches;
        count = update.batch_count;
    }
    share_state_update(&entry->state, change, batches, count, &next);
    if (!fits(states, &entry->state, &next))
        error = refuse(e, KE_UNKNOWN_SERVER_ERROR, TOO_MANY_BATCHES);
    else if (is_snapshot)
        error = snapshot_write(entry, &next, e);
    else
        error = update_write(entry, &update, &next, e);
    share_state_fini(&update);
    share_state_fini(&next);
    return error;
}

int16_t
share_states_initialize(struct share_states *states, const struct share_key *key,
    int32_t state_epoch, int64_t start_offset, struct append_waiter *waiter, struct err *e)
{
    const struct share_entry *entry;
    struct share_state state = {.state_epoch = state_epoch,
        .start_offset = start_offset,
        .delivery_complete_count = start_offset == SHARE_OFFSET_UNKNOWN ? -1 : 0};
    int16_t error = ask_begin(states, key, e);
    struct share_shard *shard;
    int64_t offset;

    if (error != KE_NONE)
        return error;
    entry = share_states_entry_find(states, key);
    if (entry != NULL && is_fenced(state_epoch, entry->state_epoch_max))
        return refuse(e, KE_FENCED_STATE_EPOCH, FENCED_STATE_EPOCH);
    error = ask_topic(states, key, e);
    if (error != KE_NONE)
        return error;
    if (start_offset < SHARE_OFFSET_UNKNOWN)
        return refuse(e, KE_INVALID_REQUEST, "The start offset cannot be below -1.");
    if (entry == NULL && map_count(&states->by_key) >= LIMIT_SHARE_STATES_MAX)
        return refuse(e, KE_COORDINATOR_NOT_AVAILABLE, "Share groups have too many partitions.");
    shard = entry != NULL ? entry->shard : share_states_shard_of(states, key);
    state.snapshot_epoch = entry == NULL ? 0 : share_state_epoch_next(entry->state.snapshot_epoch);
    state.created_ms = state.written_ms = env_wall_ms(states->broker->env);
    error = share_states_put(shard, SHARE_RECORD_SNAPSHOT, key, &state, &offset);
    if (error != KE_NONE)
        return share_states_append_error(error, e);
    share_states_entry_snapshot(shard, key, &state, offset);
    return log_wait(shard, waiter);
}

int16_t
share_states_read(struct share_states *states, const struct share_key *key, int32_t leader_epoch,
    const struct share_state **out, struct append_waiter *waiter, struct err *e)
{
    int16_t error = ask_begin(states, key, e);
    struct share_entry *entry;
    struct share_state change;

    if (error != KE_NONE)
        return error;
    entry = share_states_entry_find(states, key);
    if (entry == NULL)
        return refuse(e, KE_INVALID_REQUEST, "Read " UNINITIALIZED);
    if (is_fenced(leader_epoch, entry->leader_epoch_max))
        return refuse(e, KE_FENCED_LEADER_EPOCH, FENCED_LEADER_EPOCH);
    error = ask_topic(states, key, e);
    if (error == KE_NONE && leader_epoch != -1 && leader_epoch != entry->leader_epoch_max) {
        change = entry->state;
        change.leader_epoch = leader_epoch;
        error = change_write(entry, &change, NULL, 0, e);
    }
    if (error != KE_NONE)
        return error;
    *out = &entry->state;
    return log_wait(entry->shard, waiter);
}

int16_t
share_states_summary(struct share_states *states, const struct share_key *key,
    const struct share_state **out, struct append_waiter *waiter, struct err *e)
{
    int16_t error = ask_begin(states, key, e);
    const struct share_entry *entry;

    if (error == KE_NONE)
        error = ask_topic(states, key, e);
    if (error != KE_NONE)
        return error;
    entry = share_states_entry_find(states, key);
    *out = entry == NULL ? NULL : &entry->state;
    return log_wait(entry == NULL ? share_states_shard_of(states, key) : entry->shard, waiter);
}

int16_t
share_states_write(struct share_states *states, const struct share_key *key,
    const struct share_write *write, struct append_waiter *waiter, struct err *e)
{
    int16_t error = ask_begin(states, key, e);
    struct share_entry *entry;
    struct share_state change;

    if (error != KE_NONE)
        return error;
    entry = share_states_entry_find(states, key);
    if (entry == NULL)
        return refuse(e, KE_INVALID_REQUEST, "Write " UNINITIALIZED);
    if (is_fenced(write->leader_epoch, entry->leader_epoch_max))
        return refuse(e, KE_FENCED_LEADER_EPOCH, FENCED_LEADER_EPOCH);
    if (is_fenced(write->state_epoch, entry->state_epoch_max))
        return refuse(e, KE_FENCED_STATE_EPOCH, FENCED_STATE_EPOCH);
    error = ask_topic(states, key, e);
    if (error != KE_NONE)
        return error;
    if (write->batch_count > LIMIT_SHARE_STATE_BATCHES_MAX)
        return refuse(e, KE_UNKNOWN_SERVER_ERROR, TOO_MANY_BATCHES);
    if (write->start_offset < SHARE_OFFSET_UNKNOWN ||
        !share_state_batches_are_valid(write->batches, write->batch_count))
        return refuse(e, KE_INVALID_REQUEST, "The offsets or states cannot be.");
    /* The leader epoch is that of the last read, whatever the writer's is. */
    change = entry->state;
    change.start_offset = write->start_offset;
    change.delivery_complete_count = write->delivery_complete_count;
    error = change_write(entry, &change, write->batches, write->batch_count, e);
    return error == KE_NONE ? log_wait(entry->shard, waiter) : error;
}

int16_t
share_states_delete(struct share_states *states, const struct share_key *key,
    struct append_waiter *waiter, struct err *e)
{
    int16_t error = ask_begin(states, key, e);
    struct share_entry *entry;
    struct share_shard *shard;
    int64_t offset;

    if (error == KE_NONE)
        error = ask_topic(states, key, e);
    if (error != KE_NONE)
        return error;
    entry = share_states_entry_find(states, key);
    if (entry == NULL)
        return log_wait(share_states_shard_of(states, key), waiter);
    shard = entry->shard;
    error = share_states_put(shard, SHARE_RECORD_SNAPSHOT, key, NULL, &offset);
    if (error != KE_NONE)
        return share_states_append_error(error, e);
    share_states_entry_gone(shard, entry, offset);
    return log_wait(shard, waiter);
}

void
share_states_topic_gone(struct share_states *states, const struct wire_uuid *topic_id)
{
    struct share_topic *topic = map_get(&states->by_topic, topic_id, sizeof *topic_id);

    if (states->shards != NULL && memcmp(&states->log_id, topic_id, sizeof *topic_id) == 0)
        share_states_clear(states);
    else if (topic != NULL)
        share_states_topic_mark(states, topic);
}
