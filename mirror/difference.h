/*
 * difference: one record as verify compares it, and what differs between two of them.
 *
 * Keys, values and headers are kept as their size and a hash (XXH3, 64 bits), so that a report
 * shows that they differ without showing what they hold. Codec, leader epoch and CRC are not
 * compared: they may differ between two equal logs.
 */
#ifndef MIRROR_DIFFERENCE_H
#define MIRROR_DIFFERENCE_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/wire/batch_records.h"

/* Attributes of a batch that are compared. */
#define DIFFERENCE_COMPARED_BITS                                                                   \
    (BATCH_VIEW_LOG_APPEND_TIME | BATCH_VIEW_TRANSACTIONAL | BATCH_VIEW_CONTROL)

enum difference_field {
#define FIELD(name, text, member) DIFFERENCE_##name,
#define BLOB(name, text, member) DIFFERENCE_##name,
#include "mirror/difference.def"
#undef FIELD
#undef BLOB
    DIFFERENCE_FIELDS
};

struct difference_blob {
    int32_t size; /* -1: null; of headers: how many there are */
    uint64_t hash;
};

struct difference_record {
    int64_t offset; /* -1: there is none */
    int64_t base_offset;
    int64_t timestamp;
    int64_t producer_id;
    int64_t producer_epoch;
    int64_t base_sequence;
    int64_t attributes;
    struct difference_blob key;
    struct difference_blob value;
    struct difference_blob headers;
};

/* The first difference of two logs: of the records at one offset, or, where `of_key` is set, of the
 * last records of one key (compacted topics), of which only offset, key and value are known. */
struct difference {
    bool found;
    bool of_key;
    struct difference_record source;
    struct difference_record target;
};

/* difference_blob_of hashes bytes; a negative size is null. */
struct difference_blob difference_blob_of(const uint8_t *data, int32_t size);

/* difference_record_of describes a record. */
struct difference_record difference_record_of(
    const struct batch_view *batch, const struct batch_records_record *record);

/* difference_fields returns what differs between two records that are there, as bits 1 <<
 * enum difference_field; of_key looks at the values only. */
unsigned difference_fields(
    const struct difference_record *a, const struct difference_record *b, bool of_key);

/* difference_find compares two rows of records, each in the order of offsets, and gives the first
 * difference; found is false where there is none. */
struct difference difference_find(const struct difference_record *source, size_t source_count,
    const struct difference_record *target, size_t target_count);

/* difference_field_text returns a field's name for people. */
const char *difference_field_text(enum difference_field field);

/* difference_print appends one line for people: where, and what differs. */
void difference_print(const struct difference *difference, struct buf *out);

#endif
