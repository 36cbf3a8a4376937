/* Facts and rules together: what an inventory leads to. */
#include "tests/unit/unit.h"

#include "audit/facts.h"
#include "audit/rules.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

static struct audit_inventory inventory;

static struct wire_string
text(const char *t)
{
    return (struct wire_string){t, (int32_t)strlen(t)};
}

/* A topic of which everything was seen, and nothing special is true. */
static struct audit_topic *
plain_topic(const char *name)
{
    struct audit_topic *topic = inventory_add_topic(&inventory, name, 2);

    topic->configs[AUDIT_CONFIG_CLEANUP_POLICY].value = "delete";
    topic->configs[AUDIT_CONFIG_RETENTION_MS].value = "604800000";
    topic->offsets = 100;
    topic->sample.batches = 40;
    topic->sample.partitions = 2;
    return topic;
}

static void
derive(void)
{
    facts_derive(&inventory);
    rules_apply(&inventory);
}

static enum rules_verdict
coordinated(const struct audit_topic *topic)
{
    assert_int_equal(rules_judge(topic, RULES_WAL), RULES_READY);
    return rules_judge(topic, RULES_COORDINATED);
}

static enum audit_value
fact(const struct audit_topic *topic, enum audit_fact which)
{
    assert_non_null(topic->facts[which].first);
    return topic->facts[which].value;
}

static int
begin(void **state)
{
    (void)state;
    inventory_init(&inventory);
    return 0;
}

static int
finish(void **state)
{
    (void)state;
    inventory_fini(&inventory);
    return 0;
}

static void
a_plain_topic_is_ready_for_both(void **state)
{
    struct audit_topic *topic = plain_topic("clicks");

    (void)state;
    derive();
    for (unsigned i = 0; i < AUDIT_FACTS; i++) {
        assert_int_equal(fact(topic, (enum audit_fact)i), AUDIT_NO);
        assert_int_equal(topic->facts[i].confidence, AUDIT_CERTAIN);
    }
    assert_int_equal(coordinated(topic), RULES_READY);
}

static void
each_witness_of_transactions_blocks_coordinated(void **state)
{
    struct audit_topic *a, *b, *c;

    (void)state;
    plain_topic("a")->sample.transactional = 1;
    plain_topic("b")->transactional_producers = 1;
    c = plain_topic("c");
    c->traces[AUDIT_TRACE_OPEN].ids = 1;
    c->traces[AUDIT_TRACE_OPEN].first = "payments-app";
    derive();
    a = &inventory.topics[0];
    b = &inventory.topics[1];
    c = &inventory.topics[2];
    assert_int_equal(coordinated(a), RULES_BLOCKED);
    assert_int_equal(coordinated(b), RULES_BLOCKED);
    assert_int_equal(coordinated(c), RULES_BLOCKED);
    assert_non_null(strstr(c->facts[AUDIT_FACT_TRANSACTIONS].first->text, "payments-app"));
}

/* Each alone, where the login may not read the topics. */
static void
what_brokers_tell_without_records_proves_transactions(void **state)
{
    struct audit_topic *aborted;

    (void)state;
    plain_topic("unstable")->unstable = 1;
    aborted = plain_topic("aborted");
    aborted->aborted.asked = 8;
    aborted->aborted.found = 1;
    inventory_gap(&inventory, INVENTORY_NO_NUMBER, AUDIT_PRODUCERS, NULL, RC_REMOTE, 29, NULL);
    inventory_gap(&inventory, INVENTORY_NO_NUMBER, AUDIT_SAMPLES, NULL, RC_REMOTE, 29, NULL);
    derive();
    for (uint32_t t = 0; t < inventory.topic_count; t++) {
        assert_int_equal(fact(&inventory.topics[t], AUDIT_FACT_TRANSACTIONS), AUDIT_YES);
        assert_int_equal(
            inventory.topics[t].facts[AUDIT_FACT_TRANSACTIONS].confidence, AUDIT_CERTAIN);
        assert_int_equal(coordinated(&inventory.topics[t]), RULES_BLOCKED);
    }
}

static void
no_refused_probe_leads_to_a_no(void **state)
{
    static const struct {
        enum audit_probe probe;
        enum audit_fact fact;
    } needs[] = {
        {AUDIT_METADATA, AUDIT_FACT_TRANSACTIONS},
        {AUDIT_OFFSETS, AUDIT_FACT_TRANSACTIONS},
        {AUDIT_PRODUCERS, AUDIT_FACT_TRANSACTIONS},
        {AUDIT_TRANSACTIONS, AUDIT_FACT_TRANSACTIONS},
        {AUDIT_FOOTPRINTS, AUDIT_FACT_TRANSACTIONS},
        {AUDIT_SAMPLES, AUDIT_FACT_TRANSACTIONS},
        {AUDIT_PRODUCERS, AUDIT_FACT_IDEMPOTENCE},
        {AUDIT_SAMPLES, AUDIT_FACT_IDEMPOTENCE},
        {AUDIT_GROUPS, AUDIT_FACT_GROUPS},
        {AUDIT_COMMITS, AUDIT_FACT_GROUPS},
        {AUDIT_CLASSIC_MEMBERS, AUDIT_FACT_GROUPS},
        {AUDIT_CONSUMER_MEMBERS, AUDIT_FACT_GROUPS},
        {AUDIT_SHARE_MEMBERS, AUDIT_FACT_GROUPS},
        {AUDIT_STREAMS_MEMBERS, AUDIT_FACT_STREAMS_STATE},
        {AUDIT_GROUPS, AUDIT_FACT_STREAMS_STATE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
        struct audit_topic *topic;

        inventory_fini(&inventory);
        inventory_init(&inventory);
        topic = plain_topic("clicks");
        inventory_gap(&inventory, INVENTORY_NO_NUMBER, needs[i].probe, NULL, RC_REMOTE,
            KE_CLUSTER_AUTHORIZATION_FAILED, NULL);
        derive();
        assert_int_equal(fact(topic, needs[i].fact), AUDIT_UNKNOWN);
        assert_non_null(
            strstr(topic->facts[needs[i].fact].first->text, "CLUSTER_AUTHORIZATION_FAILED"));
    }
}

static void
a_refused_config_makes_compaction_unknown(void **state)
{
    struct audit_topic *topic = plain_topic("clicks");

    (void)state;
    topic->configs[AUDIT_CONFIG_CLEANUP_POLICY].value = NULL;
    inventory_gap(
        &inventory, 0, AUDIT_CONFIGS, NULL, RC_REMOTE, KE_TOPIC_AUTHORIZATION_FAILED, NULL);
    derive();
    assert_int_equal(fact(topic, AUDIT_FACT_COMPACTION), AUDIT_UNKNOWN);
    assert_int_equal(coordinated(topic), RULES_UNKNOWN);
}

static void
an_api_that_is_not_there_needs_the_whole_log(void **state)
{
    struct audit_topic *topic;

    (void)state;
    plain_topic("whole");
    plain_topic("part")->sample.cut = 1;
    inventory_gap(&inventory, INVENTORY_NO_NUMBER, AUDIT_PRODUCERS, NULL, RC_UNSUPPORTED, 0, NULL);
    derive();
    topic = &inventory.topics[0];
    assert_int_equal(fact(topic, AUDIT_FACT_TRANSACTIONS), AUDIT_NO);
    assert_int_equal(topic->facts[AUDIT_FACT_TRANSACTIONS].confidence, AUDIT_LIKELY);
    assert_int_equal(fact(&inventory.topics[1], AUDIT_FACT_TRANSACTIONS), AUDIT_UNKNOWN);
}

static void
a_refusal_is_not_hidden_by_a_missing_api(void **state)
{
    (void)state;
    plain_topic("clicks");
    inventory_gap(&inventory, 0, AUDIT_PRODUCERS, NULL, RC_UNSUPPORTED, 0, NULL);
    inventory_gap(
        &inventory, 0, AUDIT_PRODUCERS, NULL, RC_REMOTE, KE_TOPIC_AUTHORIZATION_FAILED, NULL);
    derive();
    assert_int_equal(fact(&inventory.topics[0], AUDIT_FACT_TRANSACTIONS), AUDIT_UNKNOWN);
}

static void
an_emptied_log_says_nothing(void **state)
{
    struct audit_topic *topic = plain_topic("emptied");

    (void)state;
    topic->began_later = true;
    topic->sample.batches = 0;
    derive();
    assert_int_equal(fact(topic, AUDIT_FACT_TRANSACTIONS), AUDIT_UNKNOWN);
    assert_int_equal(coordinated(topic), RULES_UNKNOWN);
}

static void
the_producers_of_an_emptied_log_speak_for_it(void **state)
{
    struct audit_topic *topic = plain_topic("emptied");

    (void)state;
    topic->began_later = true;
    topic->sample.batches = 0;
    topic->producers = 2;
    derive();
    assert_int_equal(fact(topic, AUDIT_FACT_TRANSACTIONS), AUDIT_NO);
    assert_int_equal(topic->facts[AUDIT_FACT_TRANSACTIONS].confidence, AUDIT_LIKELY);
    assert_int_equal(fact(topic, AUDIT_FACT_IDEMPOTENCE), AUDIT_YES);
}

static void
compaction_blocks_unless_no_key_of_many_repeats(void **state)
{
    static const struct {
        uint64_t keyed, repeated, holes, program;
        enum rules_verdict verdict;
    } cases[] = {
        {3000, 0, 0, 0, RULES_READY_WITH_CHANGES},
        {3000, 1, 0, 0, RULES_BLOCKED},
        {3000, 0, 7, 0, RULES_BLOCKED},
        {5, 0, 0, 0, RULES_BLOCKED},
        {3000, 0, 0, 3000, RULES_BLOCKED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct audit_topic *topic = plain_topic("t");

        topic->configs[AUDIT_CONFIG_CLEANUP_POLICY].value = "compact,delete";
        topic->sample.keyed = cases[i].keyed;
        topic->sample.repeated = cases[i].repeated;
        topic->sample.holes = cases[i].holes;
        topic->sample.program = cases[i].program;
        topic->sample.programs = "x";
    }
    derive();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(fact(&inventory.topics[i], AUDIT_FACT_COMPACTION), AUDIT_YES);
        assert_int_equal(coordinated(&inventory.topics[i]), cases[i].verdict);
    }
}

static struct audit_group *
group(const char *id, enum audit_app app)
{
    struct audit_group *g = inventory_add_group(&inventory, text(id), AUDIT_GROUP_CLASSIC);

    g->app = app;
    g->app_why = app == AUDIT_APP_YES ? "a test says so" : NULL;
    return g;
}

static void
streams_state_needs_an_application_and_not_just_a_suffix(void **state)
{
    static const struct {
        const char *name, *policy, *retention;
        enum audit_value value;
        enum rules_verdict verdict;
    } cases[] = {
        {"app-x-changelog", "compact", "1", AUDIT_YES, RULES_BLOCKED},
        {"app-x-repartition", "delete", "-1", AUDIT_YES, RULES_READY_WITH_CHANGES},
        {"stopped-x-changelog", "compact", "1", AUDIT_YES, RULES_BLOCKED},
        {"stopped-x-changelog2-changelog", "delete", "1", AUDIT_NO, RULES_READY},
        {"plain-x-changelog", "delete", "1", AUDIT_NO, RULES_READY},
        {"daily-report-changelog", "delete", "1", AUDIT_NO, RULES_READY},
        {"nobody-x-repartition", "delete", "-1", AUDIT_UNKNOWN, RULES_UNKNOWN},
    };

    (void)state;
    group("app", AUDIT_APP_YES);
    group("stopped", AUDIT_APP_MAYBE);
    group("plain", AUDIT_APP_NO);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct audit_topic *topic = plain_topic(cases[i].name);

        topic->configs[AUDIT_CONFIG_CLEANUP_POLICY].value = cases[i].policy;
        topic->configs[AUDIT_CONFIG_RETENTION_MS].value = cases[i].retention;
    }
    derive();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(fact(&inventory.topics[i], AUDIT_FACT_STREAMS_STATE), cases[i].value);
        assert_int_equal(coordinated(&inventory.topics[i]), cases[i].verdict);
    }
}

static void
a_group_is_counted_once_however_often_it_is_seen(void **state)
{
    struct audit_topic *topic = plain_topic("clicks");

    (void)state;
    group("etl", AUDIT_APP_NO);
    inventory_use(&inventory, 0, text("clicks"), true, false);
    inventory_use(&inventory, 0, text("clicks"), false, true);
    inventory_use(&inventory, 0, text("gone"), false, true);
    derive();
    assert_int_equal(topic->use_count, 1);
    assert_int_equal(fact(topic, AUDIT_FACT_GROUPS), AUDIT_YES);
    assert_int_equal(coordinated(topic), RULES_READY);
}

static void
a_restricted_login_knows_no_absence_of_groups(void **state)
{
    struct audit_topic *topic = plain_topic("clicks");

    (void)state;
    inventory.is_restricted = true;
    derive();
    assert_int_equal(fact(topic, AUDIT_FACT_GROUPS), AUDIT_UNKNOWN);
    assert_int_equal(topic->facts[AUDIT_FACT_TRANSACTIONS].confidence, AUDIT_LIKELY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_topic_is_ready_for_both),
        TEST(each_witness_of_transactions_blocks_coordinated),
        TEST(what_brokers_tell_without_records_proves_transactions),
        TEST(no_refused_probe_leads_to_a_no),
        TEST(a_refused_config_makes_compaction_unknown),
        TEST(an_api_that_is_not_there_needs_the_whole_log),
        TEST(a_refusal_is_not_hidden_by_a_missing_api),
        TEST(an_emptied_log_says_nothing),
        TEST(the_producers_of_an_emptied_log_speak_for_it),
        TEST(compaction_blocks_unless_no_key_of_many_repeats),
        TEST(streams_state_needs_an_application_and_not_just_a_suffix),
        TEST(a_group_is_counted_once_however_often_it_is_seen),
        TEST(a_restricted_login_knows_no_absence_of_groups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
