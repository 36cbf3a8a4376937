/*
 * Area txn: transactions, as clients before KIP-890 drive them: AddPartitionsToTxn by the client,
 * one epoch for all transactions of a producer.
 */
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_txn.h"
#include "lib/wire/kerr.h"

#define LIMIT_MS 10000
#define SHORT_TIMEOUT_MS 500

static const int16_t fenced[] = {KE_PRODUCER_FENCED, KE_INVALID_PRODUCER_EPOCH};

/* --- producers -------------------------------------------------------------------------------- */

static void
init_new(struct kc *kc)
{
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    kc_int(kc, "producer_epoch", txn.producer.epoch, 0);
}

static void
init_again_bumps(struct kc *kc)
{
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);
    struct kc_producer first = txn.producer;

    kc_txn_init(kc, &txn);
    kc_int(kc, "producer_id", txn.producer.id, first.id);
    kc_int(kc, "producer_epoch", txn.producer.epoch, first.epoch + 1);
}

static void
init_timeout_too_large(struct kc *kc)
{
    struct kc_txn txn = kc_txn_locate(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    txn.timeout_ms = INT32_MAX;
    kc_code(
        kc, "error_code", kc_txn_init_once(kc, &txn)->error_code, KE_INVALID_TRANSACTION_TIMEOUT);
}

static void
init_while_ongoing(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn old = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1), new;

    kc_txn_append(kc, &old, topic, 0, "old");
    new = old;
    kc_code(kc, "error_code", kc_txn_init_once(kc, &new)->error_code, KE_CONCURRENT_TRANSACTIONS);
    kc_txn_init(kc, &new);
    kc_int(kc, "producer_id", new.producer.id, old.producer.id);
    kc_that(kc, new.producer.epoch > old.producer.epoch, "same-epoch", "a higher epoch");
    kc_txn_settled(kc, topic, 0, 2);
    kc_txn_values(kc, topic, 0, NULL, 0);
}

/* --- visibility ------------------------------------------------------------------------------- */

static void
commit_visible(struct kc *kc)
{
    static const char *const values[] = {"1", "2", "3"};
    struct kc_topic *topic = kc_topic_new(kc, 2, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    for (int32_t partition = 0; partition < 2; partition++) {
        for (int i = 0; i < 3; i++)
            kc_txn_append(kc, &txn, topic, partition, values[i]);
        kc_txn_values(kc, topic, partition, NULL, 0);
        kc_log_values(kc, kc_log_all(kc, topic, partition), 0, values, 3);
    }
    kc_txn_end(kc, &txn, true);
    for (int32_t partition = 0; partition < 2; partition++) {
        kc_txn_settled(kc, topic, partition, 4);
        kc_txn_values(kc, topic, partition, values, 3);
    }
}

static void
abort_invisible(struct kc *kc)
{
    static const char *const values[] = {"1", "2", "3"};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);
    struct kc_log *log;

    for (int i = 0; i < 3; i++)
        kc_txn_append(kc, &txn, topic, 0, values[i]);
    kc_txn_end(kc, &txn, false);
    kc_txn_settled(kc, topic, 0, 4);
    kc_txn_values(kc, topic, 0, NULL, 0);
    log = kc_log_all(kc, topic, 0);
    kc_int(kc, "uncommitted", (int64_t)log->record_count, 4);
    log->record_count = 3; /* without the marker */
    kc_log_values(kc, log, 0, values, 3);
}

static void
open_hides_later_plain(struct kc *kc)
{
    static const char *const values[] = {"before", "in", "plain-0"};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);
    struct batch_builder_record before = kc_record(NULL, "before", kc_wall_ms());

    (void)kc_append_ok(kc, topic, 0, kc_batch(kc, NULL, &before, 1));
    kc_txn_append(kc, &txn, topic, 0, "in");
    (void)kc_append_ok(kc, topic, 0, kc_batch_values(kc, "plain", 1));
    kc_txn_values(kc, topic, 0, values, 1);
    kc_log_values(kc, kc_log_all(kc, topic, 0), 0, values, 3);
    kc_txn_settled(kc, topic, 0, 1);
    kc_txn_end(kc, &txn, true);
    kc_txn_settled(kc, topic, 0, 4);
    kc_txn_values(kc, topic, 0, values, 3);
}

static void
interleaved_commit_abort(struct kc *kc)
{
    static const char *const values[] = {"a1", "c1", "a2", "c2"};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn a = kc_txn_open(kc, kc_txn_id(kc, "a"), KC_TXN_V1);
    struct kc_txn b = kc_txn_open(kc, kc_txn_id(kc, "b"), KC_TXN_V1);
    struct kc_txn c = kc_txn_open(kc, kc_txn_id(kc, "c"), KC_TXN_V1);

    kc_txn_append(kc, &a, topic, 0, "a1");
    kc_txn_append(kc, &b, topic, 0, "b1");
    kc_txn_append(kc, &c, topic, 0, "c1");
    kc_txn_append(kc, &b, topic, 0, "b2");
    kc_txn_append(kc, &a, topic, 0, "a2");
    kc_txn_append(kc, &c, topic, 0, "c2");
    kc_txn_end(kc, &c, true);
    kc_txn_end(kc, &b, false);
    kc_txn_values(kc, topic, 0, NULL, 0);
    kc_txn_end(kc, &a, true);
    kc_txn_settled(kc, topic, 0, 9);
    kc_txn_values(kc, topic, 0, values, 4);
}

static void
marker_contents(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    for (int commits = 0; commits < 2; commits++) {
        const struct batch_view *marker;
        const struct kc_log *log;

        kc_txn_append(kc, &txn, topic, 0, "value");
        kc_txn_end(kc, &txn, commits == 1);
        kc_txn_settled(kc, topic, 0, 2 + 2 * commits);
        log = kc_log_all(kc, topic, 0);
        marker = &log->batches[log->batch_count - 1];
        kc_that(kc, batch_view_is_control(marker), "no-marker", "a control batch at the end");
        kc_int(kc, "marker_offset", marker->base_offset, 1 + 2 * commits);
        kc_int(kc, "producer_id", marker->producer_id, txn.producer.id);
        kc_int(kc, "key_size", log->records[log->record_count - 1].key.size, 4);
        kc_int(kc, "marker_type", log->records[log->record_count - 1].key.data[3], commits);
    }
}

/* --- what is refused -------------------------------------------------------------------------- */

static void
add_unknown_partition(struct kc *kc)
{
    static const int32_t partitions[] = {0, 7};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);
    const struct km_add_partitions_to_txn_response *response =
        kc_txn_add(kc, &txn, topic, partitions, 2);

    for (int32_t i = 0; i < 2; i++) {
        const struct km_add_partitions_to_txn_response_partition_result *it =
            &response->results_by_topic_v3_and_below.items[0].results_by_partition.items[i];

        kc_code(kc, it->partition_index == 0 ? "known" : "unknown", it->partition_error_code,
            it->partition_index == 0 ? KE_OPERATION_NOT_ATTEMPTED : KE_UNKNOWN_TOPIC_OR_PARTITION);
    }
}

static void
produce_not_added(struct kc *kc)
{
    static const int16_t refused[] = {KE_INVALID_TXN_STATE, KE_TRANSACTION_ABORTABLE};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    kc_code_in(kc, "error_code", kc_txn_send(kc, &txn, topic, 0, "orphan"), refused, 2);
    kc_int(kc, "log_end_after", kc_latest(kc, topic, 0), 0);
}

static void
plain_write_during_txn(struct kc *kc)
{
    static const int16_t refused[] = {KE_INVALID_TXN_STATE};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    kc_txn_append(kc, &txn, topic, 0, "in");
    (void)kc_append_refused(kc, topic, kc_batch_sequence(kc, &txn.producer, 1, 1), refused, 1);
}

static void
end_codes(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    kc_code(kc, "without_begin", kc_txn_end_once(kc, &txn, true)->error_code, KE_INVALID_TXN_STATE);
    kc_txn_append(kc, &txn, topic, 0, "value");
    kc_txn_end(kc, &txn, true);
    kc_txn_settled(kc, topic, 0, 2);
    kc_txn_end(kc, &txn, true); /* the answer was lost */
    kc_code(kc, "other_result", kc_txn_end_once(kc, &txn, false)->error_code, KE_INVALID_TXN_STATE);
    txn.producer.epoch++;
    kc_code_in(kc, "other_epoch", kc_txn_end_once(kc, &txn, true)->error_code, fenced, 2);
    kc_int(kc, "log_end_after", kc_latest(kc, topic, 0), 2);
}

static void
fencing_on_commit(struct kc *kc)
{
    static const char *const values[] = {"new"};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn old = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1), new;

    kc_txn_append(kc, &old, topic, 0, "old");
    new = kc_txn_open(kc, old.id, KC_TXN_V1);
    kc_code_in(kc, "error_code", kc_txn_end_once(kc, &old, true)->error_code, fenced, 2);
    kc_txn_append(kc, &new, topic, 0, "new");
    kc_txn_end(kc, &new, true);
    kc_txn_settled(kc, topic, 0, 4);
    kc_txn_values(kc, topic, 0, values, 1);
}

static void
fencing_on_send(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn old = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    kc_txn_append(kc, &old, topic, 0, "old");
    (void)kc_txn_open(kc, old.id, KC_TXN_V1);
    kc_txn_settled(kc, topic, 0, 2);
    kc_code_in(kc, "error_code", kc_txn_send(kc, &old, topic, 0, "zombie"), fenced, 2);
    kc_int(kc, "log_end_after", kc_latest(kc, topic, 0), 2);
}

/* --- the coordinator -------------------------------------------------------------------------- */

static const char *const short_cleanup[] = {
    "transaction.abort.timed.out.transaction.cleanup.interval.ms=100", NULL};

static void
timeout_aborts(struct kc *kc)
{
    struct kc_topic *topic;
    struct kc_txn txn;

    topic = kc_topic_new(kc, 1, NULL);
    txn = kc_txn_locate(kc, kc_txn_id(kc, "id"), KC_TXN_V1);
    txn.timeout_ms = SHORT_TIMEOUT_MS;
    kc_txn_init(kc, &txn);
    kc_txn_append(kc, &txn, topic, 0, "forgotten");
    kc_txn_settled(kc, topic, 0, 2);
    kc_txn_values(kc, topic, 0, NULL, 0);
    kc_code_in(kc, "error_code", kc_txn_end_once(kc, &txn, true)->error_code, fenced, 2);
}

static void
coordinator_failover_open(struct kc *kc)
{
    static const char *const kill[] = {"kill"}, *const restart[] = {"restart"};
    static const char *const values[] = {"before", "after"};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    kc_txn_append(kc, &txn, topic, 0, "before");
    kc_links_forget(kc);
    kc_control(kc, kill, 1);
    kc_control(kc, restart, 1);
    topic = kc_topic_await(kc, topic->name, 1);
    txn.link = kc_txn_locate(kc, txn.id, KC_TXN_V1).link;
    kc_txn_values(kc, topic, 0, NULL, 0);
    kc_txn_append(kc, &txn, topic, 0, "after");
    kc_txn_end(kc, &txn, true);
    kc_txn_settled(kc, topic, 0, 3);
    kc_txn_values(kc, topic, 0, values, 2);
}

static void
describe(struct kc *kc)
{
    const struct km_describe_transactions_response_transaction_state *state;
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    kc_txn_append(kc, &txn, topic, 0, "value");
    state = kc_txn_describe(kc, &txn);
    kc_code(kc, "error_code", state->error_code, KE_NONE);
    kc_that(kc, kc_topic_is_named(state->transaction_state, "Ongoing"), "other-state", "Ongoing");
    kc_int(kc, "producer_id", state->producer_id, txn.producer.id);
    kc_int(kc, "producer_epoch", state->producer_epoch, txn.producer.epoch);
    kc_int(kc, "transaction_timeout_ms", state->transaction_timeout_ms, KC_TXN_TIMEOUT_MS);
    kc_int(kc, "topics_count", state->topics.count, 1);
    kc_that(kc, kc_topic_is_named(state->topics.items[0].topic, topic->name), "other-topic", "%s",
        topic->name);
    kc_txn_end(kc, &txn, true);
    kc_txn_settled(kc, topic, 0, 2);
    for (struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);;) {
        if (kc_topic_is_named(kc_txn_describe(kc, &txn)->transaction_state, "CompleteCommit"))
            break;
        kc_wait_more(kc, &wait, "CompleteCommit");
    }
}

#define NEEDS_OF_TXN                                                                               \
    CHECK_NEED(INIT_PRODUCER_ID, 0), CHECK_NEED(ADD_PARTITIONS_TO_TXN, 0), CHECK_NEED(END_TXN, 0)
#define NEED_TXN                                                                                   \
    {                                                                                              \
        NEEDS_OF_TXN                                                                               \
    }

static const struct check checks[] = {
    {"txn.init_new", "a new transactional id gets a producer id and epoch 0",
        "TransactionCoordinator", CHECK_CORE, 0, {CHECK_NEED(INIT_PRODUCER_ID, 0)}, init_new},
    {"txn.init_again_bumps", "InitProducerId again keeps the producer id and raises its epoch",
        "TransactionCoordinator", 0, 0, {CHECK_NEED(INIT_PRODUCER_ID, 0)}, init_again_bumps},
    {"txn.init_timeout_too_large", "a timeout above transaction.max.timeout.ms is answered 50",
        "librdkafka 0103", 0, 0, {CHECK_NEED(INIT_PRODUCER_ID, 0)}, init_timeout_too_large},
    {"txn.init_while_ongoing",
        "InitProducerId in a transaction is answered 51 until that is aborted, then a higher epoch",
        "TransactionCoordinator", CHECK_CORE, 0, NEED_TXN, init_while_ongoing},
    {"txn.add_unknown_partition", "with an unknown partition none is added: 3 and 55", "KafkaApis",
        0, 0, NEED_TXN, add_unknown_partition},
    {"txn.produce_not_added", "a transaction's batch for a partition that was not added is refused",
        "KIP-890", 0, 0, NEED_TXN, produce_not_added},
    {"txn.plain_write_during_txn",
        "a batch outside of the producer's transaction is answered 48 while that is open",
        "ProducerAppendInfo", 0, 0, NEED_TXN, plain_write_during_txn},
    {"txn.commit_visible", "read_committed returns all of a transaction once it is committed",
        "TransactionsTest.testBasicTransactions", CHECK_CORE, 0, NEED_TXN, commit_visible},
    {"txn.abort_invisible", "read_committed never returns what was aborted",
        "redpanda 3033, redpanda 6630", CHECK_CORE, 0, NEED_TXN, abort_invisible},
    {"txn.open_hides_later_plain", "read_committed stops where an open transaction begins",
        "TransactionsTest.testReadCommittedConsumerShouldNotSeeUndecidedData", CHECK_CORE, 0,
        NEED_TXN, open_hides_later_plain},
    {"txn.interleaved_commit_abort",
        "of interleaved transactions exactly the committed records are returned, in order",
        "librdkafka 0098, librdkafka 0129", CHECK_CORE, 0, NEED_TXN, interleaved_commit_abort},
    {"txn.marker_contents", "the end is one control record of the producer: 1 commits, 0 aborts",
        "EndTransactionMarker", 0, 0, NEED_TXN, marker_contents},
    {"txn.end_codes",
        "EndTxn without transaction or with the other result is answered 48, again is taken",
        "TransactionCoordinator", 0, 0, NEED_TXN, end_codes},
    {"txn.fencing_on_commit", "a producer that another one replaced cannot commit",
        "TransactionsTest.testFencingOnCommit", CHECK_CORE, 0, NEED_TXN, fencing_on_commit},
    {"txn.fencing_on_send", "nor can it write", "TransactionsTest.testFencingOnSend", 0, 0,
        NEED_TXN, fencing_on_send},
    {"txn.timeout_aborts", "a transaction that outlives its timeout is aborted",
        "TransactionsExpirationTest, redpanda 8566", CHECK_CORE, 90,
        {NEEDS_OF_TXN, CHECK_START(short_cleanup)}, timeout_aborts},
    {"txn.coordinator_failover_open", "an open transaction outlives its coordinator's death",
        "TransactionsBounceTest", CHECK_CORE | CHECK_CONTROL, 120, NEED_TXN,
        coordinator_failover_open},
    {"txn.describe", "DescribeTransactions tells state, producer, timeout and partitions",
        "KIP-664", 0, 0,
        {CHECK_NEED(ADD_PARTITIONS_TO_TXN, 0), CHECK_NEED(END_TXN, 0),
            CHECK_NEED(DESCRIBE_TRANSACTIONS, 0)},
        describe},
};

const struct check_table c_txn_table = CHECK_TABLE("txn", checks);
