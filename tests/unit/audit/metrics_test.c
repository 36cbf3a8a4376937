/* Scrapes of brokers: whichever rule named the counters, one scrape or two, several brokers; and
 * text that is none. */
#include "audit/metrics.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/audit/file_rig.h"

#define FILES 4
#define STARTED 1764000000
#define DAY 86400

static char paths[FILES][TEMP_FOLDER_BYTES_MAX + 16];
static const char *given[FILES];
static size_t count;
static struct err e;

static int
setup(void **state)
{
    (void)state;
    begin_file();
    plain_topic("orders", 2);
    plain_topic("payments.eu", 2);
    count = 0;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    end_file();
    return 0;
}

/* A scrape, so long after STARTED. */
static void
scrape_at(int64_t after_s, long after_ns, const char *text)
{
    const struct timespec times[2] = {{0, UTIME_OMIT}, {STARTED + after_s, after_ns}};
    FILE *file;

    snprintf(paths[count], sizeof paths[count], "%s/%zu", folder, count);
    file = fopen(paths[count], "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(utimensat(AT_FDCWD, paths[count], times, 0), 0);
    given[count] = paths[count];
    count++;
}

static void
scrape(int64_t after_s, const char *text)
{
    scrape_at(after_s, 0, text);
}

static void
read_all(void)
{
    if (metrics_read(&inventory, given, count, &e) != RC_OK)
        fail_msg("%s", e.text);
}

static void
refused(const char *why)
{
    assert_int_equal(metrics_read(&inventory, given, count, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, why));
}

static void
traffic_is(uint32_t topic, int64_t in, int64_t out, int64_t records, int64_t window_s)
{
    const struct audit_traffic *traffic = &inventory.topics[topic].traffic;

    assert_int_equal(traffic->bytes_in, in);
    assert_int_equal(traffic->bytes_out, out);
    assert_int_equal(traffic->records_in, records);
    assert_int_equal(traffic->window_ms, window_s * 1000);
}

static void
one_scrape_counts_since_the_start(void **state)
{
    (void)state;
    scrape(2 * DAY,
        "# HELP kafka_server_brokertopicmetrics_bytesin_total Attribute exposed for management\n"
        "# TYPE kafka_server_brokertopicmetrics_bytesin_total counter\n"
        "kafka_server_brokertopicmetrics_bytesin_total 9000\n"
        "kafka_server_brokertopicmetrics_bytesin_total{topic=\"orders\",} 4000.0\n"
        "kafka_server_brokertopicmetrics_bytesout_total{topic=\"orders\",} 1.2E4 1764172800000\n"
        "kafka_server_brokertopicmetrics_messagesin_total{topic=\"orders\",} 40\n"
        "kafka_server_brokertopicmetrics_bytesin_total{topic=\"gone\",} 77\n"
        "kafka_server_brokertopicmetrics_replicationbytesin_total{topic=\"orders\"} 99\n"
        "kafka_server_brokertopicmetrics_bytesin_oneminuterate{topic=\"orders\"} 5\n"
        "kafka_server_brokertopicmetrics_bytesrejected_total{topic=\"orders\"} 5\n"
        "process_start_time_seconds 1.764E9\n");
    read_all();
    traffic_is(0, 2000, 6000, 20, 2 * DAY);
    traffic_is(1, -1, -1, -1, 0);
}

/* As the exporter names them without rules, and with those that keep PerSec. */
static void
other_names_are_known(void **state)
{
    (void)state;
    scrape(DAY,
        "kafka_server_BrokerTopicMetrics_Count{name=\"BytesInPerSec\",topic=\"orders\",} 10.0\n"
        "kafka_server_BrokerTopicMetrics_Count{topic=\"orders\",name=\"BytesOutPerSec\"} 20.0\n"
        "kafka_server_BrokerTopicMetrics_Count{name=\"ReplicationBytesInPerSec\",topic=\"orders\"} "
        "7\n"
        "kafka_server_BrokerTopicMetrics_MeanRate{name=\"BytesInPerSec\",topic=\"orders\",} 3.0\n"
        "kafka_server_brokertopicmetrics_bytesinpersec_count{topic=\"payments.eu\"} 30\n"
        "process_start_time_seconds 1.764E9\n");
    read_all();
    traffic_is(0, 10, 20, -1, DAY);
    traffic_is(1, 30, -1, -1, DAY);
}

/* Files' times are finer than a window, and a short one shows it. */
static void
a_window_is_rounded(void **state)
{
    (void)state;
    scrape(DAY, "kafka_server_brokertopicmetrics_messagesin_total{topic=\"orders\"} 1000\n"
                "process_start_time_seconds 1.764E9\n");
    scrape_at(DAY, 499900000,
        "kafka_server_brokertopicmetrics_messagesin_total{topic=\"orders\"} 1500\n"
        "process_start_time_seconds 1.764E9\n");
    read_all();
    assert_int_equal(inventory.topics[0].traffic.window_ms, 500);
}

static void
two_scrapes_of_a_broker_tell_what_came_between(void **state)
{
    (void)state;
    scrape(3 * DAY, "kafka_server_brokertopicmetrics_bytesin_total{topic=\"orders\"} 5000\n"
                    "kafka_server_brokertopicmetrics_bytesout_total{topic=\"orders\"} 100\n"
                    "process_start_time_seconds 1764000000.123\n");
    scrape(2 * DAY, "kafka_server_brokertopicmetrics_bytesin_total{topic=\"orders\"} 4000\n"
                    "process_start_time_seconds 1764000000.123\n");
    read_all();
    traffic_is(0, 1000, 100, -1, DAY);
}

static void
brokers_add_up(void **state)
{
    (void)state;
    scrape(2 * DAY, "kafka_server_brokertopicmetrics_bytesin_total{topic=\"orders\"} 4000\n"
                    "process_start_time_seconds 1764000000\n");
    scrape(2 * DAY, "kafka_server_brokertopicmetrics_bytesin_total{topic=\"orders\"} 500\n"
                    "process_start_time_seconds 1764086400\n");
    read_all();
    traffic_is(0, 2500, -1, -1, DAY);
}

/* The same file twice is one scrape. */
static void
a_file_counts_once(void **state)
{
    (void)state;
    scrape(DAY, "kafka_server_brokertopicmetrics_bytesin_total{topic=\"orders\"} 4000\n"
                "process_start_time_seconds 1764000000\n");
    given[count++] = paths[0];
    read_all();
    traffic_is(0, 4000, -1, -1, DAY);
}

static void
what_is_no_scrape_is_refused(void **state)
{
    (void)state;
    scrape(
        DAY, "<html>no metrics</html>\n{\n{=\"\n}\nx{\nx{y\nx{y=\nx{y=\"z\nx{y=\"z\\\nx 1e999\n");
    refused("has no BrokerTopicMetrics counter with a label `topic`");
    count = 0;
    scrape(DAY, "kafka_server_brokertopicmetrics_bytesin_total{topic=\"orders\"} 4000\n");
    refused("does not tell a start");
    count = 0;
    scrape(-1, "kafka_server_brokertopicmetrics_bytesin_total{topic=\"orders\"} 4000\n"
               "process_start_time_seconds 1764000000\n");
    refused("does not tell a start");
    given[0] = "/nowhere";
    refused("/nowhere");
    given[0] = folder;
    refused(folder);
}

static void
a_scrape_of_another_cluster_leaves_a_gap(void **state)
{
    (void)state;
    scrape(DAY, "kafka_server_brokertopicmetrics_bytesout_total{topic=\"elsewhere\"} 4000\n"
                "process_start_time_seconds 1764000000\n");
    read_all();
    assert_non_null(strstr(inventory.gaps[AUDIT_METRICS].why, "is it of another cluster?"));
    assert_int_equal(inventory.topics[0].traffic.window_ms, 0);
}

static void
readers_without_a_group_are_told(void **state)
{
    (void)state;
    inventory.topics[0].uses = NULL;
    scrape(DAY, "kafka_server_brokertopicmetrics_bytesout_total{topic=\"orders\"} 4000\n"
                "process_start_time_seconds 1764000000\n");
    read_all();
    facts_derive(&inventory);
    assert_int_equal(inventory.topics[0].facts[AUDIT_FACT_GROUPS].value, AUDIT_NO);
    assert_string_equal(inventory.topics[0].facts[AUDIT_FACT_GROUPS].first->text,
        "4000 bytes a day are read of it: by consumers without a group, or by tools");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_scrape_counts_since_the_start, setup, teardown),
        cmocka_unit_test_setup_teardown(other_names_are_known, setup, teardown),
        cmocka_unit_test_setup_teardown(a_window_is_rounded, setup, teardown),
        cmocka_unit_test_setup_teardown(
            two_scrapes_of_a_broker_tell_what_came_between, setup, teardown),
        cmocka_unit_test_setup_teardown(brokers_add_up, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_counts_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_scrape_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_scrape_of_another_cluster_leaves_a_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(readers_without_a_group_are_told, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
