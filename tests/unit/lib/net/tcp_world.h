/* What tests of tcp stand on: both ends of a connection on one loop, with and without TLS. */
#ifndef TESTS_UNIT_LIB_NET_TCP_WORLD_H
#define TESTS_UNIT_LIB_NET_TCP_WORLD_H

#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/net/listener.h"
#include "lib/net/tcp.h"
#include "tests/unit/lib/net/certificates.h"

/* One end of a connection, which keeps what it got. */
struct side {
    struct tcp *tcp;
    struct buf in;
    size_t room_size;
    size_t in_max; /* stops reading there */
    bool opened, ended, closed;
    int drained;
    struct err err;
    char free_in; /* callback in which to free: o d e c, or 0 */
};

struct world {
    struct loop *loop;
    struct listener *listener;
    struct side client, server;
    struct tls_context *client_tls, *server_tls;
    size_t queue_bytes_max;
};

static struct world *world;

static inline void
side_free(struct side *side)
{
    tcp_free(side->tcp);
    side->tcp = NULL;
}

static inline void
on_open(void *arg)
{
    struct side *side = arg;

    side->opened = true;
    if (side->free_in == 'o')
        side_free(side);
}

static inline void *
on_room(void *arg, size_t *size)
{
    struct side *side = arg;

    if (side->in_max > 0 && side->in.size >= side->in_max)
        return NULL;
    *size = side->room_size;
    return buf_reserve(&side->in, side->room_size);
}

static inline void
on_data(void *arg, size_t size)
{
    struct side *side = arg;

    buf_commit(&side->in, size);
    if (side->free_in == 'd')
        side_free(side);
}

static inline void
on_end(void *arg)
{
    struct side *side = arg;

    side->ended = true;
    if (side->free_in == 'e')
        side_free(side);
}

static inline void
on_drain(void *arg)
{
    struct side *side = arg;

    side->drained++;
}

static inline void
on_close(void *arg, const struct err *e)
{
    struct side *side = arg;

    assert_false(side->closed);
    side->closed = true;
    side->err = *e;
    if (side->free_in == 'c')
        side_free(side);
}

static const struct tcp_events events = {on_open, on_room, on_data, on_end, on_drain, on_close};
static const struct tcp_events events_without_end = {
    on_open, on_room, on_data, NULL, NULL, on_close};

static inline struct tcp *
on_accept(void *arg, int fd)
{
    struct tcp_options options = {
        .tls = world->server_tls, .queue_bytes_max = world->queue_bytes_max};

    (void)arg;
    if (world->server.tcp != NULL)
        return NULL;
    world->server.tcp = tcp_adopt(world->loop, fd, &options, &events, &world->server);
    return world->server.tcp;
}

static inline void
side_init(struct side *side)
{
    memset(side, 0, sizeof *side);
    buf_init(&side->in, (size_t)1 << 26);
    side->room_size = 65536;
}

static inline void
world_open(bool with_tls)
{
    struct listener_options options = {.host = "127.0.0.1", .connections_max = 10};

    world = xcalloc(1, sizeof *world);
    side_init(&world->client);
    side_init(&world->server);
    assert_int_equal(loop_new(&world->loop, NULL), RC_OK);
    assert_int_equal(
        listener_open(world->loop, &options, on_accept, NULL, &world->listener, NULL), RC_OK);
    if (with_tls) {
        struct certificate ca = certificate_make("test CA", NULL, NULL);
        struct certificate host = certificate_make("server", "IP:127.0.0.1,DNS:localhost", &ca);
        struct tls_options server = {.certificate_text = host.text, .key_text = host.key_text};
        struct tls_options client = {.ca_text = ca.text};

        assert_int_equal(tls_context_new_server(&server, &world->server_tls, NULL), RC_OK);
        assert_int_equal(tls_context_new_client(&client, &world->client_tls, NULL), RC_OK);
        certificate_fini(&ca);
        certificate_fini(&host);
    }
}

static inline void
world_close(void)
{
    side_free(&world->client);
    side_free(&world->server);
    listener_close(world->listener);
    loop_free(world->loop);
    tls_context_free(world->client_tls);
    tls_context_free(world->server_tls);
    buf_fini(&world->client.in);
    buf_fini(&world->server.in);
    free(world);
}

static inline int
start_plain(void **state)
{
    (void)state;
    world_open(false);
    return 0;
}

static inline int
start_tls(void **state)
{
    (void)state;
    world_open(true);
    return 0;
}

static inline int
end(void **state)
{
    (void)state;
    world_close();
    return 0;
}

/* Goes round until cond holds; a test that waits in vain fails after ten seconds. */
#define WAIT(cond)                                                                                 \
    for (int64_t until_us = loop_now_us(world->loop) + 10000000; !(cond);) {                       \
        assert_true(loop_now_us(world->loop) < until_us);                                          \
        loop_step(world->loop, 1000000);                                                           \
    }

static inline void
connect_to(const char *host, uint16_t port, const struct tcp_events *with)
{
    struct tcp_options options = {.deadline_us = loop_now_us(world->loop) + 5000000,
        .queue_bytes_max = world->queue_bytes_max,
        .tls = world->client_tls};

    world->client.tcp = tcp_connect(world->loop, host, port, &options, with, &world->client);
}

static inline void
connect_both(void)
{
    connect_to("127.0.0.1", listener_port(world->listener), &events);
    WAIT(world->client.opened && world->server.opened);
}

static inline uint8_t *
pattern(size_t size, unsigned seed)
{
    uint8_t *data = xmalloc(size);
    uint32_t x = seed * 2654435761U + 1;

    for (size_t i = 0; i < size; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = (uint8_t)(x >> 24);
    }
    return data;
}

static int releases;

static inline void
count_release(void *arg)
{
    int *count = arg;

    ++*count;
}

#define BOTH(name)                                                                                 \
    {#name, name, start_plain, end, NULL},                                                         \
    {                                                                                              \
#name " with TLS", name, start_tls, end, NULL                                              \
    }

#endif
