/*
 * desc: what a Kafka message looks like, as tables.
 *
 * kgen writes these tables from schema/ *.msg; the codec and everything that prints, compares or
 * invents messages interprets them. They are constant; nobody else builds them.
 */
#ifndef LIB_WIRE_DESC_H
#define LIB_WIRE_DESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_kind {
    WIRE_BOOL,
    WIRE_INT8,
    WIRE_INT16,
    WIRE_UINT16,
    WIRE_INT32,
    WIRE_INT64,
    WIRE_FLOAT64,
    WIRE_UUID,
    WIRE_STRING,
    WIRE_BYTES,
    WIRE_RECORDS,
    WIRE_STRUCT,
};

/* Versions from min to max; empty where max < min. */
struct wire_range {
    int16_t min;
    int16_t max;
};

struct wire_uuid {
    uint8_t bytes[16];
};

/* Text as on the wire: `size` bytes, no zero behind them; size -1 is null. Decoded text is a view
 * into the input. */
struct wire_string {
    const char *data;
    int32_t size;
};

struct wire_bytes {
    const uint8_t *data;
    int32_t size;
};

/* One piece of records that are not contiguous in memory. */
struct wire_fragment {
    const uint8_t *data;
    size_t size;
};

/*
 * Record batches: `size` bytes, -1 is null. They lie at `data`, or, where data is NULL and
 * fragment_count > 0, in fragments whose sizes sum up to size (a fetch reply made of cached
 * batches); decoding always gives data.
 */
struct wire_records {
    const uint8_t *data;
    const struct wire_fragment *fragments;
    int32_t size;
    int32_t fragment_count;
};

/* Every generated array has this shape, with items of its own type; count -1 is null. */
struct wire_array {
    void *items;
    int32_t count;
};

struct wire_struct;

struct wire_field {
    const char *name;
    const struct wire_struct *sub; /* WIRE_STRUCT only */
    int64_t default_int;
    uint32_t offset; /* of the member in its C struct */
    enum wire_kind kind;
    struct wire_range versions;
    struct wire_range nullable;
    int16_t tag; /* -1: not tagged */
    bool is_array;
    bool is_pointer; /* a struct that may be null: the member is a pointer */
    bool default_null;
    bool ignorable;
    bool inflexible;
};

struct wire_struct {
    const char *name;
    const struct wire_field *fields;
    uint32_t field_count;
    uint32_t size; /* of the C struct */
};

enum wire_message_kind { WIRE_REQUEST, WIRE_RESPONSE, WIRE_DATA };

struct wire_message {
    const char *name; /* "fetch_request" */
    const struct wire_struct *body;
    enum wire_message_kind kind;
    int16_t key; /* API key; type of a record's key; -1 otherwise */
    struct wire_range versions;
    int16_t flexible_min; /* INT16_MAX: never */
    bool last_unstable;   /* the last version exists, and Kafka has not released it */
};

struct wire_api {
    int16_t key;
    const char *name; /* "fetch" */
    const struct wire_message *request;
    const struct wire_message *response;
};

#endif
