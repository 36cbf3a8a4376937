/*
 * java_hash: hashCode of Java's classes, and where java.util.HashMap puts what has one: by these
 * Kafka's coordinators choose partitions and order their tables.
 *
 * A table goes through its buckets in their order, and through a bucket in the order in which the
 * entries came by put; what comes by computeIfAbsent goes in front of its bucket, into a table that
 * has grown before, not behind. (A bucket of eight becomes a tree in a large table, which may put
 * one of them first; that is left out here.)
 */
#ifndef REFBROKER_COORD_JAVA_HASH_H
#define REFBROKER_COORD_JAVA_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "lib/wire/desc.h"

/* java_hash_text is the hash of a text (UTF-8), over its UTF-16 units. What is no UTF-8 counts as
 * U+FFFD. */
int32_t java_hash_text(const char *text);

/* java_hash_uuid is the hash of Kafka's Uuid. */
int32_t java_hash_uuid(const struct wire_uuid *uuid);

/* java_hash_capacity is how many buckets a table has that began with `capacity` of them and has had
 * `count` entries at most: it doubles where they are more than three quarters.
 * JAVA_HASH_CAPACITY is what it begins with where nothing else is said. */
#define JAVA_HASH_CAPACITY 16
size_t java_hash_capacity(size_t capacity, size_t count);

/* java_hash_reserved is the capacity of a table that was asked for `size`: the next power of two.
 */
size_t java_hash_reserved(size_t size);

/* java_hash_copied is that of a HashSet made from a collection of `count`. */
size_t java_hash_copied(size_t count);

/* java_hash_bucket is the bucket of a hash. */
uint32_t java_hash_bucket(int32_t hash, size_t capacity);

/* An entry of a table: its bucket, and its number among those that came; `at` is the caller's.
 * java_hash_order brings entries in the order in which the table is gone through; java_hash_sort
 * does so for entries that have a hash only, and stand in the order in which they came. */
struct java_hash_entry {
    int32_t hash;
    uint32_t bucket;
    size_t came;
    size_t at;
};

void java_hash_order(struct java_hash_entry *entries, size_t count);
void java_hash_sort(struct java_hash_entry *entries, size_t count, size_t capacity);

#endif
