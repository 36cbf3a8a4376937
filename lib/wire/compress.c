#include "lib/wire/compress.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/compress_codec.h"

#define STEP_BYTES_MIN ((size_t)4096)
#define STEP_BYTES_MAX ((size_t)65536)
#define ROOM_BYTES_MAX ((size_t)1 << 30) /* zlib counts in 32 bits */

struct row {
    const char *name;
    compress_encode_fn *encode;
    compress_decode_fn *decode;
    compress_decode_fn *decode_old;
};

static enum rc
none_encode(const uint8_t *data, size_t size, struct buf *out, struct err *e)
{
    buf_append(out, data, size);
    return buf_is_overflowed(out) ? compress_sink_full(e) : RC_OK;
}

static enum rc
none_decode(const uint8_t *data, size_t size, struct compress_sink *sink, struct err *e)
{
    return size > sink->left ? compress_sink_full(e) : none_encode(data, size, sink->out, e);
}

static const struct row rows[COMPRESS_CODECS] = {
    [COMPRESS_NONE] = {"none", none_encode, none_decode, none_decode},
    [COMPRESS_GZIP] = {"gzip", compress_gzip_encode, compress_gzip_decode, compress_gzip_decode},
    [COMPRESS_SNAPPY] = {"snappy", compress_snappy_encode, compress_snappy_decode,
        compress_snappy_decode},
    [COMPRESS_LZ4] = {"lz4", compress_lz4_encode, compress_lz4_decode, compress_lz4_decode_old},
    [COMPRESS_ZSTD] = {"zstd", compress_zstd_encode, compress_zstd_decode, compress_zstd_decode},
};

const char *
compress_name(enum compress_codec codec)
{
    return (size_t)codec < ARRAY_LEN(rows) ? rows[codec].name : "unknown";
}

bool
compress_find(const char *name, enum compress_codec *codec)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *codec = (enum compress_codec)i;
            return true;
        }
    }
    return false;
}

enum rc
compress_sink_full(struct err *e)
{
    return err_set(e, RC_LIMIT, "compressed or uncompressed data is larger than allowed");
}

uint8_t *
compress_sink_room(struct compress_sink *sink, size_t *size)
{
    size_t spare = sink->out->capacity - sink->out->size;
    size_t room = spare > sink->step ? spare - 1 : sink->step;

    if (sink->left == 0) {
        *size = 1;
        return &sink->beyond;
    }
    if (room > ROOM_BYTES_MAX)
        room = ROOM_BYTES_MAX;
    *size = room < sink->left ? room : sink->left;
    return buf_reserve(sink->out, *size);
}

enum rc
compress_sink_commit(struct compress_sink *sink, size_t size, struct err *e)
{
    if (size > 0 && sink->left == 0)
        return compress_sink_full(e);
    if (size == 0)
        return RC_OK;
    buf_commit(sink->out, size);
    sink->left -= size;
    return RC_OK;
}

enum rc
compress_encode(
    enum compress_codec codec, const void *data, size_t size, struct buf *out, struct err *e)
{
    enum rc rc;

    REQUIRE((size_t)codec < ARRAY_LEN(rows));
    if (size > INT32_MAX)
        return compress_sink_full(e);
    rc = rows[codec].encode(data, size, out, e);
    return rc == RC_OK || e == NULL ? rc : err_note(e, "%s", rows[codec].name);
}

static enum rc
decode(enum compress_codec codec, bool old, const void *data, size_t size, size_t size_max,
    struct buf *out, struct err *e)
{
    size_t space = out->size_max - out->size;
    struct compress_sink sink = {.out = out, .left = space < size_max ? space : size_max};
    enum rc rc;

    if ((size_t)codec >= ARRAY_LEN(rows))
        return err_set(e, RC_UNSUPPORTED, "codec %d is unknown", (int)codec);
    if (size > INT32_MAX || buf_is_overflowed(out))
        return compress_sink_full(e);
    sink.step = size > STEP_BYTES_MAX ? STEP_BYTES_MAX : size * 4;
    if (sink.step < STEP_BYTES_MIN)
        sink.step = STEP_BYTES_MIN;
    if (sink.step > STEP_BYTES_MAX)
        sink.step = STEP_BYTES_MAX;
    rc = (old ? rows[codec].decode_old : rows[codec].decode)(data, size, &sink, e);
    return rc == RC_OK || e == NULL ? rc : err_note(e, "%s", rows[codec].name);
}

enum rc
compress_decode(enum compress_codec codec, const void *data, size_t size, size_t size_max,
    struct buf *out, struct err *e)
{
    return decode(codec, false, data, size, size_max, out, e);
}

enum rc
compress_decode_old(enum compress_codec codec, const void *data, size_t size, size_t size_max,
    struct buf *out, struct err *e)
{
    return decode(codec, true, data, size, size_max, out, e);
}
