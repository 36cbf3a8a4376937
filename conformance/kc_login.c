#include "conformance/kc_login.h"

#include <string.h>

#include "lib/crypto/digest.h"
#include "lib/kafka/conn_sasl.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define TOKEN_BYTES_MAX ((size_t)65536)
#define APPLY_MS 10000
#define ITERATIONS 4096
#define MODULES "org.apache.kafka.common.security."
#define JAAS(mechanism) "listener.name.plaintext." mechanism ".sasl.jaas.config=" MODULES
#define SCRAM_MODULE "scram.ScramLoginModule required;"

static const char salt[] = "kdl's own salt";

const char *const kc_login_properties[] = {
    "listener.security.protocol.map=PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT,"
    "INTERNAL:PLAINTEXT",
    "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    JAAS("plain") "plain.PlainLoginModule required user_" KC_LOGIN_USER "=\"" KC_LOGIN_PASSWORD
                  "\";",
    JAAS("scram-sha-256") SCRAM_MODULE,
    JAAS("scram-sha-512") SCRAM_MODULE,
    NULL,
};

const struct kc_login kc_login_admin = {"PLAIN", KC_LOGIN_USER, KC_LOGIN_PASSWORD};

/* --- one connection ----------------------------------------------------------------------------
 */

const struct km_sasl_handshake_response *
kc_login_handshake(struct kc *kc, struct link *link, const char *mechanism)
{
    struct km_sasl_handshake_request body;

    codec_init(&km_sasl_handshake_request_desc, &body);
    body.mechanism = kc_string(mechanism);
    return kc_ask(
        kc, link, KM_SASL_HANDSHAKE, kc_version(kc, KM_SASL_HANDSHAKE, KC_VERSION_MAX), &body);
}

const struct km_sasl_authenticate_response *
kc_login_token(struct kc *kc, struct link *link, const void *data, size_t size)
{
    struct km_sasl_authenticate_request body;

    codec_init(&km_sasl_authenticate_request_desc, &body);
    body.auth_bytes = (struct wire_bytes){data, (int32_t)size};
    return kc_ask(kc, link, KM_SASL_AUTHENTICATE,
        kc_version(kc, KM_SASL_AUTHENTICATE, KC_VERSION_MAX), &body);
}

int16_t
kc_login_try(struct kc *kc, struct link *link, const struct kc_login *login)
{
    const struct km_sasl_authenticate_response *response;
    struct conn_sasl sasl;
    bool done = false;
    struct buf token;
    struct err e;
    enum rc rc = RC_OK;

    kc_code(
        kc, "SaslHandshake", kc_login_handshake(kc, link, login->mechanism)->error_code, KE_NONE);
    conn_sasl_init(&sasl, login->mechanism, login->user, login->password);
    buf_init(&token, TOKEN_BYTES_MAX);
    conn_sasl_first(&sasl, &token);
    do {
        response = kc_login_token(kc, link, token.data, token.size);
        buf_clear(&token);
        if (response->error_code == KE_NONE)
            rc = conn_sasl_next(&sasl, response->auth_bytes.data, (size_t)response->auth_bytes.size,
                &token, &done, &e);
    } while (response->error_code == KE_NONE && rc == RC_OK && !done);
    buf_fini(&token);
    conn_sasl_fini(&sasl);
    if (rc != RC_OK)
        kc_fail(
            kc, "server-unproven", e.text, "a server that knows the password of %s", login->user);
    return response->error_code;
}

struct link *
kc_login_link(struct kc *kc, size_t broker)
{
    struct link *link;

    kc_setup_begin(kc);
    link = kc_link_new(kc, broker);
    kc_code(kc, "SaslAuthenticate", kc_login_try(kc, link, &kc_login_admin), KE_NONE);
    kc_setup_end(kc);
    return link;
}

struct link *
kc_login_await(
    struct kc *kc, size_t broker, const struct kc_login *login, const char *what, int16_t wanted)
{
    static const int16_t known[] = {KE_NONE, KE_SASL_AUTHENTICATION_FAILED};
    struct kc_wait wait = kc_wait_begin(kc, APPLY_MS);
    struct link *link = NULL;
    int16_t code;

    do {
        link_close(link);
        link = kc_link_new(kc, broker);
        code = kc_login_try(kc, link, login);
        kc_code_in(kc, what, code, known, 2);
    } while (code != wanted && !kc_wait_over(kc, &wait));
    kc_code(kc, what, code, wanted);
    return link;
}

/* --- users of SCRAM ----------------------------------------------------------------------------
 */

/* The number of ScramMechanism. */
static int8_t
mechanism_number(const struct kc_login *login)
{
    return strcmp(login->mechanism, "SCRAM-SHA-256") == 0 ? 1 : 2;
}

static void
alter(struct kc *kc, struct link *admin, const struct km_alter_user_scram_credentials_request *body)
{
    const struct km_alter_user_scram_credentials_response *response =
        kc_ask(kc, admin, KM_ALTER_USER_SCRAM_CREDENTIALS,
            kc_version(kc, KM_ALTER_USER_SCRAM_CREDENTIALS, KC_VERSION_MAX), body);

    kc_int(kc, "results_count", response->results.count, 1);
    kc_code(kc, "AlterUserScramCredentials", response->results.items[0].error_code, KE_NONE);
}

void
kc_login_set(struct kc *kc, struct link *admin, const struct kc_login *login)
{
    struct km_alter_user_scram_credentials_request body;
    struct km_alter_user_scram_credentials_request_scram_credential_upsertion one;
    int8_t mechanism = mechanism_number(login);
    enum digest_kind kind = mechanism == 1 ? DIGEST_SHA256 : DIGEST_SHA512;
    uint8_t salted[DIGEST_BYTES_MAX];

    digest_pbkdf2(kind, login->password, strlen(login->password), (const uint8_t *)salt,
        strlen(salt), ITERATIONS, salted);
    codec_init(&km_alter_user_scram_credentials_request_desc, &body);
    codec_init(&km_alter_user_scram_credentials_request_scram_credential_upsertion_desc, &one);
    one.name = kc_string(login->user);
    one.mechanism = mechanism;
    one.iterations = ITERATIONS;
    one.salt = kc_text_bytes(salt);
    one.salted_password = (struct wire_bytes){salted, (int32_t)digest_size(kind)};
    body.upsertions.items = &one;
    body.upsertions.count = 1;
    alter(kc, admin, &body);
}

void
kc_login_unset(struct kc *kc, struct link *admin, const struct kc_login *login)
{
    struct km_alter_user_scram_credentials_request body;
    struct km_alter_user_scram_credentials_request_scram_credential_deletion one;

    codec_init(&km_alter_user_scram_credentials_request_desc, &body);
    codec_init(&km_alter_user_scram_credentials_request_scram_credential_deletion_desc, &one);
    one.name = kc_string(login->user);
    one.mechanism = mechanism_number(login);
    body.deletions.items = &one;
    body.deletions.count = 1;
    alter(kc, admin, &body);
}
