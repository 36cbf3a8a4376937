/*
 * kc_streams: members of streams groups (KIP-1071), the topologies that they run, and what tasks
 * they are given.
 *
 * Subtopologies are called "0", "1" …, by their place in the topology. Errors of the protocol are
 * returned as they are, unless a function's name says what it asserts.
 */
#ifndef CONFORMANCE_KC_STREAMS_H
#define CONFORMANCE_KC_STREAMS_H

#include "conformance/kc_group.h"

#define KC_STREAMS_SUBTOPOLOGIES_MAX 2
#define KC_STREAMS_TOPICS_MAX 4 /* in each list of a subtopology */
#define KC_STREAMS_PARTITIONS_MAX 8
#define KC_STREAMS_REBALANCE_MS 60000

/* What checks of streams groups need. */
#define KC_STREAMS_NEEDS                                                                           \
    CHECK_NEED(STREAMS_GROUP_HEARTBEAT, 0), CHECK_NEED(STREAMS_GROUP_DESCRIBE, 0)

enum { KC_STREAMS_JOIN = 0, KC_STREAMS_LEAVE = -1 }; /* epochs that are special */

enum kc_streams_code {
    KC_STREAMS_STALE_TOPOLOGY = 0,
    KC_STREAMS_MISSING_SOURCE_TOPICS = 1,
    KC_STREAMS_INCORRECTLY_PARTITIONED_TOPICS = 2,
    KC_STREAMS_MISSING_INTERNAL_TOPICS = 3,
    KC_STREAMS_SHUTDOWN_APPLICATION = 4,
    KC_STREAMS_ASSIGNMENT_DELAYED = 5
};

typedef struct km_streams_group_heartbeat_request_topology kc_topology;
typedef struct km_streams_group_heartbeat_request_topic_info kc_internal;

/* kc_topology_new makes subtopologies that name no topic yet; each function behind it adds one to
 * one of them. Partitions of 0 leave the number to the broker. */
kc_topology *kc_topology_new(struct kc *kc, int32_t subtopologies);
void kc_topology_read(kc_topology *topology, int32_t at, const char *name);
void kc_topology_sink(kc_topology *topology, int32_t at, const char *name);
kc_internal *kc_topology_repartition(
    kc_topology *topology, int32_t at, const char *name, int32_t partitions);
kc_internal *kc_topology_changelog(kc_topology *topology, int32_t at, const char *name);

/* kc_topology_config gives an internal topic a config; kc_topology_copartition says that all
 * sources of a subtopology have equally many partitions. */
void kc_topology_config(struct kc *kc, kc_internal *internal, const char *name, const char *value);
void kc_topology_copartition(struct kc *kc, kc_topology *topology, int32_t at);

/* kc_topology_of is one subtopology that reads one topic. */
kc_topology *kc_topology_of(struct kc *kc, const struct kc_topic *topic);

/* A set of tasks. */
struct kc_tasks {
    bool has[KC_STREAMS_SUBTOPOLOGIES_MAX][KC_STREAMS_PARTITIONS_MAX];
};

int32_t kc_tasks_count(const struct kc_tasks *tasks);
bool kc_tasks_same(const struct kc_tasks *one, const struct kc_tasks *other);

/* kc_tasks_disjoint asserts that no task is in both. */
void kc_tasks_disjoint(struct kc *kc, const struct kc_tasks *one, const struct kc_tasks *other);

struct kc_streamer {
    const struct kc_group *group;
    kc_topology *topology;
    const char *id;
    const char *process; /* each has one of its own */
    int32_t epoch;
    struct kc_tasks active; /* told with the next heartbeat, as what it has */
    struct kc_tasks standby;
    const char *endpoint; /* host; NULL: none */
};

typedef struct km_streams_group_heartbeat_request kc_streams_request;
typedef struct km_streams_group_heartbeat_response kc_streams_response;

/* kc_streams_group makes a group whose members wait neither for others nor for the next assignment.
 * Preparation. */
struct kc_group *kc_streams_group(struct kc *kc);

/* kc_streamer_new makes a member that has not joined. */
struct kc_streamer kc_streamer_new(
    struct kc *kc, const struct kc_group *group, kc_topology *topology);

/* kc_streams_body makes the heartbeat that a member sends next, to be changed, and kc_streams_send
 * sends it. kc_streams_code does both, and returns the error; so does kc_streams_leave. */
kc_streams_request *kc_streams_body(struct kc *kc, const struct kc_streamer *streamer);
const kc_streams_response *kc_streams_send(
    struct kc *kc, const struct kc_streamer *streamer, const kc_streams_request *body);
int16_t kc_streams_code(struct kc *kc, const struct kc_streamer *streamer);
int16_t kc_streams_leave(struct kc *kc, const struct kc_streamer *streamer);

/* kc_streams_beat is a heartbeat that must be taken, and takes what it gives; kc_streams_await
 * repeats it until the member has so many active tasks, and has said so. */
const kc_streams_response *kc_streams_beat(struct kc *kc, struct kc_streamer *streamer);
void kc_streams_await(struct kc *kc, struct kc_streamer *streamer, int32_t count);

/* kc_streamer_alone makes a group with one member, which has joined and has all tasks of a topic.
 */
struct kc_streamer kc_streamer_alone(struct kc *kc, const struct kc_topic *topic);

/* kc_streams_take reads the tasks of an answer, where it has some. */
void kc_streams_take(
    struct kc *kc, struct kc_streamer *streamer, const kc_streams_response *response);

/* kc_streams_has tells whether an answer has a status; kc_streams_has_status asserts that. */
bool kc_streams_has(const kc_streams_response *response, enum kc_streams_code code);
void kc_streams_has_status(
    struct kc *kc, const kc_streams_response *response, enum kc_streams_code code);

/* kc_streams_describe returns what StreamsGroupDescribe says of a group. */
const struct km_streams_group_describe_response_described_group *kc_streams_describe(
    struct kc *kc, const struct kc_group *group);

#endif
