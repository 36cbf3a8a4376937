/*
 * tcp: connections on a loop, plain or with TLS, that never block and never copy what they need
 * not.
 *
 * Received bytes go straight into memory that the owner gives (tcp_room_fn), sent bytes are taken
 * from where they lie (struct tcp_piece) and given back by a release callback. What is written in
 * one round of the loop leaves in one system call at its end. Writing is bounded: once
 * queue_bytes_max bytes wait, tcp_write refuses until the queue has fallen to half of it, which
 * tcp_drain_fn tells. Reading is bounded per round, so that one busy peer does not starve the
 * others.
 *
 * Callbacks come from the loop only, never out of the functions below. An owner may call tcp_free
 * in any callback. Not thread-safe: the loop's thread.
 */
#ifndef LIB_NET_TCP_H
#define LIB_NET_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/net/loop.h"
#include "lib/net/tls.h"

#define TCP_TEXT_MAX 64

struct tcp;

/* Bytes to send, `data` stays valid until release. */
struct tcp_piece {
    const void *data;
    size_t size;
};

/* Ready to send and receive: connected, and TLS done. */
typedef void tcp_open_fn(void *arg);

/* Returns memory for what comes next and sets *size (> 0); NULL stops reading until tcp_resume. */
typedef void *tcp_room_fn(void *arg, size_t *size);

/* `size` bytes stand at the memory given last. */
typedef void tcp_data_fn(void *arg, size_t size);

/* The peer sends nothing more; it may still read. */
typedef void tcp_end_fn(void *arg);

/* tcp_write is possible again after it had refused. */
typedef void tcp_drain_fn(void *arg);

/* The connection is over, e says why (RC_OK: both sides ended it). Called at most once and last;
 * tcp_free is left to do. */
typedef void tcp_close_fn(void *arg, const struct err *e);

struct tcp_events {
    tcp_open_fn *open; /* may be NULL */
    tcp_room_fn *room;
    tcp_data_fn *data;
    tcp_end_fn *end;     /* NULL: the connection is closed when the peer ends */
    tcp_drain_fn *drain; /* may be NULL */
    tcp_close_fn *close;
};

struct tcp_options {
    int64_t deadline_us;     /* on the loop's clock, for everything up to `open`; 0: none */
    size_t queue_bytes_max;  /* 0: TCP_QUEUE_BYTES */
    struct tls_context *tls; /* NULL: plain; must outlive the connection */
};

#define TCP_QUEUE_BYTES ((size_t)1 << 20)

/* tcp_connect starts a connection to a name or address; all its addresses are tried in turn, each
 * with its share of the time left. What goes wrong arrives in `close`. */
struct tcp *tcp_connect(struct loop *loop, const char *host, uint16_t port,
    const struct tcp_options *options, const struct tcp_events *events, void *arg);

/* tcp_adopt takes over a connected socket (a server's side); with TLS it then waits for the peer's
 * handshake. `open` is called here as well. */
struct tcp *tcp_adopt(struct loop *loop, int fd, const struct tcp_options *options,
    const struct tcp_events *events, void *arg);

/* tcp_free closes at once, releases what was not sent, and makes no further callback. NULL is
 * accepted. */
void tcp_free(struct tcp *tcp);

/* tcp_on_free has fn called by tcp_free: for whoever counts connections. */
void tcp_on_free(struct tcp *tcp, loop_fn *fn, void *arg);

/*
 * tcp_write queues pieces; release(release_arg) is called once, when all are sent or the connection
 * is closed or freed; it may be NULL and must not call back into tcp. RC_LIMIT when queue_bytes_max
 * or more bytes wait already; RC_CLOSED when the connection is over or was ended: nothing is queued
 * then, and release is not called. One write may exceed the limit by its own size. Allowed before
 * `open`.
 */
MUST_CHECK enum rc tcp_write(struct tcp *tcp, const struct tcp_piece *pieces, size_t count,
    loop_fn *release, void *release_arg);

/* tcp_write_dup queues a copy. */
MUST_CHECK enum rc tcp_write_dup(struct tcp *tcp, const void *data, size_t size);

/* tcp_push sends at once what is queued, as far as the socket takes it, instead of at the end of the
 * round: for who has more to do in this round than the peer should wait for. Release callbacks may
 * come out of it; all others, of failures too, still come from the loop only. */
void tcp_push(struct tcp *tcp);

/* tcp_end tells the peer, after all that is queued, that nothing more comes. */
void tcp_end(struct tcp *tcp);

/* tcp_resume reads on after a room function returned NULL. */
void tcp_resume(struct tcp *tcp);

/* tcp_queued_bytes returns what waits to be sent. */
size_t tcp_queued_bytes(const struct tcp *tcp);

/* tcp_peer_text and tcp_local_text write the addresses ("127.0.0.1:9092") to out, TCP_TEXT_MAX
 * bytes; "?" while there is no connection. */
void tcp_peer_text(const struct tcp *tcp, char *out);
void tcp_local_text(const struct tcp *tcp, char *out);

/* tcp_tls returns the TLS session, or NULL; it lives as long as the connection. */
struct tls *tcp_tls(const struct tcp *tcp);

#endif
