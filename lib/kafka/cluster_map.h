/*
 * cluster_map: what Metadata answers have told of a cluster: its brokers, topics and leaders.
 *
 * Answers are merged: one about all topics replaces all, one about some replaces those. A leader
 * with an older epoch never takes the place of a newer one (KIP-320). Answers of another cluster
 * (by cluster id) are refused, so that a wrong list of servers is not mixed up.
 *
 * Limits: partition numbers run from 0 without gaps, as Kafka's do; a topic for which they do not
 * is refused. Pointers into the map are valid until the next load. Not thread-safe.
 */
#ifndef LIB_KAFKA_CLUSTER_MAP_H
#define LIB_KAFKA_CLUSTER_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gen/messages.h"
#include "lib/base/err.h"
#include "lib/base/map.h"

struct cluster_broker {
    int32_t id;
    uint16_t port;
    char *host;
    char *rack; /* NULL: none */
};

struct cluster_partition {
    int32_t leader; /* -1: none */
    int32_t leader_epoch;
    int16_t error;
    int16_t replicas;
    int16_t in_sync_replicas;
};

struct cluster_topic {
    char *name;
    struct wire_uuid id; /* zero where the broker is too old to know it */
    bool is_internal;
    int16_t error; /* NONE, or why there are no partitions */
    int32_t partition_count;
    struct cluster_partition *partitions;
};

struct cluster_map {
    struct map brokers; /* id to struct cluster_broker */
    struct map topics;  /* name to struct cluster_topic */
    char *cluster_id;   /* NULL while unknown */
    int32_t controller; /* -1: unknown */
};

void cluster_map_init(struct cluster_map *map);
void cluster_map_fini(struct cluster_map *map);

/* cluster_map_load takes over an answer; is_full: to a question about all topics. RC_PROTOCOL for
 * an answer that cannot be, RC_CONFLICT for one of another cluster; the map is unchanged then. */
MUST_CHECK enum rc cluster_map_load(struct cluster_map *map,
    const struct km_metadata_response *response, bool is_full, struct err *e);

/* cluster_map_broker and cluster_map_topic return NULL for what is not known. */
const struct cluster_broker *cluster_map_broker(const struct cluster_map *map, int32_t id);
const struct cluster_topic *cluster_map_topic(const struct cluster_map *map, const char *name);

/* cluster_map_leader sets *broker to the leader of a partition of a topic (NULL: an unknown one)
 * and returns NONE, or -1 and the error code that stands in its place: UNKNOWN_TOPIC_OR_PARTITION
 * also where nothing is known. `listed` is a broker that this map is known to list (-1: none),
 * which saves looking it up again for the next of many partitions. */
int16_t cluster_map_leader(const struct cluster_map *map, const struct cluster_topic *topic,
    int32_t partition, int32_t listed, int32_t *broker);

/* cluster_map_next_broker and cluster_map_next_topic walk in order of appearance: start with
 * *position = 0; NULL at the end. */
const struct cluster_broker *cluster_map_next_broker(
    const struct cluster_map *map, size_t *position);
const struct cluster_topic *cluster_map_next_topic(const struct cluster_map *map, size_t *position);

#endif
