/*
 * streams_plan: how many partitions the internal topics of a topology are to have, given the topics
 * that exist.
 *
 * All names of a topology get a place each. Those of its subtopologies that are written into
 * (repartition topics) are decided from what is read where that is written, as long as anything
 * follows; then copartition groups are enforced, and last come the changelogs. Rules: see
 * streams_topics.h, which alone uses this.
 *
 * Costs O(names) per round of deciding, of which there are no more than subtopologies, and
 * O(n log n) in the sizes of copartition groups.
 */
#ifndef REFBROKER_COORD_STREAMS_PLAN_H
#define REFBROKER_COORD_STREAMS_PLAN_H

#include "refbroker/coord/streams_topics.h"

struct streams_place {
    const char *name;
    int32_t hash;
    int32_t existing; /* partitions of the topic; 0: there is none */
    int32_t decided;
    int32_t changelog; /* partitions of the changelog of this name; 0: there is none */
    bool is_decided;
    bool is_source;   /* some subtopology reads it as a topic that is there */
    bool is_fixed;    /* some subtopology reads it with a number of partitions */
    bool is_flexible; /* some subtopology reads it without */
    uint32_t group;   /* the copartition group that saw it last */
};

/* A subtopology's names as places, each list as long as that of `from`. */
struct streams_plan_part {
    const struct km_streams_group_topology_value_subtopology *from;
    int32_t *sources;
    int32_t *repartitions;
    int32_t *sinks;
    int32_t *changelogs;
};

struct streams_plan {
    struct streams_place *places;
    size_t place_count;
    struct streams_plan_part *parts; /* in the order of the topology's by_table */
    int32_t part_count;
    struct map by_name; /* place plus 1 */
    int32_t *numbers;   /* of the parts */
    uint32_t groups;    /* that were seen */
};

/* What is wrong with topics: a status with its text, which the caller frees. */
struct streams_fault {
    enum streams_status status;
    char *detail;
};

void streams_plan_init(struct streams_plan *plan, const struct streams_topology *topology,
    const struct streams_topics_view *view);
void streams_plan_fini(struct streams_plan *plan);

/* streams_plan_decide decides all. Returns 0, with the fault set where topics do not fit, or an
 * error code with its text in e. Source topics must exist, and the places in copartition groups be
 * in range. */
int16_t streams_plan_decide(struct streams_plan *plan, struct streams_fault *fault, struct err *e);

/* streams_plan_place finds a name of the topology. */
struct streams_place *streams_plan_place(const struct streams_plan *plan, struct wire_string name);

/* streams_plan_reads is the largest of what a part reads; false where it reads nothing. */
bool streams_plan_reads(
    const struct streams_plan *plan, const struct streams_plan_part *part, int32_t *count);

/* streams_plan_sort brings places, who stand in the order in which they came, in the order of a
 * table of Java's that grew with them. */
void streams_plan_sort(const struct streams_plan *plan, int32_t *places, size_t count);

#endif
