#include "refbroker/api/dispatch.h"

#include <stddef.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/api/login_gate.h"
#include "refbroker/client.h"

struct api_row {
    int16_t key;
    h_fn *handler;
    bool optional;
    size_t option; /* in struct broker_options, a bool */
};

static const struct api_row rows[] = {
#define API(key, handler) {KM_##key, handler, false, 0},
#define API_IF(option, key, handler)                                                               \
    {KM_##key, handler, true, offsetof(struct broker_options, option)},
#include "refbroker/api/apis.def"
#undef API
#undef API_IF
};

/* What librdkafka before 2.x needs to see, although nothing below 3 is served (KAFKA-18659). */
#define PRODUCE_VERSION_SHOWN_MIN 0

static bool
is_served(const struct broker *broker, const struct api_row *row)
{
    bool on = true;

    if (row->optional)
        memcpy(&on, (const char *)&broker->options + row->option, sizeof on);
    return on;
}

static h_fn *
handler_of(const struct broker *broker, int16_t key)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].key == key)
            return is_served(broker, &rows[i]) ? rows[i].handler : NULL;
    return NULL;
}

static int16_t
version_max(const struct broker *broker, const struct wire_message *message)
{
    bool hidden = message->last_unstable && !broker->options.unstable_apis;

    return (int16_t)(message->versions.max - (hidden ? 1 : 0));
}

const struct wire_api *
dispatch_apis(const struct broker *broker, size_t index, int16_t *min, int16_t *max)
{
    for (size_t i = 0; i < KM_API_COUNT; i++) {
        if (handler_of(broker, km_apis[i].key) == NULL || index-- > 0)
            continue;
        *min = km_apis[i].request->versions.min;
        if (km_apis[i].key == KM_PRODUCE)
            *min = PRODUCE_VERSION_SHOWN_MIN;
        *max = version_max(broker, km_apis[i].request);
        return &km_apis[i];
    }
    return NULL;
}

/* The answer to an ApiVersions of a version that is not known: code 35 in version 0, with the range
 * that is. */
static enum h_result
api_versions_unknown(const struct broker *broker, struct request *request)
{
    struct km_api_versions_response *out;
    struct km_api_versions_response_api_version *self;

    request->header.api = frame_api(KM_API_VERSIONS);
    request->header.api_version = 0;
    out = codec_array(&request->arena, &km_api_versions_response_desc, 1);
    self = codec_array(&request->arena, &km_api_versions_response_api_version_desc, 1);
    REQUIRE(out != NULL && self != NULL);
    out->error_code = KE_UNSUPPORTED_VERSION;
    self->api_key = KM_API_VERSIONS;
    self->min_version = request->header.api->request->versions.min;
    self->max_version = version_max(broker, request->header.api->request);
    out->api_keys.items = self;
    out->api_keys.count = 1;
    request->out = out;
    return H_DONE;
}

static enum h_result
unreadable(struct broker *broker, struct request *request, int64_t *counter, const struct err *e)
{
    (void)broker;
    ++*counter;
    log_info("CON-REQUEST", "%s: %s; closed", request->client->client_host, e->text);
    return H_CLOSE;
}

enum h_result
dispatch_start(struct broker *broker, struct request *request)
{
    struct frame_request *header = &request->header;
    struct stats *stats = &broker->stats;
    const struct wire_api *api;
    enum login_verdict verdict;
    h_fn *handler;
    struct err e;
    enum rc rc;

    stats->requests_total++;
    if (request->client->login.state == LOGIN_RAW_TOKENS)
        return login_gate_token(broker, request);
    rc = frame_request_decode(request->frame->data, request->frame->size, header, &e);
    api = header->api;
    verdict = login_judge(&request->client->login, header->api_key);
    if (verdict == LOGIN_CLOSES) {
        login_gate_tell(broker, request, "a request that begins no login");
        return H_CLOSE;
    }
    if (rc == RC_UNSUPPORTED && header->api_key == KM_API_VERSIONS && verdict == LOGIN_SERVES)
        return api_versions_unknown(broker, request);
    handler = handler_of(broker, header->api_key);
    if (rc == RC_OK && (handler == NULL || header->api_version > version_max(broker, api->request)))
        rc = err_set(&e, RC_UNSUPPORTED, "%s v%d is not served", api->name, header->api_version);
    if (rc != RC_OK)
        return unreadable(broker, request,
            rc == RC_UNSUPPORTED ? &stats->requests_unsupported_total
                                 : &stats->requests_malformed_total,
            &e);
    request->in = arena_alloc(&request->arena, api->request->body->size);
    request->out = codec_array(&request->arena, api->response->body, 1);
    rc = codec_decode(api->request, header->api_version, request->frame->data + header->header_size,
        request->frame->size - header->header_size, &request->arena, request->in, NULL, &e);
    if (rc != RC_OK)
        return unreadable(broker, request,
            rc == RC_LIMIT ? &stats->requests_limited_total : &stats->requests_malformed_total, &e);
    return verdict == LOGIN_REFUSES ? login_gate_refuse(broker, request)
                                    : handler(broker, request, request->in, request->out);
}

bool
dispatch_finish(struct broker *broker, struct request *request)
{
    struct err e;
    enum rc rc;

    if (request->pieces != NULL)
        return true;
    if (arena_is_full(&request->arena)) {
        broker->stats.requests_limited_total++;
        log_warn("REQ-LIMIT", "%s v%d needs more memory than allowed; connection closed",
            request->header.api->name, request->header.api_version);
        return false;
    }
    rc = frame_response_gather(request->header.api, request->header.api_version,
        request->header.correlation_id, request->out, &request->head, &request->arena,
        &request->pieces, &request->piece_count, &e);
    if (rc == RC_OK)
        return true;
    log_error("REQ-ENCODE", "answer to %s v%d: %s; connection closed", request->header.api->name,
        request->header.api_version, e.text);
    return false;
}
