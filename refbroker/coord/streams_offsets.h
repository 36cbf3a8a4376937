/*
 * streams_offsets: who may commit and fetch offsets of a streams group
 * (StreamsGroup.validateOffsetCommit, OffsetMetadataManager of Kafka 4.3, KIP-1071). A partition is
 * the member's where it has the active task that reads it; see offset_epochs.h for earlier epochs.
 */
#ifndef REFBROKER_COORD_STREAMS_OFFSETS_H
#define REFBROKER_COORD_STREAMS_OFFSETS_H

#include "gen/messages.h"
#include "refbroker/coord/streams_group.h"

/* 0, or the code for all of the request. */
int16_t streams_offsets_commit_check(const struct streams_group *streams,
    const struct km_offset_commit_request *in, int16_t version);

/* The same for offsets of a transaction; a producer that names no member is not checked. */
int16_t streams_offsets_txn_check(
    const struct streams_group *streams, const struct km_txn_offset_commit_request *in);

/* 0, or the code for the group. Requests before v9 tell no member (size -1, epoch -1). */
int16_t streams_offsets_fetch_check(
    const struct streams_group *streams, struct wire_string member_id, int32_t member_epoch);

#endif
