/*
 * units: numbers for people: bytes in powers of 1000, counts, times. Each writes to at least
 * UNITS_BYTES bytes.
 */
#ifndef CLI_UNITS_H
#define CLI_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#define UNITS_BYTES 32

/* "412 GB", "3.1 M", "1 h 02 m". */
void units_bytes(uint64_t bytes, char *out);
void units_count(int64_t count, char *out);
void units_seconds(int64_t seconds, char *out);

/* units_utf8 tells whether the terminal's locale takes more than ASCII. */
bool units_utf8(void);

#endif
