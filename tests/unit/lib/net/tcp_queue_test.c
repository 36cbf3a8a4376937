/* A socket pair shows what was sent and in which order. TLS goes through tcp_test. */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "lib/net/tcp.h"
#include "lib/net/tcp_queue.h"

static struct tcp_queue queue;
static int pair[2];
static char released[64];

static int
start(void **state)
{
    (void)state;
    released[0] = '\0';
    tcp_queue_init(&queue);
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
}

static int
end(void **state)
{
    (void)state;
    tcp_queue_fini(&queue);
    close(pair[0]);
    close(pair[1]);
    return 0;
}

static void
on_release(void *arg)
{
    strncat(released, arg, 1);
}

static void
add(const char *text, size_t size, char *name)
{
    struct tcp_piece pieces[2] = {{text, size / 2}, {text + size / 2, size - size / 2}};

    tcp_queue_add(&queue, pieces, 2, on_release, name);
}

static void
writes_of_one_round_leave_in_one_call_and_in_order(void **state)
{
    char in[32], names[] = "abc";
    size_t sent = 0;

    (void)state;
    add("one", 3, &names[0]);
    add("", 0, &names[1]);
    assert_string_equal(released, "b");
    add("three", 5, &names[2]);
    assert_int_equal(tcp_queue_bytes(&queue), 8);
    assert_int_equal(tcp_queue_send(&queue, pair[0], &sent, NULL), TLS_DONE);
    assert_int_equal(sent, 8);
    assert_int_equal(recv(pair[1], in, sizeof in, 0), 8);
    assert_memory_equal(in, "onethree", 8);
    assert_string_equal(released, "bac");
    assert_int_equal(tcp_queue_bytes(&queue), 0);
}

static void
what_is_half_sent_goes_on_where_it_stopped(void **state)
{
    static char out[1000000], in[1000000];
    size_t sent, got = 0, waits = 0;
    char names[] = "xy";

    (void)state;
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (char)(i * 13 >> 4);
    add(out, 600001, &names[0]);
    add(out + 600001, sizeof out - 600001, &names[1]);
    while (got < sizeof in) {
        ssize_t n;

        sent = 0;
        if (tcp_queue_bytes(&queue) > 0 &&
            tcp_queue_send(&queue, pair[0], &sent, NULL) == TLS_WANT_WRITE)
            waits++;
        while ((n = recv(pair[1], in + got, sizeof in - got, 0)) > 0)
            got += (size_t)n;
    }
    assert_true(waits > 0 || tcp_queue_bytes(&queue) == 0);
    assert_memory_equal(in, out, sizeof in);
    assert_string_equal(released, "xy");
}

static void
clearing_releases_what_is_left(void **state)
{
    char names[] = "pq";

    (void)state;
    add("abc", 3, &names[0]);
    add("def", 3, &names[1]);
    tcp_queue_clear(&queue);
    assert_string_equal(released, "pq");
    assert_int_equal(tcp_queue_bytes(&queue), 0);
}

static void
a_broken_socket_is_an_error(void **state)
{
    struct err e;
    char names[] = "z";
    size_t sent = 0;

    (void)state;
    close(pair[1]);
    pair[1] = dup(pair[0]);
    add("abc", 3, &names[0]);
    assert_int_equal(tcp_queue_send(&queue, pair[0], &sent, &e), TLS_FAILED);
    assert_int_equal(e.code, RC_CLOSED);
    assert_int_equal(sent, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            writes_of_one_round_leave_in_one_call_and_in_order, start, end),
        cmocka_unit_test_setup_teardown(what_is_half_sent_goes_on_where_it_stopped, start, end),
        cmocka_unit_test_setup_teardown(clearing_releases_what_is_left, start, end),
        cmocka_unit_test_setup_teardown(a_broken_socket_is_an_error, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
