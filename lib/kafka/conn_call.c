#include "lib/kafka/conn_call.h"

#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"

/* The list of pieces of a large request. */
#define ARENA_BYTES ((size_t)16 << 20)

struct conn_call *
conn_call_new(struct conn *conn, struct loop *loop, const struct conn_request *request)
{
    struct conn_call *call = xcalloc(1, sizeof *call);

    REQUIRE((request->api != NULL) != (request->frame != NULL));
    call->conn = conn;
    call->request = *request;
    call->loop = loop;
    call->started_us = loop_now_us(loop);
    buf_init(&call->head, INT32_MAX);
    arena_init(&call->arena, ARENA_BYTES);
    return call;
}

void
conn_call_move(struct conn_call *call, struct list *list)
{
    if (call->list != NULL)
        list_remove(call->list, &call->node);
    call->list = list;
    if (list != NULL)
        list_push_back(list, &call->node);
}

/* --- encoding ----------------------------------------------------------------------------------
 */

static enum rc
header_encode(struct conn_call *call, const char *client_id, struct err *e)
{
    static const uint8_t no_length[FRAME_LENGTH_BYTES];
    const struct wire_api *api = call->request.api;
    int16_t header_version = codec_is_flexible(api->request, call->version) ? 2 : 1;
    struct km_request_header header;

    codec_init(&km_request_header_desc, &header);
    header.request_api_key = api->key;
    header.request_api_version = call->version;
    header.correlation_id = call->correlation_id;
    header.client_id = (struct wire_string){client_id, (int32_t)strlen(client_id)};
    buf_append(&call->head, no_length, sizeof no_length);
    return codec_encode(&km_request_header_message, header_version, &header, &call->head, e);
}

static enum rc
body_encode(struct conn_call *call, struct err *e)
{
    struct wire_fragment *fragments = NULL;
    size_t count = 0;
    enum rc rc = codec_gather(call->request.api->request, call->version, call->request.body,
        &call->head, &call->arena, &fragments, &count, e);

    if (rc != RC_OK)
        return rc;
    call->pieces = arena_array(&call->arena, count, sizeof *call->pieces);
    if (call->pieces == NULL)
        return err_set(e, RC_LIMIT, "a request of %zu pieces is too large", count);
    for (size_t i = 0; i < count; i++) {
        call->pieces[i] = (struct tcp_piece){fragments[i].data, fragments[i].size};
        call->size += fragments[i].size;
    }
    call->piece_count = count;
    call->borrows = call->size != call->head.size;
    return RC_OK;
}

static enum rc
frame_encode(struct conn_call *call, struct err *e)
{
    uint8_t *length = buf_reserve(&call->head, FRAME_LENGTH_BYTES);

    call->pieces = arena_array(&call->arena, 2, sizeof *call->pieces);
    if (length == NULL || call->pieces == NULL)
        return err_set(e, RC_LIMIT, "no memory for a request");
    buf_commit(&call->head, FRAME_LENGTH_BYTES);
    call->pieces[0] = (struct tcp_piece){length, FRAME_LENGTH_BYTES};
    call->pieces[1] = (struct tcp_piece){call->request.frame, call->request.frame_size};
    call->piece_count = 2;
    call->size = FRAME_LENGTH_BYTES + call->request.frame_size;
    call->borrows = true;
    return RC_OK;
}

enum rc
conn_call_encode(struct conn_call *call, const struct conn_versions *versions,
    const struct conn_setup *setup, int32_t correlation_id, struct err *e)
{
    const struct conn_request *request = &call->request;
    enum rc rc = RC_OK;

    if (call->encoded)
        return RC_OK;
    call->correlation_id = correlation_id;
    if (request->frame != NULL) {
        rc = frame_encode(call, e);
    } else {
        if (setup->bare && request->wanted != NULL)
            call->version = request->wanted->max;
        else
            rc = conn_versions_pick(versions, request->api, request->wanted, &call->version, e);
        if (rc == RC_OK)
            rc = header_encode(call, setup->conf->client_id, e);
        if (rc == RC_OK)
            rc = body_encode(call, e);
    }
    if (rc == RC_OK && call->size > INT32_MAX)
        rc = err_set(e, RC_LIMIT, "a request of %zu bytes is too large", call->size);
    if (rc != RC_OK)
        return rc;
    codec_bytes_put_int32(call->head.data, (int32_t)(call->size - FRAME_LENGTH_BYTES));
    call->encoded = true;
    return RC_OK;
}

/* --- ending ------------------------------------------------------------------------------------
 */

static void
free_if_over(struct conn_call *call)
{
    if (!call->ended || call->list != NULL || (call->sent && !call->written))
        return;
    buf_fini(&call->head);
    arena_fini(&call->arena);
    free(call);
}

/* Marks the end; what has to be told to the owner is returned in *done and *arg. */
static conn_done_fn *
end(struct conn_call *call, void **arg)
{
    conn_done_fn *done = call->ended ? NULL : call->request.done;

    loop_timer_cancel(call->loop, &call->timer);
    *arg = call->request.arg;
    call->ended = true;
    return done;
}

void
conn_call_finish(struct conn_call *call, struct conn_reply *reply, const struct err *e)
{
    void *arg;
    conn_done_fn *done = end(call, &arg);

    conn_call_move(call, NULL);
    free_if_over(call);
    if (done != NULL)
        done(arg, reply, e);
}

void
conn_call_abandon(struct conn_call *call, const struct err *e)
{
    void *arg;
    conn_done_fn *done = end(call, &arg);

    if (!call->sent)
        conn_call_move(call, NULL);
    free_if_over(call);
    if (done != NULL && e != NULL)
        done(arg, NULL, e);
}

void
conn_call_drop(struct conn_call *call)
{
    void *arg;

    (void)end(call, &arg);
    conn_call_move(call, NULL);
    free_if_over(call);
}

void
conn_call_written(struct conn_call *call)
{
    call->written = true;
    free_if_over(call);
}

const char *
conn_call_name(const struct conn_call *call)
{
    return call->request.api != NULL ? call->request.api->name : "a raw request";
}
