/*
 * share_assignor: which member of a share group gets which partitions: Kafka's only assignor for
 * them, "simple" (KIP-932).
 *
 * Members may share a partition. Where there are more members than partitions every partition gets
 * the same number of them, rounded up; where there are fewer every member gets as many partitions,
 * and as few as possible are moved. Members that read different topics are treated topic by topic.
 *
 * Rules: SimpleAssignor, SimpleHomogeneousAssignmentBuilder and
 * SimpleHeterogeneousAssignmentBuilder of Kafka 4.3, to the order of their tables (java_hash.h), so
 * that the same group gets the same assignment, and gets it in the same order. Deterministic;
 * pure.
 */
#ifndef REFBROKER_COORD_SHARE_ASSIGNOR_H
#define REFBROKER_COORD_SHARE_ASSIGNOR_H

#include "refbroker/coord/share_parts.h"

#define SHARE_ASSIGNOR_NAME "simple"

struct share_assignor_topic {
    struct wire_uuid topic_id;
    const char *name;
    const int32_t *partitions; /* that can be given, ascending */
    int32_t partition_count;
};

struct share_assignor_member {
    const int32_t *topics; /* what it reads: places in the group's topics, ascending */
    int32_t topic_count;
    size_t name_count; /* of topics that it names, those included that are not there */
    const struct share_parts *owned; /* its target until now, as replayed */
    struct share_parts target;       /* the result, as it is recorded; the caller's to end */
};

struct share_assignor_group {
    const struct share_assignor_topic *topics; /* that anybody reads, in the order of their ids */
    int32_t topic_count;
    struct share_assignor_member *members; /* in the order of member_order.h */
    int32_t member_count;
    bool homogeneous; /* all members read the same topics */
};

/* share_assignor_simple fills in the members' targets. */
void share_assignor_simple(struct share_assignor_group *group);

/* share_assignor_topic_find returns the place of a topic in the group, or SHARE_ASSIGNOR_NOWHERE.
 */
#define SHARE_ASSIGNOR_NOWHERE (-1)
int32_t share_assignor_topic_find(
    const struct share_assignor_group *group, const struct wire_uuid *topic_id);

#endif
