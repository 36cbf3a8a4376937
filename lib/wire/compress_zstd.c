/* zstd: see compress.h. */
#include <zstd.h>
#include <zstd_errors.h>

#include "lib/wire/compress_codec.h"

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

/*
 * Decodes in one go and starts again with more room where it was too little: unlike the streaming
 * decoder this needs no window, which a frame of a few bytes can ask to be 128 MiB. Room grows by
 * four, so that what is decoded in vain stays below a third.
 */
enum rc
compress_zstd_decode(const uint8_t *data, size_t size, struct compress_sink *sink, struct err *e)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    size_t room_size, used;
    uint8_t *room;
    enum rc rc;

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
