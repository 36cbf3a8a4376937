/*
 * topic_parts: a set of partitions, by topic id, each with the epoch at which its owner got it.
 *
 * Sorted by topic id and partition, so that sets are compared, cut and joined by walking them side
 * by side. Owns its items; the zero value is the empty set.
 */
#ifndef REFBROKER_COORD_TOPIC_PARTS_H
#define REFBROKER_COORD_TOPIC_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wire/desc.h"

struct topic_part {
    struct wire_uuid topic_id;
    int32_t partition;
    int32_t epoch;
};

struct topic_parts {
    struct topic_part *items;
    size_t count;
    size_t capacity;
};

void topic_parts_fini(struct topic_parts *parts);

/* topic_parts_add appends; after the last one topic_parts_sort brings them in order and drops what
 * is there twice. What is added in order needs no sorting. */
void topic_parts_add(struct topic_parts *parts, const struct topic_part *part);
void topic_parts_sort(struct topic_parts *parts);

/* topic_parts_copy makes `to` equal to `from`; topic_parts_move empties `from` too. */
void topic_parts_copy(struct topic_parts *to, const struct topic_parts *from);
void topic_parts_move(struct topic_parts *to, struct topic_parts *from);

/* topic_parts_compare orders two by topic id and partition. */
int topic_parts_compare(const struct topic_part *a, const struct topic_part *b);

/* topic_parts_find returns the item or NULL. */
const struct topic_part *topic_parts_find(
    const struct topic_parts *parts, const struct wire_uuid *topic_id, int32_t partition);

/* topic_parts_equal compares partitions and epochs, topic_parts_same the partitions alone. */
bool topic_parts_equal(const struct topic_parts *a, const struct topic_parts *b);
bool topic_parts_same(const struct topic_parts *a, const struct topic_parts *b);

/* topic_parts_contains tells whether all of `some` are in `all`; topic_parts_touches whether any.
 */
bool topic_parts_contains(const struct topic_parts *all, const struct topic_parts *some);
bool topic_parts_touches(const struct topic_parts *all, const struct topic_parts *some);

/* topic_parts_run returns how many items from `from` on are of one topic; topic_parts_topics counts
 * the topics. */
size_t topic_parts_run(const struct topic_parts *parts, size_t from);
size_t topic_parts_topics(const struct topic_parts *parts);

#endif
