/*
 * share_partition_rig: a share partition under test, and what it did as text:
 *
 *     pieces     "0-4:Q2@a 5-9:V1*"    V available, Q acquired (by whom), K acknowledged, X
 * archived; the delivery count; * its run is kept by offset acquired   "0-9x1 10-14x2"       with
 * the delivery counts changes    "0-9:K1 | 0 10"       batches, start offset, records that are
 * done; "" where nothing is to be stored
 */
#ifndef TESTS_UNIT_REFBROKER_COORD_SHARE_PARTITION_RIG_H
#define TESTS_UNIT_REFBROKER_COORD_SHARE_PARTITION_RIG_H

#include <inttypes.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/share_partition_inner.h"
#include "tests/unit/unit.h"

#define RIG_LOCK_MS INT64_C(30000)
#define RIG_BATCHES_MAX 64
#define RIG_TEXT_MAX 4096

static const struct share_limits rig_limits = {
    .delivery_count_limit = 5, .record_locks_max = 200, .lock_ms = RIG_LOCK_MS};

struct rig {
    struct share_partition *partition;
    int64_t now_ms;
    bool woke; /* the last call said so */
    char text[RIG_TEXT_MAX];
    struct err e;
};

static inline void rig_add(struct rig *rig, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline void
rig_add(struct rig *rig, const char *format, ...)
{
    size_t used = strlen(rig->text);
    va_list list;

    va_start(list, format);
    (void)vsnprintf(rig->text + used, sizeof rig->text - used, format, list);
    va_end(list);
}

/* A partition that begins with batches of a store: 3 numbers and a state each. */
static inline void
rig_load(struct rig *rig, int64_t start_offset, const struct share_batch *batches, size_t count)
{
    struct share_state state = {.state_epoch = 3, .start_offset = start_offset};

    state.batches = count == 0 ? NULL : xmemdup(batches, count * sizeof *batches);
    state.batch_count = count;
    *rig = (struct rig){.partition = share_partition_new(&state, start_offset, &rig_limits)};
    free(state.batches);
}

static inline void
rig_begin(struct rig *rig, int64_t start_offset)
{
    rig_load(rig, start_offset, NULL, 0);
}

static inline void
rig_end(struct rig *rig)
{
    share_partition_free(rig->partition);
    rig->partition = NULL;
}

/* What is to be stored, as text. */
static inline const char *
rig_stored(struct rig *rig, struct share_changes *changes)
{
    rig->text[0] = '\0';
    for (size_t i = 0; i < changes->count; i++) {
        const struct share_batch *batch = &changes->batches[i];

        rig_add(rig, "%" PRId64 "-%" PRId64 ":%c%d ", batch->first_offset, batch->last_offset,
            "VQKAX"[batch->delivery_state], batch -> delivery_count);
    }
    if (changes->any)
        rig_add(rig, "| %" PRId64 " %d", changes->start_offset, changes->delivery_complete_count);
    rig->woke = changes->wake;
    share_changes_fini(changes);
    return rig->text;
}

static inline const char *
rig_pieces(struct rig *rig)
{
    const struct share_piece *piece = share_pieces_first(&rig->partition->pieces);

    rig->text[0] = '\0';
    for (; piece != NULL; piece = share_pieces_next(piece)) {
        rig_add(rig, "%s%" PRId64 "-%" PRId64 ":%c%d", rig->text[0] == '\0' ? "" : " ",
            piece->first, piece->last, "VQKAX"[piece->state], piece -> delivery_count);
        if (piece->holder != NULL)
            rig_add(rig, "@%s", piece->holder->member_id);
        if (piece->by_offset)
            rig_add(rig, "*");
    }
    return rig->text;
}

/* What a member gets of a log whose batches are given; those of `ask` where it is not NULL. */
static inline const char *
rig_acquire(struct rig *rig, struct share_acquire *ask)
{
    struct share_acquired_list got = {0};
    struct share_changes changes = {0};
    int64_t count = 0;
    char text[RIG_TEXT_MAX];

    ask->now_ms = rig->now_ms;
    share_partition_acquire(rig->partition, ask, &got, &changes);
    (void)rig_stored(rig, &changes);
    memcpy(text, rig->text, sizeof text);
    rig->text[0] = '\0';
    for (size_t i = 0; i < got.count; i++) {
        rig_add(rig, "%s%" PRId64 "-%" PRId64 "x%d", i == 0 ? "" : " ", got.items[i].first_offset,
            got.items[i].last_offset, got.items[i].delivery_count);
        count += got.items[i].last_offset - got.items[i].first_offset + 1;
    }
    if (text[0] != '\0')
        rig_add(rig, "%s", text);
    assert_int_equal(count, got.record_count);
    share_acquired_list_fini(&got);
    return rig->text;
}

/* A fetch that reads `count` batches of `size` records from `first` on. */
static inline const char *
rig_fetch_as(struct rig *rig, const char *member_id, enum share_acquire_mode mode, int64_t first,
    size_t count, int64_t size, int32_t max_records)
{
    struct share_range batches[RIG_BATCHES_MAX];
    struct share_acquire ask = {.member_id = member_id,
        .mode = mode,
        .batch_size = 500,
        .max_records = max_records,
        .fetch_offset = first,
        .batches = batches,
        .batch_count = count};

    assert_true(count <= RIG_BATCHES_MAX);
    for (size_t i = 0; i < count; i++)
        batches[i] =
            (struct share_range){first + (int64_t)i * size, first + ((int64_t)i + 1) * size - 1};
    return rig_acquire(rig, &ask);
}

static inline const char *
rig_fetch(struct rig *rig, const char *member_id, int64_t first, size_t count, int64_t size)
{
    return rig_fetch_as(rig, member_id, SHARE_BATCH_OPTIMIZED, first, count, size, 500);
}

/* One acknowledgement with one type, or the types of a text ("1203"). */
static inline int16_t
rig_ack(struct rig *rig, const char *member_id, int64_t first, int64_t last, const char *types)
{
    int8_t list[RIG_TEXT_MAX];
    struct share_acknowledgement ack = {first, last, list, (int32_t)strlen(types)};
    struct share_changes changes = {0};
    int16_t error;

    for (size_t i = 0; types[i] != '\0'; i++)
        list[i] = (int8_t)(types[i] - '0');
    err_clear(&rig->e);
    error = share_partition_acknowledge(
        rig->partition, member_id, &ack, 1, rig->now_ms, &changes, &rig->e);
    (void)rig_stored(rig, &changes);
    return error;
}

static inline const char *
rig_release(struct rig *rig, const char *member_id)
{
    struct share_changes changes = {0};

    share_partition_release(rig->partition, member_id, &changes);
    return rig_stored(rig, &changes);
}

static inline const char *
rig_expire(struct rig *rig)
{
    struct share_changes changes = {0};

    share_partition_expire(rig->partition, rig->now_ms, &changes);
    return rig_stored(rig, &changes);
}

static inline const char *
rig_trim(struct rig *rig, int64_t offset)
{
    struct share_changes changes = {0};

    share_partition_trim(rig->partition, offset, &changes);
    return rig_stored(rig, &changes);
}

/* Start, end, and where the log is to be read next. */
static inline void
rig_expect(struct rig *rig, int64_t start, int64_t end, int64_t next)
{
    assert_int_equal(share_partition_start_offset(rig->partition), start);
    assert_int_equal(share_partition_end_offset(rig->partition), end);
    assert_int_equal(share_partition_next_fetch_offset(rig->partition), next);
}

#endif
