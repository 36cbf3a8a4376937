/*
 * s3_http: HTTP requests of many threads, made by one.
 *
 * The only module that includes libcurl. s3_http_run hands a request to the thread that runs curl's
 * multi interface, and waits for it; requests of different threads are under way at once, over
 * connections that are kept. Nothing is followed (no redirects, no proxies of the environment), and
 * nothing is decompressed.
 *
 * The server is not trusted: an answer ends where its caller's memory ends, its headers after
 * S3_HTTP_HEADERS_BYTES_MAX, a connection on which nothing moves after the stall, and everything at
 * the request's timeout.
 *
 * Times in milliseconds. Everything that a request points at belongs to the caller and must stay
 * until s3_http_run returns.
 */
#ifndef LIB_STORE_S3_HTTP_H
#define LIB_STORE_S3_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/pieces.h"

#define S3_HTTP_HEADERS_BYTES_MAX ((size_t)64 * 1024)

struct s3_http;

struct s3_http_request {
    const char *method;
    const char *url;
    const char *const *headers; /* "Name: value" */
    size_t header_count;
    const struct pieces *body; /* sent with a length where it is not NULL */
    int64_t timeout_ms;
    int64_t stall_ms; /* at least 1000: no byte either way for so long */
    void *into;       /* NULL, or where the body of an answer 206 goes, no more than into_size */
    size_t into_size;
    struct buf *answer; /* where any other body goes */

    /* The answer. The counts are right whatever s3_http_run returned. */
    int status;
    size_t into_got;
    bool was_sent; /* at least a part of the request has left */
    int64_t body_bytes_sent;
};

/* s3_http_new starts the thread; s3_http_free ends it, and no call may be under way. RC_LIMIT where
 * the system gives no thread or curl no memory. */
MUST_CHECK enum rc s3_http_new(struct s3_http **out, struct err *e);
void s3_http_free(struct s3_http *http);

/*
 * s3_http_run makes one request. RC_OK for an answer of any status; RC_TIMEOUT at the timeout or
 * after a stall; RC_LIMIT for an answer that does not fit; RC_CLOSED for any other trouble with
 * name, connection or TLS; RC_CANCELED.
 */
MUST_CHECK enum rc s3_http_run(
    struct s3_http *http, struct s3_http_request *request, struct err *e);

/* s3_http_pause waits, unless there is no more to wait for: RC_CANCELED. */
MUST_CHECK enum rc s3_http_pause(struct s3_http *http, int64_t ms, struct err *e);

/* s3_http_cancel ends all calls that are under way or will come with RC_CANCELED, from any thread.
 */
void s3_http_cancel(struct s3_http *http);

#endif
