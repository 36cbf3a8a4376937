/*
 * client: the broker's side of a connection: the requests of one client in their order.
 *
 * Kafka serves the requests of a connection one at a time and answers them in order, and clients
 * rely on it. Here a Produce may start while earlier Produces of its connection wait for the disk;
 * every other request starts when all before it are finished. The number and bytes of waiting
 * requests are bounded: at the bound reading from the peer pauses.
 */
#ifndef REFBROKER_CLIENT_H
#define REFBROKER_CLIENT_H

#include "refbroker/api/login.h"
#include "refbroker/broker.h"

struct client {
    struct list_node in_broker;
    struct list_node in_ready; /* broker.ready_clients */
    void *peer;
    char *client_host;
    uint16_t client_port;
    char *software_name; /* as ApiVersions told it; NULL: it did not, or nobody wants to know */
    char *software_version;
    bool has_instance; /* whose metrics are asked for: it goes with the connection */
    struct wire_uuid instance_id;
    struct list requests; /* struct request.in_client, in order of arrival */
    size_t waiting_bytes;
    bool paused;
    bool closing;
    bool
        dispatching; /* client_dispatch is at work further up: what finishes meanwhile is sent there
                      */
    bool turned_away;       /* above its address's quota: it is closed when it is muted no more */
    struct heap_node muted; /* in broker.muted while the client is to wait for its quota */
    bool full; /* the peer reads slower than we answer: nothing starts and nothing is sent until it
                  has caught up */
    int64_t active_ms;
    struct login login;
};

/* client_user is who has logged in, or ANONYMOUS. A view, as long as the client. */
struct wire_string client_user(const struct client *client);

/* client_dispatch starts the requests that may start now, and sends the replies that are at the
 * head.
 */
void client_dispatch(struct broker *broker, struct client *client);

/* client_run_ready does so for the clients of which a parked request was finished in this tick. */
void client_run_ready(struct broker *broker);

/* client_unmute goes on with the clients that have waited long enough for their quotas. */
void client_unmute(struct broker *broker);

/* client_unblock goes on with the Produces that waited because too much was not in objects yet,
 * once there is room, and with what waited for the log to be read. */
void client_unblock(struct broker *broker);

#endif
