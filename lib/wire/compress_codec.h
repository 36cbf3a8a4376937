/*
 * compress_codec: what the sources of the four codecs share, and their entry points. For
 * compress.c only.
 */
#ifndef LIB_WIRE_COMPRESS_CODEC_H
#define LIB_WIRE_COMPRESS_CODEC_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

/*
 * Where a decoder puts its output. At the limit it is offered one more byte that leads nowhere, so
 * that a stream which ends exactly there ends well and one that goes on is caught.
 */
struct compress_sink {
    struct buf *out;
    size_t left; /* before the limit */
    size_t step;
    uint8_t beyond;
};

/* compress_sink_room returns room for *size (> 0) bytes of output, never NULL but when memory is
 * gone. */
uint8_t *compress_sink_room(struct compress_sink *sink, size_t *size);

/* compress_sink_commit counts `size` bytes that were written to the room; RC_LIMIT beyond the
 * limit. */
MUST_CHECK enum rc compress_sink_commit(struct compress_sink *sink, size_t size, struct err *e);

/* compress_sink_full is the error for running into the limit. */
enum rc compress_sink_full(struct err *e);

typedef enum rc compress_encode_fn(
    const uint8_t *data, size_t size, struct buf *out, struct err *e);
typedef enum rc compress_decode_fn(
    const uint8_t *data, size_t size, struct compress_sink *sink, struct err *e);

compress_encode_fn compress_gzip_encode;
compress_decode_fn compress_gzip_decode;
compress_encode_fn compress_snappy_encode;
compress_decode_fn compress_snappy_decode;
compress_encode_fn compress_lz4_encode;
compress_decode_fn compress_lz4_decode;
compress_decode_fn compress_lz4_decode_old;
compress_encode_fn compress_zstd_encode;
compress_decode_fn compress_zstd_decode;

#endif
