/*
 * server: the broker on sockets: listener, connections, frames in, replies out, the clock.
 *
 * One thread runs the loop and the broker. A connection's bytes are received straight into the
 * frame that they belong to; the frame's size is checked before any memory is taken for it
 * (KafkaChannel, NetworkReceive: a size below 0 or above socket.request.max.bytes closes the
 * connection at once). Replies leave from where their bytes lie.
 */
#ifndef REFBROKER_NET_SERVER_H
#define REFBROKER_NET_SERVER_H

#include "lib/base/err.h"
#include "lib/base/work.h"
#include "lib/net/loop.h"
#include "refbroker/broker.h"

struct server;

struct server_options {
    const char *listen_host;
    uint16_t listen_port; /* 0: any free one */
    const char *http_host;
    uint16_t http_port;
    bool http; /* whether to serve /metrics and /healthz */
};

/* server_new makes loop and lanes and binds; server_ports fills in what the broker needs of it. */
MUST_CHECK enum rc server_new(
    const struct server_options *options, struct server **out, struct err *e);
void server_free(struct server *server);

struct broker_ports server_ports(void);
struct work *server_work(struct server *server);
uint16_t server_port(const struct server *server);
uint16_t server_http_port(const struct server *server);

/* server_run serves until SIGTERM or SIGINT and everything is written out; the broker was opened
 * with the server's ports and work. */
void server_run(struct server *server, struct broker *broker);

#endif
