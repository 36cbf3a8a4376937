/*
 * offset_commit: offsets of one group on their way into __consumer_offsets.
 *
 * They are collected, appended as one batch, and take effect when that is durable: at once, or, as
 * part of a transaction, with the transaction. A commit outlives the request that asked for it.
 * Not thread-safe.
 */
#ifndef REFBROKER_COORD_OFFSET_COMMIT_H
#define REFBROKER_COORD_OFFSET_COMMIT_H

#include "lib/base/buf.h"
#include "refbroker/coord/groups.h"
#include "refbroker/request.h"

struct offset_commit {
    struct append_waiter waiter;
    struct groups *groups;
    struct request *request; /* NULL: nobody waits any more */
    void (*answer)(struct request *request, int16_t error);
    char *group_id;
    int64_t producer_id; /* of the transaction; -1: none */
    struct offset_entry *entries;
    struct state_log_record *records;
    size_t count;
    struct buf bytes; /* keys and values of the records */
};

/* offset_commit_new begins a commit of at most offsets_max offsets. */
struct offset_commit *offset_commit_new(
    struct groups *groups, struct wire_string group_id, size_t offsets_max);
void offset_commit_free(struct offset_commit *commit);

/* offset_commit_add adds an offset; null metadata is empty, an id of zeros says none. RC_LIMIT
 * where the records become too large; the offset is not in it then. */
MUST_CHECK enum rc offset_commit_add(struct offset_commit *commit, const char *topic,
    const struct wire_uuid *topic_id, int32_t partition, int64_t offset, int32_t leader_epoch,
    struct wire_string metadata, struct err *e);

/*
 * offset_commit_send appends what was added, at least one offset, and parks the request: `answer`
 * fills the code in when the offsets are durable (0) or cannot be, and the request is finished.
 * With a producer id the offsets become part of that producer's transaction.
 */
void offset_commit_send(struct offset_commit *commit_take, struct request *request,
    int64_t producer_id, int16_t producer_epoch,
    void (*answer)(struct request *request, int16_t error));

#endif
