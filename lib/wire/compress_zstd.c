/* zstd: see compress.h. */
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "lib/wire/compress_codec.h"

#define FLAGS_AT 4
#define FLAG_SINGLE_SEGMENT 0x20
#define WINDOW_AT 5
#define WINDOW_128_MIB (17 << 3) /* 2^(10 + 17), in the frame's own form */

static const uint8_t magic[] = {0x28, 0xb5, 0x2f, 0xfd};

enum rc
compress_zstd_encode(const uint8_t *data, size_t size, struct buf *out, struct err *e)
{
    size_t bound = ZSTD_compressBound(size);
    uint8_t *room = buf_reserve(out, bound);
    size_t used;

    if (room == NULL)
        return compress_sink_full(e);
    used = ZSTD_compress(room, bound, data, size, ZSTD_CLEVEL_DEFAULT);
    if (ZSTD_isError(used))
        return err_set(e, RC_INTERNAL, "%s", ZSTD_getErrorName(used));
    buf_commit(out, used);
    return RC_OK;
}

/* Kafka's reader, which decodes as a stream, takes windows of up to 128 MiB. A frame in one segment
 * has none. */
static bool
window_is_too_large(const uint8_t *data, size_t size)
{
    return size > WINDOW_AT && memcmp(data, magic, sizeof magic) == 0 &&
           (data[FLAGS_AT] & FLAG_SINGLE_SEGMENT) == 0 && data[WINDOW_AT] > WINDOW_128_MIB;
}

/*
 * Decodes in one go and starts again with more room where it was too little: unlike the streaming
 * decoder this needs no window, which a frame of a few bytes can ask to be 128 MiB. Room grows by
 * four, so that what is decoded in vain stays below a third.
 */
enum rc
compress_zstd_decode(const uint8_t *data, size_t size, struct compress_sink *sink, struct err *e)
{
    size_t room_size, used;
    ZSTD_DCtx *context;
    uint8_t *room;
    enum rc rc;

    if (window_is_too_large(data, size))
        return err_set(e, RC_CORRUPT, "the window is too large");
    context = ZSTD_createDCtx();
    if (context == NULL)
        return err_set(e, RC_LIMIT, "no memory");
    if (sink->step < size * 8)
        sink->step = size * 8;
    for (;;) {
        room = compress_sink_room(sink, &room_size);
        if (room == NULL) {
            rc = compress_sink_full(e);
            break;
        }
        used = ZSTD_decompressDCtx(context, room, room_size, data, size);
        if (!ZSTD_isError(used)) {
            rc = compress_sink_commit(sink, used, e);
            break;
        }
        if (ZSTD_getErrorCode(used) != ZSTD_error_dstSize_tooSmall) {
            rc = err_set(e, RC_CORRUPT, "%s", ZSTD_getErrorName(used));
            break;
        }
        if (room_size >= sink->left) {
            rc = compress_sink_full(e);
            break;
        }
        sink->step = room_size * 4;
    }
    ZSTD_freeDCtx(context);
    return rc;
}
