/*
 * share_heartbeat: ShareGroupHeartbeat, from the request to its answer (KIP-932).
 *
 * Nothing changes where the answer is an error.
 */
#ifndef REFBROKER_COORD_SHARE_HEARTBEAT_H
#define REFBROKER_COORD_SHARE_HEARTBEAT_H

#include "gen/messages.h"
#include "refbroker/coord/share_update.h"

/* share_heartbeat_check judges a request by itself: 0, or an error code with its text in e. */
int16_t share_heartbeat_check(const struct km_share_group_heartbeat_request *in, struct err *e);

/*
 * share_heartbeat takes a request that passed. It fills in the answer and returns 0; `records`
 * holds what is to be durable first, and *begun (empty; the caller's to end) which partitions are
 * to be initialised then (share_initialize.h). Or it returns an error code with its text in e.
 */
int16_t share_heartbeat(struct groups *groups, struct request *request,
    const struct km_share_group_heartbeat_request *in,
    struct km_share_group_heartbeat_response *out, struct group_records *records,
    struct share_topics *begun, struct err *e);

#endif
