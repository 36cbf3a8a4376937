#include "refbroker/log/wal_filling.h"

#include <stdlib.h>
#include <string.h>

#include "lib/wire/batch_view.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"
#include "refbroker/log/wal_format.h"

#define ROOM_BYTES_MIN ((size_t)64 * 1024)

void
wal_filling_fini(struct wal_filling *filling)
{
    free(filling->room);
    *filling = (struct wal_filling){0};
}

void
wal_filling_clear(struct wal_filling *filling)
{
    *filling = (struct wal_filling){.room = filling->room, .room_bytes = filling->room_bytes};
}

bool
wal_filling_reserve(struct wal_filling *filling, size_t size)
{
    size_t filled = filling->count == 0 ? 0 : WAL_GROUP_HEADER_BYTES + filling->payload_bytes;
    size_t payload_bytes = filling->payload_bytes + WAL_ENTRY_BYTES + size;
    size_t need = wal_format_aligned(WAL_GROUP_HEADER_BYTES + payload_bytes);
    size_t bytes = ROOM_BYTES_MIN;
    uint8_t *room;

    if (need <= filling->room_bytes)
        return true;
    if (payload_bytes > WAL_GROUP_BYTES_MAX)
        return false;
    while (bytes < need)
        bytes *= 4;
    room = disk_buffer_new(bytes);
    if (room == NULL)
        return false;
    if (filled > 0)
        memcpy(room, filling->room, filled);
    free(filling->room);
    filling->room = room;
    filling->room_bytes = bytes;
    return true;
}

void
wal_filling_add(struct wal_filling *filling, const struct wire_uuid *topic_id, int32_t partition,
    const uint8_t *data, size_t size)
{
    uint8_t *at = filling->room + WAL_GROUP_HEADER_BYTES + filling->payload_bytes;

    memcpy(at, topic_id, sizeof *topic_id);
    codec_bytes_put_int32(at + 16, partition);
    codec_bytes_put_int32(at + 20, (int32_t)size);
    memcpy(at + WAL_ENTRY_BYTES, data, size);
    filling->crc =
        batch_view_crc_behind(crc32c_extend(filling->crc, at, WAL_ENTRY_BYTES), data, size);
    filling->payload_bytes += WAL_ENTRY_BYTES + size;
    filling->count++;
}

void
wal_filling_end(struct wal_filling *filling, uint64_t salt, uint64_t sequence, size_t size)
{
    struct wal_group_header header = {sequence, (uint32_t)filling->count,
        (uint32_t)filling->payload_bytes,
        crc32c_join(wal_format_crc_begin(salt, sequence), filling->crc, filling->payload_bytes)};
    size_t end = WAL_GROUP_HEADER_BYTES + filling->payload_bytes;

    wal_format_group_header(filling->room, salt, &header);
    memset(filling->room + end, 0, size - end);
}
