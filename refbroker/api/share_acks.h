/*
 * share_acks: what one request says of the records that its member has, for any number of
 * partitions, and what comes of it.
 *
 * ShareFetch and ShareAcknowledge both carry acknowledgements. They add a partition at a time and
 * run; where changes have to become durable first, `ready` is called when all are. What is added
 * must live as long as the request.
 *
 * Rules: KafkaApis.handleAcknowledgements, validateAcknowledgementBatches of Kafka 4.3.
 */
#ifndef REFBROKER_API_SHARE_ACKS_H
#define REFBROKER_API_SHARE_ACKS_H

#include "refbroker/api/share_session.h"
#include "refbroker/broker.h"
#include "refbroker/coord/share_partition.h"

/* What became of one partition. */
struct share_ack {
    struct wire_uuid topic_id;
    int32_t partition;
    int16_t error;
    struct wire_string text; /* for people; size -1: none */
};

struct share_acks;

typedef void share_acks_fn(struct broker *broker, struct request *request);

/* share_acks_new begins; `member` must live as long as the request. */
struct share_acks *share_acks_new(struct broker *broker, struct request *request,
    const struct share_session_key *member, share_acks_fn *ready);

/* share_acks_add adds a partition; one that is there already is replaced. */
void share_acks_add(struct share_acks *acks, const struct wire_uuid *topic_id, int32_t partition,
    const struct share_acknowledgement *items, size_t count);

/* share_acks_run does all of it, once. type_max is the highest type of acknowledgement that the
 * request's version knows; renewals have to be said by the request, too. True where all is durable
 * already, else `ready` follows. */
bool share_acks_run(struct share_acks *acks, int8_t type_max, bool renews);

/* share_acks_next walks the outcome: start with *position = 0; NULL at the end. */
const struct share_ack *share_acks_next(const struct share_acks *acks, size_t *position);

/* share_acks_free frees it, also while changes are on their way: `ready` is not called then. */
void share_acks_free(struct share_acks *acks);

#endif
