/* The table of rules is sound; those about the cluster hold where they should; what is not known is
 * no "no". */
#include "tests/unit/audit/rules_rig.h"

static void
the_table_is_sound(void **state)
{
    size_t count;
    const struct rules_rule *rules = rules_table(&count);

    (void)state;
    assert_true(count >= 80);
    for (size_t i = 0; i < count; i++) {
        const struct rules_rule *rule = &rules[i];
        bool weighs = false;

        assert_int_equal(strlen(rule->weights), RULES_DESIGNS);
        assert_int_equal(strspn(rule->weights, ".nwcub"), RULES_DESIGNS);
        assert_ptr_equal(rules_find(rule->id), rule);
        assert_true(strlen(rule->id) == 7 && rule->id[3] == '-');
        for (unsigned d = 0; d < RULES_DESIGNS; d++)
            weighs |= rules_weight_of(rule, (enum rules_design)d) != RULES_NOTHING;
        assert_true(weighs);
        assert_true(*rule->title != '\0' && *rule->why != '\0' && *rule->remedy != '\0');
        assert_false(rule->why[strlen(rule->why) - 1] == '.');
        assert_false(rule->remedy[strlen(rule->remedy) - 1] == '.');
    }
    assert_null(rules_find("TXN-999"));
}

/* --- the cluster -------------------------------------------------------------------------------
 */

static void
each_rule_about_the_cluster_holds_where_it_should(void **state)
{
    static const char *const with_all[] = {"CLU-001", "CLU-002", "CLU-003", "CLU-004", "CLU-005",
        "CLU-006", "CLU-007", "CLU-008", "CLU-009", "CLU-010", "CLU-011", "CLU-012", "CLU-013",
        "CLU-014", "CLU-015", "CLU-016", "CLU-017", "CLU-018", "CLU-019", "CLU-020", "CLU-021", "CLU-022"};
    struct wire_string share = {"s", 1}, streams = {"t", 1}, id = {"pay", 3};
    size_t count, of_cluster = 0;
    const struct rules_rule *rules = rules_table(&count);

    (void)state;
    for (size_t i = 0; i < count; i++)
        of_cluster += rules[i].subject == RULES_OF_CLUSTER;
    assert_int_equal(of_cluster, ARRAY_LEN(with_all));
    begin_inventory();
    plain_topic("topic", 4);
    derive();
    assert_null(inventory.hits);
    inventory_fini(&inventory);

    begin_inventory();
    plain_topic("topic", 4)->bytes = 1000;
    inventory_add_group(&inventory, share, AUDIT_GROUP_SHARE);
    inventory_add_group(&inventory, streams, AUDIT_GROUP_STREAMS);
    inventory_add_transactional_id(&inventory, id);
    inventory.is_restricted = true;
    inventory.cluster = (struct audit_cluster){.racks = 3,
        .acls = 1,
        .quotas = 2,
        .client_id_quotas = 1,
        .scram_users = 1,
        .tokens = 1,
        .metrics_subscriptions = 1,
        .odd_brokers = 1,
        .fullest = {2, 1000, 149}};
    inventory.cluster.features[AUDIT_FEATURE_TRANSACTION] = 2;
    inventory.configs[AUDIT_BROKER_AUTO_CREATE].value = "true";
    inventory.configs[AUDIT_BROKER_DEFAULT_CLEANUP_POLICY].value = "compact";
    inventory.configs[AUDIT_BROKER_MESSAGE_MAX_BYTES].value = "100000000";
    inventory.configs[AUDIT_BROKER_AUTHORIZER].value = "com.example.Rules";
    inventory.configs[AUDIT_BROKER_SUPER_USERS].value = "User:root";
    inventory.configs[AUDIT_BROKER_QUOTA_CALLBACK].value = "com.example.Quotas";
    inventory.configs[AUDIT_BROKER_PRODUCER_EXPIRATION_MS].value = "60000";
    derive();
    for (size_t i = 0; i < ARRAY_LEN(with_all); i++)
        if (!holds(inventory.hits, with_all[i]))
            fail_msg("%s does not hold", with_all[i]);
    inventory_fini(&inventory);
}

static void
a_disk_is_nearly_full_below_15_percent(void **state)
{
    static const struct {
        struct audit_disk disk;
        bool is_full;
    } cases[] = {
        {{0, 0, 0}, false},
        {{3, 1000, 150}, false},
        {{3, 1000, 149}, true},
        {{3, 1000, 0}, true},
        {{3, INT64_MAX, 1}, true},
        {{3, -1, -1}, false},
        {{3, 1000, -1}, false},
        {{3, 1, INT64_MIN}, false},
        {{3, INT64_MIN, 1}, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        begin_inventory();
        plain_topic("topic", 4);
        inventory.cluster.fullest = cases[i].disk;
        derive();
        if (holds(inventory.hits, "CLU-021") != cases[i].is_full)
            fail_msg("case %zu", i);
        inventory_fini(&inventory);
    }
}

static void
evidence_names_brokers_and_shares(void **state)
{
    (void)state;
    begin_inventory();
    plain_topic("topic", 4);
    inventory.brokers = 5;
    inventory.cluster.odd_brokers = 2;
    inventory.cluster.fullest = (struct audit_disk){7, 2000, 199};
    derive();
    assert_string_equal(
        inventory.hits->text, "2 of 5 brokers serve other API versions than the first");
    assert_string_equal(
        inventory.hits->next->text, "broker 7 has 9 % of a disk left: 199 of 2000 bytes");
    inventory_fini(&inventory);
}

/* --- what is not known -------------------------------------------------------------------------
 */

static void
no_refused_probe_makes_a_rule_say_no(void **state)
{
    size_t count;
    const struct rules_rule *rules = rules_table(&count);

    (void)state;
    for (size_t i = 0; i < count; i++)
        for (unsigned p = 0; p < AUDIT_PROBES; p++) {
            const struct audit_hit *hit;

            if ((rules[i].needs & UINT64_C(1) << p) == 0)
                continue;
            begin_inventory();
            plain_topic("topic", 4);
            inventory_gap(
                &inventory, INVENTORY_NO_NUMBER, (enum audit_probe)p, NULL, RC_REMOTE, 29, NULL);
            derive();
            hit = rules[i].subject == RULES_OF_CLUSTER ? inventory.hits : inventory.topics[0].hits;
            while (hit != NULL && hit->rule != &rules[i])
                hit = hit->next;
            if (hit == NULL) {
                fail_msg(
                    "%s says no without %s", rules[i].id, audit_probe_api((enum audit_probe)p));
                return;
            }
            assert_int_equal(hit->value, AUDIT_UNKNOWN);
            assert_non_null(strstr(hit->text, "29"));
            for (unsigned d = 0; d < RULES_DESIGNS; d++) {
                enum rules_weight sure = rules_weight_of(&rules[i], (enum rules_design)d);

                assert_int_equal(rules_weight(hit, (enum rules_design)d),
                    sure >= RULES_CHANGES ? RULES_NOT_KNOWN : RULES_NOTHING);
            }
            inventory_fini(&inventory);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(each_rule_about_the_cluster_holds_where_it_should),
        cmocka_unit_test(a_disk_is_nearly_full_below_15_percent),
        cmocka_unit_test(evidence_names_brokers_and_shares),
        cmocka_unit_test(no_refused_probe_makes_a_rule_say_no),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
