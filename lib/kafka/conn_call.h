/*
 * conn_call: one request on its way through a conn: queued, encoded, sent, answered.
 *
 * For conn.c only. A call is in one of its conn's lists until it has ended and its answer, if one
 * is due, has gone by; its memory stays as long as tcp still reads from it.
 */
#ifndef LIB_KAFKA_CONN_CALL_H
#define LIB_KAFKA_CONN_CALL_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/list.h"
#include "lib/kafka/conn.h"
#include "lib/net/tcp.h"

struct conn_call {
    struct list_node node;
    struct list *list; /* the one that it is in, or NULL */
    struct conn *conn;
    struct loop *loop;
    struct conn_request request;
    struct loop_timer timer;
    int64_t started_us;
    int32_t correlation_id;
    int16_t version;
    bool encoded;
    bool borrows; /* pieces lie in the caller's memory */
    bool sent;
    bool written;
    bool ended; /* `done` was called, or never will be */

    struct buf head; /* length, header and all that is not in fragments */
    struct arena arena;
    struct tcp_piece *pieces;
    size_t piece_count;
    size_t size;
};

struct conn_call *conn_call_new(
    struct conn *conn, struct loop *loop, const struct conn_request *request);

/* conn_call_move puts a call at the end of another list; NULL takes it out. */
void conn_call_move(struct conn_call *call, struct list *list);

/* conn_call_encode makes the pieces to send, once. Errors as conn_versions_pick and codec_encode.
 */
MUST_CHECK enum rc conn_call_encode(struct conn_call *call, const struct conn_versions *versions,
    const struct conn_setup *setup, int32_t correlation_id, struct err *e);

/* conn_call_finish ends a call whose answer came or never will: it leaves its list, and `done` is
 * called unless the call had ended before. */
void conn_call_finish(struct conn_call *call, struct conn_reply *reply, const struct err *e);

/* conn_call_abandon ends a call (with `done` where e is given); one that is sent keeps its place
 * until its answer has gone by. */
void conn_call_abandon(struct conn_call *call, const struct err *e);

/* conn_call_drop ends a call without a callback. */
void conn_call_drop(struct conn_call *call);

/* conn_call_written tells that tcp reads no more from the call; it may be gone afterwards. */
void conn_call_written(struct conn_call *call);

/* conn_call_name returns what was asked for, for messages. */
const char *conn_call_name(const struct conn_call *call);

#endif
