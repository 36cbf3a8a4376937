/* zstd: see compress.h. */
#include <pthread.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "lib/base/xalloc.h"
#include "lib/wire/compress_codec.h"

#define FLAGS_AT 4
#define FLAG_SINGLE_SEGMENT 0x20
#define FLAG_CHECKSUM 0x04
#define WINDOW_AT 5
#define WINDOW_128_MIB (17 << 3) /* 2^(10 + 17), in the frame's own form */
#define HEADER_BYTES_MIN 5
#define BLOCK_HEADER_BYTES 3
#define BLOCK_BYTES_MAX ((size_t)128 * 1024)
#define CHECKSUM_BYTES 4
#define SKIPPABLE_HEADER_BYTES 8

enum block_type { BLOCK_RAW, BLOCK_RLE, BLOCK_COMPRESSED, BLOCK_RESERVED };

static const uint8_t magic[] = {0x28, 0xb5, 0x2f, 0xfd};
static const uint8_t skippable[] = {0x2a, 0x4d, 0x18}; /* behind a first byte from 0x50 to 0x5f */

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

static uint32_t
little_endian(const uint8_t *data, size_t size)
{
    uint32_t value = 0;

    for (size_t i = size; i > 0; i--)
        value = value << 8 | data[i - 1];
    return value;
}

/* The bytes of a frame's header (RFC 8878, 3.1.1.1), of which the first HEADER_BYTES_MIN are there.
 */
static size_t
header_bytes(const uint8_t *data)
{
    static const size_t content_size[] = {0, 2, 4, 8};
    static const size_t dictionary[] = {0, 1, 2, 4};
    uint8_t flags = data[FLAGS_AT];
    size_t single = (flags & FLAG_SINGLE_SEGMENT) != 0; /* has no window, but its size */

    return HEADER_BYTES_MIN + (1 - single) + dictionary[flags & 3] +
           (flags >> 6 == 0 ? single : content_size[flags >> 6]);
}

/* What the blocks of a frame can hold at most, and how far they reach. */
static size_t
frame_most(const uint8_t *data, size_t size, size_t *used)
{
    size_t at = header_bytes(data), most = 0;
    bool last = false;

    while (!last && at + BLOCK_HEADER_BYTES <= size) {
        uint32_t header = little_endian(data + at, BLOCK_HEADER_BYTES);
        enum block_type type = (enum block_type)(header >> 1 & 3);
        size_t block = header >> 3;

        last = (header & 1) != 0;
        at += BLOCK_HEADER_BYTES + (type == BLOCK_RLE ? 1 : block);
        most += type == BLOCK_COMPRESSED ? BLOCK_BYTES_MAX : block;
    }
    *used = at + ((data[FLAGS_AT] & FLAG_CHECKSUM) != 0 ? CHECKSUM_BYTES : 0);
    return most;
}

/*
 * What the input can stand for at most. The decoder tells of a damaged block now that it is
 * damaged, now that there is too little room, and does not do so alike on every processor: without
 * this, room would be made for it up to the limit.
 */
static size_t
output_most(const uint8_t *data, size_t size)
{
    size_t most = 0, used;

    for (; size >= HEADER_BYTES_MIN; data += used, size -= used) {
        if (memcmp(data, magic, sizeof magic) == 0)
            most += frame_most(data, size, &used);
        else if (memcmp(data + 1, skippable, sizeof skippable) == 0 && (data[0] & 0xf0) == 0x50 &&
                 size >= SKIPPABLE_HEADER_BYTES)
            used = SKIPPABLE_HEADER_BYTES + (size_t)little_endian(data + 4, 4);
        else
            return SIZE_MAX; /* a format of before, or nothing: the decoder knows */
        if (used > size)
            break;
    }
    return most;
}

/* A decoder costs more to make than a small batch does to decode, so each thread keeps one. */
static pthread_key_t decoder_key;
static pthread_once_t decoder_once = PTHREAD_ONCE_INIT;

static void
decoder_free(void *decoder)
{
    ZSTD_freeDCtx(decoder);
}

static void
decoder_key_make(void)
{
    REQUIRE(pthread_key_create(&decoder_key, decoder_free) == 0);
}

/* This thread's decoder, or NULL for want of memory. */
static ZSTD_DCtx *
decoder_get(void)
{
    ZSTD_DCtx *decoder;

    pthread_once(&decoder_once, decoder_key_make);
    decoder = pthread_getspecific(decoder_key);
    if (decoder != NULL)
        return decoder;
    decoder = ZSTD_createDCtx();
    if (decoder != NULL && pthread_setspecific(decoder_key, decoder) != 0) {
        ZSTD_freeDCtx(decoder);
        return NULL;
    }
    return decoder;
}

/*
 * Decodes in one go and starts again with more room where it was too little: unlike the streaming
 * decoder this needs no window, which a frame of a few bytes can ask to be 128 MiB. Room grows by
 * four, so that what is decoded in vain stays below a third.
 */
enum rc
compress_zstd_decode(const uint8_t *data, size_t size, struct compress_sink *sink, struct err *e)
{
    size_t most = output_most(data, size), room_size, used;
    ZSTD_DCtx *decoder;
    uint8_t *room;
    enum rc rc;

    if (window_is_too_large(data, size))
        return err_set(e, RC_CORRUPT, "the window is too large");
    decoder = decoder_get();
    if (decoder == NULL)
        return err_set(e, RC_LIMIT, "no memory");
    if (sink->step < size * 8)
        sink->step = size * 8;
    for (;;) {
        room = compress_sink_room(sink, &room_size);
        if (room == NULL) {
            rc = compress_sink_full(e);
            break;
        }
        used = ZSTD_decompressDCtx(decoder, room, room_size, data, size);
        if (!ZSTD_isError(used)) {
            rc = compress_sink_commit(sink, used, e);
            break;
        }
        if (ZSTD_getErrorCode(used) != ZSTD_error_dstSize_tooSmall) {
            rc = err_set(e, RC_CORRUPT, "%s", ZSTD_getErrorName(used));
            break;
        }
        if (room_size >= sink->left || room_size >= most) {
            rc = room_size >= most ? err_set(e, RC_CORRUPT, "a block is damaged")
                                   : compress_sink_full(e);
            break;
        }
        sink->step = room_size * 4 < most ? room_size * 4 : most;
    }
    return rc;
}
