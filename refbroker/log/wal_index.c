#include "refbroker/log/wal_index.h"

#include <string.h>

#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"
#include "refbroker/log/wal_format.h"

#define TRAILER_BYTES DISK_ALIGN_BYTES
#define TRAILER_MAGIC "KDLWALIX"
#define TRAILER_CRC_AT 28 /* what its checksum covers */
#define GROUP_BYTES 12
#define ENTRY_BYTES 36 /* without the head */

void
wal_index_init(struct wal_index *index, size_t bytes_max)
{
    buf_init(&index->bytes, bytes_max);
    wal_index_begin(index);
}

void
wal_index_fini(struct wal_index *index)
{
    buf_fini(&index->bytes);
}

void
wal_index_begin(struct wal_index *index)
{
    buf_clear(&index->bytes);
    index->given_up = index->bytes.size_max == 0;
}

static size_t
head_bytes(size_t size)
{
    return size <= WAL_INDEX_WHOLE_BYTES ? size : WAL_INDEX_HEAD_BYTES;
}

size_t
wal_index_group_bytes(void)
{
    return GROUP_BYTES;
}

size_t
wal_index_entry_bytes(size_t size)
{
    return ENTRY_BYTES + head_bytes(size);
}

size_t
wal_index_room(const struct wal_index *index, size_t more)
{
    size_t size = index->bytes.size + more;

    if (index->given_up || size == 0 || size > index->bytes.size_max)
        return 0;
    return wal_format_aligned(size) + TRAILER_BYTES;
}

/* Room for so many bytes; NULL where the file gets no index. */
static uint8_t *
reserve(struct wal_index *index, size_t size)
{
    uint8_t *out = index->given_up ? NULL : buf_reserve(&index->bytes, size);

    if (out == NULL)
        index->given_up = true;
    else
        buf_commit(&index->bytes, size);
    return out;
}

void
wal_index_group(struct wal_index *index, uint64_t sequence, uint32_t entry_count)
{
    uint8_t *out = reserve(index, GROUP_BYTES);

    if (out == NULL)
        return;
    codec_bytes_put_int64(out, (int64_t)sequence);
    codec_bytes_put_int32(out + 8, (int32_t)entry_count);
}

void
wal_index_entry(struct wal_index *index, const struct wire_uuid *topic_id, int32_t partition,
    const uint8_t *data, uint32_t size, uint64_t place)
{
    size_t head = head_bytes(size);
    uint8_t *out = reserve(index, ENTRY_BYTES + head);

    if (out == NULL)
        return;
    memcpy(out, topic_id, sizeof *topic_id);
    codec_bytes_put_int32(out + 16, partition);
    codec_bytes_put_int32(out + 20, (int32_t)size);
    codec_bytes_put_int64(out + 24, (int64_t)place);
    codec_bytes_put_int32(out + 32, (int32_t)head);
    memcpy(out + ENTRY_BYTES, data, head);
}

/* The salt keeps the trailer of an earlier use of the file from counting. */
static uint32_t
crc_of(uint64_t salt, const uint8_t *data, size_t size)
{
    return crc32c_extend(wal_format_crc_begin(salt, 0), data, size);
}

void
wal_index_format(const struct wal_index *index, uint64_t salt, uint64_t groups_end, uint8_t *out)
{
    size_t aligned = wal_format_aligned(index->bytes.size);
    uint8_t *trailer = out + aligned;

    memcpy(out, index->bytes.data, index->bytes.size);
    memset(out + index->bytes.size, 0, aligned - index->bytes.size + TRAILER_BYTES);
    memcpy(trailer, TRAILER_MAGIC, 8);
    codec_bytes_put_int64(trailer + 8, (int64_t)index->bytes.size);
    codec_bytes_put_int64(trailer + 16, (int64_t)groups_end);
    codec_bytes_put_int32(
        trailer + 24, (int32_t)crc_of(salt, index->bytes.data, index->bytes.size));
    codec_bytes_put_int32(trailer + TRAILER_CRC_AT, (int32_t)crc_of(salt, trailer, TRAILER_CRC_AT));
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Reads bytes of a file into a new blob. */
static enum rc
bytes_read(struct disk_file *file, int64_t at, size_t size, struct blob **out, struct err *e)
{
    struct blob *blob = blob_new_direct(size);
    enum rc rc = blob == NULL ? err_set(e, RC_LIMIT, "no memory for an index of %zu bytes", size)
                              : disk_read_whole(file, at, blob->data, size, e);

    if (rc == RC_OK)
        *out = blob;
    else
        blob_unref(blob);
    return rc;
}

enum rc
wal_index_read(
    struct disk_file *file, int64_t size, uint64_t salt, struct wal_index_view *out, struct err *e)
{
    struct blob *trailer, *index;
    uint64_t index_bytes, groups_end, room;
    uint32_t crc;
    bool is_one;
    enum rc rc;

    if (size % DISK_ALIGN_BYTES != 0 || size < WAL_FILE_HEADER_BYTES + TRAILER_BYTES)
        return err_set(e, RC_NOTFOUND, "it has no room for an index");
    rc = bytes_read(file, size - TRAILER_BYTES, TRAILER_BYTES, &trailer, e);
    if (rc != RC_OK)
        return rc;
    is_one = memcmp(trailer->data, TRAILER_MAGIC, 8) == 0 &&
             (uint32_t)codec_bytes_int32(trailer->data + TRAILER_CRC_AT) ==
                 crc_of(salt, trailer->data, TRAILER_CRC_AT);
    index_bytes = (uint64_t)codec_bytes_int64(trailer->data + 8);
    groups_end = (uint64_t)codec_bytes_int64(trailer->data + 16);
    crc = (uint32_t)codec_bytes_int32(trailer->data + 24);
    blob_unref(trailer);
    room = (uint64_t)size - WAL_FILE_HEADER_BYTES - TRAILER_BYTES;
    if (!is_one || index_bytes == 0 || index_bytes > room ||
        groups_end > room + WAL_FILE_HEADER_BYTES || groups_end < WAL_FILE_HEADER_BYTES ||
        groups_end % DISK_ALIGN_BYTES != 0)
        return err_set(e, RC_NOTFOUND, "it has no index");
    room = wal_format_aligned((size_t)index_bytes);
    rc = bytes_read(file, size - TRAILER_BYTES - (int64_t)room, (size_t)room, &index, e);
    if (rc != RC_OK)
        return rc;
    if (crc_of(salt, index->data, (size_t)index_bytes) != crc) {
        blob_unref(index);
        return err_set(e, RC_NOTFOUND, "its index is damaged");
    }
    *out = (struct wal_index_view){index, index->data, index->data + index_bytes, groups_end};
    return RC_OK;
}

bool
wal_index_next_group(struct wal_index_view *view, uint64_t *sequence, uint32_t *entry_count)
{
    if (view->end - view->at < GROUP_BYTES)
        return false;
    *sequence = (uint64_t)codec_bytes_int64(view->at);
    *entry_count = (uint32_t)codec_bytes_int32(view->at + 8);
    view->at += GROUP_BYTES;
    return true;
}

bool
wal_index_next_entry(struct wal_index_view *view, struct wal_index_entry *entry)
{
    if (view->end - view->at < ENTRY_BYTES)
        return false;
    memcpy(&entry->topic_id, view->at, sizeof entry->topic_id);
    entry->partition = codec_bytes_int32(view->at + 16);
    entry->size = (uint32_t)codec_bytes_int32(view->at + 20);
    entry->place = (uint64_t)codec_bytes_int64(view->at + 24);
    entry->head_size = (uint32_t)codec_bytes_int32(view->at + 32);
    entry->head = view->at + ENTRY_BYTES;
    if (entry->head_size > (size_t)(view->end - entry->head) || entry->head_size > entry->size ||
        (entry->head_size < entry->size && entry->head_size < WAL_INDEX_HEAD_BYTES) ||
        entry->place > view->groups_end || entry->size > view->groups_end - entry->place)
        return false;
    view->at = entry->head + entry->head_size;
    return true;
}
