/*
 * topics_hash: Kafka's hash of the topics that a group reads, by which coordinators see that one of
 * them came, grew or went (Utils.computeGroupHash of Kafka 4.3). There are no racks.
 */
#ifndef REFBROKER_COORD_TOPICS_HASH_H
#define REFBROKER_COORD_TOPICS_HASH_H

#include "refbroker/meta/topics.h"

/* topics_hash_of takes the keys of a map as names; those without a topic do not count. 0: none
 * has. */
uint64_t topics_hash_of(const struct topics *topics, const struct map *names);

#endif
