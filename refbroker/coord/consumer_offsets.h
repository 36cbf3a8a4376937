/*
 * consumer_offsets: who may commit and fetch offsets of a group of the consumer protocol
 * (ConsumerGroup.validateOffsetCommit,
 * OffsetMetadataManager.validateTransactionalOffsetCommit and validateOffsetFetch of Kafka 4.3,
 * KIP-848, KIP-1251).
 *
 * A member says its epoch. A commit of an earlier epoch is taken where the member has had each of
 * its partitions since then at the latest: it was on its way while the member went on.
 */
#ifndef REFBROKER_COORD_CONSUMER_OFFSETS_H
#define REFBROKER_COORD_CONSUMER_OFFSETS_H

#include "gen/messages.h"
#include "refbroker/coord/consumer_group.h"

/* 0, or the code for all of the request. */
int16_t consumer_offsets_commit_check(const struct consumer_group *consumer,
    const struct km_offset_commit_request *in, int16_t version);

/* The same for offsets of a transaction, whose clients know generations only; a producer that names
 * no member is not checked. */
int16_t consumer_offsets_txn_check(
    const struct consumer_group *consumer, const struct km_txn_offset_commit_request *in);

/* 0, or the code for the group. Requests before v9 tell no member (size -1, epoch -1). */
int16_t consumer_offsets_fetch_check(
    const struct consumer_group *consumer, struct wire_string member_id, int32_t member_epoch);

#endif
