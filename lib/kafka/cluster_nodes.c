#include "lib/kafka/cluster_nodes.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

/* Configured servers have the ids from here downward. */
#define SERVER_ID_FIRST (-2)

static struct cluster_node *
node_new(struct cluster_nodes *nodes, int32_t id, const char *host, uint16_t port)
{
    struct cluster_node *node = xcalloc(1, sizeof *node);

    node->nodes = nodes;
    node->id = id;
    node->host = xstrdup(host);
    node->port = port;
    list_init(&node->waits);
    return node;
}

static struct cluster_node *
node_add(struct cluster_nodes *nodes, int32_t id, const char *host, uint16_t port)
{
    struct cluster_node *node = node_new(nodes, id, host, port);

    map_put_int(&nodes->by_id, id, node);
    return node;
}

struct cluster_node *
cluster_node_second(struct cluster_node *node)
{
    if (node->other == NULL) {
        node->other = node_new(node->nodes, node->id, node->host, node->port);
        node->other->other = node;
        node->other->silence = node->silence;
    }
    return node->other;
}

enum rc
cluster_nodes_init(
    struct cluster_nodes *nodes, struct loop *loop, const struct conf_client *conf, struct err *e)
{
    enum rc rc;

    memset(nodes, 0, sizeof *nodes);
    map_init(&nodes->by_id);
    rc = conn_setup_init(&nodes->setup, loop, conf, e);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < conf->server_count; i++)
        node_add(nodes, SERVER_ID_FIRST - (int32_t)i, conf->servers[i].host, conf->servers[i].port);
    nodes->server_count = conf->server_count;
    return RC_OK;
}

static void
stats_add(struct conn_stats *to, const struct conn_stats *more)
{
    to->connections += more->connections;
    to->requests += more->requests;
    to->bytes_out += more->bytes_out;
    to->bytes_in += more->bytes_in;
    to->throttled_ms += more->throttled_ms;
}

static void
conn_drop(struct cluster_node *node)
{
    if (node->conn == NULL)
        return;
    stats_add(&node->past, conn_stats(node->conn));
    conn_free(node->conn);
    node->conn = NULL;
}

static void
node_end(struct cluster_node *node)
{
    REQUIRE(list_is_empty(&node->waits));
    conn_drop(node);
    free(node->host);
    free(node);
}

static void
node_free(void *value)
{
    struct cluster_node *node = value;

    if (node->other != NULL)
        node_end(node->other);
    node_end(node);
}

void
cluster_nodes_fini(struct cluster_nodes *nodes)
{
    map_fini(&nodes->by_id, node_free);
    conn_setup_fini(&nodes->setup);
}

/* --- connections -------------------------------------------------------------------------------
 */

static void
waits_end(struct cluster_node *node, struct conn *conn, const struct err *e)
{
    struct list_node *link;

    /* Those that are there now: a callback may open the node anew. */
    for (size_t left = node->waits.count; left > 0; left--) {
        struct cluster_wait *wait;

        link = list_pop(&node->waits);
        if (link == NULL)
            return;
        wait = list_of(link, struct cluster_wait, link);
        wait->node = NULL;
        wait->fn(wait->arg, conn, e);
        if (conn != NULL && !conn_is_ready(conn))
            return;
    }
}

static void
on_ready(void *arg)
{
    static const struct err fine = {.code = RC_OK};
    struct cluster_node *node = arg;

    node->opening = false;
    waits_end(node, node->conn, &fine);
}

static void
on_closed(void *arg, const struct err *e)
{
    struct cluster_node *node = arg;
    struct err copy = *e;

    conn_drop(node);
    /* A question that had no answer says less: the broker may itself wait, for a controller. */
    if (node->opening && copy.code == RC_TIMEOUT && node->nodes->silence_kept) {
        node->silence = copy;
        if (node->other != NULL)
            node->other->silence = copy;
    }
    node->opening = false;
    if (copy.code == RC_OK)
        (void)err_set(&copy, RC_CLOSED, "%s:%u: the connection ended", node->host, node->port);
    waits_end(node, NULL, &copy);
}

static const struct conn_events events = {on_ready, on_closed};

struct conn *
cluster_node_conn(const struct cluster_node *node)
{
    return node->conn != NULL && conn_is_ready(node->conn) ? node->conn : NULL;
}

void
cluster_node_open(struct cluster_node *node, struct cluster_wait *wait,
    void (*fn)(void *arg, struct conn *conn, const struct err *e), void *arg)
{
    REQUIRE(wait->node == NULL && cluster_node_conn(node) == NULL);
    wait->node = node;
    wait->fn = fn;
    wait->arg = arg;
    list_push_back(&node->waits, &wait->link);
    if (node->conn != NULL && conn_is_closed(node->conn))
        conn_drop(node);
    if (node->conn == NULL) {
        node->opening = true;
        node->conn = conn_open(&node->nodes->setup, node->host, node->port, &events, node);
    }
}

void
cluster_wait_cancel(struct cluster_wait *wait)
{
    if (wait->node != NULL)
        list_remove(&wait->node->waits, &wait->link);
    wait->node = NULL;
}

/* --- addresses ---------------------------------------------------------------------------------
 */

static bool
is_at(const struct cluster_node *node, const char *host, uint16_t port)
{
    return node->port == port && strcmp(node->host, host) == 0;
}

/* A broker that is one of the configured servers takes over its connection, unless somebody still
 * waits for that. */
static void
server_inherit(struct cluster_node *node)
{
    const struct cluster_nodes *nodes = node->nodes;

    for (size_t i = 0; i < nodes->server_count && node->conn == NULL; i++) {
        struct cluster_node *server = cluster_nodes_get(nodes, SERVER_ID_FIRST - (int32_t)i);
        struct conn *conn = cluster_node_conn(server);

        if (conn == NULL || !is_at(server, node->host, node->port))
            continue;
        node->conn = conn;
        server->conn = NULL;
        conn_set_owner(conn, node);
    }
}

/* For the next connection; the one that there is ends with the broker that it leads to. */
static void
node_move(struct cluster_node *node, const char *host, uint16_t port)
{
    free(node->host);
    node->host = xstrdup(host);
    node->port = port;
}

enum rc
cluster_nodes_add(
    struct cluster_nodes *nodes, int32_t id, const char *host, uint16_t port, struct err *e)
{
    struct cluster_node *node = cluster_nodes_get(nodes, id);

    if (id < 0)
        return err_set(e, RC_PROTOCOL, "a broker has the id %d", id);
    if (node == NULL && map_count(&nodes->by_id) >= CLUSTER_NODES_MAX)
        return err_set(e, RC_LIMIT, "more than %d brokers", CLUSTER_NODES_MAX);
    if (node == NULL) {
        node = node_add(nodes, id, host, port);
        server_inherit(node);
    }
    node->gone = false;
    if (is_at(node, host, port))
        return RC_OK;
    node_move(node, host, port);
    if (node->other != NULL)
        node_move(node->other, host, port);
    return RC_OK;
}

enum rc
cluster_nodes_update(struct cluster_nodes *nodes, const struct cluster_map *map, struct err *e)
{
    const struct cluster_broker *broker;
    struct cluster_node *node;
    size_t position = 0;
    enum rc rc;

    while ((node = map_next(&nodes->by_id, &position, NULL, NULL)) != NULL)
        node->gone = node->id >= 0;
    position = 0;
    while ((broker = cluster_map_next_broker(map, &position)) != NULL) {
        rc = cluster_nodes_add(nodes, broker->id, broker->host, broker->port, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

struct cluster_node *
cluster_nodes_get(const struct cluster_nodes *nodes, int32_t id)
{
    return map_get_int(&nodes->by_id, id);
}

size_t
cluster_nodes_count(const struct cluster_nodes *nodes)
{
    return map_count(&nodes->by_id);
}

void
cluster_nodes_avoid_silent(struct cluster_nodes *nodes)
{
    struct cluster_node *node;
    size_t position = 0;

    nodes->silence_kept = true;
    while ((node = map_next(&nodes->by_id, &position, NULL, NULL)) != NULL) {
        err_clear(&node->silence);
        if (node->other != NULL)
            err_clear(&node->other->silence);
    }
}

static bool
is_usable(const struct cluster_node *node, bool silent_too)
{
    return node->id >= 0 && !node->gone && (silent_too || node->silence.code == RC_OK);
}

struct cluster_node *
cluster_nodes_any(struct cluster_nodes *nodes)
{
    struct cluster_node *node;
    size_t position = 0, known = 0, talking = 0;
    uint64_t turn;

    while ((node = map_next(&nodes->by_id, &position, NULL, NULL)) != NULL) {
        known += is_usable(node, true);
        talking += is_usable(node, false);
    }
    if (known == 0)
        return NULL;
    turn = nodes->turn++ % (talking > 0 ? talking : known);
    position = 0;
    while ((node = map_next(&nodes->by_id, &position, NULL, NULL)) != NULL)
        if (is_usable(node, talking == 0) && turn-- == 0)
            break;
    return node;
}

size_t
cluster_nodes_candidates(const struct cluster_nodes *nodes, struct cluster_node **out)
{
    size_t count = 0;

    for (int round = 0; round < 4; round++) {
        struct cluster_node *node;
        size_t position = 0;

        while ((node = map_next(&nodes->by_id, &position, NULL, NULL)) != NULL) {
            bool connected = cluster_node_conn(node) != NULL;
            int rank = connected ? 0 : node->id >= 0 ? 1 : 2;

            if (node->silence.code != RC_OK)
                rank = 3;
            if (rank == round && !node->gone)
                out[count++] = node;
        }
    }
    return count;
}

static void
node_stats_add(struct conn_stats *out, const struct cluster_node *node)
{
    stats_add(out, &node->past);
    if (node->conn != NULL)
        stats_add(out, conn_stats(node->conn));
}

void
cluster_nodes_stats(const struct cluster_nodes *nodes, struct conn_stats *out)
{
    const struct cluster_node *node;
    size_t position = 0;

    memset(out, 0, sizeof *out);
    while ((node = map_next(&nodes->by_id, &position, NULL, NULL)) != NULL) {
        node_stats_add(out, node);
        if (node->other != NULL)
            node_stats_add(out, node->other);
    }
}
