/*
 * streams_heartbeat: StreamsGroupHeartbeat, from the request to its answer (KIP-1071).
 *
 * A request is judged as a whole, in Kafka's order, before anything changes: nothing changes where
 * the answer is an error. (One exception, as in Kafka: who leaves and asks all members to stop is
 * heard even where it is no member.)
 *
 * Where we differ: Kafka fails the heartbeats of a member with an endpoint while the topology's
 * source topics are missing; here its endpoint is told without partitions.
 */
#ifndef REFBROKER_COORD_STREAMS_HEARTBEAT_H
#define REFBROKER_COORD_STREAMS_HEARTBEAT_H

#include "gen/messages.h"
#include "refbroker/coord/streams_creation.h"
#include "refbroker/coord/streams_update.h"

/* streams_heartbeat_check judges a request by itself: 0, or an error code with its text in e. */
int16_t streams_heartbeat_check(const struct km_streams_group_heartbeat_request *in, struct err *e);

/*
 * streams_heartbeat takes a request that passed. It fills in the answer and returns 0; `records`
 * holds what is to be durable first, and *creation what is to be made then, or NULL
 * (streams_creation.h). Or it returns an error code with its text in e, which is empty where Kafka
 * says nothing.
 */
int16_t streams_heartbeat(struct groups *groups, struct request *request,
    const struct km_streams_group_heartbeat_request *in,
    struct km_streams_group_heartbeat_response *out, struct group_records *records,
    struct streams_creation **creation, struct err *e);

#endif
