/* Refreshes that run beside each other, are canceled, or run out of time. */
#include "tests/unit/unit.h"

#include "lib/kafka/cluster_core.h"
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
on_refreshed(void *arg, const struct err *e)
{
    (void)arg;
    calls++;
    got = *e;
}

#define WAIT(cond) CLUSTER_RIG_WAIT(&rig, cond)

static void
several_may_run_beside_each_other(void **state)
{
    static const char *const names[] = {"t"};
    struct cluster_refresh_topics all = {.all = true}, some = {.count = 1, .names = names},
                                  none = {.count = 0};

    (void)state;
    cluster_refresh_start(rig.cluster, &all, 0, on_refreshed, NULL);
    cluster_refresh_start(rig.cluster, &some, 0, on_refreshed, NULL);
    cluster_refresh_start(rig.cluster, &none, 0, on_refreshed, NULL);
    assert_int_equal(calls, 0);
    WAIT(calls == 3);
    assert_int_equal(got.code, RC_OK);
    assert_int_equal(rig.fake.brokers[0].accepted, 1);
    assert_non_null(cluster_map_topic(&rig.cluster->map, "t"));
}

static void
a_canceled_one_never_calls_back(void **state)
{
    struct cluster_refresh_topics all = {.all = true};

    (void)state;
    for (int rounds = 0; rounds < 10; rounds++) {
        struct cluster_refresh *refresh =
            cluster_refresh_start(rig.cluster, &all, 0, on_refreshed, NULL);

        for (int i = 0; i < rounds && calls == 0; i++)
            loop_step(rig.loop, 1000);
        if (calls == 0)
            cluster_refresh_cancel(refresh);
        calls = 0;
    }
    cluster_refresh_cancel(NULL);
    loop_step(rig.loop, 1000);
    assert_int_equal(calls, 0);
}

static void
time_runs_out_with_what_was_learnt_so_far(void **state)
{
    struct cluster_refresh_topics all = {.all = true};

    (void)state;
    cluster_rig_renew(&rig, 2);
    listener_close(rig.fake.brokers[0].listener);
    rig.fake.brokers[0].listener = NULL;
    rig.fake.brokers[1].silent = true;
    cluster_refresh_start(rig.cluster, &all, loop_now_us(rig.loop) + 50000, on_refreshed, NULL);
    WAIT(calls == 1);
    assert_int_equal(got.code, RC_TIMEOUT);
    assert_non_null(strstr(got.text, "no metadata in time: 127.0.0.1:"));
}

static void
a_broker_too_old_to_ask_without_creating_is_not_asked(void **state)
{
    struct cluster_refresh_topics all = {.all = true};

    (void)state;
    rig.fake.brokers[0].capped_api = KM_METADATA;
    rig.fake.brokers[0].capped_max = 3;
    cluster_refresh_start(rig.cluster, &all, 0, on_refreshed, NULL);
    WAIT(calls == 1);
    assert_int_equal(got.code, RC_UNSUPPORTED);
    assert_int_equal(rig.fake.metadata_requests, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(several_may_run_beside_each_other),
        TEST(a_canceled_one_never_calls_back),
        TEST(time_runs_out_with_what_was_learnt_so_far),
        TEST(a_broker_too_old_to_ask_without_creating_is_not_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
