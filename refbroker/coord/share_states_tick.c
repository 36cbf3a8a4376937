/*
 * What the share coordinator does by itself: tombstones for topics that were deleted, snapshots of
 * what does not change, so that what came before them is not needed, and the end of that
 * (ShareCoordinatorService.setupSnapshotColdPartitions, setupRecordPruning).
 */
#include <string.h>

#include "lib/base/log.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/share_states_entry.h"
#include "refbroker/coord/state_log.h"
#include "refbroker/log/log_start.h"

#define RECORDS_PER_TICK 100 /* some 5 us each */

/* --- topics that are gone -------------------------------------------------------------------- */

/* Without a tombstone the entry comes back at the next start, and gets one then. */
static void
gone_write(struct share_entry *entry)
{
    struct share_shard *shard = entry->shard;
    int64_t offset = shard->tombstone_offset;

    if (share_states_put(shard, SHARE_RECORD_SNAPSHOT, &entry->key, NULL, &offset) != KE_NONE)
        log_warn("SHARE-STATE", "the state of a partition of group %s could not be removed",
            entry->key.group_id);
    share_states_entry_gone(shard, entry, offset);
}

static void
gone_run(struct share_states *states, size_t *budget)
{
    while (*budget > 0 && !list_is_empty(&states->gone)) {
        struct share_topic *topic = list_of(list_first(&states->gone), struct share_topic, in_gone);

        gone_write(list_of(list_first(&topic->entries), struct share_entry, in_topic));
        (*budget)--;
    }
}

/* --- cold snapshots -------------------------------------------------------------------------- */

static bool
cold_write(struct share_entry *entry, int64_t wall_ms)
{
    struct share_state next;
    int64_t offset;
    int16_t error;

    share_state_copy(&entry->state, &next);
    next.snapshot_epoch = share_state_epoch_next(next.snapshot_epoch);
    next.written_ms = wall_ms;
    error = share_states_put(entry->shard, SHARE_RECORD_SNAPSHOT, &entry->key, &next, &offset);
    if (error == KE_NONE)
        share_states_entry_snapshot(entry->shard, &entry->key, &next, offset);
    share_state_fini(&next);
    return error == KE_NONE;
}

/* A shard of which every entry was snapshotted so is left alone until one of them changes. */
static void
cold_enter(struct share_states *states, int32_t index)
{
    const struct share_shard *shard = &states->shards[index];

    states->cold_shard = index;
    states->cold_left = shard->cold_count == shard->entries.count ? 0 : shard->entries.count;
}

/* The entry that a round has to look at next, if its snapshot is old enough; they stand in the
 * order of their snapshots. */
static struct share_entry *
cold_next(const struct share_states *states, int64_t wall_ms)
{
    struct list_node *node = list_first(&states->shards[states->cold_shard].entries);
    struct share_entry *entry;

    if (node == NULL || states->cold_left == 0)
        return NULL;
    entry = list_of(node, struct share_entry, in_shard);
    return entry->state.written_ms <= wall_ms - states->broker->options.share_cold_snapshot_ms
               ? entry
               : NULL;
}

static void
cold_run(struct share_states *states, int64_t now_ms, size_t *budget)
{
    int64_t wall_ms = env_wall_ms(states->broker->env);

    if (states->cold_shard < 0 && now_ms >= states->cold_next_ms)
        cold_enter(states, 0);
    while (states->cold_shard >= 0 && *budget > 0) {
        struct share_entry *entry = cold_next(states, wall_ms);

        if (entry != NULL) {
            (*budget)--;
            states->cold_left = cold_write(entry, wall_ms) ? states->cold_left - 1 : 0;
        } else if (states->cold_shard + 1 < states->shard_count) {
            cold_enter(states, states->cold_shard + 1);
        } else {
            states->cold_shard = -1;
            states->cold_next_ms = now_ms + states->broker->options.share_cold_snapshot_ms;
        }
    }
}

/* --- pruning --------------------------------------------------------------------------------- */

/* The first offset that is still needed (ShareCoordinatorOffsetsManager). */
static int64_t
needed_from(const struct share_shard *shard)
{
    struct list_node *first = list_first(&shard->entries);

    return first == NULL ? shard->tombstone_offset
                         : list_of(first, struct share_entry, in_shard)->snapshot_offset;
}

static void
pruned(struct broker *broker, void *arg, struct partition *partition, int16_t error)
{
    struct share_states *states = arg;
    struct share_shard *shard;

    (void)broker;
    /* The log may be another one by now. */
    if (partition == NULL || states->shards == NULL ||
        memcmp(&partition->topic_id, &states->log_id, sizeof states->log_id) != 0)
        return;
    shard = &states->shards[partition->index];
    shard->pruning = false;
    if (error != KE_NONE)
        shard->prune_offset = -1;
}

/* What is needed has to be durable before what it replaces goes. */
static void
prune_durable(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct share_shard *shard = list_of(waiter, struct share_shard, waiter);
    struct topic *log =
        topics_find(&broker->topics, SHARE_STATES_TOPIC, strlen(SHARE_STATES_TOPIC));

    if (error == KE_NONE && log != NULL) {
        log_start_move(broker, log->partitions[shard->partition], shard->prune_offset, false,
            pruned, shard->states);
        return;
    }
    shard->pruning = false;
    shard->prune_offset = -1;
}

static void
prune_run(struct share_states *states)
{
    for (int32_t i = 0; i < states->shard_count; i++) {
        struct share_shard *shard = &states->shards[i];
        int64_t offset = needed_from(shard);

        if (shard->pruning || offset <= 0 || offset == shard->prune_offset)
            continue;
        shard->pruning = true;
        shard->prune_offset = offset;
        shard->waiter.done = prune_durable;
        state_log_wait(states->broker, SHARE_STATES_TOPIC, i, &shard->waiter);
    }
}

int64_t
share_states_tick(struct share_states *states)
{
    int64_t now_ms = env_now_ms(states->broker->env);
    size_t budget = RECORDS_PER_TICK;

    if (!share_states_shards(states))
        return INT64_MAX;
    gone_run(states, &budget);
    if (!features_share_groups(&states->broker->features))
        return list_is_empty(&states->gone) ? INT64_MAX : now_ms;
    cold_run(states, now_ms, &budget);
    if (now_ms >= states->prune_next_ms) {
        prune_run(states);
        states->prune_next_ms = now_ms + states->broker->options.share_prune_ms;
    }
    if (budget == 0)
        return now_ms;
    return states->cold_next_ms < states->prune_next_ms ? states->cold_next_ms
                                                        : states->prune_next_ms;
}
