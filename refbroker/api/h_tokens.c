/*
 * Delegation tokens (KIP-48): there are none. A connection without authentication may not even ask
 * for them, which is what Kafka says first (DelegationTokenRequests, KafkaApis).
 */
#include "gen/messages.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/client.h"

/* What Kafka says without delegation.token.secret.key. */
static int16_t
refusal(const struct request *request)
{
    return request->client->login.user == NULL ? KE_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED
                                               : KE_DELEGATION_TOKEN_AUTH_DISABLED;
}

enum h_result
h_create_delegation_token(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    struct km_create_delegation_token_response *out = out_;
    struct wire_string *type = request_answer_member(request, "token_requester_principal_type");
    struct wire_string *name = request_answer_member(request, "token_requester_principal_name");

    (void)broker;
    (void)in_;
    out->error_code = refusal(request);
    out->principal_type = request_text("User");
    out->principal_name = client_user(request->client);
    if (type != NULL && name != NULL) {
        *type = out->principal_type;
        *name = out->principal_name;
    }
    return H_DONE;
}

enum h_result
h_renew_delegation_token(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    struct km_renew_delegation_token_response *out = out_;

    (void)broker;
    (void)in_;
    out->error_code = refusal(request);
    return H_DONE;
}

enum h_result
h_expire_delegation_token(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    struct km_expire_delegation_token_response *out = out_;

    (void)broker;
    (void)in_;
    out->error_code = refusal(request);
    return H_DONE;
}

enum h_result
h_describe_delegation_token(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    struct km_describe_delegation_token_response *out = out_;

    (void)broker;
    (void)in_;
    out->error_code = refusal(request);
    return H_DONE;
}
