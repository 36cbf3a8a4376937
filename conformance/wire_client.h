/*
 * wire_client: a plain connection to a broker, byte by byte.
 *
 * For checks about what a connection does: partial writes, closing, bytes that nobody asked for.
 * It knows frames only by their length. Every call waits with poll until its deadline, which is on
 * the monotonic clock in microseconds, and gives up with RC_CANCELED when a signal comes.
 */
#ifndef CONFORMANCE_WIRE_CLIENT_H
#define CONFORMANCE_WIRE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

struct wire_client;

/* wire_client_now_us is the clock of the deadlines. */
int64_t wire_client_now_us(void);

/* wire_client_open connects to a name or address; the caller closes it. */
MUST_CHECK enum rc wire_client_open(
    const char *host, uint16_t port, int64_t deadline_us, struct wire_client **out, struct err *e);

/* wire_client_close accepts NULL. */
void wire_client_close(struct wire_client *client);

/* wire_client_write sends all bytes. RC_CLOSED where the peer has closed. */
MUST_CHECK enum rc wire_client_write(
    struct wire_client *client, const void *data, size_t size, int64_t deadline_us, struct err *e);

/*
 * wire_client_frame appends the next frame to out, without its length. RC_CLOSED where the peer
 * closes before it is whole, RC_PROTOCOL for a length below 0, RC_LIMIT for one that out has no
 * room for.
 */
MUST_CHECK enum rc wire_client_frame(
    struct wire_client *client, int64_t deadline_us, struct buf *out, struct err *e);

/*
 * wire_client_wait_end waits until the peer closes: RC_OK then, also for a reset. *bytes counts
 * what it sent before. RC_TIMEOUT where it leaves the connection open.
 */
MUST_CHECK enum rc wire_client_wait_end(
    struct wire_client *client, int64_t deadline_us, size_t *bytes, struct err *e);

/* wire_client_is_silent tells that until deadline_us nothing came, neither bytes nor the end. */
bool wire_client_is_silent(struct wire_client *client, int64_t deadline_us);

#endif
