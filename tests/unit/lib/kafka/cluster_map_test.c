/* Answers as structs, one after another; the map is compared after each. */
#include "tests/unit/unit.h"

#include "lib/base/xalloc.h"
#include "lib/kafka/cluster_map.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

static struct cluster_map map;
static struct km_metadata_response response;
static struct km_metadata_response_broker brokers[4];
static struct km_metadata_response_topic topics[4];
static struct km_metadata_response_partition partitions[4][4];
static struct err e;

static struct wire_string
text(const char *content)
{
    return (struct wire_string){content, (int32_t)strlen(content)};
}

/* Two brokers, no topic. */
static void
response_reset(void)
{
    codec_init(&km_metadata_response_desc, &response);
    response.cluster_id = text("here");
    response.controller_id = 2;
    response.brokers.items = brokers;
    response.topics.items = topics;
    for (int32_t i = 0; i < 2; i++) {
        codec_init(&km_metadata_response_broker_desc, &brokers[i]);
        brokers[i].node_id = i + 1;
        brokers[i].host = text(i == 0 ? "one" : "two");
        brokers[i].port = 9092;
    }
    response.brokers.count = 2;
}

/* A topic whose partitions have leaders l0, l1 (and no more where negative) of an epoch. */
static void
response_add(const char *name, int32_t epoch, int32_t l0, int32_t l1)
{
    int32_t at = response.topics.count++;
    const int32_t leaders[] = {l0, l1};

    codec_init(&km_metadata_response_topic_desc, &topics[at]);
    topics[at].name = text(name);
    topics[at].partitions.items = partitions[at];
    for (int32_t i = 0; i < 2; i++) {
        /* Kafka gives them in any order. */
        struct km_metadata_response_partition *partition = &partitions[at][1 - i];

        codec_init(&km_metadata_response_partition_desc, partition);
        partition->partition_index = i;
        partition->leader_id = leaders[i];
        partition->leader_epoch = epoch;
    }
    topics[at].partitions.count = 2;
}

static int
start(void **state)
{
    (void)state;
    cluster_map_init(&map);
    response_reset();
    return 0;
}

static int
end(void **state)
{
    (void)state;
    cluster_map_fini(&map);
    return 0;
}

static int32_t
leader(const char *topic, int32_t partition)
{
    int32_t broker;
    int16_t code = cluster_map_leader(&map, cluster_map_topic(&map, topic), partition, -1, &broker);

    return code == KE_NONE ? broker : -code;
}

static void
brokers_topics_and_leaders_are_known(void **state)
{
    size_t position = 0;

    (void)state;
    response_add("a", 5, 1, 2);
    response_add("b", 0, 2, 2);
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_OK);
    assert_string_equal(map.cluster_id, "here");
    assert_int_equal(map.controller, 2);
    assert_string_equal(cluster_map_broker(&map, 2)->host, "two");
    assert_null(cluster_map_broker(&map, 3));
    assert_int_equal(leader("a", 0), 1);
    assert_int_equal(leader("a", 1), 2);
    assert_int_equal(cluster_map_topic(&map, "a")->partitions[1].leader_epoch, 5);
    assert_int_equal(cluster_map_next_broker(&map, &position)->id, 1);
    position = 0;
    assert_string_equal(cluster_map_next_topic(&map, &position)->name, "a");
    assert_string_equal(cluster_map_next_topic(&map, &position)->name, "b");
    assert_null(cluster_map_next_topic(&map, &position));
}

static void
what_is_missing_has_its_error_code(void **state)
{
    (void)state;
    response_add("a", 5, -1, 9);
    response_add("b", 5, 1, 1);
    partitions[0][1].error_code = KE_LEADER_NOT_AVAILABLE;
    topics[1].error_code = KE_TOPIC_AUTHORIZATION_FAILED;
    topics[1].partitions.count = 0;
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_OK);
    assert_int_equal(leader("a", 0), -KE_LEADER_NOT_AVAILABLE);
    assert_int_equal(leader("a", 1), -KE_LISTENER_NOT_FOUND);
    assert_int_equal(leader("a", 2), -KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(leader("a", -1), -KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(leader("b", 0), -KE_TOPIC_AUTHORIZATION_FAILED);
    assert_int_equal(leader("c", 0), -KE_UNKNOWN_TOPIC_OR_PARTITION);
}

static void
a_full_answer_replaces_and_a_partial_one_adds(void **state)
{
    (void)state;
    response_add("a", 1, 1, 1);
    response_add("b", 1, 1, 1);
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_OK);
    response_reset();
    response_add("c", 1, 1, 1);
    response_add("a", 2, 2, 2);
    assert_int_equal(cluster_map_load(&map, &response, false, &e), RC_OK);
    assert_int_equal(leader("a", 0), 2);
    assert_int_equal(leader("b", 0), 1);
    assert_int_equal(leader("c", 0), 1);
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_OK);
    assert_null(cluster_map_topic(&map, "b"));
    assert_int_equal(map_count(&map.topics), 2);
}

static void
an_older_leader_never_replaces_a_newer(void **state)
{
    (void)state;
    response_add("a", 7, 1, 1);
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_OK);
    response_reset();
    response_add("a", 6, 2, 2);
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_OK);
    assert_int_equal(leader("a", 0), 1);
    /* A topic that was made anew begins at epoch 0 again. */
    topics[0].topic_id.bytes[3] = 1;
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_OK);
    assert_int_equal(leader("a", 0), 2);
}

static void
another_cluster_is_refused(void **state)
{
    (void)state;
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_OK);
    response.cluster_id = text("there");
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_CONFLICT);
    assert_string_equal(e.text, "the servers belong to different clusters: here, and there");
    response.cluster_id = (struct wire_string){NULL, -1};
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_OK);
}

static void
answers_that_cannot_be_are_refused_and_change_nothing(void **state)
{
    (void)state;
    response_add("a", 1, 1, 1);
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_OK);
    partitions[0][0].partition_index = 0;
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_PROTOCOL);
    partitions[0][0].partition_index = INT32_MAX;
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_PROTOCOL);
    assert_string_equal(e.text, "topic a has partition 2147483647 among 2");
    partitions[0][0].partition_index = 1;
    brokers[1].port = 0;
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_PROTOCOL);
    brokers[1].port = 65536;
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_PROTOCOL);
    brokers[1].port = 1;
    brokers[1].node_id = -1;
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_PROTOCOL);
    brokers[1].node_id = 2;
    brokers[1].host = text("");
    assert_int_equal(cluster_map_load(&map, &response, true, &e), RC_PROTOCOL);
    assert_int_equal(leader("a", 1), 1);
    assert_string_equal(cluster_map_broker(&map, 2)->host, "two");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(brokers_topics_and_leaders_are_known),
        TEST(what_is_missing_has_its_error_code),
        TEST(a_full_answer_replaces_and_a_partial_one_adds),
        TEST(an_older_leader_never_replaces_a_newer),
        TEST(another_cluster_is_refused),
        TEST(answers_that_cannot_be_are_refused_and_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
