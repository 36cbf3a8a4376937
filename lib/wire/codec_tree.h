/*
 * codec_tree: any message as a tree: JSON, one line of text, single values by path.
 *
 * Only fields that the version has are seen. Paths name fields as the schema does and count from 0:
 * `responses[0].partitions[1].error_code`; `responses[]` is the number of elements. Text reads
 * fetch_request v12 {replica_id=-1 topics=[{topic="t" partitions=[]}] rack_id=null}: strings are
 * quoted with JSON's escapes, bytes are hexadecimal behind 0x, a uuid as in Kafka's tools, records
 * <n bytes>.
 */
#ifndef LIB_WIRE_CODEC_TREE_H
#define LIB_WIRE_CODEC_TREE_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/jdoc.h"
#include "lib/wire/codec_value.h"

/* codec_tree_json returns the message as a JSON object, which the caller frees. Records are their
 * size in bytes, bytes and uuids text as above. */
struct jdoc *codec_tree_json(
    const struct wire_message *message, int16_t version, const void *object);

/* codec_tree_text appends the message as one line. Where out is full the text ends early. */
void codec_tree_text(
    const struct wire_message *message, int16_t version, const void *object, struct buf *out);

/* A field, or one element of it, inside a message. */
struct codec_tree_node {
    const struct wire_field *field;
    const void *at;
    bool is_element; /* one element of an array field */
    bool is_count;   /* the number of its elements */
};

/*
 * codec_tree_find looks up a path. RC_CONFIG where the path is malformed or names what the version
 * does not have; RC_NOTFOUND where an index is past the end or a parent is null.
 */
MUST_CHECK enum rc codec_tree_find(const struct wire_message *message, int16_t version,
    const void *object, const char *path, struct codec_tree_node *out, struct err *e);

/* codec_tree_int and codec_tree_print look up a path and give its value: as a number (RC_CONFIG
 * where it is none), or appended as text. Errors as codec_tree_find. */
MUST_CHECK enum rc codec_tree_int(const struct wire_message *message, int16_t version,
    const void *object, const char *path, int64_t *out, struct err *e);
MUST_CHECK enum rc codec_tree_print(const struct wire_message *message, int16_t version,
    const void *object, const char *path, struct buf *out, struct err *e);

/* codec_tree_value appends one member that was loaded, as text. */
void codec_tree_value(
    const struct wire_field *field, int16_t version, struct codec_value value, struct buf *out);

/* codec_tree_uuid writes a uuid as Kafka's tools do: base64 for URLs, without padding. */
#define CODEC_TREE_UUID_CHARS 22
void codec_tree_uuid(const struct wire_uuid *uuid, char out[CODEC_TREE_UUID_CHARS + 1]);

#endif
