/*
 * A share partition by seed against a plain array (share_partition_world.h): members fetch,
 * acknowledge anything, leave and are late; now and then all begins anew from what was stored. In
 * the end everything is consumed: nothing may stand still.
 */
#include "tests/unit/refbroker/coord/share_partition_world.h"

enum { STEPS = 300, SEEDS = 150, ACKS = 3, READ = 6 };

/* --- members do things ------------------------------------------------------------------------ */

static void
record_hold(struct world *world, int64_t offset, int member)
{
    struct record *record = &world->records[offset];

    assert_true(record->state == UNKNOWN || record->state == SHARE_AVAILABLE);
    record->count = record->state == UNKNOWN ? 1 : (int16_t)(record->count + 1);
    record->state = SHARE_ACQUIRED;
    record->member = member;
    record->deadline = world->now_ms + world->limits.lock_ms;
}

static void
record_release(const struct world *world, struct record *record)
{
    record->state =
        record->count >= world->limits.delivery_count_limit ? SHARE_ARCHIVED : SHARE_AVAILABLE;
}

/* What an acquisition may do besides: archive what was aborted or is gone, and leave the rest of a
 * batch available. */
static void
fetch_side_effects(struct world *world, const struct share_acquire *ask)
{
    const struct share_piece *piece = share_pieces_first(&world->partition->pieces);
    int64_t base = ask->batches[0].first, end = ask->batches[ask->batch_count - 1].last;

    for (; piece != NULL; piece = share_pieces_next(piece))
        for (int64_t i = piece->first; i <= piece->last; i++) {
            struct record *record = &world->records[i];
            bool is_stale = i >= ask->fetch_offset && i < base;

            if (piece->state == record->state)
                continue;
            if (piece->state == SHARE_AVAILABLE) {
                assert_int_equal(ask->mode, SHARE_RECORD_LIMIT);
                assert_int_equal(record->state, UNKNOWN);
                assert_true(i >= base && i <= end);
                record->count = 0;
            } else {
                assert_int_equal(piece->state, SHARE_ARCHIVED);
                assert_true(is_stale ? record->state == SHARE_AVAILABLE : record->is_aborted);
                assert_true(is_stale || (i >= base && i <= end));
                record->count = piece->delivery_count;
            }
            record->state = piece->state;
        }
}

static void
fetch_check(struct world *world, const struct share_acquire *ask, int member,
    const struct share_acquired_list *got)
{
    int64_t next = ask->batches[0].first, count = 0;

    for (size_t i = 0; i < got->count; i++) {
        const struct share_acquired *item = &got->items[i];

        assert_true(item->first_offset >= next && item->last_offset >= item->first_offset);
        next = item->last_offset + 1;
        count += next - item->first_offset;
        for (int64_t k = item->first_offset; k < next; k++) {
            assert_true(k >= world->start && !world->records[k].is_aborted);
            record_hold(world, k, member);
            assert_int_equal(world->records[k].count, item->delivery_count);
        }
    }
    assert_true(next <= ask->batches[ask->batch_count - 1].last + 1);
    assert_int_equal(got->record_count, count);
    if (ask->mode == SHARE_RECORD_LIMIT)
        assert_true(count <= ask->max_records);
}

/* Returns how many records a member got at an offset. */
static int64_t
fetch(struct world *world, int member, int64_t offset, struct share_acquire *ask)
{
    static struct share_range aborted[READ];
    struct share_acquired_list got = {0};
    struct share_changes changes = {0};
    size_t first = 0;
    int64_t count;

    while (first < world->batch_count && world->log[first].last < offset)
        first++;
    ask->batches = &world->log[first];
    ask->batch_count = 1 + (size_t)dice(world, READ);
    if (ask->batch_count > world->batch_count - first)
        ask->batch_count = world->batch_count - first;
    ask->aborted = aborted;
    for (size_t i = 0; i < ask->batch_count; i++)
        if (world->records[ask->batches[i].first].is_aborted)
            aborted[ask->aborted_count++] = ask->batches[i];
    ask->member_id = members[member];
    ask->fetch_offset = offset;
    ask->now_ms = world->now_ms;
    share_partition_acquire(world->partition, ask, &got, &changes);
    if (ask->batch_count > 0) {
        fetch_check(world, ask, member, &got);
        fetch_side_effects(world, ask);
        for (int64_t i = world->start; i < RECORDS && changes.any; i++)
            if (i < changes.start_offset && world->records[i].is_aborted)
                world->records[i].state = SHARE_ARCHIVED;
    }
    count = got.record_count;
    check_start(world);
    store_write(world, &changes);
    share_acquired_list_fini(&got);
    return count;
}

static void
step_trim(struct world *world)
{
    struct share_changes changes = {0};

    share_partition_trim(world->partition, world->log_start, &changes);
    assert_false(changes.any);
    for (int64_t i = 0; i < world->log_start; i++)
        world->records[i].state = UNKNOWN;
}

static void
step_fetch(struct world *world)
{
    struct share_acquire ask = {.mode = (enum share_acquire_mode)dice(world, 2),
        .batch_size = 1 + (int32_t)dice(world, 30),
        .max_records = (int32_t)dice(world, 60)};
    int64_t offset = share_partition_next_fetch_offset(world->partition);

    if (dice(world, 6) == 0)
        offset = world->start + dice(world, offset - world->start + 1);
    if (offset < world->log_start)
        step_trim(world);
    else if (world->partition->pieces.count == 0 || share_partition_can_acquire(world->partition))
        (void)fetch(world, (int)dice(world, MEMBERS), offset, &ask);
}

/* Where an acknowledgement that begins at an offset begins to be judged: in a gap that is with the
 * run below, where that is whole. */
static int64_t
ack_from(struct world *world, const struct record *records, int64_t first)
{
    const struct share_piece *below = share_pieces_floor(&world->partition->pieces, first);

    return below == NULL || records[first].state != UNKNOWN || below->by_offset ? first
                                                                                : below->first;
}

/* The code that an acknowledgement gets, done offset by offset on `records`. */
static int16_t
ack_expect(struct world *world, struct record *records, int member,
    const struct share_acknowledgement *ack)
{
    int64_t first = ack->first_offset < world->start ? world->start : ack->first_offset, known;

    if (ack->last_offset < ack->first_offset)
        return KE_INVALID_REQUEST;
    if (ack->last_offset < world->start)
        return KE_NONE;
    for (known = world->start; known < RECORDS && records[known].state == UNKNOWN;)
        known++;
    if (known == RECORDS || known > ack->last_offset ||
        (ack->first_offset >= world->start && known > first))
        return KE_INVALID_RECORD_STATE;
    if (ack->last_offset >= RECORDS || records[ack->last_offset].state == UNKNOWN)
        return KE_INVALID_REQUEST;
    for (int64_t i = ack_from(world, records, first); i <= ack->last_offset; i++) {
        int8_t type;

        if (records[i].state == UNKNOWN)
            continue;
        if (records[i].state != SHARE_ACQUIRED || records[i].member != member)
            return KE_INVALID_RECORD_STATE;
        if (i < first)
            continue;
        type = ack->types[ack->type_count == 1 ? 0 : i - ack->first_offset];
        if (type == 4)
            records[i].deadline = world->now_ms + world->limits.lock_ms;
        else if (type == 2)
            record_release(world, &records[i]);
        else
            records[i].state = type == 1 ? SHARE_ACKNOWLEDGED : SHARE_ARCHIVED;
    }
    return KE_NONE;
}

/* Whether a range begins where only the partition knows how it is judged (ack_from). */
static bool
ack_begins_in_gap(const struct world *world, const struct share_acknowledgement *ack)
{
    return ack->first_offset >= world->start && ack->first_offset < RECORDS &&
           world->records[ack->first_offset].state == UNKNOWN;
}

/* A range that the member mostly holds. */
static void
ack_make(struct world *world, int member, struct share_acknowledgement *ack, int8_t *types)
{
    int64_t first = world->start + dice(world, world->end - world->start + 1), last;

    for (int64_t i = 0; i < 20 && first < RECORDS && world->records[first].member != member; i++)
        first++;
    for (last = first; last + 1 < RECORDS && dice(world, 10) != 0 &&
                       world->records[last + 1].state == SHARE_ACQUIRED &&
                       world->records[last + 1].member == member;)
        last++;
    if (dice(world, 20) == 0)
        first -= dice(world, 5);
    if (dice(world, 20) == 0)
        last += dice(world, 5) - 2;
    *ack = (struct share_acknowledgement){first, last, types, 1};
    if (last >= first && dice(world, 2) == 0)
        ack->type_count = (int32_t)(last - first + 1);
    types[0] = (int8_t)dice(world, 5);
    for (int32_t i = 1; i < ack->type_count; i++)
        types[i] = dice(world, 3) == 0 ? (int8_t)dice(world, 5) : types[i - 1];
}

static void
step_acknowledge(struct world *world)
{
    static int8_t types[ACKS][RECORDS + BATCH];
    struct share_acknowledgement acks[ACKS];
    struct share_changes changes = {0};
    struct record after[RECORDS];
    size_t count = 1 + (size_t)dice(world, ACKS);
    int member = (int)dice(world, MEMBERS);
    int16_t expected = KE_NONE, error;

    for (size_t i = 0; i < count; i++) {
        ack_make(world, member, &acks[i], types[i]);
        if (ack_begins_in_gap(world, &acks[i]))
            count = i == 0 ? 1 : i;
    }
    memcpy(after, world->records, sizeof after);
    for (size_t i = 0; i < count && expected == KE_NONE; i++)
        expected = ack_expect(world, after, member, &acks[i]);
    error = share_partition_acknowledge(
        world->partition, members[member], acks, count, world->now_ms, &changes, NULL);
    assert_int_equal(error, expected);
    for (int64_t i = 0; i < RECORDS; i++)
        if (error == KE_NONE)
            world->records[i] = after[i];
        else
            world->records[i].deadline = after[i].deadline;
    assert_true(error == KE_NONE || changes.count == 0);
    store_write(world, &changes);
}

/* Gives back what a member holds, or what is due. */
static void
step_release(struct world *world, int member)
{
    struct share_changes changes = {0};
    int64_t count = 0;

    if (member == NOBODY) {
        world->now_ms += dice(world, 60);
        share_partition_expire(world->partition, world->now_ms, &changes);
    } else {
        share_partition_release(world->partition, members[member], &changes);
    }
    for (int64_t i = world->start; i < RECORDS; i++) {
        struct record *record = &world->records[i];

        if (record->state != SHARE_ACQUIRED ||
            (member == NOBODY ? record->deadline > world->now_ms : record->member != member))
            continue;
        record_release(world, record);
        count++;
    }
    for (size_t i = 0; i < changes.count; i++)
        count -= changes.batches[i].last_offset - changes.batches[i].first_offset + 1;
    assert_int_equal(count, 0);
    store_write(world, &changes);
}

static void
step_configure(struct world *world)
{
    world->limits.record_locks_max = 20 + (int32_t)dice(world, 150);
    world->limits.delivery_count_limit = 2 + (int32_t)dice(world, 5);
    share_partition_configure(world->partition, &world->limits);
}

static void
step(struct world *world)
{
    int64_t what = dice(world, 100);

    if (what < 45)
        step_fetch(world);
    else if (what < 80)
        step_acknowledge(world);
    else if (what < 85)
        step_release(world, (int)dice(world, MEMBERS));
    else if (what < 95)
        step_release(world, NOBODY);
    else if (what < 96)
        world_compact(world);
    else if (what < 97)
        world->log_start += dice(world, 10);
    else if (what < 98)
        store_read(world);
    else
        step_configure(world);
    if (world->log_start >= RECORDS)
        world->log_start = RECORDS - 1;
    check_all(world);
}

/* One member accepts what it holds, one by one. */
static void
accept_all(struct world *world)
{
    static const int8_t accept = 1;

    for (int64_t i = world->start; i < RECORDS; i++) {
        struct share_acknowledgement ack = {i, i, &accept, 1};
        struct share_changes changes = {0};

        if (world->records[i].state != SHARE_ACQUIRED || world->records[i].member != 0)
            continue;
        assert_int_equal(share_partition_acknowledge(
                             world->partition, members[0], &ack, 1, world->now_ms, &changes, NULL),
            KE_NONE);
        world->records[i].state = SHARE_ACKNOWLEDGED;
        store_write(world, &changes);
        check_start(world);
    }
}

/* One member takes what there is, until all is done. */
static void
drain(struct world *world)
{
    int64_t next = share_partition_next_fetch_offset(world->partition);

    for (int round = 0; next < RECORDS || share_partition_deadline(world->partition) < INT64_MAX;
         round++) {
        struct share_acquire ask = {.batch_size = 500, .max_records = 500};

        assert_true(round < 3 * RECORDS);
        if (next < world->log_start)
            step_trim(world);
        else if (next < RECORDS && share_partition_can_acquire(world->partition))
            (void)fetch(world, 0, next, &ask);
        check_start(world);
        accept_all(world);
        world->now_ms += world->limits.lock_ms;
        step_release(world, NOBODY);
        check_all(world);
        next = share_partition_next_fetch_offset(world->partition);
    }
    for (int64_t i = world->start; i < RECORDS; i++)
        assert_true(is_done(world->records[i].state) || !world->records[i].in_log);
}

static void
random_histories_agree_with_an_array(void **state)
{
    static struct world world;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        world_begin(&world, seed);
        for (int i = 0; i < STEPS; i++)
            step(&world);
        drain(&world);
        share_partition_free(world.partition);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_agree_with_an_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
