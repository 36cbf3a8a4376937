/* Sockets on loopback: one that listens, one that is closed, one whose queue is full. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/net/dial.h"

static struct loop *loop;

struct answer {
    bool called;
    enum rc rc;
    int fd;
    struct err err;
};

static int
start(void **state)
{
    (void)state;
    return loop_new(&loop, NULL) == RC_OK ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

static void
on_dialed(void *arg, enum rc rc, int fd, const struct err *e)
{
    struct answer *answer = arg;

    assert_false(answer->called);
    answer->called = true;
    answer->rc = rc;
    answer->fd = fd;
    answer->err = *e;
}

static struct answer
dial(const char *host, uint16_t port, int64_t wait_us)
{
    struct answer answer = {.called = false};

    dial_start(loop, host, port, loop_now_us(loop) + wait_us, on_dialed, &answer);
    assert_false(answer.called);
    while (!answer.called)
        loop_step(loop, 1000000);
    return answer;
}

static int
listen_on(struct sockaddr_in *address, int backlog)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)address, size), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
    return fd;
}

static void
a_live_address_gives_a_socket(void **state)
{
    struct sockaddr_in address, peer;
    socklen_t size = sizeof peer;
    int fd = listen_on(&address, 1);
    struct answer answer = dial("127.0.0.1", ntohs(address.sin_port), 5000000);

    (void)state;
    assert_int_equal(answer.rc, RC_OK);
    assert_int_equal(getpeername(answer.fd, (struct sockaddr *)&peer, &size), 0);
    assert_int_equal(peer.sin_port, address.sin_port);
    close(answer.fd);
    close(fd);
}

static void
a_name_is_tried_at_all_its_addresses(void **state)
{
    struct sockaddr_in address;
    int fd = listen_on(&address, 1);
    /* Where localhost is ::1 first, nobody listens there. */
    struct answer answer = dial("localhost", ntohs(address.sin_port), 5000000);

    (void)state;
    assert_int_equal(answer.rc, RC_OK);
    close(answer.fd);
    close(fd);
}

static void
a_closed_port_is_refused(void **state)
{
    struct sockaddr_in address;
    struct answer answer;

    (void)state;
    close(listen_on(&address, 1));
    answer = dial("127.0.0.1", ntohs(address.sin_port), 5000000);
    assert_int_equal(answer.rc, RC_IO);
    assert_int_equal(answer.fd, -1);
    assert_string_equal(answer.err.text, "cannot connect: Connection refused; nothing listens "
                                         "there: is the broker up, and the port right?");
}

static void
silence_ends_at_the_deadline(void **state)
{
    struct sockaddr_in address;
    int fd = listen_on(&address, 0), fill[3];
    int64_t before_us = loop_now_us(loop);
    struct answer answer;

    (void)state;
    for (int i = 0; i < 3; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fill[i], (struct sockaddr *)&address, sizeof address);
    }
    answer = dial("127.0.0.1", ntohs(address.sin_port), 40000);
    assert_int_equal(answer.rc, RC_TIMEOUT);
    assert_true(loop_now_us(loop) - before_us >= 40000);
    for (int i = 0; i < 3; i++)
        close(fill[i]);
    close(fd);
}

static void
a_canceled_dial_never_calls_back(void **state)
{
    struct sockaddr_in address;
    int fd = listen_on(&address, 10);
    struct answer answer = {.called = false}, last;

    (void)state;
    for (int rounds = 0; rounds < 4; rounds++) {
        struct dial *dial =
            dial_start(loop, "127.0.0.1", ntohs(address.sin_port), 0, on_dialed, &answer);

        for (int i = 0; i < rounds && !answer.called; i++)
            loop_step(loop, 1000);
        if (answer.called) {
            /* It was quicker. */
            close(answer.fd);
            answer.called = false;
        } else {
            dial_cancel(dial);
        }
    }
    dial_cancel(NULL);
    last = dial("127.0.0.1", ntohs(address.sin_port), 5000000);
    assert_int_equal(last.rc, RC_OK);
    assert_false(answer.called);
    close(last.fd);
    close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_live_address_gives_a_socket, start, end),
        cmocka_unit_test_setup_teardown(a_name_is_tried_at_all_its_addresses, start, end),
        cmocka_unit_test_setup_teardown(a_closed_port_is_refused, start, end),
        cmocka_unit_test_setup_teardown(silence_ends_at_the_deadline, start, end),
        cmocka_unit_test_setup_teardown(a_canceled_dial_never_calls_back, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
