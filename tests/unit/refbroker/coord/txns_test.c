/* The transaction coordinator in a whole broker, whose lanes and clock the test moves. */
#include "refbroker/coord/txns.h"

#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/groups.h"
#include "tests/sim/disk_cut.h"
#include "tests/sim/txn_client.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 22)

static struct broker_world world;

static int
set_up(void **state)
{
    (void)state;
    broker_world_init(&world, 7);
    assert_null(broker_world_start(&world));
    (void)groups_ready(world.broker->groups);
    broker_world_rest(&world, 100);
    assert_true(groups_ready(world.broker->groups));
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    broker_world_fini(&world);
    return 0;
}

static struct txn_client
begun(const char *id, bool bumps)
{
    struct txn_client client;

    txn_client_init(&client, &world, id, "group", bumps);
    assert_int_equal(txn_client_begin(&client, false), KE_NONE);
    client.retry = false;
    return client;
}

static int64_t
log_end(int partition)
{
    return broker_world_partition(&world, partition)->log_end_offset;
}

static const struct txn *
txn_of(const char *id)
{
    return txns_find(world.broker->txns, request_text(id));
}

/* Everything that can happen without the WAL, for a while. */
static void
all_but_the_wal(int64_t ms)
{
    for (int64_t i = 0; i < ms; i++) {
        for (unsigned lane = LANE_WAL + 1; lane < LANE_COUNT; lane++)
            while (work_step(world.work, lane))
                continue;
        env_advance(&world.time, 1000);
        (void)broker_tick(world.broker);
    }
}

static void
time_passes(int64_t ms)
{
    env_advance(&world.time, ms * 1000);
    broker_world_rest(&world, 200);
}

/* --- requests --------------------------------------------------------------------------------- */

static void
records_of_a_partition_that_was_not_added_are_refused(void **state)
{
    struct txn_client client = begun("a", false);

    (void)state;
    assert_int_equal(txn_client_produce(&client, 0, 1), KE_TRANSACTION_ABORTABLE);
    assert_int_equal(log_end(0), 0);
    assert_int_equal(txn_client_add(&client, 1), KE_NONE);
    assert_int_equal(txn_client_produce(&client, 0, 1), KE_TRANSACTION_ABORTABLE);
    assert_int_equal(txn_client_produce(&client, 1, 1), KE_NONE);
    assert_int_equal(log_end(0), 0);
    assert_int_equal(log_end(1), 1);
}

static void
records_of_newer_clients_add_their_partition(void **state)
{
    struct txn_client client = begun("a", true);

    (void)state;
    assert_int_equal(txn_client_produce(&client, 0, 1), KE_NONE);
    assert_int_equal(txn_of("a")->now.state, TXN_ONGOING);
    assert_true(txn_partitions_has(&txn_of("a")->partitions, "wal", 3, 0));
    assert_int_equal(
        partition_last_stable_offset(broker_world_partition(&world, 0)), 0);
    assert_int_equal(txn_client_end(&client, true), KE_NONE);
    broker_world_rest(&world, 200);
    assert_int_equal(txn_of("a")->now.state, TXN_COMPLETE_COMMIT);
    assert_int_equal(log_end(0), 2);
    assert_int_equal(
        partition_last_stable_offset(broker_world_partition(&world, 0)), 2);
}

static void
a_first_record_of_newer_clients_has_the_sequence_0(void **state)
{
    struct txn_client client = begun("a", true);

    (void)state;
    client.sequences[0] = 5;
    assert_int_equal(txn_client_produce(&client, 0, 1), KE_OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_int_equal(log_end(0), 0);
}

static void
the_epoch_before_an_end_writes_nothing_more(void **state)
{
    struct txn_client client = begun("a", true), late;

    (void)state;
    assert_int_equal(txn_client_produce(&client, 0, 1), KE_NONE);
    late = client;
    assert_int_equal(txn_client_end(&client, true), KE_NONE);
    broker_world_rest(&world, 200);
    assert_int_equal(txn_client_produce(&late, 0, 2), KE_INVALID_PRODUCER_EPOCH);
    assert_int_equal(txn_client_produce(&late, 1, 2), KE_INVALID_PRODUCER_EPOCH);
    assert_int_equal(txn_client_commit_offset(&late, 5), KE_INVALID_PRODUCER_EPOCH);
    /* The same end again is a retry, the other one is not. */
    assert_int_equal(txn_client_end(&late, false), KE_INVALID_TXN_STATE);
    assert_int_equal(txn_client_end(&late, true), KE_NONE);
    assert_int_equal(late.producer_epoch, client.producer_epoch);
}

static void
who_has_no_such_id_or_none_at_all_is_told_so(void **state)
{
    struct txn_client client = begun("a", false), other;

    (void)state;
    other = client;
    other.id = "unknown";
    assert_int_equal(txn_client_add(&other, 0), KE_INVALID_PRODUCER_ID_MAPPING);
    assert_int_equal(txn_client_add_offsets(&other), KE_INVALID_PRODUCER_ID_MAPPING);
    assert_int_equal(txn_client_end(&other, true), KE_INVALID_PRODUCER_ID_MAPPING);
    assert_int_equal(txn_client_produce(&other, 0, 1), KE_INVALID_PRODUCER_ID_MAPPING);
    assert_int_equal(txn_client_commit_offset(&other, 1), KE_INVALID_PRODUCER_ID_MAPPING);
    other.id = "";
    assert_int_equal(txn_client_begin(&other, false), KE_INVALID_REQUEST);
    assert_int_equal(txn_client_add(&other, 0), KE_INVALID_REQUEST);
    assert_int_equal(txn_client_end(&other, true), KE_INVALID_REQUEST);
    assert_int_equal(log_end(0), 0);
}

static void
timeouts_are_above_0_and_within_the_brokers_limit(void **state)
{
    struct txn_client client;

    (void)state;
    txn_client_init(&client, &world, "a", "group", true);
    client.timeout_ms = 900001;
    assert_int_equal(txn_client_begin(&client, false), KE_INVALID_TRANSACTION_TIMEOUT);
    client.timeout_ms = 0;
    assert_int_equal(txn_client_begin(&client, false), KE_INVALID_TRANSACTION_TIMEOUT);
    client.timeout_ms = 900000;
    assert_int_equal(txn_client_begin(&client, false), KE_NONE);
}

/* The codes of one AddPartitionsToTxn for several partitions. */
static void
one_bad_partition_keeps_the_others_out(void **state)
{
    struct km_add_partitions_to_txn_request_topic topics[3];
    struct km_add_partitions_to_txn_request in;
    struct km_add_partitions_to_txn_response out;
    struct txn_client client = begun("a", false);
    static const char *const names[] = {"wal", "missing", "coordinated"};
    int32_t indexes[] = {0, 99};
    const struct km_add_partitions_to_txn_response_topic_result *results;
    struct arena arena;

    (void)state;
    codec_init(&km_add_partitions_to_txn_request_desc, &in);
    for (int i = 0; i < 3; i++) {
        codec_init(&km_add_partitions_to_txn_request_topic_desc, &topics[i]);
        topics[i].name = request_text(names[i]);
        topics[i].partitions.items = indexes;
        topics[i].partitions.count = i == 0 ? 2 : 1;
    }
    in.v3_and_below_transactional_id = request_text("a");
    in.v3_and_below_producer_id = client.producer_id;
    in.v3_and_below_producer_epoch = client.producer_epoch;
    in.v3_and_below_topics.items = topics;
    in.v3_and_below_topics.count = 3;
    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(&world, KM_ADD_PARTITIONS_TO_TXN, 3, &in, &arena, &out));
    results = out.results_by_topic_v3_and_below.items;
    assert_int_equal(results[0].results_by_partition.items[0].partition_error_code,
        KE_OPERATION_NOT_ATTEMPTED);
    assert_int_equal(results[0].results_by_partition.items[1].partition_error_code,
        KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(results[1].results_by_partition.items[0].partition_error_code,
        KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(results[2].results_by_partition.items[0].partition_error_code,
        KE_INVALID_TOPIC_EXCEPTION);
    arena_fini(&arena);
    assert_int_equal(txn_of("a")->now.state, TXN_EMPTY);
}

static void
a_question_about_partitions_adds_none(void **state)
{
    struct km_add_partitions_to_txn_request_transaction txns[2];
    struct km_add_partitions_to_txn_request_topic topic;
    struct km_add_partitions_to_txn_request in;
    struct km_add_partitions_to_txn_response out;
    struct txn_client client = begun("a", false);
    int32_t indexes[] = {0, 1};
    struct arena arena;

    (void)state;
    assert_int_equal(txn_client_add(&client, 1), KE_NONE);
    codec_init(&km_add_partitions_to_txn_request_desc, &in);
    codec_init(&km_add_partitions_to_txn_request_topic_desc, &topic);
    topic.name = request_text("wal");
    topic.partitions.items = indexes;
    topic.partitions.count = 2;
    for (int i = 0; i < 2; i++) {
        codec_init(&km_add_partitions_to_txn_request_transaction_desc, &txns[i]);
        txns[i].transactional_id = request_text(i == 0 ? "a" : "missing");
        txns[i].producer_id = client.producer_id;
        txns[i].producer_epoch = client.producer_epoch;
        txns[i].verify_only = true;
        txns[i].topics.items = &topic;
        txns[i].topics.count = 1;
    }
    in.transactions.items = txns;
    in.transactions.count = 2;
    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(&world, KM_ADD_PARTITIONS_TO_TXN, 4, &in, &arena, &out));
    assert_int_equal(out.results_by_transaction.items[0]
                         .topic_results.items[0]
                         .results_by_partition.items[0]
                         .partition_error_code,
        KE_TRANSACTION_ABORTABLE);
    assert_int_equal(out.results_by_transaction.items[0]
                         .topic_results.items[0]
                         .results_by_partition.items[1]
                         .partition_error_code,
        KE_NONE);
    assert_int_equal(out.results_by_transaction.items[1]
                         .topic_results.items[0]
                         .results_by_partition.items[0]
                         .partition_error_code,
        KE_INVALID_PRODUCER_ID_MAPPING);
    arena_fini(&arena);
    assert_int_equal(txn_of("a")->partitions.count, 1);
}

/* --- offsets ----------------------------------------------------------------------------------- */

static void
offsets_are_pending_until_the_end_and_then_there_or_away(void **state)
{
    struct txn_client client = begun("a", true);
    int64_t offset = -2;

    (void)state;
    assert_int_equal(txn_client_commit_offset(&client, 10), KE_NONE);
    assert_int_equal(txn_client_fetch_offset(&client, true, &offset), KE_UNSTABLE_OFFSET_COMMIT);
    assert_int_equal(offset, -1);
    assert_int_equal(txn_client_fetch_offset(&client, false, &offset), KE_NONE);
    assert_int_equal(offset, -1);
    assert_int_equal(txn_client_end(&client, true), KE_NONE);
    broker_world_rest(&world, 200);
    assert_int_equal(txn_client_fetch_offset(&client, true, &offset), KE_NONE);
    assert_int_equal(offset, 10);
    assert_int_equal(txn_client_commit_offset(&client, 20), KE_NONE);
    assert_int_equal(txn_client_fetch_offset(&client, false, &offset), KE_NONE);
    assert_int_equal(offset, 10);
    assert_int_equal(txn_client_end(&client, false), KE_NONE);
    broker_world_rest(&world, 200);
    assert_int_equal(txn_client_fetch_offset(&client, true, &offset), KE_NONE);
    assert_int_equal(offset, 10);
}

static void
older_clients_have_to_add_the_groups_offsets(void **state)
{
    struct txn_client client = begun("a", false);
    int64_t offset;

    (void)state;
    assert_int_equal(txn_client_commit_offset(&client, 10), KE_INVALID_TXN_STATE);
    assert_int_equal(txn_client_add_offsets(&client), KE_NONE);
    assert_int_equal(txn_client_commit_offset(&client, 10), KE_NONE);
    assert_int_equal(txn_client_end(&client, true), KE_NONE);
    broker_world_rest(&world, 200);
    assert_int_equal(txn_client_fetch_offset(&client, true, &offset), KE_NONE);
    assert_int_equal(offset, 10);
}

static int16_t
offset_commit_plainly(int64_t offset)
{
    struct km_offset_commit_request_partition partition;
    struct km_offset_commit_request_topic topic;
    struct km_offset_commit_request in;
    struct km_offset_commit_response out;
    struct arena arena;
    int16_t code;

    codec_init(&km_offset_commit_request_desc, &in);
    codec_init(&km_offset_commit_request_topic_desc, &topic);
    codec_init(&km_offset_commit_request_partition_desc, &partition);
    partition.committed_offset = offset;
    topic.name = request_text("wal");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.group_id = request_text("group");
    in.topics.items = &topic;
    in.topics.count = 1;
    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(&world, KM_OFFSET_COMMIT, 8, &in, &arena, &out));
    code = out.topics.items[0].partitions.items[0].error_code;
    arena_fini(&arena);
    return code;
}

/* OffsetMetadataManager.replayEndTransactionMarker: the record that comes later wins. */
static void
an_offset_that_was_committed_later_than_a_pending_one_stays(void **state)
{
    struct txn_client client = begun("a", true);
    int64_t offset;

    (void)state;
    assert_int_equal(txn_client_commit_offset(&client, 10), KE_NONE);
    assert_int_equal(offset_commit_plainly(20), KE_NONE);
    assert_int_equal(txn_client_end(&client, true), KE_NONE);
    broker_world_rest(&world, 200);
    for (int starts = 0; starts < 2; starts++) {
        assert_int_equal(txn_client_fetch_offset(&client, true, &offset), KE_NONE);
        assert_int_equal(offset, 20);
        broker_world_crash(&world);
        disk_cut_kill(world.disk);
        assert_null(broker_world_start(&world));
    }
}

static void
pending_offsets_survive_a_restart(void **state)
{
    struct txn_client client = begun("a", true);
    int64_t offset;

    (void)state;
    assert_int_equal(txn_client_commit_offset(&client, 10), KE_NONE);
    broker_world_crash(&world);
    disk_cut_power(world.disk);
    assert_null(broker_world_start(&world));
    assert_int_equal(txn_client_fetch_offset(&client, true, &offset), KE_UNSTABLE_OFFSET_COMMIT);
    assert_int_equal(txn_client_end(&client, true), KE_NONE);
    broker_world_rest(&world, 200);
    assert_int_equal(txn_client_fetch_offset(&client, true, &offset), KE_NONE);
    assert_int_equal(offset, 10);
}

/* --- time ------------------------------------------------------------------------------------- */

static void
a_transaction_that_lasts_too_long_is_aborted_and_its_producer_fenced(void **state)
{
    struct txn_client client, newer;

    (void)state;
    txn_client_init(&client, &world, "a", "group", true);
    client.timeout_ms = 2000;
    assert_int_equal(txn_client_begin(&client, false), KE_NONE);
    client.retry = false;
    assert_int_equal(txn_client_produce(&client, 0, 1), KE_NONE);
    time_passes(1500);
    assert_int_equal(txn_of("a")->now.state, TXN_ONGOING);
    time_passes(2000 + 10000);
    assert_int_equal(txn_of("a")->now.state, TXN_COMPLETE_ABORT);
    assert_int_equal(
        partition_last_stable_offset(broker_world_partition(&world, 0)), log_end(0));
    assert_int_equal(txn_client_produce(&client, 0, 2), KE_INVALID_PRODUCER_EPOCH);
    assert_int_equal(txn_client_produce(&client, 1, 2), KE_INVALID_PRODUCER_EPOCH);
    newer = client;
    assert_int_equal(txn_client_end(&client, true), KE_INVALID_TXN_STATE);
    newer.bumps = false;
    assert_int_equal(txn_client_end(&newer, true), KE_PRODUCER_FENCED);
    assert_int_equal(world.broker->stats.transactions_timed_out_total, 1);
}

static void
a_timeout_counts_on_after_a_restart(void **state)
{
    struct txn_client client = begun("a", true);

    (void)state;
    assert_int_equal(txn_client_produce(&client, 0, 1), KE_NONE);
    time_passes(30000);
    broker_world_crash(&world);
    disk_cut_power(world.disk);
    assert_null(broker_world_start(&world));
    broker_world_rest(&world, 200);
    assert_int_equal(txn_of("a")->now.state, TXN_ONGOING);
    time_passes(30000 + 11000);
    assert_int_equal(txn_of("a")->now.state, TXN_COMPLETE_ABORT);
}

static void
an_id_that_nobody_uses_is_forgotten_for_good(void **state)
{
    struct txn_client client = begun("a", true), open = begun("open", true);

    (void)state;
    world.broker->options.txn_id_expiration_ms = 5000;
    world.broker->options.txn_id_remove_interval_ms = 100;
    assert_int_equal(txn_client_produce(&open, 0, 1), KE_NONE);
    assert_int_equal(txn_client_begin(&client, false), KE_NONE);
    time_passes(5200);
    assert_null(txn_of("a"));
    assert_non_null(txn_of("open"));
    assert_int_equal(txn_client_end(&client, false), KE_INVALID_PRODUCER_ID_MAPPING);
    broker_world_crash(&world);
    disk_cut_power(world.disk);
    assert_null(broker_world_start(&world));
    assert_null(txn_of("a"));
    assert_non_null(txn_of("open"));
    assert_int_equal(world.broker->stats.transactional_ids, 1);
}

/* --- what is under way -------------------------------------------------------------------------- */

static void
the_next_transaction_waits_for_the_end_of_the_one_before(void **state)
{
    struct txn_client client = begun("a", true);

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(txn_client_produce(&client, 0, i), KE_NONE);
        assert_int_equal(txn_client_end(&client, i % 2 == 0), KE_NONE);
    }
}

/* Leaves an EndTxn behind whose record is not durable. */
static struct txn_client
end_under_way(void)
{
    struct txn_client client = begun("a", true);
    struct km_end_txn_request in;

    assert_int_equal(txn_client_produce(&client, 0, 1), KE_NONE);
    codec_init(&km_end_txn_request_desc, &in);
    in.transactional_id = request_text("a");
    in.producer_id = client.producer_id;
    in.producer_epoch = client.producer_epoch;
    in.committed = true;
    (void)broker_world_ask(&world, KM_END_TXN, 5, &in);
    all_but_the_wal(2);
    assert_true(txn_of("a")->pending);
    broker_world_reconnect(&world);
    client.producer_epoch++;
    memset(client.sequences, 0, sizeof client.sequences);
    return client;
}

static void
offset_ask(const struct txn_client *client)
{
    struct km_txn_offset_commit_request_partition partition;
    struct km_txn_offset_commit_request_topic topic;
    struct km_txn_offset_commit_request in;

    codec_init(&km_txn_offset_commit_request_desc, &in);
    codec_init(&km_txn_offset_commit_request_topic_desc, &topic);
    codec_init(&km_txn_offset_commit_request_partition_desc, &partition);
    partition.committed_metadata = request_text("");
    topic.name = request_text("wal");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.transactional_id = request_text(client->id);
    in.group_id = request_text("group");
    in.producer_id = client->producer_id;
    in.producer_epoch = client->producer_epoch;
    in.topics.items = &topic;
    in.topics.count = 1;
    (void)broker_world_ask(&world, KM_TXN_OFFSET_COMMIT, 5, &in);
}

static int16_t
offset_answer(void)
{
    struct km_txn_offset_commit_response out;
    struct arena arena;
    int32_t correlation;
    int16_t code = TXN_CLIENT_NONE;

    arena_init(&arena, BYTES_MAX);
    if (broker_world_reply(&world, KM_TXN_OFFSET_COMMIT, 5, &arena, &out, &correlation))
        code = out.topics.items[0].partitions.items[0].error_code;
    arena_fini(&arena);
    return code;
}

static void
who_waits_too_long_for_that_is_told_51(void **state)
{
    struct txn_client client = begun("first", true);

    (void)state;
    assert_int_equal(txn_client_commit_offset(&client, 1), KE_NONE); /* the topic is there */
    client = end_under_way();
    offset_ask(&client);
    all_but_the_wal(98);
    assert_int_equal(offset_answer(), TXN_CLIENT_NONE);
    all_but_the_wal(5);
    assert_int_equal(offset_answer(), KE_CONCURRENT_TRANSACTIONS);
    broker_world_rest(&world, 300);
    assert_int_equal(txn_client_commit_offset(&client, 1), KE_NONE);
}

static void
a_connection_that_breaks_while_it_waits_leaves_nothing_behind(void **state)
{
    struct txn_client client = begun("first", true);

    (void)state;
    assert_int_equal(txn_client_commit_offset(&client, 1), KE_NONE);
    client = end_under_way();
    for (int i = 0; i < 3; i++) {
        offset_ask(&client);
        all_but_the_wal(10);
        broker_world_reconnect(&world);
    }
    broker_world_rest(&world, 300);
    assert_int_equal(txn_of("a")->now.state, TXN_COMPLETE_COMMIT);
    /* With the coordinator, too. */
    offset_ask(&client);
    all_but_the_wal(2);
    broker_world_reconnect(&world);
    broker_world_rest(&world, 300);
    assert_int_equal(txn_of("a")->now.state, TXN_ONGOING);
    assert_int_equal(txn_client_end(&client, true), KE_NONE);
}

static void
a_marker_shows_what_it_ends_only_when_it_is_durable(void **state)
{
    struct txn_client client = begun("a", true);
    const struct partition *partition = broker_world_partition(&world, 0);
    int64_t end;

    (void)state;
    assert_int_equal(txn_client_produce(&client, 0, 1), KE_NONE);
    end = log_end(0);
    assert_int_equal(txn_client_end(&client, true), KE_NONE);
    for (int i = 0; i < 1000 && log_end(0) == end; i++) {
        (void)work_step(world.work, LANE_WAL);
        (void)broker_tick(world.broker);
    }
    assert_int_equal(log_end(0), end + 1);
    assert_int_equal(partition->high_watermark, end);
    assert_int_equal(partition_last_stable_offset(partition), 0);
    broker_world_rest(&world, 200);
    assert_int_equal(partition_last_stable_offset(partition), end + 1);
}

static void
a_log_that_cannot_be_written_is_told_and_nothing_hangs(void **state)
{
    struct txn_client client = begun("a", true);

    (void)state;
    disk_cut_fault(world.disk, DISK_CUT_FAIL_SYNC, 1);
    assert_int_equal(txn_client_begin(&client, false), KE_NOT_COORDINATOR);
    assert_false(txn_of("a")->pending);
    assert_int_equal(txn_client_begin(&client, false), KE_COORDINATOR_NOT_AVAILABLE);
    broker_world_crash(&world);
    disk_cut_power(world.disk);
    assert_null(broker_world_start(&world));
    client.retry = true;
    assert_int_equal(txn_client_begin(&client, false), KE_NONE);
}

/* --- administration ------------------------------------------------------------------------------ */

static int16_t
marker_write(int64_t producer_id, int16_t epoch, int32_t coordinator_epoch, const char *name,
    int32_t index, int8_t version)
{
    struct km_write_txn_markers_request_writable_txn_marker marker;
    struct km_write_txn_markers_request_writable_txn_marker_topic topic;
    struct km_write_txn_markers_request in;
    struct km_write_txn_markers_response out;
    struct arena arena;
    int16_t code;

    codec_init(&km_write_txn_markers_request_desc, &in);
    codec_init(&km_write_txn_markers_request_writable_txn_marker_desc, &marker);
    codec_init(&km_write_txn_markers_request_writable_txn_marker_topic_desc, &topic);
    topic.name = request_text(name);
    topic.partition_indexes.items = &index;
    topic.partition_indexes.count = 1;
    marker.producer_id = producer_id;
    marker.producer_epoch = epoch;
    marker.coordinator_epoch = coordinator_epoch;
    marker.transaction_version = version;
    marker.topics.items = &topic;
    marker.topics.count = 1;
    in.markers.items = &marker;
    in.markers.count = 1;
    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(&world, KM_WRITE_TXN_MARKERS, 2, &in, &arena, &out));
    code = out.markers.items[0].topics.items[0].partitions.items[0].error_code;
    arena_fini(&arena);
    return code;
}

static void
an_administrator_ends_a_hanging_transaction_with_a_marker(void **state)
{
    struct txn_client client = begun("a", true);
    int16_t epoch = client.producer_epoch;

    (void)state;
    assert_int_equal(txn_client_produce(&client, 0, 1), KE_NONE);
    assert_int_equal(marker_write(client.producer_id, (int16_t)(epoch - 1), 0, "wal", 0, 0),
        KE_INVALID_PRODUCER_EPOCH);
    assert_int_equal(
        marker_write(client.producer_id, epoch, 0, "wal", 0, 2), KE_INVALID_PRODUCER_EPOCH);
    assert_int_equal(partition_last_stable_offset(broker_world_partition(&world, 0)), 0);
    assert_int_equal(marker_write(client.producer_id, epoch, 3, "wal", 0, 0), KE_NONE);
    assert_int_equal(partition_last_stable_offset(broker_world_partition(&world, 0)), 2);
    assert_int_equal(marker_write(client.producer_id, epoch, 2, "wal", 0, 0),
        KE_TRANSACTION_COORDINATOR_FENCED);
    assert_int_equal(marker_write(1, 0, 0, "wal", 99, 0), KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(marker_write(1, 0, 0, "missing", 0, 0), KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(marker_write(1, 0, 0, "coordinated", 0, 0), KE_INVALID_TOPIC_EXCEPTION);
}

static int32_t
list_count(struct km_list_transactions_request *in, int32_t *unknown)
{
    struct km_list_transactions_response out;
    struct arena arena;
    int32_t count;

    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(&world, KM_LIST_TRANSACTIONS, 1, in, &arena, &out));
    assert_int_equal(out.error_code, 0);
    count = out.transaction_states.count;
    *unknown = out.unknown_state_filters.count;
    arena_fini(&arena);
    return count;
}

static void
transactions_are_listed_by_state_producer_and_duration(void **state)
{
    struct wire_string states[] = {request_text("Ongoing"), request_text("Never")};
    struct km_list_transactions_request in;
    struct txn_client a = begun("a", true), b = begun("b", true);
    int64_t ids[] = {a.producer_id, 12345};
    int32_t unknown;

    (void)state;
    assert_int_equal(txn_client_produce(&b, 0, 1), KE_NONE);
    codec_init(&km_list_transactions_request_desc, &in);
    assert_int_equal(list_count(&in, &unknown), 2);
    in.state_filters.items = states;
    in.state_filters.count = 2;
    assert_int_equal(list_count(&in, &unknown), 1);
    assert_int_equal(unknown, 1);
    in.producer_id_filters.items = ids;
    in.producer_id_filters.count = 2;
    assert_int_equal(list_count(&in, &unknown), 0);
    in.state_filters.count = 0;
    assert_int_equal(list_count(&in, &unknown), 1);
    in.producer_id_filters.count = 0;
    in.state_filters.count = 1;
    time_passes(5000);
    in.duration_filter = 4000;
    assert_int_equal(list_count(&in, &unknown), 1);
    in.duration_filter = 60000;
    assert_int_equal(list_count(&in, &unknown), 0);
}

static void
step_taken(struct broker *broker, struct txns_call *call)
{
    (void)broker;
    assert_int_equal(call->answer.error, KE_NONE);
}

static void
a_transaction_of_many_partitions_is_ended_in_all_of_them(void **state)
{
    struct km_create_topics_request_creatable_topic topic;
    struct km_create_topics_request create;
    struct km_create_topics_response created;
    struct txn_client client = begun("a", false);
    struct txn_partitions set;
    struct txns_call call = {.done = step_taken};
    struct topic *wide;
    struct arena arena;

    (void)state;
    codec_init(&km_create_topics_request_desc, &create);
    codec_init(&km_create_topics_request_creatable_topic_desc, &topic);
    topic.name = request_text("wide");
    topic.num_partitions = 700;
    topic.replication_factor = 1;
    create.topics.items = &topic;
    create.topics.count = 1;
    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(&world, KM_CREATE_TOPICS, 6, &create, &arena, &created));
    arena_fini(&arena);
    txn_partitions_init(&set);
    for (int32_t i = 0; i < 700; i++)
        txn_partitions_add(&set, "wide", 4, i);
    txns_add(world.broker->txns, request_text("a"), client.producer_id, client.producer_epoch,
        TXN_VERSION_OLD, &set, &call);
    txn_partitions_clear(&set);
    broker_world_rest(&world, 100);
    assert_int_equal(txn_of("a")->partitions.count, 700);
    assert_int_equal(txn_client_end(&client, true), KE_NONE);
    broker_world_rest(&world, 3000);
    assert_int_equal(txn_of("a")->now.state, TXN_COMPLETE_COMMIT);
    wide = topics_find(&world.broker->topics, "wide", 4);
    for (int32_t i = 0; i < 700; i++)
        assert_int_equal(wide->partitions[i]->high_watermark, 1);
    assert_int_equal(world.broker->stats.transaction_markers_total, 700);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(records_of_a_partition_that_was_not_added_are_refused),
        TEST(records_of_newer_clients_add_their_partition),
        TEST(a_first_record_of_newer_clients_has_the_sequence_0),
        TEST(the_epoch_before_an_end_writes_nothing_more),
        TEST(who_has_no_such_id_or_none_at_all_is_told_so),
        TEST(timeouts_are_above_0_and_within_the_brokers_limit),
        TEST(one_bad_partition_keeps_the_others_out),
        TEST(a_question_about_partitions_adds_none),
        TEST(offsets_are_pending_until_the_end_and_then_there_or_away),
        TEST(older_clients_have_to_add_the_groups_offsets),
        TEST(an_offset_that_was_committed_later_than_a_pending_one_stays),
        TEST(pending_offsets_survive_a_restart),
        TEST(a_transaction_that_lasts_too_long_is_aborted_and_its_producer_fenced),
        TEST(a_timeout_counts_on_after_a_restart),
        TEST(an_id_that_nobody_uses_is_forgotten_for_good),
        TEST(the_next_transaction_waits_for_the_end_of_the_one_before),
        TEST(who_waits_too_long_for_that_is_told_51),
        TEST(a_connection_that_breaks_while_it_waits_leaves_nothing_behind),
        TEST(a_marker_shows_what_it_ends_only_when_it_is_durable),
        TEST(a_log_that_cannot_be_written_is_told_and_nothing_hangs),
        TEST(an_administrator_ends_a_hanging_transaction_with_a_marker),
        TEST(transactions_are_listed_by_state_producer_and_duration),
        TEST(a_transaction_of_many_partitions_is_ended_in_all_of_them),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
