#include "refbroker/api/share_leave.h"

#include "refbroker/coord/share_partitions.h"

static void
session_end(struct broker *broker, struct share_session *session)
{
    const struct share_part *part;
    size_t position = 0;

    while ((part = map_next(&session->parts, &position, NULL, NULL)) != NULL) {
        struct share_live *live = share_partitions_find(
            broker->share_partitions, session->group_id, &part->topic_id, part->partition);

        if (live != NULL)
            share_live_release(live, session->member_id);
    }
    share_session_end(broker->share_sessions, session);
}

void
share_leave(struct broker *broker, const struct share_session_key *member)
{
    struct share_session *session = share_session_find(broker->share_sessions, member);

    if (session != NULL)
        session_end(broker, session);
}

void
share_leave_connection(struct broker *broker, const struct client *client)
{
    const struct share_connection *connection =
        share_sessions_connection(broker->share_sessions, client);

    if (connection == NULL)
        return;
    if (connection->session != NULL)
        session_end(broker, connection->session);
    if (share_sessions_group_count(broker->share_sessions, connection->group_id) == 0)
        share_partitions_drop_group(broker->share_partitions, connection->group_id);
    share_sessions_forget(broker->share_sessions, client);
}
