#include "refbroker/conn.h"

#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/api/dispatch.h"
#include "refbroker/limits.h"

static struct request *
request_of(struct list_node *node)
{
    return node == NULL ? NULL : list_of(node, struct request, in_conn);
}

static void
reply_sent(void *arg)
{
    request_free(arg);
}

static bool
is_produce(const struct request *request)
{
    return request->frame->size >= 2 && codec_bytes_int16(request->frame->data) == KM_PRODUCE;
}

static void
forget_waiting(struct broker *broker, struct request *request)
{
    request->conn->waiting_bytes -= request->frame->size;
    broker->requests_bytes -= request->frame->size;
}

/* The next request that may start: everything before it is finished, or it and all before it are
 * Produces. */
static struct request *
next_to_start(struct conn *conn)
{
    bool only_produces = true;

    LIST_EACH(&conn->requests, node)
    {
        struct request *request = request_of(node);

        if (request->state == REQUEST_FINISHED)
            continue;
        only_produces = only_produces && is_produce(request);
        if (request->state == REQUEST_WAITING)
            return list_first(&conn->requests) == node || only_produces ? request : NULL;
        if (!only_produces)
            return NULL;
    }
    return NULL;
}

static void
close_conn(struct broker *broker, struct conn *conn)
{
    if (conn->closing)
        return;
    conn->closing = true;
    broker->options.ports.close(conn->peer);
}

static void
start(struct broker *broker, struct conn *conn, struct request *request)
{
    enum h_result result;

    request->state = REQUEST_RUNNING;
    request->parked = true;
    forget_waiting(broker, request);
    result = dispatch_start(broker, request);
    /* A handler that parks may find its answer before it returns. */
    if (result == H_PARK || request->state == REQUEST_FINISHED)
        return;
    request->parked = false;
    request->state = REQUEST_FINISHED;
    request->no_reply = result == H_NO_REPLY;
    if (result == H_CLOSE || (result == H_DONE && !dispatch_finish(broker, request))) {
        request->no_reply = true;
        close_conn(broker, conn);
    }
}

/* Replies leave in the order of the requests. */
static void
send_finished(struct broker *broker, struct conn *conn)
{
    struct request *request;

    while (!conn->full && (request = request_of(list_first(&conn->requests))) != NULL &&
           request->state == REQUEST_FINISHED) {
        list_remove(&conn->requests, &request->in_conn);
        if (request->no_reply || conn->closing)
            request_free(request);
        else
            conn->full = !broker->options.ports.send(
                conn->peer, request->pieces, request->piece_count, reply_sent, request);
    }
}

static void
pause_or_resume(struct broker *broker, struct conn *conn)
{
    bool over = conn->requests.count >= LIMIT_CONNECTION_REQUESTS_MAX ||
                conn->waiting_bytes > LIMIT_CONNECTION_BYTES_MAX ||
                (broker->requests_bytes > LIMIT_REQUESTS_BYTES_MAX && conn->requests.count > 1);

    if (over == conn->paused || conn->closing)
        return;
    conn->paused = over;
    broker->options.ports.pause(conn->peer, over);
}

void
conn_dispatch(struct broker *broker, struct conn *conn)
{
    struct request *request;

    if (conn->dispatching)
        return;
    conn->dispatching = true;
    send_finished(broker, conn);
    while (!conn->closing && !conn->full && (request = next_to_start(conn)) != NULL) {
        start(broker, conn, request);
        send_finished(broker, conn);
    }
    conn->dispatching = false;
    pause_or_resume(broker, conn);
}

void
broker_drained(struct broker *broker, struct conn *conn)
{
    conn->full = false;
    conn_dispatch(broker, conn);
}

struct conn *
broker_connect(struct broker *broker, void *peer, const char *client_host)
{
    struct conn *conn = xcalloc(1, sizeof *conn);

    conn->peer = peer;
    conn->client_host = xstrdup(client_host);
    conn->active_ms = env_now_ms(broker->env);
    list_init(&conn->requests);
    list_push_back(&broker->conns, &conn->in_broker);
    broker->stats.connections++;
    broker->stats.connections_total++;
    return conn;
}

/* A parked request outlives its connection until its handler's on_drop has taken it out of what it
 * waits in. */
static void
drop(struct broker *broker, struct request *request)
{
    if (request->state == REQUEST_WAITING)
        forget_waiting(broker, request);
    if (request->state == REQUEST_RUNNING) {
        heap_remove(&broker->deadlines, &request->deadline);
        if (request->on_drop != NULL)
            request->on_drop(broker, request);
    }
    request_free(request);
}

void
broker_disconnect(struct broker *broker, struct conn *conn)
{
    struct request *request;

    conn->closing = true;
    while ((request = request_of(list_pop(&conn->requests))) != NULL)
        drop(broker, request);
    list_remove(&broker->conns, &conn->in_broker);
    broker->stats.connections--;
    free(conn->client_host);
    free(conn);
}

void
broker_frame(struct broker *broker, struct conn *conn, struct blob *frame_take)
{
    struct request *request = request_new(conn, frame_take, env_now_us(broker->env));

    conn->active_ms = request->arrived_us / 1000;
    list_push_back(&conn->requests, &request->in_conn);
    conn->waiting_bytes += request->frame->size;
    broker->requests_bytes += request->frame->size;
    conn_dispatch(broker, conn);
}

void
broker_finish(struct broker *broker, struct request *request)
{
    struct conn *conn = request->conn;

    REQUIRE(request->parked && request->state == REQUEST_RUNNING);
    request->state = REQUEST_FINISHED;
    request->parked = false;
    heap_remove(&broker->deadlines, &request->deadline);
    if (!request->no_reply && !dispatch_finish(broker, request)) {
        request->no_reply = true;
        close_conn(broker, conn);
    }
    conn_dispatch(broker, conn);
}

void
broker_set_deadline(
    struct broker *broker, struct request *request, int64_t at_ms, request_fn *on_deadline)
{
    request->on_deadline = on_deadline;
    heap_put(&broker->deadlines, &request->deadline, at_ms);
}
