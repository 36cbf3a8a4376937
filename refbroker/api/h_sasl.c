/*
 * SASL: SaslHandshake and SaslAuthenticate (SaslServerAuthenticator, and for who has logged in or
 * need not, KafkaApis.handleSaslHandshakeRequest, handleSaslAuthenticateRequest: Kafka lists both
 * APIs there, too, and answers 34).
 */
#include "gen/messages.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/api/login_gate.h"
#include "refbroker/client.h"

/* The enabled ones; false: no memory. */
static bool
mechanisms_tell(
    const struct broker *broker, struct request *request, struct km_sasl_handshake_response *out)
{
    out->mechanisms.items =
        arena_array(&request->arena, SASL_MECHANISM_COUNT, sizeof *out->mechanisms.items);
    for (size_t i = 0; out->mechanisms.items != NULL && i < SASL_MECHANISM_COUNT; i++)
        if (broker->options.logins.enabled[i])
            out->mechanisms.items[out->mechanisms.count++] =
                request_text(logins_mechanism_name((enum sasl_mechanism)i));
    return out->mechanisms.items != NULL;
}

enum h_result
h_sasl_handshake(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_sasl_handshake_request *in = in_;
    struct km_sasl_handshake_response *out = out_;
    struct login *login = &request->client->login;
    enum sasl_mechanism mechanism = logins_mechanism_find(&broker->options.logins, in->mechanism);

    if (login->state == LOGIN_OVER) {
        out->error_code = KE_ILLEGAL_SASL_STATE;
        return H_DONE;
    }
    if (!mechanisms_tell(broker, request, out))
        return H_CLOSE;
    if (mechanism == SASL_MECHANISM_COUNT) {
        login_gate_tell(broker, request, "a mechanism that is not enabled");
        out->error_code = KE_UNSUPPORTED_SASL_MECHANISM;
        return login_gate_fail(broker, request, true);
    }
    login_choose(login, mechanism, request->header.api_version == 0);
    return H_DONE;
}

enum h_result
h_sasl_authenticate(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_sasl_authenticate_request *in = in_;
    struct km_sasl_authenticate_response *out = out_;
    struct login *login = &request->client->login;
    struct buf token;
    struct err e;
    enum rc rc;

    if (login->state == LOGIN_OVER) {
        out->error_code = KE_ILLEGAL_SASL_STATE;
        out->error_message =
            request_text("SaslAuthenticate request received after successful authentication");
        return H_DONE;
    }
    buf_init(&token, LOGIN_TOKEN_BYTES_MAX);
    rc = login_token(login, &broker->options.logins, &broker->scram_users, in->auth_bytes.data,
        (size_t)in->auth_bytes.size, &token, &e);
    out->auth_bytes.size = (int32_t)token.size;
    out->auth_bytes.data = arena_dup(&request->arena, token.data, token.size);
    buf_fini(&token);
    if (rc == RC_OK)
        return H_DONE;
    login_gate_tell(broker, request, e.text);
    out->error_code = KE_SASL_AUTHENTICATION_FAILED;
    out->error_message = request_text_dup(request, e.text);
    return login_gate_fail(broker, request, true);
}
