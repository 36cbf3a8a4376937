#include "refbroker/coord/streams_task.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/java_hash.h"
#include "refbroker/limits.h"

/* --- runs ----------------------------------------------------------------------------------------
 */

/* The place of a subtopology's run, or where it would stand. */
static size_t
run_place(const struct streams_tasks *tasks, const char *subtopology_id, bool *found)
{
    size_t low = 0, high = tasks->count;

    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(tasks->runs[middle].subtopology_id, subtopology_id);

        *found = order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return high;
}

static struct streams_run *
run_insert(struct streams_tasks *tasks, size_t place, char *subtopology_id_take)
{
    struct streams_run *run;

    if (tasks->count == tasks->capacity) {
        tasks->capacity = tasks->capacity == 0 ? 4 : tasks->capacity * 2;
        tasks->runs = xrealloc(tasks->runs, tasks->capacity, sizeof *tasks->runs);
    }
    run = &tasks->runs[place];
    memmove(run + 1, run, (tasks->count - place) * sizeof *run);
    tasks->count++;
    *run = (struct streams_run){.subtopology_id = subtopology_id_take};
    return run;
}

/* The run of a subtopology, made where there is none. */
static struct streams_run *
run_get(struct streams_tasks *tasks, const char *subtopology_id)
{
    bool found;
    size_t place = run_place(tasks, subtopology_id, &found);

    return found ? &tasks->runs[place] : run_insert(tasks, place, xstrdup(subtopology_id));
}

static void
run_fini(struct streams_run *run)
{
    free(run->subtopology_id);
    free(run->tasks);
}

/* The first task of a run that is not below a partition. */
static size_t
task_place(const struct streams_run *run, int32_t partition)
{
    size_t low = 0, high = run->count;

    if (high > 0 && run->tasks[high - 1].partition < partition)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (run->tasks[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct streams_task *
task_find(const struct streams_run *run, int32_t partition)
{
    size_t place = task_place(run, partition);

    return place < run->count && run->tasks[place].partition == partition ? &run->tasks[place]
                                                                          : NULL;
}

static void
run_reserve(struct streams_run *run, size_t count)
{
    if (run->capacity >= count)
        return;
    while (run->capacity < count)
        run->capacity = run->capacity == 0 ? 4 : run->capacity * 2;
    run->tasks = xrealloc(run->tasks, run->capacity, sizeof *run->tasks);
}

/* --- a set ---------------------------------------------------------------------------------------
 */

void
streams_tasks_fini(struct streams_tasks *tasks)
{
    for (size_t i = 0; i < tasks->count; i++)
        run_fini(&tasks->runs[i]);
    free(tasks->runs);
    *tasks = (struct streams_tasks){.runs = NULL};
}

static int
compare_task(const void *a, const void *b)
{
    const struct streams_task *x = a, *y = b;

    return (x->partition > y->partition) - (x->partition < y->partition);
}

enum rc
streams_tasks_put(struct streams_tasks *tasks, struct wire_string subtopology_id,
    const int32_t *partitions, const int32_t *epochs, int32_t count, int32_t epoch, struct err *e)
{
    size_t size = (size_t)subtopology_id.size, added = count < 0 ? 0 : (size_t)count, place;
    struct streams_run *run;
    char *id;
    bool found;

    if (subtopology_id.size < 0 || memchr(subtopology_id.data, '\0', size) != NULL)
        return err_set(e, RC_CONFLICT, "the id of a subtopology is null or holds a zero byte");
    if (tasks->count >= LIMIT_STREAMS_SUBTOPOLOGIES_MAX ||
        tasks->task_count + added > LIMIT_STREAMS_TASKS_MAX)
        return err_set(e, RC_LIMIT, "more than %d subtopologies or %d tasks",
            LIMIT_STREAMS_SUBTOPOLOGIES_MAX, LIMIT_STREAMS_TASKS_MAX);
    id = xmemdup(subtopology_id.data, size);
    place = run_place(tasks, id, &found);
    if (found) {
        free(id);
        return err_set(
            e, RC_CONFLICT, "subtopology %.*s twice", subtopology_id.size, subtopology_id.data);
    }
    run = run_insert(tasks, place, id);
    run->tasks = xcalloc(added + 1, sizeof *run->tasks);
    run->capacity = added + 1;
    for (size_t i = 0; i < added; i++)
        run->tasks[i] = (struct streams_task){partitions[i], epochs == NULL ? epoch : epochs[i]};
    qsort(run->tasks, added, sizeof *run->tasks, compare_task);
    for (size_t i = 0; i < added; i++)
        if (run->count == 0 || run->tasks[run->count - 1].partition != run->tasks[i].partition)
            run->tasks[run->count++] = run->tasks[i];
    tasks->task_count += run->count;
    return RC_OK;
}

void
streams_tasks_add(
    struct streams_tasks *tasks, const char *subtopology_id, int32_t partition, int32_t epoch)
{
    struct streams_run *run = run_get(tasks, subtopology_id);
    size_t place = task_place(run, partition);

    if (place < run->count && run->tasks[place].partition == partition)
        return;
    run_reserve(run, run->count + 1);
    memmove(&run->tasks[place + 1], &run->tasks[place], (run->count - place) * sizeof *run->tasks);
    run->tasks[place] = (struct streams_task){partition, epoch};
    run->count++;
    tasks->task_count++;
}

void
streams_tasks_copy(struct streams_tasks *to, const struct streams_tasks *from)
{
    struct streams_tasks copy = {.count = from->count,
        .capacity = from->count,
        .task_count = from->task_count,
        .runs = xcalloc(from->count + 1, sizeof *copy.runs)};

    for (size_t i = 0; i < from->count; i++) {
        const struct streams_run *run = &from->runs[i];

        copy.runs[i] = (struct streams_run){.subtopology_id = xstrdup(run->subtopology_id),
            .tasks = run->count == 0 ? NULL : xmemdup(run->tasks, run->count * sizeof *run->tasks),
            .count = run->count,
            .capacity = run->count};
    }
    streams_tasks_fini(to);
    *to = copy;
}

void
streams_tasks_move(struct streams_tasks *to, struct streams_tasks *from)
{
    streams_tasks_fini(to);
    *to = *from;
    *from = (struct streams_tasks){.runs = NULL};
}

const struct streams_run *
streams_tasks_run(const struct streams_tasks *tasks, const char *subtopology_id)
{
    bool found;
    size_t place = run_place(tasks, subtopology_id, &found);

    return found ? &tasks->runs[place] : NULL;
}

const struct streams_task *
streams_tasks_find(const struct streams_tasks *tasks, const char *subtopology_id, int32_t partition)
{
    const struct streams_run *run = streams_tasks_run(tasks, subtopology_id);

    return run == NULL ? NULL : task_find(run, partition);
}

size_t *
streams_tasks_by_table(const struct streams_tasks *tasks)
{
    struct java_hash_entry *entries = xcalloc(tasks->count + 1, sizeof *entries);
    size_t *places = xcalloc(tasks->count + 1, sizeof *places);

    for (size_t i = 0; i < tasks->count; i++)
        entries[i] = (struct java_hash_entry){
            .hash = java_hash_text(tasks->runs[i].subtopology_id), .at = i};
    java_hash_sort(entries, tasks->count, java_hash_capacity(JAVA_HASH_CAPACITY, tasks->count));
    for (size_t i = 0; i < tasks->count; i++)
        places[i] = entries[i].at;
    free(entries);
    return places;
}

bool
streams_tasks_is_empty(const struct streams_tasks *tasks)
{
    return tasks->count == 0;
}

/* --- two sets ------------------------------------------------------------------------------------
 */

static bool
tasks_match(const struct streams_tasks *a, const struct streams_tasks *b, bool with_epochs)
{
    if (a->count != b->count || a->task_count != b->task_count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct streams_run *x = &a->runs[i], *y = &b->runs[i];

        if (x->count != y->count || strcmp(x->subtopology_id, y->subtopology_id) != 0)
            return false;
        for (size_t k = 0; k < x->count; k++)
            if (x->tasks[k].partition != y->tasks[k].partition ||
                (with_epochs && x->tasks[k].epoch != y->tasks[k].epoch))
                return false;
    }
    return true;
}

bool
streams_tasks_equal(const struct streams_tasks *a, const struct streams_tasks *b)
{
    return tasks_match(a, b, true);
}

bool
streams_tasks_same(const struct streams_tasks *a, const struct streams_tasks *b)
{
    return tasks_match(a, b, false);
}

bool
streams_tasks_contains(const struct streams_tasks *all, const struct streams_tasks *some)
{
    for (size_t i = 0; i < some->count; i++) {
        const struct streams_run *run = &some->runs[i];
        const struct streams_run *in = streams_tasks_run(all, run->subtopology_id);

        if (in == NULL)
            return false;
        for (size_t k = 0; k < run->count; k++)
            if (task_find(in, run->tasks[k].partition) == NULL)
                return false;
    }
    return true;
}

bool
streams_tasks_touches(const struct streams_tasks *a, const struct streams_tasks *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct streams_run *run = &a->runs[i];
        const struct streams_run *other = streams_tasks_run(b, run->subtopology_id);

        for (size_t k = 0; other != NULL && k < run->count; k++)
            if (task_find(other, run->tasks[k].partition) != NULL)
                return true;
    }
    return false;
}

/* Puts the tasks of `a` that are in `b`, or are not, into `out`. */
static void
tasks_cut(struct streams_tasks *out, const struct streams_tasks *a, const struct streams_tasks *b,
    bool in_both)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct streams_run *run = &a->runs[i];
        const struct streams_run *other = streams_tasks_run(b, run->subtopology_id);

        for (size_t k = 0; k < run->count; k++) {
            const struct streams_task *task = &run->tasks[k];

            if ((other != NULL && task_find(other, task->partition) != NULL) == in_both)
                streams_tasks_add(out, run->subtopology_id, task->partition, task->epoch);
        }
    }
}

void
streams_tasks_common(
    struct streams_tasks *out, const struct streams_tasks *a, const struct streams_tasks *b)
{
    streams_tasks_fini(out);
    tasks_cut(out, a, b, true);
}

void
streams_tasks_without(
    struct streams_tasks *out, const struct streams_tasks *a, const struct streams_tasks *b)
{
    streams_tasks_fini(out);
    tasks_cut(out, a, b, false);
}

/* From the end of both on, so that nothing is moved twice. */
static void
run_merge(struct streams_run *to, const struct streams_run *from)
{
    size_t left = to->count, right = from->count, count = left + right, at = count;

    run_reserve(to, count);
    while (right > 0) {
        int32_t partition = from->tasks[right - 1].partition;

        if (left > 0 && to->tasks[left - 1].partition > partition) {
            to->tasks[--at] = to->tasks[--left];
            continue;
        }
        if (left > 0 && to->tasks[left - 1].partition == partition)
            left--;
        to->tasks[--at] = from->tasks[--right];
    }
    memmove(&to->tasks[left], &to->tasks[at], (count - at) * sizeof *to->tasks);
    to->count = left + count - at;
}

void
streams_tasks_merge(struct streams_tasks *to, const struct streams_tasks *from)
{
    for (size_t i = 0; i < from->count; i++) {
        struct streams_run *run = run_get(to, from->runs[i].subtopology_id);

        to->task_count -= run->count;
        if (from->runs[i].count > 0)
            run_merge(run, &from->runs[i]);
        to->task_count += run->count;
    }
}

void
streams_tasks_set_epoch(struct streams_tasks *tasks, int32_t epoch)
{
    for (size_t i = 0; i < tasks->count; i++)
        for (size_t k = 0; k < tasks->runs[i].count; k++)
            tasks->runs[i].tasks[k].epoch = epoch;
}

bool
streams_tasks_drop(struct streams_tasks *tasks, streams_tasks_drops_fn *drops, void *arg)
{
    size_t before = tasks->task_count, runs_kept = 0;

    for (size_t i = 0; i < tasks->count; i++) {
        struct streams_run *run = &tasks->runs[i];
        size_t count = run->count;

        run->count = 0;
        for (size_t k = 0; k < count; k++)
            if (!drops(arg, run->subtopology_id, run->tasks[k].partition))
                run->tasks[run->count++] = run->tasks[k];
        tasks->task_count -= count - run->count;
        if (run->count == 0 && count > 0)
            run_fini(run);
        else
            tasks->runs[runs_kept++] = *run;
    }
    tasks->count = runs_kept;
    return tasks->task_count != before;
}

/* --- the three kinds -----------------------------------------------------------------------------
 */

void
streams_assignment_fini(struct streams_assignment *assignment)
{
    streams_tasks_fini(&assignment->active);
    streams_tasks_fini(&assignment->standby);
    streams_tasks_fini(&assignment->warmup);
}

void
streams_assignment_copy(struct streams_assignment *to, const struct streams_assignment *from)
{
    streams_tasks_copy(&to->active, &from->active);
    streams_tasks_copy(&to->standby, &from->standby);
    streams_tasks_copy(&to->warmup, &from->warmup);
}

void
streams_assignment_move(struct streams_assignment *to, struct streams_assignment *from)
{
    streams_tasks_move(&to->active, &from->active);
    streams_tasks_move(&to->standby, &from->standby);
    streams_tasks_move(&to->warmup, &from->warmup);
}

bool
streams_assignment_is_empty(const struct streams_assignment *assignment)
{
    return streams_tasks_is_empty(&assignment->active) &&
           streams_tasks_is_empty(&assignment->standby) &&
           streams_tasks_is_empty(&assignment->warmup);
}

bool
streams_assignment_equal(const struct streams_assignment *a, const struct streams_assignment *b)
{
    return streams_tasks_equal(&a->active, &b->active) &&
           streams_tasks_equal(&a->standby, &b->standby) &&
           streams_tasks_equal(&a->warmup, &b->warmup);
}

bool
streams_assignment_same(const struct streams_assignment *a, const struct streams_assignment *b)
{
    return streams_tasks_same(&a->active, &b->active) &&
           streams_tasks_same(&a->standby, &b->standby) &&
           streams_tasks_same(&a->warmup, &b->warmup);
}

bool
streams_assignment_touches(const struct streams_assignment *a, const struct streams_assignment *b)
{
    return streams_tasks_touches(&a->active, &b->active) ||
           streams_tasks_touches(&a->standby, &b->standby) ||
           streams_tasks_touches(&a->warmup, &b->warmup);
}

void
streams_assignment_merge(struct streams_assignment *to, const struct streams_assignment *from)
{
    streams_tasks_merge(&to->active, &from->active);
    streams_tasks_merge(&to->standby, &from->standby);
    streams_tasks_merge(&to->warmup, &from->warmup);
}
