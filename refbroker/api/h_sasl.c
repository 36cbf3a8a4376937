/*
 * SASL (KafkaApis.handleSaslHandshakeRequest, handleSaslAuthenticateRequest): this listener is
 * plain, so nobody has anything to authenticate here. Kafka lists both APIs there, too, and answers
 * so.
 */
#include "gen/messages.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"

enum h_result
h_sasl_handshake(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    struct km_sasl_handshake_response *out = out_;

    (void)broker;
    (void)request;
    (void)in_;
    out->error_code = KE_ILLEGAL_SASL_STATE;
    return H_DONE;
}

enum h_result
h_sasl_authenticate(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    struct km_sasl_authenticate_response *out = out_;

    (void)broker;
    (void)request;
    (void)in_;
    out->error_code = KE_ILLEGAL_SASL_STATE;
    out->error_message =
        request_text("SaslAuthenticate request received after successful authentication");
    return H_DONE;
}
