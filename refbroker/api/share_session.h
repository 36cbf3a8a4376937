/*
 * share_session: which partitions a member of a share group fetches (KIP-932).
 *
 * Each member has one session per broker; requests carry what changed since the one before, and the
 * session's epoch, which counts them. It ends with an epoch of -1, with its connection, or when the
 * member begins another one; whoever ends it gives back what the member has acquired
 * (share_partitions.h).
 *
 * Rules: SharePartitionManager.newContext, ShareSessionCache, CachedSharePartition of Kafka 4.3.
 * Limits: as many sessions as group.share.max.share.sessions says, LIMIT_SHARE_SESSION_PARTS_MAX
 * partitions in all of them; a session that would go beyond is refused, or ends. Not thread-safe.
 */
#ifndef REFBROKER_API_SHARE_SESSION_H
#define REFBROKER_API_SHARE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "gen/messages.h"
#include "lib/base/err.h"
#include "lib/base/map.h"
#include "refbroker/request.h"

#define SHARE_SESSION_FINAL (-1)
#define SHARE_SESSION_INITIAL 0
#define SHARE_SESSION_MEMBER_ID_MAX 36 /* characters, as Java counts them */

/* A partition of a session. */
struct share_part {
    struct wire_uuid topic_id;
    int32_t partition;
    bool to_tell; /* the next answer names it, whatever there is of it */
};

struct share_session {
    char *group_id;
    char *member_id;
    struct client *client; /* the connection that began it; NULL once that has begun another one, or
                              is gone */
    int32_t epoch;         /* expected next */
    struct map parts;      /* struct share_part, in the order in which they are to be served */
};

struct share_sessions;

struct share_sessions *share_sessions_new(void);
void share_sessions_free(struct share_sessions *sessions);

/* Whose session; both texts are the caller's. */
struct share_session_key {
    const char *group_id;
    const char *member_id;
};

/* share_session_key_read takes a member out of a request, into its arena: 42 for none, or for a
 * member id that is empty or longer than SHARE_SESSION_MEMBER_ID_MAX. */
MUST_CHECK int16_t share_session_key_read(struct request *request, struct wire_string group_id,
    struct wire_string member_id, struct share_session_key *out);

/*
 * share_session_begin finds, makes or steps the session of a ShareFetch and applies the request to
 * it; *session is NULL where the request ends it, which is the caller's to do when it has answered.
 * sessions_max is group.share.max.share.sessions. Codes: 42 where a first request acknowledges
 * something, 122 (SHARE_SESSION_NOT_FOUND), 123 (INVALID_SHARE_SESSION_EPOCH), 133
 * (SHARE_SESSION_LIMIT_REACHED).
 */
MUST_CHECK int16_t share_session_begin(struct share_sessions *sessions,
    const struct share_session_key *member, const struct km_share_fetch_request *in,
    bool acknowledges, struct client *client, size_t sessions_max, struct share_session **session);

/* share_session_step is what a ShareAcknowledge does to its session: the codes are the same. */
MUST_CHECK int16_t share_session_step(
    struct share_sessions *sessions, const struct share_session_key *member, int32_t epoch);

struct share_session *share_session_find(
    const struct share_sessions *sessions, const struct share_session_key *member);

/* share_session_end frees a session. */
void share_session_end(struct share_sessions *sessions, struct share_session *session);

/* share_session_tells decides whether the next answer names a partition: for its records, an error,
 * or since it is new; it notes what was told, and puts a partition that gave records last. */
bool share_session_tells(struct share_session *session, const struct wire_uuid *topic_id,
    int32_t partition, bool has_records, bool has_error);

/* What a connection has begun last. */
struct share_connection {
    char *group_id;
    struct share_session *session; /* NULL: it has ended */
};

/* share_sessions_connection is NULL for a connection that has begun no session;
 * share_sessions_forget is for one that is gone, and leaves its session as it is. */
const struct share_connection *share_sessions_connection(
    const struct share_sessions *sessions, const struct client *client);
void share_sessions_forget(struct share_sessions *sessions, const struct client *client);

/* share_sessions_group_count tells how many sessions a group has. */
size_t share_sessions_group_count(const struct share_sessions *sessions, const char *group_id);

size_t share_sessions_count(const struct share_sessions *sessions);

#endif
