/*
 * streams_topology: the topology of a streams group: its subtopologies, and the topics by which
 * they are tied (KIP-1071).
 *
 * It comes with a heartbeat (StreamsGroupHeartbeat) or from a record (StreamsGroupTopology), which
 * say the same in the same order, is copied, and never changes. What is checked in a heartbeat, and
 * with which words, is as in KafkaApis, GroupCoordinatorService and StreamsTopology of Kafka 4.3.1.
 * A check returns 0 or Kafka's error code, with its text in e (cut at ERR_TEXT_MAX), which is empty
 * where Kafka says nothing; for what Kafka does not limit the words are ours.
 *
 * Limits: LIMIT_STREAMS_SUBTOPOLOGIES_MAX and LIMIT_STREAMS_TOPICS_MAX in a heartbeat,
 * LIMIT_STREAMS_TOPOLOGY_BYTES_MAX as a record.
 */
#ifndef REFBROKER_COORD_STREAMS_TOPOLOGY_H
#define REFBROKER_COORD_STREAMS_TOPOLOGY_H

#include "gen/messages.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/map.h"

struct streams_topology {
    /* As it came. Every text ends with a zero byte, too. */
    struct km_streams_group_topology_value value;

    /* Its subtopologies in the order of bytes of their ids, and in that of Kafka's table of them
     * (java_hash.h), which decides what is seen first where something is wrong. */
    const struct km_streams_group_topology_value_subtopology **by_id;
    const struct km_streams_group_topology_value_subtopology **by_table;

    /* Names of the topics that it reads and keeps its states in (requiredTopics), as they are met
     * in by_table, so that topics_hash_of can be asked for the group's metadata hash. */
    struct map required;

    struct arena memory;
};

/* Checks of a heartbeat's topology, in Kafka's order. */

/*
 * streams_topology_check_names is the part of KafkaApis: topics that are Kafka's own, and names
 * that are none. *names (allocated in arena) are all that the topology names, each once, in the
 * order of the request, for which the client needs DESCRIBE. Limits are checked here.
 */
int16_t streams_topology_check_names(const struct km_streams_group_heartbeat_request_topology *in,
    struct arena *arena, struct wire_string **names, size_t *count, struct err *e);

/* streams_topology_check_features refuses what Kafka does not support yet: patterns of source
 * topics (throwIfStreamsGroupHeartbeatRequestIsUsingUnsupportedFeatures). */
int16_t streams_topology_check_features(
    const struct km_streams_group_heartbeat_request_topology *in, struct err *e);

/* streams_topology_check refuses changelogs that say how many partitions they have
 * (throwIfInvalidTopology). */
int16_t streams_topology_check(
    const struct km_streams_group_heartbeat_request_topology *in, struct err *e);

/* A topology. */

/* streams_topology_of_request copies a heartbeat's, and streams_topology_of_record a record's. NULL
 * where Kafka cannot take it in (a negative epoch, one id twice) or a limit forbids it; then
 * *error is Kafka's code, with its text in e. */
MUST_CHECK struct streams_topology *streams_topology_of_request(
    const struct km_streams_group_heartbeat_request_topology *in, int16_t *error, struct err *e);
MUST_CHECK struct streams_topology *streams_topology_of_record(
    const struct km_streams_group_topology_value *in, int16_t *error, struct err *e);

/* streams_topology_free accepts NULL. */
void streams_topology_free(struct streams_topology *topology);

/* streams_topology_equal compares epochs and subtopologies; the order of these does not count, that
 * of lists in them does. */
bool streams_topology_equal(const struct streams_topology *a, const struct streams_topology *b);

/* streams_topology_find returns the place of a subtopology in by_id, or -1. */
int32_t streams_topology_find(
    const struct streams_topology *topology, struct wire_string subtopology_id);

#endif
