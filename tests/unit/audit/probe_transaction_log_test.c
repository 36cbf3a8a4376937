/* How much of __transaction_state an audit reads, and what it says of the rest. */
#include "tests/unit/unit.h"

#include "audit/facts.h"
#include "audit/probe.h"
#include "lib/wire/batch_builder.h"
#include "tests/unit/lib/kafka/fake_broker.h"

#define LOG "__transaction_state"
#define BACK 20000
#define MIB (1 << 20)

/* A broker with that log of one partition; each answer holds one batch of `step` offsets. */
static struct fake_broker broker;
static struct loop *loop;
static struct cluster *cluster;
static struct audit_inventory inventory;
static int64_t log_start_offset, end_offset, step;
static int32_t ballast; /* bytes that each batch has besides */
static int64_t early;   /* the topic "early" is in the transaction whose record stands here */
static int64_t late;
static int64_t first_asked, last_asked;
static int fetches;

static void
metadata(struct fake_conn *conn, const struct frame_request *request)
{
    struct km_metadata_response_partition partition;
    struct km_metadata_response_topic topic;
    struct km_metadata_response_broker row;
    struct km_metadata_response response;

    codec_init(&km_metadata_response_partition_desc, &partition);
    partition.leader_id = 1;
    codec_init(&km_metadata_response_topic_desc, &topic);
    topic.name = codec_string(LOG);
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    codec_init(&km_metadata_response_broker_desc, &row);
    row.node_id = 1;
    row.host = codec_string("127.0.0.1");
    row.port = broker.port;
    codec_init(&km_metadata_response_desc, &response);
    response.brokers.items = &row;
    response.brokers.count = 1;
    response.controller_id = 1;
    response.topics.items = &topic;
    response.topics.count = 1;
    fake_reply(conn, request, &response);
}

static void
encode(const struct wire_message *message, const void *what, struct buf *out)
{
    uint8_t version[2] = {0, 0};

    buf_append(out, version, sizeof version);
    assert_int_equal(codec_encode(message, 0, what, out, NULL), RC_OK);
}

/* A transaction, which has written the topic. */
static void
transaction_append(struct batch_builder *builder, int64_t offset, const char *topic)
{
    struct km_transaction_log_value_partitions_schema partitions;
    struct km_transaction_log_value value;
    struct km_transaction_log_key key;
    struct buf key_bytes, value_bytes;

    buf_init(&key_bytes, MIB);
    buf_init(&value_bytes, MIB);
    codec_init(&km_transaction_log_key_desc, &key);
    key.transactional_id = codec_string("writer");
    codec_init(&km_transaction_log_value_partitions_schema_desc, &partitions);
    partitions.topic = codec_string(topic);
    codec_init(&km_transaction_log_value_desc, &value);
    value.transaction_partitions.items = &partitions;
    value.transaction_partitions.count = 1;
    encode(&km_transaction_log_key_message, &key, &key_bytes);
    encode(&km_transaction_log_value_message, &value, &value_bytes);
    assert_int_equal(batch_builder_append(builder,
                         &(struct batch_builder_record){.offset = offset,
                             .key = key_bytes.data,
                             .key_size = (int32_t)key_bytes.size,
                             .value = value_bytes.data,
                             .value_size = (int32_t)value_bytes.size},
                         NULL),
        RC_OK);
    buf_fini(&key_bytes);
    buf_fini(&value_bytes);
}

static void
batch_append(int64_t from, struct buf *out)
{
    static const uint8_t unknown_type[2] = {0x7f, 0xff};
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    uint8_t *zeros = xcalloc((size_t)ballast + 1, 1);

    options.base_offset = from;
    batch_builder_init(&builder, (size_t)4 * MIB);
    batch_builder_start(&builder, &options);
    if (early == from)
        transaction_append(&builder, from, "early");
    else if (late == from)
        transaction_append(&builder, from, "late");
    else
        assert_int_equal(batch_builder_append(&builder,
                             &(struct batch_builder_record){.offset = from,
                                 .key = unknown_type,
                                 .key_size = sizeof unknown_type,
                                 .value = zeros,
                                 .value_size = ballast},
                             NULL),
            RC_OK);
    assert_int_equal(batch_builder_reach(&builder, from + step - 1, NULL), RC_OK);
    assert_int_equal(batch_builder_finish(&builder, out, NULL), RC_OK);
    batch_builder_fini(&builder);
    free(zeros);
}

static void
fetch(
    struct fake_conn *conn, const struct frame_request *request, const struct km_fetch_request *in)
{
    struct km_fetch_response_fetchable_topic_response topic;
    struct km_fetch_response_partition_data partition;
    struct km_fetch_response response;
    struct buf batch;

    assert_int_equal(in->topics.count, 1);
    assert_int_equal(in->topics.items[0].partitions.count, 1);
    last_asked = in->topics.items[0].partitions.items[0].fetch_offset;
    if (fetches++ == 0)
        first_asked = last_asked;
    buf_init(&batch, (size_t)4 * MIB);
    codec_init(&km_fetch_response_partition_data_desc, &partition);
    partition.high_watermark = end_offset;
    partition.log_start_offset = log_start_offset;
    if (last_asked < log_start_offset)
        partition.error_code = KE_OFFSET_OUT_OF_RANGE;
    else if (last_asked < end_offset)
        batch_append(last_asked, &batch);
    partition.records = (struct wire_records){.data = batch.data, .size = (int32_t)batch.size};
    codec_init(&km_fetch_response_fetchable_topic_response_desc, &topic);
    topic.topic = codec_string(LOG);
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    codec_init(&km_fetch_response_desc, &response);
    response.responses.items = &topic;
    response.responses.count = 1;
    fake_reply(conn, request, &response);
    buf_fini(&batch);
}

static void
handle(void *arg, struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    (void)arg;
    if (request->api_key == KM_METADATA)
        metadata(conn, request);
    else if (request->api_key == KM_FETCH)
        fetch(conn, request, body);
    else
        fail_msg("a request of API %d", request->api_key);
}

/* An estate of which only the transaction log can tell anything. */
static int
setup(void **state)
{
    static char host[] = "127.0.0.1";
    static struct conf_text_server server = {host, 0};
    static struct conf_client conf;

    (void)state;
    log_start_offset = 0;
    ballast = 0;
    early = late = first_asked = last_asked = -1;
    fetches = 0;
    if (loop_new(&loop, NULL) != RC_OK)
        return -1;
    fake_start(&broker, loop);
    broker.handler = handle;
    server.port = broker.port;
    conf = (struct conf_client){.names = &conf_names_usual,
        .servers = &server,
        .server_count = 1,
        .client_id = "test",
        .request_timeout_ms = 10000,
        .connect_timeout_ms = 10000,
        .retry_backoff_ms = 5,
        .response_bytes_max = (size_t)100 * MIB};
    inventory_init(&inventory);
    inventory_add_topic(&inventory, LOG, 1);
    inventory_add_topic(&inventory, "early", 1)->sample.cut = 1;
    inventory_add_topic(&inventory, "late", 1)->sample.cut = 1;
    return cluster_new(loop, &conf, &cluster, NULL) == RC_OK ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    inventory_fini(&inventory);
    cluster_free(cluster);
    fake_stop(&broker);
    loop_free(loop);
    blob_trim();
    return 0;
}

/* Looks at the log, which began at `began` when its offsets were asked for. */
static void
look_from(int64_t began)
{
    struct probe probe = {&inventory, cluster};

    inventory.partitions[0].log_start_offset = began;
    inventory.partitions[0].end_offset = end_offset;
    probe_transaction_log(&probe);
    facts_derive(&inventory);
}

static const struct audit_finding *
transactions_of(const char *topic)
{
    return &inventory.topics[inventory_topic(&inventory, codec_string(topic))]
                .facts[AUDIT_FACT_TRANSACTIONS];
}

static bool
says(const struct audit_finding *finding, const char *text)
{
    for (const struct audit_evidence *row = finding->first; row != NULL; row = row->next)
        if (row->probe == AUDIT_TRANSACTION_LOG && strcmp(row->text, text) == 0)
            return true;
    return false;
}

static void
a_log_within_the_limits_is_read_whole_and_nothing_is_said(void **state)
{
    (void)state;
    end_offset = BACK;
    step = 1000;
    early = 0;
    late = BACK - 1000;
    look_from(0);
    assert_int_equal(first_asked, 0);
    assert_int_equal(last_asked, BACK - 1000);
    assert_int_equal(transactions_of("early")->value, AUDIT_YES);
    assert_int_equal(transactions_of("late")->value, AUDIT_YES);
    assert_null(inventory.gaps[AUDIT_TRANSACTION_LOG].why);
}

static void
what_lies_more_than_20000_offsets_back_is_not_read_and_unknown(void **state)
{
    static const char why[] = "of partition 0 of " LOG " only the offsets from 1000 to 20999 were "
                              "read";

    (void)state;
    end_offset = BACK + 1000;
    step = 1000;
    early = 0;
    late = 1000;
    look_from(0);
    assert_int_equal(first_asked, 1000);
    assert_int_equal(fetches, BACK / 1000);
    assert_int_equal(transactions_of("late")->value, AUDIT_YES);
    assert_int_equal(transactions_of("early")->value, AUDIT_UNKNOWN);
    assert_true(says(transactions_of("early"), why));
    assert_string_equal(inventory.gaps[AUDIT_TRANSACTION_LOG].why, why);
}

static void
what_comes_after_4_MiB_is_not_read_and_unknown(void **state)
{
    static const char why[] = "of partition 0 of " LOG " only the offsets from 0 to 4 were read";

    (void)state;
    end_offset = 100;
    step = 1;
    ballast = MIB;
    early = 0; /* without ballast: four more make it 4 MiB */
    late = 5;
    look_from(0);
    assert_int_equal(fetches, 5);
    assert_int_equal(transactions_of("early")->value, AUDIT_YES);
    assert_int_equal(transactions_of("late")->value, AUDIT_UNKNOWN);
    assert_true(says(transactions_of("late"), why));
}

static void
a_limit_that_is_reached_at_the_very_end_leaves_out_nothing(void **state)
{
    (void)state;
    end_offset = 4;
    step = 1;
    ballast = MIB;
    look_from(0);
    assert_int_equal(fetches, 4);
    assert_null(inventory.gaps[AUDIT_TRANSACTION_LOG].why);
}

static void
what_was_deleted_meanwhile_was_not_left_out(void **state)
{
    (void)state;
    end_offset = BACK + 2000;
    step = 1000;
    log_start_offset = 3000;
    late = 3000;
    look_from(0);
    assert_int_equal(first_asked, 2000);
    assert_int_equal(transactions_of("late")->value, AUDIT_YES);
    assert_null(inventory.gaps[AUDIT_TRANSACTION_LOG].why);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_log_within_the_limits_is_read_whole_and_nothing_is_said),
        TEST(what_lies_more_than_20000_offsets_back_is_not_read_and_unknown),
        TEST(what_comes_after_4_MiB_is_not_read_and_unknown),
        TEST(a_limit_that_is_reached_at_the_very_end_leaves_out_nothing),
        TEST(what_was_deleted_meanwhile_was_not_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
