/*
 * share_look: the partitions of a ShareFetch, looked at until there is enough, then acquired from.
 *
 * A look changes nothing but what the log's start makes of a share partition; records are acquired
 * when the answer is made. Looks use the request's arena, and its caller rewinds that before each.
 *
 * Rules: DelayedShareFetch, ShareFetchUtils.processFetchResponse of Kafka 4.3: bytes are dealt out
 * evenly, the first partition that has records may exceed its part by one batch; a partition that
 * cannot be taken up is told when something is, or when none can.
 */
#ifndef REFBROKER_API_SHARE_LOOK_H
#define REFBROKER_API_SHARE_LOOK_H

#include "gen/messages.h"
#include "refbroker/api/share_session.h"
#include "refbroker/coord/share_partitions.h"
#include "refbroker/log/read.h"

/* One partition with its answer so far. */
struct share_slot {
    struct wire_uuid topic_id;
    int32_t partition;
    bool failed;             /* out tells why; it is looked at no more */
    bool told;               /* out is set */
    struct partition *log;   /* at the last look; NULL: there is none */
    struct share_live *live; /* at the last look; NULL: nothing can be acquired */
    int64_t fetch_offset;
    struct read_result read;
    struct km_share_fetch_response_partition_data out;
};

struct share_look {
    struct request *request; /* a ShareFetch */
    const struct share_session_key *member;
    struct reader_waiter *load;
    struct share_slot *slots;
    size_t count;
    int32_t bytes_max;
    bool read_committed;
};

/* share_look_check finds the partitions that are not there; of a request that wants no records. */
void share_look_check(struct broker *broker, struct share_look *look);

/* share_look_all tells whether the request is to be answered now; `over`: it has waited long
 * enough.
 */
bool share_look_all(struct broker *broker, struct share_look *look, bool over);

/* share_look_bytes is what the last look found. */
int64_t share_look_bytes(const struct share_look *look);

/* share_look_acquire gives the member what the last look found, as far as max_records allows. False
 * where the arena is full. */
MUST_CHECK bool share_look_acquire(struct broker *broker, struct share_look *look);

#endif
