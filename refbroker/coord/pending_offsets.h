/*
 * pending_offsets: what open transactions have committed for groups (TxnOffsetCommit, KIP-98,
 * KIP-447).
 *
 * Such offsets lie in __consumer_offsets already but are invisible: the marker that ends the
 * producer's transaction in that partition makes them the group's, or drops them. As in Kafka 4.3
 * (OffsetMetadataManager), an offset that was committed later in the log than a pending one stays.
 *
 * Bounded by what __consumer_offsets takes. Not thread-safe.
 */
#ifndef REFBROKER_COORD_PENDING_OFFSETS_H
#define REFBROKER_COORD_PENDING_OFFSETS_H

#include "lib/base/map.h"
#include "refbroker/coord/offsets.h"

struct pending_offsets {
    struct map producers; /* struct pending_producer by partition of the log and producer id */
    struct map open;      /* how many producers have an offset of a group's partition pending */
    struct map groups;    /* how many partitions of a group are in `open` */
};

void pending_offsets_init(struct pending_offsets *pending);
void pending_offsets_fini(struct pending_offsets *pending);

/* pending_offsets_put keeps an offset, in place of an earlier one of the same producer; texts are
 * copied. */
void pending_offsets_put(struct pending_offsets *pending, int32_t log_partition,
    int64_t producer_id, const char *group_id, const struct offset_entry *entry);

/* pending_offsets_has tells whether a group's partition has an offset pending. */
bool pending_offsets_has(const struct pending_offsets *pending, const char *group_id,
    const char *topic, size_t topic_size, int32_t partition);

bool pending_offsets_has_group(const struct pending_offsets *pending, const char *group_id);

/* pending_offsets_next walks the partitions of a group that have an offset pending, in the order of
 * their first commits; start with *position = 0. The topic is a view without an end; NULL where
 * there is no more. */
const char *pending_offsets_next(const struct pending_offsets *pending, const char *group_id,
    size_t *position, size_t *topic_size, int32_t *partition);

/* pending_offsets_end takes out all offsets of a producer in a partition of the log, in the order
 * of their first commits, and gives each to fn, where that is not NULL. */
typedef void pending_offsets_fn(void *arg, const char *group_id, const struct offset_entry *entry);
void pending_offsets_end(struct pending_offsets *pending, int32_t log_partition,
    int64_t producer_id, pending_offsets_fn *fn, void *arg);

/* pending_offsets_forget drops a group's pending offsets of a partition, of all producers whose
 * transactions go into that partition of the log. */
void pending_offsets_forget(struct pending_offsets *pending, int32_t log_partition,
    const char *group_id, const char *topic, size_t topic_size, int32_t partition);

#endif
