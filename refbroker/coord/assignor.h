/*
 * assignor: which member of a group of the consumer protocol gets which partitions (KIP-848).
 *
 * The rules are those of RangeAssignor and UniformAssignor of Kafka 4.3; neither looks at racks.
 * Both are deterministic: the same group gives the same assignment. Members are taken in the order
 * in which they come, which is Kafka's (member_order.h).
 *
 *     range     per topic, members in the order of their ids (static ones first) get one contiguous
 *               range each
 *     uniform   as even as possible over all topics, and as little moved as possible
 */
#ifndef REFBROKER_COORD_ASSIGNOR_H
#define REFBROKER_COORD_ASSIGNOR_H

#include "refbroker/coord/topic_parts.h"

struct assignor_topic {
    struct wire_uuid topic_id;
    int32_t partition_count;
};

struct assignor_member {
    const char *member_id;
    const char *instance_id; /* NULL: dynamic */
    const int32_t *topics;   /* what it reads: places in the group's topics, ascending */
    int32_t topic_count;
    const struct topic_parts *owned; /* its target until now */
    struct topic_parts target;       /* the result, in order; the caller's to end */
};

struct assignor_group {
    const struct assignor_topic *topics; /* in the order of their ids */
    int32_t topic_count;
    struct assignor_member *members;
    int32_t member_count;
    bool homogeneous; /* all members read the same topics */
};

typedef void assignor_fn(struct assignor_group *group);

assignor_fn assignor_range;
assignor_fn assignor_uniform;

/* assignor_balance is assignor_uniform where members read different topics. */
assignor_fn assignor_balance;

/* assignor_find returns an assignor by name, or NULL; assignor_default_name is the one that a group
 * uses whose members want none. ASSIGNOR_NAMES are all of them. */
#define ASSIGNOR_NAMES "uniform, range"
assignor_fn *assignor_find(const char *name);
const char *assignor_default_name(void);

/* assignor_topic_find returns the place of a topic in the group, -1 where nobody reads it. */
int32_t assignor_topic_find(const struct assignor_group *group, const struct wire_uuid *topic_id);

/* assignor_reads tells whether a member reads the topic at a place. */
bool assignor_reads(const struct assignor_member *member, int32_t topic);

/* assignor_give adds a partition to the member's target. */
void assignor_give(const struct assignor_group *group, struct assignor_member *member,
    int32_t topic, int32_t partition);

#endif
