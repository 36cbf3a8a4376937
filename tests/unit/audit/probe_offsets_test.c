/* Which offsets three scripted brokers are asked for, in which order, and what comes of it. */
#include "tests/unit/unit.h"

#include "audit/probe.h"
#include "lib/base/xalloc.h"
#include "tests/unit/lib/kafka/cluster_rig.h"

#define PARTITIONS 9 /* three of each broker */
#define START (-2)
#define END (-1)
#define LARGEST (-3)
#define LOCAL (-4)
#define QUESTIONS_MAX 16

static struct cluster_rig rig;
static struct audit_inventory inventory;
static struct probe probe;

/* What partition 0 was asked, and how often partition 1 was. */
static int64_t asked[QUESTIONS_MAX];
static size_t asked_count, asked_empty;
static int64_t stable_offset; /* of partition 0, */
static int64_t local_start;   /* and where its part on disks begins */

/* Partition 0 has the offsets 3 to 9, partition 1 had some and is empty; all others are new. */
static int64_t
offset(int32_t partition, const struct km_list_offsets_request *question, int64_t timestamp)
{
    const struct km_list_offsets_request_topic *topic = &question->topics.items[0];

    for (int32_t i = 0; i + 1 < topic->partitions.count; i++)
        assert_int_not_equal(topic->partitions.items[i].partition_index,
            topic->partitions.items[i + 1].partition_index);
    asked_empty += partition == 1;
    if (partition != 0)
        return partition == 1 ? 5 : 0;
    assert_true(asked_count < QUESTIONS_MAX);
    asked[asked_count++] = question->isolation_level == 0 ? timestamp : 0;
    if (timestamp == LARGEST)
        return 1234;
    if (timestamp == LOCAL)
        return local_start;
    return timestamp == START ? 3 : question->isolation_level == 0 ? 10 : stable_offset;
}

static int
start(void **state)
{
    (void)state;
    asked_count = asked_empty = 0;
    stable_offset = 10;
    if (cluster_rig_start(&rig, PARTITIONS) != 0)
        return -1;
    rig.fake.offset = offset;
    inventory_init(&inventory);
    probe = (struct probe){&inventory, rig.cluster};
    return probe_topics_end(probe_topics_begin(&probe), "*", NULL) == RC_OK ? 0 : -1;
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
the_start_of_a_log_is_asked_before_its_end(void **state)
{
    (void)state;
    probe_offsets(&probe);
    assert_int_equal(asked_count, 4);
    assert_int_equal(asked[0], START);
    assert_int_equal(asked[1], END);
    assert_int_equal(inventory.partitions[0].log_start_offset, 3);
    assert_int_equal(inventory.partitions[0].end_offset, 10);
    assert_int_equal(inventory.topics[0].offsets, 7);
    assert_int_equal(inventory.topics[0].last_ms, 1234);
    assert_int_equal(inventory.topics[0].unstable, 0);
    assert_true(inventory.topics[0].began_later);
    assert_null(inventory.topics[0].gaps[AUDIT_OFFSETS].why);
}

static void
an_empty_log_is_asked_for_nothing_else(void **state)
{
    (void)state;
    probe_offsets(&probe);
    assert_int_equal(asked_empty, 2);
    assert_int_equal(inventory.partitions[1].log_start_offset, 5);
    assert_int_equal(inventory.partitions[1].end_offset, 5);
    /* Each broker both questions, and that of partition 0 two more. */
    assert_int_equal(rig.fake.list_requests, 2 * FAKE_BROKERS + 2);
}

static void
an_open_transaction_shows(void **state)
{
    (void)state;
    stable_offset = 9;
    probe_offsets(&probe);
    assert_int_equal(inventory.topics[0].unstable, 1);
}

static void
what_is_refused_is_unknown_and_asked_for_all(void **state)
{
    (void)state;
    rig.fake.code[0] = KE_TOPIC_AUTHORIZATION_FAILED;
    probe_offsets(&probe);
    assert_int_equal(asked_count, 4);
    assert_int_equal(inventory.partitions[0].log_start_offset, -1);
    assert_non_null(inventory.topics[0].gaps[AUDIT_OFFSETS].why);
    assert_non_null(inventory.topics[0].gaps[AUDIT_STABLE_OFFSETS].why);
    assert_non_null(inventory.topics[0].gaps[AUDIT_LARGEST_TIMES].why);
    assert_int_equal(inventory.partitions[1].end_offset, 5);
}

static void
of_a_tiered_topic_it_is_asked_what_is_on_disks(void **state)
{
    (void)state;
    probe_offsets(&probe);
    asked_count = asked_empty = 0;
    probe_tiered(&probe);
    assert_int_equal(asked_count, 0);
    inventory.topics[0].configs[AUDIT_CONFIG_REMOTE_STORAGE_ENABLE].value = "true";
    local_start = 7;
    probe_tiered(&probe);
    assert_int_equal(asked_count, 1);
    assert_int_equal(asked[0], LOCAL);
    assert_int_equal(asked_empty, 0);
    assert_int_equal(inventory.topics[0].tiered, 4);
}

/* A broker may say anything. */
static void
no_more_is_tiered_than_there_is(void **state)
{
    static const int64_t starts[] = {INT64_MIN, -1, 3, 10, 11, INT64_MAX};
    static const int64_t tiered[] = {0, 0, 0, 7, 7, 7};

    (void)state;
    probe_offsets(&probe);
    inventory.topics[0].configs[AUDIT_CONFIG_REMOTE_STORAGE_ENABLE].value = "true";
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        local_start = starts[i];
        inventory.topics[0].tiered = 0;
        probe_tiered(&probe);
        assert_int_equal(inventory.topics[0].tiered, tiered[i]);
    }
}

static void
growth_is_what_came_since(void **state)
{
    (void)state;
    probe_offsets(&probe);
    inventory.partitions[0].end_offset = 4;
    inventory.asked_ms[AUDIT_OFFSETS] -= 1000; /* of what came within no time there is no rate */
    probe_growth(&probe);
    assert_int_equal(inventory.topics[0].rate.records, 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_start_of_a_log_is_asked_before_its_end),
        TEST(an_empty_log_is_asked_for_nothing_else),
        TEST(an_open_transaction_shows),
        TEST(what_is_refused_is_unknown_and_asked_for_all),
        TEST(of_a_tiered_topic_it_is_asked_what_is_on_disks),
        TEST(no_more_is_tiered_than_there_is),
        TEST(growth_is_what_came_since),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
