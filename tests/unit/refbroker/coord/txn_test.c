/* The state machine of a transactional id: every state, every request, every code. */
#include "refbroker/coord/txn.h"

#include <string.h>

#include "lib/wire/kerr.h"
#include "tests/unit/unit.h"

#define PID INT64_C(7)
#define FRESH INT64_C(1000)
#define EPOCH ((int16_t)5)

/* An id in a state, as its log has it: producer PID, epoch EPOCH, the one before 4. */
static struct txn *
txn_in(enum txn_state state, int16_t epoch)
{
    struct txn *txn = txn_new("id", 2, PID, 100);

    txn->now.state = state;
    txn->now.producer_epoch = epoch;
    txn->now.last_epoch = (int16_t)(epoch - 1);
    txn->now.previous_producer_id = PID;
    txn->now.timeout_ms = 60000;
    txn->now.version = TXN_VERSION_BUMPS;
    if (state == TXN_ONGOING || state == TXN_PREPARE_COMMIT || state == TXN_PREPARE_ABORT) {
        txn->now.start_ms = 50;
        txn_partitions_add(&txn->partitions, "t", 1, 0);
    }
    return txn;
}

static struct txn_answer
end(struct txn *txn, int64_t producer_id, int16_t epoch, int16_t version, bool commit)
{
    struct txn_end_ask ask = {producer_id, epoch, version, commit, FRESH, 200};

    return txn_end(txn, &ask);
}

static struct txn_answer
init(struct txn *txn, int64_t expected_id, int16_t expected_epoch)
{
    struct txn_init_ask ask = {30000, expected_id, expected_epoch, FRESH, 200};

    return txn_init(txn, &ask);
}

static struct txn_answer
add(struct txn *txn, int64_t producer_id, int16_t epoch, int32_t index)
{
    struct txn_partitions set;
    struct txn_answer answer;

    txn_partitions_init(&set);
    txn_partitions_add(&set, "t", 1, index);
    answer = txn_add(txn, producer_id, epoch, TXN_VERSION_BUMPS, &set, 200);
    txn_partitions_clear(&set);
    return answer;
}

/* --- EndTxn ---------------------------------------------------------------------------------- */

#define NO_STEP (-1)

struct end_row {
    enum txn_state state;
    int16_t epoch; /* of the request; EPOCH is the current one */
    bool commit;
    int16_t error;
    int step; /* the state that follows, or NO_STEP */
};

static void
end_check(const struct end_row *row, int16_t version)
{
    struct txn *txn = txn_in(row->state, EPOCH);
    struct txn_answer answer = end(txn, PID, row->epoch, version, row->commit);

    if (answer.error != row->error || txn->pending != (row->step != NO_STEP) ||
        (txn->pending && (int)txn->next.state != row->step))
        fail_msg("%s, epoch %d, %s, version %d: error %d, step %d", txn_state_name(row->state),
            row->epoch, row->commit ? "commit" : "abort", version, answer.error,
            txn->pending ? (int)txn->next.state : NO_STEP);
    txn_free(txn);
}

static void
an_end_before_kip_890_is_judged_as_kafka_does(void **state)
{
    static const struct end_row rows[] = {
        {TXN_EMPTY, 5, true, KE_INVALID_TXN_STATE, NO_STEP},
        {TXN_EMPTY, 5, false, KE_INVALID_TXN_STATE, NO_STEP},
        {TXN_EMPTY, 4, false, KE_PRODUCER_FENCED, NO_STEP},
        {TXN_ONGOING, 5, true, KE_NONE, TXN_PREPARE_COMMIT},
        {TXN_ONGOING, 5, false, KE_NONE, TXN_PREPARE_ABORT},
        {TXN_ONGOING, 4, true, KE_PRODUCER_FENCED, NO_STEP},
        {TXN_ONGOING, 6, true, KE_PRODUCER_FENCED, NO_STEP},
        {TXN_PREPARE_COMMIT, 5, true, KE_CONCURRENT_TRANSACTIONS, NO_STEP},
        {TXN_PREPARE_COMMIT, 5, false, KE_CONCURRENT_TRANSACTIONS, NO_STEP},
        {TXN_PREPARE_ABORT, 5, false, KE_CONCURRENT_TRANSACTIONS, NO_STEP},
        {TXN_PREPARE_ABORT, 4, false, KE_PRODUCER_FENCED, NO_STEP},
        {TXN_COMPLETE_COMMIT, 5, true, KE_NONE, NO_STEP},
        {TXN_COMPLETE_COMMIT, 5, false, KE_INVALID_TXN_STATE, NO_STEP},
        {TXN_COMPLETE_COMMIT, 4, true, KE_PRODUCER_FENCED, NO_STEP},
        {TXN_COMPLETE_ABORT, 5, false, KE_NONE, NO_STEP},
        {TXN_COMPLETE_ABORT, 5, true, KE_INVALID_TXN_STATE, NO_STEP},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        end_check(&rows[i], TXN_VERSION_OLD);
}

/* The table that stands in Kafka's TransactionCoordinator, and what comes before it. */
static void
an_end_since_kip_890_is_judged_as_kafka_does(void **state)
{
    static const struct end_row rows[] = {
        {TXN_EMPTY, 4, false, KE_PRODUCER_FENCED, NO_STEP},
        {TXN_EMPTY, 5, false, KE_NONE, TXN_PREPARE_ABORT},
        {TXN_EMPTY, 4, true, KE_PRODUCER_FENCED, NO_STEP},
        {TXN_EMPTY, 5, true, KE_INVALID_TXN_STATE, NO_STEP},
        {TXN_COMPLETE_ABORT, 4, false, KE_NONE, NO_STEP},
        {TXN_COMPLETE_ABORT, 5, false, KE_NONE, TXN_PREPARE_ABORT},
        {TXN_COMPLETE_ABORT, 4, true, KE_INVALID_TXN_STATE, NO_STEP},
        {TXN_COMPLETE_ABORT, 5, true, KE_INVALID_TXN_STATE, NO_STEP},
        {TXN_COMPLETE_ABORT, 3, false, KE_PRODUCER_FENCED, NO_STEP},
        {TXN_COMPLETE_COMMIT, 4, false, KE_INVALID_TXN_STATE, NO_STEP},
        {TXN_COMPLETE_COMMIT, 5, false, KE_NONE, TXN_PREPARE_ABORT},
        {TXN_COMPLETE_COMMIT, 4, true, KE_NONE, NO_STEP},
        {TXN_COMPLETE_COMMIT, 5, true, KE_INVALID_TXN_STATE, NO_STEP},
        {TXN_COMPLETE_COMMIT, 6, true, KE_PRODUCER_FENCED, NO_STEP},
        {TXN_ONGOING, 5, true, KE_NONE, TXN_PREPARE_COMMIT},
        {TXN_ONGOING, 5, false, KE_NONE, TXN_PREPARE_ABORT},
        {TXN_ONGOING, 4, true, KE_PRODUCER_FENCED, NO_STEP},
        {TXN_ONGOING, 6, false, KE_PRODUCER_FENCED, NO_STEP},
        {TXN_PREPARE_COMMIT, 4, true, KE_CONCURRENT_TRANSACTIONS, NO_STEP},
        {TXN_PREPARE_COMMIT, 4, false, KE_CONCURRENT_TRANSACTIONS, NO_STEP},
        {TXN_PREPARE_ABORT, 5, false, KE_CONCURRENT_TRANSACTIONS, NO_STEP},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        end_check(&rows[i], TXN_VERSION_BUMPS);
}

static void
another_producer_id_is_49_for_every_request(void **state)
{
    struct txn *txn = txn_in(TXN_ONGOING, EPOCH);

    (void)state;
    assert_int_equal(
        end(txn, PID + 1, EPOCH, TXN_VERSION_OLD, true).error, KE_INVALID_PRODUCER_ID_MAPPING);
    assert_int_equal(
        end(txn, PID + 1, EPOCH, TXN_VERSION_BUMPS, true).error, KE_INVALID_PRODUCER_ID_MAPPING);
    assert_int_equal(add(txn, PID + 1, EPOCH, 1).error, KE_INVALID_PRODUCER_ID_MAPPING);
    assert_int_equal(txn_verify(txn, PID + 1, EPOCH), KE_INVALID_PRODUCER_ID_MAPPING);
    assert_false(txn->pending);
    txn_free(txn);
}

static void
each_end_since_kip_890_raises_the_epoch_and_none_before(void **state)
{
    struct txn *txn = txn_in(TXN_ONGOING, EPOCH);
    struct txn_answer answer = end(txn, PID, EPOCH, TXN_VERSION_BUMPS, true);

    (void)state;
    assert_int_equal(answer.producer_id, PID);
    assert_int_equal(answer.producer_epoch, EPOCH + 1);
    txn_step_end(txn, true);
    assert_int_equal(txn->now.producer_epoch, EPOCH + 1);
    assert_true(txn_is_decided(txn));
    assert_int_equal(txn->partitions.count, 1);
    txn_complete(txn, 300);
    txn_step_end(txn, true);
    assert_int_equal(txn->now.state, TXN_COMPLETE_COMMIT);
    assert_int_equal(txn->now.producer_epoch, EPOCH + 1);
    assert_int_equal(txn->partitions.count, 0);
    txn_free(txn);

    txn = txn_in(TXN_ONGOING, EPOCH);
    answer = end(txn, PID, EPOCH, TXN_VERSION_OLD, false);
    assert_int_equal(answer.producer_id, TXN_NO_PRODUCER_ID);
    txn_step_end(txn, true);
    assert_int_equal(txn->now.producer_epoch, EPOCH);
    txn_free(txn);
}

static void
the_end_of_the_last_epoch_gives_a_new_producer_id_and_its_retry_the_same(void **state)
{
    struct txn *txn = txn_in(TXN_ONGOING, INT16_MAX - 1);
    struct txn_answer answer = end(txn, PID, INT16_MAX - 1, TXN_VERSION_BUMPS, true);

    (void)state;
    assert_int_equal(answer.error, KE_NONE);
    assert_true(answer.took_fresh);
    assert_int_equal(answer.producer_id, FRESH);
    assert_int_equal(answer.producer_epoch, 0);
    txn_step_end(txn, true);
    /* The markers still have the old id. */
    assert_int_equal(txn->now.producer_id, PID);
    assert_int_equal(txn->now.producer_epoch, INT16_MAX);
    assert_int_equal(
        end(txn, PID, INT16_MAX - 1, TXN_VERSION_BUMPS, true).error, KE_CONCURRENT_TRANSACTIONS);
    txn_complete(txn, 300);
    txn_step_end(txn, true);
    assert_int_equal(txn->now.producer_id, FRESH);
    assert_int_equal(txn->now.producer_epoch, 0);
    answer = end(txn, PID, INT16_MAX - 1, TXN_VERSION_BUMPS, true);
    assert_int_equal(answer.error, KE_NONE);
    assert_int_equal(answer.producer_id, FRESH);
    assert_int_equal(answer.producer_epoch, 0);
    assert_int_equal(
        end(txn, PID, INT16_MAX - 1, TXN_VERSION_BUMPS, false).error, KE_INVALID_TXN_STATE);
    assert_false(txn->pending);
    txn_free(txn);
}

static void
without_a_producer_id_at_hand_the_last_epoch_waits_with_14(void **state)
{
    struct txn *txn = txn_in(TXN_ONGOING, INT16_MAX - 1);
    struct txn_end_ask ask = {PID, INT16_MAX - 1, TXN_VERSION_BUMPS, true, -1, 200};
    struct txn_init_ask init_ask = {30000, -1, -1, -1, 200};

    (void)state;
    assert_int_equal(txn_end(txn, &ask).error, KE_COORDINATOR_LOAD_IN_PROGRESS);
    assert_false(txn->pending);
    txn_free(txn);
    txn = txn_in(TXN_EMPTY, INT16_MAX - 1);
    assert_int_equal(txn_init(txn, &init_ask).error, KE_COORDINATOR_LOAD_IN_PROGRESS);
    assert_false(txn->pending);
    txn_free(txn);
}

static void
no_client_has_the_epoch_that_is_left_for_fencing(void **state)
{
    struct txn *txn = txn_in(TXN_COMPLETE_ABORT, INT16_MAX);

    (void)state;
    assert_int_equal(add(txn, PID, INT16_MAX, 0).error, KE_PRODUCER_FENCED);
    assert_int_equal(end(txn, PID, INT16_MAX, TXN_VERSION_BUMPS, false).error, KE_PRODUCER_FENCED);
    assert_int_equal(end(txn, PID, INT16_MAX, TXN_VERSION_OLD, false).error, KE_PRODUCER_FENCED);
    assert_int_equal(init(txn, -1, -1).producer_id, FRESH);
    txn_free(txn);
}

/* --- InitProducerId -------------------------------------------------------------------------- */

static void
a_new_id_begins_with_epoch_0_and_each_init_raises_it(void **state)
{
    struct txn *txn = txn_new("id", 2, PID, 100);
    struct txn_answer answer;

    (void)state;
    for (int16_t epoch = 0; epoch < 3; epoch++) {
        answer = init(txn, -1, -1);
        assert_int_equal(answer.error, KE_NONE);
        assert_int_equal(answer.producer_id, PID);
        assert_int_equal(answer.producer_epoch, epoch);
        assert_int_equal(init(txn, -1, -1).error, KE_CONCURRENT_TRANSACTIONS);
        txn_step_end(txn, true);
        assert_int_equal(txn->now.timeout_ms, 30000);
    }
    txn_free(txn);
}

static void
an_expected_epoch_is_the_current_one_or_in_a_retry_the_one_before(void **state)
{
    static const struct {
        int64_t id;
        int16_t epoch;
        int16_t error;
        int16_t gets;
    } rows[] = {
        {PID, EPOCH, KE_NONE, EPOCH + 1},
        {PID, EPOCH - 1, KE_NONE, EPOCH},
        {PID, EPOCH - 2, KE_PRODUCER_FENCED, -1},
        {PID, EPOCH + 1, KE_PRODUCER_FENCED, -1},
        {PID + 1, EPOCH, KE_PRODUCER_FENCED, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct txn *txn = txn_in(TXN_COMPLETE_COMMIT, EPOCH);
        struct txn_answer answer = init(txn, rows[i].id, rows[i].epoch);

        assert_int_equal(answer.error, rows[i].error);
        assert_int_equal(answer.producer_epoch, rows[i].gets);
        assert_int_equal(txn->pending, rows[i].error == KE_NONE);
        txn_free(txn);
    }
}

static void
a_retry_is_no_retry_any_more_once_another_producer_came(void **state)
{
    struct txn *txn = txn_in(TXN_EMPTY, EPOCH);

    (void)state;
    assert_int_equal(init(txn, -1, -1).producer_epoch, EPOCH + 1);
    txn_step_end(txn, true);
    assert_int_equal(init(txn, PID, EPOCH).error, KE_PRODUCER_FENCED);
    txn_free(txn);
}

static void
exhausted_epochs_give_a_new_producer_id(void **state)
{
    struct txn *txn = txn_in(TXN_EMPTY, INT16_MAX - 1);
    struct txn_answer answer = init(txn, PID, INT16_MAX - 1);

    (void)state;
    assert_int_equal(answer.producer_id, FRESH);
    assert_int_equal(answer.producer_epoch, 0);
    txn_step_end(txn, true);
    assert_int_equal(txn->now.previous_producer_id, PID);
    assert_int_equal(txn->now.last_epoch, INT16_MAX - 1);
    /* The answer was lost. */
    answer = init(txn, PID, INT16_MAX - 1);
    assert_int_equal(answer.error, KE_NONE);
    assert_int_equal(answer.producer_id, FRESH);
    assert_int_equal(answer.producer_epoch, 0);
    assert_false(answer.took_fresh);
    txn_free(txn);
}

static void
an_init_during_a_transaction_aborts_it_first(void **state)
{
    struct txn *txn = txn_in(TXN_ONGOING, EPOCH);

    (void)state;
    assert_int_equal(init(txn, -1, -1).error, KE_CONCURRENT_TRANSACTIONS);
    assert_true(txn->pending);
    assert_int_equal(txn->next.state, TXN_PREPARE_ABORT);
    assert_int_equal(txn->next.producer_epoch, EPOCH + 1);
    txn_step_end(txn, true);
    assert_int_equal(init(txn, -1, -1).error, KE_CONCURRENT_TRANSACTIONS);
    txn_complete(txn, 300);
    txn_step_end(txn, true);
    assert_int_equal(init(txn, -1, -1).producer_epoch, EPOCH + 2);
    txn_free(txn);
}

/* --- partitions ------------------------------------------------------------------------------ */

static void
a_transaction_begins_with_its_first_partition(void **state)
{
    static const enum txn_state from[] = {TXN_EMPTY, TXN_COMPLETE_COMMIT, TXN_COMPLETE_ABORT};

    (void)state;
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        struct txn *txn = txn_in(from[i], EPOCH);

        assert_int_equal(add(txn, PID, EPOCH, 3).error, KE_NONE);
        assert_int_equal(txn->next.state, TXN_ONGOING);
        assert_int_equal(txn->next.start_ms, 200);
        assert_false(txn_partitions_has(&txn->partitions, "t", 1, 3));
        assert_int_equal(add(txn, PID, EPOCH, 4).error, KE_CONCURRENT_TRANSACTIONS);
        txn_step_end(txn, true);
        assert_true(txn_partitions_has(&txn->partitions, "t", 1, 3));
        txn_free(txn);
    }
}

static void
more_partitions_keep_its_start_and_known_ones_need_no_step(void **state)
{
    struct txn *txn = txn_in(TXN_ONGOING, EPOCH);

    (void)state;
    assert_int_equal(add(txn, PID, EPOCH, 0).error, KE_NONE);
    assert_false(txn->pending);
    assert_int_equal(add(txn, PID, EPOCH, 1).error, KE_NONE);
    assert_int_equal(txn->next.start_ms, 50);
    txn_step_end(txn, true);
    assert_int_equal(txn->partitions.count, 2);
    txn_free(txn);
}

static void
a_step_that_was_not_written_changes_nothing(void **state)
{
    struct txn *txn = txn_in(TXN_ONGOING, EPOCH);

    (void)state;
    (void)add(txn, PID, EPOCH, 9);
    txn_step_end(txn, false);
    assert_false(txn_partitions_has(&txn->partitions, "t", 1, 9));
    assert_int_equal(txn->now.state, TXN_ONGOING);
    (void)end(txn, PID, EPOCH, TXN_VERSION_BUMPS, true);
    txn_step_end(txn, false);
    assert_int_equal(txn->now.producer_epoch, EPOCH);
    assert_int_equal(end(txn, PID, EPOCH, TXN_VERSION_BUMPS, false).error, KE_NONE);
    txn_free(txn);
}

static void
an_old_epoch_adds_nothing_and_a_decided_transaction_takes_nothing(void **state)
{
    struct txn *txn = txn_in(TXN_ONGOING, EPOCH);

    (void)state;
    assert_int_equal(add(txn, PID, EPOCH - 1, 1).error, KE_PRODUCER_FENCED);
    assert_int_equal(add(txn, PID, EPOCH + 1, 1).error, KE_PRODUCER_FENCED);
    assert_int_equal(txn_verify(txn, PID, EPOCH - 1), KE_PRODUCER_FENCED);
    assert_int_equal(txn_verify(txn, PID, EPOCH), KE_NONE);
    txn_free(txn);
    txn = txn_in(TXN_PREPARE_COMMIT, EPOCH);
    assert_int_equal(add(txn, PID, EPOCH, 1).error, KE_CONCURRENT_TRANSACTIONS);
    assert_int_equal(txn_verify(txn, PID, EPOCH), KE_CONCURRENT_TRANSACTIONS);
    assert_int_equal(init(txn, -1, -1).error, KE_CONCURRENT_TRANSACTIONS);
    assert_false(txn->pending);
    txn_free(txn);
}

/* --- what comes by itself -------------------------------------------------------------------- */

static void
only_an_id_at_rest_expires(void **state)
{
    (void)state;
    for (int value = 0; txn_state_is_valid(value); value++) {
        struct txn *txn = txn_in((enum txn_state)value, EPOCH);
        bool rests =
            value == TXN_EMPTY || value == TXN_COMPLETE_COMMIT || value == TXN_COMPLETE_ABORT;

        if (value != TXN_DEAD && value != TXN_PREPARE_EPOCH_FENCE)
            assert_int_equal(txn_expire(txn), rests);
        assert_int_equal(txn->pending, rests);
        txn_free(txn);
    }
}

static void
states_have_kafkas_names(void **state)
{
    static const char *const names[] = {"Empty", "Ongoing", "PrepareCommit", "PrepareAbort",
        "CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence"};

    (void)state;
    for (int i = 0; i < 8; i++) {
        assert_string_equal(txn_state_name((enum txn_state)i), names[i]);
        assert_int_equal(txn_state_of(names[i], strlen(names[i])), i);
    }
    assert_false(txn_state_is_valid(8));
    assert_false(txn_state_is_valid(-1));
    assert_int_equal(txn_state_of("ongoing", 7), -1);
    assert_int_equal(txn_state_of("", 0), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_before_kip_890_is_judged_as_kafka_does),
        cmocka_unit_test(an_end_since_kip_890_is_judged_as_kafka_does),
        cmocka_unit_test(another_producer_id_is_49_for_every_request),
        cmocka_unit_test(each_end_since_kip_890_raises_the_epoch_and_none_before),
        cmocka_unit_test(the_end_of_the_last_epoch_gives_a_new_producer_id_and_its_retry_the_same),
        cmocka_unit_test(without_a_producer_id_at_hand_the_last_epoch_waits_with_14),
        cmocka_unit_test(no_client_has_the_epoch_that_is_left_for_fencing),
        cmocka_unit_test(a_new_id_begins_with_epoch_0_and_each_init_raises_it),
        cmocka_unit_test(an_expected_epoch_is_the_current_one_or_in_a_retry_the_one_before),
        cmocka_unit_test(a_retry_is_no_retry_any_more_once_another_producer_came),
        cmocka_unit_test(exhausted_epochs_give_a_new_producer_id),
        cmocka_unit_test(an_init_during_a_transaction_aborts_it_first),
        cmocka_unit_test(a_transaction_begins_with_its_first_partition),
        cmocka_unit_test(more_partitions_keep_its_start_and_known_ones_need_no_step),
        cmocka_unit_test(a_step_that_was_not_written_changes_nothing),
        cmocka_unit_test(an_old_epoch_adds_nothing_and_a_decided_transaction_takes_nothing),
        cmocka_unit_test(only_an_id_at_rest_expires),
        cmocka_unit_test(states_have_kafkas_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
