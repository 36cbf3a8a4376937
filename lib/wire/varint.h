/*
 * varint: the signed variable-length numbers inside records of format v2.
 *
 * Zig-zag, then 7 bits a byte, lowest first. As in Kafka's readers a number may be longer than it
 * needs to be, up to 5 bytes for 32 bits and 10 for 64, and surplus high bits are dropped.
 */
#ifndef LIB_WIRE_VARINT_H
#define LIB_WIRE_VARINT_H

#include <stddef.h>
#include <stdint.h>

#define VARINT_BYTES_MAX 5
#define VARINT_LONG_BYTES_MAX 10

/* varint_get and varint_get_long read a number from at most `size` bytes and return the bytes used,
 * 0 where it is cut or too long. */
size_t varint_get(const uint8_t *p, size_t size, int32_t *out);
size_t varint_get_long(const uint8_t *p, size_t size, int64_t *out);

/* varint_put and varint_put_long write the shortest form to p, which has room for it, and return
 * its size. */
size_t varint_put(uint8_t *p, int32_t value);
size_t varint_put_long(uint8_t *p, int64_t value);

/* varint_size and varint_size_long return the size of the shortest form. */
size_t varint_size(int32_t value);
size_t varint_size_long(int64_t value);

#endif
