/* Addresses in and out, and connections that are shared, inherited and opened again. */
#include "tests/unit/unit.h"

#include "lib/kafka/cluster_nodes.h"
#include "tests/unit/lib/kafka/fake_broker.h"

static struct loop *loop;
static struct fake_broker broker;
static struct conf_text_server servers[2];
static struct conf_client conf;
static struct cluster_nodes nodes;
static struct conn *got;
static struct err got_err;
static int calls;

static int
start(void **state)
{
    static char host[] = "127.0.0.1", other[] = "127.0.0.2";

    (void)state;
    got = NULL;
    calls = 0;
    if (loop_new(&loop, NULL) != RC_OK)
        return -1;
    fake_start(&broker, loop);
    servers[0] = (struct conf_text_server){host, broker.port};
    servers[1] = (struct conf_text_server){other, 1};
    conf = (struct conf_client){.names = &conf_names_usual,
        .servers = servers,
        .server_count = 2,
        .client_id = "test",
        .connect_timeout_ms = 5000,
        .request_timeout_ms = 5000,
        .response_bytes_max = 1 << 20};
    return cluster_nodes_init(&nodes, loop, &conf, NULL) == RC_OK ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    cluster_nodes_fini(&nodes);
    fake_stop(&broker);
    loop_free(loop);
    blob_trim();
    return 0;
}

static void
on_conn(void *arg, struct conn *conn, const struct err *e)
{
    (void)arg;
    calls++;
    got = conn;
    got_err = *e;
}

#define WAIT(cond)                                                                                 \
    for (int64_t until_us = loop_now_us(loop) + 10000000; !(cond);) {                              \
        assert_true(loop_now_us(loop) < until_us);                                                 \
        loop_step(loop, 1000000);                                                                  \
    }

static void
all_who_wait_share_one_connection(void **state)
{
    struct cluster_wait waits[3] = {{.node = NULL}};
    struct cluster_node *node = cluster_nodes_get(&nodes, -2);

    (void)state;
    for (int i = 0; i < 3; i++)
        cluster_node_open(node, &waits[i], on_conn, NULL);
    cluster_wait_cancel(&waits[1]);
    assert_int_equal(calls, 0);
    WAIT(calls == 2);
    assert_ptr_equal(got, cluster_node_conn(node));
    assert_int_equal(broker.accepted, 1);
    /* It ends, and the next one who needs it opens another. */
    fake_drop_all(&broker);
    WAIT(cluster_node_conn(node) == NULL);
    cluster_node_open(node, &waits[0], on_conn, NULL);
    WAIT(calls == 3);
    assert_int_equal(broker.accepted, 2);
}

static void
a_connection_that_fails_tells_all_who_wait(void **state)
{
    struct cluster_wait waits[2] = {{.node = NULL}};

    (void)state;
    for (int i = 0; i < 2; i++)
        cluster_node_open(cluster_nodes_get(&nodes, -3), &waits[i], on_conn, NULL);
    WAIT(calls == 2);
    assert_null(got);
    assert_int_equal(got_err.code, RC_IO);
    assert_non_null(strstr(got_err.text, "127.0.0.2:1: cannot connect"));
}

static void
a_broker_inherits_the_connection_of_its_server(void **state)
{
    struct cluster_wait wait = {.node = NULL};
    struct conn *conn;

    (void)state;
    cluster_node_open(cluster_nodes_get(&nodes, -2), &wait, on_conn, NULL);
    WAIT(calls == 1);
    conn = got;
    assert_int_equal(cluster_nodes_add(&nodes, 7, "127.0.0.1", broker.port, NULL), RC_OK);
    assert_ptr_equal(cluster_node_conn(cluster_nodes_get(&nodes, 7)), conn);
    assert_null(cluster_node_conn(cluster_nodes_get(&nodes, -2)));
    fake_drop_all(&broker);
    WAIT(cluster_node_conn(cluster_nodes_get(&nodes, 7)) == NULL);
}

static void
a_second_connection_is_another_and_moves_along(void **state)
{
    struct cluster_wait waits[2] = {{.node = NULL}};
    struct cluster_node *node, *second;
    struct conn_stats stats;

    (void)state;
    assert_int_equal(cluster_nodes_add(&nodes, 7, "127.0.0.1", broker.port, NULL), RC_OK);
    node = cluster_nodes_get(&nodes, 7);
    second = cluster_node_second(node);
    assert_ptr_equal(cluster_node_second(node), second);
    assert_ptr_equal(cluster_nodes_get(&nodes, 7), node);
    assert_int_equal(cluster_nodes_count(&nodes), 3);
    cluster_node_open(node, &waits[0], on_conn, NULL);
    cluster_node_open(second, &waits[1], on_conn, NULL);
    WAIT(calls == 2);
    assert_int_equal(broker.accepted, 2);
    assert_ptr_not_equal(cluster_node_conn(second), cluster_node_conn(node));
    cluster_nodes_stats(&nodes, &stats);
    assert_int_equal(stats.connections, 2);
    assert_int_equal(cluster_nodes_add(&nodes, 7, "127.0.0.2", 5, NULL), RC_OK);
    assert_string_equal(second->host, "127.0.0.2");
    assert_int_equal(second->port, 5);
}

static void
candidates_come_in_the_order_of_their_worth(void **state)
{
    struct cluster_node *out[8];
    struct cluster_wait wait = {.node = NULL};

    (void)state;
    assert_int_equal(cluster_nodes_add(&nodes, 1, "127.0.0.3", 1, NULL), RC_OK);
    assert_int_equal(cluster_nodes_add(&nodes, 2, "127.0.0.1", broker.port, NULL), RC_OK);
    cluster_node_open(cluster_nodes_get(&nodes, 2), &wait, on_conn, NULL);
    WAIT(calls == 1);
    assert_int_equal(cluster_nodes_count(&nodes), 4);
    assert_int_equal(cluster_nodes_candidates(&nodes, out), 4);
    assert_int_equal(out[0]->id, 2);
    assert_int_equal(out[1]->id, 1);
    assert_int_equal(out[2]->id, -2);
    assert_int_equal(out[3]->id, -3);
}

static void
brokers_that_are_not_named_any_more_are_left_out(void **state)
{
    struct km_metadata_response_broker row = {
        .node_id = 2, .host = {"h", 1}, .port = 5, .rack = {NULL, -1}};
    struct km_metadata_response response = {
        .brokers = {&row, 1}, .cluster_id = {"c", 1}, .topics = {NULL, 0}};
    struct cluster_node *out[8];
    struct cluster_map map;

    (void)state;
    assert_null(cluster_nodes_any(&nodes));
    assert_int_equal(cluster_nodes_add(&nodes, 1, "a", 1, NULL), RC_OK);
    assert_int_equal(cluster_nodes_any(&nodes)->id, 1);
    cluster_map_init(&map);
    assert_int_equal(cluster_map_load(&map, &response, true, NULL), RC_OK);
    assert_int_equal(cluster_nodes_update(&nodes, &map, NULL), RC_OK);
    assert_int_equal(cluster_nodes_any(&nodes)->id, 2);
    assert_int_equal(cluster_nodes_candidates(&nodes, out), 3);
    /* Back, at another address. */
    assert_int_equal(cluster_nodes_add(&nodes, 1, "b", 2, NULL), RC_OK);
    assert_string_equal(cluster_nodes_get(&nodes, 1)->host, "b");
    assert_int_equal(cluster_nodes_candidates(&nodes, out), 4);
    assert_int_equal(cluster_nodes_add(&nodes, -5, "b", 2, NULL), RC_PROTOCOL);
    cluster_map_fini(&map);
}

static void
there_is_a_limit_for_brokers(void **state)
{
    int32_t id = 0;

    (void)state;
    while (cluster_nodes_add(&nodes, id, "a", 1, NULL) == RC_OK)
        id++;
    assert_int_equal(id, CLUSTER_NODES_MAX - 2);
    assert_int_equal(cluster_nodes_add(&nodes, id, "a", 1, NULL), RC_LIMIT);
    assert_int_equal(cluster_nodes_add(&nodes, 0, "b", 1, NULL), RC_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_who_wait_share_one_connection),
        TEST(a_connection_that_fails_tells_all_who_wait),
        TEST(a_broker_inherits_the_connection_of_its_server),
        TEST(a_second_connection_is_another_and_moves_along),
        TEST(candidates_come_in_the_order_of_their_worth),
        TEST(brokers_that_are_not_named_any_more_are_left_out),
        TEST(there_is_a_limit_for_brokers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
