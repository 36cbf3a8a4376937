/*
 * streams_creation: internal topics of streams groups, which the broker makes (KIP-1071).
 *
 * A heartbeat whose topology lacks internal topics has them made once its records are durable; it
 * does not wait for them: a later one sees that they are there. What could not be made is not tried
 * again for a while, and heartbeats tell why. Rules: DefaultAutoTopicCreationManager and KafkaApis
 * of Kafka 4.3.
 *
 * Limit: LIMIT_STREAMS_FAILURES_MAX failures are remembered, the latest ones. They belong to struct
 * groups.
 */
#ifndef REFBROKER_COORD_STREAMS_CREATION_H
#define REFBROKER_COORD_STREAMS_CREATION_H

#include "refbroker/coord/groups.h"
#include "refbroker/coord/streams_topics.h"

struct streams_creation;

/* streams_creation_new prepares the making of the topics that are missing, NULL where none is. What
 * fails is remembered for remember_ms. */
struct streams_creation *streams_creation_new(
    struct groups *groups, const struct streams_topics *topics, int64_t remember_ms);

/* streams_creation_begin has them made when what was written to the group's log until now is
 * durable, unless somebody makes them, or they have just failed. It takes the struct over. */
void streams_creation_begin(struct streams_creation *creation_take, const char *group_id);

/* streams_creation_why appends to `text` which of the missing topics could not be made, and why, in
 * Kafka's words; nothing where none is known. */
void streams_creation_why(
    const struct groups *groups, const struct streams_topics *topics, struct buf *text);

/* streams_creation_forget forgets all failures. */
void streams_creation_forget(struct groups *groups);

#endif
