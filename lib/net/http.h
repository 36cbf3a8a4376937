/*
 * http: a small HTTP/1.1 server for metrics and health: GET and HEAD of a few fixed paths.
 *
 * One request per connection, no bodies, no TLS. It stands on tcp and listener rather than on
 * libevent's server, because that one has no limit for connections. Limits:
 * HTTP_CONNECTIONS_MAX at a time, HTTP_HEAD_BYTES_MAX for a request, HTTP_DEADLINE_MS for a whole
 * exchange, HTTP_BODY_BYTES_MAX for an answer.
 */
#ifndef LIB_NET_HTTP_H
#define LIB_NET_HTTP_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/net/loop.h"

#define HTTP_CONNECTIONS_MAX 64
#define HTTP_HEAD_BYTES_MAX ((size_t)8192)
#define HTTP_BODY_BYTES_MAX ((size_t)64 << 20)
#define HTTP_DEADLINE_MS 10000

struct http;

struct http_reply {
    int status;       /* 200 before the handler is called */
    const char *type; /* static; "text/plain; charset=utf-8" before the handler is called */
    struct buf body;  /* empty before the handler is called */
};

/* Fills the reply. A body that overflows becomes status 500. */
typedef void http_handler_fn(void *arg, struct http_reply *reply);

/* http_open listens at once; errors as listener_open. */
MUST_CHECK enum rc http_open(
    struct loop *loop, const char *host, uint16_t port, struct http **out, struct err *e);

/* http_handle has a path ("/metrics", static) answered by fn. */
void http_handle(struct http *http, const char *path, http_handler_fn *fn, void *arg);

/* http_close ends all connections; NULL is accepted. */
void http_close(struct http *http);

uint16_t http_port(const struct http *http);

#endif
