/* Lines of a kafka-request.log: what they tell of clients and transactions, and lines that tell
 * nothing. */
#include "audit/request_log.h"

#include <unistd.h>

#include "audit/audit_report.h"
#include "tests/unit/audit/file_rig.h"

#define ID_OF_ORDERS "AQAAAAAAAAAAAAAAAAAAAA" /* 01 00 .. 00 */
#define ID_OF_NOTHING "AgAAAAAAAAAAAAAAAAAAAA"

static FILE *file;
static struct err e;

static int
setup(void **state)
{
    (void)state;
    begin_file();
    plain_topic("orders", 2)->id.bytes[0] = 1;
    plain_topic("payments", 2);
    file = fopen(path, "w");
    return file == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
    (void)state;
    end_file();
    return 0;
}

/* A line as Kafka writes it. */
static void
line(const char *api, const char *client, const char *software, const char *request,
    const char *response)
{
    fprintf(file,
        "[2026-11-29 11:09:59,280] DEBUG Completed request:{\"isForwarded\":false,"
        "\"requestHeader\":{\"requestApiKey\":0,\"requestApiVersion\":13,\"correlationId\":9,"
        "\"clientId\":\"%s\",\"requestApiKeyName\":\"%s\"},\"request\":%s,\"response\":%s,"
        "\"connection\":\"127.0.0.1:9092-127.0.0.1:50820-2-33\",\"totalTimeMs\":4.102,"
        "\"securityProtocol\":\"PLAINTEXT\",\"principal\":\"User:ANONYMOUS\",\"listener\":"
        "\"PLAINTEXT\",\"clientInformation\":{\"softwareName\":\"%s\",\"softwareVersion\":"
        "\"4.3.1\"}} (kafka.request.logger)\n",
        client, api, request, response, software);
}

static void
java(const char *api, const char *client, const char *request)
{
    line(api, client, "apache-kafka-java", request, "{}");
}

static enum rc
read_all(void)
{
    assert_int_equal(fclose(file), 0);
    return request_log_read(&inventory, path, &e);
}

static void
clients_are_known_by_what_they_ask(void **state)
{
    (void)state;
    java("PRODUCE", "shop",
        "{\"transactionalId\":null,\"acks\":-1,\"topicData\":[{\"topicId\":\"" ID_OF_ORDERS
        "\",\"partitionData\":[{\"index\":0,\"recordsSizeInBytes\":15723}]}]}");
    java("PRODUCE", "shop",
        "{\"transactionalId\":null,\"acks\":1,\"topicData\":[{\"name\":\"orders\"},"
        "{\"name\":\"payments\"}]}");
    java("FETCH", "bank",
        "{\"isolationLevel\":1,\"sessionEpoch\":0,\"topics\":[{\"topic\":\"payments\"}]}");
    java("FETCH", "bank",
        "{\"isolationLevel\":0,\"sessionEpoch\":0,\"topics\":[{\"topic\":\"payments\"}]}");
    java("SHARE_FETCH", "worker", "{\"topics\":[{\"topicId\":\"" ID_OF_ORDERS "\"}]}");
    java("OFFSET_COMMIT", "bank", "{\"groupId\":\"b\",\"topics\":[{\"name\":\"payments\"}]}");
    java("METADATA", "nosy", "{\"topics\":[{\"name\":\"payments\"}]}");
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(inventory.client_count, 3);
    assert_int_equal(inventory.topics[0].contact_count, 2);
    assert_int_equal(contact(0, "shop")->produces, 2);
    assert_int_equal(contact(0, "shop")->transactional, 0);
    assert_int_equal(contact(1, "shop")->produces, 1);
    assert_int_equal(contact(1, "bank")->fetches, 2);
    assert_int_equal(contact(1, "bank")->committed_fetches, 1);
    assert_int_equal(contact(1, "bank")->commits, 1);
    assert_int_equal(contact(0, "worker")->share_fetches, 1);
    assert_string_equal(inventory.clients[0].software, "apache-kafka-java");
    assert_string_equal(inventory.clients[0].version, "4.3.1");
    assert_string_equal(inventory.clients[0].principal, "User:ANONYMOUS");
    assert_null(inventory.gaps[AUDIT_REQUESTS].why);
}

/* It asks which partitions there are; whoever else does so is not kept. */
static void
the_admin_client_of_a_flink_source_is_known(void **state)
{
    (void)state;
    line("API_VERSIONS", "etl-enumerator-admin-client", "unknown", "{}", "{}");
    java("METADATA", "etl-enumerator-admin-client", "{\"topics\":[{\"name\":\"orders\"}]}");
    java("DESCRIBE_TOPIC_PARTITIONS", "etl-enumerator-admin-client", "{\"topics\":[]}");
    java("METADATA", "etl-enumerator-admin-client-2", "{\"topics\":[]}");
    java("METADATA", "etl", "{\"topics\":[{\"name\":\"-enumerator-admin-client\"}]}");
    line("METADATA", "own-enumerator-admin-client", "kdl", "{\"topics\":[]}", "{}");
    java("FETCH", "etl-0", "{\"isolationLevel\":0,\"topics\":[{\"topic\":\"payments\"}]}");
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(inventory.client_count, 2);
    assert_string_equal(inventory.clients[0].id, "etl-enumerator-admin-client");
    assert_string_equal(inventory.clients[0].software, "apache-kafka-java");
    assert_null(inventory.topics[0].contacts);
    derive();
    assert_false(holds(inventory.topics[0].hits, "PRG-014"));
    assert_true(holds(inventory.topics[1].hits, "PRG-014"));
}

/* A topic of the same name that was there before has another id. */
static void
an_id_counts_for_more_than_a_name(void **state)
{
    (void)state;
    java("PRODUCE", "shop", "{\"topicData\":[{\"topicId\":\"" ID_OF_NOTHING "\"}]}");
    java("PRODUCE", "shop", "{\"topicData\":[{\"name\":\"deleted\"}]}");
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(inventory.client_count, 0);
}

/* A session's later fetches name what changes; what it reads shows in answers. */
static void
a_session_is_known_by_its_answers(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        line("FETCH", "bank", "librdkafka",
            "{\"isolationLevel\":1,\"sessionEpoch\":7,\"topics\":[]}",
            "{\"responses\":[{\"topicId\":\"" ID_OF_ORDERS "\",\"partitions\":[]}]}");
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(contact(0, "bank")->fetches, 1);
    assert_int_equal(contact(0, "bank")->committed_fetches, 1);
}

static void
brokers_and_audits_are_no_clients(void **state)
{
    (void)state;
    java("FETCH", "broker-1", "{\"replicaId\":1,\"topics\":[{\"topic\":\"payments\"}]}");
    java("FETCH", "broker-1",
        "{\"replicaState\":{\"replicaId\":0,\"replicaEpoch\":4},\"topics\":[{\"topicId\":"
        "\"" ID_OF_ORDERS "\"}]}");
    line("FETCH", "kdl", "kdl", "{\"topics\":[{\"topic\":\"payments\"}]}", "{}");
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(inventory.client_count, 0);
}

static void
transactions_and_what_they_read_are_known(void **state)
{
    const struct audit_topic *orders, *payments;

    (void)state;
    java("PRODUCE", "till",
        "{\"transactionalId\":\"till-7\",\"topicData\":[{\"topicId\":\"" ID_OF_ORDERS "\"}]}");
    java("ADD_PARTITIONS_TO_TXN", "old",
        "{\"v3AndBelowTransactionalId\":\"old-1\",\"v3AndBelowTopics\":[{\"name\":\"orders\"}]}");
    /* As a broker asks for a client: no contact of its. */
    java("ADD_PARTITIONS_TO_TXN", "AddPartitionsManager-client-1",
        "{\"transactions\":[{\"transactionalId\":\"till-7\",\"topics\":[{\"name\":\"orders\"},"
        "{\"name\":\"payments\"}]},{\"topics\":[{\"name\":\"payments\"}]}]}");
    java("TXN_OFFSET_COMMIT", "till",
        "{\"transactionalId\":\"till-7\",\"groupId\":\"g\",\"topics\":[{\"name\":\"payments\"}]}");
    assert_int_equal(read_all(), RC_OK);
    orders = &inventory.topics[0];
    payments = &inventory.topics[1];
    assert_int_equal(orders->traces[AUDIT_TRACE_REQUESTED].ids, 2);
    assert_string_equal(orders->traces[AUDIT_TRACE_REQUESTED].first, "till-7");
    assert_int_equal(orders->traces[AUDIT_TRACE_REQUESTED_READ].ids, 0);
    assert_int_equal(payments->traces[AUDIT_TRACE_REQUESTED].ids, 1);
    assert_int_equal(payments->traces[AUDIT_TRACE_REQUESTED_READ].ids, 1);
    assert_int_equal(inventory.client_count, 1);
    assert_int_equal(contact(0, "till")->transactional, 1);
    assert_int_equal(contact(1, "till")->commits, 1);
    facts_derive(&inventory);
    assert_int_equal(orders->facts[AUDIT_FACT_TRANSACTIONS].value, AUDIT_YES);
    assert_int_equal(orders->facts[AUDIT_FACT_TRANSACTIONS].confidence, AUDIT_LIKELY);
    assert_string_equal(orders->facts[AUDIT_FACT_TRANSACTIONS].first->text,
        "requests to write it named transactions of till-7 and of others");
    assert_string_equal(payments->facts[AUDIT_FACT_GROUPS].last->text,
        "requests committed offsets of it in transactions of till-7");
}

static void
lines_that_cannot_be_read_are_named(void **state)
{
    static const char *const shapes[] = {"null", "7", "\"PRODUCE\"", "[]", "{\"topicData\":7}",
        "{\"topicData\":[7,null,[],{}]}", "{\"topicData\":[{\"topicId\":7,\"name\":[]}]}",
        "{\"topicData\":{\"name\":\"orders\"}}"};

    (void)state;
    fputs("[2026-11-29 11:09:59,279] INFO something else (kafka.other)\n", file);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        java("PRODUCE", "shop", shapes[i]);
    fputs(
        "DEBUG Completed request:{\"requestHeader\":{\"requestApiKeyName\":\"PRODUCE\"},\n", file);
    fputs("DEBUG Completed request:{\"requestHeader\":{\"requestApiKeyName\":\"FETCH\"", file);
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(inventory.client_count, 0);
    assert_int_equal(inventory.gaps[AUDIT_REQUESTS].failures, 2);
    assert_non_null(
        strstr(inventory.gaps[AUDIT_REQUESTS].why, "given, line 10: it is no whole request"));
}

static void
a_line_without_end_costs_no_memory(void **state)
{
    (void)state;
    fputs("Completed request:{\"requestHeader\":{\"requestApiKeyName\":\"FETCH\",\"x\":\"", file);
    for (size_t i = 0; i < 3 * REQUEST_LOG_LINE_MAX / 64; i++)
        fputs("................................................................", file);
    fputs("\"}}\n", file);
    java("FETCH", "bank", "{\"topics\":[{\"topic\":\"payments\"}]}");
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(contact(1, "bank")->fetches, 1);
    assert_int_equal(inventory.gaps[AUDIT_REQUESTS].failures, 1);
    assert_non_null(strstr(inventory.gaps[AUDIT_REQUESTS].why, "line 1: it is too long"));
}

/* A log that was cut while the broker wrote it begins so. */
static void
zero_bytes_hide_no_line(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        fputc('\0', file);
    java("FETCH", "bank", "{\"topics\":[{\"topic\":\"payments\"}]}");
    fputc('\0', file);
    fputc('\n', file);
    java("FETCH", "till", "{\"topics\":[{\"topic\":\"payments\"}]}");
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(contact(1, "bank")->fetches, 1);
    assert_int_equal(contact(1, "till")->fetches, 1);
    assert_null(inventory.gaps[AUDIT_REQUESTS].why);
}

static void
a_log_of_another_cluster_leaves_a_gap(void **state)
{
    (void)state;
    java("FETCH", "bank", "{\"topics\":[{\"topic\":\"elsewhere\"}]}");
    java("PRODUCE", "shop", "{\"topicData\":[{\"topicId\":\"" ID_OF_NOTHING "\"}]}");
    assert_int_equal(read_all(), RC_OK);
    assert_non_null(strstr(inventory.gaps[AUDIT_REQUESTS].why, "is it of another cluster?"));
}

static void
more_clients_than_there_is_room_for_are_said(void **state)
{
    (void)state;
    for (int i = 0; i < INVENTORY_CLIENTS_MAX + 2; i++) {
        char name[32];

        snprintf(name, sizeof name, "client-%d", i);
        java("PRODUCE", name,
            "{\"transactionalId\":\"t\",\"topicData\":[{\"name\":\"orders\"},{\"name\":"
            "\"payments\"}]}");
    }
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(inventory.client_count, INVENTORY_CLIENTS_MAX);
    assert_int_equal(inventory.gaps[AUDIT_REQUESTS].failures, 2);
    assert_non_null(strstr(inventory.gaps[AUDIT_REQUESTS].why, "more clients than an audit keeps"));
}

static void
what_is_no_request_log_is_refused(void **state)
{
    (void)state;
    fputs("[2026-11-29 11:09:59,279] INFO Kafka Server started (kafka.server)\n", file);
    assert_int_equal(read_all(), RC_CONFIG);
    assert_non_null(strstr(e.text, "set kafka.request.logger to DEBUG on the brokers"));
    assert_int_equal(request_log_read(&inventory, "/nowhere", &e), RC_CONFIG);
    assert_int_equal(request_log_read(&inventory, folder, &e), RC_CONFIG);
}

static void
reports_count_them_by_software(void **state)
{
    struct buf text;

    (void)state;
    for (int i = 0; i < 3; i++) {
        char name[32];

        snprintf(name, sizeof name, "client-%d", i);
        java("FETCH", name, "{\"isolationLevel\":1,\"topics\":[{\"topic\":\"payments\"}]}");
    }
    line("FETCH", "c", "librdkafka", "{\"topics\":[{\"topic\":\"payments\"}]}", "{}");
    line("FETCH", "d", "", "{\"topics\":[{\"topic\":\"payments\"}]}", "{}");
    assert_int_equal(read_all(), RC_OK);
    buf_init(&text, 4096);
    audit_report_clients_line(&inventory, &text);
    assert_string_equal(buf_text(&text),
        "5 in the brokers' logs: apache-kafka-java 4.3.1 (3), software that does not tell its name "
        "4.3.1 (1), librdkafka 4.3.1 (1); 3 read committed records only");
    buf_fini(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(clients_are_known_by_what_they_ask, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_admin_client_of_a_flink_source_is_known, setup, teardown),
        cmocka_unit_test_setup_teardown(an_id_counts_for_more_than_a_name, setup, teardown),
        cmocka_unit_test_setup_teardown(a_session_is_known_by_its_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(brokers_and_audits_are_no_clients, setup, teardown),
        cmocka_unit_test_setup_teardown(transactions_and_what_they_read_are_known, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_that_cannot_be_read_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_without_end_costs_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(zero_bytes_hide_no_line, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_of_another_cluster_leaves_a_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(
            more_clients_than_there_is_room_for_are_said, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_request_log_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(reports_count_them_by_software, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
