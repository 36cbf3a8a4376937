/*
 * wal_index: what a full file of the WAL holds, at its end: a start reads this instead of all of
 * it, and what the batches hold once it serves (wal_load.h). All numbers are big-endian.
 *
 *     file    = header, groups, nothing or the remains of an earlier use, index, trailer (4 KiB)
 *     index   = for each group { sequence, entry count }, and for each of its entries { topic id,
 *               partition, size, place, size of the head }, head
 *     trailer = magic, index bytes, end of the groups, CRC-32C of the index, and its own
 *
 * The head of a batch are its first bytes: all of them up to WAL_INDEX_WHOLE_BYTES, so that small
 * batches, such as committed offsets and markers, need nothing else.
 *
 * An index is written once all groups of the file are durable. One that is not there, or whose
 * checksums (with the file's salt) are not right, is none: the groups say the same. A file whose
 * index would become larger than the limit gets none.
 *
 * Not thread-safe.
 */
#ifndef REFBROKER_LOG_WAL_INDEX_H
#define REFBROKER_LOG_WAL_INDEX_H

#include "lib/base/blob.h"
#include "lib/base/buf.h"
#include "lib/base/disk.h"
#include "lib/wire/desc.h"

#define WAL_INDEX_HEAD_BYTES 64 /* the header of a batch is 61 */
#define WAL_INDEX_WHOLE_BYTES 1024

/* What is known of the file that is being written. */
struct wal_index {
    struct buf bytes;
    bool given_up; /* until the next file */
};

/* wal_index_init: at most bytes_max of one file; 0: no file gets an index. */
void wal_index_init(struct wal_index *index, size_t bytes_max);
void wal_index_fini(struct wal_index *index);

/* wal_index_begin begins anew, for the next file. */
void wal_index_begin(struct wal_index *index);

/* wal_index_group_bytes is what a group takes beside its entries, wal_index_entry_bytes what a
 * batch of `size` bytes takes. */
size_t wal_index_group_bytes(void);
size_t wal_index_entry_bytes(size_t size);

/* wal_index_room is the space at the end of the file that the index will take with `more` bytes, a
 * multiple of DISK_ALIGN_BYTES; 0 where there will be none. */
size_t wal_index_room(const struct wal_index *index, size_t more);

/* wal_index_group notes a group, wal_index_entry each of its batches, which begins at byte `place`
 * of the file. */
void wal_index_group(struct wal_index *index, uint64_t sequence, uint32_t entry_count);
void wal_index_entry(struct wal_index *index, const struct wire_uuid *topic_id, int32_t partition,
    const uint8_t *data, uint32_t size, uint64_t place);

/* wal_index_format writes index and trailer, wal_index_room(index, 0) bytes. */
void wal_index_format(
    const struct wal_index *index, uint64_t salt, uint64_t groups_end, uint8_t *out);

/* An index that was read. Heads lie in the blob. */
struct wal_index_view {
    struct blob *blob;
    const uint8_t *at;
    const uint8_t *end;
    uint64_t groups_end; /* in the file */
};

/* wal_index_read reads the index of a file of `size` bytes: RC_NOTFOUND where there is none. The
 * caller unrefs the blob. */
MUST_CHECK enum rc wal_index_read(
    struct disk_file *file, int64_t size, uint64_t salt, struct wal_index_view *out, struct err *e);

struct wal_index_entry {
    struct wire_uuid topic_id;
    int32_t partition;
    uint32_t size;
    uint64_t place;
    const uint8_t *head;
    uint32_t head_size;
};

/* wal_index_next_group and wal_index_next_entry go on; false behind the last group, and where the
 * bytes are none of an index. */
bool wal_index_next_group(struct wal_index_view *view, uint64_t *sequence, uint32_t *entry_count);
bool wal_index_next_entry(struct wal_index_view *view, struct wal_index_entry *entry);

#endif
