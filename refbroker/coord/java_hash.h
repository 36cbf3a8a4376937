/*
 * java_hash: String.hashCode of Java, by which Kafka's coordinators choose partitions and order
 * their tables.
 */
#ifndef REFBROKER_COORD_JAVA_HASH_H
#define REFBROKER_COORD_JAVA_HASH_H

#include <stdint.h>

/* java_hash_text is the hash of a text (UTF-8), over its UTF-16 units. What is no UTF-8 counts as
 * U+FFFD. */
int32_t java_hash_text(const char *text);

#endif
