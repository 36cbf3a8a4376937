/*
 * member_order: the order in which Apache Kafka's coordinator hands the members of a consumer group
 * to an assignor.
 *
 * Where several members could get a partition equally well it goes to the first in this order,
 * which comes from two hash tables of Java: the group's own (TimelineHashMap), whose members are
 * put into another (HashMap, TargetAssignmentBuilder.build), both by String.hashCode. Whoever
 * compares refbroker with Kafka sees the same assignments.
 *
 * Where we differ: Kafka's first table does not shrink, so that a group that was much larger once
 * may order members of one bucket otherwise; and a bucket of eight members becomes a tree there.
 */
#ifndef REFBROKER_COORD_MEMBER_ORDER_H
#define REFBROKER_COORD_MEMBER_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One member: its id (UTF-8), and whether it comes with the request that asks for the assignment,
 * so that the group does not have it yet; `at` is the caller's. */
struct member_order {
    const char *member_id;
    bool is_new;
    size_t at;
    uint32_t bucket, slot; /* ours */
};

/* member_order_sort sorts members, who stand in the order in which they came. */
void member_order_sort(struct member_order *members, size_t count);

#endif
