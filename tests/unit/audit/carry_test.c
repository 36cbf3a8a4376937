/* What earlier audits saw stays seen; what is so now is the fresh audit's. */
#include "audit/carry.h"

#include "audit/audit.h"
#include "tests/unit/audit/rules_rig.h"

static struct audit_inventory older;

static int
setup(void **state)
{
    (void)state;
    inventory_init(&older);
    begin_inventory();
    inventory.cluster_id = "one";
    inventory.watch = (struct audit_watch){1, NOW_MS, 0};
    inventory.requests = 2;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    inventory_fini(&older);
    inventory_fini(&inventory);
    return 0;
}

static void
minutes_pass(int minutes)
{
    int64_t now = inventory.asked_ms[AUDIT_METADATA] + minutes * INT64_C(60000);

    inventory_fini(&older);
    older = inventory;
    begin_inventory();
    for (unsigned i = 0; i < AUDIT_PROBES; i++)
        inventory.asked_ms[i] = now;
    inventory.cluster_id = "one";
    inventory.watch = (struct audit_watch){1, now, 0};
    inventory.requests = 2;
}

static void
carry(void)
{
    struct err e = {0};

    if (carry_on(&inventory, &older, &e) != RC_OK || audit_judge(&inventory, &e) != RC_OK)
        fail_msg("%s", e.text);
}

static struct wire_string
text(const char *from)
{
    return (struct wire_string){from, (int32_t)strlen(from)};
}

static void
a_transaction_that_ended_is_still_known(void **state)
{
    (void)state;
    plain_topic("gone", 1);
    plain_topic("orders", 2);
    plain_topic("payments", 2);
    inventory_add_transactional_id(&inventory, text("pay-1"));
    inventory_add_footprint(&inventory, 0, 0, AUDIT_TRACE_OPEN);
    inventory_add_footprint(&inventory, 0, 1, AUDIT_TRACE_OPEN);
    inventory_add_footprint(&inventory, 0, 2, AUDIT_TRACE_OPEN);
    minutes_pass(10);
    plain_topic("payments", 2);
    plain_topic("orders", 2);
    inventory_add_transactional_id(&inventory, text("pay-2"));
    inventory_add_transactional_id(&inventory, text("pay-1"));
    inventory_add_footprint(&inventory, 0, 1, AUDIT_TRACE_OPEN); /* pay-2, orders */
    inventory_add_footprint(&inventory, 1, 0, AUDIT_TRACE_OPEN); /* pay-1, payments, as before */
    carry();
    assert_int_equal(inventory.topics[0].traces[AUDIT_TRACE_OPEN].ids, 1);
    assert_int_equal(inventory.topics[1].traces[AUDIT_TRACE_OPEN].ids, 2);
    assert_int_equal(inventory.transactional_id_count, 2);
    assert_int_equal(inventory.topics[1].facts[AUDIT_FACT_TRANSACTIONS].value, AUDIT_YES);
    assert_non_null(strstr(
        inventory.topics[1].facts[AUDIT_FACT_TRANSACTIONS].first->text, "at one look at least"));
}

static void
clients_of_an_earlier_request_log_stay(void **state)
{
    static const struct audit_client shop = {"shop", "User:shop", "librdkafka", "2.3.0"};
    struct audit_contact *contact;

    (void)state;
    plain_topic("gone", 1);
    plain_topic("orders", 2);
    for (uint32_t t = 0; t < 2; t++) {
        contact = inventory_contact(&inventory, t, inventory_add_client(&inventory, &shop));
        contact->produces = 3;
        contact->committed_fetches = 4;
    }
    minutes_pass(10);
    plain_topic("orders", 2);
    carry();
    assert_int_equal(inventory.client_count, 1);
    assert_string_equal(inventory.clients[0].software, "librdkafka");
    contact = inventory.topics[0].contacts;
    assert_int_equal(contact->produces, 3);
    assert_int_equal(contact->committed_fetches, 4);
    assert_null(contact->next);
}

/* It asks about no topic; without it its readers are not known for what they are. */
static void
the_admin_client_of_a_flink_source_stays(void **state)
{
    static const struct audit_client admin = {"etl-enumerator-admin-client", "", "", ""},
                                     other = {"nobody", "", "", ""}, reader = {"etl-0", "", "", ""};

    (void)state;
    plain_topic("orders", 2);
    inventory_add_client(&inventory, &other);
    inventory_add_client(&inventory, &admin);
    minutes_pass(10);
    plain_topic("orders", 2);
    inventory_contact(&inventory, 0, inventory_add_client(&inventory, &reader))->fetches = 1;
    carry();
    assert_int_equal(inventory.client_count, 2);
    assert_string_equal(inventory.topics[0].flink.enumerator, admin.id);
}

/* One that is over by the transaction log is no open one, before or after. */
static void
transactions_that_are_over_stay_so(void **state)
{
    (void)state;
    plain_topic("orders", 2);
    inventory_add_transactional_id(&inventory, text("pay-1"));
    inventory_add_footprint(&inventory, 0, 0, AUDIT_TRACE_PAST);
    minutes_pass(10);
    plain_topic("orders", 2);
    carry();
    assert_int_equal(inventory.topics[0].traces[AUDIT_TRACE_OPEN].ids, 0);
    assert_int_equal(inventory.topics[0].traces[AUDIT_TRACE_PAST].ids, 1);
    assert_int_equal(inventory.topics[0].facts[AUDIT_FACT_TRANSACTIONS].value, AUDIT_YES);
    assert_int_equal(inventory.topics[0].facts[AUDIT_FACT_TRANSACTIONS].confidence, AUDIT_LIKELY);
}

static void
producers_and_samples_stay_and_configs_do_not(void **state)
{
    struct audit_topic *topic;

    (void)state;
    topic = plain_topic("orders", 2);
    topic->producers = 7;
    topic->transactional_producers = 2;
    topic->bytes = 1000;
    topic->configs[AUDIT_CONFIG_RETENTION_MS].value = "1";
    topic->sample.programs = "Kafka Connect";
    inventory.partitions[0].end_offset = 5;
    minutes_pass(10);
    topic = plain_topic("orders", 2);
    inventory.partitions[0].end_offset = 6;
    topic->producers = 3;
    topic->bytes = 2000;
    memset(&topic->sample, 0, sizeof topic->sample);
    carry();
    assert_int_equal(topic->producers, 7);
    assert_int_equal(topic->transactional_producers, 2);
    assert_int_equal(topic->bytes, 2000);
    assert_string_equal(topic->configs[AUDIT_CONFIG_RETENTION_MS].value, "604800000");
    assert_int_equal(topic->sample.batches, 1000);
    assert_int_equal(topic->sample.cut, 1);
    assert_string_equal(topic->sample.programs, "Kafka Connect");
}

static void
groups_that_are_gone_are_dead(void **state)
{
    struct audit_group *group;

    (void)state;
    plain_topic("orders", 2);
    group = inventory_add_group(&inventory, text("nightly"), AUDIT_GROUP_CONSUMER);
    group->state = "Stable";
    group->members = 3;
    group->app = AUDIT_APP_YES;
    group->app_why = "seen";
    group->has_pattern = true;
    inventory_use(
        &inventory, inventory_group(&inventory, text("nightly")), text("orders"), true, true);
    minutes_pass(10);
    plain_topic("orders", 2);
    carry();
    group = &inventory.groups[inventory_group(&inventory, text("nightly"))];
    assert_string_equal(group->state, "Dead");
    assert_int_equal(group->members, 0);
    assert_int_equal(group->app, AUDIT_APP_YES);
    assert_string_equal(group->app_why, "seen");
    assert_true(group->has_pattern);
    assert_int_equal(inventory.topics[0].use_count, 2);
}

static void
rates_add_up_and_the_peak_is_kept(void **state)
{
    static const int64_t ends[] = {100, 700, 1000};

    (void)state;
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            minutes_pass(i == 1 ? 1 : 10);
        plain_topic("orders", 1);
        inventory.partitions[0].end_offset = ends[i];
        if (i > 0)
            carry();
    }
    assert_int_equal(inventory.topics[0].rate.records, 900);
    assert_int_equal(inventory.topics[0].rate.window_ms, 660000);
    assert_int_equal(inventory.topics[0].rate.peak_records, 600);
    assert_int_equal(inventory.topics[0].rate.peak_window_ms, 60000);
    assert_int_equal(inventory.watch.looks, 3);
    assert_int_equal(inventory.requests, 6);
    assert_int_equal(inventory.watch.first_ms, NOW_MS);
    assert_int_equal(inventory.watch.longest_gap_ms, 600000);
}

static void
other_clusters_and_later_audits_are_refused(void **state)
{
    struct err e;

    (void)state;
    plain_topic("orders", 1);
    minutes_pass(1);
    inventory.cluster_id = "two";
    assert_int_equal(carry_on(&inventory, &older, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "another cluster: one, and this one is two"));
    inventory.cluster_id = "one";
    inventory.asked_ms[AUDIT_METADATA] = NOW_MS - 1;
    assert_int_equal(carry_on(&inventory, &older, &e), RC_CONFLICT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_transaction_that_ended_is_still_known, setup, teardown),
        cmocka_unit_test_setup_teardown(transactions_that_are_over_stay_so, setup, teardown),
        cmocka_unit_test_setup_teardown(clients_of_an_earlier_request_log_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(the_admin_client_of_a_flink_source_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(
            producers_and_samples_stay_and_configs_do_not, setup, teardown),
        cmocka_unit_test_setup_teardown(groups_that_are_gone_are_dead, setup, teardown),
        cmocka_unit_test_setup_teardown(rates_add_up_and_the_peak_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(
            other_clusters_and_later_audits_are_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
