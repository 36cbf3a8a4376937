/*
 * resolve: host names to addresses, without holding up the loop.
 *
 * The system's resolver blocks, for minutes when a name server is silent, so a name is looked up on
 * a thread of its own; numeric addresses need none. Cancelling does not wait for that thread: it
 * ends by itself and its answer is dropped.
 *
 * Limits: RESOLVE_ADDRESSES_MAX addresses per name, in the system's order; RESOLVE_THREADS_MAX
 * look-ups of the process at a time (RC_LIMIT beyond).
 */
#ifndef LIB_NET_RESOLVE_H
#define LIB_NET_RESOLVE_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/err.h"
#include "lib/net/loop.h"

#define RESOLVE_ADDRESSES_MAX 16
#define RESOLVE_THREADS_MAX 64
#define RESOLVE_TEXT_MAX (INET6_ADDRSTRLEN + 8)

struct resolve_address {
    socklen_t size;
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } at;
};

struct resolve;

/* The result: RC_OK and addresses, or another code and what is wrong. Both are valid during the
 * call; the look-up is over and must not be canceled any more. */
typedef void resolve_fn(void *arg, enum rc rc, const struct resolve_address *addresses,
    size_t count, const struct err *e);

/* resolve_start looks up host and calls fn on the loop, never before it returns. An IPv6 address
 * may stand in brackets. Returns what resolve_cancel takes. */
struct resolve *resolve_start(
    struct loop *loop, const char *host, uint16_t port, resolve_fn *fn, void *arg);

/* resolve_cancel makes sure that fn is not called. NULL is accepted. */
void resolve_cancel(struct resolve *resolve);

/* resolve_now does the same on the caller's thread, for those who have nothing else to do
 * meanwhile: a listener at its start, a check. */
MUST_CHECK enum rc resolve_now(const char *host, uint16_t port, struct resolve_address *addresses,
    size_t *count, struct err *e);

/* resolve_address_text writes "127.0.0.1:9092" or "[::1]:9092" to out, RESOLVE_TEXT_MAX bytes. */
void resolve_address_text(const struct resolve_address *address, char *out);

#endif
