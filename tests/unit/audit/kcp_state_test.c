/* States of Confluent's kcp: the clients that they know of, in all shapes that were published. */
#include "audit/kcp_state.h"

#include "tests/unit/audit/file_rig.h"

static struct err e;

static int
setup(void **state)
{
    (void)state;
    begin_file();
    inventory.cluster_id = "this-one";
    plain_topic("orders", 2);
    plain_topic("payments", 2);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    end_file();
    return 0;
}

/* One cluster of a state, with three clients. */
#define CLUSTER(id, topic)                                                                         \
    "{\"name\":\"c\",\"kafka_admin_client_information\":{\"cluster_id\":\"" id "\",\"topics\":"    \
    "null,\"acls\":[]},\"discovered_clients\":[{\"composite_key\":\"x\",\"client_id\":\"shop\","   \
    "\"role\":\"Producer\",\"topic\":\"" topic "\",\"auth\":\"SASL_SCRAM\",\"principal\":"         \
    "\"User:shop\",\"timestamp\":\"2026-01-15T12:00:00Z\"},{\"client_id\":\"bank\",\"role\":"      \
    "\"consumer\",\"topic\":\"" topic "\",\"principal\":\"User:bank\"},{\"client_id\":\"bank\","   \
    "\"role\":\"Producer\",\"topic\":\"gone\",\"principal\":\"User:bank\"}]}"

static enum rc
reads(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    return kcp_state_read(&inventory, path, &e);
}

static void
accepted(const char *text)
{
    if (reads(text) != RC_OK)
        fail_msg("%s", e.text);
}

static void
refused(const char *text, const char *why)
{
    assert_int_equal(reads(text), RC_CONFIG);
    assert_non_null(strstr(e.text, path));
    if (strstr(e.text, why) == NULL)
        fail_msg("%s", e.text);
}

static void
clients_are_known_in_every_shape(void **state)
{
    static const char *const shapes[] = {
        "{\"regions\":[{\"name\":\"r\",\"clusters\":[" CLUSTER("this-one", "orders") "]}]}",
        "{\"schema_version\":2,\"msk_sources\":{\"regions\":[{\"clusters\":[" CLUSTER(
            "another", "payments") "," CLUSTER("this-one", "orders") "]}]},\"osk_sources\":null}",
        "{\"msk_sources\":{\"regions\":[]},\"osk_sources\":{\"clusters\":[" CLUSTER(
            "this-one", "orders") "]}}",
    };

    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        accepted(shapes[i]);
        assert_int_equal(inventory.client_count, 2);
        assert_int_equal(contact(0, "shop")->produces, 1);
        assert_int_equal(contact(0, "shop")->fetches, 0);
        assert_int_equal(contact(0, "bank")->fetches, 1);
        assert_int_equal(inventory.topics[1].contact_count, 0);
        assert_string_equal(inventory.clients[0].principal, "User:shop");
        assert_string_equal(inventory.clients[0].software, "");
        assert_null(inventory.gaps[AUDIT_KCP].why);
        teardown(state);
        setup(state);
    }
}

/* A request log knows the software, and how often. */
static void
what_a_request_log_told_is_kept(void **state)
{
    const struct audit_client known = {"shop", "User:shop", "librdkafka", "2.16.0"};
    uint32_t client = inventory_add_client(&inventory, &known);
    struct audit_contact *before = inventory_contact(&inventory, 0, client);

    (void)state;
    before->produces = 7;
    accepted("{\"regions\":[{\"clusters\":[" CLUSTER("this-one", "orders") "]}]}");
    assert_int_equal(inventory.client_count, 2);
    assert_int_equal(inventory.topics[0].contact_count, 2);
    assert_int_equal(before->produces, 7);
}

static void
what_is_no_state_of_this_cluster_is_refused(void **state)
{
    (void)state;
    refused("", "JSON");
    refused("{\"regions\":", "JSON");
    refused("[]", "is it a kcp-state.json?");
    refused("{\"regions\":[{\"clusters\":[]}]}", "is it a kcp-state.json?");
    refused("{\"regions\":[{\"clusters\":[" CLUSTER("another", "orders") "," CLUSTER(
                "", "orders") "]}]}",
        "has not this cluster (this-one) in it, but another, one that was not scanned: let kcp");
    assert_int_equal(inventory.client_count, 0);
    assert_int_equal(kcp_state_read(&inventory, "/nowhere", &e), RC_CONFIG);
    assert_int_equal(kcp_state_read(&inventory, folder, &e), RC_CONFIG);
}

static void
strange_shapes_tell_nothing(void **state)
{
    static const char *const clients[] = {"null", "7", "{}", "[null,7,[],\"x\",{}]",
        "[{\"topic\":7}]", "[{\"topic\":\"orders\",\"role\":7,\"client_id\":[]}]"};
    char text[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        snprintf(text, sizeof text,
            "{\"a\":[{\"kafka_admin_client_information\":{\"cluster_id\":\"this-one\"},"
            "\"discovered_clients\":%s}]}",
            clients[i]);
        accepted(text);
    }
    assert_int_equal(inventory.topics[0].contact_count, 1);
    assert_int_equal(contact(0, "")->produces, 0);
}

/* Nobody's lists of clusters stand so deep. */
static void
depth_costs_nothing(void **state)
{
    char text[2 * 1000 + 1];

    (void)state;
    memset(text, '[', 1000);
    memset(text + 1000, ']', 1000);
    text[2000] = '\0';
    refused(text, "is it a kcp-state.json?");
}

static void
topics_of_another_cluster_leave_a_gap(void **state)
{
    (void)state;
    accepted("{\"regions\":[{\"clusters\":[" CLUSTER("this-one", "elsewhere") "]}]}");
    assert_non_null(strstr(inventory.gaps[AUDIT_KCP].why, "is it of another cluster?"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(clients_are_known_in_every_shape, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_request_log_told_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_no_state_of_this_cluster_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(strange_shapes_tell_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(depth_costs_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(topics_of_another_cluster_leave_a_gap, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
