/*
 * offsets: what one group has committed.
 *
 * Offsets are kept by topic name and partition, as the records of __consumer_offsets name them.
 */
#ifndef REFBROKER_COORD_OFFSETS_H
#define REFBROKER_COORD_OFFSETS_H

#include <stdint.h>

#include "lib/base/map.h"

struct offset_entry {
    char *topic;
    char *metadata;
    int32_t partition;
    int32_t leader_epoch;
    int64_t offset;
    int64_t commit_ms;
    int64_t record_offset; /* where in its partition of __consumer_offsets it was committed */
};

struct offsets {
    struct map entries;
};

void offsets_init(struct offsets *offsets);
void offsets_fini(struct offsets *offsets);

/* offsets_put stores an offset; texts are copied. */
void offsets_put(struct offsets *offsets, const struct offset_entry *entry);

const struct offset_entry *offsets_get(
    const struct offsets *offsets, const char *topic, size_t topic_size, int32_t partition);

/* offsets_remove forgets one; without effect where there is none. */
void offsets_remove(
    struct offsets *offsets, const char *topic, size_t topic_size, int32_t partition);

/* offsets_next walks them in the order of the first commits: start with *position = 0. */
const struct offset_entry *offsets_next(const struct offsets *offsets, size_t *position);

size_t offsets_count(const struct offsets *offsets);

#endif
