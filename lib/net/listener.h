/*
 * listener: a server's socket, and how many connections it lets in.
 *
 * At connections_max the listener stops accepting until a connection is freed; newcomers wait in
 * the kernel's queue. When the process runs out of descriptors it pauses for LISTENER_PAUSE_MS
 * instead of spinning, and says so once in the log (NET-ACCEPT-FAILED).
 */
#ifndef LIB_NET_LISTENER_H
#define LIB_NET_LISTENER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/net/loop.h"

#define LISTENER_PAUSE_MS 100

struct listener;
struct tcp;

/* A connection came in: the owner gives its socket to tcp_adopt and returns the connection, or NULL
 * to have it closed. */
typedef struct tcp *listener_accept_fn(void *arg, int fd);

struct listener_options {
    const char *host; /* name or address; "" or "*": every IPv4 address */
    uint16_t port;    /* 0: any free one */
    size_t connections_max;
};

/* listener_open binds and listens at once. RC_CONFIG for an address that is none of ours, RC_LOCKED
 * for one in use, RC_DENIED for one that needs more rights. */
MUST_CHECK enum rc listener_open(struct loop *loop, const struct listener_options *options,
    listener_accept_fn *fn, void *arg, struct listener **out, struct err *e);

/* listener_close stops listening; connections stay. NULL is accepted. */
void listener_close(struct listener *listener);

/* listener_port returns the port, which the system may have chosen. */
uint16_t listener_port(const struct listener *listener);

/* listener_connections returns how many connections are open. */
size_t listener_connections(const struct listener *listener);

#endif
