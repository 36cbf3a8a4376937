#include "conformance/wire_client.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/env.h"
#include "lib/base/xalloc.h"
#include "lib/net/dial.h"
#include "lib/net/resolve.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"

#define DISCARD_BYTES 4096

struct wire_client {
    int fd;
};

int64_t
wire_client_now_us(void)
{
    struct env env;

    env_init_real(&env);
    return env_now_us(&env);
}

/* RC_OK when the socket is ready for `events`. */
static enum rc
wait_for(int fd, short events, int64_t deadline_us, struct err *e)
{
    struct pollfd poller = {.fd = fd, .events = events};

    for (;;) {
        int64_t left_us = deadline_us - wire_client_now_us();
        int ready;

        if (left_us <= 0)
            return err_set(e, RC_TIMEOUT, "no answer in time");
        ready = poll(&poller, 1, (int)(left_us / 1000 < 60000 ? left_us / 1000 + 1 : 60000));
        if (ready > 0)
            return RC_OK;
        if (ready < 0 && errno == EINTR)
            return err_set(e, RC_CANCELED, "stopped by a signal");
        if (ready < 0)
            return err_set_errno(e, RC_IO, errno, "poll");
    }
}

/* A connected socket, or -1. */
static int
address_dial(const struct resolve_address *address, int64_t deadline_us, struct err *e)
{
    int fd = socket(address->at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int failure = 0;
    socklen_t size = sizeof failure;
    int on = 1;

    if (fd < 0) {
        err_set_errno(e, RC_IO, errno, "socket");
        return -1;
    }
    if (connect(fd, &address->at.any, address->size) != 0) {
        failure = errno;
        if (failure == EINPROGRESS && wait_for(fd, POLLOUT, deadline_us, e) == RC_OK)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    }
    if (failure == 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return fd;
    }
    if (failure != EINPROGRESS)
        (void)err_set(e, RC_CLOSED, "cannot connect: %s%s", strerror(failure), dial_hint(failure));
    close(fd);
    return -1;
}

enum rc
wire_client_open(
    const char *host, uint16_t port, int64_t deadline_us, struct wire_client **out, struct err *e)
{
    struct resolve_address addresses[RESOLVE_ADDRESSES_MAX];
    struct err last = {0};
    size_t count;
    int fd = -1;
    enum rc rc = resolve_now(host, port, addresses, &count, e);

    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < count && fd < 0; i++)
        fd = address_dial(&addresses[i], deadline_us, &last);
    if (fd < 0)
        return err_set(e, last.code, "%s:%u: %s", host, (unsigned)port, last.text);
    *out = xmalloc(sizeof **out);
    (*out)->fd = fd;
    return RC_OK;
}

void
wire_client_close(struct wire_client *client)
{
    if (client == NULL)
        return;
    close(client->fd);
    free(client);
}

enum rc
wire_client_write(
    struct wire_client *client, const void *data, size_t size, int64_t deadline_us, struct err *e)
{
    const uint8_t *at = data;

    while (size > 0) {
        ssize_t sent = send(client->fd, at, size, MSG_NOSIGNAL);
        enum rc rc;

        if (sent >= 0) {
            at += sent;
            size -= (size_t)sent;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return err_set_errno(e, RC_CLOSED, errno, "send");
        rc = wait_for(client->fd, POLLOUT, deadline_us, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* One piece of what comes; *size is 0 at the end. */
static enum rc
piece_read(struct wire_client *client, void *data, size_t *size, int64_t deadline_us, struct err *e)
{
    for (;;) {
        enum rc rc = wait_for(client->fd, POLLIN, deadline_us, e);
        ssize_t got;

        if (rc != RC_OK)
            return rc;
        got = recv(client->fd, data, *size, 0);
        if (got >= 0) {
            *size = (size_t)got;
            return RC_OK;
        }
        if (errno == ECONNRESET || errno == EPIPE) {
            *size = 0;
            return RC_OK;
        }
        if (errno != EAGAIN && errno != EINTR)
            return err_set_errno(e, RC_IO, errno, "recv");
    }
}

static enum rc
exactly_read(
    struct wire_client *client, uint8_t *data, size_t size, int64_t deadline_us, struct err *e)
{
    size_t done = 0;

    while (done < size) {
        size_t piece = size - done;
        enum rc rc = piece_read(client, data + done, &piece, deadline_us, e);

        if (rc != RC_OK)
            return rc;
        if (piece == 0)
            return done == 0 ? err_set(e, RC_CLOSED, "the connection was closed")
                             : err_set(e, RC_CLOSED,
                                   "the connection was closed %zu bytes into an answer", done);
        done += piece;
    }
    return RC_OK;
}

enum rc
wire_client_frame(struct wire_client *client, int64_t deadline_us, struct buf *out, struct err *e)
{
    uint8_t length[FRAME_LENGTH_BYTES];
    enum rc rc = exactly_read(client, length, sizeof length, deadline_us, e);
    int32_t size;
    void *room;

    if (rc != RC_OK)
        return rc;
    size = codec_bytes_int32(length);
    if (size < 0)
        return err_set(e, RC_PROTOCOL, "an answer with the length %d", size);
    room = buf_reserve(out, (size_t)size);
    if (room == NULL)
        return err_set(e, RC_LIMIT, "an answer of %d bytes", size);
    rc = exactly_read(client, room, (size_t)size, deadline_us, e);
    if (rc == RC_OK)
        buf_commit(out, (size_t)size);
    return rc;
}

enum rc
wire_client_wait_end(struct wire_client *client, int64_t deadline_us, size_t *bytes, struct err *e)
{
    uint8_t discarded[DISCARD_BYTES];

    for (*bytes = 0;;) {
        size_t size = sizeof discarded;
        enum rc rc = piece_read(client, discarded, &size, deadline_us, e);

        if (rc != RC_OK || size == 0)
            return rc;
        *bytes += size;
    }
}

bool
wire_client_is_silent(struct wire_client *client, int64_t deadline_us)
{
    return wait_for(client->fd, POLLIN, deadline_us, NULL) == RC_TIMEOUT;
}
