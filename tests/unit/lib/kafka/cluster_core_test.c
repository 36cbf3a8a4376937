/* Refreshes that run beside each other, are canceled, or run out of time. */
#include "tests/unit/unit.h"

#include "lib/kafka/cluster_core.h"
#include "tests/unit/lib/kafka/fake_cluster.h"

static struct loop *loop;
static struct fake_cluster *fake;
static struct cluster *cluster;
static int calls;
static struct err got;

static int
start(void **state)
{
    (void)state;
    calls = 0;
    fake = xcalloc(1, sizeof *fake);
    if (loop_new(&loop, NULL) != RC_OK)
        return -1;
    fake_cluster_start(fake, loop, 3);
    return cluster_new(loop, &fake->conf, &cluster, NULL) == RC_OK ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    cluster_free(cluster);
    fake_cluster_stop(fake);
    loop_free(loop);
    free(fake);
    blob_trim();
    return 0;
}

static void
on_refreshed(void *arg, const struct err *e)
{
    (void)arg;
    calls++;
    got = *e;
}

#define WAIT(cond)                                                                                 \
    for (int64_t until_us = loop_now_us(loop) + 10000000; !(cond);) {                              \
        assert_true(loop_now_us(loop) < until_us);                                                 \
        loop_step(loop, 1000000);                                                                  \
    }

static void
several_may_run_beside_each_other(void **state)
{
    static const char *const names[] = {"t"};
    struct cluster_refresh_topics all = {.all = true}, some = {.count = 1, .names = names},
                                  none = {.count = 0};

    (void)state;
    cluster_refresh_start(cluster, &all, 0, on_refreshed, NULL);
    cluster_refresh_start(cluster, &some, 0, on_refreshed, NULL);
    cluster_refresh_start(cluster, &none, 0, on_refreshed, NULL);
    assert_int_equal(calls, 0);
    WAIT(calls == 3);
    assert_int_equal(got.code, RC_OK);
    assert_int_equal(fake->brokers[0].accepted, 1);
    assert_non_null(cluster_map_topic(&cluster->map, "t"));
}

static void
a_canceled_one_never_calls_back(void **state)
{
    struct cluster_refresh_topics all = {.all = true};

    (void)state;
    for (int rounds = 0; rounds < 10; rounds++) {
        struct cluster_refresh *refresh =
            cluster_refresh_start(cluster, &all, 0, on_refreshed, NULL);

        for (int i = 0; i < rounds && calls == 0; i++)
            loop_step(loop, 1000);
        if (calls == 0)
            cluster_refresh_cancel(refresh);
        calls = 0;
    }
    cluster_refresh_cancel(NULL);
    loop_step(loop, 1000);
    assert_int_equal(calls, 0);
}

static void
time_runs_out_with_what_was_learnt_so_far(void **state)
{
    struct cluster_refresh_topics all = {.all = true};

    (void)state;
    fake->conf.server_count = 2;
    cluster_free(cluster);
    assert_int_equal(cluster_new(loop, &fake->conf, &cluster, NULL), RC_OK);
    listener_close(fake->brokers[0].listener);
    fake->brokers[0].listener = NULL;
    fake->brokers[1].silent = true;
    cluster_refresh_start(cluster, &all, loop_now_us(loop) + 50000, on_refreshed, NULL);
    WAIT(calls == 1);
    assert_int_equal(got.code, RC_TIMEOUT);
    assert_non_null(strstr(got.text, "no metadata in time: 127.0.0.1:"));
}

static void
a_broker_too_old_to_ask_without_creating_is_not_asked(void **state)
{
    struct cluster_refresh_topics all = {.all = true};

    (void)state;
    fake->brokers[0].capped_api = KM_METADATA;
    fake->brokers[0].capped_max = 3;
    cluster_refresh_start(cluster, &all, 0, on_refreshed, NULL);
    WAIT(calls == 1);
    assert_int_equal(got.code, RC_UNSUPPORTED);
    assert_int_equal(fake->metadata_requests, 0);
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
