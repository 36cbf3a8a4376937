#include "conformance/link.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/list.h"
#include "lib/base/xalloc.h"
#include "lib/wire/frame.h"

#define ROUND_US 100000
#define HOUR_US ((int64_t)3600 * 1000 * 1000)

struct link {
    struct link_setup *setup;
    struct wire_client *wire;
    struct conn *conn;
    struct list pending; /* requests whose answer is to come */
    struct list answers; /* those that came and were not received yet */
    bool is_ready;
    bool is_over;
    struct err why;
};

/* One request over a conn, and its answer. */
struct answer {
    struct list_node node;
    struct link *link;
    uint8_t *frame;
    bool is_unanswered;
    struct conn_reply *reply; /* NULL: e says why */
    struct err e;
};

enum rc
link_setup_init(struct link_setup *setup, const struct conf_client *conf, struct err *e)
{
    enum rc rc;

    memset(setup, 0, sizeof *setup);
    setup->conf = conf;
    setup->is_plain = !conf->with_tls && !conf->with_sasl;
    if (setup->is_plain)
        return RC_OK;
    rc = loop_new(&setup->loop, e);
    return rc != RC_OK ? rc : conn_setup_init(&setup->conn, setup->loop, conf, e);
}

void
link_setup_fini(struct link_setup *setup)
{
    if (setup->is_plain)
        return;
    conn_setup_fini(&setup->conn);
    loop_free(setup->loop);
}

/* --- over a conn ------------------------------------------------------------------------------ */

static void
on_ready(void *arg)
{
    struct link *link = arg;

    link->is_ready = true;
}

static void
on_closed(void *arg, const struct err *e)
{
    struct link *link = arg;

    link->is_over = true;
    link->why = *e;
}

static const struct conn_events events = {on_ready, on_closed};

static void
answer_free(struct answer *answer)
{
    conn_reply_unref(answer->reply);
    free(answer->frame);
    free(answer);
}

static void
on_done(void *arg, struct conn_reply *reply, const struct err *e)
{
    struct answer *answer = arg;

    if (reply == NULL)
        answer->e = *e;
    else
        answer->reply = conn_reply_ref(reply);
    list_remove(&answer->link->pending, &answer->node);
    if (answer->is_unanswered)
        answer_free(answer);
    else
        list_push_back(&answer->link->answers, &answer->node);
}

static enum rc
conn_link_open(
    struct link *link, const char *host, uint16_t port, int64_t deadline_us, struct err *e)
{
    link->conn = conn_open(&link->setup->conn, host, port, &events, link);
    while (!link->is_ready && !link->is_over && wire_client_now_us() < deadline_us)
        loop_step(link->setup->loop, ROUND_US);
    if (link->is_over)
        return err_set(e, link->why.code, "%s", link->why.text);
    return link->is_ready ? RC_OK : err_set(e, RC_TIMEOUT, "%s:%u: no login in time", host, port);
}

static enum rc
conn_link_send(struct link *link, const void *data, size_t size, bool is_unanswered,
    int64_t deadline_us, struct err *e)
{
    struct answer *answer = xcalloc(1, sizeof *answer);
    uint64_t sent = conn_stats(link->conn)->bytes_out + size;
    struct conn_request request = {
        .no_reply = is_unanswered,
        .deadline_us = deadline_us + HOUR_US,
        .done = on_done,
        .arg = answer,
        .frame_size = size - FRAME_LENGTH_BYTES,
    };

    REQUIRE(size > FRAME_LENGTH_BYTES);
    answer->link = link;
    answer->is_unanswered = is_unanswered;
    answer->frame = xmemdup((const uint8_t *)data + FRAME_LENGTH_BYTES, request.frame_size);
    request.frame = answer->frame;
    list_push_back(&link->pending, &answer->node);
    conn_call(link->conn, &request);
    while (!link->is_over && conn_stats(link->conn)->bytes_out < sent) {
        if (wire_client_now_us() >= deadline_us)
            return err_set(e, RC_TIMEOUT, "the target takes nothing");
        loop_step(link->setup->loop, ROUND_US);
    }
    return RC_OK;
}

static enum rc
conn_link_receive(struct link *link, int64_t deadline_us, struct buf *out, struct err *e)
{
    struct answer *answer;
    enum rc rc = RC_OK;

    while (list_is_empty(&link->answers)) {
        if (link->is_over)
            return err_set(e, link->why.code, "%s", link->why.text);
        if (wire_client_now_us() >= deadline_us)
            return err_set(e, RC_TIMEOUT, "no answer in time");
        loop_step(link->setup->loop, ROUND_US);
    }
    answer = list_of(list_pop(&link->answers), struct answer, node);
    if (answer->reply == NULL)
        rc = err_set(e, answer->e.code, "%s", answer->e.text);
    else
        buf_append(out, answer->reply->frame->data, answer->reply->frame->size);
    answer_free(answer);
    return rc;
}

/* --- both ------------------------------------------------------------------------------------- */

enum rc
link_open(struct link_setup *setup, const char *host, uint16_t port, int64_t deadline_us,
    struct link **out, struct err *e)
{
    struct link *link = xcalloc(1, sizeof *link);
    enum rc rc;

    link->setup = setup;
    list_init(&link->pending);
    list_init(&link->answers);
    rc = setup->is_plain ? wire_client_open(host, port, deadline_us, &link->wire, e)
                         : conn_link_open(link, host, port, deadline_us, e);
    if (rc == RC_OK)
        *out = link;
    else
        link_close(link);
    return rc;
}

void
link_close(struct link *link)
{
    struct list_node *node;

    if (link == NULL)
        return;
    wire_client_close(link->wire);
    conn_free(link->conn);
    while ((node = list_pop(&link->pending)) != NULL)
        answer_free(list_of(node, struct answer, node));
    while ((node = list_pop(&link->answers)) != NULL)
        answer_free(list_of(node, struct answer, node));
    free(link);
}

enum rc
link_send(struct link *link, const void *data, size_t size, bool is_unanswered, int64_t deadline_us,
    struct err *e)
{
    if (link->wire != NULL)
        return wire_client_write(link->wire, data, size, deadline_us, e);
    return conn_link_send(link, data, size, is_unanswered, deadline_us, e);
}

enum rc
link_receive(struct link *link, int64_t deadline_us, struct buf *out, struct err *e)
{
    if (link->wire != NULL)
        return wire_client_frame(link->wire, deadline_us, out, e);
    return conn_link_receive(link, deadline_us, out, e);
}

struct wire_client *
link_wire(struct link *link)
{
    return link->wire;
}
