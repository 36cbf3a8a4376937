/* What is sent at once instead of at the end of a round. */
#include "tests/unit/lib/net/tcp_world.h"

/* Before the loop goes on; and what was pushed stays in order with what was not. */
static void
a_push_sends_at_once(void **state)
{
    struct tcp_piece first = {"first ", 6}, second = {"second", 6};

    (void)state;
    releases = 0;
    connect_both();
    assert_int_equal(tcp_write(world->client.tcp, &first, 1, count_release, &releases), RC_OK);
    assert_int_equal(tcp_queued_bytes(world->client.tcp), 6);
    tcp_push(world->client.tcp);
    assert_int_equal(tcp_queued_bytes(world->client.tcp), 0);
    assert_int_equal(releases, 1);
    assert_int_equal(tcp_write(world->client.tcp, &second, 1, count_release, &releases), RC_OK);
    WAIT(world->server.in.size == 12);
    assert_memory_equal(world->server.in.data, "first second", 12);
    assert_int_equal(releases, 2);
}

/* What a full socket does not take stays, and goes out later. */
static void
a_push_takes_what_the_socket_takes(void **state)
{
    enum { SIZE = 20000000 };
    uint8_t *data = pattern(SIZE, 3);
    struct tcp_piece piece = {data, SIZE};

    (void)state;
    world->queue_bytes_max = (size_t)1 << 26;
    releases = 0;
    connect_both();
    assert_int_equal(tcp_write(world->client.tcp, &piece, 1, count_release, &releases), RC_OK);
    tcp_push(world->client.tcp);
    tcp_push(world->client.tcp);
    assert_int_equal(releases, 0);
    WAIT(world->server.in.size == SIZE);
    assert_memory_equal(world->server.in.data, data, SIZE);
    assert_int_equal(releases, 1);
    free(data);
}

/* That the peer is gone is told by the loop, not out of the push. */
static void
a_push_tells_no_failure_itself(void **state)
{
    struct tcp_piece piece = {"lost", 4};
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    world->client.tcp =
        tcp_adopt(world->loop, fds[0], &(struct tcp_options){0}, &events, &world->client);
    WAIT(world->client.opened);
    close(fds[1]);
    assert_int_equal(tcp_write(world->client.tcp, &piece, 1, NULL, NULL), RC_OK);
    tcp_push(world->client.tcp);
    assert_false(world->client.closed);
    WAIT(world->client.closed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_push_sends_at_once),
        BOTH(a_push_takes_what_the_socket_takes),
        cmocka_unit_test_setup_teardown(a_push_tells_no_failure_itself, start_plain, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
