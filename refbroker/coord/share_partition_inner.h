/*
 * share_partition_inner: what the files share_partition*.c share.
 *
 * start_offset is never above the first piece, and no piece has offsets below it. Where there are
 * pieces end_offset is the last one's last offset, else it is start_offset.
 */
#ifndef REFBROKER_COORD_SHARE_PARTITION_INNER_H
#define REFBROKER_COORD_SHARE_PARTITION_INNER_H

#include "refbroker/coord/share_partition.h"
#include "refbroker/coord/share_pieces.h"

/* Gaps in what was stored. They count as long as nothing above them has been acquired. */
struct share_gaps {
    bool known;
    int64_t start_offset; /* none below */
    int64_t end_offset;   /* of the partition, when it began */
};

struct share_partition {
    struct share_limits limits;
    struct share_pieces pieces;
    struct share_gaps gaps;
    int64_t start_offset;
    int64_t end_offset;
    int64_t available_from; /* nothing below is AVAILABLE; INT64_MAX: nothing at all */
    int32_t state_epoch;
};

static inline int64_t
offset_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t
offset_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* share_partition_gaps_count tells whether gaps still count. */
bool share_partition_gaps_count(const struct share_partition *partition);

/* share_partition_gaps_pass notes that there is none below an offset. */
void share_partition_gaps_pass(struct share_partition *partition, int64_t offset);

/* share_partition_under_way is the number of records that the limit is for. */
int64_t share_partition_under_way(const struct share_partition *partition);

/* share_partition_lock_end is when a lock that begins now runs out. */
int64_t share_partition_lock_end(const struct share_partition *partition, int64_t now_ms);

/* share_partition_put gives an acquired piece another state, and puts it into what is to be stored;
 * in place of AVAILABLE it is ARCHIVED where it was delivered too often. */
void share_partition_put(struct share_partition *partition, struct share_piece *piece, int8_t state,
    struct share_changes *changes);

/* share_partition_archive archives offsets of a piece without storing that. */
void share_partition_archive(
    struct share_partition *partition, struct share_piece *piece, int64_t first, int64_t last);

/* share_partition_numbers puts the offset and the count of now into what is to be stored. */
void share_partition_numbers(
    const struct share_partition *partition, struct share_changes *changes);

/* share_partition_settle completes what is to be stored after share_partition_put, then moves the
 * start. */
void share_partition_settle(struct share_partition *partition, struct share_changes *changes);

/* share_partition_move_start moves start_offset over what is done; true where there was any. */
bool share_partition_move_start(struct share_partition *partition);

#endif
