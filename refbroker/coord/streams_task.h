/*
 * streams_task: tasks of a streams group: sets of them, and what a member has or is to have of the
 * three kinds (KIP-1071).
 *
 * A task is a partition of a subtopology. A set keeps its tasks by subtopology, as Kafka and its
 * messages do: a run for each, sorted by bytes of the subtopology's id, in it the partitions
 * ascending, each once. A run may be empty where a message said so; then the set is not empty, as
 * in Kafka. Active tasks that a member has carry the epoch at which it got them; elsewhere the
 * epoch is 0. The zero value is the empty set; a set owns what is in it.
 *
 * Limits, for what messages bring: LIMIT_STREAMS_SUBTOPOLOGIES_MAX runs, LIMIT_STREAMS_TASKS_MAX
 * tasks in a set.
 */
#ifndef REFBROKER_COORD_STREAMS_TASK_H
#define REFBROKER_COORD_STREAMS_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/wire/desc.h"

struct streams_task {
    int32_t partition;
    int32_t epoch;
};

struct streams_run {
    char *subtopology_id;
    struct streams_task *tasks;
    size_t count;
    size_t capacity;
};

struct streams_tasks {
    struct streams_run *runs;
    size_t count; /* of runs */
    size_t capacity;
    size_t task_count;
};

void streams_tasks_fini(struct streams_tasks *tasks);

/*
 * streams_tasks_put adds a run as messages have it: partitions in any order. Epochs come from
 * `epochs` where that is not NULL, otherwise all have `epoch`. RC_CONFLICT where the set has the
 * subtopology already, for which Kafka fails, or where the id is no C string; RC_LIMIT. A failed
 * put changes nothing.
 */
MUST_CHECK enum rc streams_tasks_put(struct streams_tasks *tasks, struct wire_string subtopology_id,
    const int32_t *partitions, const int32_t *epochs, int32_t count, int32_t epoch, struct err *e);

/* streams_tasks_add adds one task, unless it is there: O(1) where tasks come in order. */
void streams_tasks_add(
    struct streams_tasks *tasks, const char *subtopology_id, int32_t partition, int32_t epoch);

/* streams_tasks_copy makes `to` equal to `from`; streams_tasks_move empties `from` too. */
void streams_tasks_copy(struct streams_tasks *to, const struct streams_tasks *from);
void streams_tasks_move(struct streams_tasks *to, struct streams_tasks *from);

/* streams_tasks_find returns a task or NULL; streams_tasks_run the run of a subtopology or NULL. */
const struct streams_task *streams_tasks_find(
    const struct streams_tasks *tasks, const char *subtopology_id, int32_t partition);
const struct streams_run *streams_tasks_run(
    const struct streams_tasks *tasks, const char *subtopology_id);

/* streams_tasks_by_table returns the places of the runs in the order of Kafka's table of them
 * (java_hash.h), in which it lists them to members; the caller frees them. */
size_t *streams_tasks_by_table(const struct streams_tasks *tasks);

/* streams_tasks_is_empty: no runs. streams_tasks_equal compares runs and epochs, streams_tasks_same
 * all but epochs. */
bool streams_tasks_is_empty(const struct streams_tasks *tasks);
bool streams_tasks_equal(const struct streams_tasks *a, const struct streams_tasks *b);
bool streams_tasks_same(const struct streams_tasks *a, const struct streams_tasks *b);

/* streams_tasks_contains tells whether all runs and tasks of `some` are in `all`;
 * streams_tasks_touches whether any task is in both. */
bool streams_tasks_contains(const struct streams_tasks *all, const struct streams_tasks *some);
bool streams_tasks_touches(const struct streams_tasks *a, const struct streams_tasks *b);

/* streams_tasks_common sets `out` to the tasks of `a` that are in `b` too, streams_tasks_without to
 * those that are not, with the epochs of `a` and no empty runs. `out` is none of both. */
void streams_tasks_common(
    struct streams_tasks *out, const struct streams_tasks *a, const struct streams_tasks *b);
void streams_tasks_without(
    struct streams_tasks *out, const struct streams_tasks *a, const struct streams_tasks *b);

/* streams_tasks_merge adds all of `from` to `to`; a task of both gets the epoch of `from`. */
void streams_tasks_merge(struct streams_tasks *to, const struct streams_tasks *from);

/* streams_tasks_set_epoch gives all tasks one epoch. */
void streams_tasks_set_epoch(struct streams_tasks *tasks, int32_t epoch);

/* streams_tasks_drop takes out the tasks for which `drops` is true, and the runs that this empties.
 * It tells whether there were any. */
typedef bool streams_tasks_drops_fn(void *arg, const char *subtopology_id, int32_t partition);
bool streams_tasks_drop(struct streams_tasks *tasks, streams_tasks_drops_fn *drops, void *arg);

/* The three kinds. Standby and warmup tasks have no epochs. */
struct streams_assignment {
    struct streams_tasks active;
    struct streams_tasks standby;
    struct streams_tasks warmup;
};

/* These do for all three what their namesakes above do for one. */
void streams_assignment_fini(struct streams_assignment *assignment);
void streams_assignment_copy(struct streams_assignment *to, const struct streams_assignment *from);
void streams_assignment_move(struct streams_assignment *to, struct streams_assignment *from);
bool streams_assignment_is_empty(const struct streams_assignment *assignment);
bool streams_assignment_equal(
    const struct streams_assignment *a, const struct streams_assignment *b);
bool streams_assignment_same(
    const struct streams_assignment *a, const struct streams_assignment *b);
bool streams_assignment_touches(
    const struct streams_assignment *a, const struct streams_assignment *b);
void streams_assignment_merge(struct streams_assignment *to, const struct streams_assignment *from);

#endif
