#include "lib/net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/net/resolve.h"
#include "lib/net/tcp.h"

#define BACKLOG 512
#define ACCEPTS_PER_ROUND 64

struct listener {
    struct loop *loop;
    listener_accept_fn *fn;
    void *arg;
    int fd;
    uint16_t port;
    struct loop_fd *watch;
    struct loop_timer pause;
    size_t connections;
    size_t connections_max;
    bool said;
    bool closed; /* waits for its last connection */
};

static void
want(struct listener *listener)
{
    bool accept_more =
        listener->connections < listener->connections_max && !loop_timer_is_set(&listener->pause);

    loop_fd_want(listener->watch, accept_more ? LOOP_READ : 0);
}

static void
on_connection_free(void *arg)
{
    struct listener *listener = arg;

    listener->connections--;
    if (!listener->closed)
        want(listener);
    else if (listener->connections == 0)
        free(listener);
}

static void
on_pause_end(void *arg)
{
    want(arg);
}

static void
accept_failed(struct listener *listener, int number)
{
    if (number == EAGAIN || number == ECONNABORTED || number == EINTR)
        return;
    if (!listener->said)
        log_warn("NET-ACCEPT-FAILED", "port %u: %s", listener->port, strerror(number));
    listener->said = true;
    loop_timer_set(listener->loop, &listener->pause,
        loop_now_us(listener->loop) + LISTENER_PAUSE_MS * 1000, on_pause_end, listener);
    want(listener);
}

static void
on_readable(void *arg, unsigned events)
{
    struct listener *listener = arg;

    (void)events;
    for (int i = 0; i < ACCEPTS_PER_ROUND && listener->connections < listener->connections_max;
         i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct tcp *tcp;

        if (fd < 0) {
            accept_failed(listener, errno);
            return;
        }
        listener->said = false;
        tcp = listener->fn(listener->arg, fd);
        if (tcp == NULL) {
            close(fd);
            continue;
        }
        listener->connections++;
        tcp_on_free(tcp, on_connection_free, listener);
    }
    want(listener);
}

/* Binds to one address; the socket, or -1 with errno. */
static int
bind_one(const struct resolve_address *address)
{
    int fd = socket(address->at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, number;

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, &address->at.any, address->size) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    number = errno;
    close(fd);
    errno = number;
    return -1;
}

static uint16_t
port_of(int fd)
{
    struct resolve_address address = {.size = sizeof address.at};

    REQUIRE(getsockname(fd, &address.at.any, &address.size) == 0);
    return ntohs(address.at.any.sa_family == AF_INET6 ? address.at.ipv6.sin6_port
                                                      : address.at.ipv4.sin_port);
}

static enum rc
bind_failed(const struct listener_options *options, int number, struct err *e)
{
    if (number == EADDRINUSE)
        return err_set(
            e, RC_LOCKED, "%s:%u is in use by another process", options->host, options->port);
    return err_set_errno(e, number == EACCES || number == EPERM ? RC_DENIED : RC_CONFIG, number,
        "cannot listen on %s:%u", options->host, options->port);
}

enum rc
listener_open(struct loop *loop, const struct listener_options *options, listener_accept_fn *fn,
    void *arg, struct listener **out, struct err *e)
{
    bool all = options->host[0] == '\0' || strcmp(options->host, "*") == 0;
    struct resolve_address addresses[RESOLVE_ADDRESSES_MAX];
    struct listener *listener;
    int fd = -1, number = 0;
    size_t count;

    if (resolve_now(all ? "0.0.0.0" : options->host, options->port, addresses, &count, e) != RC_OK)
        return err_set(e, RC_CONFIG, "cannot listen on %s:%u: the host is unknown", options->host,
            options->port);
    for (size_t i = 0; i < count && fd < 0; i++) {
        fd = bind_one(&addresses[i]);
        number = errno;
    }
    if (fd < 0)
        return bind_failed(options, number, e);
    listener = xcalloc(1, sizeof *listener);
    listener->loop = loop;
    listener->fn = fn;
    listener->arg = arg;
    listener->fd = fd;
    listener->port = port_of(fd);
    listener->connections_max = options->connections_max;
    listener->watch = loop_fd_new(loop, fd, on_readable, listener);
    want(listener);
    *out = listener;
    return RC_OK;
}

void
listener_close(struct listener *listener)
{
    if (listener == NULL)
        return;
    loop_timer_cancel(listener->loop, &listener->pause);
    loop_fd_free(listener->watch);
    close(listener->fd);
    listener->closed = true;
    if (listener->connections == 0)
        free(listener);
}

uint16_t
listener_port(const struct listener *listener)
{
    return listener->port;
}

size_t
listener_connections(const struct listener *listener)
{
    return listener->connections;
}
