#include "lib/wire/batch_view.h"

#include <string.h>

#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"

#define V0_BYTES_MIN 26 /* with the overhead, no key, no value */
#define V1_BYTES_MIN 34
#define V0_LENGTH_MIN (V0_BYTES_MIN - BATCH_VIEW_OVERHEAD_BYTES)

/* Smaller batches are read faster than two checksums are joined. */
#define JOINED_BYTES_MIN 2048

#define OLD_CRC_AT 12
#define OLD_ATTRIBUTES_AT 17
#define OLD_TIMESTAMP_AT 18

static const size_t size_min[] = {V0_BYTES_MIN, V1_BYTES_MIN, BATCH_VIEW_HEADER_BYTES};

/* Offsets come from a peer; their sums wrap as Java's do. */
static int64_t
wrapping_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void
v2_read(struct batch_view *out)
{
    const uint8_t *p = out->data;

    out->leader_epoch = codec_bytes_int32(p + BATCH_VIEW_LEADER_EPOCH_AT);
    out->crc = (uint32_t)codec_bytes_int32(p + BATCH_VIEW_CRC_AT);
    out->attributes = codec_bytes_int16(p + BATCH_VIEW_ATTRIBUTES_AT);
    out->last_offset_delta = codec_bytes_int32(p + BATCH_VIEW_LAST_OFFSET_DELTA_AT);
    out->base_timestamp = codec_bytes_int64(p + BATCH_VIEW_BASE_TIMESTAMP_AT);
    out->max_timestamp = codec_bytes_int64(p + BATCH_VIEW_MAX_TIMESTAMP_AT);
    out->producer_id = codec_bytes_int64(p + BATCH_VIEW_PRODUCER_ID_AT);
    out->producer_epoch = codec_bytes_int16(p + BATCH_VIEW_PRODUCER_EPOCH_AT);
    out->base_sequence = codec_bytes_int32(p + BATCH_VIEW_BASE_SEQUENCE_AT);
    out->record_count = codec_bytes_int32(p + BATCH_VIEW_RECORD_COUNT_AT);
}

static void
old_read(struct batch_view *out)
{
    const uint8_t *p = out->data;

    out->leader_epoch = BATCH_VIEW_NONE;
    out->crc = (uint32_t)codec_bytes_int32(p + OLD_CRC_AT);
    out->attributes = p[OLD_ATTRIBUTES_AT];
    out->last_offset_delta = 0;
    out->base_timestamp =
        out->magic == 0 ? BATCH_VIEW_NONE : codec_bytes_int64(p + OLD_TIMESTAMP_AT);
    out->max_timestamp = out->base_timestamp;
    out->producer_id = BATCH_VIEW_NONE;
    out->producer_epoch = BATCH_VIEW_NONE;
    out->base_sequence = BATCH_VIEW_NONE;
    out->record_count = batch_view_codec(out) == COMPRESS_NONE ? 1 : -1;
}

enum rc
batch_view_begin(const void *data, size_t size, struct err *e)
{
    const uint8_t *p = data;
    int32_t length;
    int8_t magic;

    if (size < BATCH_VIEW_OVERHEAD_BYTES)
        return err_set(e, RC_TRUNCATED, "a batch begins with %zu bytes", size);
    length = codec_bytes_int32(p + BATCH_VIEW_LENGTH_AT);
    if (length < V0_LENGTH_MIN)
        return err_set(e, RC_CORRUPT, "a batch of length %d", length);
    if (size <= BATCH_VIEW_MAGIC_AT)
        return err_set(e, RC_TRUNCATED, "a batch begins with %zu bytes", size);
    magic = (int8_t)p[BATCH_VIEW_MAGIC_AT];
    if (magic < 0 || magic > 2)
        return err_set(e, RC_CORRUPT, "a batch of magic %d", magic);
    return RC_OK;
}

enum rc
batch_view_parse(const void *data, size_t size, struct batch_view *out, struct err *e)
{
    const uint8_t *p = data;
    enum rc rc = batch_view_begin(data, size, e);
    int32_t length;

    if (rc != RC_OK)
        return rc;
    length = codec_bytes_int32(p + BATCH_VIEW_LENGTH_AT);
    out->magic = (int8_t)p[BATCH_VIEW_MAGIC_AT];
    out->data = p;
    out->size = (size_t)length + BATCH_VIEW_OVERHEAD_BYTES;
    if (out->size < size_min[out->magic])
        return err_set(e, RC_CORRUPT, "a batch of magic %d and length %d", out->magic, length);
    if (out->size > size)
        return err_set(e, RC_TRUNCATED, "%zu bytes of a batch of %zu", size, out->size);
    out->base_offset = codec_bytes_int64(p);
    if (out->magic == 2)
        v2_read(out);
    else
        old_read(out);
    return RC_OK;
}

enum rc
batch_view_next(
    struct batch_view_cursor *cursor, struct batch_view *out, bool *found, struct err *e)
{
    struct err cut;
    enum rc rc;

    *found = false;
    if (cursor->size == 0)
        return RC_OK;
    rc = batch_view_parse(cursor->data, cursor->size, out, &cut);
    if (rc == RC_TRUNCATED)
        return RC_OK;
    if (rc != RC_OK && e != NULL)
        *e = cut;
    if (rc != RC_OK)
        return rc;
    cursor->data += out->size;
    cursor->size -= out->size;
    *found = true;
    return RC_OK;
}

enum compress_codec
batch_view_codec(const struct batch_view *batch)
{
    return (enum compress_codec)(batch->attributes & BATCH_VIEW_CODEC_MASK);
}

bool
batch_view_is_log_append_time(const struct batch_view *batch)
{
    return batch->magic > 0 && (batch->attributes & BATCH_VIEW_LOG_APPEND_TIME) != 0;
}

bool
batch_view_is_transactional(const struct batch_view *batch)
{
    return batch->magic == 2 && (batch->attributes & BATCH_VIEW_TRANSACTIONAL) != 0;
}

bool
batch_view_is_control(const struct batch_view *batch)
{
    return batch->magic == 2 && (batch->attributes & BATCH_VIEW_CONTROL) != 0;
}

bool
batch_view_has_producer(const struct batch_view *batch)
{
    return batch->producer_id > BATCH_VIEW_NONE;
}

int64_t
batch_view_delete_horizon_ms(const struct batch_view *batch)
{
    return batch->magic == 2 && (batch->attributes & BATCH_VIEW_DELETE_HORIZON) != 0
               ? batch->base_timestamp
               : BATCH_VIEW_NONE;
}

int64_t
batch_view_last_offset(const struct batch_view *batch)
{
    return wrapping_add(batch->base_offset, batch->last_offset_delta);
}

int64_t
batch_view_next_offset(const struct batch_view *batch)
{
    return wrapping_add(batch_view_last_offset(batch), 1);
}

int32_t
batch_view_sequence_add(int32_t sequence, int32_t count)
{
    return (int32_t)(((uint32_t)sequence + (uint32_t)count) & INT32_MAX);
}

int32_t
batch_view_last_sequence(const struct batch_view *batch)
{
    return batch->base_sequence < 0
               ? BATCH_VIEW_NONE
               : batch_view_sequence_add(batch->base_sequence, batch->last_offset_delta);
}

int32_t
batch_view_next_sequence(const struct batch_view *batch)
{
    return batch->base_sequence < 0 ? BATCH_VIEW_NONE
                                    : batch_view_sequence_add(batch_view_last_sequence(batch), 1);
}

uint32_t
batch_view_crc(const struct batch_view *batch)
{
    return batch->magic == 2
               ? crc32c_of(
                     batch->data + BATCH_VIEW_ATTRIBUTES_AT, batch->size - BATCH_VIEW_ATTRIBUTES_AT)
               : crc32c_old(batch->data + BATCH_VIEW_MAGIC_AT, batch->size - BATCH_VIEW_MAGIC_AT);
}

bool
batch_view_is_intact(const struct batch_view *batch)
{
    return batch_view_crc(batch) == batch->crc;
}

uint32_t
batch_view_crc_behind(uint32_t crc, const uint8_t *batch, size_t size)
{
    if (size < JOINED_BYTES_MIN || batch[BATCH_VIEW_MAGIC_AT] != 2)
        return crc32c_extend(crc, batch, size);
    return crc32c_join(crc32c_extend(crc, batch, BATCH_VIEW_ATTRIBUTES_AT),
        (uint32_t)codec_bytes_int32(batch + BATCH_VIEW_CRC_AT), size - BATCH_VIEW_ATTRIBUTES_AT);
}
