#include "lib/net/dial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "lib/net/resolve.h"

struct dial {
    struct loop *loop;
    dial_fn *fn;
    void *arg;
    int64_t started_us;
    int64_t deadline_us;
    struct loop_timer timer;
    struct resolve *resolve; /* NULL once there are addresses */
    size_t count;
    size_t next;
    int fd;
    struct loop_fd *watch;
    struct err err; /* of the last address */
    struct resolve_address addresses[RESOLVE_ADDRESSES_MAX];
};

static void
address_drop(struct dial *dial)
{
    loop_fd_free(dial->watch);
    dial->watch = NULL;
    if (dial->fd >= 0)
        close(dial->fd);
    dial->fd = -1;
}

void
dial_cancel(struct dial *dial)
{
    if (dial == NULL)
        return;
    loop_timer_cancel(dial->loop, &dial->timer);
    resolve_cancel(dial->resolve);
    address_drop(dial);
    free(dial);
}

static void
finish(struct dial *dial, int fd)
{
    dial_fn *fn = dial->fn;
    void *arg = dial->arg;
    struct err e = dial->err;

    if (fd >= 0)
        dial->fd = -1; /* given away */
    dial_cancel(dial);
    fn(arg, fd >= 0 ? RC_OK : e.code, fd, &e);
}

static void next_start(struct dial *dial);

const char *
dial_hint(int number)
{
    if (number == ECONNREFUSED)
        return "; nothing listens there: is the broker up, and the port right?";
    if (number == EHOSTUNREACH || number == ENETUNREACH)
        return "; no network leads there: is the address right, as seen from this machine?";
    return "";
}

static void
failed_at(struct dial *dial, int number)
{
    (void)err_set(&dial->err, RC_IO, "cannot connect: %s%s", strerror(number), dial_hint(number));
}

static void
on_ready(void *arg, unsigned events)
{
    struct dial *dial = arg;
    int number = 0;
    socklen_t size = sizeof number;

    (void)events;
    if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0)
        number = errno;
    if (number == 0) {
        finish(dial, dial->fd);
        return;
    }
    failed_at(dial, number);
    next_start(dial);
}

static void
on_time(void *arg)
{
    struct dial *dial = arg;
    long long took_ms = (loop_now_us(dial->loop) - dial->started_us) / 1000;

    if (dial->resolve != NULL) {
        (void)err_set(
            &dial->err, RC_TIMEOUT, "the host's name was not resolved within %lld ms", took_ms);
        finish(dial, -1);
        return;
    }
    (void)err_set(&dial->err, RC_TIMEOUT,
        "no connection within %lld ms: is the address right, does a firewall stand between?",
        took_ms);
    next_start(dial);
}

/* Starts connecting to one address; false, with err set, where that fails at once. */
static bool
address_start(struct dial *dial, const struct resolve_address *address)
{
    dial->fd = socket(address->at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dial->fd >= 0 &&
        (connect(dial->fd, &address->at.any, address->size) == 0 || errno == EINPROGRESS)) {
        dial->watch = loop_fd_new(dial->loop, dial->fd, on_ready, dial);
        loop_fd_want(dial->watch, LOOP_WRITE);
        return true;
    }
    failed_at(dial, errno);
    return false;
}

static void
next_start(struct dial *dial)
{
    int64_t now_us = loop_now_us(dial->loop), left;

    do {
        address_drop(dial);
        if (dial->next == dial->count) {
            finish(dial, -1);
            return;
        }
    } while (!address_start(dial, &dial->addresses[dial->next++]));
    if (dial->deadline_us == 0)
        return;
    left = (int64_t)(dial->count - dial->next) + 1;
    loop_timer_set(
        dial->loop, &dial->timer, now_us + (dial->deadline_us - now_us) / left, on_time, dial);
}

static void
on_resolved(void *arg, enum rc rc, const struct resolve_address *addresses, size_t count,
    const struct err *e)
{
    struct dial *dial = arg;

    dial->resolve = NULL;
    if (rc != RC_OK) {
        dial->err = *e;
        finish(dial, -1);
        return;
    }
    memcpy(dial->addresses, addresses, count * sizeof *addresses);
    dial->count = count;
    next_start(dial);
}

struct dial *
dial_start(
    struct loop *loop, const char *host, uint16_t port, int64_t deadline_us, dial_fn *fn, void *arg)
{
    struct dial *dial = xcalloc(1, sizeof *dial);

    dial->loop = loop;
    dial->fn = fn;
    dial->arg = arg;
    dial->fd = -1;
    dial->started_us = loop_now_us(loop);
    dial->deadline_us = deadline_us;
    if (deadline_us > 0)
        loop_timer_set(loop, &dial->timer, deadline_us, on_time, dial);
    dial->resolve = resolve_start(loop, host, port, on_resolved, dial);
    return dial;
}
