/*
 * f_frame: requests as a broker reads them, responses as a client does.
 *
 * Input: one byte; odd: a response, and three bytes choose API and version; even: a request, which
 * says so itself. The rest is the frame without its length.
 */
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"

#define OBJECT_BYTES_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena arena;
static struct buf out;

static void
request_read(const uint8_t *data, size_t size)
{
    _Alignas(max_align_t) uint8_t body[OBJECT_BYTES_MAX];
    struct frame_request request;
    char client_id[INT16_MAX + 1];
    enum rc rc = frame_request_decode(data, size, &request, NULL);

    REQUIRE(rc == RC_OK || rc == RC_TRUNCATED || rc == RC_PROTOCOL || rc == RC_UNSUPPORTED);
    if (rc != RC_OK)
        return;
    REQUIRE(request.header_size <= size && request.api->request->body->size <= sizeof body);
    rc = codec_decode(request.api->request, request.api_version, data + request.header_size,
        size - request.header_size, &arena, body, NULL, NULL);
    if (rc != RC_OK)
        return;
    if (request.client_id.size > 0) {
        memcpy(client_id, request.client_id.data, (size_t)request.client_id.size);
        client_id[request.client_id.size] = '\0';
    } else {
        client_id[0] = '\0';
    }
    buf_clear(&out);
    REQUIRE(frame_request_encode(request.api, request.api_version, request.correlation_id,
                request.client_id.size < 0 ? NULL : client_id, body, &out, NULL) == RC_OK);
    REQUIRE(frame_request_decode(out.data + FRAME_LENGTH_BYTES, out.size - FRAME_LENGTH_BYTES,
                &request, NULL) == RC_OK);
}

static void
response_read(const uint8_t *data, size_t size)
{
    _Alignas(max_align_t) uint8_t body[OBJECT_BYTES_MAX];
    const struct wire_api *api = &km_apis[(size_t)(data[0] << 8 | data[1]) % KM_API_COUNT];
    struct wire_range versions = api->response->versions;
    int16_t version;
    int32_t correlation_id, back;
    enum rc rc;

    if (versions.max < versions.min)
        return;
    version = (int16_t)(versions.min + data[2] % (versions.max - versions.min + 1));
    REQUIRE(api->response->body->size <= sizeof body);
    rc = frame_response_decode(
        api, version, data + 3, size - 3, &correlation_id, &arena, body, NULL);
    REQUIRE(rc == RC_OK || rc == RC_TRUNCATED || rc == RC_PROTOCOL);
    if (rc != RC_OK)
        return;
    buf_clear(&out);
    REQUIRE(frame_response_encode(api, version, correlation_id, body, &out, NULL) == RC_OK);
    REQUIRE(frame_response_decode(api, version, out.data + FRAME_LENGTH_BYTES,
                out.size - FRAME_LENGTH_BYTES, &back, &arena, body, NULL) == RC_OK);
    REQUIRE(back == correlation_id);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (out.size_max == 0) {
        arena_init(&arena, (size_t)1 << 28);
        buf_init(&out, (size_t)1 << 24);
    }
    arena_reset(&arena);
    if (size >= 4 && data[0] % 2 == 1)
        response_read(data + 1, size - 1);
    else if (size >= 1)
        request_read(data + 1, size - 1);
    return 0;
}
