#include "cli/session.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "lib/wire/frame.h"

struct session {
    struct loop *loop;
    struct conf *conf;
    const struct conf_client *client;
    struct conn_setup setup;
    bool has_setup;
    struct conn *conn;
    bool ready;
    bool closed;
    struct err closed_why;
    struct conn_reply *reply; /* of the last call, referenced */
    bool answered;
    struct err call_error;
};

enum rc
session_conf(const struct options *options, struct conf **conf, const struct conf_client **client,
    struct err *e)
{
    const char *bootstrap = options_text(options, "bootstrap", NULL);
    struct conf *c = conf_new();
    const char *text;
    size_t position = 0;
    enum rc rc = conf_load_env(c, environ, e);

    while (rc == RC_OK && (text = options_list(options, "config-file", &position)) != NULL)
        rc = conf_load_file(c, text, e);
    position = 0;
    while (rc == RC_OK && (text = options_list(options, "property", &position)) != NULL)
        rc = conf_set(c, text, e);
    if (rc == RC_OK && bootstrap != NULL)
        rc = conf_set_pair(c, "bootstrap.servers", bootstrap, "-b", e);
    if (rc == RC_OK)
        rc = conf_finish(c, client, e);
    if (rc != RC_OK) {
        conf_free(c);
        return rc;
    }
    *conf = c;
    return RC_OK;
}

static void
ready(void *arg)
{
    ((struct session *)arg)->ready = true;
}

static void
closed(void *arg, const struct err *e)
{
    struct session *s = arg;

    s->closed = true;
    s->closed_why = *e;
}

/* Tries one address; RC_OK once it is ready. */
static enum rc
connect_to(struct session *s, const struct conf_text_server *server, struct err *e)
{
    static const struct conn_events events = {.ready = ready, .closed = closed};

    s->ready = s->closed = false;
    s->conn = conn_open(&s->setup, server->host, server->port, &events, s);
    while (!s->ready && !s->closed)
        loop_step(s->loop, -1);
    if (s->ready)
        return RC_OK;
    conn_free(s->conn);
    s->conn = NULL;
    *e = s->closed_why;
    return s->closed_why.code == RC_OK ? err_set(e, RC_CLOSED, "%s:%u closed the connection",
                                             server->host, (unsigned)server->port)
                                       : s->closed_why.code;
}

enum rc
session_open(const struct options *options, struct session **out, struct err *e)
{
    struct session *s = xcalloc(1, sizeof *s);
    enum rc rc = session_conf(options, &s->conf, &s->client, e);

    if (rc == RC_OK)
        rc = loop_new(&s->loop, e);
    if (rc == RC_OK) {
        rc = conn_setup_init(&s->setup, s->loop, s->client, e);
        s->has_setup = rc == RC_OK;
    }
    for (size_t i = 0; rc == RC_OK && s->conn == NULL && i < s->client->server_count; i++) {
        enum rc tried = connect_to(s, &s->client->servers[i], e);

        if (tried != RC_OK && i + 1 == s->client->server_count)
            rc = tried;
    }
    if (rc != RC_OK) {
        session_close(s);
        return rc;
    }
    *out = s;
    return RC_OK;
}

void
session_close(struct session *s)
{
    if (s == NULL)
        return;
    if (s->reply != NULL)
        conn_reply_unref(s->reply);
    conn_free(s->conn);
    if (s->has_setup)
        conn_setup_fini(&s->setup);
    loop_free(s->loop);
    conf_free(s->conf);
    free(s);
}

static void
call_done(void *arg, struct conn_reply *reply, const struct err *e)
{
    struct session *s = arg;

    s->answered = true;
    if (reply != NULL)
        s->reply = conn_reply_ref(reply);
    else
        s->call_error = *e;
}

enum rc
session_call(
    struct session *s, int16_t api_key, const void *body, const void **reply, struct err *e)
{
    struct conn_request request = {.api = frame_api(api_key),
        .body = body,
        .deadline_us = loop_now_us(s->loop) + s->client->request_timeout_ms * 1000,
        .done = call_done,
        .arg = s};

    if (s->reply != NULL)
        conn_reply_unref(s->reply);
    s->reply = NULL;
    s->answered = false;
    (void)conn_call(s->conn, &request);
    while (!s->answered)
        loop_step(s->loop, -1);
    if (s->reply == NULL) {
        *e = s->call_error;
        return s->call_error.code;
    }
    *reply = s->reply->response;
    return RC_OK;
}
