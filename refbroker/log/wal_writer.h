/*
 * wal_writer: the files of the WAL as the lane that writes them sees them.
 *
 * One file is written at a time, group behind group. When it is full it gets an index
 * (wal_index.h), and the next one begins under the next number: a spare file under a new name, or a
 * new one; so it does, without an index, when what the file holds is not known any more. Nothing is
 * synced twice after a failure: a file, or a number, that met an error is given up.
 *
 * All functions but init, fini and add_spare run on the WAL's lane and block.
 */
#ifndef REFBROKER_LOG_WAL_WRITER_H
#define REFBROKER_LOG_WAL_WRITER_H

#include "refbroker/log/wal_format.h"
#include "refbroker/log/wal_index.h"

struct wal_writer {
    struct disk *disk;
    size_t file_bytes;
    struct disk_file *file; /* NULL: the next group begins a new one */
    uint64_t number;
    uint64_t salt; /* of that file */
    int64_t at;
    int64_t size;
    uint64_t salt_base; /* of all files of this process */
    uint64_t last_number;
    uint64_t durable_sequence;
    uint64_t *spares;
    size_t spare_count;
    bool settled;        /* the spares that recovery found will stay empty */
    bool cannot_recycle; /* a sync of the folder failed */
    uint8_t *buffer;     /* aligned */
    size_t buffer_bytes;
    struct wal_index index; /* of the file; whoever puts a group notes its batches */
};

/* wal_writer_init prepares for groups behind what recovery found; no file is touched. `salt` is
 * random. */
void wal_writer_init(struct wal_writer *w, struct disk *disk, size_t file_bytes,
    size_t index_bytes_max, uint64_t salt, uint64_t last_number, uint64_t durable_sequence);
void wal_writer_fini(struct wal_writer *w);

/* wal_writer_add_spare hands over a file that holds nothing. */
void wal_writer_add_spare(struct wal_writer *w, uint64_t number);

/* wal_writer_reserve finds a place for a group of `size` bytes (a multiple of DISK_ALIGN_BYTES), of
 * which the index will hold index_bytes; the group's checksums need w->salt. After RC_NO_SPACE it
 * may be called again. */
MUST_CHECK enum rc wal_writer_reserve(
    struct wal_writer *w, size_t size, size_t index_bytes, struct err *e);

/* wal_writer_room returns room for a group that has no memory of its own, until the next call of
 * any function here but put. */
MUST_CHECK enum rc wal_writer_room(struct wal_writer *w, size_t size, uint8_t **out, struct err *e);

/*
 * wal_writer_put writes a group (aligned, like its size) to its place and syncs it. After
 * RC_NO_SPACE nothing was synced, and the same group may be reserved and put again; after any other
 * error it may or may not be on the medium, and the next reserve begins a new file.
 */
MUST_CHECK enum rc wal_writer_put(
    struct wal_writer *w, const uint8_t *group, size_t size, uint64_t sequence, struct err *e);

/*
 * wal_writer_recycle makes a file that holds nothing of use any more a spare: it loses its header,
 * durably, before anything else is done with it. On an error *spoilt becomes true, and the next
 * call for this file removes it instead. Files must be recycled oldest first, each only once the
 * one before is done.
 */
MUST_CHECK enum rc wal_writer_recycle(
    struct wal_writer *w, uint64_t number, bool *spoilt, struct err *e);

#endif
