/* Differences of two audits: found where there are any, and nowhere else. */
#include "audit/diff.h"

#include <stdlib.h>

#include "audit/audit.h"
#include "audit/audit_report.h"
#include "lib/base/jdoc.h"
#include "tests/unit/audit/rules_rig.h"

static struct audit_inventory older;
static struct diff diff;

static int
setup(void **state)
{
    (void)state;
    inventory_init(&older);
    begin_inventory();
    plain_topic("clicks", 3);
    plain_topic("orders", 2);
    inventory.cluster_id = "one";
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    diff_free(&diff);
    inventory_fini(&older);
    inventory_fini(&inventory);
    return 0;
}

/* What was filled becomes the older audit; the newer one begins empty, an hour later. */
static void
an_hour_passes(void)
{
    inventory_fini(&older);
    older = inventory;
    begin_inventory();
    for (unsigned i = 0; i < AUDIT_PROBES; i++)
        inventory.asked_ms[i] = NOW_MS + 3600000;
    inventory.cluster_id = "one";
}

static void
compare(uint32_t designs)
{
    struct err e;

    assert_int_equal(audit_judge(&older, &e), RC_OK);
    assert_int_equal(audit_judge(&inventory, &e), RC_OK);
    assert_int_equal(diff_make(&diff, &older, &inventory, designs, &e), RC_OK);
}

static const struct diff_change *
change_of(enum diff_kind kind, const char *topic, const char *what)
{
    const struct diff_change *found = NULL;

    for (size_t i = 0; i < diff.change_count; i++) {
        const struct diff_change *change = &diff.changes[i];

        if (change->kind == kind && (topic == NULL) == (change->topic == NULL) &&
            (topic == NULL || strcmp(topic, change->topic) == 0) &&
            (what == NULL || strcmp(what, change->what) == 0)) {
            assert_null(found);
            found = change;
        }
    }
    assert_non_null(found);
    return found;
}

static void
the_same_audit_has_no_difference(void **state)
{
    (void)state;
    an_hour_passes();
    plain_topic("clicks", 3);
    plain_topic("orders", 2);
    compare((1U << RULES_DESIGNS) - 1);
    assert_int_equal(diff.change_count, 0);
    assert_int_equal(diff.rate_count, 0);
    assert_int_equal(diff.after_ms - diff.before_ms, 3600000);
}

static void
topics_come_go_and_grow(void **state)
{
    struct audit_topic *topic;

    (void)state;
    inventory.partitions[0].end_offset = 100;
    inventory.partitions[1].end_offset = 50;
    inventory.partitions[2].end_offset = 70;
    an_hour_passes();
    topic = plain_topic("clicks", 4);
    topic->configs[AUDIT_CONFIG_RETENTION_MS].value = "1000";
    topic->configs[AUDIT_CONFIG_SEGMENT_MS].value = NULL; /* not told this time */
    inventory.partitions[0].end_offset = 7300;            /* 2 a second */
    inventory.partitions[1].end_offset = 20;              /* made anew */
    inventory.partitions[3].end_offset = 9999;            /* was not there */
    plain_topic("payments", 6);
    compare(AUDIT_REPORT_DESIGNS);
    assert_string_equal(change_of(DIFF_TOPIC_ADDED, "payments", NULL)->after, "6");
    assert_string_equal(change_of(DIFF_TOPIC_GONE, "orders", NULL)->before, "2");
    assert_string_equal(change_of(DIFF_PARTITIONS, "clicks", NULL)->before, "3");
    assert_string_equal(change_of(DIFF_PARTITIONS, "clicks", NULL)->after, "4");
    assert_string_equal(change_of(DIFF_CONFIG, "clicks", "retention.ms")->before, "604800000");
    assert_string_equal(change_of(DIFF_CONFIG, "clicks", "retention.ms")->after, "1000");
    assert_int_equal(diff.change_count, 4);
    assert_int_equal(diff.rate_count, 1);
    assert_int_equal(diff.rates[0].records, 7200);
    assert_true(diff.rates[0].per_s > 1.99 && diff.rates[0].per_s < 2.01);
}

static void
verdicts_tell_which_way_they_went(void **state)
{
    const struct diff_change *change;

    (void)state;
    inventory.topics[0].configs[AUDIT_CONFIG_CLEANUP_POLICY].value = "compact";
    an_hour_passes();
    plain_topic("clicks", 3);
    plain_topic("orders", 2)->sample.transactional = 3;
    plain_topic("ledger", 2)->configs[AUDIT_CONFIG_CLEANUP_POLICY].value = "compact";
    compare(1U << RULES_COORDINATED);
    change = change_of(DIFF_VERDICT, "clicks", "coordinated");
    assert_int_equal(change->worse, -1);
    assert_string_equal(change->before, "READY_WITH_CHANGES");
    assert_null(change->why);
    change = change_of(DIFF_VERDICT, "orders", "coordinated");
    assert_int_equal(change->worse, 1);
    assert_string_equal(change->before, "READY");
    assert_string_equal(change->after, "BLOCKED");
    assert_non_null(strstr(change->why, "TXN-"));
    assert_null(change_of(DIFF_VERDICT, "ledger", "coordinated")->before);
    assert_int_equal(diff.worse, 2);
    assert_int_equal(diff.better, 1);
    assert_string_equal(change_of(DIFF_FACT, "orders", "transactions")->after, "yes");
    assert_int_equal(diff.changes[0].kind, DIFF_VERDICT);
}

static void
groups_and_the_cluster(void **state)
{
    struct wire_string id = {"billing", 7}, clicks = {"clicks", 6};

    (void)state;
    inventory.cluster.acls = 4;
    inventory.configs[AUDIT_BROKER_MESSAGE_MAX_BYTES].value = "1048588";
    an_hour_passes();
    plain_topic("clicks", 3);
    plain_topic("orders", 2)->uses = NULL;
    inventory_add_group(&inventory, id, AUDIT_GROUP_CONSUMER);
    inventory_use(&inventory, inventory_group(&inventory, id), clicks, true, false);
    inventory.cluster_id = "two";
    inventory.cluster.metrics_subscriptions = 2;
    inventory.configs[AUDIT_BROKER_MESSAGE_MAX_BYTES].value = "2000000";
    compare(AUDIT_REPORT_DESIGNS);
    assert_string_equal(
        change_of(DIFF_CLUSTER, NULL, "subscriptions to clients' metrics")->after, "2");
    (void)change_of(DIFF_GROUP_ADDED, "clicks", "billing");
    (void)change_of(DIFF_GROUP_GONE, "orders", "readers");
    assert_string_equal(change_of(DIFF_CLUSTER, NULL, "cluster id")->after, "two");
    assert_string_equal(change_of(DIFF_CLUSTER, NULL, "access rules")->before, "4");
    assert_string_equal(change_of(DIFF_CLUSTER, NULL, "message.max.bytes")->after, "2000000");
}

static void
what_one_audit_could_not_see_is_no_difference(void **state)
{
    (void)state;
    inventory.cluster.acls = 4;
    inventory.cluster.quotas = 3;
    an_hour_passes();
    plain_topic("clicks", 3);
    plain_topic("orders", 2);
    inventory_gap(&inventory, INVENTORY_NO_NUMBER, AUDIT_ACLS, NULL, RC_REMOTE, 31, NULL);
    compare(AUDIT_REPORT_DESIGNS);
    assert_int_equal(diff.change_count, 1);
    assert_string_equal(change_of(DIFF_CLUSTER, NULL, "quotas")->after, "0");
}

static char *
printed(void (*print)(const struct diff *, FILE *))
{
    size_t size = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    print(&diff, out);
    fclose(out);
    return text;
}

static void
both_formats_tell_all(void **state)
{
    struct jdoc *json;
    struct err e;
    char *text;

    (void)state;
    inventory.partitions[0].end_offset = 0;
    an_hour_passes();
    plain_topic("clicks", 3)->sample.transactional = 3;
    inventory.partitions[0].end_offset = 3600;
    compare(1U << RULES_COORDINATED);
    text = printed(diff_print);
    assert_non_null(
        strstr(text, "\nverdicts\n  clicks  coordinated: READY -> BLOCKED (worse)  TXN-"));
    assert_non_null(strstr(text, "\ntopics that are gone\n  - orders  2 partitions\n"));
    assert_non_null(strstr(text, "\nwritten in between\n  clicks  3600 records, 1.0/s\n"));
    free(text);
    text = printed(diff_json);
    assert_int_equal(jdoc_parse(text, strlen(text), &json, &e), RC_OK);
    assert_int_equal(jdoc_count(jdoc_get(json, "changes")), diff.change_count);
    assert_string_equal(
        jdoc_get_text(jdoc_at(jdoc_get(json, "changes"), 0), "kind", ""), "verdict");
    assert_int_equal(jdoc_get_int(json, "worse", -1), 1);
    assert_int_equal(jdoc_get_int(jdoc_at(jdoc_get(json, "rates"), 0), "records", -1), 3600);
    jdoc_free(json);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_audit_has_no_difference, setup, teardown),
        cmocka_unit_test_setup_teardown(topics_come_go_and_grow, setup, teardown),
        cmocka_unit_test_setup_teardown(verdicts_tell_which_way_they_went, setup, teardown),
        cmocka_unit_test_setup_teardown(groups_and_the_cluster, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_one_audit_could_not_see_is_no_difference, setup, teardown),
        cmocka_unit_test_setup_teardown(both_formats_tell_all, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
