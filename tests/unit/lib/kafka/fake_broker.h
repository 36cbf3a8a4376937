/*
 * fake_broker: a scripted broker for tests, on the same loop as what is tested.
 *
 * It answers ApiVersions and SASL by itself, as told by its knobs, and hands everything else to the
 * test's handler. It can misbehave: stay silent, answer in small pieces, cut an answer after some
 * bytes, send garbage.
 */
#ifndef TESTS_UNIT_LIB_KAFKA_FAKE_BROKER_H
#define TESTS_UNIT_LIB_KAFKA_FAKE_BROKER_H

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/crypto/scram.h"
#include "lib/kafka/conn_frames.h"
#include "lib/net/listener.h"
#include "lib/net/tcp.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define FAKE_CONNS_MAX 64

struct fake_broker;

/* One connection of it. */
struct fake_conn {
    struct fake_broker *broker;
    struct tcp *tcp;
    struct conn_frames frames;
    struct buf out; /* what goes out in pieces */
    struct loop_timer piece_timer;
    struct scram_server scram;
    bool scram_open;
    bool logged_in;
    int32_t requests; /* seen, ApiVersions and SASL included */
};

/* Answers a request (fake_reply, at once or later) or does not. body is decoded in arena. */
typedef void fake_handler_fn(
    void *arg, struct fake_conn *conn, const struct frame_request *request, const void *body);

struct fake_broker {
    struct loop *loop;
    struct listener *listener;
    uint16_t port;
    struct arena arena; /* reset before each request */
    fake_handler_fn *handler;
    void *handler_arg;
    struct fake_conn *conns[FAKE_CONNS_MAX];
    size_t accepted;

    /* knobs */
    struct tls_context *tls;
    const char *user; /* with a user it wants SASL */
    const char *password;
    const char *mechanism;
    int64_t session_lifetime_ms;
    int16_t api_versions_max; /* of ApiVersions itself */
    int16_t hidden_api;       /* an API that it does not list; -1: none */
    int16_t capped_api;       /* an API of which it lists versions only up to capped_max */
    int16_t capped_max;
    bool lists_backwards;  /* the APIs, last first */
    int16_t feature_level; /* of transaction.version, finalized; 0: it tells of no feature, */
    int64_t feature_epoch; /* and since when */
    bool silent;         /* answers nothing at all */
    int32_t silent_from; /* answers nothing from this request on; 0: never */
    size_t piece_bytes;  /* sends at most so many bytes in one go; 0: all */
    size_t cut_after;    /* closes after so many bytes of all answers; 0: never */
    const char *garbage; /* sent instead of the first answer */
    size_t garbage_size;

    size_t bytes_sent;
};

static inline void
fake_send_now(struct fake_conn *conn, const void *data, size_t size)
{
    struct fake_broker *broker = conn->broker;
    bool cut = broker->cut_after > 0 && broker->bytes_sent + size >= broker->cut_after;

    if (conn->tcp == NULL)
        return;
    if (cut)
        size = broker->cut_after - broker->bytes_sent;
    broker->bytes_sent += size;
    if (tcp_write_dup(conn->tcp, data, size) == RC_OK && cut)
        tcp_end(conn->tcp);
}

/* One piece per round of the loop, so that each travels alone. */
static inline void
fake_on_piece(void *arg)
{
    struct fake_conn *conn = arg;
    size_t size = conn->broker->piece_bytes;

    if (size > conn->out.size)
        size = conn->out.size;
    fake_send_now(conn, conn->out.data, size);
    buf_consume(&conn->out, size);
    if (conn->out.size > 0)
        loop_timer_set(conn->broker->loop, &conn->piece_timer, 0, fake_on_piece, conn);
}

static inline void
fake_send(struct fake_conn *conn, const void *data, size_t size)
{
    if (conn->broker->piece_bytes == 0) {
        fake_send_now(conn, data, size);
        return;
    }
    buf_append(&conn->out, data, size);
    loop_timer_set(conn->broker->loop, &conn->piece_timer, 0, fake_on_piece, conn);
}

static inline void
fake_reply_version(struct fake_conn *conn, const struct wire_api *api, int16_t version,
    int32_t correlation_id, const void *response)
{
    struct buf out;

    buf_init(&out, INT32_MAX);
    REQUIRE(frame_response_encode(api, version, correlation_id, response, &out, NULL) == RC_OK);
    fake_send(conn, out.data, out.size);
    buf_fini(&out);
}

static inline void
fake_reply(struct fake_conn *conn, const struct frame_request *request, const void *response)
{
    fake_reply_version(conn, request->api, request->api_version, request->correlation_id, response);
}

static inline void
fake_reverse(struct km_api_versions_response_api_version *rows, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct km_api_versions_response_api_version row = rows[i];

        rows[i] = rows[count - 1 - i];
        rows[count - 1 - i] = row;
    }
}

static inline void
fake_api_versions(struct fake_conn *conn, const struct frame_request *request)
{
    struct fake_broker *broker = conn->broker;
    struct km_api_versions_response response;
    struct km_api_versions_response_api_version rows[KM_API_COUNT];
    struct km_api_versions_response_finalized_feature_key feature;
    int16_t version = request->api_version;

    codec_init(&km_api_versions_response_desc, &response);
    response.api_keys.items = rows;
    for (size_t i = 0; i < KM_API_COUNT; i++) {
        const struct wire_api *api = &km_apis[i];
        struct km_api_versions_response_api_version *row = &rows[response.api_keys.count];

        if (api->key == broker->hidden_api)
            continue;
        codec_init(&km_api_versions_response_api_version_desc, row);
        row->api_key = api->key;
        row->min_version = api->request->versions.min;
        row->max_version = api->request->versions.max;
        if (api->key == KM_API_VERSIONS)
            row->max_version = broker->api_versions_max;
        if (api->key == broker->capped_api)
            row->max_version = broker->capped_max;
        response.api_keys.count++;
    }
    if (broker->lists_backwards)
        fake_reverse(rows, (size_t)response.api_keys.count);
    if (broker->feature_level > 0) {
        feature = (struct km_api_versions_response_finalized_feature_key){
            .name = codec_string("transaction.version"),
            .max_version_level = broker->feature_level};
        response.finalized_features.items = &feature;
        response.finalized_features.count = 1;
        response.finalized_features_epoch = broker->feature_epoch;
    }
    if (version > broker->api_versions_max) {
        response.error_code = KE_UNSUPPORTED_VERSION;
        version = 0;
    }
    fake_reply_version(
        conn, frame_api(KM_API_VERSIONS), version, request->correlation_id, &response);
}

static inline void
fake_handshake(struct fake_conn *conn, const struct frame_request *request,
    const struct km_sasl_handshake_request *in)
{
    struct fake_broker *broker = conn->broker;
    struct km_sasl_handshake_response response;
    struct wire_string mechanism = {"", 0};
    enum digest_kind kind;

    codec_init(&km_sasl_handshake_response_desc, &response);
    if (broker->user == NULL) {
        response.error_code = KE_ILLEGAL_SASL_STATE;
    } else {
        mechanism = (struct wire_string){broker->mechanism, (int32_t)strlen(broker->mechanism)};
        response.mechanisms.items = &mechanism;
        response.mechanisms.count = 1;
        if (in->mechanism.size != mechanism.size ||
            memcmp(in->mechanism.data, mechanism.data, (size_t)mechanism.size) != 0)
            response.error_code = KE_UNSUPPORTED_SASL_MECHANISM;
    }
    if (conn->scram_open)
        scram_server_fini(&conn->scram);
    conn->scram_open = broker->user != NULL && scram_kind(broker->mechanism, &kind) == RC_OK;
    if (conn->scram_open)
        scram_server_init(&conn->scram, kind);
    fake_reply(conn, request, &response);
}

/* PLAIN at once, SCRAM in two steps; false where the login fails. */
static inline bool
fake_token(struct fake_conn *conn, const struct wire_bytes *token, struct buf *out)
{
    struct fake_broker *broker = conn->broker;
    struct scram_credential credential;
    struct buf expected;
    bool same;

    if (conn->scram_open && conn->scram.user == NULL) {
        if (scram_server_first(&conn->scram, token->data, (size_t)token->size, NULL) != RC_OK ||
            strcmp(conn->scram.user, broker->user) != 0)
            return false;
        scram_credential_make(&credential, conn->scram.kind, broker->password,
            (const uint8_t *)"0123456789", 10, SCRAM_ITERATIONS_MIN);
        scram_server_challenge(&conn->scram, &credential, NULL, out);
        return true;
    }
    if (conn->scram_open) {
        conn->logged_in =
            scram_server_final(&conn->scram, token->data, (size_t)token->size, out, NULL) == RC_OK;
        return conn->logged_in;
    }
    buf_init(&expected, 1000);
    buf_append_byte(&expected, 0);
    buf_append_text(&expected, broker->user);
    buf_append_byte(&expected, 0);
    buf_append_text(&expected, broker->password);
    same = expected.size == (size_t)token->size &&
           memcmp(expected.data, token->data, expected.size) == 0;
    buf_fini(&expected);
    conn->logged_in = same;
    return same;
}

static inline void
fake_authenticate(struct fake_conn *conn, const struct frame_request *request,
    const struct km_sasl_authenticate_request *in)
{
    struct km_sasl_authenticate_response response;
    struct buf token;

    buf_init(&token, SCRAM_MESSAGE_MAX);
    codec_init(&km_sasl_authenticate_response_desc, &response);
    response.session_lifetime_ms = conn->broker->session_lifetime_ms;
    if (!fake_token(conn, &in->auth_bytes, &token)) {
        response.error_code = KE_SASL_AUTHENTICATION_FAILED;
        buf_clear(&token);
    }
    response.auth_bytes = (struct wire_bytes){token.data, (int32_t)token.size};
    fake_reply(conn, request, &response);
    buf_fini(&token);
}

static inline void
fake_request(struct fake_conn *conn, const struct blob *frame)
{
    struct fake_broker *broker = conn->broker;
    struct frame_request request;
    void *body;

    conn->requests++;
    if (broker->silent || (broker->silent_from > 0 && conn->requests >= broker->silent_from))
        return;
    if (broker->garbage != NULL) {
        fake_send(conn, broker->garbage, broker->garbage_size);
        return;
    }
    if (frame_request_decode(frame->data, frame->size, &request, NULL) != RC_OK) {
        REQUIRE(request.api_key == KM_API_VERSIONS);
        fake_api_versions(conn, &request);
        return;
    }
    arena_reset(&broker->arena);
    body = arena_alloc(&broker->arena, request.api->request->body->size);
    REQUIRE(
        codec_decode(request.api->request, request.api_version, frame->data + request.header_size,
            frame->size - request.header_size, &broker->arena, body, NULL, NULL) == RC_OK);
    if (request.api_key == KM_API_VERSIONS) {
        fake_api_versions(conn, &request);
    } else if (request.api_key == KM_SASL_HANDSHAKE) {
        fake_handshake(conn, &request, body);
    } else if (request.api_key == KM_SASL_AUTHENTICATE) {
        fake_authenticate(conn, &request, body);
    } else if (broker->user != NULL && !conn->logged_in) {
        tcp_end(conn->tcp);
    } else if (broker->handler != NULL) {
        broker->handler(broker->handler_arg, conn, &request, body);
    }
}

static inline void
fake_conn_close(struct fake_conn *conn)
{
    tcp_free(conn->tcp);
    conn->tcp = NULL;
}

static inline void *
fake_on_room(void *arg, size_t *size)
{
    struct fake_conn *conn = arg;

    return conn_frames_room(&conn->frames, size);
}

static inline void
fake_on_data(void *arg, size_t size)
{
    struct fake_conn *conn = arg;
    struct blob *frame;

    conn_frames_add(&conn->frames, size);
    while (conn->tcp != NULL) {
        if (conn_frames_next(&conn->frames, (size_t)100 << 20, &frame, NULL) != RC_OK) {
            /* As Kafka does with what is no request. */
            fake_conn_close(conn);
            return;
        }
        if (frame == NULL)
            return;
        fake_request(conn, frame);
        blob_unref(frame);
    }
}

static inline void
fake_on_close(void *arg, const struct err *e)
{
    (void)e;
    fake_conn_close(arg);
}

static inline struct tcp *
fake_on_accept(void *arg, int fd)
{
    static const struct tcp_events events = {
        NULL, fake_on_room, fake_on_data, NULL, NULL, fake_on_close};
    struct fake_broker *broker = arg;
    struct tcp_options options = {.tls = broker->tls, .queue_bytes_max = (size_t)1 << 30};
    struct fake_conn *conn = xcalloc(1, sizeof *conn);

    REQUIRE(broker->accepted < FAKE_CONNS_MAX);
    conn->broker = broker;
    conn_frames_init(&conn->frames);
    buf_init(&conn->out, (size_t)1 << 30);
    conn->tcp = tcp_adopt(broker->loop, fd, &options, &events, conn);
    broker->conns[broker->accepted++] = conn;
    return conn->tcp;
}

/* Starts with all knobs at rest; the port is in broker->port. */
static inline void
fake_start(struct fake_broker *broker, struct loop *loop)
{
    struct listener_options options = {.host = "127.0.0.1", .connections_max = FAKE_CONNS_MAX};

    memset(broker, 0, sizeof *broker);
    broker->loop = loop;
    broker->hidden_api = broker->capped_api = -1;
    broker->api_versions_max = frame_api(KM_API_VERSIONS)->request->versions.max;
    broker->mechanism = "PLAIN";
    arena_init(&broker->arena, (size_t)256 << 20);
    REQUIRE(
        listener_open(loop, &options, fake_on_accept, broker, &broker->listener, NULL) == RC_OK);
    broker->port = listener_port(broker->listener);
}

/* Closes the connections that are open, as a broker that dies; it goes on listening. */
static inline void
fake_drop_all(struct fake_broker *broker)
{
    for (size_t i = 0; i < broker->accepted; i++)
        fake_conn_close(broker->conns[i]);
}

static inline void
fake_stop(struct fake_broker *broker)
{
    fake_drop_all(broker);
    for (size_t i = 0; i < broker->accepted; i++) {
        if (broker->conns[i]->scram_open)
            scram_server_fini(&broker->conns[i]->scram);
        conn_frames_fini(&broker->conns[i]->frames);
        buf_fini(&broker->conns[i]->out);
        loop_timer_cancel(broker->loop, &broker->conns[i]->piece_timer);
        /* tcp is freed at the end of the round. */
        loop_defer(broker->loop, free, broker->conns[i]);
    }
    listener_close(broker->listener);
    arena_fini(&broker->arena);
}

#endif
