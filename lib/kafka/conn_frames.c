#include "lib/kafka/conn_frames.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"

void
conn_frames_init(struct conn_frames *frames)
{
    frames->frame = NULL;
    frames->got = frames->start = frames->end = 0;
}

void
conn_frames_fini(struct conn_frames *frames)
{
    blob_unref(frames->frame);
    conn_frames_init(frames);
}

void *
conn_frames_room(struct conn_frames *frames, size_t *size)
{
    if (frames->frame != NULL) {
        *size = frames->frame->size - frames->got;
        return frames->frame->data + frames->got;
    }
    if (frames->start > 0) {
        frames->end -= frames->start;
        memmove(frames->staging, frames->staging + frames->start, frames->end);
        frames->start = 0;
    }
    *size = CONN_FRAMES_STAGING_BYTES - frames->end;
    return frames->staging + frames->end;
}

void
conn_frames_add(struct conn_frames *frames, size_t size)
{
    if (frames->frame != NULL)
        frames->got += size;
    else
        frames->end += size;
}

/* Cuts a frame out of the staging memory, or moves its beginning to where the rest goes. */
static enum rc
unstage(struct conn_frames *frames, size_t length, struct blob **out, struct err *e)
{
    size_t staged = frames->end - frames->start - FRAME_LENGTH_BYTES;
    struct blob *frame;

    if (staged < length && length + FRAME_LENGTH_BYTES <= CONN_FRAMES_STAGING_BYTES)
        return RC_OK;
    frame = blob_new(length);
    if (frame == NULL)
        return err_set(e, RC_LIMIT, "no memory for an answer of %zu bytes", length);
    if (staged > length)
        staged = length;
    frames->start += FRAME_LENGTH_BYTES;
    memcpy(frame->data, frames->staging + frames->start, staged);
    frames->start += staged;
    if (staged == length) {
        *out = frame;
        return RC_OK;
    }
    REQUIRE(frames->start == frames->end);
    frames->frame = frame;
    frames->got = staged;
    return RC_OK;
}

enum rc
conn_frames_next(struct conn_frames *frames, size_t size_max, struct blob **out, struct err *e)
{
    int32_t length;

    *out = NULL;
    if (frames->frame != NULL) {
        if (frames->got < frames->frame->size)
            return RC_OK;
        *out = frames->frame;
        frames->frame = NULL;
        return RC_OK;
    }
    if (frames->end - frames->start < FRAME_LENGTH_BYTES)
        return RC_OK;
    length = codec_bytes_int32(frames->staging + frames->start);
    if (length < 0 || (size_t)length > size_max)
        return err_set(
            e, RC_PROTOCOL, "an answer of %d bytes (allowed are 0 to %zu)", length, size_max);
    return unstage(frames, (size_t)length, out, e);
}

const uint8_t *
conn_frames_peek(const struct conn_frames *frames, size_t *size)
{
    *size = frames->end - frames->start;
    return frames->staging + frames->start;
}
