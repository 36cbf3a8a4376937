/*
 * snappy in the frame of snappy-java: 8 bytes of magic, two int32 (version, and the oldest version
 * that can read it), then blocks, each an int32 length and a raw snappy block; all big-endian.
 */
#include <snappy-c.h>
#include <string.h>

#include "lib/wire/codec_bytes.h"
#include "lib/wire/compress_codec.h"

#define HEADER_BYTES 16
#define LENGTH_BYTES 4
#define BLOCK_BYTES 32768
#define VERSION 1

/* A copy of 64 bytes takes three: no block grows more, whatever it claims. */
#define EXPANSION_MAX 22

static const uint8_t magic[8] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};

enum rc
compress_snappy_encode(const uint8_t *data, size_t size, struct buf *out, struct err *e)
{
    uint8_t header[HEADER_BYTES];

    memcpy(header, magic, sizeof magic);
    codec_bytes_put_int32(header + 8, VERSION);
    codec_bytes_put_int32(header + 12, VERSION);
    buf_append(out, header, sizeof header);
    while (size > 0) {
        size_t n = size < BLOCK_BYTES ? size : BLOCK_BYTES;
        size_t room_size = snappy_max_compressed_length(n);
        uint8_t *room = buf_reserve(out, LENGTH_BYTES + room_size);

        if (room == NULL)
            break;
        if (snappy_compress((const char *)data, n, (char *)room + LENGTH_BYTES, &room_size) !=
            SNAPPY_OK)
            return err_set(e, RC_INTERNAL, "the library refuses");
        codec_bytes_put_int32(room, (int32_t)room_size);
        buf_commit(out, LENGTH_BYTES + room_size);
        data += n;
        size -= n;
    }
    return buf_is_overflowed(out) ? compress_sink_full(e) : RC_OK;
}

static enum rc
block_decode(const uint8_t *data, size_t size, struct compress_sink *sink, struct err *e)
{
    const char *in = (const char *)data;
    size_t length;
    uint8_t *room;

    if (snappy_uncompressed_length(in, size, &length) != SNAPPY_OK || length > size * EXPANSION_MAX)
        return err_set(e, RC_CORRUPT, "a block has a wrong length");
    if (length > sink->left)
        return compress_sink_full(e);
    room = buf_reserve(sink->out, length);
    if (room == NULL)
        return compress_sink_full(e);
    if (snappy_uncompress(in, size, (char *)room, &length) != SNAPPY_OK)
        return err_set(e, RC_CORRUPT, "a block is corrupt");
    return compress_sink_commit(sink, length, e);
}

/* A block, or the header of a stream that was written behind this one: there, and only there,
 * snappy-java looks at the version. */
static enum rc
piece_decode(
    const uint8_t *data, size_t size, size_t *used, struct compress_sink *sink, struct err *e)
{
    int32_t length = codec_bytes_int32(data), version;

    if (memcmp(data, magic, LENGTH_BYTES) == 0) {
        if (size < HEADER_BYTES)
            return err_set(e, RC_CORRUPT, "a header is cut");
        *used = memcmp(data, magic, sizeof magic) == 0 ? HEADER_BYTES : size;
        version = codec_bytes_int32(data + sizeof magic);
        return *used == size || version >= VERSION
                   ? RC_OK
                   : err_set(e, RC_CORRUPT, "a frame of version %d", version);
    }
    if (length < 0 || (size_t)length > size - LENGTH_BYTES)
        return err_set(e, RC_CORRUPT, "a block of %d bytes, %zu are left", length, size);
    *used = LENGTH_BYTES + (size_t)length;
    return block_decode(data + LENGTH_BYTES, (size_t)length, sink, e);
}

enum rc
compress_snappy_decode(const uint8_t *data, size_t size, struct compress_sink *sink, struct err *e)
{
    size_t used = HEADER_BYTES;
    enum rc rc = RC_OK;

    if (size < HEADER_BYTES || memcmp(data, magic, sizeof magic) != 0)
        return block_decode(data, size, sink, e);
    while (rc == RC_OK && size - used >= LENGTH_BYTES) {
        data += used;
        size -= used;
        rc = piece_decode(data, size, &used, sink, e);
    }
    return rc;
}
