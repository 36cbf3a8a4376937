/* When a reply leaves: the broker behind the server is the test's own, and so is the client, which
 * looks what has come before the round is over. All of it is one thread. */
#include "tests/unit/unit.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/env.h"
#include "refbroker/net/server.h"

#define REPLY_BYTES_MAX 65536
#define PATIENCE_MS 10000

/* The linker makes the names (WRAP_BROKER). NOLINTBEGIN(bugprone-reserved-identifier) */
struct client *__wrap_broker_connect(
    struct broker *broker, void *peer, const char *client_host, uint16_t client_port);
void __wrap_broker_disconnect(struct broker *broker, struct client *client);
void __wrap_broker_drained(struct broker *broker, struct client *client);
size_t __wrap_broker_frame_bytes_max(const struct client *client);
void __wrap_broker_frame(struct broker *broker, struct client *client, struct blob *frame_take);
int64_t __wrap_broker_tick(struct broker *broker);
void __wrap_broker_stop(struct broker *broker);
bool __wrap_broker_is_idle(const struct broker *broker);
void __wrap_broker_abandon(struct broker *broker);

static struct server *server;
static struct broker broker;
static struct env env;
static int fd; /* the client's */
static uint8_t reply[REPLY_BYTES_MAX], got[REPLY_BYTES_MAX];
static size_t got_size;
static size_t reply_count, reply_bytes; /* so many replies to one request, and all they hold */
static bool leaves_at_once;             /* as the test expects it: the client waits for it */
static int64_t until_us;

static bool came_at_once;
static size_t sent, sent_before_tick; /* replies that the socket has taken */
static bool answered, ticked, over;

static void
on_sent(void *arg)
{
    (void)arg;
    sent++;
}

struct client *
__wrap_broker_connect(struct broker *own, void *peer, const char *client_host, uint16_t client_port)
{
    (void)own;
    (void)client_host;
    (void)client_port;
    return peer;
}

/* The reply, in equal parts; the round goes on when the client has looked. */
void
__wrap_broker_frame(struct broker *own, struct client *client, struct blob *frame_take)
{
    struct broker_ports ports = server_ports();
    struct pollfd look = {.fd = fd, .events = POLLIN};
    size_t size = reply_bytes / reply_count;

    (void)own;
    blob_unref(frame_take);
    for (size_t i = 0; i < reply_count; i++) {
        struct wire_fragment piece = {.data = reply + i * size, .size = size};

        (void)ports.send(client, &piece, 1, on_sent, NULL);
    }
    answered = true;
    came_at_once = poll(&look, 1, leaves_at_once ? PATIENCE_MS : 0) == 1;
}

/* The client reads on until it has all, or waits in vain. */
int64_t
__wrap_broker_tick(struct broker *own)
{
    ssize_t n;

    (void)own;
    if (answered && !ticked)
        sent_before_tick = sent;
    ticked = answered;
    n = recv(fd, got + got_size, sizeof got - got_size, MSG_DONTWAIT);
    if (n > 0)
        got_size += (size_t)n;
    if (!over && (got_size == reply_bytes || env_now_us(&env) > until_us)) {
        over = true;
        (void)raise(SIGTERM);
    }
    return 0;
}

void
__wrap_broker_disconnect(struct broker *own, struct client *client)
{
    (void)own;
    (void)client;
}

void
__wrap_broker_drained(struct broker *own, struct client *client)
{
    (void)own;
    (void)client;
}

size_t
__wrap_broker_frame_bytes_max(const struct client *client)
{
    (void)client;
    return 1;
}

void
__wrap_broker_stop(struct broker *own)
{
    (void)own;
}

bool
__wrap_broker_is_idle(const struct broker *own)
{
    (void)own;
    return true;
}

void
__wrap_broker_abandon(struct broker *own)
{
    (void)own;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static int
start_alone(void **state)
{
    const struct server_options options = {.listen_host = "127.0.0.1"};

    (void)state;
    env_init_real(&env);
    fd = -1;
    got_size = sent = sent_before_tick = 0;
    came_at_once = leaves_at_once = answered = ticked = over = false;
    for (size_t i = 0; i < sizeof reply; i++)
        reply[i] = (uint8_t)(i % 251);
    return server_new(&options, &server, NULL) == RC_OK ? 0 : -1;
}

static int
start(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};

    if (start_alone(state) != 0)
        return -1;
    address.sin_port = htons(server_port(server));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}

static int
end(void **state)
{
    (void)state;
    if (fd >= 0)
        close(fd);
    server_free(server);
    return 0;
}

/* Sends one request, which is answered by `count` replies of `bytes` in all. */
static void
ask(size_t count, size_t bytes)
{
    static const uint8_t request[] = {0, 0, 0, 1, 'x'};

    reply_count = count;
    reply_bytes = bytes;
    until_us = env_now_us(&env) + 2 * PATIENCE_MS * 1000;
    assert_int_equal(send(fd, request, sizeof request, 0), sizeof request);
    server_run(server, &broker);
    assert_int_equal(got_size, bytes);
    assert_memory_equal(got, reply, bytes);
    assert_int_equal(sent, count);
}

static void
small_replies_wait_for_the_end_of_the_round(void **state)
{
    (void)state;
    ask(3, 65535);
    assert_true(ticked);
    assert_int_equal(sent_before_tick, 0);
    assert_false(came_at_once);
}

static void
a_large_reply_leaves_at_once(void **state)
{
    (void)state;
    leaves_at_once = true;
    ask(1, 65536);
    assert_true(came_at_once);
}

static void
small_replies_leave_once_they_are_large_together(void **state)
{
    (void)state;
    leaves_at_once = true;
    ask(4, 65536);
    assert_true(came_at_once);
}

/* It may be known before the first tick, and nobody may ever come who would be a reason for one. */
static void
damage_ends_it_without_any_event(void **state)
{
    const struct err damage = {.code = RC_CORRUPT};

    (void)state;
    broker.damage = &damage;
    (void)alarm(PATIENCE_MS / 1000 + 1);
    server_run(server, &broker);
    (void)alarm(0);
    broker.damage = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(small_replies_wait_for_the_end_of_the_round),
        TEST(a_large_reply_leaves_at_once),
        TEST(small_replies_leave_once_they_are_large_together),
        cmocka_unit_test_setup_teardown(damage_ends_it_without_any_event, start_alone, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
