/* Which topics have to move together, in which order, and by what path. */
#include "audit/waves.h"

#include <stdlib.h>

#include "tests/unit/audit/rules_rig.h"

static struct waves waves;

static uint32_t
place(const char *name)
{
    uint32_t topic = inventory_topic(&inventory, (struct wire_string){name, (int32_t)strlen(name)});

    assert_int_not_equal(topic, INVENTORY_NO_NUMBER);
    return topic;
}

/* A transaction of an id over topics, the first of which are made where they are not there. */
static void
transaction(const char *id, const char *a, const char *b)
{
    struct wire_string text = {id, (int32_t)strlen(id)};

    inventory_add_transactional_id(&inventory, text);
    inventory_add_footprint(
        &inventory, inventory_transactional_id(&inventory, text), place(a), AUDIT_TRACE_OPEN);
    if (b != NULL)
        inventory_add_footprint(
            &inventory, inventory_transactional_id(&inventory, text), place(b), AUDIT_TRACE_OPEN);
}

/* The program of a transactional id commits offsets of a topic in its transactions. */
static void
commits(const char *id, const char *topic)
{
    struct wire_string text = {id, (int32_t)strlen(id)};

    inventory_add_footprint(
        &inventory, inventory_transactional_id(&inventory, text), place(topic), AUDIT_TRACE_READ);
}

static void
reads(const char *id, enum audit_app app, const char *topic)
{
    struct wire_string group = {id, (int32_t)strlen(id)};
    struct wire_string name = {topic, (int32_t)strlen(topic)};

    inventory_add_group(&inventory, group, AUDIT_GROUP_CLASSIC)->app = app;
    inventory_use(&inventory, inventory_group(&inventory, group), name, true, true);
}

static void
plan(const char *const *declared, size_t count)
{
    struct err e;

    derive();
    assert_int_equal(
        waves_plan(&waves, &inventory, 1U << RULES_COORDINATED, declared, count, &e), RC_OK);
}

static bool
together(const char *a, const char *b)
{
    return waves.wave_of[place(a)] == waves.wave_of[place(b)];
}

static int
setup(void **state)
{
    static const char *const names[] = {"audit", "clicks", "invoices", "orders", "payments",
        "totals", "totals-app-store-changelog"};

    (void)state;
    begin_inventory();
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        plain_topic(names[i], 2);
    inventory_add_topic(&inventory, "__consumer_offsets", 50)->is_internal = true;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    waves_free(&waves);
    inventory_fini(&inventory);
    return 0;
}

static void
without_ties_each_topic_moves_alone(void **state)
{
    (void)state;
    plan(NULL, 0);
    assert_int_equal(waves.wave_count, 7);
    assert_int_equal(waves.alone, 7);
    assert_int_equal(waves.wave_of[place("__consumer_offsets")], INVENTORY_NO_NUMBER);
}

/* Offsets that are committed in transactions go to one topic for all. */
static void
internal_topics_tie_nothing(void **state)
{
    (void)state;
    transaction("payments-app", "payments", "__consumer_offsets");
    transaction("orders-app", "orders", "__consumer_offsets");
    plan(NULL, 0);
    assert_false(together("payments", "orders"));
    assert_int_equal(waves.alone, 7);
}

/* Whatever its group is called. */
static void
a_transaction_ties_what_it_writes_and_whose_offsets_it_commits(void **state)
{
    (void)state;
    transaction("writer", "payments", NULL);
    reads("some readers", AUDIT_APP_NO, "orders");
    reads("some readers", AUDIT_APP_NO, "clicks");
    commits("writer", "orders");
    plan(NULL, 0);
    assert_true(together("payments", "orders"));
    assert_int_equal(waves.alone, 5);
}

static void
a_transaction_ties_what_it_writes_and_what_its_group_reads(void **state)
{
    (void)state;
    transaction("payments-app-1", "payments", "invoices");
    reads("payments-app", AUDIT_APP_NO, "orders");
    reads("payments", AUDIT_APP_NO, "audit"); /* the beginning of a topic's name is nothing */
    reads("pay", AUDIT_APP_NO, "clicks");
    plan(NULL, 0);
    assert_true(together("payments", "invoices"));
    assert_true(together("payments", "orders"));
    assert_false(together("payments", "clicks"));
    /* "payments" begins "payments-app-1", too: rather one tie too many than one too few. */
    assert_true(together("payments", "audit"));
}

static void
an_application_ties_its_inputs_and_its_own_topics(void **state)
{
    struct audit_topic *changelog = &inventory.topics[place("totals-app-store-changelog")];

    (void)state;
    changelog->configs[AUDIT_CONFIG_CLEANUP_POLICY] = (struct audit_config){"compact", true};
    reads("totals-app", AUDIT_APP_YES, "orders");
    reads("totals-app", AUDIT_APP_YES, "totals");
    plan(NULL, 0);
    assert_true(together("orders", "totals"));
    assert_true(together("orders", "totals-app-store-changelog"));
    assert_false(together("orders", "clicks"));
}

static void
a_sink_ties_what_it_reads_and_a_plain_group_does_not(void **state)
{
    (void)state;
    reads("connect-s3", AUDIT_APP_NO, "orders");
    reads("connect-s3", AUDIT_APP_NO, "clicks");
    reads("dashboard", AUDIT_APP_NO, "payments");
    reads("dashboard", AUDIT_APP_NO, "audit");
    plan(NULL, 0);
    assert_true(together("orders", "clicks"));
    assert_false(together("payments", "audit"));
}

static void
what_is_declared_is_tied(void **state)
{
    static const char *const declared[] = {"orders,clicks"}, *const wrong[] = {"orders,nothing"};
    struct err e;

    (void)state;
    plan(declared, 1);
    assert_true(together("orders", "clicks"));
    waves_free(&waves);
    assert_int_equal(waves_plan(&waves, &inventory, 1, wrong, 1, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "nothing"));
}

static void
easy_waves_come_first(void **state)
{
    (void)state;
    inventory.topics[place("audit")].sample.transactional = 1;
    inventory.topics[place("clicks")].bytes = 5;
    transaction("app", "payments", "orders");
    plan(NULL, 0);
    /* The smallest that is READY, and at the end what is blocked, the largest last. */
    assert_int_equal(waves.waves[0].topics[0], place("clicks"));
    assert_int_equal(waves.waves[0].worst, RULES_READY);
    assert_int_equal(waves.waves[waves.wave_count - 2].topics[0], place("audit"));
    assert_int_equal(waves.waves[waves.wave_count - 1].worst, RULES_BLOCKED);
    assert_int_equal(waves.waves[waves.wave_count - 1].topic_count, 2);
    assert_int_equal(waves.waves[waves.wave_count - 1].subject_count, 1);
}

static void
a_path_tells_why_two_topics_are_together(void **state)
{
    struct waves_step *path;
    uint32_t count;

    (void)state;
    transaction("a", "clicks", "orders");
    transaction("b", "orders", "payments");
    transaction("c", "payments", "invoices");
    transaction("d", "clicks", "payments"); /* the shorter way */
    plan(NULL, 0);
    path = waves_path(&waves, &inventory, place("clicks"), place("invoices"), &count);
    assert_int_equal(count, 2);
    assert_string_equal(waves.subjects[path[0].subject].name, "d");
    assert_int_equal(path[0].topic, place("payments"));
    assert_string_equal(waves.subjects[path[1].subject].name, "c");
    assert_int_equal(path[1].topic, place("invoices"));
    free(path);
    assert_null(waves_path(&waves, &inventory, place("clicks"), place("audit"), &count));
    assert_int_equal(count, 0);
    assert_null(waves_path(&waves, &inventory, place("clicks"), place("clicks"), &count));
    assert_int_equal(count, 0);
}

/* A long chain is planned at once, and its ends have a path. */
static void
a_long_chain_is_one_wave(void **state)
{
    static const uint32_t length = 2000;
    struct waves_step *path;
    char a[32], b[32];
    uint32_t count;

    (void)state;
    for (uint32_t i = 0; i < length; i++) {
        snprintf(a, sizeof a, "chain-%05u", i);
        inventory_add_topic(&inventory, a, 1);
        if (i == 0)
            continue;
        snprintf(b, sizeof b, "chain-%05u", i - 1);
        transaction(a, b, a);
    }
    plan(NULL, 0);
    assert_true(together("chain-00000", "chain-01999"));
    path = waves_path(&waves, &inventory, place("chain-00000"), place("chain-01999"), &count);
    assert_int_equal(count, length - 1);
    free(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_ties_each_topic_moves_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(internal_topics_tie_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_transaction_ties_what_it_writes_and_whose_offsets_it_commits, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_transaction_ties_what_it_writes_and_what_its_group_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_application_ties_its_inputs_and_its_own_topics, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_sink_ties_what_it_reads_and_a_plain_group_does_not, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_declared_is_tied, setup, teardown),
        cmocka_unit_test_setup_teardown(easy_waves_come_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_path_tells_why_two_topics_are_together, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_chain_is_one_wave, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
