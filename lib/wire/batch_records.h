/*
 * batch_records: the records of one batch, one after the other.
 *
 * Keys, values and headers are views into the batch, or, for a compressed one, into the caller's
 * scratch buffer, which holds the decompressed records until it is used again. Iterating allocates
 * nothing. All magics are read; a wrapper of formats v0 and v1 gives the messages inside it, with
 * their absolute offsets (KIP-31) and timestamps (KIP-32).
 *
 * The CRC of the batch is not looked at (batch_view_is_intact does that), that of a message inside
 * a wrapper is. Rules as in Kafka's readers: any negative length but a header key's is null; a
 * record must fill its length, the records the batch; a message set in a wrapper may be cut.
 */
#ifndef LIB_WIRE_BATCH_RECORDS_H
#define LIB_WIRE_BATCH_RECORDS_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/wire/batch_view.h"

/* The headers that are still to come; a copy of it is a place to return to. */
struct batch_records_headers {
    const uint8_t *at;
    const uint8_t *end;
    int32_t left;
};

struct batch_records_header {
    const uint8_t *key;
    const uint8_t *value; /* NULL: null */
    int32_t key_size;
    int32_t value_size; /* -1: null */
};

struct batch_records_record {
    int64_t offset;
    int64_t timestamp; /* ms; -1: none */
    const uint8_t *key;
    const uint8_t *value;
    int32_t key_size; /* -1: null */
    int32_t value_size;
    struct batch_records_headers headers;
    int32_t size; /* as encoded, its length included */
};

struct batch_records {
    struct batch_view batch;
    const uint8_t *at;
    const uint8_t *end;
    int64_t base_offset; /* of relative offsets */
    int32_t left;        /* -1: until the data ends */
};

/*
 * batch_records_open prepares to read a batch and decompresses it when needed, into `scratch`,
 * which is cleared first and takes at most size_max bytes. RC_LIMIT for more than that;
 * RC_UNSUPPORTED for a codec that Kafka does not know; RC_CORRUPT where decompression fails or, in
 * v0 and v1, the wrapper is wrong.
 */
MUST_CHECK enum rc batch_records_open(struct batch_records *records, const struct batch_view *batch,
    struct buf *scratch, size_t size_max, struct err *e);

/* batch_records_next reads the next record; *found is false behind the last. RC_CORRUPT for a
 * broken record or a count that does not fit; the error tells the record's index. */
MUST_CHECK enum rc batch_records_next(
    struct batch_records *records, struct batch_records_record *out, bool *found, struct err *e);

/* batch_records_header_next gives a record's next header; false behind the last. It cannot fail:
 * the record was checked. */
bool batch_records_header_next(
    struct batch_records_headers *headers, struct batch_records_header *out);

#endif
