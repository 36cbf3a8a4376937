/* Area fetch, second half: incremental fetch sessions (KIP-227). */
#include "conformance/kc_ask.h"
#include "conformance/kc_fetch.h"
#include "conformance/kc_produce.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

#define PARTITIONS 3
#define NAMES_VERSION_MAX 12

/* A session over the partitions of a topic, past its first answer. */
struct session {
    struct kc_topic *topic;
    struct kc_fetch_options options;
    const struct km_fetch_response *first;
};

static struct session
session_open(struct kc *kc, int16_t version_max)
{
    struct session session = {kc_topic_new(kc, PARTITIONS, NULL), kc_fetch_defaults(), NULL};
    struct kc_part parts[PARTITIONS];

    for (int32_t i = 0; i < PARTITIONS; i++) {
        if (session.topic->leaders[i] != session.topic->leaders[0])
            kc_skip(kc, "two leaders");
        parts[i] = kc_part(session.topic, i, 0);
    }
    session.options.version_max = version_max;
    session.options.link = kc_topic_leader(kc, session.topic, 0);
    session.options.session_epoch = KC_SESSION_NEW_EPOCH;
    session.first = kc_fetch(kc, &session.options, parts, PARTITIONS);
    kc_code(kc, "top_error_code", session.first->error_code, KE_NONE);
    kc_that(kc, session.first->session_id > 0, "no-session", "a session id above 0");
    session.options.session_id = session.first->session_id;
    session.options.session_epoch = 1;
    return session;
}

/* The next incremental fetch; the epoch moves on. */
static const struct km_fetch_response *
session_next(struct kc *kc, struct session *session)
{
    const struct km_fetch_response *response = kc_fetch(kc, &session->options, NULL, 0);

    session->options.session_epoch++;
    kc_code(kc, "top_error_code", response->error_code, KE_NONE);
    kc_int(kc, "session_id", response->session_id, session->options.session_id);
    return response;
}

static int32_t
listed(const struct session *session, const struct km_fetch_response *response)
{
    int32_t count = 0;

    for (int32_t i = 0; i < PARTITIONS; i++)
        count += kc_fetch_find(response, session->topic, i) != NULL;
    return count;
}

static void
session_create(struct kc *kc)
{
    struct session session = session_open(kc, KC_VERSION_MAX);

    kc_int(kc, "partitions_listed", listed(&session, session.first), PARTITIONS);
}

static void
session_incremental_omits(struct kc *kc)
{
    struct session session = session_open(kc, KC_VERSION_MAX);

    /* The first incremental answers may still tell what has changed since; then there is nothing.
     */
    session_next(kc, &session);
    for (int i = 0; i < 3; i++)
        kc_int(kc, "partitions_listed", listed(&session, session_next(kc, &session)), 0);
}

static void
session_new_data_listed(struct kc *kc)
{
    struct session session = session_open(kc, KC_VERSION_MAX);
    const struct km_fetch_response *response;
    const struct km_fetch_response_partition_data *part;

    session_next(kc, &session);
    kc_append_ok(kc, session.topic, 1, kc_batch_values(kc, "v", 2));
    session.options.max_wait_ms = (int32_t)kc->options->commit_ms;
    response = session_next(kc, &session);
    kc_int(kc, "partitions_listed", listed(&session, response), 1);
    part = kc_fetch_part(kc, response, session.topic, 1);
    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_that(kc, part->records.size > 0, "no-records", "the new records");
    kc_int(kc, "high_watermark", part->high_watermark, 2);
}

static void
session_forget(struct kc *kc)
{
    struct session session = session_open(kc, KC_VERSION_MAX);
    const struct km_fetch_response *response;

    session.options.forgotten = session.topic; /* its partition 0 */
    session_next(kc, &session);
    session.options.forgotten = NULL;
    kc_append_ok(kc, session.topic, 0, kc_batch_values(kc, "v", 1));
    kc_append_ok(kc, session.topic, 2, kc_batch_values(kc, "v", 1));
    response = session_next(kc, &session);
    kc_that(kc, kc_fetch_find(response, session.topic, 0) == NULL, "still-listed",
        "the forgotten partition listed no more");
    kc_that(kc, kc_fetch_find(response, session.topic, 2) != NULL, "partition-missing",
        "the other partition with its new record");
}

static void
session_bad_epoch(struct kc *kc)
{
    struct session session = session_open(kc, KC_VERSION_MAX);
    const struct km_fetch_response *response;

    session_next(kc, &session);
    session_next(kc, &session);
    session.options.session_epoch = 1;
    response = kc_fetch(kc, &session.options, NULL, 0);
    kc_code(kc, "top_error_code", response->error_code, KE_INVALID_FETCH_SESSION_EPOCH);
    session.options.session_epoch = 3; /* the session is still there */
    session_next(kc, &session);
}

static void
session_unknown_id(struct kc *kc)
{
    struct session session = session_open(kc, KC_VERSION_MAX);
    struct kc_fetch_options other = session.options;
    const struct km_fetch_response *response;

    other.session_id = session.options.session_id ^ 0x2a2a2a2a;
    response = kc_fetch(kc, &other, NULL, 0);
    kc_code(kc, "top_error_code", response->error_code, KE_FETCH_SESSION_ID_NOT_FOUND);
    session_next(kc, &session);
}

static void
session_close(struct kc *kc)
{
    struct session session = session_open(kc, KC_VERSION_MAX);
    struct kc_part part = kc_part(session.topic, 0, 0);
    const struct km_fetch_response *response;

    session.options.session_epoch = KC_SESSION_NONE_EPOCH;
    response = kc_fetch(kc, &session.options, &part, 1);
    kc_code(kc, "top_error_code", response->error_code, KE_NONE);
    kc_int(kc, "session_id", response->session_id, 0);
    session.options.session_epoch = 1;
    response = kc_fetch(kc, &session.options, NULL, 0);
    kc_code(kc, "top_error_code", response->error_code, KE_FETCH_SESSION_ID_NOT_FOUND);
}

static void
session_id_version_mix(struct kc *kc)
{
    struct session session = session_open(kc, NAMES_VERSION_MAX);
    const struct km_fetch_response *response;

    session.options.version_max = KC_VERSION_MAX;
    response = kc_fetch(kc, &session.options, NULL, 0);
    kc_code(kc, "top_error_code", response->error_code, KE_FETCH_SESSION_TOPIC_ID_ERROR);
}

static const struct check checks[] = {
    {"fetch.session_create", "a full Fetch with epoch 0 opens a session and lists everything",
        "FetchSessionTest", CHECK_CORE, 0, {CHECK_NEED(FETCH, 7)}, session_create},
    {"fetch.session_incremental_omits", "an incremental answer leaves out what did not change",
        "FetchSession", CHECK_CORE, 0, {CHECK_NEED(FETCH, 7)}, session_incremental_omits},
    {"fetch.session_new_data_listed", "an incremental answer lists the partition with new data",
        "FetchSession", 0, 0, {CHECK_NEED(FETCH, 7)}, session_new_data_listed},
    {"fetch.session_forget", "a forgotten partition is not answered for", "FetchSession", 0, 0,
        {CHECK_NEED(FETCH, 7)}, session_forget},
    {"fetch.session_bad_epoch", "an old session epoch is answered 71, the session stays",
        "FetchSession", 0, 0, {CHECK_NEED(FETCH, 7)}, session_bad_epoch},
    {"fetch.session_unknown_id", "a session id that was not given out is answered 70",
        "FetchSession", CHECK_CORE, 0, {CHECK_NEED(FETCH, 7)}, session_unknown_id},
    {"fetch.session_close", "epoch -1 with a session id ends the session", "FetchSession", 0, 0,
        {CHECK_NEED(FETCH, 7)}, session_close},
    {"fetch.session_id_version_mix", "a session by names that goes on by ids is answered 106",
        "FetchSession", 0, 0, {CHECK_NEED(FETCH, 13)}, session_id_version_mix},
};

const struct check_table c_fetch_session_table = CHECK_TABLE("fetch", checks);
