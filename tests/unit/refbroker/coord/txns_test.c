/* The transaction coordinator in a whole broker: what requests are answered. */
#include "refbroker/coord/txns.h"

#include "tests/unit/refbroker/coord/txns_rig.h"

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
    assert_int_equal(partition_last_stable_offset(broker_world_partition(&world, 0)), 0);
    assert_int_equal(txn_client_end(&client, true), KE_NONE);
    broker_world_rest(&world, 200);
    assert_int_equal(txn_of("a")->now.state, TXN_COMPLETE_COMMIT);
    assert_int_equal(log_end(0), 2);
    assert_int_equal(partition_last_stable_offset(broker_world_partition(&world, 0)), 2);
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

/* The lost record was on its way first, and has to get in first. */
static void
records_behind_one_whose_verification_failed_wait_for_it(void **state)
{
    struct txn_client client = begun("a", false);

    (void)state;
    client.sequences[0] = 2;
    assert_int_equal(txn_client_produce(&client, 0, 1), KE_TRANSACTION_ABORTABLE);
    assert_int_equal(txn_client_add(&client, 0), KE_NONE);
    client.sequences[0] = 3;
    assert_int_equal(txn_client_produce(&client, 0, 2), KE_OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_int_equal(log_end(0), 0);
    client.sequences[0] = 2;
    assert_int_equal(txn_client_produce(&client, 0, 1), KE_NONE);
    assert_int_equal(txn_client_produce(&client, 0, 2), KE_NONE);
    assert_int_equal(log_end(0), 2);
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

/* -1 alone means that none is expected. */
static void
an_expected_epoch_below_none_is_an_old_one(void **state)
{
    struct txn_client client = begun("a", false);

    (void)state;
    client.producer_epoch = -3;
    assert_int_equal(txn_client_begin(&client, true), KE_PRODUCER_FENCED);
    client.producer_epoch = -1;
    assert_int_equal(txn_client_begin(&client, true), KE_INVALID_REQUEST);
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
    assert_int_equal(
        results[0].results_by_partition.items[0].partition_error_code, KE_OPERATION_NOT_ATTEMPTED);
    assert_int_equal(results[0].results_by_partition.items[1].partition_error_code,
        KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(results[1].results_by_partition.items[0].partition_error_code,
        KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(
        results[2].results_by_partition.items[0].partition_error_code, KE_INVALID_TOPIC_EXCEPTION);
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

/* --- offsets -----------------------------------------------------------------------------------
 */

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

/* Kafka lets a client make the coordinators' topics before they do, with as few partitions as it
 * likes. */
static int
set_up_one_partition_each(void **state)
{
    struct km_create_topics_request_creatable_topic topics[2];
    struct km_create_topics_request in;
    struct km_create_topics_response out;
    struct arena arena;

    (void)state;
    broker_world_init(&world, 7);
    assert_null(broker_world_start(&world));
    codec_init(&km_create_topics_request_desc, &in);
    in.topics.items = topics;
    in.topics.count = 2;
    in.timeout_ms = 10000;
    for (int i = 0; i < 2; i++) {
        codec_init(&km_create_topics_request_creatable_topic_desc, &topics[i]);
        topics[i].name = request_text(i == 0 ? GROUPS_TOPIC : TXNS_TOPIC);
        topics[i].num_partitions = 1;
        topics[i].replication_factor = 1;
    }
    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(&world, KM_CREATE_TOPICS, 7, &in, &arena, &out));
    for (int i = 0; i < 2; i++)
        assert_int_equal(out.topics.items[i].error_code, KE_NONE);
    arena_fini(&arena);
    return 0;
}

static void
topics_of_the_coordinators_may_have_fewer_partitions(void **state)
{
    /* Among 50 partitions, these ids are in 47, 48 and 12. */
    static const char *const ids[] = {"a", "grp1", "test-group"};
    struct txn_client client;
    int64_t offset;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        txn_client_init(&client, &world, ids[i], ids[i], i % 2 == 0);
        assert_int_equal(txn_client_begin(&client, false), KE_NONE);
        if (!client.bumps)
            assert_int_equal(txn_client_add_offsets(&client), KE_NONE);
        assert_int_equal(txn_client_commit_offset(&client, 10 + (int64_t)i), KE_NONE);
        assert_int_equal(txn_client_end(&client, true), KE_NONE);
        broker_world_rest(&world, 200);
        broker_world_crash(&world);
        disk_cut_kill(world.disk);
        assert_null(broker_world_start(&world));
        assert_int_equal(txn_client_fetch_offset(&client, true, &offset), KE_NONE);
        assert_int_equal(offset, 10 + (int64_t)i);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(records_of_a_partition_that_was_not_added_are_refused),
        TEST(records_of_newer_clients_add_their_partition),
        TEST(a_first_record_of_newer_clients_has_the_sequence_0),
        TEST(records_behind_one_whose_verification_failed_wait_for_it),
        TEST(the_epoch_before_an_end_writes_nothing_more),
        TEST(an_expected_epoch_below_none_is_an_old_one),
        TEST(who_has_no_such_id_or_none_at_all_is_told_so),
        TEST(timeouts_are_above_0_and_within_the_brokers_limit),
        TEST(one_bad_partition_keeps_the_others_out),
        TEST(a_question_about_partitions_adds_none),
        TEST(offsets_are_pending_until_the_end_and_then_there_or_away),
        TEST(older_clients_have_to_add_the_groups_offsets),
        TEST(an_offset_that_was_committed_later_than_a_pending_one_stays),
        TEST(pending_offsets_survive_a_restart),
        cmocka_unit_test_setup_teardown(topics_of_the_coordinators_may_have_fewer_partitions,
            set_up_one_partition_each, tear_down),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
