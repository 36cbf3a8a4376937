/*
 * conn_reply: one answer of a broker: the frame as received and the message decoded from it.
 *
 * The decoded struct lies in the reply's arena, its strings, bytes and records are views into the
 * frame, so all of it lives exactly as long as the reply. Whoever wants to keep it beyond the
 * callback that shows it takes a reference. Not thread-safe: references are taken and dropped on
 * the loop's thread; other threads may read while one is held.
 *
 * Limits: a decoded message takes at most CONN_REPLY_ARENA_FACTOR times the frame plus
 * CONN_REPLY_ARENA_BYTES.
 */
#ifndef LIB_KAFKA_CONN_REPLY_H
#define LIB_KAFKA_CONN_REPLY_H

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/blob.h"
#include "lib/base/err.h"
#include "lib/wire/desc.h"

#define CONN_REPLY_ARENA_FACTOR 8
#define CONN_REPLY_ARENA_BYTES ((size_t)1 << 20)

struct conn_reply {
    const struct wire_api *api; /* NULL until it is decoded */
    int16_t version;
    int32_t correlation_id; /* of the request that it answers */
    const void *response;   /* the struct of api->response; NULL until it is decoded */
    struct blob *frame;     /* without the length in front of it */
    struct arena arena;     /* the owner of a reference may allocate here, too */
    uint32_t refs;
};

/* conn_reply_new_take takes over a frame; the reply has one reference. */
struct conn_reply *conn_reply_new_take(struct blob *frame, int32_t correlation_id);

struct conn_reply *conn_reply_ref(struct conn_reply *reply);

/* conn_reply_unref drops a reference; NULL is accepted. */
void conn_reply_unref(struct conn_reply *reply);

/* conn_reply_decode reads the frame as an answer of api in a version. Errors as
 * frame_response_decode; RC_PROTOCOL for another correlation id. */
MUST_CHECK enum rc conn_reply_decode(
    struct conn_reply *reply, const struct wire_api *api, int16_t version, struct err *e);

/* conn_reply_throttle_ms returns how long the broker wants its client to be silent; 0 where the
 * message has no such field. */
int32_t conn_reply_throttle_ms(const struct conn_reply *reply);

/* conn_reply_error returns the error code on the message's top level; 0 where it has none. */
int16_t conn_reply_error(const struct conn_reply *reply);

#endif
