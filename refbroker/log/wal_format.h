/*
 * wal_format: the bytes of a WAL file, shared by writing (wal.c) and recovery (wal_recover.c). All
 * numbers are big-endian.
 *
 * Each file has a salt, a random number that its header tells and that enters the checksums of its
 * groups. So neither the remains of an earlier use of the file nor record bytes that a producer has
 * made to look like a group are ever taken for one.
 *
 * Assumed of the disk: a sector of 512 bytes is written whole or not at all. Both kinds of headers
 * lie in one.
 */
#ifndef REFBROKER_LOG_WAL_FORMAT_H
#define REFBROKER_LOG_WAL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/disk.h"
#include "lib/base/err.h"
#include "refbroker/log/wal.h"
#include "refbroker/log/wal_index.h"
#include "refbroker/log/wal_load.h"

#define WAL_FOLDER "wal"
#define WAL_NAME_BYTES 32
#define WAL_FILE_HEADER_BYTES DISK_ALIGN_BYTES
#define WAL_GROUP_HEADER_BYTES 32
#define WAL_ENTRY_BYTES 24

struct wal_group_header {
    uint64_t sequence;
    uint32_t entry_count;
    uint32_t payload_bytes; /* entries and batches, without padding */
    uint32_t crc;           /* of the payload */
};

struct wal_file_header {
    uint64_t number;         /* as in the name: another one means that a renaming was undone */
    uint64_t after_sequence; /* every group up to this one was durable when the file began, and what
                                the file before holds beyond it was reported lost */
    uint64_t salt;
    bool recycled; /* there may be bytes of an earlier use behind the groups */
};

void wal_format_file_header(uint8_t *out, const struct wal_file_header *header);

/* wal_format_file_parse: RC_UNSUPPORTED for another version, RC_CORRUPT for anything else that is
 * no header; a file that was made and never used (all zero) gives RC_NOTFOUND. */
MUST_CHECK enum rc wal_format_file_parse(
    const uint8_t *in, struct wal_file_header *header, struct err *e);

void wal_format_group_header(uint8_t *out, uint64_t salt, const struct wal_group_header *header);

/* wal_format_group_parse reads a header whose own checksum is right; false otherwise. */
bool wal_format_group_parse(const uint8_t *in, uint64_t salt, struct wal_group_header *header);

/* wal_format_group_at tells whether a whole group lies at `at` of a file's first `size` bytes, with
 * the payload that its header tells; *bytes is its size with padding. */
bool wal_format_group_at(const uint8_t *data, size_t size, size_t at, uint64_t salt,
    struct wal_group_header *group, size_t *bytes);

/* wal_format_crc is the checksum of a group's payload; crc32c_extend makes the same of its parts,
 * one after the other, from wal_format_crc_begin on. */
uint32_t wal_format_crc_begin(uint64_t salt, uint64_t sequence);
uint32_t wal_format_crc(uint64_t salt, uint64_t sequence, const uint8_t *payload, size_t size);

/* wal_format_name writes the path of a file by its number. wal_format_number is the way back from a
 * name within the folder; false for other names. */
void wal_format_name(char out[WAL_NAME_BYTES], uint64_t number);
bool wal_format_number(const char *name, uint64_t *number);

/* wal_format_aligned rounds up to DISK_ALIGN_BYTES. */
size_t wal_format_aligned(size_t size);

/* What recovery found of one file. */
struct wal_found_file {
    uint64_t number;
    uint64_t last_sequence; /* of its groups; 0: none */
    bool used;              /* it has a header of its own */
    struct wal_file_header header;
    struct wal_index_view index; /* blob NULL: it has none */
};

struct wal_scan {
    struct wal_found_file *files; /* by number */
    size_t file_count;
    uint64_t last_sequence; /* of all groups found */
    uint64_t next_sequence; /* larger than any that was ever written */
    uint64_t last_number;
    struct wal_load *loads; /* of what was found, and not read */
    size_t load_count;
};

/* wal_recover_scan reads all files (on the lane, of which it needs nothing to be under way), or
 * their indexes where they have one, calls found for each batch, and makes the last group durable
 * in case that the process died before it was. The caller calls wal_recover_free; what scan->loads
 * lists he may take over before. */
MUST_CHECK enum rc wal_recover_scan(const struct wal_options *options, wal_found_fn *found,
    void *arg, struct wal_scan *scan, struct err *e);
void wal_recover_free(struct wal_scan *scan);

#endif
