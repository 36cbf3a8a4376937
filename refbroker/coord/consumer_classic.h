/*
 * consumer_classic: members of the classic protocol in a group of the consumer protocol: the
 * classic requests, answered from the other protocol's state. A generation is a member's epoch;
 * nobody leads, since the broker assigns.
 */
#ifndef REFBROKER_COORD_CONSUMER_CLASSIC_H
#define REFBROKER_COORD_CONSUMER_CLASSIC_H

#include "gen/messages.h"
#include "refbroker/coord/consumer_group.h"

/* The group has members. The answers are filled in, and go out when their reasons are durable. */
enum h_result consumer_classic_join(
    struct group *group, struct request *request, const struct group_join *join);
enum h_result consumer_classic_sync(struct group *group, struct request *request);

/* consumer_classic_heartbeat returns what Heartbeat answers. */
int16_t consumer_classic_heartbeat(struct group *group, struct wire_string member_id,
    struct wire_string instance_id, int32_t generation);

/* consumer_classic_leave answers a LeaveGroup of any members; out has room for all of them. */
enum h_result consumer_classic_leave(struct group *group, struct request *request,
    const struct km_leave_group_request *in, struct km_leave_group_response *out);

#endif
