/* The transaction coordinator in a whole broker: time, what is under way, administration. */
#include "refbroker/coord/txns_entry.h"

#include "tests/unit/refbroker/coord/txns_rig.h"

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
    assert_int_equal(partition_last_stable_offset(broker_world_partition(&world, 0)), log_end(0));
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

/* --- what is under way --------------------------------------------------------------------------
 */

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

/* The deadline of the wait used to stay, and freed what the coordinator was about to answer. */
static void
who_has_waited_for_that_then_waits_for_the_coordinator_however_long(void **state)
{
    struct txn_client client = begun("first", true);

    (void)state;
    assert_int_equal(txn_client_commit_offset(&client, 1), KE_NONE);
    client = end_under_way();
    offset_ask(&client);
    for (int i = 0; i < 1000 && txn_of("a")->now.state != TXN_COMPLETE_COMMIT; i++) {
        (void)work_step(world.work, LANE_WAL);
        (void)broker_tick(world.broker);
    }
    assert_true(txn_of("a")->pending); /* the partition is being added */
    all_but_the_wal(300);
    assert_int_equal(offset_answer(), TXN_CLIENT_NONE);
    for (int i = 0; i < 100; i++) {
        (void)work_step(world.work, LANE_WAL);
        (void)broker_tick(world.broker);
    }
    assert_int_equal(offset_answer(), KE_NONE);
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

/* --- administration ------------------------------------------------------------------------------
 */

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
    assert_int_equal(
        marker_write(client.producer_id, epoch, 2, "wal", 0, 0), KE_TRANSACTION_COORDINATOR_FENCED);
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
    struct wire_string states[] = {
        request_text("Ongoing"), request_text("Never"), request_text("Never")};
    struct km_list_transactions_request in;
    struct txn_client a = begun("a", true), b = begun("b", true);
    int64_t ids[] = {a.producer_id, 12345};
    int32_t unknown;

    (void)state;
    assert_int_equal(txn_client_produce(&b, 0, 1), KE_NONE);
    codec_init(&km_list_transactions_request_desc, &in);
    assert_int_equal(list_count(&in, &unknown), 2);
    in.state_filters.items = states;
    in.state_filters.count = 3;
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
        TEST(a_transaction_that_lasts_too_long_is_aborted_and_its_producer_fenced),
        TEST(a_timeout_counts_on_after_a_restart),
        TEST(an_id_that_nobody_uses_is_forgotten_for_good),
        TEST(the_next_transaction_waits_for_the_end_of_the_one_before),
        TEST(who_waits_too_long_for_that_is_told_51),
        TEST(who_has_waited_for_that_then_waits_for_the_coordinator_however_long),
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
