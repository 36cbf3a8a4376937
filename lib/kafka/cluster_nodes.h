/*
 * cluster_nodes: one connection per broker, opened when it is needed, and a second one for who asks
 * for it.
 *
 * Nodes are the servers of the configuration (ids below -1) and the brokers that Metadata names.
 * When a broker turns out to be a configured server, it inherits that connection. A connection that
 * ends is opened again by the next one who needs it.
 *
 * For the cluster_* modules. Limits: CLUSTER_NODES_MAX nodes in a process' life with a cluster.
 * Callbacks come from the loop only. Not thread-safe.
 */
#ifndef LIB_KAFKA_CLUSTER_NODES_H
#define LIB_KAFKA_CLUSTER_NODES_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/list.h"
#include "lib/base/map.h"
#include "lib/kafka/cluster_map.h"
#include "lib/kafka/conn.h"

#define CLUSTER_NODES_MAX 10000

struct cluster_node {
    struct cluster_nodes *nodes;
    int32_t id;
    uint16_t port;
    bool gone; /* the latest answer does not name it */
    char *host;
    struct conn *conn; /* NULL: none */
    struct list waits;
    struct conn_stats past; /* of connections that have ended */
    bool opening;           /* its connection is not ready for questions yet */
    struct err silence;     /* why nobody asks it any more; RC_OK: it is asked */
    struct cluster_node
        *other; /* the same broker over the other connection; NULL: not needed yet */
};

struct cluster_nodes {
    struct conn_setup setup;
    struct map by_id;
    size_t server_count; /* configured ones have the ids -2, -3, ... */
    uint64_t turn;       /* of cluster_nodes_any */
    bool silence_kept;   /* see cluster_avoid_silent */
};

/* cluster_nodes_init makes the configured servers; conf must outlive it. Errors as conn_setup_init.
 */
MUST_CHECK enum rc cluster_nodes_init(
    struct cluster_nodes *nodes, struct loop *loop, const struct conf_client *conf, struct err *e);
void cluster_nodes_fini(struct cluster_nodes *nodes);

/* cluster_nodes_update takes over addresses; RC_LIMIT for too many. */
MUST_CHECK enum rc cluster_nodes_update(
    struct cluster_nodes *nodes, const struct cluster_map *map, struct err *e);

/* cluster_nodes_add takes over one address (a coordinator's). */
MUST_CHECK enum rc cluster_nodes_add(
    struct cluster_nodes *nodes, int32_t id, const char *host, uint16_t port, struct err *e);

/* cluster_nodes_get returns the node of a broker, or NULL. */
struct cluster_node *cluster_nodes_get(const struct cluster_nodes *nodes, int32_t id);

/* cluster_node_second returns the same broker with a connection of its own: a broker answers the
 * requests of one connection one after the other, those of two beside each other. It lives as long
 * as the node, and cluster_nodes_get never returns it. */
struct cluster_node *cluster_node_second(struct cluster_node *node);

/* cluster_nodes_any returns a broker to ask what any of them can answer, in turn, a silent one only
 * where all are; NULL while none is known. */
struct cluster_node *cluster_nodes_any(struct cluster_nodes *nodes);

/* cluster_nodes_candidates fills out (of cluster_nodes_count entries) with all nodes in the order
 * in which they are worth trying: connected ones, known brokers, configured servers, silent ones.
 * Returns how many. */
size_t cluster_nodes_candidates(const struct cluster_nodes *nodes, struct cluster_node **out);
size_t cluster_nodes_count(const struct cluster_nodes *nodes);

/* cluster_nodes_stats adds up all connections, past ones included. */
void cluster_nodes_stats(const struct cluster_nodes *nodes, struct conn_stats *out);

/* cluster_nodes_avoid_silent has silence kept from now on, and forgets what was. */
void cluster_nodes_avoid_silent(struct cluster_nodes *nodes);

/* Somebody who waits for a node's connection, zeroed at first. */
struct cluster_wait {
    struct list_node link;
    struct cluster_node *node;
    void (*fn)(void *arg, struct conn *conn, const struct err *e);
    void *arg;
};

/* cluster_node_conn returns the connection if it is ready, or NULL. */
struct conn *cluster_node_conn(const struct cluster_node *node);

/* cluster_node_open opens the connection unless it is open; fn is called with it when it is ready,
 * or with NULL and the reason. */
void cluster_node_open(struct cluster_node *node, struct cluster_wait *wait,
    void (*fn)(void *arg, struct conn *conn, const struct err *e), void *arg);

/* cluster_wait_cancel makes sure that fn is not called. */
void cluster_wait_cancel(struct cluster_wait *wait);

#endif
