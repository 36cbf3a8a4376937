/*
 * share_leave: a share session ends, and what its member has acquired is given back.
 *
 * It ends by its member's word or with its connection; a group without a session any more leaves
 * its partitions, whose state is stored. Rules: SharePartitionManager.releaseSession, onGroupEmpty
 * of Kafka 4.3.
 */
#ifndef REFBROKER_API_SHARE_LEAVE_H
#define REFBROKER_API_SHARE_LEAVE_H

#include "refbroker/api/share_session.h"
#include "refbroker/broker.h"

/* share_leave ends a member's session; without effect where it has none. */
void share_leave(struct broker *broker, const struct share_session_key *member);

/* share_leave_connection is for a connection that is gone. */
void share_leave_connection(struct broker *broker, const struct client *client);

#endif
