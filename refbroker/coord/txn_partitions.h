/*
 * txn_partitions: a set of partitions by topic name and index: what a transaction writes to.
 *
 * Kept topic by topic, as the records of __transaction_state and the answers that tell of
 * transactions are. Topics stand in the order in which they came, their indexes ascend.
 *
 * A set owns its texts. The caller bounds its size. Not thread-safe.
 */
#ifndef REFBROKER_COORD_TXN_PARTITIONS_H
#define REFBROKER_COORD_TXN_PARTITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/map.h"

struct txn_topic {
    char *name;
    int32_t *indexes;
    int32_t count;
    int32_t capacity;
};

struct txn_partitions {
    struct map topics; /* struct txn_topic by name */
    size_t count;      /* partitions of all topics */
};

/* txn_partitions_init makes an empty set, as zeroed memory is one too. */
void txn_partitions_init(struct txn_partitions *set);

/* txn_partitions_clear empties a set and frees what it holds. */
void txn_partitions_clear(struct txn_partitions *set);

/* txn_partitions_add puts a partition in, txn_partitions_add_all those of another set. */
void txn_partitions_add(struct txn_partitions *set, const char *name, size_t size, int32_t index);
void txn_partitions_add_all(struct txn_partitions *set, const struct txn_partitions *other);

/* txn_partitions_has tells whether a partition is in, txn_partitions_has_all whether all of another
 * set are. */
bool txn_partitions_has(
    const struct txn_partitions *set, const char *name, size_t size, int32_t index);
bool txn_partitions_has_all(const struct txn_partitions *set, const struct txn_partitions *other);

/* txn_partitions_next walks the topics: start with *position = 0; NULL at the end. */
const struct txn_topic *txn_partitions_next(const struct txn_partitions *set, size_t *position);

#endif
