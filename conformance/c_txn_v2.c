/*
 * Area txn: offsets in transactions (KIP-447), and transactions of clients since KIP-890: Produce
 * adds partitions, EndTxn begins a new epoch.
 */
#include "conformance/kc_ask.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_txn.h"
#include "lib/wire/kerr.h"

#define LIMIT_MS 10000
#define OFFSET 5
#define COPIED 40
#define COPIED_PER_ROUND 10

/* --- offsets ---------------------------------------------------------------------------------- */

static void
offset_is(struct kc *kc, const char *group, const struct kc_topic *topic, int64_t offset)
{
    const struct km_offset_fetch_response_partition *part =
        kc_txn_offset_fetch(kc, group, topic, false);

    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_int(kc, "committed_offset", part->committed_offset, offset);
}

/* Waits until a group's offset is stable, and returns it. */
static int64_t
offset_stable(struct kc *kc, const char *group, const struct kc_topic *topic)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    const struct km_offset_fetch_response_partition *part;

    while ((part = kc_txn_offset_fetch(kc, group, topic, true))->error_code ==
           KE_UNSTABLE_OFFSET_COMMIT)
        kc_wait_more(kc, &wait, "the offset is stable");
    kc_code(kc, "error_code", part->error_code, KE_NONE);
    return part->committed_offset;
}

static void
offsets_commit_atomic(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    char *group = kc_txn_id(kc, "group");
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    kc_txn_offset_commit(kc, &txn, group, topic, OFFSET);
    offset_is(kc, group, topic, -1);
    kc_txn_end(kc, &txn, true);
    kc_int(kc, "committed_offset", offset_stable(kc, group, topic), OFFSET);
}

static void
offsets_abort_discarded(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    char *group = kc_txn_id(kc, "group");
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    kc_txn_offset_commit(kc, &txn, group, topic, OFFSET);
    kc_txn_end(kc, &txn, true);
    kc_int(kc, "committed_offset", offset_stable(kc, group, topic), OFFSET);
    kc_txn_offset_commit(kc, &txn, group, topic, OFFSET + 1);
    kc_txn_end(kc, &txn, false);
    kc_int(kc, "committed_offset", offset_stable(kc, group, topic), OFFSET);
}

static void
offsets_require_stable(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    char *group = kc_txn_id(kc, "group");
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    kc_txn_offset_commit(kc, &txn, group, topic, OFFSET);
    kc_code(kc, "error_code", kc_txn_offset_fetch(kc, group, topic, true)->error_code,
        KE_UNSTABLE_OFFSET_COMMIT);
    kc_txn_end(kc, &txn, true);
    kc_int(kc, "committed_offset", offset_stable(kc, group, topic), OFFSET);
}

/* --- a copier that outlives its broker -------------------------------------------------------- */

struct copier {
    struct kc_topic *from;
    struct kc_topic *to;
    char *group;
    struct kc_txn txn;
};

/* Rounds in which the broker dies: before EndTxn, and while that is under way. */
enum { DEATH_BEFORE_END = 1, DEATH_IN_END = 2 };

/* Copies what is next, in a transaction that stays open; false when nothing is left. */
static bool
round_begin(struct kc *kc, struct copier *copier)
{
    struct kc_fetch_options options = kc_fetch_defaults();
    int64_t offset = offset_stable(kc, copier->group, copier->from), end;
    const struct kc_log *log;

    if (offset < 0)
        offset = 0;
    if (offset >= COPIED)
        return false;
    end = offset + COPIED_PER_ROUND < COPIED ? offset + COPIED_PER_ROUND : COPIED;
    log = kc_log_read(kc, &options, copier->from, 0, offset, end);
    for (size_t i = 0; i < log->record_count; i++) {
        const struct kc_seen *record = &log->records[i];

        if (record->offset >= offset && record->offset < end)
            kc_txn_append(kc, &copier->txn, copier->to, 0,
                kc_printf(kc, "%.*s", record->value.size, (const char *)record->value.data));
    }
    kc_txn_offset_commit(kc, &copier->txn, copier->group, copier->from, end);
    return true;
}

/* The broker dies and comes back, and with it a new copier. */
static void
copier_reborn(struct kc *kc, struct copier *copier)
{
    static const char *const kill[] = {"kill"}, *const restart[] = {"restart"};

    kc_control(kc, kill, 1);
    kc_links_forget(kc);
    kc_control(kc, restart, 1);
    (void)kc_topic_await(kc, copier->from->name, 1);
    (void)kc_topic_await(kc, copier->to->name, 1);
    copier->txn = kc_txn_open(kc, copier->txn.id, KC_TXN_V1);
}

static void
etl_exactly_once(struct kc *kc)
{
    struct copier copier = {.from = kc_topic_new(kc, 1, NULL), .to = kc_topic_new(kc, 1, NULL)};
    const char *values[COPIED];

    copier.group = kc_txn_id(kc, "group");
    copier.txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);
    (void)kc_append_ok(kc, copier.from, 0, kc_batch_values(kc, "in", COPIED));
    for (int i = 0; i < COPIED; i++)
        values[i] = kc_printf(kc, "in-%d", i);
    for (int round = 0; round_begin(kc, &copier); round++) {
        if (round != DEATH_BEFORE_END && round != DEATH_IN_END) {
            kc_txn_end(kc, &copier.txn, true);
            continue;
        }
        if (round == DEATH_IN_END)
            kc_txn_end_unheard(kc, &copier.txn, true);
        copier_reborn(kc, &copier);
    }
    kc_txn_all_settled(kc, copier.to, 0);
    kc_txn_values(kc, copier.to, 0, values, COPIED);
}

/* --- since KIP-890 ---------------------------------------------------------------------------- */

static void
implicit_add(struct kc *kc)
{
    static const char *const values[] = {"value"};
    const struct km_describe_transactions_response_transaction_state *state;
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V2);

    kc_txn_append(kc, &txn, topic, 0, "value");
    state = kc_txn_describe(kc, &txn);
    kc_code(kc, "error_code", state->error_code, KE_NONE);
    kc_int(kc, "topics_count", state->topics.count, 1);
    kc_that(kc, kc_topic_is_named(state->topics.items[0].topic, topic->name), "other-topic", "%s",
        topic->name);
    kc_txn_end(kc, &txn, true);
    kc_txn_settled(kc, topic, 0, 2);
    kc_txn_values(kc, topic, 0, values, 1);
}

static void
end_bumps_epoch(struct kc *kc)
{
    static const char *const values[] = {"first", "second"};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V2);
    struct kc_producer first = txn.producer;

    for (int i = 0; i < 2; i++) {
        kc_txn_append(kc, &txn, topic, 0, values[i]);
        kc_txn_end(kc, &txn, true);
        kc_int(kc, "producer_id", txn.producer.id, first.id);
        kc_int(kc, "producer_epoch", txn.producer.epoch, first.epoch + 1 + i);
    }
    kc_txn_settled(kc, topic, 0, 4);
    kc_txn_values(kc, topic, 0, values, 2);
}

static void
old_epoch_after_end(struct kc *kc)
{
    static const int16_t fenced[] = {KE_INVALID_PRODUCER_EPOCH};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V2), delayed;

    kc_txn_append(kc, &txn, topic, 0, "value");
    delayed = txn;
    kc_txn_end(kc, &txn, true);
    kc_txn_settled(kc, topic, 0, 2);
    kc_code_in(kc, "error_code", kc_txn_send(kc, &delayed, topic, 0, "delayed"), fenced, 1);
    kc_txn_append(kc, &txn, topic, 0, "next");
    kc_code_in(kc, "error_code", kc_txn_send(kc, &delayed, topic, 0, "delayed"), fenced, 1);
    kc_int(kc, "log_end_after", kc_latest(kc, topic, 0), 3);
}

static void
end_retry(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V2), before;

    kc_txn_append(kc, &txn, topic, 0, "value");
    before = txn;
    kc_txn_end(kc, &txn, true);
    kc_txn_settled(kc, topic, 0, 2);
    kc_txn_end(kc, &before, true);
    kc_int(kc, "producer_epoch", before.producer.epoch, txn.producer.epoch);
    before.producer.epoch--;
    kc_code(
        kc, "other_result", kc_txn_end_once(kc, &before, false)->error_code, KE_INVALID_TXN_STATE);
}

static void
empty_end(struct kc *kc)
{
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V2);
    struct kc_producer first = txn.producer;

    kc_code(kc, "commit", kc_txn_end_once(kc, &txn, true)->error_code, KE_INVALID_TXN_STATE);
    kc_txn_end(kc, &txn, false);
    kc_int(kc, "producer_epoch", txn.producer.epoch, first.epoch + 1);
}

static void
implicit_add_offsets(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    char *group = kc_txn_id(kc, "group");
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V2);

    kc_txn_offset_commit(kc, &txn, group, topic, OFFSET);
    offset_is(kc, group, topic, -1);
    kc_txn_end(kc, &txn, true);
    kc_int(kc, "committed_offset", offset_stable(kc, group, topic), OFFSET);
}

static void
v1_client_still_works(struct kc *kc)
{
    static const char *const values[] = {"first", "third"};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    kc_txn_append(kc, &txn, topic, 0, "first");
    kc_txn_end(kc, &txn, true);
    kc_txn_append(kc, &txn, topic, 0, "second");
    kc_txn_end(kc, &txn, false);
    kc_txn_append(kc, &txn, topic, 0, "third");
    kc_txn_end(kc, &txn, true);
    kc_txn_settled(kc, topic, 0, 6);
    kc_txn_values(kc, topic, 0, values, 2);
}

#define NEED_OFFSETS                                                                               \
    {                                                                                              \
        CHECK_NEED(ADD_OFFSETS_TO_TXN, 0), CHECK_NEED(TXN_OFFSET_COMMIT, 3),                       \
            CHECK_NEED(OFFSET_FETCH, 7)                                                            \
    }
#define NEED_V2                                                                                    \
    {                                                                                              \
        CHECK_NEED(PRODUCE, 12), CHECK_NEED(END_TXN, 5), CHECK_NEED(DESCRIBE_TRANSACTIONS, 0)      \
    }

static const struct check checks[] = {
    {"txn.offsets_commit_atomic", "a transaction's offsets are the group's once it is committed",
        "testSendOffsetsWithGroupMetadata", CHECK_CORE, 0, NEED_OFFSETS, offsets_commit_atomic},
    {"txn.offsets_abort_discarded", "an abort leaves the group's offset as it was",
        "TestTxnAbortDiscardsOffsets", 0, 0, NEED_OFFSETS, offsets_abort_discarded},
    {"txn.offsets_require_stable",
        "OffsetFetch of stable offsets answers 88 while a transaction is open", "KIP-447",
        CHECK_CORE, 0, NEED_OFFSETS, offsets_require_stable},
    {"txn.etl_exactly_once", "a copier whose broker dies twice copies every record exactly once",
        "TestTxnEtl, transactions_test", CHECK_CORE | CHECK_CONTROL, 180, NEED_OFFSETS,
        etl_exactly_once},
    {"tv2.implicit_add", "Produce v12 adds its partition to the transaction", "KIP-890", CHECK_CORE,
        0, NEED_V2, implicit_add},
    {"tv2.end_bumps_epoch", "EndTxn v5 answers the epoch of the next transaction",
        "testBumpTransactionalEpochWithTV2Enabled", CHECK_CORE, 0, NEED_V2, end_bumps_epoch},
    {"tv2.old_epoch_after_end", "a delayed batch of an ended transaction is answered 47",
        "KIP-890, KAFKA-17754", CHECK_CORE, 0, NEED_V2, old_epoch_after_end},
    {"tv2.end_retry", "EndTxn again answers the same epoch; with the other result 48",
        "TransactionCoordinator", 0, 0, NEED_V2, end_retry},
    {"tv2.empty_end", "without transaction an abort raises the epoch, a commit is answered 48",
        "TransactionCoordinator", 0, 0, NEED_V2, empty_end},
    {"tv2.implicit_add_offsets", "TxnOffsetCommit v5 adds its group to the transaction", "KIP-890",
        0, 0,
        {CHECK_NEED(TXN_OFFSET_COMMIT, 5), CHECK_NEED(END_TXN, 5), CHECK_NEED(OFFSET_FETCH, 7)},
        implicit_add_offsets},
    {"tv2.v1_client_still_works", "clients from before KIP-890 go on where it is in force",
        "transactions_mixed_versions", CHECK_CORE, 0, NEED_V2, v1_client_still_works},
};

const struct check_table c_txn_v2_table = CHECK_TABLE("txn", checks);
