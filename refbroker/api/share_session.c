#include "refbroker/api/share_session.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/limits.h"

struct share_sessions {
    struct map groups;    /* struct member_map by group id */
    struct map by_client; /* struct share_connection by the client's address */
    size_t count;
    size_t part_count; /* of all sessions */
};

/* The sessions of a group, by member id. */
struct member_map {
    struct map members;
};

/* How a partition is found in a session. */
struct part_key {
    struct wire_uuid topic_id;
    int32_t partition;
};

_Static_assert(sizeof(struct part_key) == 20, "a key has no holes");

struct share_sessions *
share_sessions_new(void)
{
    return xcalloc(1, sizeof(struct share_sessions));
}

static void
session_free(void *value)
{
    struct share_session *session = value;

    map_fini(&session->parts, free);
    free(session->group_id);
    free(session->member_id);
    free(session);
}

static void
member_map_free(void *value)
{
    struct member_map *group = value;

    map_fini(&group->members, session_free);
    free(group);
}

static void
connection_free(void *value)
{
    struct share_connection *connection = value;

    free(connection->group_id);
    free(connection);
}

void
share_sessions_free(struct share_sessions *sessions)
{
    if (sessions == NULL)
        return;
    map_fini(&sessions->groups, member_map_free);
    map_fini(&sessions->by_client, connection_free);
    free(sessions);
}

struct share_session *
share_session_find(const struct share_sessions *sessions, const struct share_session_key *member)
{
    const struct member_map *group = map_get_text(&sessions->groups, member->group_id);

    return group == NULL ? NULL : map_get_text(&group->members, member->member_id);
}

static struct share_connection *
connection_find(const struct share_sessions *sessions, const struct client *client)
{
    return map_get(&sessions->by_client, &client, sizeof client);
}

const struct share_connection *
share_sessions_connection(const struct share_sessions *sessions, const struct client *client)
{
    return connection_find(sessions, client);
}

void
share_sessions_forget(struct share_sessions *sessions, const struct client *client)
{
    struct share_connection *connection = map_remove(&sessions->by_client, &client, sizeof client);

    if (connection == NULL)
        return;
    if (connection->session != NULL)
        connection->session->client = NULL;
    connection_free(connection);
}

size_t
share_sessions_group_count(const struct share_sessions *sessions, const char *group_id)
{
    const struct member_map *group = map_get_text(&sessions->groups, group_id);

    return group == NULL ? 0 : map_count(&group->members);
}

size_t
share_sessions_count(const struct share_sessions *sessions)
{
    return sessions->count;
}

void
share_session_end(struct share_sessions *sessions, struct share_session *session)
{
    struct member_map *group = map_get_text(&sessions->groups, session->group_id);

    map_remove_text(&group->members, session->member_id);
    if (map_count(&group->members) == 0) {
        map_remove_text(&sessions->groups, session->group_id);
        member_map_free(group);
    }
    if (session->client != NULL)
        connection_find(sessions, session->client)->session = NULL;
    sessions->count--;
    sessions->part_count -= map_count(&session->parts);
    session_free(session);
}

/* A connection stands for the session that it has begun last. */
static void
connection_put(
    struct share_sessions *sessions, struct client *client, struct share_session *session)
{
    struct share_connection *connection = xcalloc(1, sizeof *connection);

    share_sessions_forget(sessions, client);
    connection->group_id = xstrdup(session->group_id);
    connection->session = session;
    session->client = client;
    map_put(&sessions->by_client, &client, sizeof client, connection);
}

static struct share_session *
session_new(
    struct share_sessions *sessions, const struct share_session_key *member, struct client *client)
{
    struct member_map *group = map_get_text(&sessions->groups, member->group_id);
    struct share_session *session = xcalloc(1, sizeof *session);

    if (group == NULL) {
        group = xcalloc(1, sizeof *group);
        map_put_text(&sessions->groups, member->group_id, group);
    }
    session->group_id = xstrdup(member->group_id);
    session->member_id = xstrdup(member->member_id);
    session->epoch = SHARE_SESSION_INITIAL + 1;
    map_put_text(&group->members, member->member_id, session);
    connection_put(sessions, client, session);
    sessions->count++;
    return session;
}

/* UTF-16 units of a text in UTF-8. */
static int32_t
java_length(struct wire_string text)
{
    int32_t units = 0;

    for (int32_t i = 0; i < text.size; i++) {
        uint8_t byte = (uint8_t)text.data[i];

        units += (byte & 0xc0) != 0x80;
        units += byte >= 0xf0;
    }
    return units;
}

static const char *
text_dup(struct request *request, struct wire_string text)
{
    char *copy = arena_alloc(&request->arena, (size_t)text.size + 1);

    if (copy != NULL)
        memcpy(copy, text.data, (size_t)text.size);
    return copy;
}

int16_t
share_session_key_read(struct request *request, struct wire_string group_id,
    struct wire_string member_id, struct share_session_key *out)
{
    if (group_id.size < 0 || !request_is_plain(group_id) || member_id.size <= 0 ||
        !request_is_plain(member_id) || java_length(member_id) > SHARE_SESSION_MEMBER_ID_MAX)
        return KE_INVALID_REQUEST;
    out->group_id = text_dup(request, group_id);
    out->member_id = text_dup(request, member_id);
    return out->group_id == NULL || out->member_id == NULL ? KE_UNKNOWN_SERVER_ERROR : KE_NONE;
}

static struct share_part *
part_find(const struct share_session *session, const struct part_key *key)
{
    return map_get(&session->parts, key, sizeof *key);
}

/* False where all sessions together have too many partitions now. */
static bool
request_apply(struct share_sessions *sessions, struct share_session *session,
    const struct km_share_fetch_request *in, bool to_tell)
{
    size_t before = map_count(&session->parts);

    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct km_share_fetch_request_fetch_topic *topic = &in->topics.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            struct part_key key = {topic->topic_id, topic->partitions.items[k].partition_index};
            struct share_part *part = part_find(session, &key);

            if (part != NULL)
                continue;
            part = xcalloc(1, sizeof *part);
            *part = (struct share_part){key.topic_id, key.partition, to_tell};
            map_put(&session->parts, &key, sizeof key, part);
        }
    }
    for (int32_t i = 0; i < in->forgotten_topics_data.count; i++) {
        const struct km_share_fetch_request_forgotten_topic *topic =
            &in->forgotten_topics_data.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            struct part_key key = {topic->topic_id, topic->partitions.items[k]};

            free(map_remove(&session->parts, &key, sizeof key));
        }
    }
    sessions->part_count += map_count(&session->parts) - before;
    return sessions->part_count <= LIMIT_SHARE_SESSION_PARTS_MAX;
}

static int16_t
session_first(struct share_sessions *sessions, const struct share_session_key *member,
    const struct km_share_fetch_request *in, struct client *client, size_t sessions_max,
    struct share_session **out)
{
    struct share_session *session = share_session_find(sessions, member);

    if (session != NULL)
        share_session_end(sessions, session);
    if (sessions->count >= sessions_max)
        return KE_SHARE_SESSION_LIMIT_REACHED;
    session = session_new(sessions, member, client);
    if (!request_apply(sessions, session, in, false)) {
        share_session_end(sessions, session);
        return KE_SHARE_SESSION_LIMIT_REACHED;
    }
    *out = session;
    return KE_NONE;
}

static void
epoch_step(struct share_session *session)
{
    session->epoch = session->epoch == INT32_MAX ? 1 : session->epoch + 1;
}

int16_t
share_session_begin(struct share_sessions *sessions, const struct share_session_key *member,
    const struct km_share_fetch_request *in, bool acknowledges, struct client *client,
    size_t sessions_max, struct share_session **out)
{
    struct share_session *session = share_session_find(sessions, member);

    *out = NULL;
    if (in->share_session_epoch == SHARE_SESSION_INITIAL) {
        if (acknowledges)
            return KE_INVALID_REQUEST;
        return session_first(sessions, member, in, client, sessions_max, out);
    }
    if (session == NULL)
        return KE_SHARE_SESSION_NOT_FOUND;
    if (in->share_session_epoch == SHARE_SESSION_FINAL)
        return KE_NONE;
    if (in->share_session_epoch != session->epoch)
        return KE_INVALID_SHARE_SESSION_EPOCH;
    epoch_step(session);
    if (!request_apply(sessions, session, in, true)) {
        share_session_end(sessions, session);
        return KE_SHARE_SESSION_NOT_FOUND;
    }
    *out = session;
    return KE_NONE;
}

int16_t
share_session_step(
    struct share_sessions *sessions, const struct share_session_key *member, int32_t epoch)
{
    struct share_session *session = share_session_find(sessions, member);

    if (epoch == SHARE_SESSION_INITIAL)
        return KE_INVALID_SHARE_SESSION_EPOCH;
    if (session == NULL)
        return KE_SHARE_SESSION_NOT_FOUND;
    if (epoch == SHARE_SESSION_FINAL)
        return KE_NONE;
    if (epoch != session->epoch)
        return KE_INVALID_SHARE_SESSION_EPOCH;
    epoch_step(session);
    return KE_NONE;
}

bool
share_session_tells(struct share_session *session, const struct wire_uuid *topic_id,
    int32_t partition, bool has_records, bool has_error)
{
    struct part_key key = {*topic_id, partition};
    struct share_part *part = part_find(session, &key);
    bool tells = has_records || has_error || (part != NULL && part->to_tell);

    if (part == NULL)
        return tells;
    part->to_tell = has_error;
    if (has_records) {
        map_remove(&session->parts, &key, sizeof key);
        map_put(&session->parts, &key, sizeof key, part);
    }
    return tells;
}
