/* The facade that commands use, against three scripted brokers. */
#include "tests/unit/unit.h"

#include "tests/unit/lib/kafka/cluster_rig.h"

static struct cluster_rig rig;
static struct err e;

static int
start(void **state)
{
    (void)state;
    err_clear(&e);
    return cluster_rig_start(&rig, 6);
}

static int
end(void **state)
{
    (void)state;
    cluster_rig_stop(&rig);
    return 0;
}

static void
nothing_is_asked_before_it_is_needed(void **state)
{
    (void)state;
    loop_step(rig.loop, 1000);
    assert_int_equal(rig.fake.brokers[0].accepted, 0);
    assert_ptr_equal(cluster_loop(rig.cluster), rig.loop);
    assert_null(cluster_view(rig.cluster)->cluster_id);
}

static void
a_refresh_fills_the_view(void **state)
{
    static const char *const names[] = {"nope"};
    int32_t leader;

    (void)state;
    assert_int_equal(cluster_refresh(rig.cluster, &e), RC_OK);
    assert_string_equal(cluster_view(rig.cluster)->cluster_id, "fake");
    assert_int_equal(cluster_map_leader(cluster_view(rig.cluster),
                         cluster_map_topic(cluster_view(rig.cluster), "t"), 4, -1, &leader),
        KE_NONE);
    assert_int_equal(leader, 2);
    assert_int_equal(cluster_refresh_some(rig.cluster, names, 1, &e), RC_OK);
    assert_int_equal(
        cluster_map_topic(cluster_view(rig.cluster), "nope")->error, KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(cluster_map_leader(cluster_view(rig.cluster),
                         cluster_map_topic(cluster_view(rig.cluster), "t"), 4, -1, &leader),
        KE_NONE);
    assert_int_equal(cluster_refresh_some(rig.cluster, NULL, 0, &e), RC_OK);
    assert_int_equal(rig.fake.metadata_requests, 3);
}

static enum rc
list_offsets(const struct cluster_target *target, int32_t partition, struct conn_reply **reply)
{
    struct km_list_offsets_request request;
    struct km_list_offsets_request_topic topic;
    struct km_list_offsets_request_partition row;

    codec_init(&km_list_offsets_request_desc, &request);
    codec_init(&km_list_offsets_request_topic_desc, &topic);
    codec_init(&km_list_offsets_request_partition_desc, &row);
    row.partition_index = partition;
    topic.name = (struct wire_string){"t", 1};
    topic.partitions.items = &row;
    topic.partitions.count = 1;
    request.topics.items = &topic;
    request.topics.count = 1;
    return cluster_call(
        rig.cluster, target, frame_api(KM_LIST_OFFSETS), NULL, &request, 0, reply, &e);
}

static int64_t
offset_of(struct conn_reply *reply)
{
    const struct km_list_offsets_response *response = reply->response;
    int64_t offset = response->topics.items[0].partitions.items[0].offset;

    conn_reply_unref(reply);
    return offset;
}

static void
a_question_goes_to_whom_it_is_for(void **state)
{
    struct cluster_target leader = {CLUSTER_LEADER, "t", 5}, broker = {CLUSTER_BROKER, NULL, 1},
                          controller = {.kind = CLUSTER_CONTROLLER},
                          nobody = {CLUSTER_BROKER, NULL, 9}, unknown = {CLUSTER_LEADER, "nope", 0};
    struct conn_reply *reply;

    (void)state;
    assert_int_equal(list_offsets(&leader, 5, &reply), RC_OK);
    assert_int_equal(offset_of(reply), 3000005);
    assert_int_equal(list_offsets(&broker, 0, &reply), RC_OK);
    assert_int_equal(offset_of(reply), 1000000);
    assert_int_equal(list_offsets(&controller, 1, &reply), RC_OK);
    assert_int_equal(offset_of(reply), 2000001);
    assert_int_equal(list_offsets(&nobody, 0, &reply), RC_REMOTE);
    assert_non_null(strstr(e.text, "BROKER_NOT_AVAILABLE"));
    assert_int_equal(list_offsets(&unknown, 0, &reply), RC_REMOTE);
    assert_non_null(strstr(e.text, "UNKNOWN_TOPIC_OR_PARTITION (the broker knows no such"));
}

static int16_t order[8];
static size_t order_count;

static void
noting(void *arg, struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    assert_true(order_count < ARRAY_LEN(order));
    order[order_count++] = request->api_key;
    fake_cluster_request(arg, conn, request, body);
}

static void
what_is_asked_between_goes_behind_a_refresh(void **state)
{
    struct cluster_target broker = {CLUSTER_BROKER, NULL, 1};
    struct cluster_refreshing *refreshing;
    struct conn_reply *reply;

    (void)state;
    assert_int_equal(cluster_refresh_some(rig.cluster, NULL, 0, &e), RC_OK);
    assert_null(cluster_map_topic(cluster_view(rig.cluster), "t"));
    order_count = 0;
    rig.fake.brokers[0].handler = noting;
    refreshing = cluster_refresh_begin(rig.cluster);
    assert_int_equal(list_offsets(&broker, 0, &reply), RC_OK);
    conn_reply_unref(reply);
    assert_int_equal(cluster_refresh_end(refreshing, &e), RC_OK);
    assert_non_null(cluster_map_topic(cluster_view(rig.cluster), "t"));
    assert_int_equal(order_count, 2);
    assert_int_equal(order[0], KM_METADATA);
    assert_int_equal(order[1], KM_LIST_OFFSETS);
}

static void
groups_that_were_found_are_not_looked_for_again(void **state)
{
    static const char *const groups[] = {"a", "b"};
    struct cluster_target group = {CLUSTER_GROUP, "b", 0};
    struct km_describe_groups_request request;
    struct wire_string id = {"b", 1};
    struct conn_reply *reply;

    (void)state;
    assert_int_equal(cluster_refresh_some(rig.cluster, NULL, 0, &e), RC_OK);
    cluster_find_groups(rig.cluster, groups, 0);
    assert_int_equal(rig.fake.find_requests, 0);
    cluster_find_groups(rig.cluster, groups, 2);
    assert_int_equal(rig.fake.find_keys, 2);
    codec_init(&km_describe_groups_request_desc, &request);
    request.groups.items = &id;
    request.groups.count = 1;
    assert_int_equal(cluster_call(rig.cluster, &group, frame_api(KM_DESCRIBE_GROUPS), NULL,
                         &request, 0, &reply, &e),
        RC_OK);
    conn_reply_unref(reply);
    assert_int_equal(rig.fake.find_keys, 2);
    assert_int_equal(rig.fake.group_requests, 1);
}

static void
a_code_inside_of_an_answer_is_the_callers_to_read(void **state)
{
    struct cluster_target leader = {CLUSTER_LEADER, "t", 5};
    struct conn_reply *reply;
    const struct km_list_offsets_response *response;

    (void)state;
    rig.fake.code[5] = KE_OFFSET_NOT_AVAILABLE;
    assert_int_equal(list_offsets(&leader, 5, &reply), RC_OK);
    response = reply->response;
    assert_int_equal(
        response->topics.items[0].partitions.items[0].error_code, KE_OFFSET_NOT_AVAILABLE);
    conn_reply_unref(reply);
}

static void
the_next_server_of_the_list_is_tried(void **state)
{
    (void)state;
    cluster_rig_renew(&rig, 3);
    listener_close(rig.fake.brokers[0].listener);
    rig.fake.brokers[0].listener = NULL;
    rig.fake.brokers[1].garbage = "HTTP/1.1 200";
    rig.fake.brokers[1].garbage_size = 12;
    assert_int_equal(cluster_refresh(rig.cluster, &e), RC_OK);
    assert_int_equal(rig.fake.brokers[2].accepted, 1);
}

static void
when_nobody_answers_the_most_telling_reason_is_given(void **state)
{
    char expected[200];

    (void)state;
    cluster_rig_renew(&rig, 3);
    listener_close(rig.fake.brokers[0].listener);
    listener_close(rig.fake.brokers[2].listener);
    rig.fake.brokers[0].listener = rig.fake.brokers[2].listener = NULL;
    rig.fake.brokers[1].garbage = "HTTP/1.1 200";
    rig.fake.brokers[1].garbage_size = 12;
    assert_int_equal(cluster_refresh(rig.cluster, &e), RC_PROTOCOL);
    snprintf(expected, sizeof expected,
        "none of 3 addresses answers: 127.0.0.1:%u is a web server, no Kafka broker",
        rig.fake.brokers[1].port);
    assert_int_equal(strncmp(e.text, expected, strlen(expected)), 0);
    cluster_rig_renew(&rig, 1);
    assert_int_equal(cluster_refresh(rig.cluster, &e), RC_IO);
    snprintf(expected, sizeof expected,
        "127.0.0.1:%u: cannot connect: Connection refused; nothing listens there: is the broker "
        "up, and the port right?",
        rig.fake.brokers[0].port);
    assert_string_equal(e.text, expected);
}

static void
servers_of_different_clusters_are_not_mixed_up(void **state)
{
    (void)state;
    assert_int_equal(cluster_refresh(rig.cluster, &e), RC_OK);
    rig.fake.cluster_id = "other";
    assert_int_equal(cluster_refresh(rig.cluster, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "the servers belong to different clusters: fake, and other"));
}

static void
a_configured_server_that_is_a_broker_is_connected_once(void **state)
{
    struct cluster_target leader = {CLUSTER_LEADER, "t", 0};
    struct conn_reply *reply;
    struct conn_stats stats;

    (void)state;
    assert_int_equal(cluster_refresh(rig.cluster, &e), RC_OK);
    assert_int_equal(list_offsets(&leader, 0, &reply), RC_OK);
    conn_reply_unref(reply);
    assert_int_equal(rig.fake.brokers[0].accepted, 1);
    cluster_stats(rig.cluster, &stats);
    assert_int_equal(stats.connections, 1);
    assert_int_equal(stats.requests, 3); /* ApiVersions, Metadata, ListOffsets */
    assert_true(stats.bytes_in > 500 && stats.bytes_out > 50);
}

static void
a_question_survives_a_broker_that_restarts(void **state)
{
    struct cluster_target leader = {CLUSTER_LEADER, "t", 1};
    struct conn_reply *reply;

    (void)state;
    assert_int_equal(list_offsets(&leader, 1, &reply), RC_OK);
    conn_reply_unref(reply);
    fake_drop_all(&rig.fake.brokers[1]);
    assert_int_equal(list_offsets(&leader, 1, &reply), RC_OK);
    assert_int_equal(offset_of(reply), 2000001);
}

static void
silence_ends_after_the_time_given(void **state)
{
    struct cluster_target leader = {CLUSTER_LEADER, "t", 1};
    struct conn_reply *reply;
    struct km_list_offsets_request request;

    (void)state;
    assert_int_equal(list_offsets(&leader, 1, &reply), RC_OK);
    conn_reply_unref(reply);
    rig.fake.brokers[1].silent = true;
    codec_init(&km_list_offsets_request_desc, &request);
    assert_int_equal(cluster_call(rig.cluster, &leader, frame_api(KM_LIST_OFFSETS), NULL, &request,
                         40, &reply, &e),
        RC_TIMEOUT);
    assert_non_null(strstr(e.text, "no answer to list_offsets within"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_asked_before_it_is_needed),
        TEST(a_refresh_fills_the_view),
        TEST(a_question_goes_to_whom_it_is_for),
        TEST(what_is_asked_between_goes_behind_a_refresh),
        TEST(groups_that_were_found_are_not_looked_for_again),
        TEST(a_code_inside_of_an_answer_is_the_callers_to_read),
        TEST(the_next_server_of_the_list_is_tried),
        TEST(when_nobody_answers_the_most_telling_reason_is_given),
        TEST(servers_of_different_clusters_are_not_mixed_up),
        TEST(a_configured_server_that_is_a_broker_is_connected_once),
        TEST(a_question_survives_a_broker_that_restarts),
        TEST(silence_ends_after_the_time_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
