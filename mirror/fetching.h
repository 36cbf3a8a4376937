/*
 * fetching: Fetch requests for partitions of a selection, built for a batch of cluster_fan.
 */
#ifndef MIRROR_FETCHING_H
#define MIRROR_FETCHING_H

#include "mirror/selection.h"

struct fetching_limits {
    int32_t wait_ms;
    int32_t bytes_max; /* of the reply */
    int32_t partition_bytes_max;
};

/* Where to go on reading a partition. */
typedef int64_t fetching_offset_fn(const void *arg, uint32_t number);

/* fetching_build fills batch->request for all items of the batch and returns how many they are, 0
 * where the arena is full. */
size_t fetching_build(struct cluster_fan_batch *batch, const struct selection *selection,
    const struct fetching_limits *limits, fetching_offset_fn *offset, const void *arg);

/* The versions that name topics by name; ids would have to be asked for at each cluster. */
extern const struct wire_range fetching_versions;

#endif
