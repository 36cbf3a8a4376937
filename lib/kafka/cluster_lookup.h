/*
 * cluster_lookup: brokers that have to be found before questions can be asked: leaders by metadata,
 * coordinators by FindCoordinator, collected first and then looked up at once.
 *
 * For cluster_fan.c only. One look-up at a time; metadata goes first, because coordinators are
 * asked of brokers, and what was collected for the other kind is forgotten: the fan will ask for it
 * again.
 */
#ifndef LIB_KAFKA_CLUSTER_LOOKUP_H
#define LIB_KAFKA_CLUSTER_LOOKUP_H

#include "lib/kafka/cluster_coord.h"
#include "lib/kafka/cluster_core.h"
#include "lib/kafka/cluster_fan.h"

/* of_coordinators tells which kind has ended; e is RC_OK, or says why nobody answered. */
typedef void cluster_lookup_fn(void *arg, bool of_coordinators, const struct err *e);

struct cluster_lookup {
    struct cluster *cluster;
    cluster_lookup_fn *fn;
    void *arg;
    bool wants_brokers;
    struct map topics; /* names */
    struct cluster_coord_key *keys;
    size_t key_count;
    struct cluster_refresh *refresh;
    struct cluster_coord_find *find;
};

void cluster_lookup_init(
    struct cluster_lookup *lookup, struct cluster *cluster, cluster_lookup_fn *fn, void *arg);

/* cluster_lookup_fini cancels what is under way. */
void cluster_lookup_fini(struct cluster_lookup *lookup);

/* cluster_lookup_add collects what a target needs; its name must stay until the end. With `afresh`
 * a coordinator that is known is forgotten. */
void cluster_lookup_add(
    struct cluster_lookup *lookup, const struct cluster_target *target, bool afresh);

/* cluster_lookup_start looks up what was collected; without effect where that is nothing. */
void cluster_lookup_start(struct cluster_lookup *lookup, int64_t deadline_us);

bool cluster_lookup_is_running(const struct cluster_lookup *lookup);

/* cluster_lookup_cancel makes sure that fn is not called. */
void cluster_lookup_cancel(struct cluster_lookup *lookup);

/* cluster_lookup_is_coordinator tells which kind a target needs; cluster_lookup_coordinator is
 * cluster_coord_get for such a target. */
bool cluster_lookup_is_coordinator(const struct cluster_target *target);
int16_t cluster_lookup_coordinator(
    const struct cluster *cluster, const struct cluster_target *target, int32_t *broker);

#endif
