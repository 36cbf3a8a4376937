/* What stood before fails nobody any more; what is new, or was not sure before, does. */
#include "audit/baseline.h"

#include "tests/unit/audit/rules_rig.h"

static struct audit_inventory before;

/* The inventory so far becomes the baseline, and a new one begins. */
static void
keep(void)
{
    derive();
    before = inventory;
    begin_inventory();
}

static struct audit_topic *
compacted(const char *name)
{
    struct audit_topic *topic = plain_topic(name, 3);

    topic->configs[AUDIT_CONFIG_CLEANUP_POLICY] = (struct audit_config){"compact", true};
    topic->sample.repeated = 40000;
    return topic;
}

static struct audit_topic *
transactional(const char *name)
{
    struct audit_topic *topic = plain_topic(name, 3);

    topic->sample.transactional = 3;
    return topic;
}

static void
verdicts_are(uint32_t topic, enum rules_verdict all, enum rules_verdict new)
{
    assert_int_equal(rules_judge(&inventory.topics[topic], RULES_COORDINATED), all);
    assert_int_equal(rules_judge_new(&inventory.topics[topic], RULES_COORDINATED), new);
}

static void
end(void)
{
    inventory_fini(&inventory);
    inventory_fini(&before);
}

static void
what_stood_before_is_known(void **state)
{
    (void)state;
    begin_inventory();
    compacted("table");
    plain_topic("other", 1);
    keep();
    plain_topic("other", 1);
    compacted("table");
    derive();
    verdicts_are(1, RULES_BLOCKED, RULES_BLOCKED);
    baseline_apply(&before, &inventory);
    verdicts_are(1, RULES_BLOCKED, RULES_READY);
    verdicts_are(0, RULES_READY, RULES_READY);
    end();
}

static void
a_new_finding_of_the_same_topic_is_new(void **state)
{
    (void)state;
    begin_inventory();
    compacted("table");
    keep();
    compacted("table")->sample.transactional = 3;
    derive();
    baseline_apply(&before, &inventory);
    verdicts_are(0, RULES_BLOCKED, RULES_BLOCKED);
    assert_string_equal(
        rules_worst_new(&inventory.topics[0], RULES_COORDINATED)->rule->id, "TXN-001");
    end();
}

static void
a_new_topic_is_new(void **state)
{
    (void)state;
    begin_inventory();
    compacted("table");
    keep();
    compacted("table2");
    derive();
    baseline_apply(&before, &inventory);
    verdicts_are(0, RULES_BLOCKED, RULES_BLOCKED);
    end();
}

/* Unknown before and true now is new; true before and unknown now, or the same, is not. */
static void
who_was_not_sure_before_knew_nothing(void **state)
{
    static const struct {
        enum audit_value before, now;
        bool known;
    } cases[] = {
        {AUDIT_YES, AUDIT_YES, true},
        {AUDIT_YES, AUDIT_UNKNOWN, true},
        {AUDIT_UNKNOWN, AUDIT_UNKNOWN, true},
        {AUDIT_UNKNOWN, AUDIT_YES, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct audit_hit was = {.rule = rules_find("CMP-001"), .value = cases[i].before};
        struct audit_hit is = {.rule = rules_find("CMP-001"), .value = cases[i].now};

        begin_inventory();
        plain_topic("table", 3);
        keep();
        plain_topic("table", 3);
        derive();
        before.topics[0].hits = before.hits = &was;
        inventory.topics[0].hits = &is;
        inventory.hits = NULL;
        baseline_apply(&before, &inventory);
        assert_int_equal(is.is_known, cases[i].known);
        end();
    }
}

/* Another baseline takes the marks of the one before away. */
static void
marks_are_made_anew(void **state)
{
    struct audit_inventory none;

    (void)state;
    begin_inventory();
    transactional("orders");
    keep();
    transactional("orders");
    derive();
    baseline_apply(&before, &inventory);
    verdicts_are(0, RULES_BLOCKED, RULES_READY);
    inventory_init(&none);
    baseline_apply(&none, &inventory);
    verdicts_are(0, RULES_BLOCKED, RULES_BLOCKED);
    inventory_fini(&none);
    end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stood_before_is_known),
        cmocka_unit_test(a_new_finding_of_the_same_topic_is_new),
        cmocka_unit_test(a_new_topic_is_new),
        cmocka_unit_test(who_was_not_sure_before_knew_nothing),
        cmocka_unit_test(marks_are_made_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
