/*
 * cluster_coord: which broker coordinates a group, a transactional id or a share partition.
 *
 * Found coordinators are kept until somebody says that they are wrong. Keys are looked up many at a
 * time where the broker can (KIP-699). Looking up may make Kafka create its internal topics, so
 * read-only callers look up only what a List has named.
 */
#ifndef LIB_KAFKA_CLUSTER_COORD_H
#define LIB_KAFKA_CLUSTER_COORD_H

#include "lib/kafka/cluster_core.h"

/* As in FindCoordinator's key_type. */
enum cluster_coord_type {
    CLUSTER_COORD_GROUP,
    CLUSTER_COORD_TRANSACTION,
    CLUSTER_COORD_SHARE,
};

/* cluster_coord_get sets *broker and returns NONE where the coordinator is known; otherwise -1 in
 * *broker, and the code that the last look-up got (NONE: none was made). */
int16_t cluster_coord_get(
    const struct cluster *cluster, enum cluster_coord_type type, const char *key, int32_t *broker);

/* cluster_coord_forget drops what is known of a key; cluster_coord_clear all. */
void cluster_coord_forget(struct cluster *cluster, enum cluster_coord_type type, const char *key);
void cluster_coord_clear(struct cluster *cluster);

struct cluster_coord_find;

struct cluster_coord_key {
    enum cluster_coord_type type;
    const char *key; /* must stay until the end of the look-up */
};

/* cluster_coord_find_start looks up keys and calls fn once from the loop: RC_OK when each key has
 * its result in cluster_coord_get, or why nobody answered. */
struct cluster_coord_find *cluster_coord_find_start(struct cluster *cluster,
    const struct cluster_coord_key *keys, size_t count, int64_t deadline_us,
    void (*fn)(void *arg, const struct err *e), void *arg);

/* cluster_coord_find_cancel makes sure that fn is not called; NULL is accepted. */
void cluster_coord_find_cancel(struct cluster_coord_find *find);

#endif
