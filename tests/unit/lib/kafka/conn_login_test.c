/* What a peer can do while a connection opens: each way ends in one line and nothing else. */
#include "tests/unit/unit.h"

#include "lib/kafka/conn.h"
#include "tests/unit/lib/kafka/fake_broker.h"

static struct loop *loop;
static struct fake_broker broker;
static struct conf_client conf;
static struct conn_setup setup;
static struct conn *conn;
static struct km_metadata_request metadata;
static bool ready, closed, done;
static struct err closed_err, done_err;

static void
on_ready(void *arg)
{
    (void)arg;
    ready = true;
}

static void
on_closed(void *arg, const struct err *e)
{
    (void)arg;
    closed = true;
    closed_err = *e;
}

static const struct conn_events events = {on_ready, on_closed};

static void
on_done(void *arg, struct conn_reply *reply, const struct err *e)
{
    (void)arg;
    (void)reply;
    assert_false(done);
    done = true;
    done_err = *e;
}

static void
on_request(void *arg, struct fake_conn *from, const struct frame_request *request, const void *body)
{
    struct km_metadata_response response;

    (void)arg;
    (void)body;
    codec_init(&km_metadata_response_desc, &response);
    fake_reply(from, request, &response);
}

static int
start(void **state)
{
    (void)state;
    memset(&conf, 0, sizeof conf);
    conf.names = &conf_names_usual;
    conf.client_id = "test";
    conf.request_timeout_ms = conf.connect_timeout_ms = 10000;
    conf.response_bytes_max = INT32_MAX;
    conf.with_sasl = true;
    conf.mechanism = "SCRAM-SHA-256";
    conf.user = "anna";
    conf.password = "right";
    codec_init(&km_metadata_request_desc, &metadata);
    if (loop_new(&loop, NULL) != RC_OK)
        return -1;
    fake_start(&broker, loop);
    broker.handler = on_request;
    broker.user = "anna";
    broker.password = "right";
    broker.mechanism = "SCRAM-SHA-256";
    return conn_setup_init(&setup, loop, &conf, NULL) == RC_OK ? 0 : -1;
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
without_sasl(void)
{
    conf.with_sasl = false;
    broker.user = NULL;
}

/* Opens, asks one question, and waits until it has ended. */
static void
ask(void)
{
    struct conn_request request = {.api = frame_api(KM_METADATA),
        .body = &metadata,
        .deadline_us = loop_now_us(loop) + 15000000,
        .done = on_done};

    conn_free(conn);
    ready = closed = done = false;
    broker.bytes_sent = 0;
    conn = conn_open(&setup, "127.0.0.1", broker.port, &events, NULL);
    conn_call(conn, &request);
    for (int64_t until_us = loop_now_us(loop) + 20000000; !done;) {
        assert_true(loop_now_us(loop) < until_us);
        loop_step(loop, 1000000);
    }
}

static void
a_stream_in_single_bytes_is_understood(void **state)
{
    (void)state;
    broker.piece_bytes = 1;
    ask();
    assert_int_equal(done_err.code, RC_OK);
    assert_true(ready);
}

/* Wherever the answers of the whole opening are cut, the question ends with an error. */
static void
a_peer_that_closes_after_any_byte_ends_the_question(void **state)
{
    size_t total;

    (void)state;
    ask();
    assert_int_equal(done_err.code, RC_OK);
    total = broker.bytes_sent;
    assert_true(total > 700);
    /* The first kilobyte is the list of versions; every place of its kind is tried. */
    for (size_t cut = 1; cut<total; cut += cut> 100 && cut < total - 250 ? 37 : 1) {
        for (size_t i = 0; i < broker.accepted; i++) {
            if (broker.conns[i]->scram_open)
                scram_server_fini(&broker.conns[i]->scram);
            fake_conn_close(broker.conns[i]);
            conn_frames_fini(&broker.conns[i]->frames);
            buf_fini(&broker.conns[i]->out);
            loop_defer(loop, free, broker.conns[i]);
        }
        broker.accepted = 0;
        broker.cut_after = cut;
        ask();
        assert_int_equal(done_err.code, RC_CLOSED);
        assert_non_null(strstr(done_err.text, "the peer closed the connection"));
        assert_true(closed);
    }
}

static void
what_is_no_kafka_broker_is_recognised(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } rows[] = {
        {"\x15\x03\x03\x00\x02\x02\x50", 7,
            " speaks TLS, and this connection is plain. Add -X security.protocol=SSL (and a CA: "
            "-X ssl.ca.location=FILE)"},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", 28, " is a web server, no Kafka broker"},
        {"SSH-2.0-OpenSSH_9.2\r\n", 21,
            " does not answer as a Kafka broker does (its first bytes "
            "are 53 53 48 2d). Check host and port"},
        {"\xff\xff\xff\xff", 4, "does not answer as a Kafka broker does"},
        {"\x00\x20\x00\x00", 4, "does not answer as a Kafka broker does"},
        {"\x7f\xff\xff\xff\x00\x00\x00\x01", 8, "does not answer as a Kafka broker does"},
        {"\x00\x00\x00\x00", 4, "it does not answer ApiVersions as a Kafka broker does"},
        {"\x00\x00\x00\x02\x00\x00", 6, "it does not answer ApiVersions as a Kafka broker does"},
        {"\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00", 10,
            "it does not answer ApiVersions as a Kafka broker does"},
        /* An answer to another question. */
        {"\x00\x00\x00\x0c\x00\x00\x00\x09\x00\x00\x01\x00\x00\x00\x00\x00", 16,
            "an answer to request 9 came for request 1"},
        /* A count of APIs that the answer does not hold. */
        {"\x00\x00\x00\x10\x00\x00\x00\x01\x00\x00\xff\xff\xff\xff\x07\x00\x00\x00\x00\x00", 20,
            "it does not answer ApiVersions as a Kafka broker does"},
        /* An error, in a version 0 that knows nothing. */
        {"\x00\x00\x00\x0a\x00\x00\x00\x01\x00\x1f\x00\x00\x00\x00", 14,
            "it does not answer ApiVersions as a Kafka broker does"},
    };

    (void)state;
    without_sasl();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        broker.garbage = rows[i].bytes;
        broker.garbage_size = rows[i].size;
        ask();
        assert_int_equal(done_err.code == RC_PROTOCOL || done_err.code == RC_TRUNCATED, true);
        if (strstr(done_err.text, rows[i].text) == NULL)
            print_message("%zu: %s\n", i, done_err.text);
        assert_non_null(strstr(done_err.text, rows[i].text));
        assert_int_equal(strncmp(done_err.text, "127.0.0.1:", 10), 0);
        assert_false(ready);
    }
}

static void
an_answer_that_nobody_asked_for_closes(void **state)
{
    static const char two[] = "\x00\x00\x00\x0e\x00\x00\x00\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
                              "\x00\x00\x00\x00\x04\x00\x00\x00\x07";

    (void)state;
    without_sasl();
    broker.garbage = two;
    broker.garbage_size = sizeof two - 1;
    ask();
    assert_int_equal(done_err.code == RC_PROTOCOL || done_err.code == RC_UNSUPPORTED, true);
}

static void
silence_costs_the_time_for_connecting_and_no_more(void **state)
{
    int64_t start_us = loop_now_us(loop);

    (void)state;
    broker.silent = true;
    conf.connect_timeout_ms = 60;
    ask();
    assert_int_equal(done_err.code, RC_TIMEOUT);
    assert_true(loop_now_us(loop) - start_us >= 60000);
    assert_non_null(strstr(done_err.text, "connected, but it does not answer within 60 ms"));
    broker.silent = false;
    broker.silent_from = 3;
    ask();
    assert_int_equal(done_err.code, RC_TIMEOUT);
}

static void
a_server_that_does_not_know_the_password_is_refused(void **state)
{
    (void)state;
    broker.password = "other";
    ask();
    assert_int_equal(done_err.code, RC_DENIED);
}

/* Bytes of every kind, many times: never a hang, never a crash. */
static void
random_answers_end_the_question(void **state)
{
    static char garbage[64];

    (void)state;
    without_sasl();
    srand(11);
    broker.garbage = garbage;
    conf.connect_timeout_ms = 20;
    for (int i = 0; i < 60; i++) {
        broker.garbage_size = 8 + (size_t)rand() % (sizeof garbage - 8);
        for (size_t k = 0; k < sizeof garbage; k++)
            garbage[k] = (char)(rand() % 4 == 0 ? rand() : 0);
        memcpy(garbage, "\0\0\0", 3);
        memcpy(garbage + 4, "\0\0\0\1", 4);
        ask();
        assert_int_not_equal(done_err.code, RC_OK);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stream_in_single_bytes_is_understood),
        TEST(a_peer_that_closes_after_any_byte_ends_the_question),
        TEST(what_is_no_kafka_broker_is_recognised),
        TEST(an_answer_that_nobody_asked_for_closes),
        TEST(silence_costs_the_time_for_connecting_and_no_more),
        TEST(a_server_that_does_not_know_the_password_is_refused),
        TEST(random_answers_end_the_question),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
