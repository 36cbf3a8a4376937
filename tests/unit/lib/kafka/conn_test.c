/* One conn against a scripted broker on the same loop; time is real, and every wait ends by a
 * fact. */
#include "tests/unit/unit.h"

#include "lib/kafka/conn.h"
#include "tests/unit/lib/kafka/fake_broker.h"
#include "tests/unit/lib/net/certificates.h"

#define CALLS_MAX 64

static struct loop *loop;
static struct fake_broker broker;
static struct conf_client conf;
static struct conn_setup setup;
static struct conn *conn;
static struct km_metadata_request metadata;
static int ready_count, closed_count;
static struct err closed_err;

/* What became of the calls, in the order in which they ended. */
static struct outcome {
    int number;
    struct err err;
    int32_t brokers;
    int16_t version;
} outcomes[CALLS_MAX];
static int outcome_count;
static int numbers[CALLS_MAX];
static bool free_in_done;

static void
on_ready(void *arg)
{
    (void)arg;
    ready_count++;
}

static void
on_closed(void *arg, const struct err *e)
{
    (void)arg;
    closed_count++;
    closed_err = *e;
}

static const struct conn_events events = {on_ready, on_closed};

/* Answers Metadata with as many brokers as the request names topics, so that answers differ. */
static void
answer_metadata(
    struct fake_conn *to, const struct frame_request *request, int32_t brokers, int32_t throttle_ms)
{
    struct km_metadata_response response;

    codec_init(&km_metadata_response_desc, &response);
    response.brokers.items = codec_array(&broker.arena, &km_metadata_response_broker_desc, brokers);
    response.brokers.count = brokers;
    response.throttle_time_ms = throttle_ms;
    fake_reply(to, request, &response);
}

static void
on_request(void *arg, struct fake_conn *from, const struct frame_request *request, const void *body)
{
    const struct km_metadata_request *in = body;

    (void)arg;
    assert_int_equal(request->api_key, KM_METADATA);
    answer_metadata(from, request, in->topics.count, 0);
}

static int
start(void **state)
{
    static struct conf_text_server server;

    (void)state;
    memset(&conf, 0, sizeof conf);
    conf.servers = &server;
    conf.client_id = "test";
    conf.request_timeout_ms = 10000;
    conf.connect_timeout_ms = 10000;
    conf.response_bytes_max = (size_t)100 << 20;
    ready_count = closed_count = outcome_count = 0;
    free_in_done = false;
    if (loop_new(&loop, NULL) != RC_OK)
        return -1;
    fake_start(&broker, loop);
    broker.handler = on_request;
    codec_init(&km_metadata_request_desc, &metadata);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    conn_free(conn);
    conn = NULL;
    conn_setup_fini(&setup);
    fake_stop(&broker);
    loop_free(loop);
    blob_trim();
    return 0;
}

static void
open_conn(void)
{
    conn_setup_fini(&setup);
    assert_int_equal(conn_setup_init(&setup, loop, &conf, NULL), RC_OK);
    conn = conn_open(&setup, "127.0.0.1", broker.port, &events, NULL);
}

static void
reopen_conn(void)
{
    conn_free(conn);
    outcome_count = closed_count = 0;
    broker.bytes_sent = 0;
    conn = conn_open(&setup, "127.0.0.1", broker.port, &events, NULL);
}

static void
on_done(void *arg, struct conn_reply *reply, const struct err *e)
{
    struct outcome *outcome = &outcomes[outcome_count++];

    memset(outcome, 0, sizeof *outcome);
    outcome->number = *(int *)arg;
    outcome->err = *e;
    outcome->brokers = -1;
    if (reply != NULL && reply->response != NULL) {
        const struct km_metadata_response *response = reply->response;

        outcome->brokers = response->brokers.count;
        outcome->version = reply->version;
    }
    if (free_in_done) {
        conn_free(conn);
        conn = NULL;
    }
}

static struct conn_call *
call_with(int number, const struct km_metadata_request *body, int64_t timeout_ms)
{
    struct conn_request request = {.api = frame_api(KM_METADATA),
        .body = body,
        .deadline_us = loop_now_us(loop) + timeout_ms * 1000,
        .done = on_done,
        .arg = &numbers[number]};

    numbers[number] = number;
    return conn_call(conn, &request);
}

static struct conn_call *
call(int number)
{
    return call_with(number, &metadata, 10000);
}

#define WAIT(cond)                                                                                 \
    for (int64_t until_us = loop_now_us(loop) + 20000000; !(cond);) {                              \
        assert_true(loop_now_us(loop) < until_us);                                                 \
        loop_step(loop, 1000000);                                                                  \
    }

static void
expect(int place, int number, enum rc rc)
{
    if (outcomes[place].err.code != rc)
        print_message("%s\n", outcomes[place].err.text);
    assert_int_equal(outcomes[place].number, number);
    assert_int_equal(outcomes[place].err.code, rc);
}

static void
calls_are_answered_in_the_order_given_even_before_it_is_ready(void **state)
{
    (void)state;
    open_conn();
    for (int i = 0; i < 30; i++)
        call(i);
    assert_int_equal(outcome_count, 0);
    WAIT(outcome_count == 30);
    for (int i = 0; i < 30; i++) {
        expect(i, i, RC_OK);
        assert_int_equal(outcomes[i].version, 13);
    }
    assert_int_equal(ready_count, 1);
    assert_int_equal(conn_load(conn), 0);
    assert_int_equal(conn_stats(conn)->requests, 31);
    assert_true(conn_is_ready(conn));
    assert_string_equal(strrchr(conn_address(conn), ':') - 9, conn_address(conn));
}

static int most_in_flight;
static struct frame_request held[CALLS_MAX];
static struct fake_conn *held_from;
static int held_count;

/* Keeps requests, to be answered when the test says so. */
static void
hold(void *arg, struct fake_conn *from, const struct frame_request *request, const void *body)
{
    (void)arg;
    (void)body;
    held[held_count++] = *request;
    held_from = from;
    if (held_count > most_in_flight)
        most_in_flight = held_count;
}

static void
no_more_than_allowed_are_under_way(void **state)
{
    (void)state;
    broker.handler = hold;
    held_count = most_in_flight = 0;
    open_conn();
    setup.in_flight_max = 3;
    for (int i = 0; i < 10; i++)
        call(i);
    for (int answered = 0; answered < 10; answered++) {
        WAIT(held_count > answered);
        loop_step(loop, 1000);
        assert_true(held_count - answered <= 3);
        answer_metadata(held_from, &held[answered], 0, 0);
        WAIT(outcome_count == answered + 1);
    }
}

static void
the_version_is_the_highest_that_both_know(void **state)
{
    static const struct wire_range wanted = {2, 4};
    struct conn_request request = {.api = frame_api(KM_METADATA),
        .body = &metadata,
        .wanted = &wanted,
        .deadline_us = loop_now_us(loop) + 10000000,
        .done = on_done,
        .arg = &numbers[1]};

    (void)state;
    broker.capped_api = KM_METADATA;
    broker.capped_max = 7;
    open_conn();
    call(0);
    conn_call(conn, &request);
    WAIT(outcome_count == 2);
    assert_int_equal(outcomes[0].version, 7);
    assert_int_equal(outcomes[1].version, 4);
    broker.capped_max = 1;
    reopen_conn();
    conn_call(conn, &request);
    WAIT(outcome_count == 1);
    expect(0, 1, RC_UNSUPPORTED);
    assert_non_null(
        strstr(outcomes[0].err.text, "it speaks metadata 0-1, and 2-4 would be needed"));
    assert_int_equal(closed_count, 0);
}

static void
an_api_that_the_broker_lacks_fails_alone(void **state)
{
    (void)state;
    broker.hidden_api = KM_METADATA;
    open_conn();
    call(0);
    WAIT(outcome_count == 1);
    expect(0, 0, RC_UNSUPPORTED);
    assert_non_null(strstr(outcomes[0].err.text, "it does not speak metadata (API 3)"));
    assert_true(conn_is_ready(conn));
    assert_int_equal(conn_versions_range(conn_versions(conn), frame_api(KM_METADATA)).max, -1);
}

static void
an_old_broker_is_asked_again_in_its_version(void **state)
{
    (void)state;
    broker.api_versions_max = 0;
    open_conn();
    call(0);
    WAIT(outcome_count == 1);
    expect(0, 0, RC_OK);
    assert_int_equal(broker.conns[0]->requests, 3);
}

static void
open_tls(const struct certificate *ca, const struct certificate *host)
{
    struct tls_options options = {.certificate_text = host->text, .key_text = host->key_text};

    assert_int_equal(tls_context_new_server(&options, &broker.tls, NULL), RC_OK);
    conn_setup_fini(&setup);
    conf.with_tls = true;
    conf.tls = (struct tls_options){.ca_text = ca->text};
    open_conn();
}

static void
tls_works_and_says_what_is_wrong(void **state)
{
    struct certificate ca = certificate_make("CA", NULL, NULL);
    struct certificate right = certificate_make("right", "IP:127.0.0.1", &ca);
    struct certificate wrong = certificate_make("wrong", "DNS:elsewhere", &ca);

    (void)state;
    open_tls(&ca, &right);
    call(0);
    WAIT(outcome_count == 1);
    expect(0, 0, RC_OK);
    conn_free(conn);
    outcome_count = 0;
    tls_context_free(broker.tls);
    open_tls(&ca, &wrong);
    call(1);
    WAIT(closed_count == 1);
    expect(0, 1, RC_DENIED);
    assert_non_null(strstr(closed_err.text, "its certificate is for elsewhere, not for 127.0.0.1. "
                                            "Connect by a name that it is for"));
    tls_context_free(broker.tls);
    certificate_fini(&ca);
    certificate_fini(&right);
    certificate_fini(&wrong);
}

static void
use_login(const char *mechanism, const char *password)
{
    broker.user = "anna";
    broker.password = "right";
    broker.mechanism = mechanism;
    conf.with_sasl = true;
    conf.mechanism = mechanism;
    conf.user = "anna";
    conf.password = password;
}

static void
every_mechanism_logs_in(void **state)
{
    static const char *const mechanisms[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        use_login(mechanisms[i], "right");
        if (i == 0)
            open_conn();
        else
            reopen_conn();
        call(0);
        WAIT(outcome_count == 1);
        expect(0, 0, RC_OK);
        assert_true(broker.conns[i]->logged_in);
    }
}

static void
a_wrong_password_is_one_line(void **state)
{
    static const char *const mechanisms[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
    char expected[100];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        use_login(mechanisms[i], "wrong");
        if (i == 0)
            open_conn();
        else
            reopen_conn();
        call(0);
        WAIT(closed_count == 1);
        expect(0, 0, RC_DENIED);
        snprintf(expected, sizeof expected,
            "127.0.0.1:%u refuses user anna (%s): wrong user or password", broker.port,
            mechanisms[i]);
        assert_string_equal(closed_err.text, expected);
        assert_null(strstr(closed_err.text, "wrong user or password wrong"));
    }
}

static void
a_listener_that_wants_something_else_is_named(void **state)
{
    char expected[200];

    (void)state;
    use_login("PLAIN", "right");
    conf.mechanism = "SCRAM-SHA-256";
    open_conn();
    WAIT(closed_count == 1);
    snprintf(expected, sizeof expected,
        "127.0.0.1:%u does not offer SASL mechanism SCRAM-SHA-256 (it offers PLAIN). Use -X "
        "sasl.mechanism=...",
        broker.port);
    assert_string_equal(closed_err.text, expected);
    broker.user = NULL;
    reopen_conn();
    WAIT(closed_count == 1);
    snprintf(expected, sizeof expected,
        "127.0.0.1:%u wants no login: use -X security.protocol=PLAINTEXT", broker.port);
    assert_string_equal(closed_err.text, expected);
    use_login("PLAIN", "right");
    conf.with_sasl = false;
    reopen_conn();
    call(0);
    WAIT(closed_count == 1);
    expect(0, 0, RC_CLOSED);
    assert_non_null(strstr(
        closed_err.text, "It seems to want a login: try -X security.protocol=SASL_PLAINTEXT"));
}

static void
a_login_that_expires_is_renewed_between_two_requests(void **state)
{
    (void)state;
    use_login("SCRAM-SHA-256", "right");
    broker.session_lifetime_ms = 100;
    open_conn();
    call(0);
    WAIT(outcome_count == 1);
    assert_int_equal(broker.conns[0]->requests, 5); /* versions, handshake, two tokens, metadata */
    WAIT(broker.conns[0]->requests >= 8);
    call(1);
    WAIT(outcome_count == 2);
    expect(1, 1, RC_OK);
    assert_int_equal(broker.accepted, 1);
    assert_int_equal(ready_count, 1);
}

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
        TEST(calls_are_answered_in_the_order_given_even_before_it_is_ready),
        TEST(no_more_than_allowed_are_under_way),
        TEST(the_version_is_the_highest_that_both_know),
        TEST(an_api_that_the_broker_lacks_fails_alone),
        TEST(an_old_broker_is_asked_again_in_its_version),
        TEST(tls_works_and_says_what_is_wrong),
        TEST(every_mechanism_logs_in),
        TEST(a_wrong_password_is_one_line),
        TEST(a_listener_that_wants_something_else_is_named),
        TEST(a_login_that_expires_is_renewed_between_two_requests),
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
