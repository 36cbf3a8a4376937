/*
 * share_states_entry: the share coordinator's memory, and what a record changes in it; what the
 * files share_states*.c share.
 *
 *     share_states ── by key, and by topic ── entries (partition of a group: its state)
 *                  └─ shards (partition of the log) ── entries, by their last snapshot
 *
 * The order in a shard is that of the snapshots in the log. So the first entry tells what of the
 * log is still needed, and whose snapshot is the oldest. All functions run on the owner's thread.
 */
#ifndef REFBROKER_COORD_SHARE_STATES_ENTRY_H
#define REFBROKER_COORD_SHARE_STATES_ENTRY_H

#include "refbroker/coord/share_record.h"
#include "refbroker/coord/share_states.h"

struct share_topic;

/* A partition of a group. */
struct share_entry {
    struct share_key key;
    char *group_id; /* of the key, owned */
    struct share_topic *topic;
    struct share_shard *shard;
    struct list_node in_topic;
    struct list_node in_shard;
    struct share_state state;
    int64_t snapshot_offset;  /* of its last snapshot, in the shard's log */
    int32_t leader_epoch_max; /* of all its records: lower ones are fenced */
    int32_t state_epoch_max;
    int32_t update_count; /* records since the last snapshot that was due by their number */
};

/* A topic of which groups keep something. */
struct share_topic {
    struct list_node in_gone; /* of those that were deleted */
    struct wire_uuid topic_id;
    struct list entries;
};

/* A partition of the log. */
struct share_shard {
    struct share_states *states;
    int32_t partition;
    struct list entries;
    size_t cold_count; /* entries whose last snapshot was written because they did not change */
    int64_t tombstone_offset; /* of the last one; -1: none */
    int64_t prune_offset;     /* where the log was, or is being, cut off; -1: nowhere */
    bool pruning;
    struct append_waiter waiter; /* of a pruning */
};

struct share_states {
    struct broker *broker;
    struct map by_key;   /* share_key_text -> struct share_entry */
    struct map by_topic; /* id -> struct share_topic */
    struct list gone;    /* struct share_topic */
    struct wire_uuid log_id;
    struct share_shard *shards; /* NULL until the log is there */
    int32_t shard_count;        /* as the log was when it was first seen */
    size_t batch_count;         /* in all states */
    int64_t cold_next_ms;
    int32_t cold_shard; /* where a round of cold snapshots is; -1: none is under way */
    size_t cold_left;   /* of its entries, those that the round has yet to look at */
    int64_t prune_next_ms;
};

/* share_states_shards tells whether the log is there, and makes its shards when it is new. */
bool share_states_shards(struct share_states *states);

/* share_states_clear forgets everything, as the log itself is gone. */
void share_states_clear(struct share_states *states);

struct share_entry *share_states_entry_find(
    const struct share_states *states, const struct share_key *key);

/* share_states_shard_of is the shard that a new entry belongs to; one that is there stays. */
struct share_shard *share_states_shard_of(struct share_states *states, const struct share_key *key);

/* What a record does when it is in the log; states are taken over. */

/* share_states_entry_snapshot makes the entry where it is not there. */
void share_states_entry_snapshot(struct share_shard *shard, const struct share_key *key,
    struct share_state *state_take, int64_t offset);

/* share_states_entry_update: `next` is what share_state_update made of the entry's state and the
 * record's, whose leader epoch is given. */
void share_states_entry_update(
    struct share_entry *entry, struct share_state *next_take, int32_t leader_epoch);

/* share_states_entry_gone removes an entry; NULL is one that was not there. */
void share_states_entry_gone(struct share_shard *shard, struct share_entry *entry, int64_t offset);

/*
 * share_states_put writes a record of an entry, or of a key that is to become one; `value` NULL is
 * a tombstone. 0 and *offset, or the code of what went wrong, with nothing written.
 */
MUST_CHECK int16_t share_states_put(struct share_shard *shard, enum share_record_type type,
    const struct share_key *key, const struct share_state *value, int64_t *offset);

/* share_states_topic_mark leaves the entries of a topic that is not there to the ticks, which write
 * tombstones for them. */
void share_states_topic_mark(struct share_states *states, struct share_topic *topic);

#endif
