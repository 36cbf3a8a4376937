/* Every promise of tcp with and without TLS; peers that misbehave are raw sockets. */
#include "tests/unit/lib/net/tcp_world.h"

#include <arpa/inet.h>
#include <errno.h>

static void
bytes_arrive_as_they_were_sent_both_ways(void **state)
{
    enum { SIZE = 3000000 };
    uint8_t *up = pattern(SIZE, 1), *down = pattern(SIZE, 2);
    struct tcp_piece whole = {down, SIZE};

    (void)state;
    world->queue_bytes_max = (size_t)1 << 24;
    releases = 0;
    world->server.room_size = 777;
    connect_both();
    /* Pieces of every size from none to larger than a TLS record. */
    for (size_t at = 0, step = 1; at < SIZE; step = step * 5 % 40009) {
        struct tcp_piece pieces[3];
        size_t left = SIZE - at, size = step < left ? step : left;

        pieces[0] = (struct tcp_piece){up + at, size / 3};
        pieces[1] = (struct tcp_piece){NULL, 0};
        pieces[2] = (struct tcp_piece){up + at + size / 3, size - size / 3};
        assert_int_equal(tcp_write(world->client.tcp, pieces, 3, NULL, NULL), RC_OK);
        at += size;
    }
    assert_int_equal(tcp_write(world->server.tcp, &whole, 1, count_release, &releases), RC_OK);
    WAIT(world->server.in.size == SIZE && world->client.in.size == SIZE);
    assert_memory_equal(world->server.in.data, up, SIZE);
    assert_memory_equal(world->client.in.data, down, SIZE);
    assert_int_equal(releases, 1);
    assert_int_equal(tcp_queued_bytes(world->client.tcp), 0);
    free(up);
    free(down);
}

static void
what_was_written_before_the_connection_stands_is_sent_then(void **state)
{
    (void)state;
    connect_to("localhost", listener_port(world->listener), &events);
    assert_int_equal(tcp_write_dup(world->client.tcp, "early", 5), RC_OK);
    WAIT(world->server.in.size == 5);
    assert_memory_equal(world->server.in.data, "early", 5);
}

static void
each_side_may_end_first_and_still_receive(void **state)
{
    (void)state;
    connect_both();
    assert_int_equal(tcp_write_dup(world->client.tcp, "question", 8), RC_OK);
    tcp_end(world->client.tcp);
    assert_int_equal(tcp_write_dup(world->client.tcp, "late", 4), RC_CLOSED);
    WAIT(world->server.ended);
    assert_int_equal(world->server.in.size, 8);
    assert_int_equal(tcp_write_dup(world->server.tcp, "answer", 6), RC_OK);
    tcp_end(world->server.tcp);
    WAIT(world->client.closed && world->server.closed);
    assert_int_equal(world->client.in.size, 6);
    assert_int_equal(world->client.err.code, RC_OK);
    assert_int_equal(world->server.err.code, RC_OK);
}

static void
without_an_end_callback_the_peers_end_closes(void **state)
{
    (void)state;
    connect_to("127.0.0.1", listener_port(world->listener), &events_without_end);
    WAIT(world->client.opened && world->server.opened);
    side_free(&world->server);
    WAIT(world->client.closed);
    assert_int_equal(world->client.err.code, RC_CLOSED);
    assert_int_equal(tcp_write_dup(world->client.tcp, "x", 1), RC_CLOSED);
}

static void
writing_is_refused_at_the_limit_and_allowed_again_after_the_drain(void **state)
{
    uint8_t *data = pattern(1 << 20, 3);
    struct tcp_piece piece = {data, 1 << 20};
    int accepted = 0;

    (void)state;
    releases = 0;
    world->queue_bytes_max = 3 << 20;
    connect_both();
    world->server.in_max = 1;
    while (tcp_write(world->client.tcp, &piece, 1, count_release, &releases) == RC_OK) {
        accepted++;
        loop_step(world->loop, 0);
        assert_true(tcp_queued_bytes(world->client.tcp) <= (4 << 20));
    }
    assert_int_equal(world->client.drained, 0);
    world->server.in_max = 0;
    tcp_resume(world->server.tcp);
    WAIT(world->client.drained == 1);
    assert_int_equal(tcp_write(world->client.tcp, &piece, 1, count_release, &releases), RC_OK);
    WAIT(world->server.in.size == (size_t)(accepted + 1) << 20);
    assert_int_equal(releases, accepted + 1);
    assert_int_equal(world->client.drained, 1);
    free(data);
}

static void
reading_stops_without_room_and_goes_on_where_it_stopped(void **state)
{
    enum { SIZE = 300000 };
    uint8_t *data = pattern(SIZE, 4);
    struct tcp_piece piece = {data, SIZE};

    (void)state;
    connect_both();
    world->server.room_size = 1000;
    world->server.in_max = 1;
    assert_int_equal(tcp_write(world->client.tcp, &piece, 1, NULL, NULL), RC_OK);
    for (size_t max = 5000; max < SIZE; max += 5000) {
        size_t before = world->server.in.size;

        world->server.in_max = max;
        tcp_resume(world->server.tcp);
        WAIT(world->server.in.size >= max);
        assert_true(world->server.in.size < before + 5000 + 1000);
    }
    world->server.in_max = 0;
    tcp_resume(world->server.tcp);
    WAIT(world->server.in.size == SIZE);
    assert_memory_equal(world->server.in.data, data, SIZE);
    free(data);
}

static void
what_is_not_sent_is_released_when_the_connection_goes(void **state)
{
    uint8_t *data = pattern(1 << 22, 5);
    struct tcp_piece piece = {data, 1 << 22};

    (void)state;
    releases = 0;
    world->queue_bytes_max = (size_t)1 << 25;
    connect_both();
    world->server.in_max = 1;
    for (int i = 0; i < 4; i++)
        assert_int_equal(tcp_write(world->client.tcp, &piece, 1, count_release, &releases), RC_OK);
    loop_step(world->loop, 0);
    side_free(&world->client);
    assert_int_equal(releases, 4);
    free(data);
}

static void
an_owner_may_free_in_any_callback(void **state)
{
    static const char places[] = "odec";

    (void)state;
    for (size_t i = 0; places[i] != '\0'; i++) {
        world->client.free_in = places[i];
        world->client.opened = world->client.closed = world->server.opened = false;
        world->server.closed = world->server.ended = false;
        buf_clear(&world->client.in);
        connect_to("127.0.0.1", listener_port(world->listener), &events);
        WAIT(world->client.opened && world->server.opened);
        assert_int_equal(tcp_write_dup(world->server.tcp, "hello", 5), RC_OK);
        if (places[i] != 'd' && places[i] != 'o') {
            WAIT(world->client.in.size == 5);
        }
        if (places[i] == 'e')
            tcp_end(world->server.tcp);
        if (places[i] == 'c') {
            tcp_end(world->client.tcp);
            WAIT(world->server.ended);
            tcp_end(world->server.tcp);
        }
        WAIT(world->client.tcp == NULL);
        side_free(&world->server);
        loop_step(world->loop, 0);
    }
}

static void
a_connection_that_breaks_is_reported_with_its_name(void **state)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons(listener_port(world->listener))};
    int raw = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(connect(raw, (struct sockaddr *)&address, sizeof address), 0);
    WAIT(world->server.opened);
    setsockopt(raw, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(raw);
    WAIT(world->server.closed);
    assert_int_equal(world->server.err.code, RC_CLOSED);
    assert_int_equal(world->server.err.sys_errno, ECONNRESET);
    assert_int_equal(strncmp(world->server.err.text, "127.0.0.1:", 10), 0);
}

static void
a_refused_connection_is_one_line(void **state)
{
    (void)state;
    connect_to("127.0.0.1", 1, &events);
    WAIT(world->client.closed);
    assert_int_equal(world->client.err.code, RC_IO);
    assert_string_equal(world->client.err.text,
        "127.0.0.1:1: cannot connect: Connection refused; nothing listens there: is the broker up, "
        "and the port right?");
    assert_false(world->client.opened);
}

static void
an_unknown_host_is_one_line(void **state)
{
    (void)state;
    connect_to("no-such-host.invalid", 9092, &events);
    WAIT(world->client.closed);
    assert_int_equal(world->client.err.code, RC_IO);
    assert_non_null(strstr(world->client.err.text, "host no-such-host.invalid is unknown"));
}

/* A listening socket whose queue is full lets further connections hang. */
static void
a_silent_address_costs_the_deadline_and_no_more(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int raw = socket(AF_INET, SOCK_STREAM, 0), fill[3];
    struct tcp_options options = {.deadline_us = loop_now_us(world->loop) + 50000};

    (void)state;
    assert_int_equal(bind(raw, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(raw, 0), 0);
    assert_int_equal(getsockname(raw, (struct sockaddr *)&address, &size), 0);
    for (int i = 0; i < 3; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fill[i], (struct sockaddr *)&address, size);
    }
    world->client.tcp = tcp_connect(
        world->loop, "127.0.0.1", ntohs(address.sin_port), &options, &events, &world->client);
    WAIT(world->client.closed);
    assert_int_equal(world->client.err.code, RC_TIMEOUT);
    assert_true(loop_now_us(world->loop) >= options.deadline_us);
    assert_non_null(strstr(world->client.err.text, "no connection within"));
    for (int i = 0; i < 3; i++)
        close(fill[i]);
    close(raw);
}

static void
a_connection_can_be_given_up_at_any_time(void **state)
{
    (void)state;
    connect_to("localhost", listener_port(world->listener), &events);
    side_free(&world->client);
    connect_to("127.0.0.1", listener_port(world->listener), &events);
    side_free(&world->client);
    connect_to("127.0.0.1", listener_port(world->listener), &events);
    loop_step(world->loop, 0);
    side_free(&world->client);
    loop_step(world->loop, 0);
    assert_false(world->client.closed);
}

static void
addresses_have_names(void **state)
{
    char here[TCP_TEXT_MAX], there[TCP_TEXT_MAX];

    (void)state;
    connect_both();
    tcp_local_text(world->client.tcp, here);
    tcp_peer_text(world->server.tcp, there);
    assert_string_equal(here, there);
    side_free(&world->server);
    WAIT(world->client.ended);
    tcp_end(world->client.tcp);
    WAIT(world->client.closed);
    tcp_peer_text(world->client.tcp, there);
    assert_string_equal(there, "?");
}

static void
a_client_that_never_shakes_hands_costs_the_deadline(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons(listener_port(world->listener))};
    struct tcp_options options = {.tls = world->server_tls};
    int raw = socket(AF_INET, SOCK_STREAM, 0), pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    options.deadline_us = loop_now_us(world->loop) + 30000;
    world->client.tcp = tcp_adopt(world->loop, pair[0], &options, &events, &world->client);
    WAIT(world->client.closed);
    assert_int_equal(world->client.err.code, RC_TIMEOUT);
    assert_non_null(strstr(world->client.err.text, "no TLS handshake"));
    close(pair[1]);
    /* And one that says something else than TLS. */
    assert_int_equal(connect(raw, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(raw, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
    WAIT(world->server.closed);
    assert_int_equal(world->server.err.code, RC_PROTOCOL);
    assert_non_null(strstr(world->server.err.text, "does not speak TLS"));
    close(raw);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(bytes_arrive_as_they_were_sent_both_ways),
        BOTH(what_was_written_before_the_connection_stands_is_sent_then),
        BOTH(each_side_may_end_first_and_still_receive),
        BOTH(without_an_end_callback_the_peers_end_closes),
        BOTH(writing_is_refused_at_the_limit_and_allowed_again_after_the_drain),
        BOTH(reading_stops_without_room_and_goes_on_where_it_stopped),
        BOTH(what_is_not_sent_is_released_when_the_connection_goes),
        BOTH(an_owner_may_free_in_any_callback),
        BOTH(a_connection_can_be_given_up_at_any_time),
        BOTH(addresses_have_names),
        cmocka_unit_test_setup_teardown(
            a_connection_that_breaks_is_reported_with_its_name, start_plain, end),
        cmocka_unit_test_setup_teardown(a_refused_connection_is_one_line, start_plain, end),
        cmocka_unit_test_setup_teardown(an_unknown_host_is_one_line, start_plain, end),
        cmocka_unit_test_setup_teardown(
            a_silent_address_costs_the_deadline_and_no_more, start_plain, end),
        cmocka_unit_test_setup_teardown(
            a_client_that_never_shakes_hands_costs_the_deadline, start_tls, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
