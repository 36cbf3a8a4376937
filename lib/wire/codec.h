/*
 * codec: Kafka messages between bytes and C structs, driven by the tables of desc.h.
 *
 * One interpreter serves every API and version. Decoding is zero-copy: strings, bytes and records
 * are views into the input, arrays and nested structs lie in the caller's arena; both must outlive
 * the message. Fields that the version does not have get their defaults. Encoding first measures,
 * then writes.
 *
 * Hostile input: every count and length is compared with the bytes that are left before anything is
 * allocated, the arena caps the rest, depth is bounded by the schema. Rules as in Kafka's generated
 * readers: a negative length is null; null where the version does not allow it, a string beyond
 * 32,767 bytes, a wrong tag section are refused. Unknown tags are skipped. Stricter than Kafka:
 * tags must ascend, and a known tag must use exactly its length.
 */
#ifndef LIB_WIRE_CODEC_H
#define LIB_WIRE_CODEC_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/wire/desc.h"

/* codec_string views a C string; NULL is null. codec_string_is compares with one, which null never
 * equals. */
struct wire_string codec_string(const char *text);
bool codec_string_is(struct wire_string string, const char *text);

/* codec_init fills a C struct with the defaults of its fields; structs that may be null start as
 * null. */
void codec_init(const struct wire_struct *desc, void *object);

/* codec_array returns `count` initialised elements from the arena, or NULL past its cap. */
void *codec_array(struct arena *arena, const struct wire_struct *desc, int32_t count);

/*
 * codec_decode reads a message of `version` from data into out. *used (may be NULL) is set to the
 * bytes read; what stands behind them is not looked at. RC_TRUNCATED where the data ends too early,
 * RC_PROTOCOL for what the format forbids, RC_UNSUPPORTED for a version outside the schema,
 * RC_LIMIT where the arena is full.
 */
MUST_CHECK enum rc codec_decode(const struct wire_message *message, int16_t version,
    const void *data, size_t size, struct arena *arena, void *out, size_t *used, struct err *e);

/*
 * codec_measure sets *size to the encoded size. RC_UNSUPPORTED for a version outside the schema, or
 * where a field that this version lacks has a value that must not be dropped; RC_PROTOCOL for null
 * where it is not allowed or a length that the format cannot say.
 */
MUST_CHECK enum rc codec_measure(const struct wire_message *message, int16_t version,
    const void *in, size_t *size, struct err *e);

/* codec_encode appends the encoded message to out; errors as codec_measure, RC_LIMIT where out is
 * full. */
MUST_CHECK enum rc codec_encode(const struct wire_message *message, int16_t version, const void *in,
    struct buf *out, struct err *e);

/*
 * codec_gather encodes without copying records that lie in fragments: everything else goes to
 * `out`, and pieces (allocated in arena) list what to send in order. Pieces point into out->data
 * and into the fragments, so both must stay until they are sent. Appends behind what out holds
 * already; the first piece starts at out->data, so that a frame's length and header can stand
 * there. Errors as codec_encode.
 */
MUST_CHECK enum rc codec_gather(const struct wire_message *message, int16_t version, const void *in,
    struct buf *out, struct arena *arena, struct wire_fragment **pieces, size_t *piece_count,
    struct err *e);

/* codec_is_flexible tells whether this version uses the compact encoding with tags. */
bool codec_is_flexible(const struct wire_message *message, int16_t version);

/* codec_has_version tells whether the schema has this version. */
bool codec_has_version(const struct wire_message *message, int16_t version);

/* codec_is_default tells whether a member has its default value: the rule by which tagged fields
 * are left out. */
bool codec_is_default(const struct wire_field *field, const void *member);

#endif
