/*
 * wal_format: the bytes of a WAL file, shared by writing (wal.c) and recovery (wal_recover.c). All
 * numbers are big-endian.
 */
#ifndef REFBROKER_LOG_WAL_FORMAT_H
#define REFBROKER_LOG_WAL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/disk.h"
#include "lib/base/err.h"
#include "refbroker/log/wal.h"

#define WAL_FOLDER "wal"
#define WAL_NAME_BYTES 32
#define WAL_FILE_HEADER_BYTES DISK_ALIGN_BYTES
#define WAL_GROUP_HEADER_BYTES 32
#define WAL_ENTRY_BYTES 24

struct wal_group_header {
    uint64_t sequence;
    uint32_t entry_count;
    uint32_t payload_bytes; /* entries and batches, without padding */
    uint32_t crc;           /* of the payload, seeded by the header's other fields */
};

struct wal_file_header {
    uint64_t number;
    uint64_t after_sequence; /* every group up to this one was durable when the file began: the file
                                before may end there */
};

void wal_format_file_header(uint8_t *out, const struct wal_file_header *header);

/* wal_format_file_parse: RC_UNSUPPORTED for a newer format, RC_CORRUPT for anything else that is no
 * header; a file that was made and never used (all zero) gives RC_NOTFOUND. */
MUST_CHECK enum rc wal_format_file_parse(
    const uint8_t *in, struct wal_file_header *header, struct err *e);

void wal_format_group_header(uint8_t *out, const struct wal_group_header *header);

/* wal_format_group_parse reads a header whose own checksum is right; false otherwise. */
bool wal_format_group_parse(const uint8_t *in, struct wal_group_header *header);

/* wal_format_crc is the checksum of a group's payload. */
uint32_t wal_format_crc(uint64_t sequence, const uint8_t *payload, size_t size);

/* wal_format_name writes the path of a file by its number. wal_format_number is the way back from a
 * name within the folder; false for other names. */
void wal_format_name(char out[WAL_NAME_BYTES], uint64_t number);
bool wal_format_number(const char *name, uint64_t *number);

/* wal_format_aligned rounds up to DISK_ALIGN_BYTES. */
size_t wal_format_aligned(size_t size);

/* What recovery found of one file. */
struct wal_file {
    uint64_t number;
    uint64_t last_sequence; /* of its groups; 0: none */
    int64_t size;
};

struct wal_scan {
    struct wal_file *files; /* by number */
    size_t file_count;
    uint64_t last_sequence;
    uint64_t last_number;
};

/* wal_recover_scan reads all files and calls found for each batch; the caller frees scan->files. */
MUST_CHECK enum rc wal_recover_scan(
    struct disk *disk, wal_found_fn *found, void *arg, struct wal_scan *scan, struct err *e);

#endif
