/* Servers that answer everything alike. */
#include <string.h>

#include "conformance/mutants.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define ZEROS_BYTES 64

static void
closes(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    call->action = PROXY_CLOSE;
}

static void
silent(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    call->action = PROXY_SWALLOW;
}

static void
answer_zeros(struct proxy_call *call)
{
    uint8_t answer[FRAME_LENGTH_BYTES + ZEROS_BYTES] = {0, 0, 0, ZEROS_BYTES};

    codec_bytes_put_int32(answer + FRAME_LENGTH_BYTES, call->correlation_id);
    buf_append(&call->frame, answer, sizeof answer);
    call->action = PROXY_ANSWER;
}

static void
zeros(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    answer_zeros(call);
}

/* A right answer as far as the format goes: no error, and nothing in it. */
static void
empty(struct proxy *proxy, struct proxy_call *call)
{
    void *body =
        call->api == NULL ? NULL : arena_alloc(&call->arena, call->api->response->body->size);

    (void)proxy;
    if (body == NULL) {
        answer_zeros(call);
        return;
    }
    codec_init(call->api->response->body, body);
    if (frame_response_encode(
            call->api, call->version, call->correlation_id, body, &call->frame, NULL) == RC_OK)
        call->action = PROXY_ANSWER;
}

static void
echo(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    buf_append(&call->frame, call->asked.data, call->asked.size);
    call->action = PROXY_ANSWER;
}

/* Sets every error code of a struct and of those inside; as deep as the schema, which
 * kgen limits. */
static void
/* NOLINTNEXTLINE(misc-no-recursion) */
errors_set(const struct wire_struct *desc, int16_t version, uint8_t *object)
{
    const int16_t code = KE_UNKNOWN_SERVER_ERROR;

    REQUIRE(object != NULL);
    for (uint32_t i = 0; i < desc->field_count; i++) {
        const struct wire_field *field = &desc->fields[i];
        uint8_t *at = object + field->offset;
        struct wire_array array;
        void *inner = at;

        if (version < field->versions.min || version > field->versions.max)
            continue;
        if (strcmp(field->name, "error_code") == 0 && field->kind == WIRE_INT16)
            memcpy(at, &code, sizeof code);
        if (field->kind != WIRE_STRUCT)
            continue;
        if (field->is_array) {
            memcpy(&array, at, sizeof array);
            for (int32_t k = 0; k < array.count; k++)
                errors_set(
                    field->sub, version, (uint8_t *)array.items + (size_t)k * field->sub->size);
            continue;
        }
        if (field->is_pointer)
            memcpy(&inner, at, sizeof inner);
        if (inner != NULL)
            errors_set(field->sub, version, inner);
    }
}

static void
errors(struct proxy *proxy, struct proxy_call *call)
{
    (void)proxy;
    errors_set(call->api->response->body, call->version, call->response);
    call->is_changed = true;
}

static const struct mutants_null nulls[] = {
    {"closes", "closes every connection at its first request", {.on_request = closes}},
    {"silent", "never answers", {.on_request = silent, .keeps_garbage = true}},
    {"zeros", "answers with zeros", {.on_request = zeros, .keeps_garbage = true}},
    {"empty", "answers without error and without content",
        {.on_request = empty, .keeps_garbage = true}},
    {"echo", "sends every request back", {.on_request = echo, .keeps_garbage = true}},
    {"errors", "puts error -1 into every answer", {.on_response = errors, .keeps_garbage = true}},
};

size_t
mutants_null_count(void)
{
    return ARRAY_LEN(nulls);
}

const struct mutants_null *
mutants_null_at(size_t i)
{
    return &nulls[i];
}
