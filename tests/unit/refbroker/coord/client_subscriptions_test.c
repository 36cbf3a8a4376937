/* What subscriptions to metrics come to for one client. */
#include "refbroker/coord/client_subscriptions.h"

#include "tests/unit/unit.h"

static const struct client_traits anna = {.values = {[CLIENT_TRAIT_CLIENT_ID] = "anna"}};

struct rig {
    struct resource_configs configs;
    struct client_subscriptions subscriptions;
    struct client_choice choice;
};

static struct rig rig;

static int
setup(void **state)
{
    (void)state;
    resource_configs_init(&rig.configs);
    client_subscriptions_init(&rig.subscriptions);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    client_subscriptions_choice_fini(&rig.choice);
    client_subscriptions_fini(&rig.subscriptions);
    resource_configs_fini(&rig.configs);
    return 0;
}

static void
set(const char *subscription, const char *name, const char *value)
{
    resource_configs_set(&rig.configs, RESOURCE_CLIENT_METRICS, subscription, name, value);
    client_subscriptions_update(&rig.subscriptions, &rig.configs, subscription);
}

/* The metrics, with blanks between them. */
static const char *
chosen(void)
{
    static char text[200];

    client_subscriptions_choice_fini(&rig.choice);
    client_subscriptions_choose(&rig.subscriptions, &anna, &rig.choice);
    *text = '\0';
    for (size_t i = 0; i < rig.choice.metric_count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i == 0 ? "" : " ",
            rig.choice.metrics[i]);
    return text;
}

static void
without_subscriptions_nothing_is_asked_for(void **state)
{
    (void)state;
    assert_string_equal(chosen(), "");
    assert_int_equal(rig.choice.interval_ms, 300000);
}

static void
metrics_are_joined_each_once(void **state)
{
    (void)state;
    set("one", "metrics", "org.b, org.a ,org.b");
    set("two", "metrics", "org.c,org.a");
    assert_string_equal(chosen(), "org.a org.b org.c");
}

static void
the_shortest_interval_counts_and_the_default_at_most(void **state)
{
    (void)state;
    set("one", "interval.ms", "3600000");
    (void)chosen();
    assert_int_equal(rig.choice.interval_ms, 300000);
    set("two", "interval.ms", "2000");
    set("three", "interval.ms", "100000");
    (void)chosen();
    assert_int_equal(rig.choice.interval_ms, 2000);
}

static void
what_does_not_fit_asks_for_nothing(void **state)
{
    (void)state;
    set("one", "metrics", "org.a");
    set("two", "metrics", "org.b");
    set("two", "interval.ms", "100");
    set("two", "match", "client_id=berta");
    assert_string_equal(chosen(), "org.a");
    assert_int_equal(rig.choice.interval_ms, 300000);
}

static void
a_star_asks_for_all_and_nothing_else(void **state)
{
    (void)state;
    set("one", "metrics", "!before,org.a,*");
    set("two", "metrics", "org.b");
    assert_string_equal(chosen(), "*");
}

static void
each_change_is_a_new_version(void **state)
{
    int64_t version = rig.subscriptions.version;

    (void)state;
    client_subscriptions_update(&rig.subscriptions, &rig.configs, "nobody");
    assert_int_equal(rig.subscriptions.version, version);
    set("one", "metrics", "org.a");
    assert_int_equal(rig.subscriptions.version, version + 1);
    set("one", "metrics", "org.b");
    assert_int_equal(rig.subscriptions.version, version + 2);
    set("one", "metrics", NULL);
    assert_int_equal(rig.subscriptions.version, version + 3);
    assert_string_equal(chosen(), "");
}

static void
all_that_is_kept_is_there_after_a_start(void **state)
{
    struct client_subscriptions again;

    (void)state;
    set("one", "metrics", "org.a");
    set("two", "metrics", "org.b");
    resource_configs_set(&rig.configs, RESOURCE_GROUP, "three", "metrics", "org.c");
    client_subscriptions_init(&again);
    client_subscriptions_load(&again, &rig.configs);
    client_subscriptions_fini(&rig.subscriptions);
    rig.subscriptions = again;
    assert_string_equal(chosen(), "org.a org.b");
}

/* As Kafka 4.3.1 answered. */
static void
the_id_is_that_of_kafka(void **state)
{
    static const struct wire_uuid eleven = {
        {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0, 0, 0, 0, 0, 0, 0, 11}};
    static const struct wire_uuid eighteen = {
        {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0, 0, 0, 0, 0, 0, 0, 18}};

    (void)state;
    (void)chosen();
    assert_int_equal(client_subscriptions_id(&rig.choice, &eleven), 1548735325);
    set("one", "metrics", "org.apache.kafka.producer.");
    set("one", "interval.ms", "200000");
    (void)chosen();
    assert_int_equal(client_subscriptions_id(&rig.choice, &eighteen), -1156520286);
}

static void
the_id_changes_with_metrics_interval_and_client(void **state)
{
    static const struct wire_uuid one = {{1}}, two = {{2}};
    int32_t id;

    (void)state;
    set("one", "metrics", "org.a,org.b");
    (void)chosen();
    id = client_subscriptions_id(&rig.choice, &one);
    assert_int_not_equal(client_subscriptions_id(&rig.choice, &two), id);
    set("one", "interval.ms", "1000");
    (void)chosen();
    assert_int_not_equal(client_subscriptions_id(&rig.choice, &one), id);
    set("one", "interval.ms", NULL);
    set("one", "metrics", "org.a,org.c");
    (void)chosen();
    assert_int_not_equal(client_subscriptions_id(&rig.choice, &one), id);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            without_subscriptions_nothing_is_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(metrics_are_joined_each_once, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_shortest_interval_counts_and_the_default_at_most, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_asks_for_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_star_asks_for_all_and_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(each_change_is_a_new_version, setup, teardown),
        cmocka_unit_test_setup_teardown(all_that_is_kept_is_there_after_a_start, setup, teardown),
        cmocka_unit_test_setup_teardown(the_id_is_that_of_kafka, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_id_changes_with_metrics_interval_and_client, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
