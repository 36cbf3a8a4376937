/* Area sec: logins by SASL, as they are seen on the wire (KIP-12, KIP-43, KIP-84, KIP-152), and
 * what is told of their secrets. */
#include <string.h>

#include "conformance/kc_login.h"
#include "conformance/kc_topic.h"
#include "lib/base/xalloc.h"
#include "lib/crypto/scram.h"
#include "lib/kafka/conn_sasl.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define TOKEN_BYTES_MAX ((size_t)65536)
#define CODE_AT_TOP_VERSION 13 /* of Metadata */

static const char *const mechanisms[] = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};

/* --- the handshake ------------------------------------------------------------------------------
 */

/* What the properties enable, in any order. */
static void
lists_mechanisms(struct kc *kc, const struct km_sasl_handshake_response *response)
{
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        bool is_there = false;

        for (int32_t k = 0; k < response->mechanisms.count; k++)
            is_there |= kc_topic_is_named(response->mechanisms.items[k], mechanisms[i]);
        kc_that(kc, is_there, "mechanism-missing", "%s among the mechanisms", mechanisms[i]);
    }
    kc_int(kc, "mechanisms_count", response->mechanisms.count, (int64_t)ARRAY_LEN(mechanisms));
}

static void
handshake_ok(struct kc *kc)
{
    const struct km_sasl_handshake_response *response =
        kc_login_handshake(kc, kc_link_new(kc, 0), "PLAIN");

    kc_code(kc, "error_code", response->error_code, KE_NONE);
    lists_mechanisms(kc, response);
}

static void
handshake_unknown(struct kc *kc)
{
    struct link *link = kc_link_new(kc, 0);
    const struct km_sasl_handshake_response *response = kc_login_handshake(kc, link, "FOO");

    kc_code(kc, "error_code", response->error_code, KE_UNSUPPORTED_SASL_MECHANISM);
    lists_mechanisms(kc, response);
    kc_closed(kc, link);
}

static struct km_metadata_request
metadata_body(void)
{
    struct km_metadata_request body;

    codec_init(&km_metadata_request_desc, &body);
    body.allow_auto_topic_creation = false;
    return body;
}

static void
request_before_auth(struct kc *kc)
{
    struct km_metadata_request body = metadata_body();
    struct link *link = kc_link_new(kc, 0);

    (void)kc_send(kc, link, KM_METADATA, kc_version(kc, KM_METADATA, KC_VERSION_MAX), &body);
    kc_closed(kc, link);
}

static void
apiversions_before_auth(struct kc *kc)
{
    struct km_api_versions_request body;
    const struct km_api_versions_response *response;
    struct link *link = kc_link_new(kc, 0);
    int16_t version = kc_version(kc, KM_API_VERSIONS, KC_VERSION_MAX);

    codec_init(&km_api_versions_request_desc, &body);
    body.client_software_name = kc_string("kdl");
    body.client_software_version = kc_string("1");
    response = kc_ask(kc, link, KM_API_VERSIONS, version, &body);
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    kc_that(kc, response->api_keys.count > 2, "no-apis", "the APIs that are served after a login");
    kc_code(kc, "SaslHandshake", kc_login_handshake(kc, link, "PLAIN")->error_code, KE_NONE);

    link = kc_link_new(kc, 0);
    response = kc_ask(kc, link, KM_API_VERSIONS, version, &body);
    kc_code(kc, "error_code", response->error_code, KE_NONE);
    (void)kc_send(kc, link, KM_API_VERSIONS, version, &body);
    kc_closed(kc, link);
}

static void
unexpected_api_during_auth(struct kc *kc)
{
    struct km_metadata_request body = metadata_body();
    struct link *link = kc_link_new(kc, 0);
    const struct km_metadata_response *response;

    kc_code(kc, "SaslHandshake", kc_login_handshake(kc, link, "PLAIN")->error_code, KE_NONE);
    response = kc_ask(kc, link, KM_METADATA, CODE_AT_TOP_VERSION, &body);
    kc_code(kc, "error_code", response->error_code, KE_ILLEGAL_SASL_STATE);
    kc_closed(kc, link);
}

/* --- PLAIN --------------------------------------------------------------------------------------
 */

/* The answer to the one token of PLAIN. */
static const struct km_sasl_authenticate_response *
plain(struct kc *kc, struct link *link, const char *user, const char *password)
{
    struct conn_sasl sasl;
    struct buf token;
    const struct km_sasl_authenticate_response *response;

    kc_code(kc, "SaslHandshake", kc_login_handshake(kc, link, "PLAIN")->error_code, KE_NONE);
    conn_sasl_init(&sasl, "PLAIN", user, password);
    buf_init(&token, TOKEN_BYTES_MAX);
    conn_sasl_first(&sasl, &token);
    response = kc_login_token(kc, link, token.data, token.size);
    buf_fini(&token);
    conn_sasl_fini(&sasl);
    return response;
}

static void
plain_ok(struct kc *kc)
{
    struct link *link = kc_link_new(kc, 0);
    const struct km_sasl_authenticate_response *response =
        plain(kc, link, KC_LOGIN_USER, KC_LOGIN_PASSWORD);

    kc_code(kc, "error_code", response->error_code, KE_NONE);
    kc_int(kc, "auth_bytes_size", response->auth_bytes.size, 0);
    kc_int(kc, "session_lifetime_ms", response->session_lifetime_ms, 0);
    kc_control_request(kc, link);
}

static void
plain_bad(struct kc *kc)
{
    struct link *of_user = kc_link_new(kc, 0), *of_nobody = kc_link_new(kc, 0);
    const struct km_sasl_authenticate_response *wrong = plain(kc, of_user, KC_LOGIN_USER, "wrong");
    const struct km_sasl_authenticate_response *unknown =
        plain(kc, of_nobody, kc->client_id, KC_LOGIN_PASSWORD);

    kc_code(kc, "wrong_password", wrong->error_code, KE_SASL_AUTHENTICATION_FAILED);
    kc_code(kc, "unknown_user", unknown->error_code, KE_SASL_AUTHENTICATION_FAILED);
    kc_that(kc,
        wrong->error_message.size == unknown->error_message.size &&
            (wrong->error_message.size <= 0 ||
                memcmp(wrong->error_message.data, unknown->error_message.data,
                    (size_t)wrong->error_message.size) == 0),
        "tells-users", "one message, whether there is such a user or not");
    kc_closed(kc, of_user);
    kc_closed(kc, of_nobody);
}

/* --- SCRAM --------------------------------------------------------------------------------------
 */

static void
scram(struct kc *kc, const char *mechanism)
{
    const struct kc_login login = {
        mechanism, kc_printf(kc, "%s-%s", kc->client_id, mechanism), "secret"};
    struct link *admin = kc_login_link(kc, 0);

    kc_login_set(kc, admin, &login);
    kc_control_request(kc, kc_login_await(kc, 0, &login, "error_code", KE_NONE));
    kc_login_unset(kc, admin, &login);
}

static void
scram256(struct kc *kc)
{
    scram(kc, "SCRAM-SHA-256");
}

static void
scram512(struct kc *kc)
{
    scram(kc, "SCRAM-SHA-512");
}

/* The server knows the user, so that it is the proof which it refuses. */
static void
scram_bad_proof(struct kc *kc)
{
    const struct kc_login login = {
        "SCRAM-SHA-256", kc_printf(kc, "%s-user", kc->client_id), "secret"};
    const struct km_sasl_authenticate_response *response;
    struct link *admin = kc_login_link(kc, 0), *link;
    struct scram_client client;
    struct buf token;
    struct err e;

    kc_login_set(kc, admin, &login);
    link_close(kc_login_await(kc, 0, &login, "SaslAuthenticate", KE_NONE));
    link = kc_link_new(kc, 0);
    kc_code(
        kc, "SaslHandshake", kc_login_handshake(kc, link, login.mechanism)->error_code, KE_NONE);
    scram_client_init(&client, DIGEST_SHA256, login.user, "wrong", NULL);
    buf_init(&token, TOKEN_BYTES_MAX);
    scram_client_first(&client, &token);
    response = kc_login_token(kc, link, token.data, token.size);
    kc_code(kc, "first", response->error_code, KE_NONE);
    buf_clear(&token);
    kc_that(kc,
        scram_client_final(&client, response->auth_bytes.data, (size_t)response->auth_bytes.size,
            &token, &e) == RC_OK,
        "bad-challenge", "nonce, salt and iterations");
    response = kc_login_token(kc, link, token.data, token.size);
    kc_code(kc, "error_code", response->error_code, KE_SASL_AUTHENTICATION_FAILED);
    kc_closed(kc, link);
    buf_fini(&token);
    scram_client_fini(&client);
    kc_login_unset(kc, admin, &login);
}

/* --- afterwards ---------------------------------------------------------------------------------
 */

static void
after_auth_handshake(struct kc *kc)
{
    struct link *link = kc_link_new(kc, 0);

    kc_code(kc, "SaslAuthenticate", kc_login_try(kc, link, &kc_login_admin), KE_NONE);
    kc_code(kc, "token_again", kc_login_token(kc, link, "x", 1)->error_code, KE_ILLEGAL_SASL_STATE);
    kc_code(kc, "handshake_again", kc_login_handshake(kc, link, "PLAIN")->error_code,
        KE_ILLEGAL_SASL_STATE);
    kc_control_request(kc, link);
}

/* --- secrets ------------------------------------------------------------------------------------
 */

/* The target was started with a password in the config of a login module. */
static void
no_secrets_in_describe_configs(struct kc *kc)
{
    enum { BROKER = 4, TYPE_PASSWORD = 9 };
    struct km_describe_configs_request body;
    struct km_describe_configs_request_resource resource;
    const struct km_describe_configs_response *response;
    struct link *link = kc_login_link(kc, 0);
    int32_t secrets = 0;

    codec_init(&km_describe_configs_request_desc, &body);
    codec_init(&km_describe_configs_request_resource_desc, &resource);
    resource.resource_type = BROKER;
    resource.resource_name = kc_string(kc_printf(kc, "%d", kc->target->brokers[0].id));
    resource.configuration_keys.count = -1;
    body.resources.items = &resource;
    body.resources.count = 1;
    body.include_synonyms = true;
    response = kc_ask(
        kc, link, KM_DESCRIBE_CONFIGS, kc_version(kc, KM_DESCRIBE_CONFIGS, KC_VERSION_MAX), &body);
    kc_int(kc, "results_count", response->results.count, 1);
    kc_code(kc, "DescribeConfigs", response->results.items[0].error_code, KE_NONE);
    for (int32_t i = 0; i < response->results.items[0].configs.count; i++) {
        const struct km_describe_configs_response_resource_result *config =
            &response->results.items[0].configs.items[i];

        if (config->config_type != TYPE_PASSWORD)
            continue;
        secrets++;
        kc_that(kc, config->is_sensitive && config->value.size < 0, "secret-told",
            "%.*s without its value", config->name.size, config->name.data);
        for (int32_t k = 0; k < config->synonyms.count; k++)
            kc_that(kc, config->synonyms.items[k].value.size < 0, "secret-told",
                "%.*s without its value", config->name.size, config->name.data);
    }
    kc_that(kc, secrets > 0, "no-passwords", "configs that are passwords");
}

/* --- the table ---------------------------------------------------------------------------------
 */

#define NEED_LOGINS                                                                                \
    {                                                                                              \
        CHECK_NEED(SASL_HANDSHAKE, 1), CHECK_NEED(SASL_AUTHENTICATE, 1),                           \
            CHECK_START(kc_login_properties)                                                       \
    }

#define NEED_SCRAM                                                                                 \
    {                                                                                              \
        CHECK_NEED(SASL_AUTHENTICATE, 1), CHECK_NEED(ALTER_USER_SCRAM_CREDENTIALS, 0),             \
            CHECK_START(kc_login_properties)                                                       \
    }

#define SOURCE "SaslServerAuthenticator"

static const struct check checks[] = {
    {"sasl.handshake_ok", "a handshake names the enabled mechanisms", SOURCE, CHECK_RAW, 0,
        NEED_LOGINS, handshake_ok},
    {"sasl.handshake_unknown",
        "a mechanism that is not enabled is 33, those that are are named, the connection closed",
        SOURCE, CHECK_RAW, 0, NEED_LOGINS, handshake_unknown},
    {"sasl.request_before_auth", "whoever has not logged in gets no answer, and is closed", SOURCE,
        CHECK_CORE | CHECK_RAW, 0, NEED_LOGINS, request_before_auth},
    {"sasl.apiversions_before_auth", "ApiVersions is answered before a login, once", SOURCE,
        CHECK_RAW, 0, NEED_LOGINS, apiversions_before_auth},
    {"sasl.unexpected_api_during_auth",
        "another API between handshake and token is 34, and the connection closed", SOURCE,
        CHECK_RAW, 0,
        {CHECK_NEED(SASL_HANDSHAKE, 1), CHECK_NEED(METADATA, CODE_AT_TOP_VERSION),
            CHECK_START(kc_login_properties)},
        unexpected_api_during_auth},
    {"sasl.plain_ok", "user and password log in, for ever", "PlainSaslServer",
        CHECK_CORE | CHECK_RAW, 0, NEED_LOGINS, plain_ok},
    {"sasl.plain_bad", "wrong users and wrong passwords are 58 in the same words, and closed",
        "PlainSaslServer", CHECK_CORE | CHECK_RAW, 0, NEED_LOGINS, plain_bad},
    {"sasl.scram256", "SCRAM-SHA-256 logs in, and the server proves that it knows the password",
        "KIP-84", CHECK_CORE | CHECK_RAW, 0, NEED_SCRAM, scram256},
    {"sasl.scram512", "SCRAM-SHA-512 logs in, and the server proves that it knows the password",
        "KIP-84", CHECK_RAW, 0, NEED_SCRAM, scram512},
    {"sasl.scram_bad_proof", "a wrong proof is 58, and the connection closed", "ScramSaslServer",
        CHECK_RAW, 0, NEED_SCRAM, scram_bad_proof},
    {"sec.no_secrets_in_describe_configs", "passwords are configs without a value", "KIP-226",
        CHECK_RAW, 0,
        {CHECK_NEED(DESCRIBE_CONFIGS, 3), CHECK_NEED(SASL_AUTHENTICATE, 0),
            CHECK_START(kc_login_properties)},
        no_secrets_in_describe_configs},
    {"sasl.after_auth_handshake", "a second login on a connection is 34, which stays open",
        "KafkaApis", CHECK_RAW, 0, NEED_LOGINS, after_auth_handshake},
};

const struct check_table c_sasl_table = CHECK_TABLE("sec", checks);
