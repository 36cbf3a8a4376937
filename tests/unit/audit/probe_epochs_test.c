/* Which leader epochs scripted brokers are asked for, and which offsets of groups lie in a part of
 * the log that is gone. */
#include "tests/unit/unit.h"

#include "audit/probe.h"
#include "tests/unit/lib/kafka/cluster_rig.h"

#define PARTITIONS 4
#define BEGIN 100 /* of the records of the last epoch, of partitions 1 to 3 */
#define EPOCH 5

static struct cluster_rig rig;
static struct audit_inventory inventory;
static struct probe probe;

static int asked[PARTITIONS];
static int64_t end_offset;
static int16_t code;
static int64_t committed[PARTITIONS];
static int32_t committed_epoch[PARTITIONS];

static void
epochs_answer(struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    const struct km_offset_for_leader_epoch_request *in = body;
    int32_t count = in->topics.items[0].partitions.count;
    struct km_offset_for_leader_epoch_response_offset_for_leader_topic_result topic;
    struct km_offset_for_leader_epoch_response response;

    assert_int_equal(in->replica_id, -1);
    codec_init(&km_offset_for_leader_epoch_response_offset_for_leader_topic_result_desc, &topic);
    topic.topic = in->topics.items[0].topic;
    topic.partitions.items = codec_array(&conn->broker->arena,
        &km_offset_for_leader_epoch_response_epoch_end_offset_desc, count + 1);
    topic.partitions.count = count + 1;
    for (int32_t i = 0; i < count; i++) {
        int32_t number = in->topics.items[0].partitions.items[i].partition;

        asked[number]++;
        assert_int_equal(in->topics.items[0].partitions.items[i].leader_epoch, EPOCH - 1);
        topic.partitions.items[i].partition = number;
        topic.partitions.items[i].leader_epoch = EPOCH - 1;
        topic.partitions.items[i].end_offset = end_offset;
        topic.partitions.items[i].error_code = number == 2 ? code : KE_NONE;
    }
    topic.partitions.items[count].partition = 0; /* which nobody asked for */
    topic.partitions.items[count].end_offset = 77;
    codec_init(&km_offset_for_leader_epoch_response_desc, &response);
    response.topics.items = &topic;
    response.topics.count = 1;
    fake_reply(conn, request, &response);
}

static void
offsets_answer(struct fake_conn *conn, const struct frame_request *request)
{
    struct km_offset_fetch_response_topics topic;
    struct km_offset_fetch_response_group group;
    struct km_offset_fetch_response response;

    codec_init(&km_offset_fetch_response_topics_desc, &topic);
    topic.name = codec_string("t");
    topic.partitions.items =
        codec_array(&conn->broker->arena, &km_offset_fetch_response_partitions_desc, PARTITIONS);
    topic.partitions.count = PARTITIONS;
    for (int32_t i = 0; i < PARTITIONS; i++) {
        topic.partitions.items[i].partition_index = i;
        topic.partitions.items[i].committed_offset = committed[i];
        topic.partitions.items[i].committed_leader_epoch = committed_epoch[i];
    }
    codec_init(&km_offset_fetch_response_group_desc, &group);
    group.group_id = codec_string("g");
    group.topics.items = &topic;
    group.topics.count = 1;
    codec_init(&km_offset_fetch_response_desc, &response);
    response.groups.items = &group;
    response.groups.count = 1;
    fake_reply(conn, request, &response);
}

static void
answer(void *arg, struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    if (request->api_key == KM_OFFSET_FOR_LEADER_EPOCH)
        epochs_answer(conn, request, body);
    else if (request->api_key == KM_OFFSET_FETCH)
        offsets_answer(conn, request);
    else
        fake_cluster_request(arg, conn, request, body);
}

static int
start(void **state)
{
    (void)state;
    memset(asked, 0, sizeof asked);
    end_offset = BEGIN;
    code = KE_NONE;
    if (cluster_rig_start(&rig, PARTITIONS) != 0)
        return -1;
    for (int i = 0; i < FAKE_BROKERS; i++)
        rig.fake.brokers[i].handler = answer;
    inventory_init(&inventory);
    probe = (struct probe){&inventory, rig.cluster};
    inventory_add_group(&inventory, codec_string("g"), AUDIT_GROUP_CLASSIC);
    if (probe_topics_end(probe_topics_begin(&probe), "*", NULL) != RC_OK)
        return -1;
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        inventory.partitions[i].leader_epoch = i == 0 ? 0 : EPOCH;
        committed[i] = BEGIN + 1;
        committed_epoch[i] = EPOCH - 1;
    }
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

static uint32_t
overwritten(void)
{
    struct probe_commits *commits = probe_commits_begin(&probe);

    probe_epochs(&probe);
    probe_commits_end(commits);
    return inventory.topics[0].uses == NULL ? 0 : inventory.topics[0].uses->overwritten;
}

static void
only_leaders_that_are_not_the_first_are_asked(void **state)
{
    (void)state;
    probe_epochs(&probe);
    assert_int_equal(asked[0], 0);
    assert_int_equal(inventory.partitions[0].epoch_offset, -1);
    for (uint32_t i = 1; i < PARTITIONS; i++) {
        assert_int_equal(asked[i], 1);
        assert_int_equal(inventory.partitions[i].epoch_offset, BEGIN);
    }
    assert_null(inventory.topics[0].gaps[AUDIT_EPOCHS].why);
}

static void
offsets_beyond_a_later_epoch_were_overwritten(void **state)
{
    (void)state;
    assert_int_equal(overwritten(), PARTITIONS - 1);
}

static void
an_offset_at_its_beginning_was_not(void **state)
{
    (void)state;
    committed[1] = BEGIN;
    assert_int_equal(overwritten(), PARTITIONS - 2);
}

static void
nor_one_of_the_same_epoch_or_without(void **state)
{
    (void)state;
    committed_epoch[1] = EPOCH;
    committed_epoch[2] = -1;
    assert_int_equal(overwritten(), 1);
}

static void
of_an_epoch_without_an_offset_nothing_is_known(void **state)
{
    (void)state;
    end_offset = -1;
    assert_int_equal(overwritten(), 0);
    assert_int_equal(inventory.partitions[1].epoch_offset, -1);
}

static void
a_refusal_is_a_gap(void **state)
{
    (void)state;
    code = KE_TOPIC_AUTHORIZATION_FAILED;
    assert_int_equal(overwritten(), PARTITIONS - 2);
    assert_non_null(inventory.topics[0].gaps[AUDIT_EPOCHS].why);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_leaders_that_are_not_the_first_are_asked),
        TEST(offsets_beyond_a_later_epoch_were_overwritten),
        TEST(an_offset_at_its_beginning_was_not),
        TEST(nor_one_of_the_same_epoch_or_without),
        TEST(of_an_epoch_without_an_offset_nothing_is_known),
        TEST(a_refusal_is_a_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
