/* Requests as raw bytes over a blocking socket of the test, answers compared as text. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "lib/net/http.h"

static struct loop *loop;
static struct http *http;
static char reply[HTTP_HEAD_BYTES_MAX * 4];

static void
metrics(void *arg, struct http_reply *out)
{
    buf_printf(&out->body, "kdl_up %s\n", (const char *)arg);
}

static void
unwell(void *arg, struct http_reply *out)
{
    (void)arg;
    out->status = 503;
    out->type = "application/json";
    buf_append_text(&out->body, "{}");
}

static void
endless(void *arg, struct http_reply *out)
{
    (void)arg;
    for (size_t i = 0; i <= HTTP_BODY_BYTES_MAX / 65536; i++) {
        static const char block[65536];

        buf_append(&out->body, block, sizeof block);
    }
}

static int
start(void **state)
{
    static char one[] = "1";

    (void)state;
    if (loop_new(&loop, NULL) != RC_OK || http_open(loop, "127.0.0.1", 0, &http, NULL) != RC_OK)
        return -1;
    http_handle(http, "/metrics", metrics, one);
    http_handle(http, "/healthz", unwell, NULL);
    http_handle(http, "/endless", endless, NULL);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    http_close(http);
    loop_free(loop);
    return 0;
}

static int
client_new(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons(http_port(http))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Reads until the server ends; the answer without the header lines that are always the same. */
static const char *
answer_of(int fd)
{
    size_t size = 0;

    for (;;) {
        ssize_t n = recv(fd, reply + size, sizeof reply - 1 - size, MSG_DONTWAIT);

        if (n == 0)
            break;
        if (n > 0)
            size += (size_t)n;
        else if (errno == EAGAIN)
            loop_step(loop, 1000000);
        else
            break;
    }
    close(fd);
    reply[size] = '\0';
    return reply;
}

static const char *
ask(const char *request)
{
    int fd = client_new();

    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    return answer_of(fd);
}

static void
a_known_path_is_answered(void **state)
{
    (void)state;
    assert_string_equal(ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 9\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\nkdl_up 1\n");
    assert_non_null(strstr(ask("GET /metrics?a=b HTTP/1.0\r\n\r\n"), "kdl_up 1"));
    assert_string_equal(ask("GET /healthz HTTP/1.1\r\n\r\n"),
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{}");
}

static void
head_has_the_length_and_no_body(void **state)
{
    const char *text = ask("HEAD /metrics HTTP/1.1\r\n\r\n");

    (void)state;
    assert_non_null(strstr(text, "Content-Length: 9\r\n"));
    assert_null(strstr(text, "kdl_up"));
}

static void
what_is_not_served_gets_its_status(void **state)
{
    static const char *const rows[][2] = {
        {"GET /nothing HTTP/1.1\r\n\r\n", "HTTP/1.1 404 "},
        {"GET /metric HTTP/1.1\r\n\r\n", "HTTP/1.1 404 "},
        {"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 405 "},
        {"GET metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
        {"GET /metrics\r\n\r\n", "HTTP/1.1 400 "},
        {"GET /metrics HTTP/2.0\r\n\r\n", "HTTP/1.1 400 "},
        {"\r\n\r\n", "HTTP/1.1 400 "},
        {"GET /endless HTTP/1.1\r\n\r\n", "HTTP/1.1 500 "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(strncmp(ask(rows[i][0]), rows[i][1], strlen(rows[i][1])), 0);
}

static void
a_head_without_end_is_refused(void **state)
{
    int fd = client_new();
    char *big = xmalloc(HTTP_HEAD_BYTES_MAX + 10);

    (void)state;
    memset(big, 'x', HTTP_HEAD_BYTES_MAX + 10);
    assert_int_equal(
        send(fd, big, HTTP_HEAD_BYTES_MAX + 10, MSG_NOSIGNAL), (ssize_t)HTTP_HEAD_BYTES_MAX + 10);
    assert_int_equal(strncmp(answer_of(fd), "HTTP/1.1 431 ", 13), 0);
    free(big);
}

static void
a_request_in_single_bytes_is_understood(void **state)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\n\r\n";
    int fd = client_new();

    (void)state;
    for (size_t i = 0; i + 1 < sizeof request; i++) {
        assert_int_equal(send(fd, request + i, 1, MSG_NOSIGNAL), 1);
        loop_step(loop, 1000);
    }
    assert_non_null(strstr(answer_of(fd), "kdl_up 1"));
}

static void
silent_and_vanishing_clients_do_no_harm(void **state)
{
    int silent[HTTP_CONNECTIONS_MAX + 5];

    (void)state;
    close(client_new());
    for (size_t i = 0; i < ARRAY_LEN(silent); i++)
        silent[i] = client_new();
    loop_step(loop, 10000);
    for (size_t i = 0; i < ARRAY_LEN(silent); i++)
        close(silent[i]);
    assert_non_null(strstr(ask("GET /metrics HTTP/1.1\r\n\r\n"), "kdl_up 1"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_known_path_is_answered, start, end),
        cmocka_unit_test_setup_teardown(head_has_the_length_and_no_body, start, end),
        cmocka_unit_test_setup_teardown(what_is_not_served_gets_its_status, start, end),
        cmocka_unit_test_setup_teardown(a_head_without_end_is_refused, start, end),
        cmocka_unit_test_setup_teardown(a_request_in_single_bytes_is_understood, start, end),
        cmocka_unit_test_setup_teardown(silent_and_vanishing_clients_do_no_harm, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
