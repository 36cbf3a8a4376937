#include "refbroker/coord/streams_assignor.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/xalloc.h"
#include "refbroker/coord/java_hash.h"
#include "refbroker/coord/java_queue.h"

#define NOBODY (-1)

/* A task by its number: those of a subtopology stand together, in the order of the ids. */
struct spot {
    int32_t subtopology;
    int32_t partition;
    int32_t had_active;  /* the member that had it, the last one where there are several */
    int32_t had_standby; /* the first of those that had it as a standby, and the last one: places
                          * in `held` */
    int32_t had_standby_last;
    int32_t *members; /* that have it now: the active one, then the standbys */
    int32_t member_count;
    int32_t member_capacity;
};

/* A member that had a task as a standby, and the place of the next one. */
struct held {
    int32_t member;
    int32_t next;
};

/* Members of one process share what is given to it (ProcessState). */
struct process {
    int32_t *members; /* in the order of Kafka's table of them */
    int32_t member_count;
    int32_t task_count;
    struct java_queue by_load; /* its members by their tasks, as long as `is_queued` */
    bool is_queued;
};

/* How many tasks members may get. What is to be given is divided by those that are not full;
 * whoever has its share leaves with it. */
struct share {
    int64_t tasks;
    int64_t members;
    int64_t each;
};

struct lot {
    struct streams_assignor_group *group;
    struct spot *spots;
    int32_t spot_count;
    struct held *held;
    int32_t held_count;
    struct process *processes; /* in the order of Kafka's table of them */
    int32_t process_count;
    int32_t *process_of;  /* by member */
    int32_t *task_counts; /* by member */
    int32_t *first_spots; /* by subtopology */
    struct share active;
    struct share all;
};

/* --- shares --------------------------------------------------------------------------------------
 */

static void
share_divide(struct share *share)
{
    share->each = share->members == 0 ? 0 : (share->tasks + share->members - 1) / share->members;
}

/* Somebody has so many tasks now. */
static void
share_take(struct share *share, int32_t count)
{
    if (count != share->each)
        return;
    share->members--;
    share->tasks -= count;
    share_divide(share);
}

/* --- processes -----------------------------------------------------------------------------------
 */

static double
process_load(const struct process *process)
{
    return (double)process->task_count / (double)process->member_count;
}

static bool
process_has(const struct lot *lot, int32_t process, int32_t spot)
{
    for (int32_t i = 0; i < lot->spots[spot].member_count; i++)
        if (lot->process_of[lot->spots[spot].members[i]] == process)
            return true;
    return false;
}

/* A task gets its active member first. */
static void
member_give(struct lot *lot, int32_t member, int32_t spot_number)
{
    struct spot *spot = &lot->spots[spot_number];

    if (spot->member_count == spot->member_capacity) {
        spot->member_capacity = spot->member_capacity == 0 ? 2 : spot->member_capacity * 2;
        spot->members =
            xrealloc(spot->members, (size_t)spot->member_capacity, sizeof *spot->members);
    }
    spot->members[spot->member_count++] = member;
    lot->processes[lot->process_of[member]].task_count++;
    lot->task_counts[member]++;
    if (spot->member_count == 1)
        share_take(&lot->active, lot->task_counts[member]);
    share_take(&lot->all, lot->task_counts[member]);
}

/* A member that had the task gets it; then its process has to look anew who has least. */
static void
member_keep(struct lot *lot, int32_t member, int32_t spot)
{
    lot->processes[lot->process_of[member]].is_queued = false;
    member_give(lot, member, spot);
}

/* The queue is made of the process's members once, and then kept as they get more. */
static void
process_give(struct lot *lot, int32_t number, int32_t spot)
{
    struct process *process = &lot->processes[number];
    int32_t member;

    if (process->member_count == 1) {
        member_give(lot, process->members[0], spot);
        return;
    }
    if (!process->is_queued) {
        process->by_load.count = 0;
        for (int32_t i = 0; i < process->member_count; i++)
            java_queue_add(
                &process->by_load, process->members[i], lot->task_counts[process->members[i]]);
        process->is_queued = true;
    }
    member = java_queue_poll(&process->by_load);
    member_give(lot, member, spot);
    java_queue_add(&process->by_load, member, lot->task_counts[member]);
}

static void
processes_queue(const struct lot *lot, struct java_queue *queue)
{
    java_queue_init(queue, (size_t)lot->process_count);
    for (int32_t i = 0; i < lot->process_count; i++)
        java_queue_add(queue, i, process_load(&lot->processes[i]));
}

/* --- who had what --------------------------------------------------------------------------------
 */

/* Of the members that had a task as a standby the one to prefer: the first, unless another one's
 * process has a smaller load and it has fewer tasks itself. With `fresh` only a process counts that
 * has the task not yet; but it is the first one's process that decides whether there is any, as in
 * Kafka. */
static int32_t
standby_prefer(const struct lot *lot, int32_t spot, bool fresh)
{
    int32_t at = lot->spots[spot].had_standby, first, best;
    double load;

    if (at == NOBODY)
        return NOBODY;
    first = best = lot->held[at].member;
    load = process_load(&lot->processes[lot->process_of[best]]);
    while ((at = lot->held[at].next) != NOBODY) {
        int32_t member = lot->held[at].member, process = lot->process_of[member];
        double other = process_load(&lot->processes[process]);

        if (other >= load || (fresh && process_has(lot, process, spot)) ||
            lot->task_counts[member] >= lot->task_counts[best])
            continue;
        load = other;
        best = member;
    }
    return fresh && process_has(lot, lot->process_of[first], spot) ? NOBODY : best;
}

/* The number of a task that a member had, or NOBODY where it is no more. */
static int32_t
spot_find(const struct lot *lot, int32_t subtopology, int32_t partition)
{
    return partition < 0 || partition >= lot->group->subtopologies[subtopology].task_count
               ? NOBODY
               : lot->first_spots[subtopology] + partition;
}

static int32_t
subtopology_find(const struct streams_assignor_group *group, const char *subtopology_id)
{
    int32_t low = 0, high = group->subtopology_count;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        int order = strcmp(group->subtopologies[middle].subtopology_id, subtopology_id);

        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NOBODY;
}

/* Calls `had` for all tasks of a set that the topology has. */
typedef void had_fn(struct lot *lot, int32_t spot, int32_t member);

static void
tasks_walk(struct lot *lot, const struct streams_tasks *tasks, int32_t member, had_fn *had)
{
    for (size_t i = 0; i < tasks->count; i++) {
        int32_t subtopology = subtopology_find(lot->group, tasks->runs[i].subtopology_id);

        for (size_t k = 0; subtopology != NOBODY && k < tasks->runs[i].count; k++) {
            int32_t spot = spot_find(lot, subtopology, tasks->runs[i].tasks[k].partition);

            if (spot != NOBODY)
                had(lot, spot, member);
        }
    }
}

static void
active_had(struct lot *lot, int32_t spot, int32_t member)
{
    lot->spots[spot].had_active = member;
}

static void
standby_had(struct lot *lot, int32_t spot_number, int32_t member)
{
    struct spot *spot = &lot->spots[spot_number];
    int32_t at = lot->held_count++;

    lot->held[at] = (struct held){member, NOBODY};
    if (spot->had_standby == NOBODY)
        spot->had_standby = at;
    else
        lot->held[spot->had_standby_last].next = at;
    spot->had_standby_last = at;
}

/* --- active tasks --------------------------------------------------------------------------------
 */

static bool
has_room(const struct lot *lot, int32_t member, const struct share *share)
{
    return lot->task_counts[member] < share->each;
}

/* Tasks by partition, then subtopology; sorted by counting. */
static int32_t *
spots_by_partition(const struct lot *lot)
{
    int32_t *order = xcalloc((size_t)lot->spot_count + 1, sizeof *order), most = 0, count = 0;
    const struct streams_assignor_group *group = lot->group;
    int32_t *open = xcalloc((size_t)group->subtopology_count + 1, sizeof *open), open_count = 0;

    for (int32_t i = 0; i < group->subtopology_count; i++) {
        open[open_count++] = i;
        most =
            group->subtopologies[i].task_count > most ? group->subtopologies[i].task_count : most;
    }
    for (int32_t partition = 0; partition < most; partition++) {
        int32_t kept = 0;

        for (int32_t i = 0; i < open_count; i++)
            if (partition < group->subtopologies[open[i]].task_count) {
                order[count++] = lot->first_spots[open[i]] + partition;
                open[kept++] = open[i];
            }
        open_count = kept;
    }
    free(open);
    return order;
}

static void
active_assign(struct lot *lot, const int32_t *by_partition)
{
    struct java_queue queue;

    for (int32_t i = 0; i < lot->spot_count; i++) {
        int32_t member = lot->spots[by_partition[i]].had_active;

        if (member != NOBODY && has_room(lot, member, &lot->active))
            member_keep(lot, member, by_partition[i]);
    }
    for (int32_t i = 0; i < lot->spot_count; i++) {
        int32_t spot = by_partition[i], member = standby_prefer(lot, spot, false);

        if (lot->spots[spot].member_count == 0 && member != NOBODY &&
            has_room(lot, member, &lot->active))
            member_keep(lot, member, spot);
    }
    processes_queue(lot, &queue);
    for (int32_t spot = 0; spot < lot->spot_count; spot++) {
        int32_t process;

        if (lot->spots[spot].member_count > 0)
            continue;
        process = java_queue_poll(&queue);
        process_give(lot, process, spot);
        java_queue_add(&queue, process, process_load(&lot->processes[process]));
    }
    java_queue_fini(&queue);
}

/* --- standbys ------------------------------------------------------------------------------------
 */

/* Gives a standby to the member that had the task, or had it as a standby. */
static bool
standby_keep(struct lot *lot, int32_t spot)
{
    int32_t member = lot->spots[spot].had_active;

    if (member == NOBODY || process_has(lot, lot->process_of[member], spot) ||
        !has_room(lot, member, &lot->all))
        member = standby_prefer(lot, spot, true);
    if (member == NOBODY || !has_room(lot, member, &lot->all))
        return false;
    member_keep(lot, member, spot);
    return true;
}

/* Gives a standby to the process with the least load that has the task not yet. Processes that were
 * passed over go back last first. */
static bool
standby_give(struct lot *lot, struct java_queue *queue, int32_t *passed, int32_t spot)
{
    int32_t count = 0;
    bool given = false;

    while (!given && queue->count > 0) {
        passed[count] = java_queue_poll(queue);
        given = !process_has(lot, passed[count++], spot);
    }
    if (given)
        process_give(lot, passed[count - 1], spot);
    while (count-- > 0)
        java_queue_add(queue, passed[count], process_load(&lot->processes[passed[count]]));
    return given;
}

static void
standby_assign(struct lot *lot, const int32_t *by_partition)
{
    const int32_t replicas = lot->group->standby_replicas;
    int32_t *lacking = xcalloc((size_t)lot->spot_count + 1, sizeof *lacking);
    int32_t *passed = xcalloc((size_t)lot->process_count + 1, sizeof *passed);
    struct java_queue queue;

    for (int32_t i = lot->spot_count - 1; i >= 0; i--) {
        int32_t spot = by_partition[i], given = 0;

        if (!lot->group->subtopologies[lot->spots[spot].subtopology].is_stateful)
            continue;
        while (given < replicas && standby_keep(lot, spot))
            given++;
        lacking[spot] = replicas - given;
    }
    processes_queue(lot, &queue);
    for (int32_t spot = lot->spot_count - 1; spot >= 0; spot--)
        while (lacking[spot] > 0 && standby_give(lot, &queue, passed, spot))
            lacking[spot]--;
    java_queue_fini(&queue);
    free(passed);
    free(lacking);
}

/* --- a lot ---------------------------------------------------------------------------------------
 */

static void
spots_make(struct lot *lot)
{
    const struct streams_assignor_group *group = lot->group;
    int64_t standbys = 0;
    int32_t count = 0;

    lot->first_spots = xcalloc((size_t)group->subtopology_count + 1, sizeof *lot->first_spots);
    for (int32_t i = 0; i < group->subtopology_count; i++) {
        lot->first_spots[i] = count;
        count += group->subtopologies[i].task_count;
        if (group->subtopologies[i].is_stateful)
            standbys += (int64_t)group->subtopologies[i].task_count * group->standby_replicas;
    }
    lot->spot_count = count;
    lot->spots = xcalloc((size_t)count + 1, sizeof *lot->spots);
    for (int32_t i = 0; i < group->subtopology_count; i++)
        for (int32_t k = 0; k < group->subtopologies[i].task_count; k++)
            lot->spots[lot->first_spots[i] + k] = (struct spot){
                .subtopology = i, .partition = k, .had_active = NOBODY, .had_standby = NOBODY};
    lot->active = (struct share){count, group->member_count, 0};
    lot->all = (struct share){count + standbys, group->member_count, 0};
    share_divide(&lot->active);
    share_divide(&lot->all);
}

/* The members of each process, in the order in which they came. */
static void
process_join(struct lot *lot, struct map *by_id, int32_t member)
{
    const char *process_id = lot->group->members[member].process_id;
    size_t number = (size_t)(uintptr_t)map_get_text(by_id, process_id);
    struct process *process;

    if (number == 0) {
        number = (size_t)++lot->process_count;
        map_put_text(by_id, process_id, (void *)(uintptr_t)number);
    }
    process = &lot->processes[number - 1];
    process->members =
        xrealloc(process->members, (size_t)process->member_count + 1, sizeof *process->members);
    process->members[process->member_count++] = member;
}

/* Kafka's table of a process's members. */
static void
members_order(struct lot *lot, struct process *process)
{
    size_t count = (size_t)process->member_count;
    struct java_hash_entry *entries = xcalloc(count + 1, sizeof *entries);

    for (size_t i = 0; i < count; i++)
        entries[i] = (struct java_hash_entry){
            .hash = java_hash_text(lot->group->members[process->members[i]].member_id),
            .at = (size_t)process->members[i]};
    java_hash_sort(entries, count, java_hash_capacity(JAVA_HASH_CAPACITY, count));
    for (size_t i = 0; i < count; i++)
        process->members[i] = (int32_t)entries[i].at;
    free(entries);
    java_queue_init(&process->by_load, count);
}

/* Kafka's table of processes, which was asked to have room for all members. */
static void
processes_order(struct lot *lot)
{
    size_t count = (size_t)lot->process_count;
    struct java_hash_entry *entries = xcalloc(count + 1, sizeof *entries);
    struct process *ordered = xcalloc(count + 1, sizeof *ordered);

    for (size_t i = 0; i < count; i++) {
        int32_t first = lot->processes[i].members[0];

        entries[i] = (struct java_hash_entry){
            .hash = java_hash_text(lot->group->members[first].process_id), .at = i};
    }
    java_hash_sort(entries, count,
        java_hash_capacity(java_hash_reserved((size_t)lot->group->member_count), count));
    for (size_t i = 0; i < count; i++) {
        ordered[i] = lot->processes[entries[i].at];
        members_order(lot, &ordered[i]);
        for (int32_t k = 0; k < ordered[i].member_count; k++)
            lot->process_of[ordered[i].members[k]] = (int32_t)i;
    }
    free(entries);
    free(lot->processes);
    lot->processes = ordered;
}

static void
processes_make(struct lot *lot)
{
    size_t count = (size_t)lot->group->member_count;
    struct map by_id;

    lot->process_of = xcalloc(count + 1, sizeof *lot->process_of);
    lot->task_counts = xcalloc(count + 1, sizeof *lot->task_counts);
    lot->processes = xcalloc(count + 1, sizeof *lot->processes);
    map_init(&by_id);
    for (int32_t i = 0; i < lot->group->member_count; i++)
        process_join(lot, &by_id, i);
    map_fini(&by_id, NULL);
    processes_order(lot);
}

static void
owned_read(struct lot *lot)
{
    size_t standbys = 0;

    for (int32_t i = 0; i < lot->group->member_count; i++)
        standbys += lot->group->members[i].owned->standby.task_count;
    lot->held = xcalloc(standbys + 1, sizeof *lot->held);
    for (int32_t i = 0; i < lot->group->member_count; i++) {
        tasks_walk(lot, &lot->group->members[i].owned->active, i, active_had);
        tasks_walk(lot, &lot->group->members[i].owned->standby, i, standby_had);
    }
}

static void
targets_make(const struct lot *lot)
{
    for (int32_t i = 0; i < lot->spot_count; i++) {
        const struct spot *spot = &lot->spots[i];
        const char *id = lot->group->subtopologies[spot->subtopology].subtopology_id;

        for (int32_t k = 0; k < spot->member_count; k++) {
            struct streams_assignment *target = &lot->group->members[spot->members[k]].target;

            streams_tasks_add(k == 0 ? &target->active : &target->standby, id, spot->partition, 0);
        }
    }
}

static void
lot_fini(struct lot *lot)
{
    for (int32_t i = 0; i < lot->spot_count; i++)
        free(lot->spots[i].members);
    for (int32_t i = 0; i < lot->process_count; i++) {
        java_queue_fini(&lot->processes[i].by_load);
        free(lot->processes[i].members);
    }
    free(lot->spots);
    free(lot->held);
    free(lot->processes);
    free(lot->process_of);
    free(lot->task_counts);
    free(lot->first_spots);
}

void
streams_assignor_sticky(struct streams_assignor_group *group)
{
    struct lot lot = {.group = group};
    int32_t *by_partition;

    if (group->member_count == 0)
        return;
    spots_make(&lot);
    processes_make(&lot);
    owned_read(&lot);
    by_partition = spots_by_partition(&lot);
    active_assign(&lot, by_partition);
    if (group->standby_replicas > 0)
        standby_assign(&lot, by_partition);
    targets_make(&lot);
    free(by_partition);
    lot_fini(&lot);
}
