/* Many partitions of three scripted brokers; each item's end is counted, and every failure that a
 * cluster can have is set by a knob. */
#include "tests/unit/unit.h"

#include "tests/unit/lib/kafka/fake_cluster.h"

#define PARTITIONS 10000

static struct loop *loop;
static struct fake_cluster *fake;
static struct cluster *cluster;
static struct cluster_fan *fan;
static struct cluster_fan_stats stats;

struct result {
    int ends;
    enum rc rc;
    int16_t code;
    int64_t offset;
    char text[ERR_TEXT_MAX];
};
static struct result *results;
static int end_count;
static int in_flight[FAKE_BROKERS + 1], most_in_flight;
static char free_in; /* callback in which to free the fan: t b p d e, or 0 */
static bool endless;

static int
start(void **state)
{
    (void)state;
    fake = xcalloc(1, sizeof *fake);
    results = xcalloc(FAKE_PARTITIONS_MAX, sizeof *results);
    end_count = most_in_flight = 0;
    memset(in_flight, 0, sizeof in_flight);
    free_in = 0;
    endless = false;
    fan = NULL;
    if (loop_new(&loop, NULL) != RC_OK)
        return -1;
    fake_cluster_start(fake, loop, PARTITIONS);
    return cluster_new(loop, &fake->conf, &cluster, NULL) == RC_OK ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    cluster_fan_free(fan);
    cluster_free(cluster);
    fake_cluster_stop(fake);
    loop_free(loop);
    free(fake);
    free(results);
    blob_trim();
    return 0;
}

static void
free_if(char place)
{
    if (free_in != place)
        return;
    cluster_fan_free(fan);
    fan = NULL;
}

static void
on_target(void *arg, uint32_t item, struct cluster_target *out)
{
    (void)arg;
    *out = (struct cluster_target){CLUSTER_LEADER, "t", (int32_t)item};
}

static size_t
on_build(void *arg, struct cluster_fan_batch *batch)
{
    struct km_list_offsets_request *request = batch->request;
    struct km_list_offsets_request_topic *topic =
        codec_array(batch->arena, &km_list_offsets_request_topic_desc, 1);

    (void)arg;
    topic->name = (struct wire_string){"t", 1};
    topic->partitions.items =
        codec_array(batch->arena, &km_list_offsets_request_partition_desc, (int32_t)batch->count);
    topic->partitions.count = (int32_t)batch->count;
    for (size_t i = 0; i < batch->count; i++)
        topic->partitions.items[i].partition_index = (int32_t)batch->items[i];
    request->topics.items = topic;
    request->topics.count = 1;
    if (++in_flight[batch->broker] > most_in_flight)
        most_in_flight = in_flight[batch->broker];
    return batch->count;
}

static void
on_parse(void *arg, struct cluster_fan_batch *batch)
{
    const struct km_list_offsets_response *response = batch->response;
    const struct km_list_offsets_response_topic_response *topic = &response->topics.items[0];

    (void)arg;
    in_flight[batch->broker]--;
    for (int32_t i = 0; i < topic->partitions.count; i++) {
        const struct km_list_offsets_response_partition_response *partition =
            &topic->partitions.items[i];
        uint32_t item = (uint32_t)partition->partition_index;

        results[item].offset = partition->offset;
        if (endless && partition->error_code == KE_NONE && results[item].ends < 0)
            cluster_fan_again(batch->fan, item);
        else
            cluster_fan_settle(batch->fan, item, partition->error_code);
        if (free_in == 'p' && i == 1) {
            free_if('p');
            return;
        }
    }
}

static void
on_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct result *result = &results[item];

    (void)arg;
    result->ends++;
    result->rc = rc;
    result->code = code;
    snprintf(result->text, sizeof result->text, "%s", e->text);
    free_if('d');
}

static void
on_end(void *arg)
{
    (void)arg;
    end_count++;
    free_if('e');
}

static struct cluster_fan_spec
spec_of(uint32_t items)
{
    return (struct cluster_fan_spec){.api = frame_api(KM_LIST_OFFSETS),
        .item_count = items,
        .target = on_target,
        .build = on_build,
        .parse = on_parse,
        .done = on_done,
        .end = on_end};
}

static void
run(const struct cluster_fan_spec *spec)
{
    cluster_fan_out(cluster, spec, &stats);
    for (uint32_t i = 0; i < spec->item_count; i++)
        assert_int_equal(results[i].ends, 1);
    assert_int_equal(end_count, 1);
    assert_int_equal(stats.done, spec->item_count);
}

static int32_t
answered_by(uint32_t item)
{
    assert_int_equal(results[item].offset % 1000000, item);
    return (int32_t)(results[item].offset / 1000000);
}

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
    assert_int_equal(fake->list_requests, 3);
    assert_int_equal(fake->metadata_requests, 1);
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
    assert_int_equal(fake->most_partitions, 100);
    assert_int_equal(most_in_flight, 2);
    assert_int_equal(stats.batches, 3 * 34);
}

static void
a_leader_that_has_moved_is_found(void **state)
{
    struct cluster_fan_spec spec = spec_of(PARTITIONS);

    (void)state;
    for (uint32_t i = 0; i < PARTITIONS; i += 7)
        fake->true_leader[i] = (int32_t)(i + 1) % 3 + 1;
    fake->tells_truth_later = true;
    run(&spec);
    assert_int_equal(stats.failed, 0);
    for (uint32_t i = 0; i < PARTITIONS; i++)
        assert_int_equal(answered_by(i), i % 7 == 0 ? (i + 1) % 3 + 1 : i % 3 + 1);
    assert_int_equal(stats.retries, (PARTITIONS + 6) / 7);
    /* One look at the beginning, one for each broker whose answer came by itself. */
    assert_in_range(fake->metadata_requests, 2, 1 + FAKE_BROKERS);
}

static void
an_error_that_stays_is_tried_once_more_and_reported(void **state)
{
    struct cluster_fan_spec spec = spec_of(9);

    (void)state;
    fake->true_leader[4] = 9;
    fake->code[5] = KE_TOPIC_AUTHORIZATION_FAILED;
    fake->code[6] = KE_OFFSET_NOT_AVAILABLE;
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

static void
a_caller_may_want_more_tries_or_none(void **state)
{
    struct cluster_fan_spec spec = spec_of(1);

    (void)state;
    fake->code[0] = KE_COORDINATOR_LOAD_IN_PROGRESS;
    spec.retries = 4;
    run(&spec);
    assert_int_equal(fake->list_requests, 5);
    results[0].ends = 0;
    end_count = fake->list_requests = 0;
    spec.no_retry = true;
    run(&spec);
    assert_int_equal(fake->list_requests, 1);
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
    fake->leader[3] = -1;
    fake->leader[4] = 77;
    spec.target = target_some_unknown;
    run(&spec);
    assert_int_equal(results[0].rc, RC_OK);
    assert_int_equal(results[1].code, KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(results[2].code, KE_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(results[3].code, KE_LEADER_NOT_AVAILABLE);
    assert_int_equal(results[4].code, KE_LISTENER_NOT_FOUND);
    assert_int_equal(results[5].rc, RC_OK);
    /* The first look and one more. */
    assert_int_equal(fake->metadata_requests, 2);
}

static void
a_silent_broker_costs_one_deadline(void **state)
{
    struct cluster_fan_spec spec = spec_of(PARTITIONS);
    int64_t start_us = loop_now_us(loop);

    (void)state;
    fake->brokers[1].silent_from = 2;
    spec.batch_items_max = 10;
    spec.batch_timeout_ms = 300;
    run(&spec);
    assert_true(loop_now_us(loop) - start_us < 3000000);
    for (uint32_t i = 0; i < PARTITIONS; i++)
        assert_int_equal(results[i].rc, i % 3 == 1 ? RC_TIMEOUT : RC_OK);
    assert_non_null(strstr(results[1].text, "no answer to list_offsets within"));
    assert_int_equal(stats.retries, 0);
}

static void
a_broker_that_is_away_fails_its_items_after_one_more_try(void **state)
{
    struct cluster_fan_spec spec = spec_of(300);

    (void)state;
    listener_close(fake->brokers[2].listener);
    fake->brokers[2].listener = NULL;
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
    fake->brokers[1].cut_after = 1400;
    run(&spec);
    assert_int_equal(stats.failed, 100);
    fake->brokers[1].cut_after = 0;
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
    fake->leaves_out_odd = true;
    run(&spec);
    for (uint32_t i = 0; i < 30; i++)
        assert_int_equal(results[i].rc, i % 2 == 1 ? RC_PROTOCOL : RC_OK);
    assert_non_null(strstr(results[1].text, "leaves out what was asked for"));
}

static void
an_api_that_a_broker_lacks_fails_without_a_request(void **state)
{
    struct cluster_fan_spec spec = spec_of(30);

    (void)state;
    fake->brokers[0].hidden_api = KM_LIST_OFFSETS;
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
    int64_t start_us = loop_now_us(loop);

    (void)state;
    fake->brokers[0].silent_from = fake->brokers[1].silent_from = fake->brokers[2].silent_from = 3;
    spec.batch_items_max = 1;
    spec.deadline_us = start_us + 100000;
    run(&spec);
    assert_true(loop_now_us(loop) - start_us < 2000000);
    assert_true(stats.failed > 290);
    assert_int_equal(results[299].rc, RC_TIMEOUT);
    assert_string_equal(results[299].text, "list_offsets: no time left");
}

static void
nobody_to_ask_fails_every_item_with_the_reason(void **state)
{
    struct cluster_fan_spec spec = spec_of(50);

    (void)state;
    listener_close(fake->brokers[0].listener);
    fake->brokers[0].listener = NULL;
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
    assert_int_equal(fake->metadata_requests, 0);
}

#define WAIT(cond)                                                                                 \
    for (int64_t until_us = loop_now_us(loop) + 20000000; !(cond);) {                              \
        assert_true(loop_now_us(loop) < until_us);                                                 \
        loop_step(loop, 1000000);                                                                  \
    }

static void
an_item_may_go_on_for_ever_and_survives_a_new_leader(void **state)
{
    struct cluster_fan_spec spec = spec_of(30);

    (void)state;
    endless = true;
    spec.batches_per_broker = 1;
    for (uint32_t i = 0; i < 30; i++)
        results[i].ends = -1;
    fan = cluster_fan_start(cluster, &spec);
    WAIT(fake->list_requests > 100);
    assert_int_equal(answered_by(4), 2);
    fake->true_leader[4] = 3;
    fake->tells_truth_later = true;
    WAIT(answered_by(4) == 3);
    /* It moves again: the retries count from the last success. */
    fake->true_leader[4] = 1;
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
    spec.batch_timeout_ms = fake->conf.connect_timeout_ms = 40;
    for (uint32_t i = 0; i < 30; i++)
        results[i].ends = -1;
    fan = cluster_fan_start(cluster, &spec);
    WAIT(fake->list_requests > 20);
    fake->brokers[1].silent = true;
    WAIT(cluster_fan_stats(fan)->retries >= 30);
    for (int i = 0; i < FAKE_BROKERS; i++)
        fake_drop_all(&fake->brokers[i]);
    fake->brokers[0].silent = fake->brokers[2].silent = true;
    WAIT(cluster_fan_stats(fan)->retries >= 100);
    assert_int_equal(cluster_fan_stats(fan)->done, 0);
    for (int i = 0; i < FAKE_BROKERS; i++)
        fake->brokers[i].silent = false;
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
    assert_int_equal(fake->list_requests, 0);
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
    fan = cluster_fan_start(cluster, &spec);
    WAIT(parked == 3);
    loop_step(loop, 10000);
    assert_int_equal(fake->list_requests, 3);
    cluster_fan_wake(fan, 1);
    cluster_fan_wake(fan, 1);
    WAIT(parked == 4);
    assert_int_equal(fake->list_requests, 4);
    assert_int_equal(end_count, 0);
}

static void
an_item_that_has_failed_can_be_woken(void **state)
{
    struct cluster_fan_spec spec = spec_of(3);

    (void)state;
    fake->brokers[1].silent_from = 2;
    spec.batch_timeout_ms = 50;
    fan = cluster_fan_start(cluster, &spec);
    WAIT(end_count == 1);
    assert_int_equal(results[1].rc, RC_TIMEOUT);
    fake->brokers[1].silent_from = 0;
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
        fan = cluster_fan_start(cluster, &spec);
        WAIT(fan == NULL);
        loop_step(loop, 1000);
    }
    /* And at any time in between. */
    free_in = 0;
    for (int rounds = 0; rounds < 12; rounds++) {
        fan = cluster_fan_start(cluster, &spec);
        for (int i = 0; i < rounds; i++)
            loop_step(loop, 1000);
        cluster_fan_free(fan);
    }
    fan = NULL;
    fake->brokers[0].silent_from = fake->brokers[1].silent_from = 2;
    free_in = 'd';
    spec.batch_timeout_ms = 30;
    fan = cluster_fan_start(cluster, &spec);
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
    assert_int_equal(fake->find_requests, 3);
    assert_int_equal(fake->find_keys, GROUPS);
    assert_int_equal(fake->group_requests, 1);
    /* They are remembered. */
    memset(results, 0, GROUPS * sizeof *results);
    end_count = 0;
    run(&spec);
    assert_int_equal(fake->find_requests, 3);
}

static void
an_old_broker_is_asked_for_one_coordinator_at_a_time(void **state)
{
    struct cluster_fan_spec spec = spec_of_groups();

    (void)state;
    for (int i = 0; i < FAKE_BROKERS; i++) {
        fake->brokers[i].capped_api = KM_FIND_COORDINATOR;
        fake->brokers[i].capped_max = 3;
    }
    run(&spec);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(fake->find_requests, GROUPS);
}

static void
a_coordinator_that_has_moved_is_looked_up_again(void **state)
{
    struct cluster_fan_spec spec = spec_of_groups();

    (void)state;
    run(&spec);
    fake->coordinator = fake->true_coordinator = 1;
    memset(results, 0, GROUPS * sizeof *results);
    end_count = 0;
    run(&spec);
    assert_int_equal(stats.failed, 0);
    assert_int_equal(stats.retries, GROUPS);
    assert_int_equal(fake->find_keys, 2 * GROUPS);
}

static void
a_coordinator_that_is_not_there_is_reported(void **state)
{
    struct cluster_fan_spec spec = spec_of_groups();

    (void)state;
    fake->find_code = KE_GROUP_AUTHORIZATION_FAILED;
    run(&spec);
    for (int i = 0; i < GROUPS; i++)
        assert_int_equal(results[i].code, KE_GROUP_AUTHORIZATION_FAILED);
    fake->find_code = KE_COORDINATOR_NOT_AVAILABLE;
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
    listener_close(fake->brokers[2].listener);
    fake->brokers[2].listener = NULL;
    fake_drop_all(&fake->brokers[2]);
    fake->brokers[1].silent = true;
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
        TEST(every_item_is_asked_of_its_leader_in_few_requests),
        TEST(requests_are_no_larger_and_no_more_than_allowed),
        TEST(a_leader_that_has_moved_is_found),
        TEST(an_error_that_stays_is_tried_once_more_and_reported),
        TEST(a_caller_may_want_more_tries_or_none),
        TEST(what_has_no_broker_ends_with_its_code_and_alone),
        TEST(a_silent_broker_costs_one_deadline),
        TEST(a_broker_that_is_away_fails_its_items_after_one_more_try),
        TEST(a_connection_that_breaks_is_opened_again),
        TEST(an_answer_that_leaves_something_out_fails_just_that),
        TEST(an_api_that_a_broker_lacks_fails_without_a_request),
        TEST(the_budget_of_bytes_stops_it),
        TEST(the_budget_of_time_ends_all),
        TEST(nobody_to_ask_fails_every_item_with_the_reason),
        TEST(no_items_end_at_once),
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
