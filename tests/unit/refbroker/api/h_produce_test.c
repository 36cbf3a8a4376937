/* In which order Produce looks at the form of records, their transaction and the acks; and what
 * DescribeProducers says of partitions that are not there. */
#include "gen/messages.h"
#include "lib/wire/batch_builder.h"
#include "refbroker/client.h"
#include "tests/unit/refbroker/coord/txns_rig.h"

#define OLD_VERSION 6 /* knows no zstd, and nothing of KIP-890 */

struct ask {
    int16_t version;
    int16_t acks;
    enum compress_codec codec;
    const char *transactional_id;
    int32_t index;
};

static int16_t
produce(const struct txn_client *client, const struct ask *ask)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder_record record = {
        .timestamp = INT64_C(1700000000000), .key_size = -1, .value = "v", .value_size = 1};
    struct km_produce_request_partition_produce_data data;
    struct km_produce_request_topic_produce_data topic;
    struct km_produce_request in;
    struct km_produce_response out;
    struct batch_builder builder;
    struct arena arena;
    struct buf batch;
    struct err e;
    int16_t code;

    options.codec = ask->codec;
    options.producer_id = client->producer_id;
    options.producer_epoch = client->producer_epoch;
    options.base_sequence = 0;
    options.transactional = true;
    buf_init(&batch, BYTES_MAX);
    batch_builder_init(&builder, BYTES_MAX);
    batch_builder_start(&builder, &options);
    assert_int_equal(batch_builder_append(&builder, &record, &e), RC_OK);
    assert_int_equal(batch_builder_finish(&builder, &batch, &e), RC_OK);
    codec_init(&km_produce_request_desc, &in);
    codec_init(&km_produce_request_topic_produce_data_desc, &topic);
    codec_init(&km_produce_request_partition_produce_data_desc, &data);
    data.index = ask->index;
    data.records = (struct wire_records){batch.data, NULL, (int32_t)batch.size, 0};
    topic.name = request_text("wal");
    topic.partition_data.items = &data;
    in.transactional_id = request_text(ask->transactional_id);
    in.topic_data.items = &topic;
    topic.partition_data.count = in.topic_data.count = 1;
    in.acks = ask->acks;
    in.timeout_ms = 30000;
    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(&world, KM_PRODUCE, ask->version, &in, &arena, &out));
    code = out.responses.items[0].partition_responses.items[0].error_code;
    batch_builder_fini(&builder);
    arena_fini(&arena);
    buf_fini(&batch);
    return code;
}

static void
the_form_of_records_comes_before_their_transaction_and_the_acks(void **state)
{
    struct txn_client client = begun("a", false);
    struct ask ask = {OLD_VERSION, 2, COMPRESS_ZSTD, "a", 0};

    (void)state;
    assert_int_equal(produce(&client, &ask), KE_UNSUPPORTED_COMPRESSION_TYPE);
    ask.index = 99;
    assert_int_equal(produce(&client, &ask), KE_UNKNOWN_TOPIC_OR_PARTITION);
    ask.transactional_id = NULL;
    assert_int_equal(produce(&client, &ask), KE_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
}

static void
a_transaction_comes_before_the_acks_and_begins_with_wrong_ones_too(void **state)
{
    struct txn_client old = begun("a", false), client = begun("b", true);
    struct ask ask = {OLD_VERSION, 2, COMPRESS_NONE, "a", 0};

    (void)state;
    assert_int_equal(produce(&old, &ask), KE_INVALID_TXN_STATE);
    ask = (struct ask){11, 1, COMPRESS_NONE, "", 0};
    assert_int_equal(produce(&old, &ask), KE_INVALID_REQUEST);
    ask = (struct ask){12, 2, COMPRESS_NONE, "b", 1};
    assert_int_equal(produce(&client, &ask), KE_INVALID_REQUIRED_ACKS);
    assert_true(txn_partitions_has(&txn_of("b")->partitions, "wal", 3, 1));
    assert_int_equal(log_end(1), 0);
}

/* --- DescribeProducers -------------------------------------------------------------------------
 */

static void
is_described(const char *topic, int32_t index, int16_t code, const char *text)
{
    struct km_describe_producers_request_topic_request asked;
    struct km_describe_producers_request in;
    struct km_describe_producers_response out;
    const struct km_describe_producers_response_partition_response *partition;
    struct arena arena;

    codec_init(&km_describe_producers_request_desc, &in);
    codec_init(&km_describe_producers_request_topic_request_desc, &asked);
    asked.name = request_text(topic);
    asked.partition_indexes.items = &index;
    in.topics.items = &asked;
    asked.partition_indexes.count = in.topics.count = 1;
    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(&world, KM_DESCRIBE_PRODUCERS, 0, &in, &arena, &out));
    partition = &out.topics.items[0].partitions.items[0];
    assert_int_equal(partition->error_code, code);
    assert_int_equal(partition->error_message.size, text == NULL ? -1 : (int)strlen(text));
    if (text != NULL)
        assert_memory_equal(partition->error_message.data, text, strlen(text));
    arena_fini(&arena);
}

static void
of_a_topic_that_is_not_there_it_is_said_why_of_a_partition_not(void **state)
{
    (void)state;
    is_described("wal", 0, KE_NONE, NULL);
    is_described("wal", 99, KE_UNKNOWN_TOPIC_OR_PARTITION, NULL);
    is_described("missing", 0, KE_UNKNOWN_TOPIC_OR_PARTITION,
        "This server does not host this topic-partition.");
    is_described("..", 0, KE_INVALID_TOPIC_EXCEPTION, "Topic name is invalid: '..' is not allowed");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_form_of_records_comes_before_their_transaction_and_the_acks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_transaction_comes_before_the_acks_and_begins_with_wrong_ones_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            of_a_topic_that_is_not_there_it_is_said_why_of_a_partition_not, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
