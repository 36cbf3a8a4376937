/*
 * compress: Kafka's four codecs, in the framings that its clients write and read.
 *
 * gzip: members as by zlib. snappy: blocks of 32 KiB in the frame of snappy-java; reading takes
 * also one raw block, as librdkafka sent it once. lz4: one LZ4 frame of independent blocks. zstd:
 * frames, with or without their content size. What Kafka's readers overlook is overlooked here too:
 * bytes behind the last gzip member or behind the lz4 frame, up to three bytes behind the last
 * snappy block.
 *
 * Hostile input: output never exceeds the limit given, and memory grows with output that is really
 * there, not with what a header claims (besides 8 MiB that lz4 may reserve and not touch).
 */
#ifndef LIB_WIRE_COMPRESS_H
#define LIB_WIRE_COMPRESS_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* The numbers are those of the attributes of a batch. */
enum compress_codec {
    COMPRESS_NONE = 0,
    COMPRESS_GZIP = 1,
    COMPRESS_SNAPPY = 2,
    COMPRESS_LZ4 = 3,
    COMPRESS_ZSTD = 4,
    COMPRESS_CODECS,
};

/* compress_name returns Kafka's name of a codec ("none", "gzip", …), "unknown" past the last. */
const char *compress_name(enum compress_codec codec);

/* compress_find sets *codec to the one of this name; false where there is none. */
bool compress_find(const char *name, enum compress_codec *codec);

/* compress_encode appends `size` bytes compressed at the codec's usual level. RC_LIMIT where out is
 * full. */
MUST_CHECK enum rc compress_encode(
    enum compress_codec codec, const void *data, size_t size, struct buf *out, struct err *e);

/*
 * compress_decode appends what `size` bytes stand for, at most size_max bytes: RC_LIMIT beyond that
 * (or where out is full), RC_CORRUPT for anything a reader of Kafka would not take. After a failure
 * out may hold what came before the fault. RC_UNSUPPORTED for a codec out of range.
 */
MUST_CHECK enum rc compress_decode(enum compress_codec codec, const void *data, size_t size,
    size_t size_max, struct buf *out, struct err *e);

/* compress_decode_old is compress_decode for messages of format v0, where lz4 frames carry a wrong
 * header checksum (KAFKA-3160), which is ignored. */
MUST_CHECK enum rc compress_decode_old(enum compress_codec codec, const void *data, size_t size,
    size_t size_max, struct buf *out, struct err *e);

#endif
