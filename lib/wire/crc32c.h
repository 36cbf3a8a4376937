/*
 * crc32c: the two checksums of Kafka's record formats, computed by ISA-L.
 *
 * Batches of format v2 carry CRC-32C (Castagnoli; the CRC of iSCSI), messages of formats v0 and v1
 * the older CRC-32 of gzip. Both are in the usual form: seed and result inverted, bits reflected;
 * the checksum of "123456789" is e3069283 and cbf43926.
 */
#ifndef LIB_WIRE_CRC32C_H
#define LIB_WIRE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* crc32c_of returns the CRC-32C of `size` bytes, crc32c_extend that of what gave `crc` with these
 * bytes behind it; nothing at all has the CRC 0. */
uint32_t crc32c_of(const void *data, size_t size);
uint32_t crc32c_extend(uint32_t crc, const void *data, size_t size);

/* crc32c_join returns the CRC-32C of two sequences of bytes, one behind the other, by that of each
 * and the length of the second: what crc32c_extend would say, without the bytes. It takes some
 * 0.1 µs, whatever the length. */
uint32_t crc32c_join(uint32_t first, uint32_t second, size_t second_bytes);

/* crc32c_old returns the CRC-32 of formats v0 and v1. */
uint32_t crc32c_old(const void *data, size_t size);

#endif
