/* Clients are plain sockets; what the listener does is seen in the connections it hands out. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/net/listener.h"
#include "lib/net/tcp.h"

static struct loop *loop;
static struct listener *listener;
static struct tcp *taken[100];
static size_t taken_count;
static bool refuse;

static void *
on_room(void *arg, size_t *size)
{
    static char room[16];

    (void)arg;
    *size = sizeof room;
    return room;
}

static void
on_data(void *arg, size_t size)
{
    (void)arg;
    (void)size;
}

static void
on_close(void *arg, const struct err *e)
{
    (void)arg;
    (void)e;
}

static const struct tcp_events events = {NULL, on_room, on_data, NULL, NULL, on_close};

static struct tcp *
on_accept(void *arg, int fd)
{
    struct tcp_options options = {.deadline_us = 0};

    (void)arg;
    if (refuse)
        return NULL;
    taken[taken_count] = tcp_adopt(loop, fd, &options, &events, NULL);
    return taken[taken_count++];
}

static int
start(void **state)
{
    struct listener_options options = {.host = "127.0.0.1", .connections_max = 3};

    (void)state;
    taken_count = 0;
    refuse = false;
    if (loop_new(&loop, NULL) != RC_OK)
        return -1;
    return listener_open(loop, &options, on_accept, NULL, &listener, NULL) == RC_OK ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    for (size_t i = 0; i < taken_count; i++)
        tcp_free(taken[i]);
    listener_close(listener);
    loop_free(loop);
    return 0;
}

static int
client_new(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons(listener_port(listener))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void
no_more_connections_than_allowed_are_open(void **state)
{
    int clients[5];

    (void)state;
    for (int i = 0; i < 5; i++)
        clients[i] = client_new();
    while (taken_count < 3)
        loop_step(loop, 1000000);
    for (int i = 0; i < 5; i++)
        loop_step(loop, 1000);
    assert_int_equal(taken_count, 3);
    assert_int_equal(listener_connections(listener), 3);
    tcp_free(taken[1]);
    taken[1] = NULL;
    while (taken_count < 4)
        loop_step(loop, 1000000);
    loop_step(loop, 1000);
    assert_int_equal(listener_connections(listener), 3);
    for (int i = 0; i < 5; i++)
        close(clients[i]);
}

static void
a_connection_that_the_owner_refuses_is_closed(void **state)
{
    int client = client_new();
    char byte;

    (void)state;
    refuse = true;
    loop_step(loop, 1000000);
    assert_int_equal(recv(client, &byte, 1, 0), 0);
    assert_int_equal(listener_connections(listener), 0);
    close(client);
}

static void
a_listener_may_close_before_its_connections(void **state)
{
    int client = client_new();

    while (taken_count < 1)
        loop_step(loop, 1000000);
    listener_close(listener);
    tcp_free(taken[0]);
    taken_count = 0;
    loop_step(loop, 0);
    close(client);
    loop_free(loop);
    assert_int_equal(start(state), 0);
    listener_close(NULL);
}

static void
running_out_of_descriptors_pauses_and_recovers(void **state)
{
    struct rlimit limit, low;
    int client = client_new(), probe = dup(client);

    (void)state;
    log_set_fd(-1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)probe;
    close(probe);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    loop_step(loop, 1000000);
    /* It does not spin: the next round has nothing to do until the pause is over. */
    assert_int_equal(taken_count, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (taken_count < 1)
        loop_step(loop, 1000000);
    close(client);
    log_set_fd(2);
}

static void
wrong_addresses_are_said_in_one_line(void **state)
{
    struct listener_options same = {
        .host = "127.0.0.1", .port = listener_port(listener), .connections_max = 1};
    struct listener_options foreign = {.host = "192.0.2.1", .port = 0, .connections_max = 1};
    struct listener_options unknown = {.host = "no-such-host.invalid", .connections_max = 1};
    struct listener *other = NULL;
    struct err e;
    char expected[100];

    (void)state;
    assert_int_equal(listener_open(loop, &same, on_accept, NULL, &other, &e), RC_LOCKED);
    snprintf(expected, sizeof expected, "127.0.0.1:%u is in use by another process", same.port);
    assert_string_equal(e.text, expected);
    assert_int_equal(listener_open(loop, &foreign, on_accept, NULL, &other, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "cannot listen on 192.0.2.1:0"));
    assert_int_equal(listener_open(loop, &unknown, on_accept, NULL, &other, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "the host is unknown"));
    foreign.host = "*";
    assert_int_equal(listener_open(loop, &foreign, on_accept, NULL, &other, &e), RC_OK);
    assert_true(listener_port(other) > 0);
    listener_close(other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_more_connections_than_allowed_are_open, start, end),
        cmocka_unit_test_setup_teardown(a_connection_that_the_owner_refuses_is_closed, start, end),
        cmocka_unit_test_setup_teardown(a_listener_may_close_before_its_connections, start, end),
        cmocka_unit_test_setup_teardown(running_out_of_descriptors_pauses_and_recovers, start, end),
        cmocka_unit_test_setup_teardown(wrong_addresses_are_said_in_one_line, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
