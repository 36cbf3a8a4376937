/*
 * lz4 in its frame format, with what Kafka asks of it: independent blocks, no dictionary, and an
 * end mark.
 */
#include <lz4frame.h>
#include <string.h>

#include "lib/wire/compress_codec.h"

#define HEADER_BYTES 7 /* magic, flags, block size, checksum */
#define FLAGS_AT 4
#define BLOCK_SIZE_AT 5
#define CONTENT_SIZE_BYTES 8

#define BLOCK_SIZE_MASK 0x70
#define BLOCK_SIZE_LEAST 0x40 /* 64 KiB; each step is four times as large */

#define FLAG_DICTIONARY 0x01
#define FLAG_CONTENT_CHECKSUM 0x04
#define FLAG_CONTENT_SIZE 0x08
#define FLAG_BLOCK_CHECKSUM 0x10
#define FLAG_INDEPENDENT 0x20

static const uint8_t magic[] = {0x04, 0x22, 0x4d, 0x18};

enum rc
compress_lz4_encode(const uint8_t *data, size_t size, struct buf *out, struct err *e)
{
    LZ4F_preferences_t preferences;
    size_t bound, used;
    uint8_t *room;

    memset(&preferences, 0, sizeof preferences);
    preferences.frameInfo.blockSizeID = LZ4F_max64KB;
    preferences.frameInfo.blockMode = LZ4F_blockIndependent;
    bound = LZ4F_compressFrameBound(size, &preferences);
    room = buf_reserve(out, bound);
    if (room == NULL)
        return compress_sink_full(e);
    used = LZ4F_compressFrame(room, bound, data, size, &preferences);
    if (LZ4F_isError(used))
        return err_set(e, RC_INTERNAL, "%s", LZ4F_getErrorName(used));
    buf_commit(out, used);
    return RC_OK;
}

static enum rc
flags_check(const uint8_t *data, size_t size, struct err *e)
{
    if (size < HEADER_BYTES || memcmp(data, magic, sizeof magic) != 0)
        return err_set(e, RC_CORRUPT, "no frame");
    if ((data[FLAGS_AT] & FLAG_INDEPENDENT) == 0 || (data[FLAGS_AT] & FLAG_DICTIONARY) != 0)
        return err_set(e, RC_CORRUPT, "frame flags %02x", data[FLAGS_AT]);
    if ((data[BLOCK_SIZE_AT] & ~BLOCK_SIZE_MASK) != 0 || data[BLOCK_SIZE_AT] < BLOCK_SIZE_LEAST)
        return err_set(e, RC_CORRUPT, "block size %02x", data[BLOCK_SIZE_AT]);
    return RC_OK;
}

/* Decodes until the frame ends; what stands behind it is not looked at. *hint is 0 at the end. */
static enum rc
piece_decode(LZ4F_dctx *context, const uint8_t *data, size_t size, struct compress_sink *sink,
    size_t *hint, struct err *e)
{
    enum rc rc = RC_OK;
    bool stuck = false;

    while (rc == RC_OK && *hint != 0 && !stuck) {
        size_t room_size, used = size;
        uint8_t *room = compress_sink_room(sink, &room_size);

        if (room == NULL)
            return compress_sink_full(e);
        *hint = LZ4F_decompress(context, room, &room_size, data, &used, NULL);
        if (LZ4F_isError(*hint))
            return err_set(e, RC_CORRUPT, "%s", LZ4F_getErrorName(*hint));
        rc = compress_sink_commit(sink, room_size, e);
        stuck = used == 0 && room_size == 0;
        data += used;
        size -= used;
    }
    return rc;
}

static enum rc
frame_decode(const uint8_t *header, size_t header_size, const uint8_t *data, size_t size,
    struct compress_sink *sink, struct err *e)
{
    LZ4F_dctx *context;
    size_t hint = 1;
    enum rc rc;

    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return err_set(e, RC_LIMIT, "no memory");
    rc = piece_decode(context, header, header_size, sink, &hint, e);
    if (rc == RC_OK)
        rc = piece_decode(context, data, size, sink, &hint, e);
    if (rc == RC_OK && hint != 0)
        rc = err_set(e, RC_CORRUPT, "the frame is cut");
    LZ4F_freeDecompressionContext(context);
    return rc;
}

enum rc
compress_lz4_decode(const uint8_t *data, size_t size, struct compress_sink *sink, struct err *e)
{
    enum rc rc = flags_check(data, size, e);

    return rc == RC_OK
               ? frame_decode(data, HEADER_BYTES, data + HEADER_BYTES, size - HEADER_BYTES, sink, e)
               : rc;
}

/* The library writes the header that should have been there. */
static size_t
header_again(const uint8_t *data, uint8_t *header, size_t header_size)
{
    LZ4F_preferences_t preferences;
    LZ4F_cctx *context;
    uint8_t flags = data[FLAGS_AT];
    size_t size;

    memset(&preferences, 0, sizeof preferences);
    preferences.frameInfo.blockSizeID = (LZ4F_blockSizeID_t)(data[BLOCK_SIZE_AT] >> 4);
    preferences.frameInfo.blockMode = LZ4F_blockIndependent;
    if ((flags & FLAG_CONTENT_CHECKSUM) != 0)
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    if ((flags & FLAG_BLOCK_CHECKSUM) != 0)
        preferences.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
    if (LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION)))
        return 0;
    size = LZ4F_compressBegin(context, header, header_size, &preferences);
    LZ4F_freeCompressionContext(context);
    return LZ4F_isError(size) ? 0 : size;
}

enum rc
compress_lz4_decode_old(const uint8_t *data, size_t size, struct compress_sink *sink, struct err *e)
{
    uint8_t header[LZ4F_HEADER_SIZE_MAX];
    size_t header_size, skip = HEADER_BYTES;
    enum rc rc = flags_check(data, size, e);

    if (rc != RC_OK)
        return rc;
    if ((data[FLAGS_AT] & FLAG_CONTENT_SIZE) != 0)
        skip += CONTENT_SIZE_BYTES;
    header_size = header_again(data, header, sizeof header);
    if (header_size == 0 || size < skip)
        return err_set(e, RC_CORRUPT, "the header is corrupt");
    return frame_decode(header, header_size, data + skip, size - skip, sink, e);
}
