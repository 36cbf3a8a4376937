/*
 * conn: one connection to one broker, with requests in and answers out.
 *
 * Opening goes through TCP, TLS, ApiVersions and SASL; requests may be given before that is done
 * and are sent in the order given. Up to in_flight_max of them are under way at a time. Each
 * request is answered exactly once: by a reply, or by an error when its deadline passes or the
 * connection ends. Callbacks come from the loop, never out of the functions below; a conn may be
 * freed in any of them.
 *
 * Deadlines. A broker answers a connection's requests in order, so when the oldest one under way
 * gets no answer in time, all behind it wait for nothing: the connection is closed and all of them
 * end with RC_TIMEOUT. A request behind a slower one just ends by itself.
 *
 * Throttling (KIP-219): after a reply with throttle_time_ms nothing is sent for that time, but for
 * CONN_THROTTLE_MS_MAX at most, and the deadlines of all calls move by as much.
 * Re-authentication (KIP-368): where the broker limits a login's life, the conn logs in anew in
 * time, between two requests.
 *
 * Errors of opening name the address and, where it can be told, the property to set; wrong
 * certificate, host name or password are RC_DENIED.
 */
#ifndef LIB_KAFKA_CONN_H
#define LIB_KAFKA_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/kafka/conf.h"
#include "lib/kafka/conn_reply.h"
#include "lib/kafka/conn_versions.h"
#include "lib/net/loop.h"

#define CONN_IN_FLIGHT_MAX 8
#define CONN_THROTTLE_MS_MAX 60000

/* What all connections to a cluster share. */
struct conn_setup {
    struct loop *loop;
    const struct conf_client *conf;
    struct tls_context *tls;
    size_t in_flight_max; /* CONN_IN_FLIGHT_MAX unless changed */
    bool bare;            /* neither ApiVersions nor SASL: the first bytes are the owner's */
};

/* conn_setup_init reads certificates and keys; conf must outlive it. */
MUST_CHECK enum rc conn_setup_init(
    struct conn_setup *setup, struct loop *loop, const struct conf_client *conf, struct err *e);
void conn_setup_fini(struct conn_setup *setup);

struct conn;
struct conn_call;

/* The connection is ready; may be NULL. */
typedef void conn_ready_fn(void *arg);

/* The connection is over, and all its requests have been ended before; once and last. conn_free is
 * left to do. */
typedef void conn_closed_fn(void *arg, const struct err *e);

struct conn_events {
    conn_ready_fn *ready;
    conn_closed_fn *closed;
};

/* conn_open starts a connection; setup and events must outlive it. */
struct conn *conn_open(const struct conn_setup *setup, const char *host, uint16_t port,
    const struct conn_events *events, void *arg);

/* conn_free closes at once; requests that are left are forgotten without callback. NULL is
 * accepted. */
void conn_free(struct conn *conn);

/* conn_set_owner gives the connection to another owner, who gets its events from now on. */
void conn_set_owner(struct conn *conn, void *arg);

/* The end of a request: reply is NULL where e is an error, and lives as long as the call, or as a
 * reference to it. */
typedef void conn_done_fn(void *arg, struct conn_reply *reply, const struct err *e);

/*
 * One request, copied by conn_call. Either api and body, or a frame. body (with all it points to,
 * record fragments included) or frame must stay as they are until `done`: they may be encoded and
 * sent late.
 */
struct conn_request {
    const struct wire_api *api;
    const void *body;                /* the struct of api->request */
    const struct wire_range *wanted; /* versions; NULL: any */
    const void *frame;               /* a whole request as is, without its length; its reply is not
                                      * decoded and may have any correlation id */
    size_t frame_size;
    bool raw_reply;      /* the reply is not decoded; implied by frame */
    bool no_reply;       /* done when it is sent: Produce with acks=0 */
    int64_t deadline_us; /* on the loop's clock */
    conn_done_fn *done;
    void *arg;
};

/* conn_call queues a request. The handle is valid until `done`. */
struct conn_call *conn_call(struct conn *conn, const struct conn_request *request);

/* conn_call_cancel ends a call without `done`; its answer is dropped when it comes. */
void conn_call_cancel(struct conn_call *call);

/* Facts. */

bool conn_is_ready(const struct conn *conn);
bool conn_is_closed(const struct conn *conn);

/* conn_versions returns what the broker speaks; nothing before the conn is ready. */
const struct conn_versions *conn_versions(const struct conn *conn);

/* conn_address returns "host:port". */
const char *conn_address(const struct conn *conn);

/* conn_load returns the number of calls that are queued or under way. */
size_t conn_load(const struct conn *conn);

struct conn_stats {
    uint64_t connections; /* 1; more in sums */
    uint64_t requests;
    uint64_t bytes_out;
    uint64_t bytes_in;
    uint64_t throttled_ms;
};

const struct conn_stats *conn_stats(const struct conn *conn);

#endif
