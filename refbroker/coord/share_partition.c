#include "refbroker/coord/share_partition.h"

#include <stdlib.h>

#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "refbroker/coord/share_partition_inner.h"

/* --- a partition begins ---------------------------------------------------------------------- */

static void
batches_load(struct share_partition *partition, const struct share_state *state)
{
    int64_t next = partition->start_offset;

    for (size_t i = 0; i < state->batch_count; i++) {
        const struct share_batch *batch = &state->batches[i];
        int64_t first = offset_max(batch->first_offset, next);
        int64_t last = offset_min(batch->last_offset, INT64_MAX - 1);
        int8_t stored = batch->delivery_state;

        if (last < first)
            continue;
        if (first > next && !partition->gaps.known)
            partition->gaps = (struct share_gaps){.known = true, .start_offset = next};
        (void)share_pieces_add(&partition->pieces, first, last,
            share_pieces_is_done(stored) ? stored : SHARE_AVAILABLE,
            batch->delivery_count < 0 ? 0 : batch->delivery_count);
        next = last + 1;
    }
    if (next > partition->start_offset) {
        partition->end_offset = next - 1;
        partition->available_from = partition->start_offset;
    }
    partition->gaps.end_offset = partition->end_offset;
}

struct share_partition *
share_partition_new(
    const struct share_state *state, int64_t start_offset, const struct share_limits *limits)
{
    struct share_partition *partition = xcalloc(1, sizeof *partition);

    partition->limits = *limits;
    partition->state_epoch = state->state_epoch;
    partition->start_offset = offset_max(start_offset, 0);
    partition->end_offset = partition->start_offset;
    partition->available_from = INT64_MAX;
    share_pieces_init(&partition->pieces);
    batches_load(partition, state);
    (void)share_partition_move_start(partition);
    return partition;
}

void
share_partition_free(struct share_partition *partition)
{
    if (partition == NULL)
        return;
    share_pieces_fini(&partition->pieces);
    free(partition);
}

void
share_partition_configure(struct share_partition *partition, const struct share_limits *limits)
{
    partition->limits = *limits;
}

/* --- where it stands ------------------------------------------------------------------------- */

int64_t
share_partition_start_offset(const struct share_partition *partition)
{
    return partition->start_offset;
}

int64_t
share_partition_end_offset(const struct share_partition *partition)
{
    return partition->end_offset;
}

int32_t
share_partition_state_epoch(const struct share_partition *partition)
{
    return partition->state_epoch;
}

bool
share_partition_gaps_count(const struct share_partition *partition)
{
    return partition->gaps.known && partition->gaps.end_offset == partition->end_offset;
}

void
share_partition_gaps_pass(struct share_partition *partition, int64_t offset)
{
    struct share_gaps *gaps = &partition->gaps;

    if (share_partition_gaps_count(partition) && offset <= gaps->end_offset)
        gaps->start_offset = offset;
    else
        gaps->known = false;
}

int64_t
share_partition_under_way(const struct share_partition *partition)
{
    if (partition->pieces.count == 0)
        return 0;
    return partition->end_offset - partition->start_offset + 1;
}

/* The walk begins where the last one found something, so that what is acquired in front is passed
 * once. */
int64_t
share_partition_next_fetch_offset(struct share_partition *partition)
{
    bool with_gaps = share_partition_gaps_count(partition);
    int64_t gap = partition->gaps.start_offset, from = partition->available_from;
    struct share_piece *piece;

    if (partition->pieces.count == 0)
        return partition->end_offset;
    if (from == INT64_MAX)
        return partition->end_offset + 1;
    piece = share_pieces_at(&partition->pieces, with_gaps ? offset_min(gap, from) : from);
    for (; piece != NULL; piece = share_pieces_next(piece)) {
        if (with_gaps && piece->first > gap)
            return gap;
        gap = offset_max(gap, piece->last + 1);
        if (piece->state == SHARE_AVAILABLE) {
            partition->available_from = piece->first;
            return piece->first;
        }
    }
    partition->available_from = INT64_MAX;
    return partition->end_offset + 1;
}

static bool
has_room(const struct share_partition *partition)
{
    return share_partition_under_way(partition) < partition->limits.record_locks_max;
}

/* At the limit the start moves over what is done although nothing has changed: where that is all
 * that is under way, nobody is left whose acknowledgement would move it. Gaps do not count then:
 * the next fetch would be in one if there were any. */
bool
share_partition_can_acquire(struct share_partition *partition)
{
    bool with_gaps = partition->gaps.known, moved;

    if (partition->pieces.count == 0 ||
        share_partition_next_fetch_offset(partition) <= partition->end_offset ||
        has_room(partition))
        return true;
    partition->gaps.known = false;
    moved = share_partition_move_start(partition);
    partition->gaps.known = with_gaps && !moved;
    return moved && has_room(partition);
}

/* --- changes --------------------------------------------------------------------------------- */

int64_t
share_partition_lock_end(const struct share_partition *partition, int64_t now_ms)
{
    return saturate_add(now_ms, partition->limits.lock_ms);
}

void
share_partition_put(struct share_partition *partition, struct share_piece *piece, int8_t state,
    struct share_changes *changes)
{
    if (state == SHARE_AVAILABLE && piece->delivery_count >= partition->limits.delivery_count_limit)
        state = SHARE_ARCHIVED;
    share_pieces_set(&partition->pieces, piece, state);
    if (changes->count == changes->capacity) {
        changes->capacity = changes->capacity == 0 ? 4 : changes->capacity * 2;
        changes->batches = xrealloc(changes->batches, changes->capacity, sizeof *changes->batches);
    }
    changes->batches[changes->count++] = (struct share_batch){.first_offset = piece->first,
        .last_offset = piece->last,
        .delivery_count = piece->delivery_count,
        .delivery_state = state};
}

void
share_partition_archive(
    struct share_partition *partition, struct share_piece *piece, int64_t first, int64_t last)
{
    if (piece->run_first < first || piece->run_last > last)
        piece->by_offset = true;
    piece = share_pieces_cut(
        &partition->pieces, piece, offset_max(piece->first, first), offset_min(piece->last, last));
    share_pieces_set(&partition->pieces, piece, SHARE_ARCHIVED);
}

void
share_partition_numbers(const struct share_partition *partition, struct share_changes *changes)
{
    int64_t done = partition->pieces.done_count;

    changes->start_offset = partition->start_offset;
    changes->delivery_complete_count = done > INT32_MAX ? INT32_MAX : (int32_t)done;
}

/* Kafka looks at whole runs where gaps count: one that ends at or behind the first gap stays, and
 * so does all behind a gap. */
bool
share_partition_move_start(struct share_partition *partition)
{
    struct share_piece *piece = share_pieces_first(&partition->pieces);
    bool with_gaps = share_partition_gaps_count(partition);
    int64_t gap = partition->gaps.start_offset, done = -1;

    for (; piece != NULL && share_pieces_is_done(piece->state) &&
           !(with_gaps && piece->run_last >= gap);
         piece = share_pieces_next(piece))
        done = piece->last;
    if (done < 0)
        return false;
    partition->start_offset = piece == NULL ? done + 1 : piece->first;
    if (with_gaps)
        partition->start_offset = offset_min(partition->start_offset, gap);
    share_pieces_drop_below(&partition->pieces, partition->start_offset);
    if (piece == NULL) {
        partition->end_offset = partition->start_offset;
        partition->available_from = INT64_MAX;
    }
    return true;
}

void
share_partition_settle(struct share_partition *partition, struct share_changes *changes)
{
    if (changes->count == 0)
        return;
    changes->any = true;
    share_partition_numbers(partition, changes);
    for (size_t i = 0; i < changes->count; i++) {
        const struct share_batch *batch = &changes->batches[i];

        if (batch->delivery_state == SHARE_AVAILABLE) {
            partition->available_from = offset_min(partition->available_from, batch->first_offset);
            changes->wake = true;
        }
        share_pieces_join(&partition->pieces, batch->first_offset, batch->last_offset);
    }
    if (share_partition_move_start(partition))
        changes->wake = true;
}

/* --- what ends an acquisition, but for an acknowledgement ------------------------------------ */

/* The holder stays until its last piece has been given back. */
void
share_partition_release(
    struct share_partition *partition, const char *member_id, struct share_changes *changes)
{
    struct share_holder *holder = share_pieces_holder(&partition->pieces, member_id);
    struct share_piece *piece = share_pieces_first(&partition->pieces);

    if (holder == NULL)
        return;
    holder = share_pieces_holder_ref(&partition->pieces, member_id);
    for (; piece != NULL && holder->users > 1; piece = share_pieces_next(piece))
        if (piece->holder == holder)
            share_partition_put(partition, piece, SHARE_AVAILABLE, changes);
    share_pieces_holder_unref(&partition->pieces, holder);
    share_partition_settle(partition, changes);
}

void
share_partition_expire(
    struct share_partition *partition, int64_t now_ms, struct share_changes *changes)
{
    struct share_piece *piece;

    while ((piece = share_pieces_due(&partition->pieces)) != NULL && piece->lock.deadline <= now_ms)
        share_partition_put(partition, piece, SHARE_AVAILABLE, changes);
    share_partition_settle(partition, changes);
}

int64_t
share_partition_deadline(const struct share_partition *partition)
{
    const struct share_piece *piece = share_pieces_due(&partition->pieces);

    return piece == NULL ? INT64_MAX : piece->lock.deadline;
}

void
share_partition_trim(
    struct share_partition *partition, int64_t log_start_offset, struct share_changes *changes)
{
    if (log_start_offset <= partition->start_offset)
        return;
    partition->start_offset = log_start_offset;
    share_pieces_drop_below(&partition->pieces, log_start_offset);
    if (partition->pieces.count == 0) {
        partition->end_offset = log_start_offset;
        partition->available_from = INT64_MAX;
    }
    partition->gaps.start_offset = offset_max(partition->gaps.start_offset, log_start_offset);
    share_partition_numbers(partition, changes);
    changes->wake = true;
}

/* --- lists ----------------------------------------------------------------------------------- */

void
share_acquired_list_fini(struct share_acquired_list *list)
{
    free(list->items);
    *list = (struct share_acquired_list){0};
}

void
share_changes_fini(struct share_changes *changes)
{
    free(changes->batches);
    *changes = (struct share_changes){0};
}
