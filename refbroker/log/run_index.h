/*
 * run_index: where the committed batches of one partition lie in objects.
 *
 * A run is a piece of an object that holds whole, consecutive batches of one partition. Runs are
 * ordered by offset and do not overlap; between them there may be gaps (compaction, mirrored logs).
 * Lookups by offset are binary searches; by timestamp the runs behind the offset are walked.
 *
 * Memory: 72 bytes a run; nothing for a partition without runs. Not thread-safe.
 */
#ifndef REFBROKER_LOG_RUN_INDEX_H
#define REFBROKER_LOG_RUN_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct run {
    int64_t base_offset;
    int64_t last_offset;
    int64_t max_timestamp;
    int64_t log_append_time; /* of LogAppendTime batches on the coordinated path, else -1 */
    int64_t object_id;
    int64_t position; /* in the object */
    uint32_t size;
    uint32_t crc; /* CRC-32C of the piece as it lies in the object */
};

struct run_index {
    struct run *runs;
    size_t count;
    size_t capacity;
};

void run_index_init(struct run_index *index);
void run_index_fini(struct run_index *index);

/* run_index_add appends a run; it must begin behind the last one's end. */
void run_index_add(struct run_index *index, const struct run *run);

/* run_index_find returns the first run that ends at `offset` or behind it, or NULL. */
const struct run *run_index_find(const struct run_index *index, int64_t offset);

/* run_index_find_timestamp returns the first run with a max_timestamp >= timestamp that ends at
 * `offset` or behind it, or NULL. */
const struct run *run_index_find_timestamp(
    const struct run_index *index, int64_t offset, int64_t timestamp);

/* run_index_trim drops the runs that end before log_start_offset and returns how many there were.
 */
size_t run_index_trim(struct run_index *index, int64_t log_start_offset);

/* run_index_replace puts `count` runs in the place of those that lie within [first, last] as a
 * whole; they must lie there, too. */
void run_index_replace(
    struct run_index *index, int64_t first, int64_t last, const struct run *runs, size_t count);

/* run_index_bytes sums up the sizes. */
int64_t run_index_bytes(const struct run_index *index);

#endif
