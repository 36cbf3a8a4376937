/*
 * cleaner_job: one round of compaction over one partition, step by step.
 *
 * A round first notes the keys of the dirty runs (cleaner_keys, within its memory: what does not
 * fit waits for the next round), then rewrites all runs from the log's start to there, group by
 * group. A step reads one group of about CLEANER_STEP_BYTES; what stays of it becomes one object. A
 * group is swapped by itself, because what it lost is superseded by records that are still there:
 * a round that ends half-way leaves a log that reads the same.
 *
 * cleaner_job_new, cleaner_job_done and the fields belong to the owner's thread, cleaner_job_step
 * to the lane; they are never at work at the same time. A group that comes out as it was, and in
 * nearly as many runs, is left alone.
 */
#ifndef REFBROKER_LOG_CLEANER_JOB_H
#define REFBROKER_LOG_CLEANER_JOB_H

#include "refbroker/broker.h"
#include "refbroker/log/cleaner_range.h"
#include "refbroker/log/cleaner_rewrite.h"

#define CLEANER_STEP_BYTES ((size_t)8 * 1024 * 1024)

struct cleaner_job;

/* What a step did. */
struct cleaner_step {
    enum rc rc;
    struct err err;
    int64_t bytes_moved; /* read and written */
    int64_t runs_read;
    bool swaps; /* runs within [first, last] are to be replaced by `runs` */
    bool is_last;
    int64_t first;
    int64_t last;
    size_t replaced;
    struct run *runs; /* of the object object_id; the job's */
    size_t run_count;
    size_t object_bytes; /* 0: nothing is left of the group, there is no object */
    const int64_t *gone; /* see cleaner_txns_gone */
    size_t gone_count;
    int64_t first_dirty; /* of the next round, for the last step */
    struct cleaner_counts counts;
    size_t keys;
};

/* cleaner_job_new begins a round; the partition must have dirty runs up to range->end. */
struct cleaner_job *cleaner_job_new(struct broker *broker, const struct partition *partition,
    const struct cleaner_range *range, size_t keys_bytes_max);
void cleaner_job_free(struct cleaner_job *job);

/* cleaner_job_step reads, and where the round is at its second half writes an object of this id.
 * The result holds until the next step. */
const struct cleaner_step *cleaner_job_step(struct cleaner_job *job, int64_t object_id);

#endif
