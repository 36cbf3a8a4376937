/*
 * work: what must not run on the owner's thread runs in lanes beside it.
 *
 * A lane is one thread with a queue: its jobs run one after another, in the order of submission. A
 * finished job goes back to the owner, who runs the jobs' `done` in work_reap. A job belongs to the
 * work from work_submit until its `done` is called; what `run` touches belongs to the job for that
 * time.
 *
 * Without threads (work_new with threaded = false) nothing runs by itself: work_step runs the next
 * job of a lane on the caller's thread, which is how a simulation chooses the order.
 *
 * Limits: WORK_LANES_MAX lanes. The caller bounds the number of jobs that it submits.
 */
#ifndef LIB_BASE_WORK_H
#define LIB_BASE_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/list.h"

#define WORK_LANES_MAX 16

struct work;
struct work_job;

typedef void work_run_fn(struct work_job *job);
typedef void work_wake_fn(void *arg);

struct work_job {
    struct list_node node;
    work_run_fn *run;  /* on the lane */
    work_run_fn *done; /* on the owner's thread; may free the job */
};

/* work_new starts `lanes` lanes. `wake` is called (from a lane's thread) when something is there
 * for work_reap; it may be NULL without threads. */
struct work *work_new(unsigned lanes, bool threaded, work_wake_fn *wake, void *arg);

/* work_free waits for what is running, then runs what is still queued, then every `done`, and
 * frees. */
void work_free(struct work *work);

void work_submit(struct work *work, unsigned lane, struct work_job *job);

/* work_reap runs the `done` of finished jobs and returns how many there were. */
size_t work_reap(struct work *work);

/* work_wait waits until all jobs of a lane have run, and runs their `done`; without threads it runs
 * the jobs itself. For whoever has nothing else to do. */
void work_wait(struct work *work, unsigned lane);

/* work_pending returns the number of jobs of a lane that are submitted and not done. */
size_t work_pending(const struct work *work, unsigned lane);

/* work_step runs the oldest job of a lane; false where there is none. Without threads only. */
bool work_step(struct work *work, unsigned lane);

#endif
