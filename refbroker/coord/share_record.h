/*
 * share_record: the records of __share_group_state, as Kafka 4.3 writes them
 * (ShareCoordinatorRecordHelpers, ShareCoordinatorRecordSerde).
 *
 * A snapshot has all of a partition's state; nothing instead of a value says that the state is
 * gone. An update has what changed since: batches to merge into those of the snapshot.
 */
#ifndef REFBROKER_COORD_SHARE_RECORD_H
#define REFBROKER_COORD_SHARE_RECORD_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/wire/batch_records.h"
#include "refbroker/coord/share_state.h"

/* As in the keys. */
enum share_record_type { SHARE_RECORD_SNAPSHOT = 0, SHARE_RECORD_UPDATE = 1 };

/* share_record_key appends the key of a partition of a group, share_record_value a value; of an
 * update only snapshot and leader epoch, start offset, count and batches count. RC_LIMIT where
 * `out` or the arena is full. */
MUST_CHECK enum rc share_record_key(
    enum share_record_type type, const struct share_key *key, struct buf *out, struct err *e);
MUST_CHECK enum rc share_record_value(enum share_record_type type, const struct share_state *state,
    struct arena *arena, struct buf *out, struct err *e);

/* One that was read. All of it lies in the arena, so that the state is not for share_state_fini. */
struct share_record {
    enum share_record_type type;
    struct share_key key;
    bool is_gone; /* a tombstone; the state is not set */
    struct share_state state;
};

/* share_record_read reads one. RC_UNSUPPORTED or RC_CORRUPT for what is no such record, and for
 * states that this broker would not write; RC_LIMIT where the arena is full. */
MUST_CHECK enum rc share_record_read(const struct batch_records_record *record, struct arena *arena,
    struct share_record *out, struct err *e);

#endif
