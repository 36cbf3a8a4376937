/*
 * frame: what stands around a message on a connection: the length, the request header, the response
 * header.
 *
 * A frame is a big-endian int32 length and that many bytes. Requests carry header v2 in flexible
 * versions and v1 otherwise; responses v1 and v0, but for ApiVersions, whose response header is
 * always v0, because a client reads it before it knows the broker (KIP-511).
 */
#ifndef LIB_WIRE_FRAME_H
#define LIB_WIRE_FRAME_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/wire/desc.h"

#define FRAME_LENGTH_BYTES 4

struct frame_request {
    const struct wire_api *api; /* NULL: unknown key */
    int16_t api_key;
    int16_t api_version;
    int32_t correlation_id;
    struct wire_string client_id; /* a view into the frame */
    size_t header_size;           /* the body begins here */
};

/* frame_api returns the API of a key, or NULL. */
const struct wire_api *frame_api(int16_t key);

/*
 * frame_request_decode reads the header of a request (without its length). Where api or version is
 * unknown it fails with RC_UNSUPPORTED and has filled api_key, api_version and correlation_id:
 * ApiVersions is answered even so. RC_TRUNCATED or RC_PROTOCOL for a broken header.
 */
MUST_CHECK enum rc frame_request_decode(
    const void *data, size_t size, struct frame_request *out, struct err *e);

/* frame_request_encode appends a whole request: length, header and body. A client_id of NULL is
 * null. Errors as codec_encode; a failed call appends nothing. */
MUST_CHECK enum rc frame_request_encode(const struct wire_api *api, int16_t version,
    int32_t correlation_id, const char *client_id, const void *body, struct buf *out,
    struct err *e);

/* frame_response_decode reads the header of a response (without its length) and the body behind it
 * into `body`; arena and views as in codec_decode. */
MUST_CHECK enum rc frame_response_decode(const struct wire_api *api, int16_t version,
    const void *data, size_t size, int32_t *correlation_id, struct arena *arena, void *body,
    struct err *e);

/*
 * frame_response_gather encodes a response: length and header go to out, then the body as
 * codec_gather does. `pieces` are what to send.
 */
MUST_CHECK enum rc frame_response_gather(const struct wire_api *api, int16_t version,
    int32_t correlation_id, const void *body, struct buf *out, struct arena *arena,
    struct wire_fragment **pieces, size_t *piece_count, struct err *e);

/* frame_response_encode appends a whole response, records copied: length, header and body. */
MUST_CHECK enum rc frame_response_encode(const struct wire_api *api, int16_t version,
    int32_t correlation_id, const void *body, struct buf *out, struct err *e);

#endif
