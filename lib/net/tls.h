/*
 * tls: TLS 1.2 and 1.3 for clients and servers, over whatever moves bytes.
 *
 * A session is made from a context (tls_context.h); it reads and writes through the two functions
 * of struct tls_io, so it knows no socket. What goes wrong is said in words that an operator can
 * act upon; tls_reason tells callers which hint to add.
 *
 * Not thread-safe: one owner per session.
 */
#ifndef LIB_NET_TLS_H
#define LIB_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/base/err.h"
#include "lib/net/tls_context.h"

struct tls;

/* Both work like recv and send on a non-blocking socket: bytes moved, 0 at the peer's end, -1 with
 * errno. */
struct tls_io {
    ssize_t (*read)(void *arg, void *data, size_t size);
    ssize_t (*write)(void *arg, const void *data, size_t size);
};

/* tls_new starts a session; host is whom a client wants to talk to (a name or an address), NULL for
 * a server. */
struct tls *tls_new(
    struct tls_context *context, const char *host, const struct tls_io *io, void *arg);

/* tls_free ends a session at once; NULL is accepted. */
void tls_free(struct tls *tls);

enum tls_status {
    TLS_DONE,
    TLS_WANT_READ,  /* call again when the peer has sent something */
    TLS_WANT_WRITE, /* call again when there is room to send */
    TLS_ENDED,      /* the peer has ended its side properly */
    TLS_FAILED,     /* err says why; only tls_free is left */
};

/* tls_handshake has to be called until it is TLS_DONE. */
enum tls_status tls_handshake(struct tls *tls, struct err *e);

/* tls_read and tls_write move up to `size` (> 0) bytes and set *moved. A write that must be called
 * again gets the same bytes (they may have moved in memory). */
enum tls_status tls_read(struct tls *tls, void *data, size_t size, size_t *moved, struct err *e);
enum tls_status tls_write(
    struct tls *tls, const void *data, size_t size, size_t *moved, struct err *e);

/* tls_end tells the peer that nothing more comes; tls_read goes on. */
enum tls_status tls_end(struct tls *tls, struct err *e);

/* tls_has_pending tells whether decrypted bytes wait, for which the socket will not wake anybody.
 */
bool tls_has_pending(const struct tls *tls);

/* Why a session failed, for hints. */
enum tls_reason {
    TLS_REASON_OTHER,
    TLS_REASON_NOT_TLS,           /* the peer does not speak TLS */
    TLS_REASON_CLOSED,            /* the peer went away during the handshake */
    TLS_REASON_NOT_TRUSTED,       /* no CA of ours signed its certificate */
    TLS_REASON_WRONG_HOST,        /* its certificate is for another host */
    TLS_REASON_WANTS_CERTIFICATE, /* it refuses us without a certificate that it trusts */
};

enum tls_reason tls_reason(const struct tls *tls);

/* tls_peer_name writes the subject of the peer's certificate as RFC 2253 text, as Kafka's
 * principals are built from; false where it showed none. */
bool tls_peer_name(const struct tls *tls, char *out, size_t size);

#endif
