#include "refbroker/net/server.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/net/http.h"
#include "lib/net/listener.h"
#include "lib/net/tcp.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/coord/client_instances.h"
#include "refbroker/limits.h"

#define STAGE_BYTES 16384
#define LENGTH_BYTES 4
#define PUSH_BYTES ((size_t)64 * 1024)
#define QUEUE_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define LINGER_US 5000000
#define STOP_US_MAX 1500000

/*
 * One connection. Bytes arrive in the stage; what is small enough is cut into frames there, and a
 * frame that goes on behind the stage gets its own memory, into which the rest of it is received.
 */
struct peer {
    struct list_node in_server;
    struct server *server;
    struct tcp *tcp;
    struct client *client;
    uint8_t stage[STAGE_BYTES];
    size_t staged;
    struct blob *frame; /* NULL: reading into the stage */
    size_t frame_got;
    bool paused;
    bool closing;
    bool full; /* the broker was asked to send no more */
    struct loop_timer linger;
    struct loop_timer drained;
};

/* A reply on its way out. */
struct sending {
    struct peer *peer;
    void (*sent)(void *arg);
    void *arg;
};

struct server {
    struct loop *loop;
    struct work *work;
    struct listener *listener;
    struct http *http;
    struct broker *broker;
    struct list peers;
    struct loop_task reap;
    struct loop_timer wake;
    struct loop_timer give_up;
    bool stopping;
};

static void
peer_destroy(void *arg)
{
    struct peer *peer = arg;
    struct server *server = peer->server;

    peer->closing = true;
    broker_disconnect(server->broker, peer->client);
    tcp_free(peer->tcp);
    loop_timer_cancel(server->loop, &peer->linger);
    loop_timer_cancel(server->loop, &peer->drained);
    list_remove(&server->peers, &peer->in_server);
    blob_unref(peer->frame);
    free(peer);
}

/* Ends a connection, now or once what is queued is sent: never inside the call, because the callers
 * still use it. */
static void
peer_end(struct peer *peer, int64_t in_us)
{
    if (peer->closing)
        return;
    peer->closing = true;
    loop_timer_set(peer->server->loop, &peer->linger, loop_now_us(peer->server->loop) + in_us,
        peer_destroy, peer);
}

static void
peer_drained(void *arg)
{
    struct peer *peer = arg;

    if (!peer->closing)
        broker_drained(peer->server->broker, peer->client);
}

/* Called by tcp, into which it must not call back: the broker goes on in the loop's next round. */
static void
reply_sent(void *arg)
{
    struct sending *sending = arg;
    struct peer *peer = sending->peer;

    sending->sent(sending->arg);
    free(sending);
    if (!peer->full || peer->closing)
        return;
    peer->full = false;
    loop_timer_set(
        peer->server->loop, &peer->drained, loop_now_us(peer->server->loop), peer_drained, peer);
}

static bool
port_send(void *arg, const struct wire_fragment *pieces, size_t count, void (*sent)(void *arg),
    void *sent_arg)
{
    struct peer *peer = arg;
    struct tcp_piece *out = xcalloc(count, sizeof *out);
    struct sending *sending = xcalloc(1, sizeof *sending);
    enum rc rc;

    for (size_t i = 0; i < count; i++)
        out[i] = (struct tcp_piece){pieces[i].data, pieces[i].size};
    *sending = (struct sending){peer, sent, sent_arg};
    rc = tcp_write(peer->tcp, out, count, reply_sent, sending);
    free(out);
    if (rc != RC_OK) {
        /* The connection is over; its end is on the way. */
        free(sending);
        sent(sent_arg);
        return true;
    }
    /* Small replies of a round leave together; the receiver of a large one need not wait for what
     * else the round has to do. */
    if (tcp_queued_bytes(peer->tcp) >= PUSH_BYTES)
        tcp_push(peer->tcp);
    peer->full = tcp_queued_bytes(peer->tcp) >= QUEUE_BYTES_MAX;
    return !peer->full;
}

static void
port_close(void *arg)
{
    struct peer *peer = arg;

    if (tcp_queued_bytes(peer->tcp) == 0) {
        peer_end(peer, 0);
        return;
    }
    tcp_end(peer->tcp);
    peer_end(peer, LINGER_US);
}

static void
port_pause(void *arg, bool paused)
{
    struct peer *peer = arg;

    peer->paused = paused;
    if (!paused)
        tcp_resume(peer->tcp);
}

struct broker_ports
server_ports(void)
{
    return (struct broker_ports){port_send, port_close, port_pause};
}

/* The size of the frame whose length stands at p, or 0 for one that the client may not send. */
static size_t
frame_size(const struct peer *peer, const uint8_t *p)
{
    int32_t size = codec_bytes_int32(p);

    return size <= 0 || (size_t)size > broker_frame_bytes_max(peer->client) ? 0 : (size_t)size;
}

static void
frame_take(struct peer *peer)
{
    struct blob *frame = peer->frame;

    peer->frame = NULL;
    peer->frame_got = 0;
    broker_frame(peer->server->broker, peer->client, frame);
}

/* Cuts what is staged into frames; false where the connection is to be closed. */
static bool
stage_cut(struct peer *peer)
{
    size_t at = 0;

    while (!peer->closing && peer->staged - at >= LENGTH_BYTES) {
        size_t size = frame_size(peer, peer->stage + at);
        size_t here = peer->staged - at - LENGTH_BYTES;

        if (size == 0)
            return false;
        peer->frame = blob_new(size);
        if (peer->frame == NULL)
            return false;
        if (here > size)
            here = size;
        memcpy(peer->frame->data, peer->stage + at + LENGTH_BYTES, here);
        peer->frame_got = here;
        at += LENGTH_BYTES + here;
        if (here < size)
            break;
        frame_take(peer);
    }
    peer->staged -= at;
    memmove(peer->stage, peer->stage + at, peer->staged);
    return true;
}

static void *
peer_room(void *arg, size_t *size)
{
    struct peer *peer = arg;

    if (peer->paused || peer->closing)
        return NULL;
    if (peer->frame != NULL) {
        *size = peer->frame->size - peer->frame_got;
        return peer->frame->data + peer->frame_got;
    }
    *size = STAGE_BYTES - peer->staged;
    return peer->stage + peer->staged;
}

static void
peer_data(void *arg, size_t size)
{
    struct peer *peer = arg;

    if (peer->frame != NULL) {
        peer->frame_got += size;
        if (peer->frame_got == peer->frame->size)
            frame_take(peer);
        return;
    }
    peer->staged += size;
    if (!stage_cut(peer)) {
        log_info("CON-FRAME", "a frame of impossible size; connection closed");
        peer_end(peer, 0);
    }
}

static void
peer_close(void *arg, const struct err *e)
{
    struct peer *peer = arg;

    (void)e;
    peer->closing = true;
    peer_destroy(peer);
}

static struct tcp *
accepted(void *arg, int fd)
{
    static const struct tcp_events events = {
        .room = peer_room, .data = peer_data, .close = peer_close};
    struct tcp_options options = {.queue_bytes_max = SIZE_MAX / 2};
    struct server *server = arg;
    struct peer *peer = xcalloc(1, sizeof *peer);
    char address[TCP_TEXT_MAX];
    char *colon;
    long port = 0;

    peer->server = server;
    peer->tcp = tcp_adopt(server->loop, fd, &options, &events, peer);
    tcp_peer_text(peer->tcp, address);
    colon = strrchr(address, ':');
    if (colon != NULL) {
        port = strtol(colon + 1, NULL, 10);
        *colon = '\0';
    }
    peer->client = broker_connect(server->broker, peer, address, (uint16_t)port);
    list_push_back(&server->peers, &peer->in_server);
    return peer->tcp;
}

static void
reap(void *arg)
{
    /* The tick that follows every round does the work; the task only ends the wait. */
    (void)arg;
}

static void
lane_wake(void *arg)
{
    struct server *server = arg;

    loop_post(server->loop, &server->reap);
}

static void
wake(void *arg)
{
    (void)arg;
}

static void
tick(void *arg)
{
    struct server *server = arg;
    int64_t next_ms = broker_tick(server->broker);

    if ((server->stopping && broker_is_idle(server->broker)) ||
        broker_damage(server->broker) != NULL)
        loop_stop(server->loop);
    if (next_ms == INT64_MAX)
        loop_timer_cancel(server->loop, &server->wake);
    else
        loop_timer_set(server->loop, &server->wake, next_ms * 1000, wake, server);
}

static void
give_up(void *arg)
{
    struct server *server = arg;

    log_warn("STOP-LATE", "not everything is in objects; the WAL keeps the rest");
    loop_stop(server->loop);
}

static void
signaled(void *arg)
{
    struct server *server = arg;

    if (server->stopping)
        return;
    server->stopping = true;
    listener_close(server->listener);
    server->listener = NULL;
    broker_stop(server->broker);
    loop_timer_set(
        server->loop, &server->give_up, loop_now_us(server->loop) + STOP_US_MAX, give_up, server);
}

static void
metrics(void *arg, struct http_reply *reply)
{
    struct server *server = arg;

    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    stats_write(&server->broker->stats, &reply->body);
    if (server->broker->client_instances != NULL)
        client_samples_write(&server->broker->client_instances->samples, &reply->body);
}

static void
health(void *arg, struct http_reply *reply)
{
    struct server *server = arg;
    bool stopped = server->broker->stats.partitions_stopped_total > 0;

    reply->status = stopped || server->stopping ? 503 : 200;
    buf_append_text(&reply->body, server->stopping ? "stopping\n"
                                  : stopped        ? "partitions are stopped after failed writes\n"
                                                   : "ok\n");
}

/*
 * Every connection is an open file, and a broker that has none left cannot write: as many as the
 * system allows (the soft limit is raised, as a JVM does), less what the log needs.
 */
static size_t
connections_allowed(void)
{
    struct rlimit files;
    size_t allowed;

    REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
    if (files.rlim_cur != files.rlim_max) {
        rlim_t before = files.rlim_cur;

        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0)
            files.rlim_cur = before;
    }
    if (files.rlim_cur >= LIMIT_CONNECTIONS_MAX + LIMIT_FILES_RESERVED)
        return LIMIT_CONNECTIONS_MAX;
    allowed = files.rlim_cur > 2 * LIMIT_FILES_RESERVED ? files.rlim_cur - LIMIT_FILES_RESERVED
                                                        : files.rlim_cur / 2;
    log_info("NET-FILES-FEW",
        "at most %zu connections: this process may open %zu files (ulimit -n)", allowed,
        (size_t)files.rlim_cur);
    return allowed;
}

enum rc
server_new(const struct server_options *options, struct server **out, struct err *e)
{
    struct listener_options listen = {
        options->listen_host, options->listen_port, connections_allowed()};
    struct server *server = xcalloc(1, sizeof *server);
    enum rc rc = loop_new(&server->loop, e);

    list_init(&server->peers);
    server->reap.fn = reap;
    if (rc == RC_OK)
        rc = listener_open(server->loop, &listen, accepted, server, &server->listener, e);
    if (rc == RC_OK && options->http)
        rc = http_open(server->loop, options->http_host, options->http_port, &server->http, e);
    if (rc != RC_OK) {
        server_free(server);
        return rc;
    }
    if (server->http != NULL) {
        http_handle(server->http, "/metrics", metrics, server);
        http_handle(server->http, "/healthz", health, server);
    }
    server->work = work_new(LANE_COUNT, true, lane_wake, server);
    *out = server;
    return RC_OK;
}

void
server_free(struct server *server)
{
    if (server == NULL)
        return;
    work_free(server->work);
    http_close(server->http);
    listener_close(server->listener);
    if (server->loop != NULL)
        loop_signal_clear(server->loop);
    loop_free(server->loop);
    free(server);
}

struct work *
server_work(struct server *server)
{
    return server->work;
}

uint16_t
server_port(const struct server *server)
{
    return listener_port(server->listener);
}

uint16_t
server_http_port(const struct server *server)
{
    return server->http == NULL ? 0 : http_port(server->http);
}

void
server_run(struct server *server, struct broker *broker)
{
    server->broker = broker;
    loop_signal_add(server->loop, SIGTERM, signaled, server);
    loop_signal_add(server->loop, SIGINT, signaled, server);
    loop_set_tick(server->loop, tick, server);
    /* What happened before is looked at without waiting for the first event. */
    loop_timer_set(server->loop, &server->wake, 0, wake, server);
    loop_run(server->loop);
    broker_abandon(broker);
    while (!list_is_empty(&server->peers))
        peer_destroy(list_of(list_first(&server->peers), struct peer, in_server));
}
