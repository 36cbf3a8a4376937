/*
 * codec_bytes: numbers in Kafka's byte order, and the sizes that both halves of the codec share.
 *
 * For lib/wire and for code that reads single fields of a record batch in place. Nothing here
 * checks bounds unless a size is a parameter.
 */
#ifndef LIB_WIRE_CODEC_BYTES_H
#define LIB_WIRE_CODEC_BYTES_H

#include "lib/wire/desc.h"

#define CODEC_UVARINT_BYTES_MAX 5

/* Big-endian numbers at p. */
int16_t codec_bytes_int16(const uint8_t *p);
int32_t codec_bytes_int32(const uint8_t *p);
int64_t codec_bytes_int64(const uint8_t *p);
void codec_bytes_put_int16(uint8_t *p, int16_t value);
void codec_bytes_put_int32(uint8_t *p, int32_t value);
void codec_bytes_put_int64(uint8_t *p, int64_t value);

/* codec_bytes_uvarint reads an unsigned variable-length number of at most 5 bytes and returns the
 * bytes used, 0 where it is cut or too long. */
size_t codec_bytes_uvarint(const uint8_t *p, size_t size, uint32_t *out);

/* codec_bytes_put_uvarint writes one and returns its size; p may be NULL to measure. */
size_t codec_bytes_put_uvarint(uint8_t *p, uint32_t value);

/* codec_bytes_stride returns the size of one element of an array field in C. */
size_t codec_bytes_stride(const struct wire_field *field);

#endif
