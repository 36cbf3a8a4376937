#include "conformance/exchange.h"

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_tree.h"
#include "lib/wire/frame.h"

#define MEMORY_FACTOR 16

enum rc
exchange_encode(struct exchange *exchange, const struct wire_api *api, int16_t version,
    int32_t correlation_id, const char *client_id, const void *body, struct arena *arena,
    struct err *e)
{
    struct buf out;
    enum rc rc;

    *exchange = (struct exchange){.api = api, .version = version, .correlation_id = correlation_id};
    buf_init(&out, LINK_ANSWER_BYTES_MAX);
    rc = frame_request_encode(api, version, correlation_id, client_id, body, &out, e);
    if (rc == RC_OK) {
        exchange->sent = arena_dup(arena, out.data, out.size);
        exchange->sent_size = out.size;
        if (exchange->sent == NULL)
            rc = err_set(e, RC_LIMIT, "no room for a request of %zu bytes", out.size);
    }
    buf_fini(&out);
    return rc;
}

enum rc
exchange_send(struct exchange *exchange, struct link *link, int64_t deadline_us, struct err *e)
{
    return link_send(
        link, exchange->sent, exchange->sent_size, exchange->is_unanswered, deadline_us, e);
}

static enum rc
decode(struct exchange *exchange, struct arena *arena, struct err *e)
{
    const struct wire_api *api = exchange->api;
    bool has_tags =
        api->key != KM_API_VERSIONS && codec_is_flexible(api->response, exchange->version);
    struct km_response_header header;
    size_t header_size, body_size;
    void *body;
    enum rc rc = codec_decode(&km_response_header_message, has_tags ? 1 : 0, exchange->received,
        exchange->received_size, arena, &header, &header_size, e);

    if (rc != RC_OK)
        return rc;
    if (header.correlation_id != exchange->correlation_id)
        return err_set(e, RC_PROTOCOL, "correlation id %d instead of %d", header.correlation_id,
            exchange->correlation_id);
    body = arena_alloc(arena, api->response->body->size);
    if (body == NULL)
        return err_set(e, RC_LIMIT, "the answer needs too much memory");
    rc = codec_decode(api->response, exchange->version, exchange->received + header_size,
        exchange->received_size - header_size, arena, body, &body_size, e);
    if (rc != RC_OK)
        return rc;
    exchange->response = body;
    exchange->left_over = exchange->received_size - header_size - body_size;
    if (exchange->left_over > 0)
        return err_set(
            e, RC_PROTOCOL, "%zu bytes are left over behind the answer", exchange->left_over);
    return RC_OK;
}

enum rc
exchange_receive(struct exchange *exchange, struct link *link, int64_t deadline_us,
    struct arena *arena, struct err *e)
{
    struct buf in;
    enum rc rc;

    buf_init(&in, LINK_ANSWER_BYTES_MAX);
    rc = link_receive(link, deadline_us, &in, e);
    if (rc == RC_OK) {
        exchange->received = arena_dup(arena, in.data == NULL ? "" : (char *)in.data, in.size);
        exchange->received_size = in.size;
        rc = exchange->received == NULL
                 ? err_set(e, RC_LIMIT, "no room for an answer of %zu bytes", in.size)
                 : decode(exchange, arena, e);
    }
    buf_fini(&in);
    return rc;
}

/* A message as text, or why it is none. */
static void
message_text(const struct wire_message *message, int16_t version, const uint8_t *data, size_t size,
    struct buf *out)
{
    struct arena arena;
    struct buf text;
    struct err e = {0};
    void *object;

    arena_init(&arena, size * MEMORY_FACTOR + ((size_t)1 << 20));
    buf_init(&text, EXCHANGE_TEXT_MAX);
    object = arena_alloc(&arena, message->body->size);
    if (codec_decode(message, version, data, size, &arena, object, NULL, &e) == RC_OK)
        codec_tree_text(message, version, object, &text);
    else
        buf_printf(&text, "%s v%d, not readable: %s", message->name, version, e.text);
    buf_append(out, text.data, text.size);
    if (buf_is_overflowed(&text))
        buf_append_text(out, " ...");
    buf_fini(&text);
    arena_fini(&arena);
}

void
exchange_sent_text(const struct exchange *exchange, struct buf *out)
{
    const uint8_t *frame = exchange->sent;
    struct frame_request header;

    if (exchange->sent == NULL)
        return;
    if (exchange->sent_size <= FRAME_LENGTH_BYTES ||
        frame_request_decode(frame + FRAME_LENGTH_BYTES, exchange->sent_size - FRAME_LENGTH_BYTES,
            &header, NULL) != RC_OK) {
        buf_printf(out, "%zu bytes that are no request", exchange->sent_size);
        return;
    }
    message_text(header.api->request, header.api_version,
        frame + FRAME_LENGTH_BYTES + header.header_size,
        exchange->sent_size - FRAME_LENGTH_BYTES - header.header_size, out);
}

void
exchange_received_text(const struct exchange *exchange, struct buf *out)
{
    struct buf text;

    if (exchange->received == NULL) {
        buf_append_text(out, "nothing");
        return;
    }
    if (exchange->response == NULL) {
        buf_printf(out, "%zu bytes that are no answer to it", exchange->received_size);
        return;
    }
    buf_init(&text, EXCHANGE_TEXT_MAX);
    codec_tree_text(exchange->api->response, exchange->version, exchange->response, &text);
    buf_append(out, text.data, text.size);
    if (buf_is_overflowed(&text))
        buf_append_text(out, " ...");
    buf_fini(&text);
}

void
exchange_hex(const uint8_t *data, size_t size, struct buf *out)
{
    size_t shown = size < EXCHANGE_HEX_MAX ? size : EXCHANGE_HEX_MAX;

    for (size_t i = 0; i < shown; i++)
        buf_printf(out, "%02x", data[i]);
    if (shown < size)
        buf_printf(out, "... (%zu bytes)", size);
}
