/*
 * codec_value: one member of a message, loaded. For the modules that print and compare messages.
 */
#ifndef LIB_WIRE_CODEC_VALUE_H
#define LIB_WIRE_CODEC_VALUE_H

#include "lib/wire/desc.h"

enum codec_value_kind {
    CODEC_VALUE_NULL,
    CODEC_VALUE_BOOL,
    CODEC_VALUE_INT,
    CODEC_VALUE_REAL,
    CODEC_VALUE_UUID,
    CODEC_VALUE_STRING,
    CODEC_VALUE_BYTES,
    CODEC_VALUE_RECORDS,
    CODEC_VALUE_ARRAY,
    CODEC_VALUE_STRUCT,
};

/* Views into the message. */
struct codec_value {
    enum codec_value_kind kind;
    int64_t number; /* of a bool 0 or 1, of a real its bits */
    double real;
    const uint8_t *data; /* of text, bytes, uuid; of an array the items; of a struct the object */
    int32_t size;        /* in bytes, or elements */
    struct wire_records records;
};

/* codec_value_has tells whether a version has this field. */
bool codec_value_has(const struct wire_field *field, int16_t version);

/* codec_value_load loads the member of a field, or one element of an array field. */
struct codec_value codec_value_load(
    const struct wire_field *field, const void *at, bool is_element);

/* codec_value_element loads an element of an array that was loaded. */
struct codec_value codec_value_element(
    const struct wire_field *field, const struct codec_value *array, int32_t index);

/* codec_value_equal compares two values of one kind that are neither arrays nor structs. Records
 * in fragments are compared as if they were one piece. */
bool codec_value_equal(const struct codec_value *a, const struct codec_value *b);

#endif
