/*
 * offset_epochs: commits of an earlier epoch of a member (KIP-1251): they are taken where the
 * member has had each of their partitions since then at the latest, since they were on their way
 * while the member went on.
 */
#ifndef REFBROKER_COORD_OFFSET_EPOCHS_H
#define REFBROKER_COORD_OFFSET_EPOCHS_H

#include "gen/messages.h"
#include "refbroker/meta/topics.h"

/* Whether the member has had a partition, which exists, since an epoch. */
typedef bool offset_had_fn(
    const void *member, const struct topic *topic, int32_t partition, int32_t epoch);

struct offset_epochs {
    const struct topics *topics;
    offset_had_fn *had;
    const void *member;
    int32_t epoch; /* of the commit */
};

/* These tell whether all of a request may be taken. What is not there is answered by itself, and
 * does not keep the others back; so is metadata that is too large, at which Kafka looks first. */
bool offset_epochs_commit(
    const struct offset_epochs *o, const struct km_offset_commit_request *in, int16_t version);
bool offset_epochs_txn(
    const struct offset_epochs *o, const struct km_txn_offset_commit_request *in);

#endif
