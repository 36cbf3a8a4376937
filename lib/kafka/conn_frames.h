/*
 * conn_frames: frames out of a stream of bytes.
 *
 * The stream is received into memory that conn_frames_room gives. Small frames arrive many at a
 * time and are cut out of the staging memory; of a large one the rest is received in its place, so
 * that record batches are not copied.
 */
#ifndef LIB_KAFKA_CONN_FRAMES_H
#define LIB_KAFKA_CONN_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/blob.h"
#include "lib/base/err.h"

#define CONN_FRAMES_STAGING_BYTES ((size_t)65536)

struct conn_frames {
    struct blob *frame; /* being received in place */
    size_t got;         /* how much of it is there */
    size_t start;       /* staged bytes that were cut out already */
    size_t end;
    uint8_t staging[CONN_FRAMES_STAGING_BYTES];
};

void conn_frames_init(struct conn_frames *frames);
void conn_frames_fini(struct conn_frames *frames);

/* conn_frames_room returns where to put the next bytes; conn_frames_add tells how many came. */
void *conn_frames_room(struct conn_frames *frames, size_t *size);
void conn_frames_add(struct conn_frames *frames, size_t size);

/* conn_frames_next sets *out to the next whole frame, without its length and owned by the caller,
 * or to NULL when more has to come first. RC_PROTOCOL for a length that is negative or above
 * size_max, RC_LIMIT without memory. */
MUST_CHECK enum rc conn_frames_next(
    struct conn_frames *frames, size_t size_max, struct blob **out, struct err *e);

/* conn_frames_peek returns the bytes that no frame was cut out of yet. */
const uint8_t *conn_frames_peek(const struct conn_frames *frames, size_t *size);

#endif
