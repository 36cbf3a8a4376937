/* What both tests of conn stand on: one scripted broker, one conn, and what became of each call. */
#ifndef TESTS_UNIT_LIB_KAFKA_CONN_WORLD_H
#define TESTS_UNIT_LIB_KAFKA_CONN_WORLD_H

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

static inline void
on_ready(void *arg)
{
    (void)arg;
    ready_count++;
}

static inline void
on_closed(void *arg, const struct err *e)
{
    (void)arg;
    closed_count++;
    closed_err = *e;
}

static const struct conn_events events = {on_ready, on_closed};

/* Answers Metadata with as many brokers as the request names topics, so that answers differ. */
static inline void
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

static inline void
on_request(void *arg, struct fake_conn *from, const struct frame_request *request, const void *body)
{
    const struct km_metadata_request *in = body;

    (void)arg;
    assert_int_equal(request->api_key, KM_METADATA);
    answer_metadata(from, request, in->topics.count, 0);
}

static inline int
start(void **state)
{
    static struct conf_text_server server;

    (void)state;
    memset(&conf, 0, sizeof conf);
    conf.names = &conf_names_usual;
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

static inline int
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

static inline void
open_conn(void)
{
    conn_setup_fini(&setup);
    assert_int_equal(conn_setup_init(&setup, loop, &conf, NULL), RC_OK);
    conn = conn_open(&setup, "127.0.0.1", broker.port, &events, NULL);
}

static inline void
reopen_conn(void)
{
    conn_free(conn);
    outcome_count = closed_count = 0;
    broker.bytes_sent = 0;
    conn = conn_open(&setup, "127.0.0.1", broker.port, &events, NULL);
}

static inline void
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

static inline struct conn_call *
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

static inline struct conn_call *
call(int number)
{
    return call_with(number, &metadata, 10000);
}

#define WAIT(cond)                                                                                 \
    for (int64_t until_us = loop_now_us(loop) + 20000000; !(cond);) {                              \
        assert_true(loop_now_us(loop) < until_us);                                                 \
        loop_step(loop, 1000000);                                                                  \
    }

static inline void
expect(int place, int number, enum rc rc)
{
    if (outcomes[place].err.code != rc)
        print_message("%s\n", outcomes[place].err.text);
    assert_int_equal(outcomes[place].number, number);
    assert_int_equal(outcomes[place].err.code, rc);
}

static int most_in_flight;
static struct frame_request held[CALLS_MAX];
static struct fake_conn *held_from;
static int held_count;

/* Keeps requests, to be answered when the test says so. */
static inline void
hold(void *arg, struct fake_conn *from, const struct frame_request *request, const void *body)
{
    (void)arg;
    (void)body;
    held[held_count++] = *request;
    held_from = from;
    if (held_count > most_in_flight)
        most_in_flight = held_count;
}

#endif
