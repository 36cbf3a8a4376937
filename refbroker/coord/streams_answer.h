/*
 * streams_answer: what a member of a streams group is told (StreamsGroupHeartbeat, KIP-1071). The
 * inner side of streams_heartbeat.h. Lists are in the request's arena; a full one is dispatch's to
 * see.
 */
#ifndef REFBROKER_COORD_STREAMS_ANSWER_H
#define REFBROKER_COORD_STREAMS_ANSWER_H

#include "gen/messages.h"
#include "refbroker/coord/streams_update.h"

/* Statuses of one answer, in Kafka's order. */
#define STREAMS_ANSWER_STATUSES_MAX 4

struct streams_answer {
    struct request *request;
    const struct streams_member *member;
    struct km_streams_group_heartbeat_response *out;
};

/* streams_answer_begin makes room for statuses; streams_answer_stale tells that the member's
 * topology is older than the group's, streams_answer_delay that a new target waits,
 * streams_answer_topics what is wrong with the topics, streams_answer_shutdown that all are to
 * stop. Each does nothing where there is nothing to tell. */
void streams_answer_begin(struct streams_answer *answer);
void streams_answer_stale(struct streams_answer *answer, int32_t group_topology_epoch);
void streams_answer_delay(struct streams_answer *answer, enum streams_delay delay);
void streams_answer_topics(struct streams_answer *answer);
void streams_answer_shutdown(struct streams_answer *answer);

/* streams_answer_tasks tells what the member has now; streams_answer_endpoints which partitions are
 * at which member's endpoint, the asking member's last. */
void streams_answer_tasks(struct streams_answer *answer);
void streams_answer_endpoints(struct streams_answer *answer);

#endif
