/*
 * exchange: one request and its answer, kept for the report.
 *
 * The answer is judged while it is read: it must carry the request's correlation id, be decodable
 * and end where its message ends. All memory is the caller's arena.
 */
#ifndef CONFORMANCE_EXCHANGE_H
#define CONFORMANCE_EXCHANGE_H

#include "conformance/link.h"
#include "lib/base/arena.h"
#include "lib/wire/desc.h"

#define EXCHANGE_TEXT_MAX ((size_t)2000)
#define EXCHANGE_HEX_MAX ((size_t)256)

struct exchange {
    const struct wire_api *api; /* NULL: bytes that are no request of ours */
    int16_t version;
    int32_t correlation_id;
    bool is_unanswered;
    const uint8_t *sent; /* with the length in front */
    size_t sent_size;
    const uint8_t *received; /* without; NULL: nothing came */
    size_t received_size;
    const void *response; /* the struct of api->response; NULL until it is decoded */
    size_t left_over;     /* bytes behind the message */
};

/* exchange_encode prepares a request. Errors as frame_request_encode. */
MUST_CHECK enum rc exchange_encode(struct exchange *exchange, const struct wire_api *api,
    int16_t version, int32_t correlation_id, const char *client_id, const void *body,
    struct arena *arena, struct err *e);

/* exchange_send writes the request; errors as link_send. */
MUST_CHECK enum rc exchange_send(
    struct exchange *exchange, struct link *link, int64_t deadline_us, struct err *e);

/* exchange_receive reads the next answer of the link as this exchange's. RC_PROTOCOL for a wrong
 * correlation id or bytes that are left over; else errors as link_receive and codec_decode. */
MUST_CHECK enum rc exchange_receive(struct exchange *exchange, struct link *link,
    int64_t deadline_us, struct arena *arena, struct err *e);

/* exchange_sent_text and exchange_received_text append what was sent and received, in the notation
 * of codec_tree.h, cut at EXCHANGE_TEXT_MAX bytes; what cannot be decoded is described. */
void exchange_sent_text(const struct exchange *exchange, struct buf *out);
void exchange_received_text(const struct exchange *exchange, struct buf *out);

/* exchange_hex appends bytes in hexadecimal, cut at EXCHANGE_HEX_MAX bytes. */
void exchange_hex(const uint8_t *data, size_t size, struct buf *out);

#endif
