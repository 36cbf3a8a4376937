#include "lib/store/s3_http.h"

#include <pthread.h>

#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "tests/unit/lib/store/s3_fake.h"
#include "tests/unit/unit.h"

#define PATH "/" S3_FAKE_BUCKET "/key"
#define NOTHING                                                                                    \
    "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct s3_fake *fake;
static struct s3_http *http;
static struct env env;
static char url[128];

static int
setup(void **state)
{
    (void)state;
    env_init_real(&env);
    fake = s3_fake_new();
    snprintf(url, sizeof url, "http://127.0.0.1:%d" PATH, s3_fake_port(fake));
    assert_int_equal(s3_http_new(&http, NULL), RC_OK);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    s3_http_free(http);
    s3_fake_free(fake);
    return 0;
}

static enum rc
ask(struct s3_http_request *request, struct buf *answer, int64_t timeout_ms, struct err *e)
{
    request->url = url;
    request->timeout_ms = timeout_ms;
    request->stall_ms = 1000;
    request->answer = answer;
    return s3_http_run(http, request, e);
}

static void
requests_are_answered_and_counted(void **state)
{
    static const char *const put_headers[] = {NOTHING, "x-amz-checksum-crc32c: AAAAAA=="};
    static const char *const get_headers[] = {"range: bytes=0-3"};
    const struct pieces empty = pieces_of(NULL, 0);
    struct s3_http_request put = {
        .method = "PUT", .headers = put_headers, .header_count = 2, .body = &empty};
    struct s3_http_request get = {.method = "GET", .headers = get_headers, .header_count = 1};
    struct buf answer;

    (void)state;
    buf_init(&answer, 1000);
    assert_int_equal(ask(&put, &answer, 5000, NULL), RC_OK);
    assert_int_equal(put.status, 200);
    assert_true(put.was_sent);
    assert_int_equal(ask(&get, &answer, 5000, NULL), RC_OK);
    assert_int_equal(get.status, 416);
    assert_non_null(strstr(buf_text(&answer), "InvalidRange"));
    assert_int_equal(s3_fake_requests(fake, STORE_PUT), 1);
    assert_int_equal(s3_fake_requests(fake, STORE_GET), 1);
    buf_fini(&answer);
}

/* A server that answers with this, and what becomes of it. */
static enum rc
ask_fault(const struct s3_fake_fault *fault, int64_t timeout_ms, struct err *e)
{
    uint8_t into[10];
    struct s3_http_request get = {.method = "GET", .into = into, .into_size = sizeof into};
    struct buf answer;
    enum rc rc;

    buf_init(&answer, 1000);
    s3_fake_script(fake, fault, 1);
    rc = ask(&get, &answer, timeout_ms, e);
    assert_true(get.was_sent);
    buf_fini(&answer);
    return rc;
}

static void
answers_that_are_too_large_end(void **state)
{
    static const struct s3_fake_fault faults[] = {
        {.text = "HTTP/1.1 500 x\r\n\r\n", .endless = "all the same"},
        {.text = "HTTP/1.1 206 x\r\n\r\n", .endless = "all the same"},
        {.text = "HTTP/1.1 206 x\r\ncontent-length: 11\r\n\r\n0123456789a"},
        {.text = "HTTP/1.1 200 x\r\nx: y\r\na: b", .endless = "\r\nheader: one more"}};
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        assert_int_equal(ask_fault(&faults[i], 5000, &e), RC_LIMIT);
        assert_non_null(strstr(e.text, "larger than it may be"));
    }
}

static void
servers_that_say_nothing_or_nonsense_end(void **state)
{
    static const struct s3_fake_fault nonsense[] = {{.text = ""}, {.text = "nonsense\r\n\r\n"},
        {.text = "HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\nless"},
        {.text = "HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"},
        {.text = "HTTP/9.9 999"}};
    static const struct s3_fake_fault hangs[] = {{.text = "", .hangs = true},
        {.text = "HTTP/1.1 200 x\r\n", .hangs = true},
        {.text = "HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\nless", .hangs = true}};
    static const struct s3_fake_fault drip = {
        .text = "", .endless = "HTTP/1.1 100 Continue\r\n\r\n"};
    int64_t started = env_now_ms(&env);
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(nonsense); i++)
        assert_int_equal(ask_fault(&nonsense[i], 5000, &e), RC_CLOSED);
    for (size_t i = 0; i < ARRAY_LEN(hangs); i++)
        assert_int_equal(ask_fault(&hangs[i], 200, &e), RC_TIMEOUT);
    assert_int_equal(ask_fault(&hangs[0], 60000, &e), RC_TIMEOUT);
    assert_int_not_equal(ask_fault(&drip, 2000, &e), RC_OK);
    assert_in_range(env_now_ms(&env) - started, 0, 30000);
}

static void
where_nobody_listens_nothing_is_sent(void **state)
{
    struct s3_http_request get = {.method = "GET"};
    struct buf answer;
    struct err e;

    (void)state;
    buf_init(&answer, 1000);
    s3_fake_free(fake);
    fake = NULL;
    assert_int_equal(ask(&get, &answer, 5000, &e), RC_CLOSED);
    assert_false(get.was_sent);
    assert_true(strlen(e.text) > 10);
    buf_fini(&answer);
}

static void
redirects_are_not_followed(void **state)
{
    static const struct s3_fake_fault away = {
        .text = "HTTP/1.1 307 x\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"};
    struct s3_http_request get = {.method = "GET"};
    struct buf answer;

    (void)state;
    buf_init(&answer, 1000);
    s3_fake_script(fake, &away, 1);
    assert_int_equal(ask(&get, &answer, 5000, NULL), RC_OK);
    assert_int_equal(get.status, 307);
    buf_fini(&answer);
}

static void *
wait_for_ever(void *arg)
{
    struct s3_http_request get = {.method = "GET"};
    struct buf answer;
    enum rc *rc = arg;

    buf_init(&answer, 1000);
    *rc = ask(&get, &answer, 600000, NULL);
    buf_fini(&answer);
    return NULL;
}

static void *
pause_for_ever(void *arg)
{
    enum rc *rc = arg;

    *rc = s3_http_pause(http, 600000, NULL);
    return NULL;
}

static void
cancel_ends_what_waits_and_what_comes(void **state)
{
    static const struct s3_fake_fault hangs = {.text = "", .hangs = true};
    enum rc asked = RC_OK, paused = RC_OK;
    pthread_t asking, pausing;
    int64_t started = env_now_ms(&env);

    (void)state;
    s3_fake_script(fake, &hangs, 1);
    assert_int_equal(pthread_create(&asking, NULL, wait_for_ever, &asked), 0);
    assert_int_equal(pthread_create(&pausing, NULL, pause_for_ever, &paused), 0);
    while (s3_fake_requests(fake, STORE_GET) == 0)
        assert_int_equal(s3_http_pause(http, 1, NULL), RC_OK);
    s3_http_cancel(http);
    pthread_join(asking, NULL);
    pthread_join(pausing, NULL);
    assert_int_equal(asked, RC_CANCELED);
    assert_int_equal(paused, RC_CANCELED);
    wait_for_ever(&asked);
    assert_int_equal(asked, RC_CANCELED);
    /* A stall of one second would have ended it as well. */
    assert_in_range(env_now_ms(&env) - started, 0, 10000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_are_answered_and_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_that_are_too_large_end, setup, teardown),
        cmocka_unit_test_setup_teardown(servers_that_say_nothing_or_nonsense_end, setup, teardown),
        cmocka_unit_test_setup_teardown(where_nobody_listens_nothing_is_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(redirects_are_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(cancel_ends_what_waits_and_what_comes, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
