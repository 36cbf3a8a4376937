#include "lib/kafka/conn_login.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/kafka/conn_hint.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

/* A token of ours is one message of SCRAM, or user and password. */
#define TOKEN_BYTES_MAX ((size_t)1 << 20)

/* Kafka's own clients log in anew after 85 to 95 % of a login's life. */
#define RENEW_PERCENT 85

void
conn_login_init(struct conn_login *login, struct loop *loop, const struct conf_client *conf,
    const char *address, struct conn_versions *versions)
{
    memset(login, 0, sizeof *login);
    login->loop = loop;
    login->conf = conf;
    login->address = address;
    login->versions = versions;
    buf_init(&login->token, TOKEN_BYTES_MAX);
}

static void
sasl_close(struct conn_login *login)
{
    if (login->sasl_open)
        conn_sasl_fini(&login->sasl);
    login->sasl_open = false;
    if (login->token.size > 0)
        digest_wipe(login->token.data, login->token.size);
    buf_clear(&login->token);
}

void
conn_login_fini(struct conn_login *login)
{
    sasl_close(login);
    buf_fini(&login->token);
}

static void
finish(struct conn_login *login, const struct err *e)
{
    sasl_close(login);
    login->end(login->arg, e);
}

static void
finish_with_note(struct conn_login *login, struct err *e)
{
    (void)err_note(e, "%s", login->address);
    finish(login, e);
}

static void
ask(struct conn_login *login, const struct wire_api *api, const void *body, bool raw,
    conn_done_fn *done)
{
    struct conn_request request = {.api = api,
        .body = body,
        .raw_reply = raw,
        .wanted = raw ? &login->version : NULL,
        .deadline_us = loop_now_us(login->loop) + login->conf->request_timeout_ms * 1000,
        .done = done,
        .arg = login};

    login->send(login->arg, &request);
}

static struct wire_string
text_view(const char *text)
{
    return (struct wire_string){text, (int32_t)strlen(text)};
}

/* --- SASL --------------------------------------------------------------------------------------
 */

static void on_authenticate(void *arg, struct conn_reply *reply, const struct err *e);

static void
authenticate(struct conn_login *login)
{
    struct km_sasl_authenticate_request *request = &login->request.authenticate;
    struct err e;

    if (buf_is_overflowed(&login->token)) {
        (void)err_set(&e, RC_LIMIT, "user and password are too long");
        finish_with_note(login, &e);
        return;
    }
    codec_init(&km_sasl_authenticate_request_desc, request);
    request->auth_bytes = (struct wire_bytes){login->token.data, (int32_t)login->token.size};
    ask(login, frame_api(KM_SASL_AUTHENTICATE), request, false, on_authenticate);
}

static void
on_authenticate(void *arg, struct conn_reply *reply, const struct err *e)
{
    struct conn_login *login = arg;
    const struct km_sasl_authenticate_response *response;
    struct err why = {.code = RC_OK};
    bool done = false;

    if (e->code != RC_OK)
        return;
    response = reply->response;
    if (response->error_code != KE_NONE) {
        (void)conn_hint_denied(login->conf, login->address, response, &why);
        finish(login, &why);
        return;
    }
    digest_wipe(login->token.data, login->token.size);
    buf_clear(&login->token);
    if (conn_sasl_next(&login->sasl, response->auth_bytes.data,
            response->auth_bytes.size > 0 ? (size_t)response->auth_bytes.size : 0, &login->token,
            &done, &why) != RC_OK) {
        finish_with_note(login, &why);
        return;
    }
    if (!done) {
        authenticate(login);
        return;
    }
    login->renew_us = 0;
    if (response->session_lifetime_ms > 0 && response->session_lifetime_ms < INT64_MAX / 100000)
        login->renew_us =
            loop_now_us(login->loop) + response->session_lifetime_ms * 1000 / 100 * RENEW_PERCENT;
    finish(login, &why);
}

static void
on_handshake(void *arg, struct conn_reply *reply, const struct err *e)
{
    struct conn_login *login = arg;
    const struct km_sasl_handshake_response *response;
    struct err why;

    if (e->code != RC_OK)
        return;
    response = reply->response;
    if (response->error_code != KE_NONE && login->is_again) {
        /* Kafka lets nobody log in anew within a second; a new connection can. */
        (void)err_set(&why, RC_CLOSED, "the login has expired");
        finish_with_note(login, &why);
        return;
    }
    if (response->error_code != KE_NONE) {
        (void)conn_hint_mechanism(login->conf, login->address, response, &why);
        finish(login, &why);
        return;
    }
    sasl_close(login);
    conn_sasl_init(&login->sasl, login->conf->mechanism, login->conf->user, login->conf->password);
    login->sasl_open = true;
    conn_sasl_first(&login->sasl, &login->token);
    authenticate(login);
}

static void
handshake(struct conn_login *login, bool is_again)
{
    struct km_sasl_handshake_request *request = &login->request.handshake;

    login->is_again = is_again;
    login->renew_us = 0;
    codec_init(&km_sasl_handshake_request_desc, request);
    request->mechanism = text_view(login->conf->mechanism);
    ask(login, frame_api(KM_SASL_HANDSHAKE), request, false, on_handshake);
}

void
conn_login_again(struct conn_login *login)
{
    handshake(login, true);
}

/* --- ApiVersions -------------------------------------------------------------------------------
 */

static void on_versions(void *arg, struct conn_reply *reply, const struct err *e);

static void
versions_ask(struct conn_login *login, int16_t version)
{
    struct km_api_versions_request *request = &login->request.versions;

    codec_init(&km_api_versions_request_desc, request);
    request->client_software_name = text_view("kdl");
    request->client_software_version = text_view(KDL_VERSION);
    login->version = (struct wire_range){version, version};
    ask(login, frame_api(KM_API_VERSIONS), request, true, on_versions);
}

/* The version to try next after one that the broker does not know; it answers in version 0 and
 * says (since KIP-511) which ones it knows. */
static int16_t
versions_next(const struct km_api_versions_response *response)
{
    int16_t ours = frame_api(KM_API_VERSIONS)->request->versions.max;

    for (int32_t i = 0; i < response->api_keys.count; i++)
        if (response->api_keys.items[i].api_key == KM_API_VERSIONS) {
            int16_t theirs = response->api_keys.items[i].max_version;

            return theirs < ours ? theirs : ours;
        }
    return 0;
}

static void
on_versions(void *arg, struct conn_reply *reply, const struct err *e)
{
    struct conn_login *login = arg;
    const struct wire_api *api = frame_api(KM_API_VERSIONS);
    const struct km_api_versions_response *response;
    struct err why = {.code = RC_OK};
    bool unknown;

    if (e->code != RC_OK)
        return;
    unknown = reply->frame->size >= 6 &&
              codec_bytes_int16(reply->frame->data + 4) == KE_UNSUPPORTED_VERSION;
    if (conn_reply_decode(reply, api, unknown ? 0 : login->version.max, &why) != RC_OK) {
        (void)err_note(&why, "it does not answer ApiVersions as a Kafka broker does");
        finish_with_note(login, &why);
        return;
    }
    response = reply->response;
    if (unknown && versions_next(response) >= 0 && versions_next(response) < login->version.max) {
        versions_ask(login, versions_next(response));
        return;
    }
    if (response->error_code != KE_NONE) {
        (void)err_set(
            &why, RC_REMOTE, "it answers ApiVersions with %s", kerr_name(response->error_code));
        finish_with_note(login, &why);
        return;
    }
    conn_versions_load(login->versions, response);
    if (login->conf->with_sasl)
        handshake(login, false);
    else
        finish(login, &why);
}

void
conn_login_start(struct conn_login *login)
{
    const struct wire_api *api = frame_api(KM_API_VERSIONS);

    /* Nothing is known of the broker yet but that it has to understand this question. */
    login->versions->ranges[api - km_apis] = api->request->versions;
    versions_ask(login, api->request->versions.max);
}

int64_t
conn_login_renew_us(const struct conn_login *login)
{
    return login->renew_us;
}

bool
conn_login_is_due(const struct conn_login *login)
{
    return login->renew_us > 0 && loop_now_us(login->loop) >= login->renew_us;
}
