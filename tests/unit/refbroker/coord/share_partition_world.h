/*
 * share_partition_world: a share partition beside a plain array that tells what each record of a
 * log is to the group, by the rules as they read. The log has transactions that were aborted,
 * batches that compaction took, and a start that moves; the store is an array, too. check_all
 * compares.
 */
#ifndef TESTS_UNIT_REFBROKER_COORD_SHARE_PARTITION_WORLD_H
#define TESTS_UNIT_REFBROKER_COORD_SHARE_PARTITION_WORLD_H

#include "lib/base/env.h"
#include "tests/unit/refbroker/coord/share_partition_rig.h"

enum { RECORDS = 400, BATCH = 12, MEMBERS = 3 };

#define UNKNOWN ((int8_t)-1)
#define NOBODY (-1)

static const char *const members[MEMBERS] = {"a", "b", "c"};

struct record {
    int64_t deadline;
    int member; /* of what is acquired */
    int16_t count;
    int8_t state; /* enum share_delivery, or UNKNOWN */
    bool in_log;
    bool is_aborted;
};

struct stored {
    int16_t count;
    int8_t state;
};

struct world {
    struct env env;
    struct share_partition *partition;
    struct share_limits limits;
    int64_t now_ms;
    int64_t start, end; /* as the partition says */
    int64_t log_start;
    struct share_range log[RECORDS];
    size_t batch_count;
    struct record records[RECORDS];
    struct stored store[RECORDS];
    int64_t stored_start;
};

static inline int64_t
dice(struct world *world, int64_t bound)
{
    return (int64_t)env_random_below(&world->env, (uint64_t)bound);
}

static inline bool
is_done(int8_t state)
{
    return state == SHARE_ACKNOWLEDGED || state == SHARE_ARCHIVED;
}

/* --- the world -------------------------------------------------------------------------------- */

static inline void
world_begin(struct world *world, uint64_t seed)
{
    struct share_state none = {0};

    memset(world, 0, sizeof *world);
    env_init_seeded(&world->env, seed, 0);
    world->limits = (struct share_limits){.delivery_count_limit = 2 + (int32_t)dice(world, 5),
        .record_locks_max = 20 + (int32_t)dice(world, 150),
        .lock_ms = 100};
    for (int64_t i = 0; i < RECORDS; i++) {
        world->records[i].state = UNKNOWN;
        world->store[i].state = UNKNOWN;
    }
    for (int64_t first = 0, last; first < RECORDS; first = last + 1) {
        bool is_there = dice(world, 6) != 0, is_aborted = dice(world, 6) == 0;

        last = first + dice(world, BATCH);
        last = last < RECORDS ? last : RECORDS - 1;
        if (last == RECORDS - 1)
            is_there = true;
        if (is_there)
            world->log[world->batch_count++] = (struct share_range){first, last};
        for (int64_t i = first; i <= last; i++) {
            world->records[i].in_log = is_there;
            world->records[i].is_aborted = is_there && is_aborted;
        }
    }
    world->partition = share_partition_new(&none, 0, &world->limits);
}

/* Compaction takes a batch, but for the last one. */
static inline void
world_compact(struct world *world)
{
    size_t i = (size_t)dice(world, (int64_t)world->batch_count);
    struct share_range gone = world->log[i];

    if (i + 1 == world->batch_count)
        return;
    memmove(&world->log[i], &world->log[i + 1], (world->batch_count - i - 1) * sizeof *world->log);
    world->batch_count--;
    for (int64_t k = gone.first; k <= gone.last; k++)
        world->records[k].in_log = world->records[k].is_aborted = false;
}

/* --- what is seen ----------------------------------------------------------------------------- */

/* The start may pass only what is done, what the log has not, and what lies below the log's own. */
static inline void
check_start(struct world *world)
{
    int64_t start = share_partition_start_offset(world->partition);

    assert_true(start >= world->start);
    for (int64_t i = world->start; i < start && i < RECORDS; i++) {
        struct record *record = &world->records[i];

        assert_true(is_done(record->state) || !record->in_log || i < world->log_start);
        record->state = UNKNOWN;
    }
    world->start = start;
    world->end = share_partition_end_offset(world->partition);
    assert_true(world->end >= world->start);
}

static inline void
check_records(struct world *world)
{
    const struct share_pieces *pieces = &world->partition->pieces;
    const struct share_piece *piece = share_pieces_first(pieces);
    int64_t done = 0, deadline = INT64_MAX, last = world->start;

    for (int64_t i = world->start; i < RECORDS; i++) {
        const struct record *record = &world->records[i];

        while (piece != NULL && piece->last < i)
            piece = share_pieces_next(piece);
        if (piece == NULL || piece->first > i) {
            assert_int_equal(record->state, UNKNOWN);
            continue;
        }
        last = i;
        assert_int_equal(piece->state, record->state);
        assert_int_equal(piece->delivery_count, record->count);
        done += is_done(record->state);
        if (record->state == SHARE_ACQUIRED) {
            assert_string_equal(piece->holder->member_id, members[record->member]);
            assert_int_equal(piece->lock.deadline, record->deadline);
            deadline = record->deadline < deadline ? record->deadline : deadline;
        }
    }
    assert_int_equal(world->end, last);
    assert_int_equal(pieces->done_count, done);
    assert_int_equal(share_partition_deadline(world->partition), deadline);
}

static inline void
check_next(struct world *world)
{
    int64_t next = share_partition_next_fetch_offset(world->partition);
    bool can_acquire = share_partition_can_acquire(world->partition), is_new = next > world->end;
    int64_t under_way;

    check_start(world); /* which moves at the limit */
    for (int64_t i = world->start; i < next && i < RECORDS; i++)
        assert_int_not_equal(world->records[i].state, SHARE_AVAILABLE);
    under_way = world->partition->pieces.count == 0 ? 0 : world->end - world->start + 1;
    if (!is_new && under_way > 0)
        assert_true(
            world->records[next].state == SHARE_AVAILABLE || world->records[next].state == UNKNOWN);
    assert_int_equal(
        can_acquire, under_way == 0 || !is_new || under_way < world->limits.record_locks_max);
}

static inline void
check_all(struct world *world)
{
    check_start(world);
    check_records(world);
    check_next(world);
}

/* --- the store -------------------------------------------------------------------------------- */

/* What is stored agrees with the records, which the caller has changed; each of those is in it. */
static inline void
store_write(struct world *world, struct share_changes *changes)
{
    int64_t done = 0;

    for (size_t i = 0; i < changes->count; i++) {
        const struct share_batch *batch = &changes->batches[i];

        for (int64_t k = batch->first_offset; k <= batch->last_offset; k++) {
            struct stored *stored = &world->store[k];

            assert_int_equal(batch->delivery_state, world->records[k].state);
            assert_int_equal(batch->delivery_count, world->records[k].count);
            if (stored->state == UNKNOWN || batch->delivery_count > stored->count ||
                (batch->delivery_count == stored->count && batch->delivery_state > stored->state))
                *stored = (struct stored){batch->delivery_count, batch->delivery_state};
        }
    }
    if (changes->any) {
        for (int64_t i = changes->start_offset; i < RECORDS; i++)
            done += is_done(world->records[i].state);
        assert_int_equal(changes->delivery_complete_count, done);
        assert_true(changes->start_offset >= world->stored_start);
        world->stored_start = changes->start_offset;
    }
    assert_true(changes->any || changes->count == 0);
    share_changes_fini(changes);
}

/* Begins anew, as after a restart. */
static inline void
store_read(struct world *world)
{
    struct share_batch batches[RECORDS];
    struct share_state state = {.start_offset = world->stored_start, .batches = batches};

    for (int64_t i = world->stored_start; i < RECORDS; i++) {
        const struct stored *stored = &world->store[i];
        struct share_batch *last = state.batch_count == 0 ? NULL : &batches[state.batch_count - 1];

        world->records[i].state = stored->state;
        world->records[i].count = stored->count;
        if (stored->state == UNKNOWN)
            continue;
        if (last != NULL && last->last_offset == i - 1 && last->delivery_count == stored->count &&
            last->delivery_state == stored->state)
            last->last_offset = i;
        else
            batches[state.batch_count++] = (struct share_batch){i, i, stored->count, stored->state};
    }
    share_partition_free(world->partition);
    world->partition = share_partition_new(&state, world->stored_start, &world->limits);
    world->start = world->stored_start;
}

#endif
