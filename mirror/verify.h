/*
 * verify: whether two clusters hold the same records.
 *
 * Both sides are read in whole. For each partition the range is [the larger of the two log starts,
 * the source's end when it began); over it a hash of every record (offset, batch attributes without
 * the codec, timestamp, producer id, epoch and sequence of the batch, key, value, headers) is
 * summed up in buckets of VERIFY_BUCKET_OFFSETS offsets. The stored CRC is checked on both sides
 * and is no part of the hash. The first bucket that differs is read a second time, to name its
 * first differing record; that is done for VERIFY_REREAD_MAX partitions, of more the bucket's
 * offsets are told.
 *
 * Compacted topics are compared by the last value per key, since the two sides may be compacted at
 * different times; a key is told by its hash.
 */
#ifndef MIRROR_VERIFY_H
#define MIRROR_VERIFY_H

#include "mirror/difference.h"
#include "mirror/scan.h"

#define VERIFY_BUCKET_OFFSETS 4096
#define VERIFY_REREAD_MAX 1000
#define VERIFY_TEXT_BYTES 1024

enum verify_verdict { VERIFY_EQUAL, VERIFY_DIFFERENT, VERIFY_FAILED };

struct verify_partition {
    enum verify_verdict verdict;
    int64_t from;
    int64_t to;
    uint64_t source_records;
    uint64_t target_records;
    int64_t different_offset;     /* of the first differing record, or bucket; -1: none */
    uint64_t different_buckets;   /* how many; of keys in a compacted topic */
    struct difference difference; /* found is false where the record is not known */
    char text[VERIFY_TEXT_BYTES]; /* what differs, or failed */
};

struct verify;

struct verify *verify_start(struct cluster *source, struct selection *from, struct cluster *to,
    struct selection *target, scan_end_fn *end, void *arg);
void verify_free(struct verify *verify);

/* verify_bytes is what was read of both sides so far. */
uint64_t verify_bytes(const struct verify *verify);

/* verify_result judges a partition; after the end only. */
void verify_result(const struct verify *verify, uint32_t number, struct verify_partition *out);

#endif
