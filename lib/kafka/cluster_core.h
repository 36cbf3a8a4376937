/*
 * cluster_core: what the cluster_* modules share, and the refreshing of metadata.
 *
 * A refresh asks one node after another (connected ones first, configured servers last) until one
 * answers, and puts the answer into the map.
 */
#ifndef LIB_KAFKA_CLUSTER_CORE_H
#define LIB_KAFKA_CLUSTER_CORE_H

#include "lib/kafka/cluster_map.h"
#include "lib/kafka/cluster_nodes.h"

struct cluster {
    struct loop *loop;
    const struct conf_client *conf;
    struct cluster_nodes nodes;
    struct cluster_map map;
    struct map coordinators; /* see cluster_coord.h */
};

struct cluster_refresh;

/* e is RC_OK, or says why nobody answered. */
typedef void cluster_refresh_fn(void *arg, const struct err *e);

/* Which topics to ask for: `all`, or the names (copied), which may be none: then only brokers are
 * asked for. */
struct cluster_refresh_topics {
    bool all;
    size_t count;
    const char *const *names;
};

/* cluster_refresh_start asks, and calls fn once from the loop. deadline_us 0: as long as it takes
 * to try every node. */
struct cluster_refresh *cluster_refresh_start(struct cluster *cluster,
    const struct cluster_refresh_topics *topics, int64_t deadline_us, cluster_refresh_fn *fn,
    void *arg);

/* cluster_refresh_cancel makes sure that fn is not called; NULL is accepted. */
void cluster_refresh_cancel(struct cluster_refresh *refresh);

#endif
