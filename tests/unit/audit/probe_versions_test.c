/* Brokers that serve other API versions than the first are counted; features are those of the
 * newest answer; a broker that does not answer leaves open whether it serves the same, and nothing
 * else. */
#include "tests/unit/unit.h"

#include "audit/probe.h"
#include "tests/unit/lib/kafka/cluster_rig.h"

#define DEADLINE_MS 300

static struct cluster_rig rig;
static struct audit_inventory inventory;
static struct probe probe;

static int
start(void **state)
{
    (void)state;
    if (cluster_rig_start(&rig, 1) != 0)
        return -1;
    rig.fake.conf.request_timeout_ms = DEADLINE_MS;
    inventory_init(&inventory);
    probe = (struct probe){&inventory, rig.cluster};
    return probe_begin(&probe, NULL) == RC_OK ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    inventory_fini(&inventory);
    cluster_rig_stop(&rig);
    return 0;
}

static int16_t
level(void)
{
    return inventory.cluster.features[AUDIT_FEATURE_TRANSACTION];
}

static void
brokers_that_serve_the_same_are_not_odd(void **state)
{
    (void)state;
    rig.fake.brokers[1].lists_backwards = true;
    probe_versions_end(probe_versions_begin(&probe));
    assert_int_equal(inventory.cluster.odd_brokers, 0);
    assert_null(inventory.gaps[AUDIT_VERSIONS].why);
    assert_null(inventory.gaps[AUDIT_BROKER_VERSIONS].why);
    assert_true(inventory.asked_ms[AUDIT_VERSIONS] > 0);
    assert_true(inventory.asked_ms[AUDIT_BROKER_VERSIONS] > 0);
}

static void
one_that_serves_less_of_an_api_is(void **state)
{
    (void)state;
    rig.fake.brokers[2].capped_api = KM_FETCH;
    rig.fake.brokers[2].capped_max = 12;
    probe_versions_end(probe_versions_begin(&probe));
    assert_int_equal(inventory.cluster.odd_brokers, 1);
}

static void
so_is_one_without_an_api(void **state)
{
    (void)state;
    rig.fake.brokers[1].hidden_api = KM_SHARE_FETCH;
    probe_versions_end(probe_versions_begin(&probe));
    assert_int_equal(inventory.cluster.odd_brokers, 1);
}

static void
others_are_compared_with_the_lowest_id(void **state)
{
    (void)state;
    rig.fake.brokers[0].hidden_api = KM_SHARE_FETCH;
    probe_versions_end(probe_versions_begin(&probe));
    assert_int_equal(inventory.cluster.odd_brokers, 2);
}

static void
features_are_those_of_the_largest_epoch(void **state)
{
    (void)state;
    for (int i = 0; i < FAKE_BROKERS; i++) {
        rig.fake.brokers[i].feature_level = (int16_t)(i == 1 ? 2 : 1);
        rig.fake.brokers[i].feature_epoch = i == 1 ? 20 : 10;
    }
    probe_versions_end(probe_versions_begin(&probe));
    assert_int_equal(level(), 2);
    assert_int_equal(inventory.cluster.odd_brokers, 0);
}

static void
also_where_the_newest_tells_of_none(void **state)
{
    (void)state;
    rig.fake.brokers[0].feature_level = 1;
    rig.fake.brokers[0].feature_epoch = -1;
    probe_versions_end(probe_versions_begin(&probe));
    assert_int_equal(level(), 1);
}

static void
a_silent_broker_hides_its_own_versions_only(void **state)
{
    (void)state;
    rig.fake.brokers[0].feature_level = 2;
    rig.fake.brokers[0].feature_epoch = 5;
    rig.fake.brokers[1].silent = true;
    rig.fake.brokers[2].hidden_api = KM_SHARE_FETCH;
    probe_versions_end(probe_versions_begin(&probe));
    assert_int_equal(level(), 2);
    assert_int_equal(inventory.cluster.odd_brokers, 1);
    assert_null(inventory.gaps[AUDIT_VERSIONS].why);
    assert_non_null(inventory.gaps[AUDIT_BROKER_VERSIONS].why);
    assert_false(inventory.gaps[AUDIT_BROKER_VERSIONS].unsupported);
    assert_int_equal(inventory.gaps[AUDIT_BROKER_VERSIONS].failures, 1);
}

static void
where_none_answers_nothing_is_known(void **state)
{
    (void)state;
    for (int i = 0; i < FAKE_BROKERS; i++)
        rig.fake.brokers[i].silent = true;
    probe_versions_end(probe_versions_begin(&probe));
    assert_int_equal(inventory.cluster.odd_brokers, 0);
    assert_non_null(inventory.gaps[AUDIT_VERSIONS].why);
    assert_non_null(inventory.gaps[AUDIT_BROKER_VERSIONS].why);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(brokers_that_serve_the_same_are_not_odd),
        TEST(one_that_serves_less_of_an_api_is),
        TEST(so_is_one_without_an_api),
        TEST(others_are_compared_with_the_lowest_id),
        TEST(features_are_those_of_the_largest_epoch),
        TEST(also_where_the_newest_tells_of_none),
        TEST(a_silent_broker_hides_its_own_versions_only),
        TEST(where_none_answers_nothing_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
