#include "conformance/proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/net/listener.h"
#include "lib/net/loop.h"
#include "lib/net/tcp.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"

#define SETUP_CLIENT_ID "kc-setup"
#define FRAME_BYTES_MAX (100 << 20)
#define IN_BYTES_MAX ((size_t)256 << 20)
#define ARENA_BYTES ((size_t)256 << 20)
#define READ_BYTES ((size_t)65536)
#define CONNECTIONS_MAX 1000
#define CONNECT_US 10000000

struct proxy_client {
    struct list_node node;
    struct proxy *proxy;
    struct tcp *down; /* to the client */
    struct tcp *up;   /* to the broker */
    struct buf from_down;
    struct buf from_up;
    struct list calls; /* sent to the broker, oldest first */
    struct proxy_call *held;
    bool is_raw; /* no frames any more: bytes both ways */
    bool is_deaf;
};

static void
call_free(struct proxy_call *call)
{
    if (call == NULL)
        return;
    buf_fini(&call->asked);
    buf_fini(&call->frame);
    arena_fini(&call->arena);
    free(call);
}

static void
client_free(struct proxy_client *client)
{
    struct list_node *node;

    list_remove(&client->proxy->clients, &client->node);
    tcp_free(client->down);
    tcp_free(client->up);
    while ((node = list_pop(&client->calls)) != NULL)
        call_free(list_of(node, struct proxy_call, node));
    call_free(client->held);
    buf_fini(&client->from_down);
    buf_fini(&client->from_up);
    free(client);
}

/* Bytes for one side; a side that takes nothing any more is about to be closed anyway. */
static void
send_bytes(struct tcp *tcp, const void *data, size_t size)
{
    if (tcp_write_dup(tcp, data, size) == RC_LIMIT)
        tcp_end(tcp);
}

/* --- addresses -------------------------------------------------------------------------------- */

static void
address_set(const struct proxy *proxy, struct wire_string *host, int32_t *port)
{
    *host = (struct wire_string){PROXY_HOST, (int32_t)strlen(PROXY_HOST)};
    *port = proxy->own_port;
}

static void
endpoints_set(const struct proxy *proxy, struct proxy_call *call)
{
    struct km_produce_response *produced = call->response;
    struct km_fetch_response *fetched = call->response;

    if (call->api_key == KM_PRODUCE)
        for (int32_t i = 0; i < produced->node_endpoints.count; i++)
            address_set(proxy, &produced->node_endpoints.items[i].host,
                &produced->node_endpoints.items[i].port);
    if (call->api_key == KM_FETCH)
        for (int32_t i = 0; i < fetched->node_endpoints.count; i++)
            address_set(proxy, &fetched->node_endpoints.items[i].host,
                &fetched->node_endpoints.items[i].port);
}

static bool
addresses_set(const struct proxy *proxy, struct proxy_call *call)
{
    struct km_metadata_response *metadata = call->response;
    struct km_describe_cluster_response *cluster = call->response;
    struct km_find_coordinator_response *found = call->response;

    switch (call->api_key) {
    case KM_METADATA:
        for (int32_t i = 0; i < metadata->brokers.count; i++)
            address_set(proxy, &metadata->brokers.items[i].host, &metadata->brokers.items[i].port);
        return true;
    case KM_DESCRIBE_CLUSTER:
        for (int32_t i = 0; i < cluster->brokers.count; i++)
            address_set(proxy, &cluster->brokers.items[i].host, &cluster->brokers.items[i].port);
        return true;
    case KM_FIND_COORDINATOR:
        if (found->port > 0)
            address_set(proxy, &found->host, &found->port);
        for (int32_t i = 0; i < found->coordinators.count; i++)
            if (found->coordinators.items[i].port > 0)
                address_set(
                    proxy, &found->coordinators.items[i].host, &found->coordinators.items[i].port);
        return true;
    default:
        endpoints_set(proxy, call);
        return false;
    }
}

/* --- answers ---------------------------------------------------------------------------------- */

static void
answer_send(struct proxy_client *client, struct proxy_call *call)
{
    if (call->is_discarded)
        return;
    send_bytes(client->down, call->frame.data, call->frame.size);
    if (client->held != NULL) {
        send_bytes(client->down, client->held->frame.data, client->held->frame.size);
        call_free(client->held);
        client->held = NULL;
    }
}

static void
response_decode(struct proxy_call *call)
{
    void *body = arena_alloc(&call->arena, call->api->response->body->size);
    int32_t correlation_id;

    if (body != NULL &&
        frame_response_decode(call->api, call->version, call->frame.data + FRAME_LENGTH_BYTES,
            call->frame.size - FRAME_LENGTH_BYTES, &correlation_id, &call->arena, body,
            NULL) == RC_OK)
        call->response = body;
}

/* The response as the rule left it takes the place of the broker's bytes. */
static void
response_encode(struct proxy_call *call)
{
    struct err e = {0};
    struct buf out;

    REQUIRE(call->api != NULL);
    buf_init(&out, IN_BYTES_MAX);
    if (frame_response_encode(
            call->api, call->version, call->correlation_id, call->response, &out, &e) == RC_OK) {
        buf_fini(&call->frame);
        call->frame = out;
    } else {
        log_warn("PRX-ENCODE", "%s v%d: %s", call->api->name, call->version, e.text);
        buf_fini(&out);
    }
}

/* One answer of the broker, which call->frame holds. */
static void
answer_pass(struct proxy_client *client, struct proxy_call *call)
{
    struct proxy *proxy = client->proxy;
    const struct proxy_rule *rule = proxy->rule;

    call->is_changed = false;
    call->action = PROXY_FORWARD;
    if (call->api != NULL)
        response_decode(call);
    if (call->response != NULL) {
        call->is_changed = addresses_set(proxy, call);
        if (rule->on_response != NULL && !call->is_setup)
            rule->on_response(proxy, call);
        if (call->is_changed)
            response_encode(call);
    }
    if (rule->on_frame != NULL && !call->is_setup)
        rule->on_frame(proxy, call);
    if (call->action == PROXY_HOLD && client->held == NULL) {
        client->held = call;
        return;
    }
    if (call->action == PROXY_CLOSE)
        tcp_end(client->down);
    else if (call->action != PROXY_SWALLOW)
        answer_send(client, call);
    call_free(call);
}

/* The next whole frame of a stream; false where it is not all there. */
static bool
frame_take(struct buf *in, struct buf *out)
{
    int32_t size;

    if (in->size < FRAME_LENGTH_BYTES)
        return false;
    size = codec_bytes_int32(in->data);
    if (size < 0 || in->size < FRAME_LENGTH_BYTES + (size_t)size)
        return false;
    buf_clear(out);
    buf_append(out, in->data, FRAME_LENGTH_BYTES + (size_t)size);
    buf_consume(in, FRAME_LENGTH_BYTES + (size_t)size);
    return true;
}

/* --- the broker's side ------------------------------------------------------------------------ */

static void *
up_room(void *arg, size_t *size)
{
    struct proxy_client *client = arg;

    *size = READ_BYTES;
    return buf_reserve(&client->from_up, READ_BYTES);
}

static void
up_data(void *arg, size_t size)
{
    struct proxy_client *client = arg;

    buf_commit(&client->from_up, size);
    if (client->is_raw) {
        send_bytes(client->down, client->from_up.data, client->from_up.size);
        buf_clear(&client->from_up);
        return;
    }
    while (!list_is_empty(&client->calls)) {
        struct proxy_call *call = list_of(list_first(&client->calls), struct proxy_call, node);

        if (!frame_take(&client->from_up, &call->frame))
            return;
        list_remove(&client->calls, &call->node);
        answer_pass(client, call);
    }
}

static void
up_close(void *arg, const struct err *e)
{
    struct proxy_client *client = arg;

    (void)e;
    tcp_end(client->down); /* after all that was answered */
}

static const struct tcp_events up_events = {.room = up_room, .data = up_data, .close = up_close};

/* --- the client's side ------------------------------------------------------------------------ */

static void
request_decode(struct proxy_call *call, const struct frame_request *header)
{
    size_t skip = FRAME_LENGTH_BYTES + header->header_size;
    void *body = arena_alloc(&call->arena, call->api->request->body->size);

    if (body != NULL && codec_decode(call->api->request, call->version, call->asked.data + skip,
                            call->asked.size - skip, &call->arena, body, NULL, NULL) == RC_OK)
        call->request = body;
    if (call->request != NULL && call->api_key == KM_PRODUCE)
        call->is_unanswered = ((struct km_produce_request *)call->request)->acks == 0;
}

static struct proxy_call *
call_new(struct proxy_client *client)
{
    struct proxy_call *call = xcalloc(1, sizeof *call);

    call->client = client;
    arena_init(&call->arena, ARENA_BYTES);
    buf_init(&call->asked, IN_BYTES_MAX);
    buf_init(&call->frame, IN_BYTES_MAX);
    return call;
}

static void
call_read(struct proxy_call *call)
{
    struct frame_request header = {0};
    enum rc rc = frame_request_decode(call->asked.data + FRAME_LENGTH_BYTES,
        call->asked.size - FRAME_LENGTH_BYTES, &header, NULL);

    call->api = rc == RC_OK ? header.api : NULL;
    call->api_key = header.api_key;
    call->version = call->asked_version = header.api_version;
    call->correlation_id = header.correlation_id;
    call->is_setup = rc == RC_OK && header.client_id.size == (int32_t)strlen(SETUP_CLIENT_ID) &&
                     memcmp(header.client_id.data, SETUP_CLIENT_ID, strlen(SETUP_CLIENT_ID)) == 0;
    if (rc == RC_OK)
        request_decode(call, &header);
    else if (rc == RC_UNSUPPORTED && header.api_key == KM_API_VERSIONS) {
        call->api = frame_api(KM_API_VERSIONS);
        call->version = 0;
    }
}

static void
request_encode(struct proxy_call *call)
{
    struct err e = {0};
    struct buf out;

    REQUIRE(call->api != NULL);
    buf_init(&out, IN_BYTES_MAX);
    if (frame_request_encode(call->api, call->version, call->correlation_id, "kc-proxy",
            call->request, &out, &e) == RC_OK) {
        buf_fini(&call->asked);
        call->asked = out;
    } else {
        log_warn("PRX-ENCODE", "%s v%d: %s", call->api->name, call->version, e.text);
        buf_fini(&out);
    }
}

/* A copy of a request that goes again; its answer is thrown away. */
static void
call_repeat(struct proxy_client *client, const struct proxy_call *call)
{
    struct proxy_call *again = call_new(client);

    again->api_key = call->api_key;
    again->is_discarded = true;
    send_bytes(client->up, call->asked.data, call->asked.size);
    list_push_back(&client->calls, &again->node);
}

static void
request_pass(struct proxy_client *client, struct proxy_call *call)
{
    struct proxy *proxy = client->proxy;

    call_read(call);
    if (proxy->rule->on_request != NULL && !call->is_setup)
        proxy->rule->on_request(proxy, call);
    if (call->is_changed && call->request != NULL)
        request_encode(call);
    switch (call->action) {
    case PROXY_SWALLOW:
        call_free(call);
        return;
    case PROXY_CLOSE:
        tcp_end(client->down);
        client->is_deaf = true;
        call_free(call);
        return;
    case PROXY_ANSWER:
        answer_send(client, call);
        call_free(call);
        return;
    default:
        break;
    }
    send_bytes(client->up, call->asked.data, call->asked.size);
    if (call->is_unanswered) {
        call_free(call);
        return;
    }
    list_push_back(&client->calls, &call->node);
    if (call->action == PROXY_TWICE)
        call_repeat(client, call);
}

static void *
down_room(void *arg, size_t *size)
{
    struct proxy_client *client = arg;

    *size = READ_BYTES;
    return buf_reserve(&client->from_down, READ_BYTES);
}

/* What is no frame goes through as it is, unless the rule has other ideas. */
static void
garbage_pass(struct proxy_client *client)
{
    const struct proxy_rule *rule = client->proxy->rule;

    if (rule->greeting != NULL)
        send_bytes(client->down, rule->greeting, strlen(rule->greeting));
    if (rule->keeps_garbage || rule->greeting != NULL) {
        client->is_deaf = true;
        return;
    }
    client->is_raw = true;
    send_bytes(client->up, client->from_down.data, client->from_down.size);
    buf_clear(&client->from_down);
}

static void
down_data(void *arg, size_t size)
{
    struct proxy_client *client = arg;
    struct proxy_call *call;

    buf_commit(&client->from_down, size);
    while (!client->is_deaf && client->from_down.size >= FRAME_LENGTH_BYTES) {
        int32_t length = codec_bytes_int32(client->from_down.data);

        if (client->is_raw || length < 0 || length > FRAME_BYTES_MAX) {
            garbage_pass(client);
            return;
        }
        call = call_new(client);
        if (!frame_take(&client->from_down, &call->asked)) {
            call_free(call);
            return;
        }
        request_pass(client, call);
    }
}

static void
down_close(void *arg, const struct err *e)
{
    (void)e;
    client_free(arg);
}

static const struct tcp_events down_events = {
    .room = down_room, .data = down_data, .close = down_close};

static struct tcp *
on_accept(void *arg, int fd)
{
    struct proxy *proxy = arg;
    struct proxy_client *client = xcalloc(1, sizeof *client);
    struct tcp_options options = {.queue_bytes_max = IN_BYTES_MAX};

    client->proxy = proxy;
    list_init(&client->calls);
    buf_init(&client->from_down, IN_BYTES_MAX);
    buf_init(&client->from_up, IN_BYTES_MAX);
    list_push_back(&proxy->clients, &client->node);
    client->down = tcp_adopt(proxy->loop, fd, &options, &down_events, client);
    options.deadline_us = loop_now_us(proxy->loop) + CONNECT_US;
    client->up = tcp_connect(proxy->loop, proxy->host, proxy->port, &options, &up_events, client);
    return client->down;
}

enum rc
proxy_run(
    const struct proxy_rule *rule, const char *host, uint16_t port, int ready_fd, struct err *e)
{
    struct proxy proxy = {.rule = rule, .host = host, .port = port};
    struct listener_options options = {.host = PROXY_HOST, .connections_max = CONNECTIONS_MAX};
    enum rc rc = loop_new(&proxy.loop, e);

    if (rc != RC_OK)
        return rc;
    list_init(&proxy.clients);
    rc = listener_open(proxy.loop, &options, on_accept, &proxy, &proxy.listener, e);
    if (rc != RC_OK)
        return rc;
    proxy.own_port = listener_port(proxy.listener);
    if (write(ready_fd, &proxy.own_port, sizeof proxy.own_port) != sizeof proxy.own_port)
        return err_set_errno(e, RC_IO, errno, "write");
    loop_run(proxy.loop);
    return RC_OK;
}
