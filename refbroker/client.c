#include "refbroker/client.h"

#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/api/dispatch.h"
#include "refbroker/api/quota_gate.h"
#include "refbroker/api/share_leave.h"
#include "refbroker/coord/client_instances.h"
#include "refbroker/limits.h"
#include "refbroker/log/wal.h"

static struct request *
request_of(struct list_node *node)
{
    return node == NULL ? NULL : list_of(node, struct request, in_client);
}

static void
reply_sent(void *arg)
{
    request_free(arg);
}

/* -1 where the frame is too short to tell. */
static int16_t
key_of(const struct request *request)
{
    return request->frame->size < 2 ? -1 : codec_bytes_int16(request->frame->data);
}

static bool
is_produce(const struct request *request)
{
    return key_of(request) == KM_PRODUCE;
}

static void
forget_waiting(struct broker *broker, struct request *request)
{
    request->client->waiting_bytes -= request->frame->size;
    broker->requests_bytes -= request->frame->size;
}

/* Producers wait, unanswered, while more is on its way to objects than memory is meant for; Kafka's
 * clients see a slow broker. */
static bool
is_blocked(struct broker *broker, const struct request *request)
{
    if (!is_produce(request) || broker_unstored_bytes(broker) <= broker->options.unstored_bytes_max)
        return false;
    broker->producers_blocked = true;
    return true;
}

/* Behind a start all but those that look into no log wait until what logs hold is read. */
static bool
waits_for_log(struct broker *broker, const struct request *request)
{
    if (!wal_is_loading(broker->wal))
        return false;
    switch (key_of(request)) {
    case KM_API_VERSIONS:
    case KM_METADATA:
    case KM_SASL_HANDSHAKE:
    case KM_SASL_AUTHENTICATE:
    case KM_FIND_COORDINATOR:
    case KM_INIT_PRODUCER_ID:
    case KM_PRODUCE:
        return false;
    default:
        broker->readers_blocked = true;
        return true;
    }
}

/* The next request that may start: everything before it is finished, or it and all before it are
 * Produces. */
static struct request *
next_to_start(struct broker *broker, struct client *client)
{
    bool only_produces = true;

    if (client->muted.place != 0)
        return NULL;
    LIST_EACH(&client->requests, node)
    {
        struct request *request = request_of(node);

        if (request->state == REQUEST_FINISHED)
            continue;
        only_produces = only_produces && is_produce(request);
        if (request->state == REQUEST_WAITING)
            return (list_first(&client->requests) == node || only_produces) &&
                           !is_blocked(broker, request) && !waits_for_log(broker, request)
                       ? request
                       : NULL;
        if (!only_produces)
            return NULL;
    }
    return NULL;
}

static void
close_client(struct broker *broker, struct client *client)
{
    if (client->closing)
        return;
    client->closing = true;
    broker->options.ports.close(client->peer);
}

/* A client above its quota has its answer, and is not heard for a while. */
static void
throttle(struct broker *broker, struct request *request)
{
    int64_t wait_ms = quota_gate_settle(broker, request);
    struct heap_node *muted = &request->client->muted;
    int64_t until_ms = env_now_ms(broker->env) + wait_ms;

    if (wait_ms <= 0)
        return;
    broker->stats.requests_throttled_total++;
    if (muted->place == 0 || muted->deadline < until_ms)
        heap_put(&broker->muted, muted, until_ms);
}

static void
finish(struct broker *broker, struct request *request, enum h_result result)
{
    struct client *client = request->client;

    /* What belongs to a login is nobody's yet. */
    if ((result == H_DONE || result == H_NO_REPLY) && client->login.state == LOGIN_OVER)
        throttle(broker, request);
    request->parked = false;
    request->state = REQUEST_FINISHED;
    request->no_reply = result == H_NO_REPLY;
    request->is_last = result == H_LAST;
    if (result == H_CLOSE ||
        ((result == H_DONE || result == H_LAST) && !dispatch_finish(broker, request))) {
        request->no_reply = true;
        close_client(broker, client);
    }
}

/* Time is taken for those only whose time is limited. */
static enum h_result
dispatch_timed(struct broker *broker, struct request *request)
{
    bool limited = broker->quotas.set_count[QUOTA_REQUEST_PERCENTAGE] > 0;
    int64_t started_us = limited ? env_now_us(broker->env) : 0;
    enum h_result result = dispatch_start(broker, request);

    request->handled_us = limited ? env_now_us(broker->env) - started_us : 0;
    return result;
}

static void
start(struct broker *broker, struct request *request)
{
    enum h_result result;

    request->state = REQUEST_RUNNING;
    request->parked = true;
    forget_waiting(broker, request);
    result = dispatch_timed(broker, request);
    /* A handler that parks may find its answer before it returns. */
    if (result == H_PARK || request->state == REQUEST_FINISHED)
        return;
    finish(broker, request, result);
}

/* Replies leave in the order of the requests. */
static void
send_finished(struct broker *broker, struct client *client)
{
    struct request *request;

    while (!client->full && (request = request_of(list_first(&client->requests))) != NULL &&
           request->state == REQUEST_FINISHED) {
        bool is_last = request->is_last;

        list_remove(&client->requests, &request->in_client);
        if (request->no_reply || client->closing)
            request_free(request);
        else
            client->full = !broker->options.ports.send(
                client->peer, request->pieces, request->piece_count, reply_sent, request);
        if (is_last)
            close_client(broker, client);
    }
}

/* Whoever has not logged in is read one request at a time, and not at all once that has failed. */
static bool
is_waiting_for_login(const struct client *client)
{
    return client->login.state == LOGIN_FAILED ||
           (client->login.state != LOGIN_OVER && client->requests.count > 0);
}

static void
pause_or_resume(struct broker *broker, struct client *client)
{
    bool over = client->muted.place != 0 || is_waiting_for_login(client) ||
                client->requests.count >= LIMIT_CONNECTION_REQUESTS_MAX ||
                client->waiting_bytes > LIMIT_CONNECTION_BYTES_MAX ||
                (broker->requests_bytes > LIMIT_REQUESTS_BYTES_MAX && client->requests.count > 1);

    if (over == client->paused || client->closing)
        return;
    client->paused = over;
    broker->options.ports.pause(client->peer, over);
}

void
client_dispatch(struct broker *broker, struct client *client)
{
    struct request *request;

    if (client->dispatching)
        return;
    client->dispatching = true;
    send_finished(broker, client);
    while (!client->closing && !client->full && (request = next_to_start(broker, client)) != NULL) {
        start(broker, request);
        send_finished(broker, client);
    }
    client->dispatching = false;
    pause_or_resume(broker, client);
}

void
client_run_ready(struct broker *broker)
{
    struct list_node *node;

    while ((node = list_pop(&broker->ready_clients)) != NULL)
        client_dispatch(broker, list_of(node, struct client, in_ready));
}

void
client_unmute(struct broker *broker)
{
    int64_t now_ms = env_now_ms(broker->env);
    struct heap_node *node;

    while ((node = heap_pop_due(&broker->muted, now_ms)) != NULL) {
        struct client *client = list_of(node, struct client, muted);

        if (client->turned_away)
            close_client(broker, client);
        else
            client_dispatch(broker, client);
    }
}

void
client_unblock(struct broker *broker)
{
    bool produces = broker->producers_blocked &&
                    broker_unstored_bytes(broker) <= broker->options.unstored_bytes_max;
    bool reads = broker->readers_blocked && !wal_is_loading(broker->wal);

    if (!produces && !reads)
        return;
    broker->producers_blocked = broker->producers_blocked && !produces;
    broker->readers_blocked = broker->readers_blocked && !reads;
    LIST_EACH(&broker->clients, node)
    client_dispatch(broker, list_of(node, struct client, in_broker));
}

void
broker_drained(struct broker *broker, struct client *client)
{
    int64_t started_us = env_now_us(broker->env);

    client->full = false;
    client_dispatch(broker, client);
    broker->frames_wall_us += env_now_us(broker->env) - started_us;
}

/* A connection above the quota of its address is not heard, and closed after a while, which keeps
 * whoever tries again at once from doing so too often. */
static void
admit(struct broker *broker, struct client *client)
{
    struct wire_string address = {client->client_host, (int32_t)strlen(client->client_host)};
    int64_t now_ms = env_now_ms(broker->env);
    int64_t wait_ms = quota_meters_connect(&broker->quota_meters, address, now_ms);

    if (wait_ms <= 0)
        return;
    broker->stats.connections_throttled_total++;
    client->turned_away = true;
    heap_put(&broker->muted, &client->muted, now_ms + wait_ms);
    pause_or_resume(broker, client);
}

struct client *
broker_connect(struct broker *broker, void *peer, const char *client_host, uint16_t client_port)
{
    struct client *client = xcalloc(1, sizeof *client);

    client->peer = peer;
    client->client_host = xstrdup(client_host);
    client->client_port = client_port;
    login_init(&client->login, broker->options.logins.is_wanted);
    client->active_ms = env_now_ms(broker->env);
    list_init(&client->requests);
    list_push_back(&broker->clients, &client->in_broker);
    if (client->active_ms + broker->options.idle_ms < broker->idle_next_ms)
        broker->idle_next_ms = client->active_ms + broker->options.idle_ms;
    broker->stats.connections++;
    broker->stats.connections_total++;
    if (broker->quotas.set_count[QUOTA_CONNECTION_CREATION_RATE] > 0)
        admit(broker, client);
    return client;
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
broker_disconnect(struct broker *broker, struct client *client)
{
    struct request *request;

    client->closing = true;
    while ((request = request_of(list_pop(&client->requests))) != NULL)
        drop(broker, request);
    share_leave_connection(broker, client);
    list_remove(&broker->clients, &client->in_broker);
    list_remove(&broker->ready_clients, &client->in_ready);
    heap_remove(&broker->muted, &client->muted);
    broker->stats.connections--;
    if (client->has_instance)
        client_instances_forget(broker->client_instances, &client->instance_id);
    login_fini(&client->login);
    free(client->client_host);
    free(client->software_name);
    free(client->software_version);
    free(client);
}

struct wire_string
client_user(const struct client *client)
{
    return request_text(client->login.user == NULL ? "ANONYMOUS" : client->login.user);
}

size_t
broker_frame_bytes_max(const struct client *client)
{
    return client->login.state == LOGIN_OVER ? LIMIT_REQUEST_BYTES_MAX : LIMIT_LOGIN_BYTES_MAX;
}

void
broker_frame(struct broker *broker, struct client *client, struct blob *frame_take)
{
    int64_t now_us = env_now_us(broker->env);
    struct request *request = request_new(client, frame_take, now_us);

    client->active_ms = now_us / 1000;
    list_push_back(&client->requests, &request->in_client);
    client->waiting_bytes += request->frame->size;
    broker->requests_bytes += request->frame->size;
    client_dispatch(broker, client);
    broker->frames_wall_us += env_now_us(broker->env) - now_us;
}

void
broker_finish_as(struct broker *broker, struct request *request, enum h_result result)
{
    struct client *client = request->client;

    REQUIRE(request->parked && request->state == REQUEST_RUNNING && result != H_PARK);
    heap_remove(&broker->deadlines, &request->deadline);
    finish(broker, request, result);
    if (client->dispatching)
        return;
    send_finished(broker, client);
    if (!list_is_linked(&client->in_ready))
        list_push_back(&broker->ready_clients, &client->in_ready);
}

void
broker_finish(struct broker *broker, struct request *request)
{
    broker_finish_as(broker, request, H_DONE);
}

void
broker_set_deadline(
    struct broker *broker, struct request *request, int64_t at_ms, request_fn *on_deadline)
{
    request->on_deadline = on_deadline;
    heap_put(&broker->deadlines, &request->deadline, at_ms);
}
