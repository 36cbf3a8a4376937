/* How much of __transaction_state an audit reads, and what it says of the rest. */
#include "tests/unit/unit.h"

#include "lib/wire/batch_builder.h"
#include "tests/unit/audit/log_rig.h"

#define LOG "__transaction_state"
#define BACK 20000
#define MIB (1 << 20)

/* Each batch has `step` offsets. */
static struct log_rig rig = {.topic = LOG};
static int64_t step;
static int32_t ballast; /* bytes that each batch has besides */
static int64_t early;   /* the topic "early" is in the transaction whose record stands here */
static int64_t late;

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

/* An estate of which only the transaction log can tell anything. */
static int
setup(void **state)
{
    (void)state;
    ballast = 0;
    early = late = -1;
    rig.batch_append = batch_append;
    if (log_rig_start(&rig) != 0)
        return -1;
    inventory_add_topic(&rig.inventory, "early", 1)->sample.cut = 1;
    inventory_add_topic(&rig.inventory, "late", 1)->sample.cut = 1;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    log_rig_stop(&rig);
    return 0;
}

static const struct audit_finding *
transactions_of(const char *topic)
{
    return &rig.inventory.topics[inventory_topic(&rig.inventory, codec_string(topic))]
                .facts[AUDIT_FACT_TRANSACTIONS];
}

static void
a_log_within_the_limits_is_read_whole_and_nothing_is_said(void **state)
{
    (void)state;
    rig.end_offset = BACK;
    step = 1000;
    early = 0;
    late = BACK - 1000;
    log_rig_look(&rig, 0, probe_transaction_log);
    assert_int_equal(rig.first_asked, 0);
    assert_int_equal(rig.last_asked, BACK - 1000);
    assert_int_equal(transactions_of("early")->value, AUDIT_YES);
    assert_int_equal(transactions_of("late")->value, AUDIT_YES);
    assert_null(rig.inventory.gaps[AUDIT_TRANSACTION_LOG].why);
}

static void
what_lies_more_than_20000_offsets_back_is_not_read_and_unknown(void **state)
{
    static const char why[] = "of partition 0 of " LOG " only the offsets from 1000 to 20999 were "
                              "read";

    (void)state;
    rig.end_offset = BACK + 1000;
    step = 1000;
    early = 0;
    late = 1000;
    log_rig_look(&rig, 0, probe_transaction_log);
    assert_int_equal(rig.first_asked, 1000);
    assert_int_equal(rig.fetches, BACK / 1000);
    assert_int_equal(transactions_of("late")->value, AUDIT_YES);
    assert_int_equal(transactions_of("early")->value, AUDIT_UNKNOWN);
    assert_true(log_rig_says(transactions_of("early"), AUDIT_TRANSACTION_LOG, why));
    assert_string_equal(rig.inventory.gaps[AUDIT_TRANSACTION_LOG].why, why);
}

static void
what_comes_after_4_MiB_is_not_read_and_unknown(void **state)
{
    static const char why[] = "of partition 0 of " LOG " only the offsets from 0 to 4 were read";

    (void)state;
    rig.end_offset = 100;
    step = 1;
    ballast = MIB;
    early = 0; /* without ballast: four more make it 4 MiB */
    late = 5;
    log_rig_look(&rig, 0, probe_transaction_log);
    assert_int_equal(rig.fetches, 5);
    assert_int_equal(transactions_of("early")->value, AUDIT_YES);
    assert_int_equal(transactions_of("late")->value, AUDIT_UNKNOWN);
    assert_true(log_rig_says(transactions_of("late"), AUDIT_TRANSACTION_LOG, why));
}

static void
a_limit_that_is_reached_at_the_very_end_leaves_out_nothing(void **state)
{
    (void)state;
    rig.end_offset = 4;
    step = 1;
    ballast = MIB;
    log_rig_look(&rig, 0, probe_transaction_log);
    assert_int_equal(rig.fetches, 4);
    assert_null(rig.inventory.gaps[AUDIT_TRANSACTION_LOG].why);
}

static void
a_budget_is_kept(void **state)
{
    (void)state;
    rig.end_offset = 8;
    step = 1;
    ballast = MIB;
    rig.bytes_max = 2 * MIB;
    log_rig_look(&rig, 0, probe_transaction_log);
    assert_int_equal(rig.fetches, 2);
    assert_in_range(rig.bytes_read, 2 * MIB, 2 * MIB + 1000);
    assert_int_equal(rig.inventory.sampled_bytes, rig.bytes_read);
    assert_non_null(strstr(
        rig.inventory.gaps[AUDIT_TRANSACTION_LOG].why, "only the offsets from 0 to 1 were read"));
}

static void
one_that_is_too_small_reads_nothing(void **state)
{
    (void)state;
    rig.end_offset = 8;
    step = 1;
    rig.bytes_max = 16383;
    log_rig_look(&rig, 0, probe_transaction_log);
    assert_int_equal(rig.fetches, 0);
    assert_int_equal(rig.bytes_read, 0);
    assert_non_null(strstr(rig.inventory.gaps[AUDIT_TRANSACTION_LOG].why,
        "of __transaction_state nothing was read: the bytes to sample are too few for it"));
}

static void
what_was_deleted_meanwhile_was_not_left_out(void **state)
{
    (void)state;
    rig.end_offset = BACK + 2000;
    step = 1000;
    rig.log_start_offset = 3000;
    late = 3000;
    log_rig_look(&rig, 0, probe_transaction_log);
    assert_int_equal(rig.first_asked, 2000);
    assert_int_equal(transactions_of("late")->value, AUDIT_YES);
    assert_null(rig.inventory.gaps[AUDIT_TRANSACTION_LOG].why);
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
        TEST(a_budget_is_kept),
        TEST(one_that_is_too_small_reads_nothing),
        TEST(what_was_deleted_meanwhile_was_not_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
