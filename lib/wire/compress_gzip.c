/* gzip by zlib: see compress.h. */
#include <string.h>
#include <zlib.h>

#include "lib/wire/compress_codec.h"

#define WINDOW_BITS_GZIP (15 + 16)
#define MEMORY_LEVEL 8

/* zlib's input pointer lacks a const that it keeps. */
static Bytef *
unconst(const uint8_t *data)
{
    union {
        const uint8_t *ours;
        Bytef *theirs;
    } u = {.ours = data};

    return u.theirs;
}

enum rc
compress_gzip_encode(const uint8_t *data, size_t size, struct buf *out, struct err *e)
{
    z_stream stream;
    uLong bound;
    uint8_t *room;
    int status;

    memset(&stream, 0, sizeof stream);
    status = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS_GZIP,
        MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    if (status != Z_OK)
        return err_set(e, RC_INTERNAL, "zlib says %d", status);
    bound = deflateBound(&stream, size);
    room = buf_reserve(out, bound);
    if (room == NULL) {
        deflateEnd(&stream);
        return compress_sink_full(e);
    }
    stream.next_in = unconst(data);
    stream.avail_in = (uInt)size;
    stream.next_out = room;
    stream.avail_out = (uInt)bound;
    status = deflate(&stream, Z_FINISH);
    if (status == Z_STREAM_END)
        buf_commit(out, (size_t)stream.total_out);
    deflateEnd(&stream);
    return status == Z_STREAM_END ? RC_OK : err_set(e, RC_INTERNAL, "zlib says %d", status);
}

static enum rc
member_decode(z_stream *stream, struct compress_sink *sink, struct err *e)
{
    enum rc rc = RC_OK;
    int status = Z_OK;

    while (rc == RC_OK && status != Z_STREAM_END) {
        size_t size;
        uint8_t *room = compress_sink_room(sink, &size);

        if (room == NULL)
            return compress_sink_full(e);
        stream->next_out = room;
        stream->avail_out = (uInt)size;
        status = inflate(stream, Z_NO_FLUSH);
        rc = compress_sink_commit(sink, size - stream->avail_out, e);
        if (rc == RC_OK && status != Z_OK && status != Z_STREAM_END)
            rc = err_set(e, RC_CORRUPT, "%s",
                status == Z_BUF_ERROR || stream->msg == NULL ? "the data is cut" : stream->msg);
    }
    return rc;
}

/* One member may follow another; what does not begin like one is ignored, as by Java's reader. */
static bool
member_follows(const z_stream *stream)
{
    return stream->avail_in >= 2 && stream->next_in[0] == 0x1f && stream->next_in[1] == 0x8b;
}

enum rc
compress_gzip_decode(const uint8_t *data, size_t size, struct compress_sink *sink, struct err *e)
{
    z_stream stream;
    enum rc rc;

    memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, WINDOW_BITS_GZIP) != Z_OK)
        return err_set(e, RC_INTERNAL, "zlib cannot start");
    stream.next_in = unconst(data);
    stream.avail_in = (uInt)size;
    do
        rc = member_decode(&stream, sink, e);
    while (rc == RC_OK && member_follows(&stream) && inflateReset(&stream) == Z_OK);
    inflateEnd(&stream);
    return rc;
}
