/*
 * streams_topics: a topology against the topics that exist: how many tasks it has, which internal
 * topics have to be made, or what is wrong (KIP-1071).
 *
 * Partitions of repartition topics follow from what is written into them, those of a changelog from
 * what its subtopology reads; topics of a copartition group have equally many. Rules, words and
 * order are those of InternalTopicManager, RepartitionTopics, CopartitionedTopicsEnforcer and
 * ChangelogTopics of Kafka 4.3.1, to the order of their hash tables (java_hash.h), by which it is
 * decided which of several faults is told.
 *
 * Pure: topics are seen through a view. A struct streams_topics points into the topology that it
 * was made of, which must live as long. Limit: LIMIT_STREAMS_TASKS_MAX tasks.
 */
#ifndef REFBROKER_COORD_STREAMS_TOPICS_H
#define REFBROKER_COORD_STREAMS_TOPICS_H

#include "refbroker/coord/streams_task.h"
#include "refbroker/coord/streams_topology.h"

/* StreamsGroupHeartbeatResponse.Status. */
enum streams_status {
    STREAMS_STATUS_NONE = -1,
    STREAMS_STATUS_STALE_TOPOLOGY = 0,
    STREAMS_STATUS_MISSING_SOURCE_TOPICS = 1,
    STREAMS_STATUS_INCORRECTLY_PARTITIONED_TOPICS = 2,
    STREAMS_STATUS_MISSING_INTERNAL_TOPICS = 3,
    STREAMS_STATUS_SHUTDOWN_APPLICATION = 4,
    STREAMS_STATUS_ASSIGNMENT_DELAYED = 5,
};

/* The topics that exist: count returns a topic's partitions, or 0 where there is none. */
typedef int32_t streams_topics_count_fn(const void *arg, const char *name);
struct streams_topics_view {
    streams_topics_count_fn *count;
    const void *arg;
};

struct streams_subtopology {
    const struct km_streams_group_topology_value_subtopology *from;
    int32_t task_count;
    bool is_stateful; /* it has changelogs */
};

/* An internal topic that has to be made: name, replication factor (0: the broker's default, which
 * CreateTopics says as -1) and configs stand in `info`, its partitions here. */
struct streams_internal_topic {
    const struct km_streams_group_topology_value_topic_info *info;
    int32_t partitions;
};

struct streams_topics {
    const struct streams_topology *topology;

    /* Ready is what has STREAMS_STATUS_NONE. Otherwise the status that heartbeats tell, and its
     * text. */
    enum streams_status status;
    char *detail;

    /* False where source topics are missing or partitions do not fit: then there are no
     * subtopologies. Otherwise they stand in the order of topology->by_id. */
    bool is_decided;
    struct streams_subtopology *subtopologies;
    int32_t subtopology_count;

    /* With STREAMS_STATUS_MISSING_INTERNAL_TOPICS: what has to be made, in the order of Kafka's
     * table, which is that of the names in `detail`. */
    struct streams_internal_topic *missing;
    size_t missing_count;

    struct map partitions; /* name of an internal topic -> its decided number */
};

/* streams_topics_init prepares an empty one, which streams_topics_fini leaves too. */
void streams_topics_init(struct streams_topics *topics);
void streams_topics_fini(struct streams_topics *topics);

/*
 * streams_topics_configure fills an empty struct (configureTopics). Returns 0, whatever the status,
 * or, with the struct still empty, the error code with which Kafka's heartbeat fails:
 * STREAMS_INVALID_TOPOLOGY with its text in e, or UNKNOWN_SERVER_ERROR without one.
 */
int16_t streams_topics_configure(struct streams_topics *topics,
    const struct streams_topology *topology, const struct streams_topics_view *view, struct err *e);

/* streams_topics_is_ready tells whether tasks can be assigned. */
bool streams_topics_is_ready(const struct streams_topics *topics);

/* streams_topics_partitions is the number of partitions of a repartition topic or changelog of a
 * decided topology. */
int32_t streams_topics_partitions(const struct streams_topics *topics,
    const struct km_streams_group_topology_value_topic_info *info);

/* streams_topics_check_tasks refuses tasks that a decided topology does not have
 * (throwIfRequestContainsInvalidTasks): 0, or INVALID_REQUEST with Kafka's text in e. */
int16_t streams_topics_check_tasks(const struct streams_topics *topics,
    const struct km_streams_group_heartbeat_request_task_ids_array *tasks, struct err *e);

/*
 * streams_topics_endpoint lists which partitions of which topics tasks read
 * (EndpointToPartitionsManager); `out` points into arena and topology. Where a topic has fewer
 * partitions than there are tasks of its subtopology, it is the first of them, as many as it has,
 * as in Kafka. Topologies that are not decided, tasks of no subtopology and topics that are gone
 * make Kafka's heartbeat fail: UNKNOWN_SERVER_ERROR; otherwise 0. A full arena is the caller's to
 * see.
 */
int16_t streams_topics_endpoint(const struct streams_topics *topics,
    const struct streams_tasks *tasks, const struct streams_topics_view *view, struct arena *arena,
    struct km_streams_group_heartbeat_response_topic_partition_array *out);

/* streams_topics_describe writes a topology as StreamsGroupDescribe shows it: from a ready
 * `topics`, or otherwise (also NULL) as the client gave it. `out` points into arena and topology;
 * false where the arena is full. */
MUST_CHECK bool streams_topics_describe(const struct streams_topics *topics,
    const struct streams_topology *topology, struct arena *arena,
    struct km_streams_group_describe_response_topology *out);

#endif
