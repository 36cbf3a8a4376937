/* Verdicts and transactions against what Kafka 4.3.1 made of the same histories
 * (producers_kafka.def), each promise of producers.h, and saved states of all kinds. */
#include "refbroker/log/producers.h"

#include "lib/base/env.h"
#include "tests/unit/unit.h"

enum step_kind { BEGIN_STEP, BATCH_STEP, MARKER_STEP, STATE_STEP };

struct step {
    enum step_kind kind;
    int64_t producer_id;
    int32_t epoch, base_sequence, last_sequence;
    bool transactional, commit, aborts;
    enum producer_verdict verdict;
    int64_t offset, first_offset, last_stable_offset, first_open;
};

#define BEGIN() {.kind = BEGIN_STEP},
#define BATCH(id, producer_epoch, base, last, txn, what, base_offset, open)                        \
    {.kind = BATCH_STEP,                                                                           \
        .producer_id = (id),                                                                       \
        .epoch = (producer_epoch),                                                                 \
        .base_sequence = (base),                                                                   \
        .last_sequence = (last),                                                                   \
        .transactional = (txn),                                                                    \
        .verdict = (what),                                                                         \
        .offset = (base_offset),                                                                   \
        .first_open = (open)},
#define MARKER(id, producer_epoch, is_commit, is_aborted, first, last_stable, open)                \
    {.kind = MARKER_STEP,                                                                          \
        .producer_id = (id),                                                                       \
        .epoch = (producer_epoch),                                                                 \
        .commit = (is_commit),                                                                     \
        .aborts = (is_aborted),                                                                    \
        .first_offset = (first),                                                                   \
        .last_stable_offset = (last_stable),                                                       \
        .first_open = (open)},
#define STATE(id, producer_epoch, last, open)                                                      \
    {.kind = STATE_STEP,                                                                           \
        .producer_id = (id),                                                                       \
        .epoch = (producer_epoch),                                                                 \
        .last_sequence = (last),                                                                   \
        .first_offset = (open)},

static const struct step steps[] = {
#include "tests/unit/refbroker/log/producers_kafka.def"
};

#define STEPS (sizeof steps / sizeof *steps)

static struct producer_batch
batch_of(const struct step *step, int64_t offset)
{
    int64_t count = (int64_t)step->last_sequence - step->base_sequence + 1;

    if (count <= 0)
        count += (int64_t)INT32_MAX + 1;
    return (struct producer_batch){.producer_id = step->producer_id,
        .base_offset = offset,
        .last_offset = offset + count - 1,
        .max_timestamp = 1000,
        .base_sequence = step->base_sequence,
        .last_sequence = step->last_sequence,
        .producer_epoch = (int16_t)step->epoch,
        .is_transactional = step->transactional};
}

static int64_t
first_open(const struct producers *producers)
{
    int64_t first = producers_first_unstable(producers, INT64_MAX);

    return first == INT64_MAX ? -1 : first;
}

static void
batch_step(struct producers *producers, const struct step *step, int64_t *offset)
{
    struct producer_batch batch = batch_of(step, *offset);
    struct producer_first first = {-1, -1, -1};

    assert_int_equal(producers_check(producers, &batch, &first), step->verdict);
    if (step->verdict == PRODUCER_DUPLICATE)
        assert_int_equal(first.base_offset, step->offset);
    if (step->verdict != PRODUCER_APPEND)
        return;
    assert_int_equal(*offset, step->offset);
    producers_note(producers, &batch);
    *offset = batch.last_offset + 1;
}

static void
marker_step(struct producers *producers, const struct step *step, int64_t *offset)
{
    struct aborted_txn txn = {0}, last = {0};
    size_t before = 0, after = 0, position = 0;

    while (producers_aborted(producers, 0, INT64_MAX, &position, &txn))
        before++;
    producers_note_marker(
        producers, step->producer_id, (int16_t)step->epoch, 5, *offset, 1000, step->commit);
    position = 0;
    while (producers_aborted(producers, 0, INT64_MAX, &position, &txn)) {
        last = txn;
        after++;
    }
    assert_int_equal(after - before, step->aborts);
    if (step->aborts) {
        assert_int_equal(last.producer_id, step->producer_id);
        assert_int_equal(last.first_offset, step->first_offset);
        assert_int_equal(last.last_offset, *offset);
        assert_int_equal(last.last_stable_offset, step->last_stable_offset);
    }
    ++*offset;
}

static void
state_step(const struct producers *producers, const struct step *step)
{
    struct producer_info info;
    size_t position = 0;

    while (producers_next(producers, &position, &info))
        if (info.producer_id == step->producer_id) {
            assert_int_equal(info.producer_epoch, step->epoch);
            assert_int_equal(info.last_sequence, step->last_sequence);
            assert_int_equal(info.txn_first_offset, step->first_offset);
            return;
        }
    fail_msg("producer %d is not known", (int)step->producer_id);
}

/* Saves and loads, so that nothing that matters can be missing in what is saved. */
static struct producers *
through_bytes(struct producers *producers)
{
    struct producers *copy = producers_new(100);
    struct buf saved;

    buf_init(&saved, 1 << 20);
    producers_save(producers, &saved);
    assert_int_equal(producers_load(copy, saved.data, saved.size, NULL), RC_OK);
    buf_fini(&saved);
    producers_free(producers);
    return copy;
}

static void
play(bool reload)
{
    struct producers *producers = producers_new(100);
    int64_t offset = 0;

    for (size_t i = 0; i < STEPS; i++) {
        switch (steps[i].kind) {
        case BEGIN_STEP:
            producers_free(producers);
            producers = producers_new(100);
            offset = 0;
            continue;
        case BATCH_STEP:
            batch_step(producers, &steps[i], &offset);
            break;
        case MARKER_STEP:
            marker_step(producers, &steps[i], &offset);
            break;
        case STATE_STEP:
            state_step(producers, &steps[i]);
            continue;
        }
        assert_int_equal(first_open(producers), steps[i].first_open);
        if (reload)
            producers = through_bytes(producers);
    }
    producers_free(producers);
}

static void
histories_go_as_in_kafka(void **state)
{
    (void)state;
    assert_true(STEPS > 500);
    play(false);
}

static void
histories_go_on_after_a_reload(void **state)
{
    (void)state;
    play(true);
}

static struct producer_batch
simple(int64_t producer_id, int32_t sequence, int64_t offset, int64_t timestamp, bool txn)
{
    return (struct producer_batch){
        producer_id, offset, offset, timestamp, sequence, sequence, 0, txn};
}

static void
note(struct producers *producers, int64_t producer_id, int32_t sequence, int64_t offset,
    int64_t timestamp, bool txn)
{
    struct producer_batch batch = simple(producer_id, sequence, offset, timestamp, txn);

    producers_note(producers, &batch);
}

static void
a_duplicate_tells_where_the_first_attempt_stands(void **state)
{
    struct producers *producers = producers_new(10);
    struct producer_batch batch;
    struct producer_first first;

    (void)state;
    for (int32_t i = 0; i < 7; i++)
        note(producers, 1, i, 100 + i, 5000 + i, false);
    for (int32_t i = 0; i < 7; i++) {
        batch = simple(1, i, 0, 0, false);
        if (i < 7 - PRODUCERS_BATCHES) {
            assert_int_equal(producers_check(producers, &batch, &first), PRODUCER_OUT_OF_ORDER);
            continue;
        }
        assert_int_equal(producers_check(producers, &batch, &first), PRODUCER_DUPLICATE);
        assert_int_equal(first.base_offset, 100 + i);
        assert_int_equal(first.last_offset, 100 + i);
        assert_int_equal(first.max_timestamp, 5000 + i);
    }
    producers_free(producers);
    producers_free(NULL);
}

static void
a_plain_batch_in_an_open_transaction_is_refused_whatever_its_epoch(void **state)
{
    struct producers *producers = producers_new(10);
    struct producer_batch batch = simple(1, 1, 0, 0, false);
    struct producer_first first;

    (void)state;
    note(producers, 1, 0, 0, 0, true);
    assert_int_equal(producers_check(producers, &batch, &first), PRODUCER_BAD_TXN);
    batch.producer_epoch = 1;
    batch.base_sequence = batch.last_sequence = 0;
    assert_int_equal(producers_check(producers, &batch, &first), PRODUCER_BAD_TXN);
    batch.base_sequence = 3;
    assert_int_equal(producers_check(producers, &batch, &first), PRODUCER_OUT_OF_ORDER);
    producers_free(producers);
}

static void
the_aborted_list_gives_what_touches_a_range(void **state)
{
    struct producers *producers = producers_new(10);
    struct aborted_txn txn;
    size_t position = 0;

    (void)state;
    note(producers, 1, 0, 10, 0, true);
    note(producers, 2, 0, 12, 0, true);
    producers_note_marker(producers, 1, 0, 3, 20, 0, false);
    producers_note_marker(producers, 2, 0, 3, 25, 0, false);
    assert_true(producers_aborted(producers, 20, 21, &position, &txn));
    assert_int_equal(txn.producer_id, 1);
    assert_int_equal(txn.last_stable_offset, 12);
    assert_true(producers_aborted(producers, 20, 21, &position, &txn));
    assert_int_equal(txn.producer_id, 2);
    assert_int_equal(txn.last_stable_offset, 26);
    assert_false(producers_aborted(producers, 20, 21, &position, &txn));
    position = 0;
    assert_true(producers_aborted(producers, 21, 22, &position, &txn));
    assert_int_equal(txn.producer_id, 2);
    position = 0;
    assert_false(producers_aborted(producers, 26, 100, &position, &txn));
    assert_false(producers_aborted(producers, 0, 10, &position, &txn));
    producers_trim(producers, 20);
    position = 0;
    assert_true(producers_aborted(producers, 0, 100, &position, &txn));
    producers_trim(producers, 21);
    position = 0;
    assert_true(producers_aborted(producers, 0, 100, &position, &txn));
    assert_int_equal(txn.producer_id, 2);
    assert_false(producers_aborted(producers, 0, 100, &position, &txn));
    assert_int_equal(producers_count(producers), 2);
    producers_free(producers);
}

static void
aborted_transactions_are_forgotten_by_their_markers(void **state)
{
    struct producers *producers = producers_new(10);
    const int64_t gone[] = {20, 22, 30};
    struct producer_info info;
    struct aborted_txn txn;
    size_t position = 0;

    (void)state;
    note(producers, 1, 0, 10, 0, true);
    note(producers, 2, 0, 12, 0, true);
    producers_note_marker(producers, 1, 0, 3, 20, 0, false);
    producers_note_marker(producers, 2, 0, 3, 25, 0, false);
    producers_forget_aborted(producers, NULL, 0);
    producers_forget_aborted(producers, gone, 3);
    assert_true(producers_aborted(producers, 0, 100, &position, &txn));
    assert_int_equal(txn.last_offset, 25);
    assert_false(producers_aborted(producers, 0, 100, &position, &txn));
    position = 0;
    assert_true(producers_next(producers, &position, &info));
    assert_int_equal(info.last_offset, 10);
    producers_note_marker(producers, 1, 1, 3, 40, 0, true);
    position = 0;
    assert_true(producers_next(producers, &position, &info));
    assert_int_equal(info.last_offset, -1);
    producers_free(producers);
}

static void
silent_producers_expire_unless_a_transaction_is_open(void **state)
{
    struct producers *producers = producers_new(10);

    (void)state;
    note(producers, 1, 0, 0, 100, false);
    note(producers, 2, 0, 1, 100, true);
    note(producers, 3, 0, 2, 200, false);
    producers_expire(producers, 100);
    assert_int_equal(producers_count(producers), 3);
    producers_expire(producers, 101);
    assert_int_equal(producers_count(producers), 2);
    producers_note_marker(producers, 2, 0, 0, 5, 150, true);
    producers_expire(producers, 151);
    assert_int_equal(producers_count(producers), 1);
    producers_free(producers);
}

static void
beyond_the_limit_the_one_silent_longest_is_forgotten(void **state)
{
    struct producers *producers = producers_new(3);
    struct producer_batch batch;
    struct producer_first first;

    (void)state;
    note(producers, 1, 0, 0, 50, true); /* older, but open */
    note(producers, 2, 0, 1, 100, false);
    note(producers, 3, 0, 2, 90, false);
    note(producers, 4, 0, 3, 110, false);
    assert_int_equal(producers_count(producers), 3);
    batch = simple(3, 7, 0, 0, false);
    assert_int_equal(producers_check(producers, &batch, &first), PRODUCER_APPEND);
    batch = simple(2, 7, 0, 0, false);
    assert_int_equal(producers_check(producers, &batch, &first), PRODUCER_OUT_OF_ORDER);
    assert_int_equal(producers_first_unstable(producers, INT64_MAX), 0);
    producers_free(producers);
}

/* Makes a state with three producers and two aborted transactions, saved. */
static void
save_sample(struct buf *out)
{
    struct producers *producers = producers_new(10);

    for (int32_t i = 0; i < 6; i++)
        note(producers, 1, i, i, 0, false);
    note(producers, 2, 0, 10, 0, true);
    producers_note_marker(producers, 2, 0, 1, 11, 0, false);
    note(producers, 3, 0, 12, 0, true);
    producers_note_marker(producers, 3, 0, 1, 13, 0, false);
    note(producers, 3, 1, 14, 0, true);
    producers_save(producers, out);
    producers_free(producers);
}

static void
a_cut_or_longer_state_is_corrupt_and_leaves_nothing(void **state)
{
    struct producers *producers = producers_new(10);
    struct err e = {0};
    struct buf saved;

    (void)state;
    buf_init(&saved, 10000);
    save_sample(&saved);
    assert_int_equal(producers_load(producers, saved.data, saved.size, NULL), RC_OK);
    assert_int_equal(producers_count(producers), 3);
    for (size_t size = 0; size < saved.size; size++) {
        uint8_t *exact = malloc(size == 0 ? 1 : size); /* the sanitizer sees a read behind it */

        memcpy(exact, saved.data, size);
        assert_int_equal(producers_load(producers, exact, size, &e), RC_CORRUPT);
        assert_int_equal(producers_count(producers), 0);
        assert_int_equal(producers_first_unstable(producers, INT64_MAX), INT64_MAX);
        free(exact);
    }
    assert_non_null(strstr(e.text, "is not readable"));
    buf_append_byte(&saved, 0);
    assert_int_equal(producers_load(producers, saved.data, saved.size, NULL), RC_CORRUPT);
    producers_free(producers);
    buf_fini(&saved);
}

static void
set_int32(uint8_t *at, int32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)((uint32_t)value >> (24 - 8 * i));
}

static void
counts_and_repetitions_that_cannot_be_are_corrupt(void **state)
{
    static const uint8_t empty[10] = {0, 1};
    struct producers *producers = producers_new(10);
    uint8_t bytes[10];
    struct buf saved, twice;

    (void)state;
    assert_int_equal(producers_load(producers, empty, sizeof empty, NULL), RC_OK);
    memcpy(bytes, empty, sizeof empty);
    set_int32(bytes + 2, -1);
    assert_int_equal(producers_load(producers, bytes, sizeof bytes, NULL), RC_CORRUPT);
    memcpy(bytes, empty, sizeof empty);
    set_int32(bytes + 6, INT32_MIN);
    assert_int_equal(producers_load(producers, bytes, sizeof bytes, NULL), RC_CORRUPT);
    memcpy(bytes, empty, sizeof empty);
    bytes[1] = 2; /* another version */
    assert_int_equal(producers_load(producers, bytes, sizeof bytes, NULL), RC_CORRUPT);
    set_int32(bytes + 2, INT32_MAX);
    assert_int_equal(producers_load(producers, bytes, sizeof bytes, NULL), RC_CORRUPT);

    /* One producer, twice. */
    buf_init(&saved, 1000);
    buf_init(&twice, 1000);
    note(producers, 9, 0, 0, 0, true);
    producers_save(producers, &saved);
    buf_append(&twice, saved.data, 6);
    buf_append(&twice, saved.data + 6, saved.size - 10);
    buf_append(&twice, saved.data + 6, saved.size - 6);
    set_int32(twice.data + 2, 2);
    assert_int_equal(producers_load(producers, twice.data, twice.size, NULL), RC_CORRUPT);
    buf_fini(&saved);
    buf_fini(&twice);
    producers_free(producers);
}

/* Whatever the bytes, loading ends, and what was loaded can be used, saved and loaded again. */
static void
random_damage_of_a_saved_state_does_no_harm(void **state)
{
    int loaded = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct producers *producers = producers_new(4);
        struct producer_info info;
        struct buf saved, again;
        size_t position = 0;
        struct env env;

        env_init_seeded(&env, seed, 0);
        buf_init(&saved, 10000);
        buf_init(&again, 10000);
        save_sample(&saved);
        for (int i = 0; i < 3; i++)
            saved.data[env_random_below(&env, saved.size)] = (uint8_t)env_random(&env);
        if (producers_load(producers, saved.data, saved.size, NULL) == RC_OK) {
            loaded++;
            while (producers_next(producers, &position, &info))
                producers_note_marker(producers, info.producer_id, 7, 0, 100, 0, false);
            assert_int_equal(producers_first_unstable(producers, INT64_MAX), INT64_MAX);
            producers_save(producers, &again);
            assert_int_equal(producers_load(producers, again.data, again.size, NULL), RC_OK);
        }
        buf_fini(&saved);
        buf_fini(&again);
        producers_free(producers);
    }
    assert_in_range(loaded, 100, 2999);
}

static void
a_marker_is_judged_by_the_epochs_of_producer_and_coordinator(void **state)
{
    static const struct {
        int16_t epoch;
        int32_t coordinator_epoch;
        int16_t version;
        enum producer_marker_verdict verdict;
    } rows[] = {
        {4, 9, 0, PRODUCER_MARKER_FENCED},
        {5, 9, 0, PRODUCER_MARKER_APPEND},
        {6, 9, 0, PRODUCER_MARKER_APPEND},
        {4, 9, 2, PRODUCER_MARKER_FENCED},
        {5, 9, 2, PRODUCER_MARKER_APPEND}, /* once more */
        {5, 2, 2, PRODUCER_MARKER_COORDINATOR_FENCED},
        {6, 9, 2, PRODUCER_MARKER_APPEND},
        {6, 2, 2, PRODUCER_MARKER_COORDINATOR_FENCED},
        {5, 3, 0, PRODUCER_MARKER_APPEND},
    };
    struct producers *producers = producers_new(10);
    struct producer_batch batch = simple(1, 0, 0, 0, true);

    (void)state;
    batch.producer_epoch = 5;
    producers_note(producers, &batch);
    producers_note_marker(producers, 1, 5, 3, 1, 0, true);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(producers_check_marker(producers, 1, rows[i].epoch,
                             rows[i].coordinator_epoch, rows[i].version),
            rows[i].verdict);
    assert_int_equal(producers_check_marker(producers, 2, 0, 0, 2), PRODUCER_MARKER_APPEND);
    /* With a transaction open, a marker of its epoch is late: KIP-1228. Above the last epoch there
     * is none. */
    batch.base_sequence = 1;
    batch.base_offset = 2;
    producers_note(producers, &batch);
    assert_int_equal(producers_check_marker(producers, 1, 5, 9, 2), PRODUCER_MARKER_FENCED);
    assert_int_equal(producers_check_marker(producers, 1, 5, 9, 0), PRODUCER_MARKER_APPEND);
    batch.producer_epoch = INT16_MAX;
    batch.base_sequence = 0;
    producers_note(producers, &batch);
    assert_int_equal(producers_check_marker(producers, 1, INT16_MAX, 9, 2), PRODUCER_MARKER_APPEND);
    assert_true(producers_knows(producers, 1));
    assert_false(producers_knows(producers, 2));
    producers_free(producers);
}

static void
a_transaction_is_unstable_until_its_marker_is_below_the_high_watermark(void **state)
{
    struct producers *producers = producers_new(10);

    (void)state;
    note(producers, 1, 0, 10, 0, true);
    note(producers, 2, 0, 11, 0, true);
    assert_true(producers_is_open(producers, 1, 0));
    assert_false(producers_is_open(producers, 1, 1));
    producers_note_marker(producers, 1, 0, 0, 12, 0, true);
    assert_false(producers_is_open(producers, 1, 0));
    assert_int_equal(producers_first_unstable(producers, 12), 10);
    assert_int_equal(producers_first_unstable(producers, 13), 11);
    producers_note_marker(producers, 2, 0, 0, 13, 0, false);
    assert_int_equal(producers_first_unstable(producers, 12), 10);
    assert_int_equal(producers_first_unstable(producers, 13), 11);
    assert_int_equal(producers_first_unstable(producers, 14), INT64_MAX);
    producers_settle(producers, 13);
    assert_int_equal(producers_first_unstable(producers, 12), 11);
    producers_settle(producers, 14);
    assert_int_equal(producers_first_unstable(producers, 0), INT64_MAX);
    producers_free(producers);
}

static void
the_oldest_open_transaction_is_known_after_a_reload(void **state)
{
    struct producers *producers = producers_new(10);
    struct buf saved;

    (void)state;
    note(producers, 3, 0, 5, 0, false); /* first seen, last to begin */
    note(producers, 1, 0, 10, 0, true);
    note(producers, 2, 0, 11, 0, true);
    note(producers, 3, 1, 12, 0, true);
    buf_init(&saved, 1 << 16);
    producers_save(producers, &saved);
    assert_int_equal(producers_load(producers, saved.data, saved.size, NULL), RC_OK);
    buf_fini(&saved);
    for (int64_t id = 1; id <= 3; id++) {
        assert_int_equal(producers_first_unstable(producers, INT64_MAX), 9 + id);
        producers_note_marker(producers, id, 0, 0, 20 + id, 0, true);
    }
    assert_int_equal(producers_first_unstable(producers, INT64_MAX), INT64_MAX);
    producers_free(producers);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histories_go_as_in_kafka),
        cmocka_unit_test(histories_go_on_after_a_reload),
        cmocka_unit_test(a_duplicate_tells_where_the_first_attempt_stands),
        cmocka_unit_test(a_plain_batch_in_an_open_transaction_is_refused_whatever_its_epoch),
        cmocka_unit_test(the_aborted_list_gives_what_touches_a_range),
        cmocka_unit_test(aborted_transactions_are_forgotten_by_their_markers),
        cmocka_unit_test(silent_producers_expire_unless_a_transaction_is_open),
        cmocka_unit_test(beyond_the_limit_the_one_silent_longest_is_forgotten),
        cmocka_unit_test(a_cut_or_longer_state_is_corrupt_and_leaves_nothing),
        cmocka_unit_test(counts_and_repetitions_that_cannot_be_are_corrupt),
        cmocka_unit_test(random_damage_of_a_saved_state_does_no_harm),
        cmocka_unit_test(a_marker_is_judged_by_the_epochs_of_producer_and_coordinator),
        cmocka_unit_test(a_transaction_is_unstable_until_its_marker_is_below_the_high_watermark),
        cmocka_unit_test(the_oldest_open_transaction_is_known_after_a_reload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
