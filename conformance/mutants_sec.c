/* Mutants of area sec, and of what administrators set about users and access. */
#include <string.h>

#include "conformance/mutants.h"
#include "lib/crypto/digest.h"
#include "lib/wire/kerr.h"

/* --- logins ------------------------------------------------------------------------------------
 */

static struct km_sasl_handshake_response *
handshake_answer(struct proxy_call *call)
{
    if (call->api_key != KM_SASL_HANDSHAKE)
        return NULL;
    call->is_changed = true;
    return call->response;
}

static struct km_sasl_authenticate_response *
token_answer(struct proxy_call *call)
{
    if (call->api_key != KM_SASL_AUTHENTICATE)
        return NULL;
    call->is_changed = true;
    return call->response;
}

void
mutants_sec_names_no_mechanisms(struct proxy *proxy, struct proxy_call *call)
{
    struct km_sasl_handshake_response *response = handshake_answer(call);

    (void)proxy;
    if (response != NULL && response->error_code == KE_NONE)
        response->mechanisms.count = 0;
}

void
mutants_sec_any_mechanism(struct proxy *proxy, struct proxy_call *call)
{
    struct km_sasl_handshake_response *response = handshake_answer(call);

    (void)proxy;
    if (response != NULL && response->error_code == KE_UNSUPPORTED_SASL_MECHANISM)
        response->error_code = KE_NONE;
}

/* A stranger is whoever was not the last one to begin a login. */
void
mutants_sec_keeps_strangers(struct proxy *proxy, struct proxy_call *call)
{
    int64_t client = (int64_t)(intptr_t)call->client;

    if (call->api_key == KM_SASL_HANDSHAKE)
        proxy->notes[0] = client;
    else if (call->api_key == KM_METADATA && proxy->notes[0] != client)
        call->action = PROXY_SWALLOW;
}

/* The check asks on two connections, of which the second one asks twice. */
void
mutants_sec_keeps_askers(struct proxy *proxy, struct proxy_call *call)
{
    enum { TWICE_NUMBER = 3 };

    if (call->api_key == KM_API_VERSIONS && ++proxy->notes[0] == TWICE_NUMBER)
        call->action = PROXY_SWALLOW;
}

void
mutants_sec_any_order(struct proxy *proxy, struct proxy_call *call)
{
    struct km_metadata_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_METADATA || response->error_code != KE_ILLEGAL_SASL_STATE)
        return;
    response->error_code = KE_NONE;
    call->is_changed = true;
}

void
mutants_sec_short_sessions(struct proxy *proxy, struct proxy_call *call)
{
    struct km_sasl_authenticate_response *response = token_answer(call);

    (void)proxy;
    if (response != NULL)
        response->session_lifetime_ms = 1000;
}

void
mutants_sec_lets_in(struct proxy *proxy, struct proxy_call *call)
{
    struct km_sasl_authenticate_response *response = token_answer(call);

    (void)proxy;
    if (response != NULL && response->error_code == KE_SASL_AUTHENTICATION_FAILED)
        response->error_code = KE_NONE;
}

/* Whom the broker does not know yet it refuses at the first message; the proof, which begins with
 * c=, is in the last one. */
void
mutants_sec_takes_any_proof(struct proxy *proxy, struct proxy_call *call)
{
    const struct km_sasl_authenticate_request *request = call->request;

    if (call->api_key == KM_SASL_AUTHENTICATE && request != NULL && request->auth_bytes.size > 0 &&
        request->auth_bytes.data[0] == 'c')
        mutants_sec_lets_in(proxy, call);
}

void
mutants_sec_tells_users(struct proxy *proxy, struct proxy_call *call)
{
    static const char message[] = "no such user";
    struct km_sasl_authenticate_response *response = token_answer(call);

    if (response != NULL && response->error_code == KE_SASL_AUTHENTICATION_FAILED &&
        proxy->notes[0]++ > 0)
        response->error_message = (struct wire_string){message, (int32_t)strlen(message)};
}

/* The last answer of SCRAM is v= and the signature. */
void
mutants_sec_signs_wrong(struct proxy *proxy, struct proxy_call *call)
{
    static uint8_t copy[256];
    struct km_sasl_authenticate_response *response = token_answer(call);

    (void)proxy;
    if (response == NULL || response->auth_bytes.size < 3 ||
        (size_t)response->auth_bytes.size > sizeof copy || response->auth_bytes.data[0] != 'v')
        return;
    memcpy(copy, response->auth_bytes.data, (size_t)response->auth_bytes.size);
    copy[2] = copy[2] == 'A' ? 'B' : 'A';
    response->auth_bytes.data = copy;
}

void
mutants_sec_proves_nothing(struct proxy *proxy, struct proxy_call *call)
{
    struct km_sasl_authenticate_response *response = token_answer(call);

    (void)proxy;
    if (response != NULL && response->auth_bytes.size > 0 && response->auth_bytes.data[0] == 'v')
        response->auth_bytes.size = 0;
}

void
mutants_sec_again_is_fine(struct proxy *proxy, struct proxy_call *call)
{
    struct km_sasl_authenticate_response *response = token_answer(call);

    (void)proxy;
    if (response != NULL && response->error_code == KE_ILLEGAL_SASL_STATE)
        response->error_code = KE_NONE;
}

/* The value of the last config of type PASSWORD that has none. */
void
mutants_sec_tells_passwords(struct proxy *proxy, struct proxy_call *call)
{
    enum { TYPE_PASSWORD = 9 };
    static const char told[] = "secret";
    struct km_describe_configs_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_DESCRIBE_CONFIGS || response->results.count == 0)
        return;
    for (int32_t i = response->results.items[0].configs.count; i-- > 0;) {
        struct km_describe_configs_response_resource_result *config =
            &response->results.items[0].configs.items[i];

        if (config->config_type != TYPE_PASSWORD)
            continue;
        config->value = (struct wire_string){told, (int32_t)strlen(told)};
        call->is_changed = true;
        return;
    }
}

/* --- users and access --------------------------------------------------------------------------
 */

/* Whatever password a user is given, it is the first one. */
void
mutants_sec_first_password(struct proxy *proxy, struct proxy_call *call)
{
    static uint8_t first[DIGEST_BYTES_MAX];
    struct km_alter_user_scram_credentials_request *request = call->request;
    struct wire_bytes *salted;

    if (call->api_key != KM_ALTER_USER_SCRAM_CREDENTIALS || request == NULL ||
        request->upsertions.count == 0)
        return;
    salted = &request->upsertions.items[0].salted_password;
    if (proxy->notes[0] == 0 && (size_t)salted->size <= sizeof first) {
        memcpy(first, salted->data, (size_t)salted->size);
        proxy->notes[0] = salted->size;
    } else if (salted->size == proxy->notes[0]) {
        salted->data = first;
        call->is_changed = true;
    }
}

void
mutants_sec_forgets_prefixes(struct proxy *proxy, struct proxy_call *call)
{
    enum { MATCH = 2, LITERAL = 3 };
    struct km_describe_acls_request *request = call->request;

    (void)proxy;
    if (call->api_key != KM_DESCRIBE_ACLS || request == NULL ||
        request->pattern_type_filter != MATCH)
        return;
    request->pattern_type_filter = LITERAL;
    call->is_changed = true;
}

void
mutants_sec_deletes_silently(struct proxy *proxy, struct proxy_call *call)
{
    struct km_delete_acls_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_DELETE_ACLS || response->filter_results.count == 0)
        return;
    response->filter_results.items[0].matching_acls.count = 0;
    call->is_changed = true;
}
