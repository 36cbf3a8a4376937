#include "lib/base/xalloc.h"
#include "refbroker/coord/share_partition_inner.h"

#define THROTTLE_COUNT_MIN 2 /* deliveries before portions get smaller */

/* One acquisition under way. */
struct acquiring {
    struct share_partition *partition;
    const struct share_acquire *ask;
    struct share_acquired_list *out;
    struct share_holder *holder;
    int64_t lock_end;
    int64_t last_offset; /* of what may be given */
    int64_t record_max;  /* 0: no more, whatever there is */
    size_t batch;        /* batches before it lie below all that is still to come */
};

static int64_t
records_left(const struct acquiring *call)
{
    return call->record_max - call->out->record_count;
}

static void
out_push(struct acquiring *call, const struct share_acquired *item)
{
    struct share_acquired_list *out = call->out;

    if (out->count == out->capacity) {
        out->capacity = out->capacity == 0 ? 4 : out->capacity * 2;
        out->items = xrealloc(out->items, out->capacity, sizeof *out->items);
    }
    out->items[out->count++] = *item;
    out->record_count += item->last_offset - item->first_offset + 1;
}

static void
piece_take(struct acquiring *call, struct share_piece *piece)
{
    if (piece->delivery_count < INT16_MAX)
        piece->delivery_count++;
    share_pieces_hold(&call->partition->pieces, piece, call->holder, call->lock_end);
}

static void
out_push_piece(struct acquiring *call, const struct share_piece *piece)
{
    struct share_acquired item = {piece->first, piece->last, piece->delivery_count};

    out_push(call, &item);
}

/* --- records that nobody had yet ------------------------------------------------------------- */

/* The end of the batch that has `offset`, or `offset` itself where none has it. */
static int64_t
fresh_batch_end(const struct acquiring *call, int64_t offset)
{
    const struct share_acquire *ask = call->ask;
    size_t i = call->batch;

    while (i + 1 < ask->batch_count && ask->batches[i + 1].first <= offset)
        i++;
    return i < ask->batch_count && ask->batches[i].first <= offset
               ? offset_max(ask->batches[i].last, offset)
               : offset;
}

static void
fresh_run(struct acquiring *call, int64_t first, int64_t last)
{
    struct share_piece *piece =
        share_pieces_add(&call->partition->pieces, first, last, SHARE_AVAILABLE, 0);

    piece_take(call, piece);
    out_push_piece(call, piece);
}

/* Runs end where a batch does, at the first that makes them batch_size long. */
static void
fresh_runs(struct acquiring *call, int64_t first, int64_t last)
{
    const struct share_acquire *ask = call->ask;

    if (last - first >= ask->batch_size)
        for (size_t i = call->batch; i < ask->batch_count && ask->batches[i].first <= last; i++) {
            int64_t base = ask->batches[i].first;

            if (base <= first || base - first < ask->batch_size)
                continue;
            fresh_run(call, first, base - 1);
            first = base;
        }
    fresh_run(call, first, last);
}

/* The rest of the last batch stays available, as the member is to get no more than it asked for. */
static void
fresh_part(struct acquiring *call, int64_t first, int64_t last, int64_t count)
{
    struct share_partition *partition = call->partition;
    struct share_piece *piece =
        share_pieces_add(&partition->pieces, first, last, SHARE_AVAILABLE, 0);

    piece = share_pieces_cut(&partition->pieces, piece, first, first + count - 1);
    piece_take(call, piece);
    out_push_piece(call, piece);
    partition->available_from = offset_min(partition->available_from, first + count);
}

/* Gives what lies between two offsets, none of which has been given to anybody. */
static void
fresh_take(struct acquiring *call, int64_t first, int64_t last)
{
    struct share_partition *partition = call->partition;
    const struct share_acquire *ask = call->ask;
    int64_t count = records_left(call);
    const struct share_piece *next;

    first = offset_max(
        first, partition->pieces.count == 0 ? partition->end_offset : partition->start_offset);
    while (call->batch < ask->batch_count && ask->batches[call->batch].last < first)
        call->batch++;
    if (last - first >= count)
        last = fresh_batch_end(call, first + count - 1);
    next = share_pieces_at(&partition->pieces, first);
    if (next != NULL)
        last = offset_min(last, next->first - 1);
    last = offset_min(last, INT64_MAX - 1);
    if (last < first)
        return;
    if (ask->mode != SHARE_RECORD_LIMIT)
        fresh_runs(call, first, last);
    else if (last - first >= count)
        fresh_part(call, first, last, count);
    else
        fresh_run(call, first, last);
    if (share_pieces_first(&partition->pieces)->first == first)
        partition->start_offset = first;
    partition->end_offset = offset_max(partition->end_offset, last);
    share_partition_gaps_pass(partition, call->out->items[call->out->count - 1].last_offset + 1);
}

/* --- records that are known ------------------------------------------------------------------ */

static int32_t
throttle_count(const struct share_limits *limits)
{
    int32_t half = limits->delivery_count_limit / 2 + limits->delivery_count_limit % 2;

    return half > THROTTLE_COUNT_MIN ? half : THROTTLE_COUNT_MIN;
}

static bool
is_same_run(const struct share_piece *piece, const struct share_piece *other)
{
    return piece != NULL && piece->run_first == other->run_first;
}

/* Whether the run, from a piece on, has something to give that was delivered often. */
static bool
run_is_throttled(const struct acquiring *call, const struct share_piece *from)
{
    int32_t limit = throttle_count(&call->partition->limits);

    for (const struct share_piece *piece = from;
         is_same_run(piece, from) && piece->first <= call->last_offset;
         piece = share_pieces_next(piece))
        if (piece->state == SHARE_AVAILABLE && piece->delivery_count >= limit)
            return true;
    return false;
}

/* How many records a run gives whose first throttled one has been delivered so often. */
static int64_t
run_portion(const struct share_piece *piece, int32_t limit)
{
    int64_t size = piece->run_last - piece->run_first + 1;
    int32_t shift = piece->delivery_count - limit + 1;

    return shift > 62 || size >> shift < 1 ? 1 : size >> shift;
}

/* How far a run that is by offset has been given. */
struct run_taking {
    int64_t left; /* of what the member may get */
    int64_t taken;
    int64_t portion; /* of throttled records; -1: none was seen */
    bool is_over;
};

/* The number of records to give of those that a piece has to give. The portion counts only where
 * less than it has been given before the first throttled record, as in Kafka. */
static int64_t
run_take_count(const struct acquiring *call, const struct share_piece *piece, int64_t count,
    struct run_taking *run)
{
    const struct share_limits *limits = &call->partition->limits;
    int32_t throttle = throttle_count(limits);
    bool is_last_time = limits->delivery_count_limit > THROTTLE_COUNT_MIN &&
                        piece->delivery_count == limits->delivery_count_limit - 1;

    if (is_last_time)
        count = run->taken > 0 ? 0 : 1;
    if (piece->delivery_count >= throttle && run->portion < 0)
        run->portion = run_portion(piece, throttle);
    if (call->ask->mode == SHARE_RECORD_LIMIT)
        count = offset_min(count, run->left - run->taken);
    if (run->portion > run->taken)
        count = offset_min(count, run->portion - run->taken);
    run->taken += count;
    run->is_over = is_last_time || run->taken == run->portion ||
                   (call->ask->mode == SHARE_RECORD_LIMIT && run->taken == run->left);
    return count;
}

/* Gives records of a run that is by offset; true where there were any. Neighbours of one count are
 * one piece, and so one item of what is given. */
static bool
run_take_offsets(struct acquiring *call, struct share_piece *from)
{
    struct run_taking run = {.left = records_left(call), .portion = -1};

    for (struct share_piece *piece = from;
         is_same_run(piece, from) && piece->first <= call->last_offset && !run.is_over;
         piece = share_pieces_next(piece)) {
        int64_t first = offset_max(piece->first, call->ask->batches[0].first);
        int64_t count = offset_min(piece->last, call->last_offset) - first + 1;

        if (piece->state != SHARE_AVAILABLE)
            continue;
        count = run_take_count(call, piece, count, &run);
        if (count == 0)
            break;
        piece = share_pieces_cut(&call->partition->pieces, piece, first, first + count - 1);
        piece_take(call, piece);
        out_push_piece(call, piece);
    }
    return run.taken > 0;
}

/* Gives what a run has, from a piece of it on. What was delivered often comes alone. */
static void
run_take(struct acquiring *call, struct share_piece *piece)
{
    int64_t size = piece->run_last - piece->run_first + 1;
    bool is_throttled = run_is_throttled(call, piece);
    bool is_whole = piece->run_first >= call->ask->batches[0].first &&
                    piece->run_last <= call->last_offset &&
                    (call->ask->mode != SHARE_RECORD_LIMIT || size <= records_left(call));

    if (is_throttled && call->out->record_count > 0) {
        call->record_max = 0;
        return;
    }
    if (!piece->by_offset && piece->state != SHARE_AVAILABLE)
        return;
    if (is_whole && !piece->by_offset && !is_throttled) {
        piece_take(call, piece);
        out_push_piece(call, piece);
        return;
    }
    piece->by_offset = true;
    if (run_take_offsets(call, piece) && is_throttled)
        call->record_max = 0;
}

static void
all_take(struct acquiring *call)
{
    struct share_partition *partition = call->partition;
    int64_t gap = call->ask->batches[0].first;
    struct share_piece *piece = share_pieces_at(&partition->pieces, gap);
    int64_t next = gap;

    while (piece != NULL && piece->run_first <= call->last_offset && records_left(call) > 0) {
        int64_t run_last = piece->run_last;

        if (share_partition_gaps_count(partition)) {
            if (gap < piece->run_first)
                fresh_take(call, gap, piece->run_first - 1);
            gap = run_last + 1;
            if (records_left(call) <= 0)
                return;
        }
        run_take(call, piece);
        next = run_last + 1;
        piece = share_pieces_at(&partition->pieces, next);
    }
    if (records_left(call) > 0 && next <= call->last_offset)
        fresh_take(call, next, call->last_offset);
    if (call->out->count > 0)
        share_partition_gaps_pass(
            partition, call->out->items[call->out->count - 1].last_offset + 1);
}

/* --- what is archived ------------------------------------------------------------------------ */

/* Archives what is in a state within a range. */
static bool
range_archive(struct share_partition *partition, const struct share_range *range, int8_t state)
{
    struct share_piece *piece = share_pieces_at(&partition->pieces, range->first);
    bool any = false;

    if (range->last < range->first)
        return false;
    for (; piece != NULL && piece->first <= range->last; piece = share_pieces_next(piece))
        if (piece->state == state) {
            share_partition_archive(partition, piece, range->first, range->last);
            any = true;
        }
    if (any)
        share_pieces_join(&partition->pieces, range->first, range->last);
    return any;
}

/* The log has nothing between what was asked for and the first batch: compaction took it. Below
 * what was asked for there is no gap. */
static bool
stale_archive(struct share_partition *partition, const struct share_acquire *ask)
{
    struct share_range stale = {ask->fetch_offset, ask->batches[0].first - 1};

    if (stale.first <= stale.last && share_partition_gaps_count(partition) &&
        partition->gaps.start_offset <= stale.last)
        share_partition_gaps_pass(partition, stale.last + 1);
    return range_archive(partition, &stale, SHARE_AVAILABLE);
}

/* Takes aborted batches out of what is given. */
static void
out_filter(struct acquiring *call)
{
    const struct share_range *aborted = call->ask->aborted;
    const struct share_range *end = aborted + call->ask->aborted_count;
    struct share_acquired_list all = *call->out;

    *call->out = (struct share_acquired_list){0};
    for (size_t i = 0; i < all.count; i++) {
        struct share_acquired rest = all.items[i], part;

        while (aborted < end && aborted->last < rest.first_offset)
            aborted++;
        for (const struct share_range *it = aborted; it < end && it->first <= rest.last_offset;
             it++) {
            part = rest;
            part.last_offset = it->first - 1;
            if (part.last_offset >= part.first_offset)
                out_push(call, &part);
            rest.first_offset = it->last + 1;
        }
        if (rest.first_offset <= rest.last_offset)
            out_push(call, &rest);
    }
    share_acquired_list_fini(&all);
}

static bool
aborted_archive(struct acquiring *call)
{
    bool any = false;

    for (size_t i = 0; i < call->ask->aborted_count; i++)
        if (range_archive(call->partition, &call->ask->aborted[i], SHARE_ACQUIRED))
            any = true;
    if (any)
        out_filter(call);
    return any;
}

/* --- the whole ------------------------------------------------------------------------------- */

/* How much may be given, and up to where: at the limit only what is under way already. */
static bool
bounds_find(struct acquiring *call)
{
    const struct share_partition *partition = call->partition;
    const struct share_acquire *ask = call->ask;
    int64_t room = partition->limits.record_locks_max - share_partition_under_way(partition);

    call->last_offset = ask->batches[ask->batch_count - 1].last;
    if (call->last_offset < partition->start_offset)
        return false;
    if (room <= 0) {
        room = partition->end_offset - ask->fetch_offset + 1;
        call->last_offset = offset_min(call->last_offset, partition->end_offset);
    }
    call->record_max = offset_min(ask->max_records, room);
    return call->record_max > 0;
}

/* A read above a gap would leave it behind for ever. */
static bool
ask_is_sound(struct share_partition *partition, const struct share_acquire *ask)
{
    if (share_partition_gaps_count(partition) &&
        ask->fetch_offset > share_partition_next_fetch_offset(partition))
        return false;
    return ask->batch_count > 0 && ask->fetch_offset >= 0 && ask->batches[0].first >= 0 &&
           partition->pieces.count < SHARE_PIECES_MAX;
}

void
share_partition_acquire(struct share_partition *partition, const struct share_acquire *ask,
    struct share_acquired_list *acquired, struct share_changes *changes)
{
    struct acquiring call = {.partition = partition, .ask = ask, .out = acquired};
    bool archived;

    if (!ask_is_sound(partition, ask) || !bounds_find(&call))
        return;
    call.lock_end = share_partition_lock_end(partition, ask->now_ms);
    call.holder = share_pieces_holder_ref(&partition->pieces, ask->member_id);
    archived = stale_archive(partition, ask);
    all_take(&call);
    if (acquired->count > 0 && aborted_archive(&call))
        archived = true;
    share_pieces_holder_unref(&partition->pieces, call.holder);
    if (acquired->count == 0 && archived && share_partition_move_start(partition)) {
        share_partition_numbers(partition, changes);
        changes->any = changes->wake = true;
    }
}
