/* The range assignor: each topic is cut into one range per member that reads it. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/assignor.h"

/* What is left of a topic. */
struct rest {
    int32_t readers;
    int32_t quota;
    int32_t extra; /* members that get one more */
    int32_t next;  /* partition */
};

/* Static members come first, by instance; then the others, by member id. */
static int
compare_members(const void *a_, const void *b_)
{
    const struct assignor_member *a = *(struct assignor_member *const *)a_;
    const struct assignor_member *b = *(struct assignor_member *const *)b_;

    if (a->instance_id != NULL && b->instance_id != NULL)
        return strcmp(a->instance_id, b->instance_id);
    if (a->instance_id != NULL || b->instance_id != NULL)
        return a->instance_id != NULL ? -1 : 1;
    return strcmp(a->member_id, b->member_id);
}

static struct rest *
rests_make(const struct assignor_group *group)
{
    struct rest *rests = xcalloc((size_t)group->topic_count + 1, sizeof *rests);

    for (int32_t i = 0; i < group->member_count; i++)
        for (int32_t k = 0; k < group->members[i].topic_count; k++)
            rests[group->members[i].topics[k]].readers++;
    for (int32_t i = 0; i < group->topic_count; i++)
        if (rests[i].readers > 0) {
            rests[i].quota = group->topics[i].partition_count / rests[i].readers;
            rests[i].extra = group->topics[i].partition_count % rests[i].readers;
        }
    return rests;
}

static void
range_give(const struct assignor_group *group, struct assignor_member *member, int32_t topic,
    struct rest *rest)
{
    int32_t end = rest->next + rest->quota + (rest->extra > 0 ? 1 : 0);

    if (rest->extra > 0)
        rest->extra--;
    if (end > group->topics[topic].partition_count)
        end = group->topics[topic].partition_count;
    for (; rest->next < end; rest->next++)
        assignor_give(group, member, topic, rest->next);
}

void
assignor_range(struct assignor_group *group)
{
    struct assignor_member **order = xcalloc((size_t)group->member_count + 1, sizeof *order);
    struct rest *rests = rests_make(group);

    for (int32_t i = 0; i < group->member_count; i++)
        order[i] = &group->members[i];
    qsort(order, (size_t)group->member_count, sizeof(struct assignor_member *), compare_members);
    for (int32_t i = 0; i < group->member_count; i++)
        for (int32_t k = 0; k < order[i]->topic_count; k++)
            range_give(group, order[i], order[i]->topics[k], &rests[order[i]->topics[k]]);
    free(order);
    free(rests);
}
