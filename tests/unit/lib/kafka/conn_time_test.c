/* Deadlines, cancelled calls, throttling; replies that are kept, raw frames, calls without answer.
 */
#include "tests/unit/lib/kafka/conn_world.h"

static void
a_call_that_is_not_answered_in_time_ends_all_that_wait_for_it(void **state)
{
    int64_t start_us;

    (void)state;
    broker.silent_from = 2;
    open_conn();
    WAIT(ready_count == 1);
    start_us = loop_now_us(loop);
    call_with(0, &metadata, 50);
    for (int i = 1; i < 5; i++)
        call_with(i, &metadata, 5000);
    WAIT(outcome_count == 5);
    assert_true(loop_now_us(loop) - start_us < 2000000);
    for (int i = 0; i < 5; i++)
        expect(i, i, RC_TIMEOUT);
    assert_int_equal(strncmp(outcomes[0].err.text, "127.0.0.1:", 10), 0);
    assert_non_null(strstr(outcomes[0].err.text, "no answer to metadata within"));
    assert_int_equal(closed_count, 1);
    assert_true(conn_is_closed(conn));
    /* And what is asked of it later ends at once, but not within the call. */
    call(5);
    assert_int_equal(outcome_count, 5);
    WAIT(outcome_count == 6);
    expect(5, 5, RC_CLOSED);
}

static void
a_call_behind_a_slower_one_ends_alone(void **state)
{
    (void)state;
    broker.handler = hold;
    held_count = 0;
    open_conn();
    call_with(0, &metadata, 10000);
    call_with(1, &metadata, 30);
    call_with(2, &metadata, 10000);
    WAIT(outcome_count == 1);
    expect(0, 1, RC_TIMEOUT);
    assert_int_equal(closed_count, 0);
    WAIT(held_count == 3);
    for (int i = 0; i < 3; i++)
        answer_metadata(held_from, &held[i], i, 0);
    WAIT(outcome_count == 3);
    expect(1, 0, RC_OK);
    assert_int_equal(outcomes[1].brokers, 0);
    expect(2, 2, RC_OK);
    assert_int_equal(outcomes[2].brokers, 2);
}

static void
silence_behind_abandoned_calls_is_noticed(void **state)
{
    (void)state;
    broker.handler = hold;
    held_count = 0;
    open_conn();
    call_with(0, &metadata, 10000);
    call_with(1, &metadata, 20);
    WAIT(outcome_count == 1);
    call_with(2, &metadata, 30);
    answer_metadata(held_from, &held[0], 0, 0);
    WAIT(outcome_count == 3);
    expect(1, 0, RC_OK);
    expect(2, 2, RC_TIMEOUT);
    assert_int_equal(closed_count, 1);
}

static void
a_canceled_call_is_forgotten(void **state)
{
    struct conn_call *first, *second;

    (void)state;
    broker.handler = hold;
    held_count = 0;
    open_conn();
    first = call(0);
    second = call(1);
    call(2);
    conn_call_cancel(second);
    WAIT(held_count == 2);
    conn_call_cancel(first);
    answer_metadata(held_from, &held[0], 0, 0);
    answer_metadata(held_from, &held[1], 7, 0);
    WAIT(outcome_count == 1);
    expect(0, 2, RC_OK);
    assert_int_equal(outcomes[0].brokers, 7);
}

static void
throttling_holds_back_what_comes_next(void **state)
{
    int64_t answered_us;

    (void)state;
    broker.handler = hold;
    held_count = 0;
    open_conn();
    call(0);
    WAIT(held_count == 1);
    answer_metadata(held_from, &held[0], 0, 60);
    WAIT(outcome_count == 1);
    answered_us = loop_now_us(loop);
    call(1);
    WAIT(held_count == 2);
    assert_true(loop_now_us(loop) - answered_us >= 60000);
    assert_int_equal(conn_stats(conn)->throttled_ms, 60);
}

static struct conn_reply *kept;

static void
keep(void *arg, struct conn_reply *reply, const struct err *e)
{
    (void)arg;
    assert_int_equal(e->code, RC_OK);
    kept = conn_reply_ref(reply);
}

static void
a_reply_lives_as_long_as_it_is_referenced(void **state)
{
    struct conn_request request = {.api = frame_api(KM_METADATA),
        .body = &metadata,
        .deadline_us = loop_now_us(loop) + 10000000,
        .done = keep};
    const struct km_metadata_response *response;

    (void)state;
    kept = NULL;
    open_conn();
    conn_call(conn, &request);
    WAIT(kept != NULL);
    conn_free(conn);
    conn = NULL;
    response = kept->response;
    assert_int_equal(response->brokers.count, 0);
    assert_int_equal(kept->version, 13);
    assert_true(kept->frame->size > 4);
    conn_reply_unref(kept);
}

static void
an_owner_may_free_it_in_a_callback(void **state)
{
    (void)state;
    free_in_done = true;
    open_conn();
    for (int i = 0; i < 5; i++)
        call(i);
    WAIT(outcome_count > 0);
    loop_step(loop, 1000);
    assert_int_equal(outcome_count, 1);
    broker.silent = true;
    open_conn();
    call_with(6, &metadata, 20);
    call_with(7, &metadata, 20);
    WAIT(outcome_count == 2);
    expect(1, 6, RC_TIMEOUT);
    loop_step(loop, 1000);
    assert_int_equal(closed_count, 0);
}

static void
raw_frames_go_and_come_as_they_are(void **state)
{
    /* ApiVersions v0 with a correlation id of the caller's. */
    static const uint8_t frame[] = {0, 18, 0, 0, 0, 0, 0, 99, 0, 1, 'x'};
    struct conn_request request = {.frame = frame,
        .frame_size = sizeof frame,
        .deadline_us = loop_now_us(loop) + 10000000,
        .done = keep};

    (void)state;
    kept = NULL;
    open_conn();
    conn_call(conn, &request);
    WAIT(kept != NULL);
    assert_null(kept->response);
    assert_int_equal(codec_bytes_int32(kept->frame->data), 99);
    conn_reply_unref(kept);
    conn_free(conn);
    kept = NULL;
    setup.bare = true;
    conn = conn_open(&setup, "127.0.0.1", broker.port, &events, NULL);
    conn_call(conn, &request);
    WAIT(kept != NULL);
    assert_int_equal(broker.conns[1]->requests, 1);
    conn_reply_unref(kept);
}

static int32_t produced;

static void
on_produce(void *arg, struct fake_conn *from, const struct frame_request *request, const void *body)
{
    const struct km_produce_request *in = body;

    (void)arg;
    if (request->api_key == KM_METADATA) {
        answer_metadata(from, request, 0, 0);
        return;
    }
    produced += in->topic_data.items[0].partition_data.items[0].records.size;
}

static void
a_request_without_answer_is_done_when_it_is_sent(void **state)
{
    static uint8_t batch[200000];
    struct wire_fragment fragments[2] = {{batch, 150000}, {batch + 150000, 50000}};
    struct km_produce_request_partition_produce_data partition;
    struct km_produce_request_topic_produce_data topic;
    struct km_produce_request body;
    static const struct wire_range wanted = {3, 11};
    struct conn_request request = {.api = frame_api(KM_PRODUCE),
        .body = &body,
        .wanted = &wanted,
        .no_reply = true,
        .deadline_us = loop_now_us(loop) + 10000000,
        .done = on_done,
        .arg = &numbers[0]};

    (void)state;
    produced = 0;
    broker.handler = on_produce;
    codec_init(&km_produce_request_desc, &body);
    codec_init(&km_produce_request_topic_produce_data_desc, &topic);
    codec_init(&km_produce_request_partition_produce_data_desc, &partition);
    partition.records = (struct wire_records){NULL, fragments, 200000, 2};
    topic.name = (struct wire_string){"t", 1};
    topic.partition_data.items = &partition;
    topic.partition_data.count = 1;
    body.topic_data.items = &topic;
    body.topic_data.count = 1;
    open_conn();
    conn_call(conn, &request);
    call(1);
    WAIT(outcome_count == 2);
    expect(0, 0, RC_OK);
    expect(1, 1, RC_OK);
    assert_int_equal(produced, 200000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_that_is_not_answered_in_time_ends_all_that_wait_for_it),
        TEST(a_call_behind_a_slower_one_ends_alone),
        TEST(silence_behind_abandoned_calls_is_noticed),
        TEST(a_canceled_call_is_forgotten),
        TEST(throttling_holds_back_what_comes_next),
        TEST(a_reply_lives_as_long_as_it_is_referenced),
        TEST(an_owner_may_free_it_in_a_callback),
        TEST(raw_frames_go_and_come_as_they_are),
        TEST(a_request_without_answer_is_done_when_it_is_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
