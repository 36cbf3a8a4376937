/*
 * fetch_session: incremental fetch sessions (KIP-227).
 *
 * A session remembers which partitions a consumer fetches, and what it was told last, so that
 * requests and replies carry changes only. The client counts the requests of a session (its epoch);
 * a request out of count is refused with 71, one of a session that is gone with 70, and the client
 * starts anew.
 *
 * Limits: LIMIT_FETCH_SESSIONS_MAX sessions; a new one takes the place of one that was silent for
 * two minutes, and where there is none it is not made (id 0). LIMIT_FETCH_SESSION_PARTS_MAX
 * partitions in all sessions: a session that would go beyond is not made, one that grows beyond
 * ends (70), and its client goes on without. Not thread-safe.
 */
#ifndef REFBROKER_API_FETCH_SESSION_H
#define REFBROKER_API_FETCH_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "gen/messages.h"
#include "lib/base/env.h"
#include "lib/base/list.h"
#include "lib/base/map.h"

/* A partition that a request asks for, from the request or from the session. */
struct fetch_part {
    struct wire_uuid topic_id;
    char *topic; /* NULL where the request names topics by id; owned by the session or the request's
                    arena */
    int32_t partition;
    int32_t current_leader_epoch;
    int32_t last_fetched_epoch;
    int32_t bytes_max;
    int64_t fetch_offset;
    /* What the client was told last; -1: nothing yet. */
    int64_t told_high_watermark;
    int64_t told_log_start_offset;
    int64_t told_last_stable_offset;
};

struct fetch_session {
    int32_t id;
    int32_t epoch; /* expected next */
    bool by_id;
    int64_t used_ms;
    struct list_node in_use_order;
    struct map parts; /* struct fetch_part, in the order in which they are to be served */
};

struct fetch_sessions;

struct fetch_sessions *fetch_sessions_new(struct env *env);
void fetch_sessions_free(struct fetch_sessions *sessions);

/*
 * fetch_session_begin finds or makes the session of a request and applies the request to it.
 * *session is NULL for a fetch outside of sessions. *incremental tells whether the reply may leave
 * out what did not change. Returns Kafka's code: 0, 70, 71, or 106 where the request changed
 * between names and ids.
 */
int16_t fetch_session_begin(struct fetch_sessions *sessions, const struct km_fetch_request *in,
    bool by_id, struct fetch_session **session, bool *incremental);

/* fetch_session_find returns a session by id, or NULL: a request that waited has to look again. */
struct fetch_session *fetch_session_find(const struct fetch_sessions *sessions, int32_t id);

/* fetch_session_told takes over what the client was told of a partition (the told_ fields of
 * `part`, which may be a copy), and makes the partition the last to be served where it got data. */
void fetch_session_told(
    struct fetch_session *session, const struct fetch_part *part, bool got_data);

size_t fetch_session_count(const struct fetch_sessions *sessions);

/* fetch_part_read copies what a request says of a partition; the topic's name stays a view of
 * nothing (NULL). */
void fetch_part_read(struct fetch_part *part, const struct km_fetch_request_partition *in);

#endif
