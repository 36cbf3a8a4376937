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

#include "lib/base/map.h"

/* One member: its id (UTF-8), and whether it comes with the request that asks for the assignment,
 * so that the group does not have it yet; `at` is its place, and `member` what stands there. */
struct member_order {
    const char *member_id;
    bool is_new;
    size_t at;
    void *member;
    uint32_t bucket, slot; /* ours */
};

/* member_order_sort sorts members, who stand in the order in which they came. */
void member_order_sort(struct member_order *members, size_t count);

/* member_order_of returns the members of a group's table (by id) so sorted, map_count of them;
 * is_new tells which have just come. The caller frees the array, in which there are no ids. */
typedef bool member_order_new_fn(const void *arg, const void *member);
struct member_order *member_order_of(
    const struct map *members, member_order_new_fn *is_new, const void *arg);

#endif
