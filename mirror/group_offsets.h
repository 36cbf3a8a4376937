/*
 * group_offsets: the offsets that groups have committed on the partitions of a selection, read from
 * a cluster and written into one.
 *
 * Offsets are asked for with require_stable (KIP-447): where a transaction is about to commit
 * another one, the partition has the code UNSTABLE_OFFSET_COMMIT in place of an offset. They are
 * written as nobody's (generation -1), which brokers take only while the group has no members, and
 * without the leader epoch, since the other cluster's epochs are others (a consumer that brings an
 * epoch which its log never had reads nothing).
 */
#ifndef MIRROR_GROUP_OFFSETS_H
#define MIRROR_GROUP_OFFSETS_H

#include "mirror/group_list.h"
#include "mirror/selection.h"

struct group_offset {
    uint32_t partition; /* its number in the selection */
    int64_t offset;     /* -1 where the code is another than NONE */
    int16_t code;
    void *metadata; /* what the client stored beside it: any bytes, */
    int32_t metadata_size;
};

/* Of one group. */
struct group_offsets {
    struct group_offset *items; /* by partition, each once */
    uint32_t count;
    uint32_t elsewhere; /* offsets on topics that are not selected */
    int16_t code;       /* why all of it failed: a code of Kafka's, */
    struct err failed;  /* or in words; RC_OK: it did not */
};

/* group_offsets_read fills out[i] for each group of the list whose wanted[i] holds (NULL: for all)
 * and that commits offsets; the others have none. */
void group_offsets_read(struct cluster *cluster, const struct selection *selection,
    const struct group_list *list, const bool *wanted, struct group_offsets *out);

/* group_offsets_commit writes those of each group that has any, and sets its `code` and `failed`.
 * Some of a group may be written where others are refused: who has to know reads them again. */
void group_offsets_commit(struct cluster *cluster, const struct selection *selection,
    const struct group_list *list, struct group_offsets *offsets);

/* group_offsets_add appends one, with a copy of the metadata; in the order of partitions where
 * group_offsets_find is to find it. */
void group_offsets_add(
    struct group_offsets *offsets, uint32_t partition, int64_t offset, struct wire_string metadata);

/* group_offsets_find returns what a group has of a partition, or NULL. */
const struct group_offset *group_offsets_find(
    const struct group_offsets *offsets, uint32_t partition);

/* group_offsets_free frees those of `count` groups; NULL is accepted. */
void group_offsets_free(struct group_offsets *offsets, uint32_t count);

#endif
