#include "lib/net/tcp.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "lib/net/dial.h"
#include "lib/net/resolve.h"
#include "lib/net/tcp_queue.h"

/* What one connection may move in one round of the loop. */
#define READ_BYTES_PER_ROUND ((size_t)1 << 20)
#define WRITE_BYTES_PER_ROUND ((size_t)4 << 20)

enum state { CONNECTING, HANDSHAKE, OPEN, CLOSED };

struct tcp {
    struct loop *loop;
    const struct tcp_events *events;
    void *arg;
    enum state state;

    int fd;
    struct loop_fd *watch;
    struct tls *tls;
    char *host; /* whom we connect to; for an adopted socket its address */
    struct loop_timer timer;
    int64_t deadline_us;
    int64_t started_us;

    struct dial *dial; /* while CONNECTING */

    struct tcp_queue queue;
    size_t queue_bytes_max;
    bool refused; /* a write was refused and the owner waits for `drain` */
    bool write_blocked;
    bool write_waits_read; /* TLS has to read before it can write */
    bool flush_deferred;
    bool read_deferred;
    bool paused;
    bool peer_ended;
    bool end_wanted;
    bool end_sent;

    loop_fn *on_free;
    void *on_free_arg;
};

static void read_again(void *arg);

/* --- the end -----------------------------------------------------------------------------------
 */

static void
shut(struct tcp *tcp)
{
    tcp->state = CLOSED;
    loop_timer_cancel(tcp->loop, &tcp->timer);
    dial_cancel(tcp->dial);
    tcp->dial = NULL;
    loop_fd_free(tcp->watch);
    tcp->watch = NULL;
    if (tcp->fd >= 0)
        close(tcp->fd);
    tcp->fd = -1;
    tcp_queue_clear(&tcp->queue);
}

/* The connection is over for the reason in e, which gets the peer's name in front. */
static void
fail(struct tcp *tcp, struct err *e)
{
    if (tcp->state == CLOSED)
        return;
    if (e->code != RC_OK)
        (void)err_note(e, "%s", tcp->host);
    shut(tcp);
    tcp->events->close(tcp->arg, e);
}

static void
memory_free(void *arg)
{
    struct tcp *tcp = arg;

    tls_free(tcp->tls);
    tcp_queue_fini(&tcp->queue);
    free(tcp->host);
    free(tcp);
}

void
tcp_free(struct tcp *tcp)
{
    if (tcp == NULL)
        return;
    if (tcp->state != CLOSED) {
        /* A clean goodbye where it costs nothing. */
        if (tcp->tls != NULL && tcp->state == OPEN && !tcp->end_sent)
            (void)tls_end(tcp->tls, NULL);
        shut(tcp);
    }
    if (tcp->on_free != NULL)
        tcp->on_free(tcp->on_free_arg);
    /* We may stand in one of its callbacks. */
    loop_defer(tcp->loop, memory_free, tcp);
}

void
tcp_on_free(struct tcp *tcp, loop_fn *fn, void *arg)
{
    tcp->on_free = fn;
    tcp->on_free_arg = arg;
}

/* --- moving bytes ------------------------------------------------------------------------------
 */

static ssize_t
socket_read(void *arg, void *data, size_t size)
{
    const struct tcp *tcp = arg;

    return recv(tcp->fd, data, size, 0);
}

static ssize_t
socket_write(void *arg, const void *data, size_t size)
{
    const struct tcp *tcp = arg;

    if (tcp->fd < 0) {
        errno = EPIPE;
        return -1;
    }
    return send(tcp->fd, data, size, MSG_NOSIGNAL);
}

static const struct tls_io socket_io = {socket_read, socket_write};

/* Says what to wait for. */
static void
want(struct tcp *tcp)
{
    unsigned events = 0;

    if (tcp->state != OPEN)
        return;
    if (!tcp->paused && !tcp->peer_ended)
        events |= LOOP_READ;
    if (tcp->write_blocked)
        events |= LOOP_WRITE;
    loop_fd_want(tcp->watch, events);
}

/* Reads once; TLS_DONE with *got > 0, or why not. */
static enum tls_status
read_once(struct tcp *tcp, void *room, size_t size, size_t *got, struct err *e)
{
    ssize_t n;

    if (tcp->tls != NULL)
        return tls_read(tcp->tls, room, size, got, e);
    n = recv(tcp->fd, room, size, 0);
    if (n > 0) {
        *got = (size_t)n;
        return TLS_DONE;
    }
    if (n == 0)
        return TLS_ENDED;
    if (errno == EAGAIN || errno == EINTR)
        return TLS_WANT_READ;
    (void)err_set_errno(e, RC_CLOSED, errno, "the connection broke");
    return TLS_FAILED;
}

static void
on_peer_end(struct tcp *tcp)
{
    struct err e = {.code = RC_OK};

    tcp->peer_ended = true;
    if (tcp->end_sent) {
        fail(tcp, &e);
    } else if (tcp->events->end == NULL) {
        (void)err_set(&e, RC_CLOSED, "the peer closed the connection");
        fail(tcp, &e);
    } else {
        tcp->events->end(tcp->arg);
    }
}

static void
defer_read(struct tcp *tcp)
{
    if (!tcp->read_deferred)
        loop_defer(tcp->loop, read_again, tcp);
    tcp->read_deferred = true;
}

static void
read_all(struct tcp *tcp)
{
    size_t budget = READ_BYTES_PER_ROUND;

    while (tcp->state == OPEN && !tcp->peer_ended) {
        struct err e = {.code = RC_OK};
        enum tls_status status;
        size_t size = 0, got = 0;
        void *room = tcp->events->room(tcp->arg, &size);

        if (tcp->state != OPEN)
            return;
        tcp->paused = room == NULL;
        if (room == NULL)
            break;
        REQUIRE(size > 0);
        status = read_once(tcp, room, size, &got, &e);
        if (status == TLS_FAILED) {
            fail(tcp, &e);
            return;
        }
        if (status == TLS_ENDED) {
            on_peer_end(tcp);
            break;
        }
        if (status != TLS_DONE)
            break;
        tcp->events->data(tcp->arg, got);
        if (got >= budget || (got < size && tcp->tls == NULL)) {
            /* Bytes that TLS has taken from the socket already would not wake us. */
            if (tcp->state == OPEN && tcp->tls != NULL && tls_has_pending(tcp->tls))
                defer_read(tcp);
            break;
        }
        budget -= got;
    }
    want(tcp);
}

/* Sends what the queue has; TLS_DONE when it is empty, TLS_WANT_WRITE when more has to wait. */
static enum tls_status
write_all(struct tcp *tcp, struct err *e)
{
    size_t budget = WRITE_BYTES_PER_ROUND;

    while (tcp_queue_bytes(&tcp->queue) > 0) {
        size_t sent = 0;
        enum tls_status status = tcp->tls != NULL
                                     ? tcp_queue_send_tls(&tcp->queue, tcp->tls, &sent, e)
                                     : tcp_queue_send(&tcp->queue, tcp->fd, &sent, e);

        if (status != TLS_DONE)
            return status;
        if (tcp->state != OPEN)
            return TLS_DONE;
        if (sent >= budget)
            return TLS_WANT_WRITE;
        budget -= sent;
    }
    return TLS_DONE;
}

static void
end_send(struct tcp *tcp)
{
    struct err e = {.code = RC_OK};

    if (tcp->end_sent)
        return;
    tcp->end_sent = true;
    if (tcp->tls != NULL)
        (void)tls_end(tcp->tls, NULL);
    shutdown(tcp->fd, SHUT_WR);
    if (tcp->peer_ended)
        fail(tcp, &e);
}

static void
flush(struct tcp *tcp)
{
    struct err e = {.code = RC_OK};
    enum tls_status status;

    if (tcp->state != OPEN)
        return;
    status = write_all(tcp, &e);
    if (tcp->state != OPEN)
        return;
    if (status == TLS_FAILED || status == TLS_ENDED) {
        if (e.code == RC_OK)
            (void)err_set(&e, RC_CLOSED, "the peer closed the connection");
        fail(tcp, &e);
        return;
    }
    tcp->write_blocked = status == TLS_WANT_WRITE;
    tcp->write_waits_read = status == TLS_WANT_READ;
    if (tcp->end_wanted && status == TLS_DONE)
        end_send(tcp);
    want(tcp);
    if (tcp->state == OPEN && tcp->refused &&
        tcp_queue_bytes(&tcp->queue) <= tcp->queue_bytes_max / 2) {
        tcp->refused = false;
        if (tcp->events->drain != NULL)
            tcp->events->drain(tcp->arg);
    }
}

static void
read_again(void *arg)
{
    struct tcp *tcp = arg;

    tcp->read_deferred = false;
    if (tcp->state == OPEN)
        read_all(tcp);
}

static void
flush_again(void *arg)
{
    struct tcp *tcp = arg;

    tcp->flush_deferred = false;
    flush(tcp);
}

static void
defer_flush(struct tcp *tcp)
{
    if (tcp->state != OPEN || tcp->write_blocked || tcp->flush_deferred)
        return;
    tcp->flush_deferred = true;
    loop_defer(tcp->loop, flush_again, tcp);
}

/* --- getting open ------------------------------------------------------------------------------
 */

static void
open_now(struct tcp *tcp)
{
    tcp->state = OPEN;
    loop_timer_cancel(tcp->loop, &tcp->timer);
    want(tcp);
    if (tcp_queue_bytes(&tcp->queue) > 0 || tcp->end_wanted)
        defer_flush(tcp);
    /* TLS may hold bytes that came with the end of the handshake. */
    if (tcp->tls != NULL && tls_has_pending(tcp->tls))
        defer_read(tcp);
    if (tcp->events->open != NULL)
        tcp->events->open(tcp->arg);
}

static void
handshake(struct tcp *tcp)
{
    struct err e = {.code = RC_OK};

    switch (tls_handshake(tcp->tls, &e)) {
    case TLS_DONE:
        open_now(tcp);
        break;
    case TLS_WANT_READ:
        loop_fd_want(tcp->watch, LOOP_READ);
        break;
    case TLS_WANT_WRITE:
        loop_fd_want(tcp->watch, LOOP_WRITE);
        break;
    case TLS_ENDED:
        (void)err_set(&e, RC_CLOSED, "the peer closed the connection during the TLS handshake");
        fail(tcp, &e);
        break;
    case TLS_FAILED:
        fail(tcp, &e);
        break;
    }
}

static void
on_deadline(void *arg)
{
    struct tcp *tcp = arg;
    struct err e = {.code = RC_OK};

    (void)err_set(&e, RC_TIMEOUT, "no TLS handshake within %lld ms",
        (long long)(loop_now_us(tcp->loop) - tcp->started_us) / 1000);
    fail(tcp, &e);
}

static void
on_ready(void *arg, unsigned events)
{
    struct tcp *tcp = arg;

    if (tcp->state == HANDSHAKE) {
        handshake(tcp);
        return;
    }
    if (events & LOOP_READ)
        read_all(tcp);
    if (tcp->state == OPEN && ((events & LOOP_WRITE) != 0 || tcp->write_waits_read))
        flush(tcp);
}

static void
connected(struct tcp *tcp)
{
    int on = 1;

    tcp->watch = loop_fd_new(tcp->loop, tcp->fd, on_ready, tcp);
    /* Neither is worth failing for. */
    (void)setsockopt(tcp->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(tcp->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (tcp->tls == NULL) {
        open_now(tcp);
        return;
    }
    tcp->state = HANDSHAKE;
    if (tcp->deadline_us > 0)
        loop_timer_set(tcp->loop, &tcp->timer, tcp->deadline_us, on_deadline, tcp);
    handshake(tcp);
}

static void
on_dialed(void *arg, enum rc rc, int fd, const struct err *e)
{
    struct tcp *tcp = arg;
    struct err copy = *e;

    tcp->dial = NULL;
    if (rc != RC_OK) {
        fail(tcp, &copy);
        return;
    }
    tcp->fd = fd;
    connected(tcp);
}

static struct tcp *
tcp_new(struct loop *loop, const struct tcp_options *options, const struct tcp_events *events,
    void *arg)
{
    struct tcp *tcp = xcalloc(1, sizeof *tcp);

    tcp->loop = loop;
    tcp->events = events;
    tcp->arg = arg;
    tcp->fd = -1;
    tcp->queue_bytes_max =
        options->queue_bytes_max == 0 ? TCP_QUEUE_BYTES : options->queue_bytes_max;
    tcp->started_us = loop_now_us(loop);
    tcp->deadline_us = options->deadline_us;
    tcp_queue_init(&tcp->queue);
    return tcp;
}

struct tcp *
tcp_connect(struct loop *loop, const char *host, uint16_t port, const struct tcp_options *options,
    const struct tcp_events *events, void *arg)
{
    struct tcp *tcp = tcp_new(loop, options, events, arg);

    tcp->host = xasprintf("%s:%u", host, port);
    if (options->tls != NULL)
        tcp->tls = tls_new(options->tls, host, &socket_io, tcp);
    tcp->dial = dial_start(loop, host, port, options->deadline_us, on_dialed, tcp);
    return tcp;
}

static void
on_adopted(void *arg)
{
    struct tcp *tcp = arg;

    if (tcp->state != CLOSED)
        connected(tcp);
}

struct tcp *
tcp_adopt(struct loop *loop, int fd, const struct tcp_options *options,
    const struct tcp_events *events, void *arg)
{
    struct tcp *tcp = tcp_new(loop, options, events, arg);
    char text[TCP_TEXT_MAX];

    tcp->fd = fd;
    tcp_peer_text(tcp, text);
    tcp->host = xstrdup(text);
    tcp->state = HANDSHAKE;
    if (options->tls != NULL)
        tcp->tls = tls_new(options->tls, NULL, &socket_io, tcp);
    loop_defer(loop, on_adopted, tcp);
    return tcp;
}

/* --- use ---------------------------------------------------------------------------------------
 */

enum rc
tcp_write(struct tcp *tcp, const struct tcp_piece *pieces, size_t count, loop_fn *release,
    void *release_arg)
{
    if (tcp->state == CLOSED || tcp->end_wanted)
        return RC_CLOSED;
    if (tcp_queue_bytes(&tcp->queue) >= tcp->queue_bytes_max) {
        tcp->refused = true;
        return RC_LIMIT;
    }
    tcp_queue_add(&tcp->queue, pieces, count, release, release_arg);
    defer_flush(tcp);
    return RC_OK;
}

enum rc
tcp_write_dup(struct tcp *tcp, const void *data, size_t size)
{
    void *copy = xmemdup(data, size);
    struct tcp_piece piece = {copy, size};
    enum rc rc = tcp_write(tcp, &piece, 1, free, copy);

    if (rc != RC_OK)
        free(copy);
    return rc;
}

void
tcp_push(struct tcp *tcp)
{
    struct err e;

    /* What does not go well is met again, and told, by the flush at the end of the round. */
    if (tcp->state == OPEN && !tcp->write_blocked && !tcp->write_waits_read)
        (void)write_all(tcp, &e);
}

void
tcp_end(struct tcp *tcp)
{
    tcp->end_wanted = true;
    defer_flush(tcp);
}

void
tcp_resume(struct tcp *tcp)
{
    if (!tcp->paused)
        return;
    tcp->paused = false;
    if (tcp->state != OPEN)
        return;
    want(tcp);
    if (tcp->tls != NULL && tls_has_pending(tcp->tls))
        defer_read(tcp);
}

size_t
tcp_queued_bytes(const struct tcp *tcp)
{
    return tcp_queue_bytes(&tcp->queue);
}

static void
address_text(int fd, int (*get)(int, struct sockaddr *, socklen_t *), char *out)
{
    struct resolve_address address = {.size = sizeof address.at};

    if (fd < 0 || get(fd, &address.at.any, &address.size) != 0)
        snprintf(out, TCP_TEXT_MAX, "?");
    else
        resolve_address_text(&address, out);
}

void
tcp_peer_text(const struct tcp *tcp, char *out)
{
    address_text(tcp->fd, getpeername, out);
}

void
tcp_local_text(const struct tcp *tcp, char *out)
{
    address_text(tcp->fd, getsockname, out);
}

struct tls *
tcp_tls(const struct tcp *tcp)
{
    return tcp->tls;
}
