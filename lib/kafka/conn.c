#include "lib/kafka/conn.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/list.h"
#include "lib/base/xalloc.h"
#include "lib/kafka/conn_call.h"
#include "lib/kafka/conn_frames.h"
#include "lib/kafka/conn_hint.h"
#include "lib/kafka/conn_login.h"
#include "lib/net/tcp.h"

/* The answers to ApiVersions and SASL are never larger. */
#define FIRST_BYTES_MAX ((size_t)1 << 20)

enum state { OPENING, LOGIN, READY, CLOSED };

struct conn {
    const struct conn_setup *setup;
    const struct conn_events *events;
    void *arg;
    char *address;
    enum state state;
    struct tcp *tcp;
    struct loop_timer deadline; /* of opening */
    struct conn_login login;
    struct conn_versions versions;
    struct conn_stats stats;
    int32_t correlation_next;
    bool announced; /* it was ready once */
    bool was_used;  /* and an answer came since */

    struct list waiting; /* calls to send */
    struct list flying;  /* calls that are sent, oldest first */
    bool pump_deferred;
    struct loop_timer unmute;
    struct loop_timer renew;

    struct conn_frames frames;
};

static void pump_soon(void *arg);

enum rc
conn_setup_init(
    struct conn_setup *setup, struct loop *loop, const struct conf_client *conf, struct err *e)
{
    memset(setup, 0, sizeof *setup);
    setup->loop = loop;
    setup->conf = conf;
    setup->in_flight_max = CONN_IN_FLIGHT_MAX;
    return conf->with_tls ? tls_context_new_client(&conf->tls, &setup->tls, e) : RC_OK;
}

void
conn_setup_fini(struct conn_setup *setup)
{
    tls_context_free(setup->tls);
    setup->tls = NULL;
}

/* --- the end -----------------------------------------------------------------------------------
 */

/* Ends those that are there now: callbacks may add new ones, or free the conn. */
static void
calls_end(struct list *calls, const struct err *e)
{
    struct list_node *node;

    for (size_t left = calls->count; left > 0 && (node = list_first(calls)) != NULL; left--)
        conn_call_finish(list_of(node, struct conn_call, node), NULL, e);
}

static void
shut(struct conn *conn)
{
    struct loop *loop = conn->setup->loop;

    conn->state = CLOSED;
    loop_timer_cancel(loop, &conn->deadline);
    loop_timer_cancel(loop, &conn->unmute);
    loop_timer_cancel(loop, &conn->renew);
    tcp_free(conn->tcp);
    conn->tcp = NULL;
}

static void
memory_free(void *arg)
{
    struct conn *conn = arg;

    conn_login_fini(&conn->login);
    conn_frames_fini(&conn->frames);
    free(conn->address);
    free(conn);
}

/* Ends everything with the error; the owner may free the conn in any of the callbacks. */
static void
fail(struct conn *conn, const struct err *e)
{
    struct err copy = *e;

    if (conn->state == CLOSED)
        return;
    shut(conn);
    calls_end(&conn->flying, &copy);
    calls_end(&conn->waiting, &copy);
    if (conn->events != NULL)
        conn->events->closed(conn->arg, &copy);
}

void
conn_free(struct conn *conn)
{
    struct list_node *node;

    if (conn == NULL)
        return;
    conn->events = NULL;
    shut(conn);
    while (
        (node = list_first(&conn->flying)) != NULL || (node = list_first(&conn->waiting)) != NULL)
        conn_call_drop(list_of(node, struct conn_call, node));
    loop_defer(conn->setup->loop, memory_free, conn);
}

static void
fail_with(struct conn *conn, enum rc code, const char *what)
{
    struct err e;

    (void)err_set(&e, code, "%s: %s", conn->address, what);
    fail(conn, &e);
}

/* --- sending -----------------------------------------------------------------------------------
 */

static void
on_written(void *arg)
{
    struct conn_call *call = arg;
    struct conn *conn = call->conn;

    if (call->request.no_reply && conn->state != CLOSED)
        pump_soon(conn);
    conn_call_written(call);
}

/* Encodes a call and hands it to tcp. RC_LIMIT with e untouched: tcp takes it later. */
static enum rc
send_call(struct conn *conn, struct conn_call *call, struct err *e)
{
    int32_t id = conn->correlation_next;
    bool encoded = call->encoded;
    enum rc rc = conn_call_encode(call, &conn->versions, conn->setup, id, e);

    if (rc != RC_OK)
        return rc;
    if (!encoded)
        conn->correlation_next = id == INT32_MAX ? 1 : id + 1;
    call->sent = true;
    rc = tcp_write(conn->tcp, call->pieces, call->piece_count, on_written, call);
    if (rc != RC_OK) {
        call->sent = false;
        return rc;
    }
    conn_call_move(call, &conn->flying);
    conn->stats.requests++;
    conn->stats.bytes_out += call->size;
    return RC_OK;
}

/* Calls without answer are done when they are written. */
static void
reap_written(struct conn *conn)
{
    static const struct err fine = {.code = RC_OK};

    LIST_EACH(&conn->flying, node)
    {
        struct conn_call *call = list_of(node, struct conn_call, node);

        if (!call->request.no_reply || !call->written)
            continue;
        conn_call_finish(call, NULL, &fine);
        if (conn->state == CLOSED)
            return;
        /* The callback may have changed the list. */
        pump_soon(conn);
        return;
    }
}

/* Sends what may be sent now. */
static void
pump(void *arg)
{
    struct conn *conn = arg;
    struct list_node *node;

    conn->pump_deferred = false;
    if (conn->state == READY)
        reap_written(conn);
    while (conn->state == READY && (node = list_first(&conn->waiting)) != NULL &&
           conn->flying.count < conn->setup->in_flight_max && !loop_timer_is_set(&conn->unmute) &&
           !conn_login_is_due(&conn->login)) {
        struct conn_call *call = list_of(node, struct conn_call, node);
        struct err e = {.code = RC_OK};
        enum rc rc = send_call(conn, call, &e);

        if (rc == RC_LIMIT && e.code == RC_OK)
            return; /* until on_drain */
        if (rc != RC_OK) {
            (void)err_note(&e, "%s", conn->address);
            conn_call_finish(call, NULL, &e);
        }
    }
    if (conn->state == READY && conn_login_is_due(&conn->login) && list_is_empty(&conn->flying)) {
        conn->state = LOGIN;
        conn_login_again(&conn->login);
    }
}

static void
pump_soon(void *arg)
{
    struct conn *conn = arg;

    if (conn->pump_deferred)
        return;
    conn->pump_deferred = true;
    loop_defer(conn->setup->loop, pump, conn);
}

/* --- calls -------------------------------------------------------------------------------------
 */

/* Whether an answer to this call would be the next one that counts. */
static bool
is_oldest(const struct conn *conn, const struct conn_call *call)
{
    LIST_EACH(&conn->flying, node)
    {
        const struct conn_call *other = list_of(node, struct conn_call, node);

        if (other == call)
            return true;
        if (!other->ended)
            return false;
    }
    return false;
}

static void
on_call_deadline(void *arg)
{
    struct conn_call *call = arg;
    struct conn *conn = call->conn;
    struct err e;

    (void)err_set(&e, RC_TIMEOUT, "%s: %s%s within %lld ms", conn->address,
        call->sent ? "no answer to " : "could not send ", conn_call_name(call),
        (long long)(loop_now_us(conn->setup->loop) - call->started_us) / 1000);
    /* The oldest one blocks all behind it; one that is half written cannot be taken back. */
    if (call->sent && (!call->written || is_oldest(conn, call)))
        fail(conn, &e);
    else
        conn_call_abandon(call, &e);
}

static void
on_closed_call(void *arg)
{
    struct conn_call *call = arg;
    struct err e;

    (void)err_set(&e, RC_CLOSED, "%s: the connection is closed", call->conn->address);
    conn_call_finish(call, NULL, &e);
}

struct conn_call *
conn_call(struct conn *conn, const struct conn_request *request)
{
    struct loop *loop = conn->setup->loop;
    struct conn_call *call = conn_call_new(conn, loop, request);

    conn_call_move(call, &conn->waiting);
    if (conn->state == CLOSED)
        loop_timer_set(loop, &call->timer, 0, on_closed_call, call);
    else
        loop_timer_set(loop, &call->timer, request->deadline_us, on_call_deadline, call);
    pump_soon(conn);
    return call;
}

void
conn_call_cancel(struct conn_call *call)
{
    struct conn *conn = call->conn;

    if (call->sent && !call->written && call->borrows) {
        /* What tcp still has to send is the caller's memory. */
        struct err e;

        call->request.done = NULL;
        (void)err_set(&e, RC_CANCELED, "%s: canceled while it was being sent", conn->address);
        fail(conn, &e);
        return;
    }
    conn_call_abandon(call, NULL);
    pump_soon(conn);
}

/* --- receiving ---------------------------------------------------------------------------------
 */

static void
deadlines_move(struct conn *conn, const struct list *calls, int64_t by_us)
{
    LIST_EACH(calls, node)
    {
        struct conn_call *call = list_of(node, struct conn_call, node);

        if (call->ended)
            continue;
        call->request.deadline_us += by_us;
        loop_timer_set(
            conn->setup->loop, &call->timer, call->request.deadline_us, on_call_deadline, call);
    }
}

static void
throttle(struct conn *conn, const struct conn_reply *reply)
{
    int64_t throttle_ms = conn_reply_throttle_ms(reply);

    if (throttle_ms == 0)
        return;
    if (throttle_ms > CONN_THROTTLE_MS_MAX)
        throttle_ms = CONN_THROTTLE_MS_MAX;
    conn->stats.throttled_ms += (uint64_t)throttle_ms;
    loop_timer_set(conn->setup->loop, &conn->unmute,
        loop_now_us(conn->setup->loop) + throttle_ms * 1000, pump_soon, conn);
    deadlines_move(conn, &conn->flying, throttle_ms * 1000);
    deadlines_move(conn, &conn->waiting, throttle_ms * 1000);
}

/* A call that was abandoned keeps its place until its answer has gone by. */
static void
on_frame(struct conn *conn, struct blob *frame)
{
    struct list_node *node = list_first(&conn->flying);
    struct conn_reply *reply;
    struct conn_call *call;
    struct err e = {.code = RC_OK};

    if (node == NULL) {
        blob_unref(frame);
        fail_with(conn, RC_PROTOCOL, "an answer came that nobody has asked for");
        return;
    }
    call = list_of(node, struct conn_call, node);
    reply = conn_reply_new_take(frame, call->correlation_id);
    if (!call->ended && call->request.api != NULL && !call->request.raw_reply &&
        conn_reply_decode(reply, call->request.api, call->version, &e) != RC_OK) {
        (void)err_note(&e, "%s: %s", conn->address, conn_call_name(call));
        conn_reply_unref(reply);
        fail(conn, &e);
        return;
    }
    if (reply->api != NULL)
        throttle(conn, reply);
    if (conn->state == READY)
        conn->was_used = true;
    conn_call_finish(call, reply, &e);
    conn_reply_unref(reply);
    if (conn->state != CLOSED)
        pump_soon(conn);
}

static void *
on_room(void *arg, size_t *size)
{
    struct conn *conn = arg;

    return conn_frames_room(&conn->frames, size);
}

/* The next frame, or NULL; on nonsense the connection is closed. */
static struct blob *
frame_next(struct conn *conn)
{
    const struct conf_client *conf = conn->setup->conf;
    size_t max = conf->response_bytes_max, size;
    const uint8_t *data = conn_frames_peek(&conn->frames, &size);
    bool opening = !conn->announced && !conn->setup->bare;
    struct blob *frame = NULL;
    struct err e;

    /* What is no Kafka broker may begin with bytes that make a length. */
    if (opening && max > FIRST_BYTES_MAX)
        max = FIRST_BYTES_MAX;
    if (conn_frames_next(&conn->frames, max, &frame, &e) == RC_OK)
        return frame;
    if (opening && e.code == RC_PROTOCOL)
        (void)conn_hint_bytes(conf, conn->address, data, size, &e);
    else
        (void)err_note(&e, "%s", conn->address);
    fail(conn, &e);
    return NULL;
}

static void
on_data(void *arg, size_t size)
{
    struct conn *conn = arg;
    struct blob *frame;

    conn->stats.bytes_in += size;
    conn_frames_add(&conn->frames, size);
    while (conn->state != CLOSED && (frame = frame_next(conn)) != NULL) {
        on_frame(conn, frame);
        /* The broker works on the next question while we read the answers that came with this. */
        if (conn->pump_deferred)
            pump(conn);
        if (conn->state != CLOSED)
            tcp_push(conn->tcp);
    }
}

/* --- opening -----------------------------------------------------------------------------------
 */

static void
on_opening_deadline(void *arg)
{
    struct conn *conn = arg;
    struct err e;

    (void)err_set(&e, RC_TIMEOUT,
        "%s: connected, but it does not answer within %lld ms. Is it a Kafka broker%s?",
        conn->address, (long long)conn->setup->conf->connect_timeout_ms,
        conn->setup->conf->with_tls ? "" : ", and is this listener plain");
    fail(conn, &e);
}

static void
on_login_end(void *arg, const struct err *e)
{
    struct conn *conn = arg;
    bool first = !conn->announced;
    int64_t renew_us = conn_login_renew_us(&conn->login);

    loop_timer_cancel(conn->setup->loop, &conn->deadline);
    if (e->code != RC_OK) {
        fail(conn, e);
        return;
    }
    conn->state = READY;
    conn->announced = true;
    if (renew_us > 0)
        loop_timer_set(conn->setup->loop, &conn->renew, renew_us, pump_soon, conn);
    pump_soon(conn);
    if (first && conn->events != NULL && conn->events->ready != NULL)
        conn->events->ready(conn->arg);
}

/* What opening has to say goes ahead of all that waits. */
static void
on_login_send(void *arg, const struct conn_request *request)
{
    struct conn *conn = arg;
    struct conn_call *call = conn_call_new(conn, conn->setup->loop, request);
    struct err e = {.code = RC_OK};

    loop_timer_set(conn->setup->loop, &call->timer, request->deadline_us, on_call_deadline, call);
    if (send_call(conn, call, &e) == RC_OK)
        return;
    if (e.code == RC_OK)
        (void)err_set(&e, RC_CLOSED, "the connection is closed");
    (void)err_note(&e, "%s", conn->address);
    conn_call_drop(call);
    fail(conn, &e);
}

static void
on_open(void *arg)
{
    struct conn *conn = arg;
    static const struct err fine = {.code = RC_OK};

    if (conn->setup->bare) {
        on_login_end(conn, &fine);
        return;
    }
    conn->state = LOGIN;
    conn_login_start(&conn->login);
}

static void
on_drain(void *arg)
{
    pump_soon(arg);
}

static void
on_close(void *arg, const struct err *e)
{
    struct conn *conn = arg;
    const struct conf_client *conf = conn->setup->conf;
    struct tls *tls = tcp_tls(conn->tcp);
    struct err copy = *e;

    if (!conn->was_used && tls != NULL)
        conn_hint_tls(conf, tls_reason(tls), &copy);
    if (!conn->was_used && conn->announced && !conf->with_sasl && !conn->setup->bare &&
        !list_is_empty(&conn->flying) && copy.code == RC_CLOSED)
        conn_hint_closed(conf, &copy);
    fail(conn, &copy);
}

struct conn *
conn_open(const struct conn_setup *setup, const char *host, uint16_t port,
    const struct conn_events *events, void *arg)
{
    static const struct tcp_events tcp_events = {
        on_open, on_room, on_data, NULL, on_drain, on_close};
    int64_t deadline_us = loop_now_us(setup->loop) + setup->conf->connect_timeout_ms * 1000;
    struct tcp_options options = {.deadline_us = deadline_us, .tls = setup->tls};
    struct conn *conn = xcalloc(1, sizeof *conn);

    conn->setup = setup;
    conn->events = events;
    conn->arg = arg;
    conn->address = xasprintf("%s:%u", host, port);
    conn->correlation_next = 1;
    conn->stats.connections = 1;
    list_init(&conn->waiting);
    list_init(&conn->flying);
    conn_versions_clear(&conn->versions);
    conn_frames_init(&conn->frames);
    conn_login_init(&conn->login, setup->loop, setup->conf, conn->address, &conn->versions);
    conn->login.send = on_login_send;
    conn->login.end = on_login_end;
    conn->login.arg = conn;
    conn->tcp = tcp_connect(setup->loop, host, port, &options, &tcp_events, conn);
    /* The connection itself ends earlier where that is what takes so long. */
    loop_timer_set(setup->loop, &conn->deadline, deadline_us + 1000, on_opening_deadline, conn);
    return conn;
}

void
conn_set_owner(struct conn *conn, void *arg)
{
    conn->arg = arg;
}

/* --- facts -------------------------------------------------------------------------------------
 */

bool
conn_is_ready(const struct conn *conn)
{
    return conn->state == READY;
}

bool
conn_is_closed(const struct conn *conn)
{
    return conn->state == CLOSED;
}

const struct conn_versions *
conn_versions(const struct conn *conn)
{
    return &conn->versions;
}

const char *
conn_address(const struct conn *conn)
{
    return conn->address;
}

size_t
conn_load(const struct conn *conn)
{
    return conn->waiting.count + conn->flying.count;
}

const struct conn_stats *
conn_stats(const struct conn *conn)
{
    return &conn->stats;
}
