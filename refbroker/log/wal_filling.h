/*
 * wal_filling: a group of the WAL as it will be written (wal_format.h), filled batch by batch.
 *
 * This is the one copy that a batch undergoes on its way to the disk. It is made when the batch
 * comes, on the owner's thread: the batch has just been looked at and lies in the processor's
 * cache, and the lane finds a group that it only has to write. The group's checksum follows from
 * those that batches carry (batch_view_crc_behind), so it tells of a copy that went wrong, too.
 */
#ifndef REFBROKER_LOG_WAL_FILLING_H
#define REFBROKER_LOG_WAL_FILLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wire/desc.h"

/* Zeroed: empty, without room. */
struct wal_filling {
    uint8_t *room; /* aligned to DISK_ALIGN_BYTES; the group's beginning */
    size_t room_bytes;
    size_t count;         /* of batches */
    size_t payload_bytes; /* of them, behind the group's header */
    uint32_t crc;         /* of those bytes */
};

/* wal_filling_fini frees the room; wal_filling_clear keeps it for another group. */
void wal_filling_fini(struct wal_filling *filling);
void wal_filling_clear(struct wal_filling *filling);

/* wal_filling_reserve makes room for one more batch of `size` bytes and for the padding behind it;
 * false where that would be more than a group may be (WAL_GROUP_BYTES_MAX), or than there is. */
bool wal_filling_reserve(struct wal_filling *filling, size_t size);

/* wal_filling_add adds an intact batch for which there is room. */
void wal_filling_add(struct wal_filling *filling, const struct wire_uuid *topic_id,
    int32_t partition, const uint8_t *data, size_t size);

/* wal_filling_end writes the header, and zeros up to `size` bytes in all. */
void wal_filling_end(struct wal_filling *filling, uint64_t salt, uint64_t sequence, size_t size);

#endif
