/* Fans that go on, wait and are freed; coordinators and any broker as targets. */
#include "tests/unit/lib/kafka/fan_world.h"

static void
an_item_may_go_on_for_ever_and_survives_a_new_leader(void **state)
{
    struct cluster_fan_spec spec = spec_of(30);

    (void)state;
    endless = true;
    spec.batches_per_broker = 1;
    for (uint32_t i = 0; i < 30; i++)
        results[i].ends = -1;
    fan = cluster_fan_start(rig.cluster, &spec);
    WAIT(rig.fake.list_requests > 100);
    assert_int_equal(answered_by(4), 2);
    rig.fake.true_leader[4] = 3;
    rig.fake.tells_truth_later = true;
    WAIT(answered_by(4) == 3);
    /* It moves again: the retries count from the last success. */
    rig.fake.true_leader[4] = 1;
    WAIT(answered_by(4) == 1);
    for (uint32_t i = 0; i < 30; i++)
        assert_int_equal(results[i].ends, -1);
    for (uint32_t i = 0; i < 30; i++)
        results[i].ends = 0;
    WAIT(end_count == 1);
    assert_int_equal(cluster_fan_stats(fan)->failed, 0);
}

static void
for_ever_means_through_silence_and_absence(void **state)
{
    struct cluster_fan_spec spec = spec_of(30);

    (void)state;
    endless = true;
    spec.retries = CLUSTER_FAN_FOR_EVER;
    spec.batch_timeout_ms = rig.fake.conf.connect_timeout_ms = 40;
    for (uint32_t i = 0; i < 30; i++)
        results[i].ends = -1;
    fan = cluster_fan_start(rig.cluster, &spec);
    WAIT(rig.fake.list_requests > 20);
    rig.fake.brokers[1].silent = true;
    WAIT(cluster_fan_stats(fan)->retries >= 30);
    for (int i = 0; i < FAKE_BROKERS; i++)
        fake_drop_all(&rig.fake.brokers[i]);
    rig.fake.brokers[0].silent = rig.fake.brokers[2].silent = true;
    WAIT(cluster_fan_stats(fan)->retries >= 100);
    assert_int_equal(cluster_fan_stats(fan)->done, 0);
    for (int i = 0; i < FAKE_BROKERS; i++)
        rig.fake.brokers[i].silent = false;
    for (uint32_t i = 0; i < 30; i++)
        results[i].ends = 0;
    WAIT(end_count == 1);
    assert_int_equal(cluster_fan_stats(fan)->failed, 0);
}

static size_t
build_too_much(void *arg, struct cluster_fan_batch *batch)
{
    (void)arg;
    assert_null(arena_alloc(batch->arena, CLUSTER_FAN_REQUEST_BYTES_MAX));
    return 0;
}

static void
a_request_that_does_not_fit_into_memory_fails_its_items(void **state)
{
    struct cluster_fan_spec spec = spec_of(30);

    (void)state;
    spec.build = build_too_much;
    run(&spec);
    for (uint32_t i = 0; i < 30; i++)
        assert_int_equal(results[i].rc, RC_LIMIT);
    assert_int_equal(rig.fake.list_requests, 0);
}

static int parked;

static void
parse_and_park(void *arg, struct cluster_fan_batch *batch)
{
    (void)arg;
    for (size_t i = 0; i < batch->count; i++)
        cluster_fan_park(batch->fan, batch->items[i]);
    parked += (int)batch->count;
}

static void
a_parked_item_waits_until_it_is_woken(void **state)
{
    struct cluster_fan_spec spec = spec_of(3);

    (void)state;
    parked = 0;
    spec.parse = parse_and_park;
    fan = cluster_fan_start(rig.cluster, &spec);
    WAIT(parked == 3);
    loop_step(rig.loop, 10000);
    assert_int_equal(rig.fake.list_requests, 3);
    cluster_fan_wake(fan, 1);
    cluster_fan_wake(fan, 1);
    WAIT(parked == 4);
    assert_int_equal(rig.fake.list_requests, 4);
    assert_int_equal(end_count, 0);
}

static void
an_item_that_has_failed_can_be_woken(void **state)
{
    struct cluster_fan_spec spec = spec_of(3);

    (void)state;
    rig.fake.brokers[1].silent_from = 2;
    spec.batch_timeout_ms = 50;
    fan = cluster_fan_start(rig.cluster, &spec);
    WAIT(end_count == 1);
    assert_int_equal(results[1].rc, RC_TIMEOUT);
    rig.fake.brokers[1].silent_from = 0;
    cluster_fan_wake(fan, 1);
    WAIT(end_count == 2);
    assert_int_equal(results[1].rc, RC_OK);
    assert_int_equal(results[1].ends, 2);
}

static void
an_owner_may_free_it_in_any_callback(void **state)
{
    static const char places[] = "pde";
    struct cluster_fan_spec spec = spec_of(300);

    (void)state;
    spec.batch_items_max = 10;
    for (size_t i = 0; places[i] != '\0'; i++) {
        free_in = places[i];
        fan = cluster_fan_start(rig.cluster, &spec);
        WAIT(fan == NULL);
        loop_step(rig.loop, 1000);
    }
    /* And at any time in between. */
    free_in = 0;
    for (int rounds = 0; rounds < 12; rounds++) {
        fan = cluster_fan_start(rig.cluster, &spec);
        for (int i = 0; i < rounds; i++)
            loop_step(rig.loop, 1000);
        cluster_fan_free(fan);
    }
    fan = NULL;
    rig.fake.brokers[0].silent_from = rig.fake.brokers[1].silent_from = 2;
    free_in = 'd';
    spec.batch_timeout_ms = 30;
    fan = cluster_fan_start(rig.cluster, &spec);
    WAIT(fan == NULL);
}

/* --- coordinators ------------------------------------------------------------------------------
 */

#define GROUPS 500

static char group_names[GROUPS][16];

static void
target_group(void *arg, uint32_t item, struct cluster_target *out)
{
    (void)arg;
    snprintf(group_names[item], sizeof group_names[item], "g%u", item);
    *out = (struct cluster_target){CLUSTER_GROUP, group_names[item], 0};
}

static size_t
build_groups(void *arg, struct cluster_fan_batch *batch)
{
    struct km_describe_groups_request *request = batch->request;

    (void)arg;
    request->groups.items = arena_array(batch->arena, batch->count, sizeof *request->groups.items);
    request->groups.count = (int32_t)batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        const char *name = group_names[batch->items[i]];

        request->groups.items[i] = (struct wire_string){name, (int32_t)strlen(name)};
    }
    return batch->count;
}

static void
parse_groups(void *arg, struct cluster_fan_batch *batch)
{
    const struct km_describe_groups_response *response = batch->response;

    (void)arg;
    for (int32_t i = 0; i < response->groups.count; i++)
        cluster_fan_settle(batch->fan, batch->items[i], response->groups.items[i].error_code);
}

static struct cluster_fan_spec
spec_of_groups(void)
{
    struct cluster_fan_spec spec = spec_of(GROUPS);

    spec.api = frame_api(KM_DESCRIBE_GROUPS);
    spec.target = target_group;
    spec.build = build_groups;
    spec.parse = parse_groups;
    return spec;
}

static void
groups_are_asked_of_their_coordinators(void **state)
{
    struct cluster_fan_spec spec = spec_of_groups();

    (void)state;
    run(&spec);
    assert_int_equal(stats.failed, 0);
    /* Any broker can tell, so each gets a share of the keys. */
    assert_int_equal(rig.fake.find_requests, 3);
    assert_int_equal(rig.fake.find_keys, GROUPS);
    assert_int_equal(rig.fake.group_requests, 1);
    /* They are remembered. */
    memset(results, 0, GROUPS * sizeof *results);
    end_count = 0;
    run(&spec);
    assert_int_equal(rig.fake.find_requests, 3);
}

static void
an_old_broker_is_asked_for_one_coordinator_at_a_time(void **state)
{
    struct cluster_fan_spec spec = spec_of_groups();

    (void)state;
    for (int i = 0; i < FAKE_BROKERS; i++) {
        rig.fake.brokers[i].capped_api = KM_FIND_COORDINATOR;
        rig.fake.brokers[i].capped_max = 3;
    }
    run(&spec);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(rig.fake.find_requests, GROUPS);
}

static void
a_coordinator_that_has_moved_is_looked_up_again(void **state)
{
    struct cluster_fan_spec spec = spec_of_groups();

    (void)state;
    run(&spec);
    rig.fake.coordinator = rig.fake.true_coordinator = 1;
    memset(results, 0, GROUPS * sizeof *results);
    end_count = 0;
    run(&spec);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(stats.retries, GROUPS);
    assert_int_equal(rig.fake.find_keys, 2 * GROUPS);
}

static void
a_coordinator_that_is_not_there_is_reported(void **state)
{
    struct cluster_fan_spec spec = spec_of_groups();

    (void)state;
    rig.fake.find_code = KE_GROUP_AUTHORIZATION_FAILED;
    run(&spec);
    for (int i = 0; i < GROUPS; i++)
        assert_int_equal(results[i].code, KE_GROUP_AUTHORIZATION_FAILED);
    rig.fake.find_code = KE_COORDINATOR_NOT_AVAILABLE;
    memset(results, 0, GROUPS * sizeof *results);
    end_count = 0;
    run(&spec);
    for (int i = 0; i < GROUPS; i++)
        assert_int_equal(results[i].code, KE_COORDINATOR_NOT_AVAILABLE);
}

/* --- any broker --------------------------------------------------------------------------------
 */

static void
target_any(void *arg, uint32_t item, struct cluster_target *out)
{
    (void)arg;
    (void)item;
    out->kind = CLUSTER_ANY;
}

static int asked[FAKE_BROKERS + 1];

static size_t
build_metadata(void *arg, struct cluster_fan_batch *batch)
{
    (void)arg;
    asked[batch->broker]++;
    return 1;
}

static void
parse_metadata(void *arg, struct cluster_fan_batch *batch)
{
    (void)arg;
    cluster_fan_settle(batch->fan, batch->items[0], KE_NONE);
}

static void
what_any_broker_can_answer_is_spread_and_outlives_two_of_three(void **state)
{
    struct cluster_fan_spec spec = spec_of(30);

    (void)state;
    memset(asked, 0, sizeof asked);
    spec.api = frame_api(KM_METADATA);
    spec.target = target_any;
    spec.build = build_metadata;
    spec.parse = parse_metadata;
    run(&spec);
    assert_int_equal(stats.failed, 0);
    for (int i = 1; i <= FAKE_BROKERS; i++)
        assert_int_equal(asked[i], 10);
    listener_close(rig.fake.brokers[2].listener);
    rig.fake.brokers[2].listener = NULL;
    fake_drop_all(&rig.fake.brokers[2]);
    rig.fake.brokers[1].silent = true;
    spec.batch_timeout_ms = 50;
    memset(results, 0, 30 * sizeof *results);
    end_count = 0;
    run(&spec);
    assert_int_equal(stats.failed, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_item_may_go_on_for_ever_and_survives_a_new_leader),
        TEST(for_ever_means_through_silence_and_absence),
        TEST(a_request_that_does_not_fit_into_memory_fails_its_items),
        TEST(a_parked_item_waits_until_it_is_woken),
        TEST(an_item_that_has_failed_can_be_woken),
        TEST(an_owner_may_free_it_in_any_callback),
        TEST(groups_are_asked_of_their_coordinators),
        TEST(an_old_broker_is_asked_for_one_coordinator_at_a_time),
        TEST(a_coordinator_that_has_moved_is_looked_up_again),
        TEST(a_coordinator_that_is_not_there_is_reported),
        TEST(what_any_broker_can_answer_is_spread_and_outlives_two_of_three),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
