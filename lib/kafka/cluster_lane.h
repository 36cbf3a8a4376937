/*
 * cluster_lane: what a fan has for one broker: items that wait, and requests under way.
 *
 * For cluster_fan.c only. The lane opens the broker's connection, has requests built, sends them,
 * and gives answers and failures back to the fan. It dies of an error after which asking that
 * broker again would only cost time.
 */
#ifndef LIB_KAFKA_CLUSTER_LANE_H
#define LIB_KAFKA_CLUSTER_LANE_H

#include "lib/base/list.h"
#include "lib/kafka/cluster_core.h"
#include "lib/kafka/cluster_fan.h"
#include "lib/kafka/cluster_queue.h"

struct cluster_lane_owner {
    struct cluster *cluster;
    struct cluster_fan *fan;
    const struct cluster_fan_spec *spec;

    /* A request goes out; its answer came. */
    void (*sent)(struct cluster_fan *fan, const struct cluster_fan_batch *batch);
    void (*answered)(struct cluster_fan *fan, struct cluster_fan_batch *batch);

    /* An item gets no answer, for the reason in e. */
    void (*failed)(struct cluster_fan *fan, uint32_t item, const struct err *e);
};

struct cluster_lane {
    const struct cluster_lane_owner *owner;
    struct cluster_node *node;
    struct cluster_queue queue;
    struct list batches;
    struct cluster_wait wait;
    bool opening;
    bool stopped;
    bool suspect;    /* the last thing that it did was to fail */
    struct err dead; /* RC_OK: it lives */
};

struct cluster_lane *cluster_lane_new(
    const struct cluster_lane_owner *owner, struct cluster_node *node);

/* cluster_lane_stop forgets all items and requests; cluster_lane_free then frees. */
void cluster_lane_stop(struct cluster_lane *lane);
void cluster_lane_free(struct cluster_lane *lane);

void cluster_lane_push(struct cluster_lane *lane, uint32_t item);

/* cluster_lane_pump sends what may be sent; on a dead lane it fails what waits. */
void cluster_lane_pump(struct cluster_lane *lane);

/* cluster_lane_fail fails what waits, and with `all` also what is under way. */
void cluster_lane_fail(struct cluster_lane *lane, bool all, const struct err *e);

#endif
