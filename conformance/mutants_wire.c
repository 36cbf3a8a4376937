/* Mutants of area wire: frames, headers, what should close. */
#include <string.h>

#include "conformance/mutants.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"

#define CORRELATION_AT FRAME_LENGTH_BYTES
#define BODY_AT (FRAME_LENGTH_BYTES + 4)
#define LOST_NUMBER 7

/* Takes `gone` bytes out of a frame and puts others there; the length follows. */
static void
frame_splice(struct buf *frame, size_t at, size_t gone, const void *data, size_t size)
{
    struct buf out;

    buf_init(&out, frame->size_max);
    buf_append(&out, frame->data, at);
    buf_append(&out, data, size);
    buf_append(&out, frame->data + at + gone, frame->size - at - gone);
    codec_bytes_put_int32(out.data, (int32_t)(out.size - FRAME_LENGTH_BYTES));
    buf_fini(frame);
    *frame = out;
}

void
mutants_wire_correlation(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    if (call->api_key == KM_METADATA)
        codec_bytes_put_int32(call->frame.data + CORRELATION_AT,
            call->correlation_id == INT32_MAX ? INT32_MIN : call->correlation_id + 1);
}

void
mutants_wire_swap(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    if (call->api_key == KM_FETCH)
        call->action = PROXY_HOLD;
}

void
mutants_wire_header(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    if (call->api_key == KM_API_VERSIONS && call->version >= 3)
        frame_splice(&call->frame, BODY_AT, 0, "", 1);
}

void
mutants_wire_no_header_tags(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    if (call->api_key == KM_LIST_GROUPS && codec_is_flexible(call->api->response, call->version))
        frame_splice(&call->frame, BODY_AT, 1, "", 0);
}

void
mutants_wire_no_own_range(struct proxy *proxy, struct proxy_call *call)
{
    struct km_api_versions_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_API_VERSIONS || call->asked_version == call->version)
        return;
    response->api_keys.count = 0;
    call->is_changed = true;
}

void
mutants_wire_future_plain(struct proxy *proxy, struct proxy_call *call)
{
    struct km_api_versions_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_API_VERSIONS || call->asked_version == call->version)
        return;
    response->error_code = 0;
    call->is_changed = true;
}

void
mutants_wire_min_above_max(struct proxy *proxy, struct proxy_call *call)
{
    struct km_api_versions_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_API_VERSIONS)
        return;
    response->api_keys.items[3].min_version = INT16_MAX;
    call->is_changed = true;
}

void
mutants_wire_extra_byte(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    if (call->api_key == KM_LIST_GROUPS)
        frame_splice(&call->frame, call->frame.size, 0, "", 1);
}

void
mutants_wire_keeps_version(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    if (call->api == NULL && frame_api(call->api_key) != NULL)
        call->action = PROXY_SWALLOW;
}

void
mutants_wire_answers_version(struct proxy *proxy, struct proxy_call *call)
{
    uint8_t answer[10] = {0, 0, 0, 6};

    (void)proxy;
    if (call->api != NULL || frame_api(call->api_key) == NULL)
        return;
    codec_bytes_put_int32(answer + CORRELATION_AT, call->correlation_id);
    codec_bytes_put_int16(answer + BODY_AT, 35);
    buf_append(&call->frame, answer, sizeof answer);
    call->action = PROXY_ANSWER;
}

void
mutants_wire_keeps_key(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    if (frame_api(call->api_key) == NULL)
        call->action = PROXY_SWALLOW;
}

void
mutants_wire_keeps_body(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    if (call->api != NULL && call->request == NULL)
        call->action = PROXY_SWALLOW;
}

/* The rule itself says that bytes which are no frame are kept. */
void
mutants_wire_keeps_garbage(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    (void)call;
}

void
mutants_wire_keeps_negative(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    (void)call;
}

void
mutants_wire_greets(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    (void)call;
}

/* A body with tags that the codec passes over is longer than what the codec makes of it. */
void
mutants_wire_strict_tags(struct proxy *proxy, struct proxy_call *call)
{
    struct frame_request header;
    size_t size;

    (void)proxy;
    if (call->request != NULL &&
        frame_request_decode(call->asked.data + FRAME_LENGTH_BYTES,
            call->asked.size - FRAME_LENGTH_BYTES, &header, NULL) == RC_OK &&
        codec_measure(call->api->request, call->version, call->request, &size, NULL) == RC_OK &&
        call->asked.size > FRAME_LENGTH_BYTES + header.header_size + size)
        call->action = PROXY_CLOSE;
}

void
mutants_wire_loses(struct proxy *proxy, struct proxy_call *call)
{
    if (call->api_key == KM_PRODUCE && ++proxy->notes[0] == LOST_NUMBER)
        call->action = PROXY_SWALLOW;
}

void
mutants_wire_any_software(struct proxy *proxy, struct proxy_call *call)
{
    struct km_api_versions_response *response = call->response;

    (void)proxy;
    if (call->api_key != KM_API_VERSIONS)
        return;
    response->error_code = 0;
    call->is_changed = true;
}
