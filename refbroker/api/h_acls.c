/*
 * ACLs (KIP-140, KIP-290; AclApis): this broker has no authorizer, and says so as Kafka does
 * without one.
 */
#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"

#define NO_AUTHORIZER "No Authorizer is configured."

enum h_result
h_describe_acls(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    struct km_describe_acls_response *out = out_;

    (void)broker;
    (void)request;
    (void)in_;
    out->error_code = KE_SECURITY_DISABLED;
    out->error_message = request_text(NO_AUTHORIZER);
    return H_DONE;
}

enum h_result
h_create_acls(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_create_acls_request *in = in_;
    struct km_create_acls_response *out = out_;

    (void)broker;
    out->results.items = codec_array(
        &request->arena, &km_create_acls_response_acl_creation_result_desc, in->creations.count);
    if (out->results.items == NULL)
        return H_CLOSE;
    out->results.count = in->creations.count;
    for (int32_t i = 0; i < in->creations.count; i++) {
        out->results.items[i].error_code = KE_SECURITY_DISABLED;
        out->results.items[i].error_message = request_text(NO_AUTHORIZER);
    }
    return H_DONE;
}

enum h_result
h_delete_acls(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_delete_acls_request *in = in_;
    struct km_delete_acls_response *out = out_;

    (void)broker;
    out->filter_results.items = codec_array(
        &request->arena, &km_delete_acls_response_filter_result_desc, in->filters.count);
    if (out->filter_results.items == NULL)
        return H_CLOSE;
    out->filter_results.count = in->filters.count;
    for (int32_t i = 0; i < in->filters.count; i++) {
        out->filter_results.items[i].error_code = KE_SECURITY_DISABLED;
        out->filter_results.items[i].error_message = request_text(NO_AUTHORIZER);
    }
    return H_DONE;
}
