#include "lib/wire/frame.h"

#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"

#define FIXED_HEADER_BYTES 8

const struct wire_api *
frame_api(int16_t key)
{
    size_t low = 0, high = KM_API_COUNT;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (km_apis[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < KM_API_COUNT && km_apis[low].key == key ? &km_apis[low] : NULL;
}

static int16_t
request_header_version(const struct wire_api *api, int16_t version)
{
    return codec_is_flexible(api->request, version) ? 2 : 1;
}

static int16_t
response_header_version(const struct wire_api *api, int16_t version)
{
    return api->key != KM_API_VERSIONS && codec_is_flexible(api->response, version) ? 1 : 0;
}

enum rc
frame_request_decode(const void *data, size_t size, struct frame_request *out, struct err *e)
{
    struct km_request_header header;
    struct arena none;
    enum rc rc;

    memset(out, 0, sizeof *out);
    if (size < FIXED_HEADER_BYTES)
        return err_set(e, RC_TRUNCATED, "a request of %zu bytes has no room for its header", size);
    out->api_key = codec_bytes_int16(data);
    out->api_version = codec_bytes_int16((const uint8_t *)data + 2);
    out->correlation_id = codec_bytes_int32((const uint8_t *)data + 4);
    out->api = frame_api(out->api_key);
    if (out->api == NULL)
        return err_set(e, RC_UNSUPPORTED, "API key %d is unknown", out->api_key);
    if (!codec_has_version(out->api->request, out->api_version))
        return err_set(e, RC_UNSUPPORTED, "%s has no version %d", out->api->name, out->api_version);
    /* The header has no arrays, so decoding it needs no memory. */
    arena_init(&none, 0);
    rc =
        codec_decode(&km_request_header_message, request_header_version(out->api, out->api_version),
            data, size, &none, &header, &out->header_size, e);
    out->client_id = header.client_id;
    arena_fini(&none);
    return rc;
}

/* Writes the length over the four bytes that stand at `start`. */
static void
length_patch(struct buf *out, size_t start, size_t size)
{
    codec_bytes_put_int32(out->data + start, (int32_t)(size - start - FRAME_LENGTH_BYTES));
}

enum rc
frame_request_encode(const struct wire_api *api, int16_t version, int32_t correlation_id,
    const char *client_id, const void *body, struct buf *out, struct err *e)
{
    static const uint8_t no_length[FRAME_LENGTH_BYTES];
    struct km_request_header header;
    size_t start = out->size;
    enum rc rc;

    codec_init(&km_request_header_desc, &header);
    header.request_api_key = api->key;
    header.request_api_version = version;
    header.correlation_id = correlation_id;
    if (client_id == NULL)
        header.client_id = (struct wire_string){NULL, -1};
    else
        header.client_id = (struct wire_string){client_id, (int32_t)strlen(client_id)};
    buf_append(out, no_length, sizeof no_length);
    rc = codec_encode(
        &km_request_header_message, request_header_version(api, version), &header, out, e);
    if (rc == RC_OK)
        rc = codec_encode(api->request, version, body, out, e);
    if (rc == RC_OK && out->size - start > INT32_MAX)
        rc = err_set(e, RC_LIMIT, "a request of %zu bytes is too large", out->size - start);
    if (rc != RC_OK) {
        out->size = start;
        return rc;
    }
    length_patch(out, start, out->size);
    return RC_OK;
}

enum rc
frame_response_decode(const struct wire_api *api, int16_t version, const void *data, size_t size,
    int32_t *correlation_id, struct arena *arena, void *body, struct err *e)
{
    struct km_response_header header;
    size_t used;
    enum rc rc = codec_decode(&km_response_header_message, response_header_version(api, version),
        data, size, arena, &header, &used, e);

    if (rc != RC_OK)
        return rc;
    *correlation_id = header.correlation_id;
    return codec_decode(
        api->response, version, (const uint8_t *)data + used, size - used, arena, body, NULL, e);
}

static enum rc
response_start(const struct wire_api *api, int16_t version, int32_t correlation_id, struct buf *out,
    struct err *e)
{
    static const uint8_t no_length[FRAME_LENGTH_BYTES];
    struct km_response_header header = {.correlation_id = correlation_id};

    buf_append(out, no_length, sizeof no_length);
    return codec_encode(
        &km_response_header_message, response_header_version(api, version), &header, out, e);
}

enum rc
frame_response_gather(const struct wire_api *api, int16_t version, int32_t correlation_id,
    const void *body, struct buf *out, struct arena *arena, struct wire_fragment **pieces,
    size_t *piece_count, struct err *e)
{
    size_t total = 0;
    enum rc rc;

    REQUIRE(out->size == 0);
    rc = response_start(api, version, correlation_id, out, e);
    if (rc == RC_OK)
        rc = codec_gather(api->response, version, body, out, arena, pieces, piece_count, e);
    for (size_t i = 0; rc == RC_OK && i < *piece_count; i++)
        total += (*pieces)[i].size;
    if (rc == RC_OK && total > INT32_MAX)
        rc = err_set(e, RC_LIMIT, "a response of %zu bytes is too large", total);
    if (rc == RC_OK)
        length_patch(out, 0, total);
    return rc;
}

enum rc
frame_response_encode(const struct wire_api *api, int16_t version, int32_t correlation_id,
    const void *body, struct buf *out, struct err *e)
{
    size_t start = out->size;
    enum rc rc = response_start(api, version, correlation_id, out, e);

    if (rc == RC_OK)
        rc = codec_encode(api->response, version, body, out, e);
    if (rc != RC_OK) {
        out->size = start;
        return rc;
    }
    length_patch(out, start, out->size);
    return RC_OK;
}
