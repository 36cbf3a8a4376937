/*
 * share_result: a member's target while the assignor of share groups makes it: the topics that it
 * has had, in their order, then new ones; in the end in the order of the tables that Kafka makes
 * (share_parts.h). The inner side of share_assignor.h.
 */
#ifndef REFBROKER_COORD_SHARE_RESULT_H
#define REFBROKER_COORD_SHARE_RESULT_H

#include "refbroker/coord/share_assignor.h"

struct share_result {
    struct share_parts parts;
    size_t had_count;  /* topics at the beginning of parts that the member has had */
    size_t buckets;    /* of Kafka's table of them; new ones come by computeIfAbsent */
    size_t *places;    /* by the group's topic: its place in parts plus 1 */
    bool is_made_anew; /* Kafka makes a new table, be it an equal one */
};

/* share_result_init begins with the topics of the group's that the member has had, without
 * partitions. What nobody reads any more goes with a homogeneous group; otherwise it is not looked
 * at and stays, since members are not told of it. */
void share_result_init(
    struct share_result *result, const struct share_assignor_group *group, int32_t member);

/* share_result_keep adds a partition that the member has had; all of a topic's come before new ones.
 * share_result_give adds one that it gets, or that it gets once more (SHARE_RESULT_AGAIN), which
 * Kafka's table sees, too. */
#define SHARE_RESULT_AGAIN (-1)
void share_result_keep(struct share_result *result, int32_t topic, int32_t partition);
void share_result_give(struct share_result *result, const struct share_assignor_group *group,
    int32_t topic, int32_t partition);

/* share_result_end makes the target of it. */
void share_result_end(struct share_result *result, struct share_assignor_member *member);

#endif
