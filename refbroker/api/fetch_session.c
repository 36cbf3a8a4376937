#include "refbroker/api/fetch_session.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/limits.h"

#define EVICTABLE_AFTER_MS 120000
#define EPOCH_FINAL (-1)
#define EPOCH_INITIAL 0
#define KEY_BYTES_MAX (4 + LIMIT_TOPIC_NAME_BYTES_MAX + 8)

struct fetch_sessions {
    struct env *env;
    struct map by_id;
    struct list use_order; /* longest unused first */
    size_t part_count;     /* of all sessions */
};

struct fetch_sessions *
fetch_sessions_new(struct env *env)
{
    struct fetch_sessions *sessions = xcalloc(1, sizeof *sessions);

    sessions->env = env;
    map_init(&sessions->by_id);
    list_init(&sessions->use_order);
    return sessions;
}

static void
part_free(void *value)
{
    struct fetch_part *part = value;

    free(part->topic);
    free(part);
}

static void
session_free(void *value)
{
    struct fetch_session *session = value;

    map_fini(&session->parts, part_free);
    free(session);
}

void
fetch_sessions_free(struct fetch_sessions *sessions)
{
    if (sessions == NULL)
        return;
    map_fini(&sessions->by_id, session_free);
    free(sessions);
}

static void
session_remove(struct fetch_sessions *sessions, int32_t id)
{
    struct fetch_session *session = map_remove_int(&sessions->by_id, id);

    if (session == NULL)
        return;
    list_remove(&sessions->use_order, &session->in_use_order);
    sessions->part_count -= map_count(&session->parts);
    session_free(session);
}

/* A free place, made by an old session's end if need be. */
static bool
place_find(struct fetch_sessions *sessions)
{
    struct fetch_session *oldest;

    if (map_count(&sessions->by_id) < LIMIT_FETCH_SESSIONS_MAX)
        return true;
    oldest = list_of(list_first(&sessions->use_order), struct fetch_session, in_use_order);
    if (env_now_ms(sessions->env) - oldest->used_ms < EVICTABLE_AFTER_MS)
        return false;
    session_remove(sessions, oldest->id);
    return true;
}

static size_t
part_key(char key[KEY_BYTES_MAX], bool by_id, const struct wire_uuid *topic_id, const char *topic,
    size_t topic_size, int32_t partition)
{
    const void *name = by_id ? (const void *)topic_id : topic;
    size_t size = by_id ? sizeof *topic_id : topic_size;

    if (size > KEY_BYTES_MAX - sizeof partition)
        size = KEY_BYTES_MAX - sizeof partition;
    memcpy(key, &partition, sizeof partition);
    if (name != NULL)
        memcpy(key + sizeof partition, name, size);
    return size + sizeof partition;
}

void
fetch_part_read(struct fetch_part *part, const struct km_fetch_request_partition *in)
{
    part->partition = in->partition;
    part->current_leader_epoch = in->current_leader_epoch;
    part->last_fetched_epoch = in->last_fetched_epoch;
    part->bytes_max = in->partition_max_bytes;
    part->fetch_offset = in->fetch_offset;
}

static void
part_put(struct fetch_session *session, const struct km_fetch_request_topic *topic,
    const struct km_fetch_request_partition *in)
{
    char key[KEY_BYTES_MAX];
    size_t size = part_key(key, session->by_id, &topic->topic_id, topic->topic.data,
        (size_t)topic->topic.size, in->partition);
    struct fetch_part *part = map_get(&session->parts, key, size);

    if (part == NULL) {
        part = xcalloc(1, sizeof *part);
        part->topic_id = topic->topic_id;
        if (!session->by_id)
            part->topic = xmemdup(topic->topic.data, (size_t)topic->topic.size);
        part->told_high_watermark = part->told_log_start_offset = -1;
        part->told_last_stable_offset = -1;
        map_put(&session->parts, key, size, part);
    }
    fetch_part_read(part, in);
}

/* False where all sessions together have too many partitions now. */
static bool
request_apply(struct fetch_sessions *sessions, struct fetch_session *session,
    const struct km_fetch_request *in)
{
    size_t before = map_count(&session->parts);
    char key[KEY_BYTES_MAX];

    for (int32_t i = 0; i < in->topics.count; i++)
        for (int32_t k = 0; k < in->topics.items[i].partitions.count; k++)
            part_put(session, &in->topics.items[i], &in->topics.items[i].partitions.items[k]);
    for (int32_t i = 0; i < in->forgotten_topics_data.count; i++) {
        const struct km_fetch_request_forgotten_topic *topic = &in->forgotten_topics_data.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            size_t size = part_key(key, session->by_id, &topic->topic_id, topic->topic.data,
                (size_t)topic->topic.size, topic->partitions.items[k]);
            struct fetch_part *part = map_remove(&session->parts, key, size);

            if (part != NULL)
                part_free(part);
        }
    }
    sessions->part_count += map_count(&session->parts) - before;
    return sessions->part_count <= LIMIT_FETCH_SESSION_PARTS_MAX;
}

static int32_t
id_new(struct fetch_sessions *sessions)
{
    int32_t id;

    do
        id = (int32_t)(env_random_below(sessions->env, INT32_MAX - 1) + 1);
    while (map_get_int(&sessions->by_id, id) != NULL);
    return id;
}

static struct fetch_session *
session_new(struct fetch_sessions *sessions, bool by_id)
{
    struct fetch_session *session = xcalloc(1, sizeof *session);

    session->id = id_new(sessions);
    session->epoch = 1;
    session->by_id = by_id;
    map_init(&session->parts);
    map_put_int(&sessions->by_id, session->id, session);
    list_push_back(&sessions->use_order, &session->in_use_order);
    session->used_ms = env_now_ms(sessions->env);
    return session;
}

static int16_t
session_continue(struct fetch_sessions *sessions, const struct km_fetch_request *in, bool by_id,
    struct fetch_session **out)
{
    struct fetch_session *session = map_get_int(&sessions->by_id, in->session_id);

    if (session == NULL)
        return KE_FETCH_SESSION_ID_NOT_FOUND;
    if (session->epoch != in->session_epoch)
        return KE_INVALID_FETCH_SESSION_EPOCH;
    if (session->by_id != by_id)
        return KE_FETCH_SESSION_TOPIC_ID_ERROR;
    session->epoch = session->epoch == INT32_MAX ? 1 : session->epoch + 1;
    if (!request_apply(sessions, session, in)) {
        session_remove(sessions, session->id);
        return KE_FETCH_SESSION_ID_NOT_FOUND;
    }
    list_remove(&sessions->use_order, &session->in_use_order);
    list_push_back(&sessions->use_order, &session->in_use_order);
    session->used_ms = env_now_ms(sessions->env);
    *out = session;
    return KE_NONE;
}

int16_t
fetch_session_begin(struct fetch_sessions *sessions, const struct km_fetch_request *in, bool by_id,
    struct fetch_session **session, bool *incremental)
{
    *session = NULL;
    *incremental = false;
    if (in->session_epoch == EPOCH_FINAL || in->session_epoch == EPOCH_INITIAL) {
        session_remove(sessions, in->session_id);
        if (in->session_epoch == EPOCH_FINAL || in->topics.count == 0 || !place_find(sessions))
            return KE_NONE;
        *session = session_new(sessions, by_id);
        if (!request_apply(sessions, *session, in)) {
            session_remove(sessions, (*session)->id);
            *session = NULL;
        }
        return KE_NONE;
    }
    *incremental = true;
    return session_continue(sessions, in, by_id, session);
}

struct fetch_session *
fetch_session_find(const struct fetch_sessions *sessions, int32_t id)
{
    return map_get_int(&sessions->by_id, id);
}

void
fetch_session_told(struct fetch_session *session, const struct fetch_part *part, bool got_data)
{
    char key[KEY_BYTES_MAX];
    size_t size = part_key(key, session->by_id, &part->topic_id, part->topic,
        part->topic == NULL ? 0 : strlen(part->topic), part->partition);
    struct fetch_part *own = map_get(&session->parts, key, size);

    if (own == NULL)
        return;
    own->told_high_watermark = part->told_high_watermark;
    own->told_last_stable_offset = part->told_last_stable_offset;
    own->told_log_start_offset = part->told_log_start_offset;
    if (got_data) {
        map_remove(&session->parts, key, size);
        map_put(&session->parts, key, size, own);
    }
}

size_t
fetch_session_count(const struct fetch_sessions *sessions)
{
    return map_count(&sessions->by_id);
}
