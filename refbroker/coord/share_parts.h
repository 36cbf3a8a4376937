/*
 * share_parts: partitions of a member of a share group, by topic, in the order in which Kafka's
 * coordinator has them.
 *
 * Kafka keeps them in hash tables, whose order shows: in records, in answers, and in what its
 * assignor gives to whom. So the order is kept here, too, and a topic of which nothing is left,
 * which Kafka goes on to name. What a record says comes into new tables when it is read back, which
 * Kafka does with every record that it has written (share_parts_replay).
 *
 * Owns its arrays; the zero value is empty.
 */
#ifndef REFBROKER_COORD_SHARE_PARTS_H
#define REFBROKER_COORD_SHARE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wire/desc.h"

struct share_parts_topic {
    struct wire_uuid topic_id;
    int32_t *partitions;
    int32_t partition_count; /* may be 0 */
    int32_t capacity;
};

struct share_parts {
    struct share_parts_topic *topics;
    size_t count;
    size_t capacity;
};

void share_parts_fini(struct share_parts *parts);

/* share_parts_topic_add appends a topic, which must not be there yet, without partitions, and
 * returns its place; share_parts_add appends a partition to one. */
size_t share_parts_topic_add(struct share_parts *parts, const struct wire_uuid *topic_id);
void share_parts_add(struct share_parts *parts, size_t place, int32_t partition);

/* share_parts_copy makes `to` equal to `from`; share_parts_move empties `from` too. */
void share_parts_copy(struct share_parts *to, const struct share_parts *from);
void share_parts_move(struct share_parts *to, struct share_parts *from);

/* share_parts_total counts the partitions. */
size_t share_parts_total(const struct share_parts *parts);

/* share_parts_same tells whether both name the same topics with the same partitions, in whatever
 * order. */
bool share_parts_same(const struct share_parts *a, const struct share_parts *b);

/* share_parts_order brings the topics in the order of a table with so many buckets,
 * share_parts_topic_order the partitions of one; what shares a bucket stays in its order. */
void share_parts_order(struct share_parts *parts, size_t buckets);
void share_parts_topic_order(struct share_parts_topic *topic, size_t buckets);

/* share_parts_replay orders all as what is read from a record. */
void share_parts_replay(struct share_parts *parts);

#endif
