#include "refbroker/coord/share_state.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

/* Steps of a merge per batch, beyond which batches are so deeply one over the other that a merge by
 * steps would take time by their square. Two layers, as leaders write them, take less than 3. */
#define STEPS_PER_BATCH 8

void
share_state_fini(struct share_state *state)
{
    free(state->batches);
    memset(state, 0, sizeof *state);
}

bool
share_state_batches_are_valid(const struct share_batch *batches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (batches[i].first_offset < 0 || batches[i].last_offset < batches[i].first_offset ||
            batches[i].last_offset == INT64_MAX || batches[i].delivery_state < SHARE_AVAILABLE ||
            batches[i].delivery_state > SHARE_ARCHIVED)
            return false;
    return true;
}

/* --- order ----------------------------------------------------------------------------------- */

/* Which of two holds where they overlap: the larger one. */
static int
rank_compare(const struct share_batch *a, const struct share_batch *b)
{
    if (a->delivery_count != b->delivery_count)
        return a->delivery_count < b->delivery_count ? -1 : 1;
    return (a->delivery_state > b->delivery_state) - (a->delivery_state < b->delivery_state);
}

/* The order in which batches are looked at (PersisterStateBatch.compareTo). */
static bool
is_before(const struct share_batch *a, const struct share_batch *b)
{
    if (a->first_offset != b->first_offset)
        return a->first_offset < b->first_offset;
    if (a->last_offset != b->last_offset)
        return a->last_offset < b->last_offset;
    return rank_compare(a, b) < 0;
}

/* --- batches that wait, the first one at the root of a heap ---------------------------------- */

struct waiting {
    struct share_batch *items;
    size_t count;
};

static void
waiting_put(struct waiting *waiting, const struct share_batch *batch)
{
    size_t at = waiting->count++;

    while (at > 0 && is_before(batch, &waiting->items[(at - 1) / 2])) {
        waiting->items[at] = waiting->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    waiting->items[at] = *batch;
}

static struct share_batch
waiting_take(struct waiting *waiting)
{
    struct share_batch first = waiting->items[0];
    const struct share_batch *moved = &waiting->items[--waiting->count];
    size_t at = 0, child;

    while ((child = 2 * at + 1) < waiting->count) {
        if (child + 1 < waiting->count &&
            is_before(&waiting->items[child + 1], &waiting->items[child]))
            child++;
        if (!is_before(&waiting->items[child], moved))
            break;
        waiting->items[at] = waiting->items[child];
        at = child;
    }
    waiting->items[at] = *moved;
    return first;
}

/* --- by steps: what Kafka makes, batch for batch --------------------------------------------- */

static struct share_batch
part_of(const struct share_batch *batch, int64_t first_offset, int64_t last_offset)
{
    struct share_batch part = *batch;

    part.first_offset = first_offset;
    part.last_offset = last_offset;
    return part;
}

static bool
meets(const struct share_batch *before, const struct share_batch *next)
{
    return next->first_offset <= before->last_offset ||
           (next->first_offset - 1 == before->last_offset && rank_compare(before, next) == 0);
}

/*
 * Two that meet become what Kafka makes of them: `before` is then the one that begins first and is
 * not done yet; what of it lies in front of the other's beginning is done, and goes to *done; the
 * end of the one that does not hold waits. Neighbours of which one is done stay two, as in Kafka,
 * until the next merge.
 */
static bool
pair_settle(struct share_batch *before, const struct share_batch *next, struct waiting *waiting,
    struct share_batch *done)
{
    int rank = rank_compare(next, before);
    struct share_batch rest;
    bool is_done = false;

    if (rank == 0) {
        if (next->last_offset > before->last_offset)
            before->last_offset = next->last_offset;
    } else if (rank < 0) {
        rest = part_of(next, before->last_offset + 1, next->last_offset);
        if (next->last_offset > before->last_offset)
            waiting_put(waiting, &rest);
    } else {
        is_done = next->first_offset > before->first_offset;
        *done = part_of(before, before->first_offset, next->first_offset - 1);
        rest = part_of(before, next->last_offset + 1, before->last_offset);
        if (before->last_offset > next->last_offset)
            waiting_put(waiting, &rest);
        *before = *next;
    }
    return is_done;
}

/* Merges `count` > 0 batches into `out`; false after `steps` steps. A step takes one from those
 * that wait and puts back one at most; what is done does not overlap, so that `out` needs room for
 * twice as many. */
static bool
steps_merge(const struct share_batch *batches, size_t count, size_t steps, struct share_batch *out,
    size_t *out_count)
{
    struct waiting waiting = {xcalloc(count, sizeof *batches), 0};
    struct share_batch before, done;

    *out_count = 0;
    for (size_t i = 0; i < count; i++)
        waiting_put(&waiting, &batches[i]);
    before = waiting_take(&waiting);
    for (; waiting.count > 0 && steps > 0; steps--) {
        struct share_batch next = waiting_take(&waiting);

        if (!meets(&before, &next)) {
            out[(*out_count)++] = before;
            before = next;
        } else if (pair_settle(&before, &next, &waiting, &done)) {
            out[(*out_count)++] = done;
        }
    }
    out[(*out_count)++] = before;
    free(waiting.items);
    return steps > 0;
}

/* --- by layers: the same for each offset, in a time that no batches can stretch -------------- */

static int
compare_offsets(const void *a_, const void *b_)
{
    const int64_t *a = a_, *b = b_;

    return (*a > *b) - (*a < *b);
}

static int
compare_ranks_down(const void *a, const void *b)
{
    return rank_compare(b, a);
}

/* The cell that begins at an offset which is one of the edges. */
static size_t
cell_find(const int64_t *edges, size_t edge_count, int64_t offset)
{
    const int64_t *edge = bsearch(&offset, edges, edge_count, sizeof *edges, compare_offsets);

    return (size_t)(edge - edges);
}

/* The first cell from `cell` on that nobody has; ways are shortened. */
static size_t
cell_free(size_t *next, size_t cell)
{
    while (next[cell] != cell) {
        next[cell] = next[next[cell]];
        cell = next[cell];
    }
    return cell;
}

/* The edges of all batches cut the offsets into cells; each cell is given to the highest batch over
 * it, the highest first. */
static void
layers_merge(struct share_batch *batches, size_t count, struct share_batch *out, size_t *out_count)
{
    int64_t *edges = xcalloc(2 * count, sizeof *edges);
    const struct share_batch **owners = xcalloc(2 * count, sizeof(const struct share_batch *));
    size_t *next = xcalloc(2 * count, sizeof *next);
    size_t edge_count = 0;

    for (size_t i = 0; i < count; i++) {
        edges[2 * i] = batches[i].first_offset;
        edges[2 * i + 1] = batches[i].last_offset + 1;
    }
    qsort(edges, 2 * count, sizeof *edges, compare_offsets);
    for (size_t i = 0; i < 2 * count; i++)
        if (edge_count == 0 || edges[i] != edges[edge_count - 1])
            edges[edge_count++] = edges[i];
    for (size_t i = 0; i < edge_count; i++)
        next[i] = i;
    qsort(batches, count, sizeof *batches, compare_ranks_down);
    for (size_t i = 0; i < count; i++) {
        size_t end = cell_find(edges, edge_count, batches[i].last_offset + 1);
        size_t cell = cell_free(next, cell_find(edges, edge_count, batches[i].first_offset));

        for (; cell < end; cell = cell_free(next, cell)) {
            owners[cell] = &batches[i];
            next[cell] = cell + 1;
        }
    }
    *out_count = 0;
    for (size_t i = 0; i + 1 < edge_count; i++) {
        struct share_batch *last = *out_count == 0 ? NULL : &out[*out_count - 1];

        if (owners[i] == NULL)
            continue;
        if (last != NULL && last->last_offset == edges[i] - 1 && rank_compare(last, owners[i]) == 0)
            last->last_offset = edges[i + 1] - 1;
        else
            out[(*out_count)++] = part_of(owners[i], edges[i], edges[i + 1] - 1);
    }
    free(edges);
    free(owners);
    free(next);
}

/* --- merge ----------------------------------------------------------------------------------- */

/* Appends those at or above a start offset; what begins below is cut. */
static void
batches_take(int64_t start_offset, const struct share_batch *batches, size_t count,
    struct share_batch *all, size_t *all_count)
{
    for (size_t i = 0; i < count; i++) {
        struct share_batch batch = batches[i];

        if (start_offset != SHARE_OFFSET_UNKNOWN && batch.last_offset < start_offset)
            continue;
        if (start_offset != SHARE_OFFSET_UNKNOWN && batch.first_offset < start_offset)
            batch.first_offset = start_offset;
        all[(*all_count)++] = batch;
    }
}

void
share_state_merge(struct share_state *state, const struct share_batch *batches, size_t count)
{
    struct share_batch *all, *merged;
    size_t all_count = 0;

    if (state->batch_count + count == 0)
        return;
    all = xcalloc(state->batch_count + count, sizeof *all);
    if (state->batches != NULL)
        batches_take(state->start_offset, state->batches, state->batch_count, all, &all_count);
    batches_take(state->start_offset, batches, count, all, &all_count);
    free(state->batches);
    if (all_count == 0) {
        free(all);
        state->batches = NULL;
        state->batch_count = 0;
        return;
    }
    merged = xcalloc(2 * all_count, sizeof *merged);
    if (!steps_merge(all, all_count, STEPS_PER_BATCH * all_count, merged, &state->batch_count))
        layers_merge(all, all_count, merged, &state->batch_count);
    free(all);
    state->batches = xrealloc(merged, state->batch_count, sizeof *merged);
}

void
share_state_copy(const struct share_state *state, struct share_state *out)
{
    *out = *state;
    out->batches = state->batch_count == 0
                       ? NULL
                       : xmemdup(state->batches, state->batch_count * sizeof *state->batches);
}

void
share_state_update(const struct share_state *state, const struct share_state *change,
    const struct share_batch *batches, size_t count, struct share_state *out)
{
    share_state_copy(state, out);
    out->delivery_complete_count = change->delivery_complete_count;
    if (change->start_offset != SHARE_OFFSET_UNKNOWN)
        out->start_offset = change->start_offset;
    if (change->leader_epoch != -1)
        out->leader_epoch = change->leader_epoch;
    share_state_merge(out, batches, count);
}

int32_t
share_state_epoch_next(int32_t snapshot_epoch)
{
    return (int32_t)((uint32_t)snapshot_epoch + 1);
}
