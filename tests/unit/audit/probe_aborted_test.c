/* Which offsets scripted brokers are asked about for aborted transactions, and what comes of their
 * lists. */
#include "tests/unit/unit.h"

#include "audit/probe.h"
#include "tests/unit/lib/kafka/cluster_rig.h"

#define PARTITIONS 3 /* one of each broker */
#define OFFSETS 8    /* that are asked about in each */
#define BYTES_MAX 1000000
#define KNOWN 7 /* producer id of a transactional id that was listed */
#define LISTED 40

static struct cluster_rig rig;
static struct audit_inventory inventory;
static struct probe probe;

static int64_t asked[PARTITIONS][OFFSETS + 1];
static size_t asked_count[PARTITIONS];
static int64_t aborted_from, aborted_to; /* which offsets the aborted transaction spans */
static int16_t code;                     /* of partition 1 */
static bool answers_twice;

static void
partition_answer(struct arena *arena, const struct km_fetch_request_partition *in,
    struct km_fetch_response_partition_data *out)
{
    bool spans = in->fetch_offset >= aborted_from && in->fetch_offset < aborted_to;

    out->partition_index = in->partition;
    out->error_code = in->partition == 1 ? code : KE_NONE;
    out->aborted_transactions.count = spans ? LISTED : 0;
    out->aborted_transactions.items =
        codec_array(arena, &km_fetch_response_aborted_transaction_desc, LISTED);
    for (int32_t i = 0; i < LISTED; i++)
        out->aborted_transactions.items[i].producer_id = KNOWN + i;
}

/* One partition a request, since each has a leader of its own, and nothing of its records. */
static void
question_check(const struct km_fetch_request *in)
{
    const struct km_fetch_request_partition *p = &in->topics.items[0].partitions.items[0];

    assert_int_equal(in->isolation_level, 1);
    assert_int_equal(in->topics.count, 1);
    assert_int_equal(in->topics.items[0].partitions.count, 1);
    assert_int_equal(p->partition_max_bytes, 0);
    assert_true(asked_count[p->partition] <= OFFSETS);
    asked[p->partition][asked_count[p->partition]++] = p->fetch_offset;
}

static void
answer(void *arg, struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    const struct km_fetch_request *in = body;
    struct arena *arena = &conn->broker->arena;
    struct km_fetch_response_fetchable_topic_response topic;
    struct km_fetch_response response;

    if (request->api_key != KM_FETCH) {
        fake_cluster_request(arg, conn, request, body);
        return;
    }
    question_check(in);
    codec_init(&km_fetch_response_fetchable_topic_response_desc, &topic);
    topic.topic = in->topics.items[0].topic;
    topic.partitions.items = codec_array(arena, &km_fetch_response_partition_data_desc, 3);
    topic.partitions.count = answers_twice ? 3 : 1;
    for (int32_t i = 0; i < topic.partitions.count; i++) {
        const struct km_fetch_request_partition *p = &in->topics.items[0].partitions.items[0];

        partition_answer(arena, p, &topic.partitions.items[i]);
        if (i == 2)
            topic.partitions.items[i].partition_index = 99; /* that nobody asked for */
    }
    codec_init(&km_fetch_response_desc, &response);
    response.responses.items = &topic;
    response.responses.count = 1;
    fake_reply(conn, request, &response);
}

static int
start(void **state)
{
    (void)state;
    memset(asked_count, 0, sizeof asked_count);
    aborted_from = aborted_to = 0;
    code = KE_NONE;
    answers_twice = false;
    if (cluster_rig_start(&rig, PARTITIONS) != 0)
        return -1;
    for (int i = 0; i < FAKE_BROKERS; i++)
        rig.fake.brokers[i].handler = answer;
    inventory_init(&inventory);
    probe = (struct probe){&inventory, rig.cluster};
    if (probe_topics_end(probe_topics_begin(&probe), "*", NULL) != RC_OK)
        return -1;
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        inventory.partitions[i].log_start_offset = 1000;
        inventory.partitions[i].end_offset = 1000 + 1600;
    }
    inventory.topics[0].sample.cut = 1;
    return 0;
}

static int
end(void **state)
{
    (void)state;
    inventory_fini(&inventory);
    cluster_rig_stop(&rig);
    return 0;
}

static void
offsets_are_spread_over_each_log(void **state)
{
    (void)state;
    probe_aborted(&probe, BYTES_MAX);
    for (size_t p = 0; p < PARTITIONS; p++) {
        assert_int_equal(asked_count[p], OFFSETS);
        for (int64_t i = 0; i < OFFSETS; i++)
            assert_int_equal(asked[p][i], 1000 + 100 + 200 * i);
    }
    assert_int_equal(inventory.topics[0].aborted.asked, PARTITIONS * OFFSETS);
    assert_int_equal(inventory.topics[0].aborted.found, 0);
    assert_null(inventory.topics[0].gaps[AUDIT_ABORTED].why);
}

static void
lists_tell_of_transactions_and_whose_they_are(void **state)
{
    struct wire_string id = {"pay", 3};

    (void)state;
    inventory_add_transactional_id(&inventory, id);
    inventory_note_producer(&inventory, id, KNOWN);
    aborted_from = 1000 + 500;
    aborted_to = 1000 + 900;
    probe_aborted(&probe, BYTES_MAX);
    assert_int_equal(inventory.topics[0].aborted.found, PARTITIONS * 2);
    /* Once, however often it was listed; of the others nobody knows the id. */
    assert_int_equal(inventory.topics[0].traces[AUDIT_TRACE_ABORTED].ids, 1);
    assert_string_equal(inventory.topics[0].traces[AUDIT_TRACE_ABORTED].first, "pay");
    assert_null(inventory.footprints->next);
}

static void
one_offset_is_enough_for_a_log_of_one(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PARTITIONS; i++)
        inventory.partitions[i].end_offset = 1001;
    probe_aborted(&probe, BYTES_MAX);
    for (size_t i = 0; i < OFFSETS; i++)
        assert_int_equal(asked[0][i], 1000);
}

static void
nobody_is_asked_where_all_is_known(void **state)
{
    (void)state;
    inventory.topics[0].sample.cut = 0;
    probe_aborted(&probe, BYTES_MAX);
    inventory.topics[0].sample.cut = 1;
    inventory.topics[0].sample.transactional = 1;
    probe_aborted(&probe, BYTES_MAX);
    inventory.topics[0].sample.transactional = 0;
    inventory.topics[0].transactional_producers = 1;
    probe_aborted(&probe, BYTES_MAX);
    inventory.topics[0].transactional_producers = 0;
    probe_aborted(&probe, 0);
    for (size_t p = 0; p < PARTITIONS; p++)
        assert_int_equal(asked_count[p], 0);
}

static void
a_refusal_is_a_gap_and_a_log_that_was_cut_is_none(void **state)
{
    (void)state;
    code = KE_OFFSET_OUT_OF_RANGE;
    probe_aborted(&probe, BYTES_MAX);
    assert_null(inventory.topics[0].gaps[AUDIT_ABORTED].why);
    assert_int_equal(inventory.topics[0].aborted.asked, (PARTITIONS - 1) * OFFSETS);
    memset(asked_count, 0, sizeof asked_count);
    code = KE_TOPIC_AUTHORIZATION_FAILED;
    probe_aborted(&probe, BYTES_MAX);
    assert_non_null(inventory.topics[0].gaps[AUDIT_ABORTED].why);
    assert_int_equal(asked_count[1], 1);
}

static void
an_answer_that_says_more_than_was_asked_counts_once(void **state)
{
    (void)state;
    answers_twice = true;
    aborted_to = INT64_MAX;
    probe_aborted(&probe, BYTES_MAX);
    assert_int_equal(inventory.topics[0].aborted.asked, PARTITIONS * OFFSETS);
    assert_int_equal(inventory.topics[0].aborted.found, PARTITIONS * OFFSETS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(offsets_are_spread_over_each_log),
        TEST(lists_tell_of_transactions_and_whose_they_are),
        TEST(one_offset_is_enough_for_a_log_of_one),
        TEST(nobody_is_asked_where_all_is_known),
        TEST(a_refusal_is_a_gap_and_a_log_that_was_cut_is_none),
        TEST(an_answer_that_says_more_than_was_asked_counts_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
