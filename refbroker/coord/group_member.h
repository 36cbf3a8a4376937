/*
 * group_member: the members of a classic group: how they come in, what they support, and what they
 * are told. The inner side of group.h.
 */
#ifndef REFBROKER_COORD_GROUP_MEMBER_H
#define REFBROKER_COORD_GROUP_MEMBER_H

#include "gen/messages.h"
#include "refbroker/coord/group.h"

/* group_rebalance starts a rebalance (or lets one end), group_join_complete ends one that waits for
 * nobody more. */
void group_rebalance(struct group *group);
void group_join_complete(struct group *group);

/* group_member_add puts an empty member in; the texts are copied. */
struct group_member *group_member_add(
    struct group *group, const char *member_id, const char *instance_id);

/* group_member_take copies protocols and timeouts of a join; group_member_matches tells whether the
 * protocols are those already, group_member_fits whether the group can have them. */
void group_member_take(struct group_member *member, const struct group_join *join);
bool group_member_matches(const struct group_member *member, const struct group_join *join);
bool group_member_fits(const struct group *group, const struct group_join *join);

/* group_session_set ends a member's session after a time, whatever it waits for. */
void group_session_set(struct group_member *member, int64_t timeout_ms);

/* group_member_remove takes a member out of its group and frees it; requests of it are not
 * answered. */
void group_member_remove(struct group_member *member);

/* group_member_restore makes a member of a saved one. */
struct group_member *group_member_restore(
    struct group *group, const struct km_group_metadata_value_member_metadata *saved);

/* group_member_assign copies the member's assignment. */
void group_member_assign(struct group_member *member, const uint8_t *data, int32_t size);

/* group_member_vote returns the protocol that all members support and most prefer; a name of the
 * group's. */
const char *group_member_vote(const struct group *group);

/* group_member_send_away answers who waits in the member with an error. */
void group_member_send_away(struct group_member *member, int16_t error);

/* The answers, in the request's arena. */
void group_member_join_reply(struct group_member *member, struct request *request, int16_t error);
void group_member_sync_reply(struct group_member *member, struct request *request, int16_t error);

/* Ids that were handed out and have not joined yet (KIP-394). */
void group_pending_add(struct group *group, const char *member_id, int32_t timeout_ms);
void group_pending_clear(struct group *group);
bool group_pending_remove(struct group *group, struct wire_string member_id);

/* group_classic_forget leaves nothing of a classic group, whose members are gone already, but its
 * offsets: it becomes one of another protocol. */
void group_classic_forget(struct group *group);

#endif
