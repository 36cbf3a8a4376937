/* What is asked for what was collected, counted at three scripted brokers. */
#include "tests/unit/unit.h"

#include "lib/kafka/cluster_lookup.h"
#include "tests/unit/lib/kafka/cluster_rig.h"

static struct cluster_rig rig;
static struct cluster_lookup lookup;
static int calls;
static bool of_coordinators;
static struct err got;

static void
on_end(void *arg, bool coordinators, const struct err *e)
{
    (void)arg;
    calls++;
    of_coordinators = coordinators;
    got = *e;
}

static int
start(void **state)
{
    (void)state;
    calls = 0;
    if (cluster_rig_start(&rig, 3) != 0)
        return -1;
    cluster_lookup_init(&lookup, rig.cluster, on_end, NULL);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    cluster_lookup_fini(&lookup);
    cluster_rig_stop(&rig);
    return 0;
}

static const struct cluster_target leader = {CLUSTER_LEADER, "t", 1};
static const struct cluster_target group = {CLUSTER_GROUP, "g", 0};
static const struct cluster_target any = {.kind = CLUSTER_ANY};

static void
run(void)
{
    int before = calls;

    cluster_lookup_start(&lookup, 0);
    assert_true(cluster_lookup_is_running(&lookup));
    assert_int_equal(calls, before);
    while (calls == before)
        loop_step(rig.loop, 1000000);
    assert_false(cluster_lookup_is_running(&lookup));
    assert_int_equal(got.code, RC_OK);
}

static void
metadata_goes_first_then_coordinators(void **state)
{
    int32_t broker;

    (void)state;
    cluster_lookup_add(&lookup, &group, false);
    cluster_lookup_add(&lookup, &leader, false);
    cluster_lookup_add(&lookup, &leader, false);
    run();
    assert_false(of_coordinators);
    assert_int_equal(rig.fake.metadata_requests, 1);
    assert_int_equal(rig.fake.find_requests, 0);
    assert_non_null(cluster_map_topic(&rig.cluster->map, "t"));
    cluster_lookup_add(&lookup, &group, false);
    run();
    assert_true(of_coordinators);
    assert_int_equal(rig.fake.metadata_requests, 1);
    assert_int_equal(rig.fake.find_keys, 1);
    assert_int_equal(cluster_lookup_coordinator(rig.cluster, &group, &broker), KE_NONE);
    assert_int_equal(broker, 3);
}

static void
a_coordinator_is_forgotten_when_it_is_to_be_found_afresh(void **state)
{
    int32_t broker;

    (void)state;
    cluster_lookup_add(&lookup, &any, false);
    run();
    cluster_lookup_add(&lookup, &group, false);
    run();
    cluster_lookup_add(&lookup, &group, false);
    (void)cluster_lookup_coordinator(rig.cluster, &group, &broker);
    assert_int_equal(broker, 3);
    cluster_lookup_add(&lookup, &group, true);
    (void)cluster_lookup_coordinator(rig.cluster, &group, &broker);
    assert_int_equal(broker, -1);
}

static void
nothing_collected_is_nothing_asked(void **state)
{
    (void)state;
    cluster_lookup_start(&lookup, 0);
    assert_false(cluster_lookup_is_running(&lookup));
    cluster_lookup_add(&lookup, &leader, false);
    cluster_lookup_start(&lookup, 0);
    cluster_lookup_cancel(&lookup);
    assert_false(cluster_lookup_is_running(&lookup));
    loop_step(rig.loop, 1000);
    assert_int_equal(calls, 0);
    assert_true(cluster_lookup_is_coordinator(&group));
    assert_false(cluster_lookup_is_coordinator(&leader));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(metadata_goes_first_then_coordinators),
        TEST(a_coordinator_is_forgotten_when_it_is_to_be_found_afresh),
        TEST(nothing_collected_is_nothing_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
