/*
 * dial: from a host's name to a connected socket.
 *
 * The name is resolved and all its addresses are tried in turn, each with its share of the time
 * that is left, so that a dead address does not use up what a live one behind it needs. The error
 * is that of the last address.
 */
#ifndef LIB_NET_DIAL_H
#define LIB_NET_DIAL_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/net/loop.h"

struct dial;

/* The result: RC_OK and a non-blocking socket that now belongs to the receiver, or another code and
 * fd -1. The dial is over and must not be canceled any more. */
typedef void dial_fn(void *arg, enum rc rc, int fd, const struct err *e);

/* dial_start calls fn from the loop, never before it returns. deadline_us is on the loop's clock; 0
 * means as long as the system tries. */
struct dial *dial_start(struct loop *loop, const char *host, uint16_t port, int64_t deadline_us,
    dial_fn *fn, void *arg);

/* dial_cancel makes sure that fn is not called. NULL is accepted. */
void dial_cancel(struct dial *dial);

/* dial_hint returns what the user may look at where a connection failed with an errno whose own
 * word does not say it, to be put behind that; "" where there is nothing to add. */
const char *dial_hint(int number);

#endif
