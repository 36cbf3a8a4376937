/* Many partitions of three scripted brokers; each item's end is counted, and every failure that a
 * cluster can have is set by a knob. */
#include "tests/unit/lib/kafka/fan_world.h"

static void
every_item_is_asked_of_its_leader_in_few_requests(void **state)
{
    struct cluster_fan_spec spec = spec_of(PARTITIONS);

    (void)state;
    run(&spec);
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        assert_int_equal(results[i].rc, RC_OK);
        assert_int_equal(answered_by(i), i % 3 + 1);
    }
    assert_int_equal(stats.batches, 3);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(rig.fake.list_requests, 3);
    assert_int_equal(rig.fake.metadata_requests, 1);
    assert_true(stats.bytes_in > 100000);
}

static void
requests_are_no_larger_and_no_more_than_allowed(void **state)
{
    struct cluster_fan_spec spec = spec_of(PARTITIONS);

    (void)state;
    spec.batch_items_max = 100;
    spec.batches_per_broker = 2;
    run(&spec);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(rig.fake.most_partitions, 100);
    assert_int_equal(most_in_flight, 2);
    assert_int_equal(stats.batches, 3 * 34);
}

static void
a_leader_that_has_moved_is_found(void **state)
{
    struct cluster_fan_spec spec = spec_of(PARTITIONS);

    (void)state;
    for (uint32_t i = 0; i < PARTITIONS; i += 7)
        rig.fake.true_leader[i] = (int32_t)(i + 1) % 3 + 1;
    rig.fake.tells_truth_later = true;
    run(&spec);
    assert_int_equal(stats.failed, 0);
    for (uint32_t i = 0; i < PARTITIONS; i++)
        assert_int_equal(answered_by(i), i % 7 == 0 ? (i + 1) % 3 + 1 : i % 3 + 1);
    assert_int_equal(stats.retries, (PARTITIONS + 6) / 7);
    /* One look at the beginning, one for each broker whose answer came by itself. */
    assert_in_range(rig.fake.metadata_requests, 2, 1 + FAKE_BROKERS);
}

static void
an_error_that_stays_is_tried_once_more_and_reported(void **state)
{
    struct cluster_fan_spec spec = spec_of(9);

    (void)state;
    rig.fake.true_leader[4] = 9;
    rig.fake.code[5] = KE_TOPIC_AUTHORIZATION_FAILED;
    rig.fake.code[6] = KE_OFFSET_NOT_AVAILABLE;
    run(&spec);
    for (uint32_t i = 0; i < 9; i++) {
        int16_t code = i == 4   ? KE_NOT_LEADER_OR_FOLLOWER
                       : i == 5 ? KE_TOPIC_AUTHORIZATION_FAILED
                       : i == 6 ? KE_OFFSET_NOT_AVAILABLE
                                : KE_NONE;

        assert_int_equal(results[i].rc, code == KE_NONE ? RC_OK : RC_REMOTE);
        assert_int_equal(results[i].code, code);
    }
    assert_non_null(strstr(results[5].text, "TOPIC_AUTHORIZATION_FAILED (this user has no right"));
    assert_int_equal(stats.retries, 2);
    assert_int_equal(stats.failed, 3);
}

static unsigned retries_told;

static void
on_retry(void *arg, uint32_t item, const struct err *e)
{
    (void)arg;
    assert_int_equal(item, 0);
    assert_non_null(strstr(e->text, "COORDINATOR_LOAD_IN_PROGRESS ("));
    retries_told++;
}

static void
a_caller_may_want_more_tries_or_none(void **state)
{
    struct cluster_fan_spec spec = spec_of(1);

    (void)state;
    rig.fake.code[0] = KE_COORDINATOR_LOAD_IN_PROGRESS;
    spec.retries = 4;
    spec.retry = on_retry;
    retries_told = 0;
    run(&spec);
    assert_int_equal(rig.fake.list_requests, 5);
    assert_int_equal(retries_told, 4);
    results[0].ends = 0;
    end_count = rig.fake.list_requests = 0;
    spec.no_retry = true;
    run(&spec);
    assert_int_equal(rig.fake.list_requests, 1);
    assert_int_equal(results[0].code, KE_COORDINATOR_LOAD_IN_PROGRESS);
}

static void
target_some_unknown(void *arg, uint32_t item, struct cluster_target *out)
{
    on_target(arg, item, out);
    if (item == 1)
        out->name = "no such topic";
    if (item == 2)
        out->number = PARTITIONS;
}

static void
what_has_no_broker_ends_with_its_code_and_alone(void **state)
{
    struct cluster_fan_spec spec = spec_of(6);

    (void)state;
    rig.fake.leader[3] = -1;
    rig.fake.leader[4] = 77;
    spec.target = target_some_unknown;
    run(&spec);
    assert_int_equal(results[0].rc, RC_OK);
    assert_int_equal(results[1].code, KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(results[2].code, KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(results[3].code, KE_LEADER_NOT_AVAILABLE);
    assert_int_equal(results[4].code, KE_LISTENER_NOT_FOUND);
    assert_int_equal(results[5].rc, RC_OK);
    /* The first look and one more. */
    assert_int_equal(rig.fake.metadata_requests, 2);
}

static void
a_silent_broker_costs_one_deadline(void **state)
{
    struct cluster_fan_spec spec = spec_of(PARTITIONS);
    int64_t start_us = loop_now_us(rig.loop);

    (void)state;
    rig.fake.brokers[1].silent_from = 2;
    spec.batch_items_max = 10;
    spec.batch_timeout_ms = 300;
    run(&spec);
    assert_true(loop_now_us(rig.loop) - start_us < 3000000);
    for (uint32_t i = 0; i < PARTITIONS; i++)
        assert_int_equal(results[i].rc, i % 3 == 1 ? RC_TIMEOUT : RC_OK);
    assert_non_null(strstr(results[1].text, "no answer to list_offsets within"));
    assert_int_equal(stats.retries, 0);
}

static void
target_any(void *arg, uint32_t item, struct cluster_target *out)
{
    (void)arg;
    (void)item;
    *out = (struct cluster_target){.kind = CLUSTER_ANY};
}

static void
again(struct cluster_fan_spec *spec)
{
    memset(results, 0, PARTITIONS * sizeof *results);
    end_count = 0;
    run(spec);
}

/* Three questions to brokers of which one is silent: who avoids it waits for it once, and gets
 * what any broker can say from others. */
static void
a_silent_broker_that_is_avoided_costs_one_deadline_in_all(void **state)
{
    struct cluster_fan_spec spec = spec_of(30);

    (void)state;
    rig.fake.brokers[1].silent = true;
    rig.fake.conf.connect_timeout_ms = 100;
    cluster_avoid_silent(rig.cluster);
    run(&spec);
    for (int round = 0; round < 2; round++) {
        again(&spec);
        for (uint32_t i = 0; i < 30; i++)
            assert_int_equal(results[i].rc, i % 3 == 1 ? RC_TIMEOUT : RC_OK);
        assert_non_null(strstr(results[1].text, "within 100 ms"));
    }
    spec.target = target_any;
    spec.batch_items_max = 1;
    again(&spec);
    /* Others were asked, who lead it or not. */
    for (uint32_t i = 0; i < 30; i++)
        assert_int_not_equal(results[i].rc, RC_TIMEOUT);
    assert_int_equal(rig.fake.brokers[1].accepted, 1);
    rig.fake.brokers[1].silent = false;
    spec.target = on_target;
    cluster_avoid_silent(rig.cluster);
    again(&spec);
    assert_int_equal(stats.failed, 0);
}

static size_t
accepted(void)
{
    size_t sum = 0;

    for (int i = 0; i < FAKE_BROKERS; i++)
        sum += rig.fake.brokers[i].accepted;
    return sum;
}

static void
what_goes_aside_has_connections_of_its_own(void **state)
{
    struct cluster_fan_spec spec = spec_of(30), aside = spec;
    struct conn_stats before, after;
    size_t connections;

    (void)state;
    aside.aside = true;
    run(&spec);
    connections = accepted();
    for (int round = 0; round < 2; round++) {
        cluster_stats(rig.cluster, &before);
        again(&aside);
        cluster_stats(rig.cluster, &after);
        assert_int_equal(stats.failed, 0);
        assert_int_equal(accepted(), connections + FAKE_BROKERS);
        /* And it asks each for its versions first. */
        assert_int_equal(
            after.requests - before.requests, round == 0 ? 2 * FAKE_BROKERS : FAKE_BROKERS);
    }
    again(&spec);
    assert_int_equal(accepted(), connections + FAKE_BROKERS);
}

/* Whichever of its two connections told so. */
static void
a_silent_broker_is_avoided_aside_and_else(bool aside_first)
{
    struct cluster_fan_spec spec = spec_of(30);

    rig.fake.brokers[1].silent = true;
    rig.fake.conf.connect_timeout_ms = 100;
    cluster_avoid_silent(rig.cluster);
    spec.aside = aside_first;
    run(&spec);
    spec.aside = !aside_first;
    again(&spec);
    for (uint32_t i = 0; i < 30; i++)
        assert_int_equal(results[i].rc, i % 3 == 1 ? RC_TIMEOUT : RC_OK);
    assert_int_equal(rig.fake.brokers[1].accepted, 1);
    rig.fake.brokers[1].silent = false;
    cluster_avoid_silent(rig.cluster);
    for (int round = 0; round < 2; round++) {
        spec.aside = !spec.aside;
        again(&spec);
        assert_int_equal(stats.failed, 0);
    }
}

static void
nobody_connects_aside_to_a_silent_broker(void **state)
{
    (void)state;
    a_silent_broker_is_avoided_aside_and_else(false);
}

static void
nobody_connects_to_a_broker_that_is_silent_aside(void **state)
{
    (void)state;
    a_silent_broker_is_avoided_aside_and_else(true);
}

/* A question without an answer says less: what was asked may be at fault. And who has not said so
 * avoids nobody. */
static void
a_broker_that_is_slow_is_asked_again(void **state)
{
    struct cluster_fan_spec spec = spec_of(30);

    (void)state;
    rig.fake.brokers[1].silent_from = 2;
    spec.batch_timeout_ms = 100;
    cluster_avoid_silent(rig.cluster);
    run(&spec);
    assert_int_equal(stats.failed, 10);
    rig.fake.brokers[1].silent_from = 0;
    again(&spec);
    assert_int_equal(stats.failed, 0);
}

static void
a_silent_broker_is_asked_again(void **state)
{
    struct cluster_fan_spec spec = spec_of(30);

    (void)state;
    rig.fake.brokers[1].silent = true;
    rig.fake.conf.connect_timeout_ms = 100;
    run(&spec);
    assert_int_equal(stats.failed, 10);
    rig.fake.brokers[1].silent = false;
    again(&spec);
    assert_int_equal(stats.failed, 0);
}

static void
a_broker_that_is_away_fails_its_items_after_one_more_try(void **state)
{
    struct cluster_fan_spec spec = spec_of(300);

    (void)state;
    listener_close(rig.fake.brokers[2].listener);
    rig.fake.brokers[2].listener = NULL;
    run(&spec);
    for (uint32_t i = 0; i < 300; i++)
        assert_int_equal(results[i].rc, i % 3 == 2 ? RC_IO : RC_OK);
    assert_non_null(strstr(results[2].text, "cannot connect: Connection refused"));
    assert_int_equal(stats.retries, 100);
}

static void
a_connection_that_breaks_is_opened_again(void **state)
{
    struct cluster_fan_spec spec = spec_of(300);

    (void)state;
    /* In the middle of the first answer to ListOffsets, or so. */
    rig.fake.brokers[1].cut_after = 1400;
    run(&spec);
    assert_int_equal(stats.failed, 100);
    rig.fake.brokers[1].cut_after = 0;
    memset(results, 0, 300 * sizeof *results);
    end_count = 0;
    run(&spec);
    assert_int_equal(stats.failed, 0);
}

static void
an_answer_that_leaves_something_out_fails_just_that(void **state)
{
    struct cluster_fan_spec spec = spec_of(30);

    (void)state;
    rig.fake.leaves_out_odd = true;
    run(&spec);
    for (uint32_t i = 0; i < 30; i++)
        assert_int_equal(results[i].rc, i % 2 == 1 ? RC_PROTOCOL : RC_OK);
    assert_non_null(strstr(results[1].text, "leaves out what was asked for"));
}

/* An answer that says everything twice, and something about what was asked of another broker or of
 * nobody. */
static void
parse_too_much(void *arg, struct cluster_fan_batch *batch)
{
    uint32_t other = (batch->items[0] + 1) % 30;

    assert_false(cluster_fan_is_asked(batch->fan, other));
    assert_false(cluster_fan_is_asked(batch->fan, UINT32_MAX));
    cluster_fan_settle(batch->fan, other, KE_UNKNOWN_SERVER_ERROR);
    cluster_fan_again(batch->fan, UINT32_MAX);
    cluster_fan_park(batch->fan, UINT32_MAX);
    assert_true(cluster_fan_is_asked(batch->fan, batch->items[0]));
    on_parse(arg, batch);
    assert_false(cluster_fan_is_asked(batch->fan, batch->items[0]));
    cluster_fan_settle(batch->fan, batch->items[0], KE_UNKNOWN_SERVER_ERROR);
    cluster_fan_again(batch->fan, batch->items[0]);
}

static void
an_answer_that_says_too_much_changes_nothing(void **state)
{
    struct cluster_fan_spec spec = spec_of(30);

    (void)state;
    spec.parse = parse_too_much;
    run(&spec);
    for (uint32_t i = 0; i < 30; i++) {
        assert_int_equal(results[i].rc, RC_OK);
        assert_int_equal(results[i].ends, 1);
    }
    assert_int_equal(stats.batches, 3);
}

static void
an_api_that_a_broker_lacks_fails_without_a_request(void **state)
{
    struct cluster_fan_spec spec = spec_of(30);

    (void)state;
    rig.fake.brokers[0].hidden_api = KM_LIST_OFFSETS;
    run(&spec);
    for (uint32_t i = 0; i < 30; i++)
        assert_int_equal(results[i].rc, i % 3 == 0 ? RC_UNSUPPORTED : RC_OK);
    assert_int_equal(stats.batches, 2);
}

static void
the_budget_of_bytes_stops_it(void **state)
{
    struct cluster_fan_spec spec = spec_of(PARTITIONS);
    int failed = 0;

    (void)state;
    spec.batch_items_max = 100;
    spec.bytes_max = 20000;
    run(&spec);
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        assert_true(results[i].rc == RC_OK || results[i].rc == RC_LIMIT);
        failed += results[i].rc == RC_LIMIT;
    }
    assert_true(failed > PARTITIONS / 2 && failed < PARTITIONS);
    assert_true(stats.bytes_in >= 20000 && stats.bytes_in < 100000);
}

static void
the_budget_of_time_ends_all(void **state)
{
    struct cluster_fan_spec spec = spec_of(300);
    int64_t start_us = loop_now_us(rig.loop);

    (void)state;
    rig.fake.brokers[0].silent_from = rig.fake.brokers[1].silent_from =
        rig.fake.brokers[2].silent_from = 3;
    spec.batch_items_max = 1;
    spec.deadline_us = start_us + 100000;
    run(&spec);
    assert_true(loop_now_us(rig.loop) - start_us < 2000000);
    assert_true(stats.failed > 290);
    assert_int_equal(results[299].rc, RC_TIMEOUT);
    assert_string_equal(results[299].text, "list_offsets: no time left");
}

static void
nobody_to_ask_fails_every_item_with_the_reason(void **state)
{
    struct cluster_fan_spec spec = spec_of(50);

    (void)state;
    listener_close(rig.fake.brokers[0].listener);
    rig.fake.brokers[0].listener = NULL;
    run(&spec);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(results[i].rc, RC_IO);
    assert_non_null(strstr(results[0].text, "cannot connect: Connection refused"));
}

static void
no_items_end_at_once(void **state)
{
    struct cluster_fan_spec spec = spec_of(0);

    (void)state;
    run(&spec);
    assert_int_equal(rig.fake.metadata_requests, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_item_is_asked_of_its_leader_in_few_requests),
        TEST(requests_are_no_larger_and_no_more_than_allowed),
        TEST(a_leader_that_has_moved_is_found),
        TEST(an_error_that_stays_is_tried_once_more_and_reported),
        TEST(a_caller_may_want_more_tries_or_none),
        TEST(what_has_no_broker_ends_with_its_code_and_alone),
        TEST(a_silent_broker_costs_one_deadline),
        TEST(a_silent_broker_that_is_avoided_costs_one_deadline_in_all),
        TEST(what_goes_aside_has_connections_of_its_own),
        TEST(nobody_connects_aside_to_a_silent_broker),
        TEST(nobody_connects_to_a_broker_that_is_silent_aside),
        TEST(a_broker_that_is_slow_is_asked_again),
        TEST(a_silent_broker_is_asked_again),
        TEST(a_broker_that_is_away_fails_its_items_after_one_more_try),
        TEST(a_connection_that_breaks_is_opened_again),
        TEST(an_answer_that_leaves_something_out_fails_just_that),
        TEST(an_answer_that_says_too_much_changes_nothing),
        TEST(an_api_that_a_broker_lacks_fails_without_a_request),
        TEST(the_budget_of_bytes_stops_it),
        TEST(the_budget_of_time_ends_all),
        TEST(nobody_to_ask_fails_every_item_with_the_reason),
        TEST(no_items_end_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
