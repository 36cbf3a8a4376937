#include "lib/net/http.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/list.h"
#include "lib/base/xalloc.h"
#include "lib/net/listener.h"
#include "lib/net/tcp.h"

#define HANDLERS_MAX 16

struct handler {
    const char *path;
    http_handler_fn *fn;
    void *arg;
};

struct http {
    struct loop *loop;
    struct listener *listener;
    struct list clients;
    size_t handler_count;
    struct handler handlers[HANDLERS_MAX];
};

struct client {
    struct list_node node;
    struct http *http;
    struct tcp *tcp;
    struct loop_timer timer;
    size_t size;
    bool answered;
    char head[HTTP_HEAD_BYTES_MAX];
};

static void
client_free(struct client *client)
{
    list_remove(&client->http->clients, &client->node);
    loop_timer_cancel(client->http->loop, &client->timer);
    tcp_free(client->tcp);
    /* What is left of this round may still read from it. */
    loop_defer(client->http->loop, free, client);
}

static const char *
status_words(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

static void
answer(struct client *client, struct http_reply *reply, bool with_body)
{
    struct buf head;
    struct tcp_piece piece;
    size_t size;
    uint8_t *body;
    enum rc rc;

    if (buf_is_overflowed(&reply->body)) {
        buf_fini(&reply->body);
        reply->status = 500;
    }
    buf_init(&head, 1024);
    buf_printf(&head,
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
        "%sConnection: close\r\n\r\n",
        reply->status, status_words(reply->status), reply->type, reply->body.size,
        reply->status == 405 ? "Allow: GET, HEAD\r\n" : "");
    rc = tcp_write_dup(client->tcp, head.data, head.size);
    buf_fini(&head);
    body = buf_take(&reply->body, &size);
    piece = (struct tcp_piece){body, size};
    /* Both are the first writes of this connection, so they fit. */
    if (rc != RC_OK || !with_body || tcp_write(client->tcp, &piece, 1, free, body) != RC_OK)
        free(body);
    tcp_end(client->tcp);
    client->answered = true;
}

static void
answer_status(struct client *client, int status)
{
    struct http_reply reply = {.status = status, .type = "text/plain; charset=utf-8"};

    buf_init(&reply.body, 256);
    buf_printf(&reply.body, "%d %s\n", status, status_words(status));
    answer(client, &reply, true);
}

static void
answer_path(struct client *client, const char *path, size_t size, bool with_body)
{
    struct http_reply reply = {.status = 200, .type = "text/plain; charset=utf-8"};
    const struct http *http = client->http;

    for (size_t i = 0; i < http->handler_count; i++) {
        const struct handler *handler = &http->handlers[i];

        if (strlen(handler->path) != size || memcmp(handler->path, path, size) != 0)
            continue;
        buf_init(&reply.body, HTTP_BODY_BYTES_MAX);
        handler->fn(handler->arg, &reply);
        answer(client, &reply, with_body);
        return;
    }
    answer_status(client, 404);
}

/* The first line: METHOD SP PATH[?QUERY] SP HTTP/1.x. */
static void
request_read(struct client *client, size_t line_size)
{
    const char *line = client->head, *line_end = line + line_size;
    const char *path = memchr(line, ' ', line_size), *path_end, *query;
    bool is_get, is_head;

    path_end = path == NULL ? NULL : memchr(path + 1, ' ', (size_t)(line_end - path - 1));
    if (path_end == NULL || line_end - path_end != 9 || memcmp(path_end + 1, "HTTP/1.", 7) != 0 ||
        path[1] != '/') {
        answer_status(client, 400);
        return;
    }
    is_get = path - line == 3 && memcmp(line, "GET", 3) == 0;
    is_head = path - line == 4 && memcmp(line, "HEAD", 4) == 0;
    if (!is_get && !is_head) {
        answer_status(client, 405);
        return;
    }
    path++;
    query = memchr(path, '?', (size_t)(path_end - path));
    answer_path(client, path, (size_t)((query == NULL ? path_end : query) - path), is_get);
}

static void *
on_room(void *arg, size_t *size)
{
    struct client *client = arg;

    /* What comes after the request is read and dropped, so that the client sees our answer and no
     * reset. */
    if (client->answered)
        client->size = 0;
    *size = sizeof client->head - client->size;
    return client->head + client->size;
}

static void
on_data(void *arg, size_t size)
{
    struct client *client = arg;
    const char *end, *line_end;

    if (client->answered)
        return;
    client->size += size;
    end = memmem(client->head, client->size, "\r\n\r\n", 4);
    if (end != NULL) {
        line_end = memmem(client->head, client->size, "\r\n", 2);
        request_read(client, (size_t)(line_end - client->head));
    } else if (client->size == sizeof client->head) {
        answer_status(client, 431);
    }
}

static void
on_end(void *arg)
{
    struct client *client = arg;

    /* Half a request is none; a whole one gets its answer. */
    if (!client->answered)
        client_free(client);
}

static void
on_close(void *arg, const struct err *e)
{
    (void)e;
    client_free(arg);
}

static void
on_deadline(void *arg)
{
    client_free(arg);
}

static struct tcp *
on_accept(void *arg, int fd)
{
    static const struct tcp_events events = {NULL, on_room, on_data, on_end, NULL, on_close};
    struct tcp_options options = {.queue_bytes_max = HTTP_BODY_BYTES_MAX};
    struct http *http = arg;
    struct client *client = xcalloc(1, sizeof *client);

    client->http = http;
    client->tcp = tcp_adopt(http->loop, fd, &options, &events, client);
    list_push_back(&http->clients, &client->node);
    loop_timer_set(http->loop, &client->timer,
        loop_now_us(http->loop) + HTTP_DEADLINE_MS * INT64_C(1000), on_deadline, client);
    return client->tcp;
}

enum rc
http_open(struct loop *loop, const char *host, uint16_t port, struct http **out, struct err *e)
{
    struct listener_options options = {
        .host = host, .port = port, .connections_max = HTTP_CONNECTIONS_MAX};
    struct http *http = xcalloc(1, sizeof *http);
    enum rc rc;

    http->loop = loop;
    list_init(&http->clients);
    rc = listener_open(loop, &options, on_accept, http, &http->listener, e);
    if (rc != RC_OK) {
        free(http);
        return rc;
    }
    *out = http;
    return RC_OK;
}

void
http_handle(struct http *http, const char *path, http_handler_fn *fn, void *arg)
{
    REQUIRE(http->handler_count < HANDLERS_MAX);
    http->handlers[http->handler_count++] = (struct handler){path, fn, arg};
}

void
http_close(struct http *http)
{
    struct list_node *node;

    if (http == NULL)
        return;
    while ((node = list_first(&http->clients)) != NULL)
        client_free(list_of(node, struct client, node));
    listener_close(http->listener);
    free(http);
}

uint16_t
http_port(const struct http *http)
{
    return listener_port(http->listener);
}
