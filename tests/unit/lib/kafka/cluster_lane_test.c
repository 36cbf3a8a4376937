/* One lane against one scripted broker; the fan's part is played by the test. */
#include "tests/unit/unit.h"

#include "lib/kafka/cluster_lane.h"
#include "tests/unit/lib/kafka/cluster_rig.h"

#define ITEMS 25

static struct cluster_rig rig;
static struct cluster_lane *lane;
static int sent, answered, failed;
static size_t answered_items;
static enum rc failed_rc;
static size_t take; /* items per request */

static void
on_sent(struct cluster_fan *fan, const struct cluster_fan_batch *batch)
{
    (void)fan;
    (void)batch;
    sent++;
}

static void
on_answered(struct cluster_fan *fan, struct cluster_fan_batch *batch)
{
    (void)fan;
    assert_non_null(batch->response);
    assert_int_equal(batch->items[0], answered_items);
    answered++;
    answered_items += batch->count;
}

static void
on_failed(struct cluster_fan *fan, uint32_t item, const struct err *e)
{
    (void)fan;
    (void)item;
    failed++;
    failed_rc = e->code;
}

static size_t
on_build(void *arg, struct cluster_fan_batch *batch)
{
    (void)arg;
    /* More than a request may take. */
    if (take == SIZE_MAX) {
        assert_null(arena_alloc(batch->arena, CLUSTER_FAN_REQUEST_BYTES_MAX + 1));
        return batch->count;
    }
    return take < batch->count ? take : batch->count;
}

static struct cluster_fan_spec spec;
static struct cluster_lane_owner owner;

static int
start(void **state)
{
    (void)state;
    sent = answered = failed = 0;
    answered_items = 0;
    take = 10;
    if (cluster_rig_start(&rig, 3) != 0)
        return -1;
    spec = (struct cluster_fan_spec){
        .api = frame_api(KM_METADATA), .item_count = ITEMS, .build = on_build};
    owner = (struct cluster_lane_owner){rig.cluster, NULL, &spec, on_sent, on_answered, on_failed};
    lane = cluster_lane_new(&owner, cluster_nodes_get(&rig.cluster->nodes, -2));
    for (uint32_t i = 0; i < ITEMS; i++)
        cluster_lane_push(lane, i);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    cluster_lane_free(lane);
    cluster_rig_stop(&rig);
    return 0;
}

#define WAIT(cond) CLUSTER_RIG_WAIT(&rig, cond)

static void
items_go_out_in_order_in_as_many_requests_as_are_built(void **state)
{
    (void)state;
    cluster_lane_pump(lane);
    WAIT(answered_items == ITEMS);
    assert_int_equal(sent, 3);
    assert_int_equal(answered, 3);
    assert_int_equal(failed, 0);
}

static void
a_broker_that_cannot_be_asked_fails_what_waits_and_what_comes(void **state)
{
    (void)state;
    rig.fake.brokers[0].hidden_api = KM_METADATA;
    cluster_lane_pump(lane);
    WAIT(failed == ITEMS);
    assert_int_equal(failed_rc, RC_UNSUPPORTED);
    assert_true(lane->suspect);
    cluster_lane_push(lane, 0);
    cluster_lane_pump(lane);
    assert_int_equal(failed, ITEMS + 1);
    assert_int_equal(sent, 0);
}

static void
a_broker_that_is_away_may_be_asked_again(void **state)
{
    (void)state;
    listener_close(rig.fake.brokers[0].listener);
    rig.fake.brokers[0].listener = NULL;
    cluster_lane_pump(lane);
    WAIT(failed == ITEMS);
    assert_int_equal(failed_rc, RC_IO);
    assert_int_equal(lane->dead.code, RC_OK);
    assert_true(lane->suspect);
}

static void
a_request_that_takes_too_much_memory_fails_its_items(void **state)
{
    (void)state;
    take = SIZE_MAX;
    cluster_lane_pump(lane);
    WAIT(failed == ITEMS);
    assert_int_equal(failed_rc, RC_LIMIT);
    assert_int_equal(sent, 0);
}

static void
a_stopped_lane_says_nothing_more(void **state)
{
    (void)state;
    cluster_lane_pump(lane);
    WAIT(sent > 0);
    cluster_lane_stop(lane);
    loop_step(rig.loop, 10000);
    loop_step(rig.loop, 10000);
    assert_int_equal(failed, 0);
    assert_true(answered_items < ITEMS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(items_go_out_in_order_in_as_many_requests_as_are_built),
        TEST(a_broker_that_cannot_be_asked_fails_what_waits_and_what_comes),
        TEST(a_broker_that_is_away_may_be_asked_again),
        TEST(a_request_that_takes_too_much_memory_fails_its_items),
        TEST(a_stopped_lane_says_nothing_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
