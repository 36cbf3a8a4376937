/* What an audit takes from __consumer_offsets: the topics that transactions read. */
#include "tests/unit/unit.h"

#include "lib/base/arena.h"
#include "lib/wire/batch_builder.h"
#include "tests/unit/audit/log_rig.h"

#define LOG "__consumer_offsets"
#define COMMIT 1
#define GROUP_METADATA 2
#define WRITER_PRODUCER 7

/* One batch of one record, at the offset of its place. */
struct commit {
    int64_t producer_id; /* -1: outside of transactions */
    int16_t key_type;
    const char *group;
    const char *topic;
};

static struct log_rig rig = {.topic = LOG};
static const struct commit *commits;

static void
batch_append(int64_t offset, struct buf *out)
{
    const struct commit *commit = &commits[offset];
    struct batch_builder_options options = batch_builder_defaults();
    uint8_t type[2] = {0, (uint8_t)commit->key_type};
    struct km_offset_commit_key key;
    struct batch_builder builder;
    struct buf bytes;

    buf_init(&bytes, 1000);
    codec_init(&km_offset_commit_key_desc, &key);
    key.group = codec_string(commit->group);
    key.topic = codec_string(commit->topic);
    buf_append(&bytes, type, sizeof type);
    assert_int_equal(codec_encode(&km_offset_commit_key_message, 0, &key, &bytes, NULL), RC_OK);
    options.base_offset = offset;
    options.producer_id = commit->producer_id;
    options.producer_epoch = commit->producer_id < 0 ? -1 : 0;
    options.base_sequence = commit->producer_id < 0 ? -1 : 0;
    options.transactional = commit->producer_id >= 0;
    batch_builder_init(&builder, 100000);
    batch_builder_start(&builder, &options);
    assert_int_equal(batch_builder_append(&builder,
                         &(struct batch_builder_record){.offset = offset,
                             .key = bytes.data,
                             .key_size = (int32_t)bytes.size,
                             .value = type,
                             .value_size = sizeof type},
                         NULL),
        RC_OK);
    assert_int_equal(batch_builder_finish(&builder, out, NULL), RC_OK);
    batch_builder_fini(&builder);
    buf_fini(&bytes);
}

/* Group "app" reads "in" and is the program of the transactional id "writer". */
static int
setup(void **state)
{
    (void)state;
    rig.batch_append = batch_append;
    if (log_rig_start(&rig) != 0)
        return -1;
    inventory_add_topic(&rig.inventory, "in", 1);
    inventory_add_topic(&rig.inventory, "other", 1);
    inventory_add_group(&rig.inventory, codec_string("app"), AUDIT_GROUP_CLASSIC);
    inventory_use(&rig.inventory, 0, codec_string("in"), true, false);
    inventory_add_transactional_id(&rig.inventory, codec_string("writer"));
    inventory_note_producer(&rig.inventory, codec_string("writer"), WRITER_PRODUCER);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    log_rig_stop(&rig);
    return 0;
}

static void
look(const struct commit *rows, int64_t count)
{
    commits = rows;
    rig.end_offset = count;
    log_rig_look(&rig, 0, probe_commit_log);
}

static const struct audit_topic *
topic(const char *name)
{
    return &rig.inventory.topics[inventory_topic(&rig.inventory, codec_string(name))];
}

static void
offsets_in_a_transaction_tell_what_it_reads(void **state)
{
    static const struct commit rows[] = {
        {WRITER_PRODUCER, COMMIT, "app", "in"}, {WRITER_PRODUCER, COMMIT, "app", "in"}};

    (void)state;
    look(rows, ARRAY_LEN(rows));
    assert_int_equal(topic("in")->traces[AUDIT_TRACE_READ].ids, 1);
    assert_string_equal(topic("in")->traces[AUDIT_TRACE_READ].first, "writer");
    assert_int_equal(topic("other")->traces[AUDIT_TRACE_READ].ids, 0);
    assert_int_equal(topic("in")->traces[AUDIT_TRACE_PAST].ids, 0);
    assert_int_equal(rig.inventory.footprints->trace, AUDIT_TRACE_READ);
    assert_null(rig.inventory.footprints->next);
    assert_true(log_rig_says(&topic("in")->facts[AUDIT_FACT_GROUPS], AUDIT_COMMIT_LOG,
        "offsets of it are committed in transactions of writer, says " LOG));
    assert_null(rig.inventory.gaps[AUDIT_COMMIT_LOG].why);
}

static void
other_commits_and_other_records_tell_nothing(void **state)
{
    static const struct commit rows[] = {{-1, COMMIT, "app", "in"},
        {WRITER_PRODUCER, GROUP_METADATA, "app", "in"}, {WRITER_PRODUCER, COMMIT, "app", "gone"}};

    (void)state;
    look(rows, ARRAY_LEN(rows));
    assert_int_equal(rig.fetches, ARRAY_LEN(rows));
    assert_null(rig.inventory.footprints);
    assert_null(rig.inventory.gaps[AUDIT_COMMIT_LOG].why);
}

static void
a_group_that_is_gone_is_no_evidence_of_groups(void **state)
{
    static const struct commit rows[] = {{WRITER_PRODUCER, COMMIT, "gone", "other"}};

    (void)state;
    look(rows, ARRAY_LEN(rows));
    assert_int_equal(topic("other")->traces[AUDIT_TRACE_READ].ids, 1);
    assert_int_equal(topic("other")->facts[AUDIT_FACT_GROUPS].value, AUDIT_NO);
}

static void
a_producer_that_nobody_knows_leaves_a_gap_and_each_group_once(void **state)
{
    static const struct commit rows[] = {
        {44, COMMIT, "app", "in"}, {44, COMMIT, "app", "other"}, {44, COMMIT, "app 2", "in"}};

    (void)state;
    look(rows, ARRAY_LEN(rows));
    assert_null(rig.inventory.footprints);
    assert_string_equal(rig.inventory.gaps[AUDIT_COMMIT_LOG].why,
        "group app has committed offsets in transactions of producer 44, whose transactional id "
        "is not known");
    assert_int_equal(rig.inventory.gaps[AUDIT_COMMIT_LOG].failures, 2);
}

static void
without_transactional_ids_it_is_not_read(void **state)
{
    (void)state;
    inventory_fini(&rig.inventory);
    inventory_init(&rig.inventory);
    inventory_add_topic(&rig.inventory, LOG, 1);
    look(NULL, 5);
    assert_int_equal(rig.fetches, 0);
    assert_int_equal(rig.inventory.asked_ms[AUDIT_COMMIT_LOG], 0);
}

static void
where_ids_may_be_hidden_it_is_read(void **state)
{
    static const struct commit rows[] = {{-1, COMMIT, "app", "in"}};

    (void)state;
    inventory_fini(&rig.inventory);
    inventory_init(&rig.inventory);
    inventory_add_topic(&rig.inventory, LOG, 1);
    rig.inventory.is_restricted = true;
    look(rows, ARRAY_LEN(rows));
    assert_int_equal(rig.fetches, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(offsets_in_a_transaction_tell_what_it_reads),
        TEST(other_commits_and_other_records_tell_nothing),
        TEST(a_group_that_is_gone_is_no_evidence_of_groups),
        TEST(a_producer_that_nobody_knows_leaves_a_gap_and_each_group_once),
        TEST(without_transactional_ids_it_is_not_read),
        TEST(where_ids_may_be_hidden_it_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
