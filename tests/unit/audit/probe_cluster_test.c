/* Which subscriptions to clients' metrics scripted brokers tell of, in each version, and what is
 * left open where they do not. */
#include "tests/unit/unit.h"

#include "audit/probe.h"
#include "tests/unit/lib/kafka/cluster_rig.h"

#define CLIENT_METRICS 16
#define TOPIC 2
#define RESOURCES_MAX 4

static struct cluster_rig rig;
static struct audit_inventory inventory;
static struct probe probe;

static int8_t types[RESOURCES_MAX]; /* of what the brokers list */
static int32_t count;
static int16_t code;
static int asked;
static int16_t asked_version;

static void
resources_answer(struct fake_conn *conn, const struct frame_request *request,
    const struct km_list_config_resources_request *in)
{
    struct km_list_config_resources_response_config_resource rows[RESOURCES_MAX];
    struct km_list_config_resources_response response;

    asked++;
    asked_version = request->api_version;
    if (request->api_version > 0) {
        assert_int_equal(in->resource_types.count, 1);
        assert_int_equal(in->resource_types.items[0], CLIENT_METRICS);
    }
    codec_init(&km_list_config_resources_response_desc, &response);
    response.error_code = code;
    for (int32_t i = 0; i < count; i++) {
        codec_init(&km_list_config_resources_response_config_resource_desc, &rows[i]);
        rows[i].resource_name = codec_string("fleet");
        if (request->api_version > 0)
            rows[i].resource_type = types[i];
    }
    response.config_resources.items = rows;
    response.config_resources.count = count;
    fake_reply(conn, request, &response);
}

/* Whatever else is asked is answered with nothing. */
static void
answer(void *arg, struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    void *nothing;

    if (request->api_key == KM_LIST_CONFIG_RESOURCES) {
        resources_answer(conn, request, body);
    } else if (request->api_key == KM_METADATA) {
        fake_cluster_request(arg, conn, request, body);
    } else {
        nothing = arena_alloc(&conn->broker->arena, request->api->response->body->size);
        codec_init(request->api->response->body, nothing);
        fake_reply(conn, request, nothing);
    }
}

static int
start(void **state)
{
    (void)state;
    memset(types, CLIENT_METRICS, sizeof types);
    count = 2;
    code = KE_NONE;
    asked = 0;
    if (cluster_rig_start(&rig, 1) != 0)
        return -1;
    for (int i = 0; i < FAKE_BROKERS; i++)
        rig.fake.brokers[i].handler = answer;
    inventory_init(&inventory);
    probe = (struct probe){&inventory, rig.cluster};
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
subscriptions(void)
{
    assert_int_equal(probe_begin(&probe, NULL), RC_OK);
    probe_cluster_end(probe_cluster_begin(&probe));
    return inventory.cluster.metrics_subscriptions;
}

static const char *
why(void)
{
    return inventory.gaps[AUDIT_METRICS_SUBSCRIPTIONS].why;
}

static void
subscriptions_are_counted(void **state)
{
    (void)state;
    assert_int_equal(subscriptions(), 2);
    assert_null(why());
    assert_int_equal(asked, 1);
    assert_int_equal(asked_version, 1);
    assert_true(inventory.asked_ms[AUDIT_METRICS_SUBSCRIPTIONS] > 0);
}

static void
resources_of_other_types_are_not(void **state)
{
    (void)state;
    types[0] = TOPIC;
    types[1] = -1;
    count = 3;
    assert_int_equal(subscriptions(), 1);
}

static void
there_may_be_none(void **state)
{
    (void)state;
    count = 0;
    assert_int_equal(subscriptions(), 0);
    assert_null(why());
}

static void
version_0_asks_and_tells_no_types(void **state)
{
    (void)state;
    for (int i = 0; i < FAKE_BROKERS; i++) {
        rig.fake.brokers[i].capped_api = KM_LIST_CONFIG_RESOURCES;
        rig.fake.brokers[i].capped_max = 0;
    }
    assert_int_equal(subscriptions(), 2);
    assert_int_equal(asked_version, 0);
    assert_null(why());
}

static void
brokers_without_the_api_have_none(void **state)
{
    (void)state;
    for (int i = 0; i < FAKE_BROKERS; i++)
        rig.fake.brokers[i].hidden_api = KM_LIST_CONFIG_RESOURCES;
    assert_int_equal(subscriptions(), 0);
    assert_int_equal(asked, 0);
    assert_null(why());
}

/* Kafka 3.7 with ZooKeeper lists the API, and refuses it so. */
static void
nor_have_those_that_do_not_support_it(void **state)
{
    (void)state;
    count = 0;
    code = KE_UNSUPPORTED_VERSION;
    assert_int_equal(subscriptions(), 0);
    assert_null(why());
}

static void
a_refusal_is_a_gap(void **state)
{
    (void)state;
    count = 0;
    code = KE_CLUSTER_AUTHORIZATION_FAILED;
    assert_int_equal(subscriptions(), 0);
    assert_string_equal(why(), "31 CLUSTER_AUTHORIZATION_FAILED");
    assert_false(inventory.gaps[AUDIT_METRICS_SUBSCRIPTIONS].unsupported);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(subscriptions_are_counted),
        TEST(resources_of_other_types_are_not),
        TEST(there_may_be_none),
        TEST(version_0_asks_and_tells_no_types),
        TEST(brokers_without_the_api_have_none),
        TEST(nor_have_those_that_do_not_support_it),
        TEST(a_refusal_is_a_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
