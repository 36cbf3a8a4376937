/*
 * Delegation tokens (KIP-48): there are none. A connection without authentication may not even ask
 * for them, which is what Kafka says first (DelegationTokenRequests, KafkaApis).
 */
#include "gen/messages.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"

enum h_result
h_create_delegation_token(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    struct km_create_delegation_token_response *out = out_;

    (void)broker;
    (void)in_;
    out->error_code = KE_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED;
    out->principal_type = request_text("User");
    out->principal_name = request_text("ANONYMOUS");
    (void)request;
    return H_DONE;
}

enum h_result
h_renew_delegation_token(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    struct km_renew_delegation_token_response *out = out_;

    (void)broker;
    (void)request;
    (void)in_;
    out->error_code = KE_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED;
    return H_DONE;
}

enum h_result
h_expire_delegation_token(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    struct km_expire_delegation_token_response *out = out_;

    (void)broker;
    (void)request;
    (void)in_;
    out->error_code = KE_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED;
    return H_DONE;
}

enum h_result
h_describe_delegation_token(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    struct km_describe_delegation_token_response *out = out_;

    (void)broker;
    (void)request;
    (void)in_;
    out->error_code = KE_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED;
    return H_DONE;
}
