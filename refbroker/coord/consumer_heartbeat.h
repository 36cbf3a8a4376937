/*
 * consumer_heartbeat: ConsumerGroupHeartbeat, from the request to its answer (KIP-848, KIP-1082).
 *
 * Nothing changes where the answer is an error.
 */
#ifndef REFBROKER_COORD_CONSUMER_HEARTBEAT_H
#define REFBROKER_COORD_CONSUMER_HEARTBEAT_H

#include "gen/messages.h"
#include "refbroker/coord/consumer_update.h"

/*
 * consumer_heartbeat fills in the answer and returns 0, and `records` holds what is to be durable
 * first; or it returns an error code with its text in e.
 */
int16_t consumer_heartbeat(struct groups *groups, struct request *request,
    const struct km_consumer_group_heartbeat_request *in,
    struct km_consumer_group_heartbeat_response *out, struct group_records *records, struct err *e);

/* consumer_heartbeat_check_owner is the check of an instance id: 25 where nobody has it, 82 where
 * another member has it. */
int16_t consumer_heartbeat_check_owner(const struct consumer_member *owner,
    struct wire_string member_id, struct wire_string instance_id, struct err *e);

/* consumer_heartbeat_replace puts a member that comes back as an instance in the place of the one
 * that had it. */
void consumer_heartbeat_replace(
    struct consumer_member *member, struct wire_string member_id, struct group_records *records);

/* consumer_heartbeat_id_make makes an id for a member that brings none: 16 random bytes in URL-safe
 * base64, as Kafka makes them. The caller frees it. */
char *consumer_heartbeat_id_make(const struct groups *groups);

/* consumer_heartbeat_full tells whether the group has no room for one more. */
bool consumer_heartbeat_full(
    const struct groups *groups, const struct group *group, struct wire_string member_id);

#endif
