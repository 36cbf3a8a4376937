/* Keys of all types, what is kept of them, and answers that cannot be used. The way through a fan
 * is in cluster_fan_test. */
#include "tests/unit/unit.h"

#include "lib/kafka/cluster_coord.h"
#include "tests/unit/lib/kafka/cluster_rig.h"

static struct cluster_rig rig;
static int calls;
static struct err got;

static int
start(void **state)
{
    (void)state;
    calls = 0;
    return cluster_rig_start(&rig, 3);
}

static int
end(void **state)
{
    (void)state;
    cluster_rig_stop(&rig);
    return 0;
}

static void
on_found(void *arg, const struct err *e)
{
    (void)arg;
    calls++;
    got = *e;
}

static void
find(const struct cluster_coord_key *keys, size_t count)
{
    int before = calls;

    assert_non_null(cluster_coord_find_start(rig.cluster, keys, count, 0, on_found, NULL));
    while (calls == before)
        loop_step(rig.loop, 1000000);
}

static void
keys_of_all_types_are_kept_apart(void **state)
{
    static const struct cluster_coord_key keys[] = {
        {CLUSTER_COORD_GROUP, "a"}, {CLUSTER_COORD_TRANSACTION, "a"}, {CLUSTER_COORD_GROUP, "b"}};
    int32_t broker;

    (void)state;
    assert_int_equal(cluster_coord_get(rig.cluster, CLUSTER_COORD_GROUP, "a", &broker), KE_NONE);
    assert_int_equal(broker, -1);
    find(keys, 2);
    assert_int_equal(got.code, RC_OK);
    assert_int_equal(cluster_coord_get(rig.cluster, CLUSTER_COORD_GROUP, "a", &broker), KE_NONE);
    assert_int_equal(broker, 3);
    assert_int_equal(
        cluster_coord_get(rig.cluster, CLUSTER_COORD_TRANSACTION, "a", &broker), KE_NONE);
    assert_int_equal(broker, 3);
    assert_int_equal(cluster_coord_get(rig.cluster, CLUSTER_COORD_SHARE, "a", &broker), KE_NONE);
    assert_int_equal(broker, -1);
    cluster_coord_forget(rig.cluster, CLUSTER_COORD_GROUP, "a");
    assert_int_equal(cluster_coord_get(rig.cluster, CLUSTER_COORD_GROUP, "a", &broker), KE_NONE);
    assert_int_equal(broker, -1);
    assert_int_equal(
        cluster_coord_get(rig.cluster, CLUSTER_COORD_TRANSACTION, "a", &broker), KE_NONE);
    assert_int_equal(broker, 3);
    cluster_coord_clear(rig.cluster);
    (void)cluster_coord_get(rig.cluster, CLUSTER_COORD_TRANSACTION, "a", &broker);
    assert_int_equal(broker, -1);
}

static void
a_refusal_is_kept_as_its_code(void **state)
{
    static const struct cluster_coord_key key = {CLUSTER_COORD_GROUP, "a"};
    int32_t broker;

    (void)state;
    rig.fake.find_code = KE_GROUP_AUTHORIZATION_FAILED;
    find(&key, 1);
    assert_int_equal(got.code, RC_OK);
    assert_int_equal(cluster_coord_get(rig.cluster, CLUSTER_COORD_GROUP, "a", &broker),
        KE_GROUP_AUTHORIZATION_FAILED);
    assert_int_equal(broker, -1);
}

static void
an_address_that_cannot_be_counts_as_not_available(void **state)
{
    static const struct cluster_coord_key key = {CLUSTER_COORD_GROUP, "a"};
    int32_t broker;

    (void)state;
    /* The metadata is known before the broker starts to lie. */
    find(&key, 1);
    rig.fake.coordinator = 2;
    rig.fake.brokers[1].port = 0;
    cluster_coord_clear(rig.cluster);
    find(&key, 1);
    assert_int_equal(cluster_coord_get(rig.cluster, CLUSTER_COORD_GROUP, "a", &broker),
        KE_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(broker, -1);
}

static void
a_canceled_look_up_never_calls_back(void **state)
{
    static const struct cluster_coord_key key = {CLUSTER_COORD_GROUP, "a"};

    (void)state;
    for (int rounds = 0; rounds < 8; rounds++) {
        struct cluster_coord_find *started =
            cluster_coord_find_start(rig.cluster, &key, 1, 0, on_found, NULL);

        for (int i = 0; i < rounds && calls == 0; i++)
            loop_step(rig.loop, 1000);
        if (calls == 0)
            cluster_coord_find_cancel(started);
        calls = 0;
    }
    cluster_coord_find_cancel(NULL);
    loop_step(rig.loop, 1000);
    assert_int_equal(calls, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_of_all_types_are_kept_apart),
        TEST(a_refusal_is_kept_as_its_code),
        TEST(an_address_that_cannot_be_counts_as_not_available),
        TEST(a_canceled_look_up_never_calls_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
