/*
 * streams_assignor: which member of a streams group gets which tasks: Kafka's only assignor for
 * them, "sticky" (KIP-1071).
 *
 * A task stays with the member that had it, or goes to one that had it as a standby, unless that
 * one has its share; what is left goes to the process that has least for its members, and there to
 * the member that has least. Standbys of stateful tasks (num.standby.replicas) go to processes that
 * have the task not yet. Neither racks nor client tags are looked at, and there are no warmup
 * tasks.
 *
 * Rules: StickyTaskAssignor and ProcessState of Kafka 4.3.1, to the order of their hash tables
 * (java_hash.h) and queues (java_queue.h), so that the same group gets the same assignment, task
 * for task. Deterministic; pure. Costs O(tasks log members). Where we differ: ids are ordered by
 * bytes, in Kafka by UTF-16 units.
 */
#ifndef REFBROKER_COORD_STREAMS_ASSIGNOR_H
#define REFBROKER_COORD_STREAMS_ASSIGNOR_H

#include "refbroker/coord/streams_task.h"

#define STREAMS_ASSIGNOR_NAME "sticky"

struct streams_assignor_subtopology {
    const char *subtopology_id;
    int32_t task_count;
    bool is_stateful;
};

struct streams_assignor_member {
    const char *member_id;
    const char *process_id;                 /* not NULL */
    const struct streams_assignment *owned; /* its target until now */
    struct streams_assignment target;       /* the result, without epochs; the caller's to end */
};

struct streams_assignor_group {
    const struct streams_assignor_subtopology *subtopologies; /* in the order of their ids */
    int32_t subtopology_count;
    struct streams_assignor_member *members; /* in the order of member_order.h */
    int32_t member_count;
    int32_t standby_replicas; /* num.standby.replicas */
};

/* streams_assignor_sticky fills in the members' targets, which must be empty; a group without
 * members gets none. The tasks of all subtopologies are at most LIMIT_STREAMS_TASKS_MAX. */
void streams_assignor_sticky(struct streams_assignor_group *group);

#endif
