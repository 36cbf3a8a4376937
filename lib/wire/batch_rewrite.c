#include "lib/wire/batch_rewrite.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"

static void
crc_put(uint8_t *data, size_t size)
{
    codec_bytes_put_int32(data + BATCH_VIEW_CRC_AT,
        (int32_t)crc32c_of(data + BATCH_VIEW_ATTRIBUTES_AT, size - BATCH_VIEW_ATTRIBUTES_AT));
}

static void
bits_set(uint8_t *data, int bits, bool on)
{
    int attributes = codec_bytes_int16(data + BATCH_VIEW_ATTRIBUTES_AT);

    codec_bytes_put_int16(
        data + BATCH_VIEW_ATTRIBUTES_AT, (int16_t)(on ? attributes | bits : attributes & ~bits));
}

/* As in Kafka a change also clears the bits that have no meaning. */
static void
timestamp_set(uint8_t *data, bool log_append_time, int64_t max_timestamp)
{
    int attributes = codec_bytes_int16(data + BATCH_VIEW_ATTRIBUTES_AT);

    if (((attributes & BATCH_VIEW_LOG_APPEND_TIME) != 0) == log_append_time &&
        codec_bytes_int64(data + BATCH_VIEW_MAX_TIMESTAMP_AT) == max_timestamp)
        return;
    bits_set(data, ~BATCH_VIEW_KNOWN_BITS, false);
    bits_set(data, BATCH_VIEW_LOG_APPEND_TIME, log_append_time);
    codec_bytes_put_int64(data + BATCH_VIEW_MAX_TIMESTAMP_AT, max_timestamp);
}

void
batch_rewrite_header(uint8_t *data, size_t size, const struct batch_rewrite *change)
{
    uint8_t before[BATCH_VIEW_HEADER_BYTES];

    REQUIRE(size >= BATCH_VIEW_HEADER_BYTES && data[BATCH_VIEW_MAGIC_AT] == 2);
    memcpy(before, data, sizeof before);
    if ((change->fields & BATCH_REWRITE_BASE_OFFSET) != 0)
        codec_bytes_put_int64(data, change->base_offset);
    if ((change->fields & BATCH_REWRITE_LEADER_EPOCH) != 0)
        codec_bytes_put_int32(data + BATCH_VIEW_LEADER_EPOCH_AT, change->leader_epoch);
    if ((change->fields & BATCH_REWRITE_TIMESTAMP) != 0)
        timestamp_set(data, change->log_append_time, change->max_timestamp);
    if ((change->fields & BATCH_REWRITE_PRODUCER) != 0) {
        codec_bytes_put_int64(data + BATCH_VIEW_PRODUCER_ID_AT, change->producer_id);
        codec_bytes_put_int16(data + BATCH_VIEW_PRODUCER_EPOCH_AT, change->producer_epoch);
        codec_bytes_put_int32(data + BATCH_VIEW_BASE_SEQUENCE_AT, change->base_sequence);
    }
    if ((change->fields & BATCH_REWRITE_TRANSACTIONAL) != 0)
        bits_set(data, BATCH_VIEW_TRANSACTIONAL, change->transactional);
    if (memcmp(before + BATCH_VIEW_ATTRIBUTES_AT, data + BATCH_VIEW_ATTRIBUTES_AT,
            BATCH_VIEW_HEADER_BYTES - BATCH_VIEW_ATTRIBUTES_AT) != 0)
        crc_put(data, size);
}

enum rc
batch_rewrite_codec(const struct batch_view *batch, enum compress_codec codec, struct buf *scratch,
    size_t size_max, struct buf *out, struct err *e)
{
    const uint8_t *records = batch->data + BATCH_VIEW_HEADER_BYTES;
    size_t records_size = batch->size - BATCH_VIEW_HEADER_BYTES;
    size_t start = out->size, size;
    enum rc rc = RC_OK;
    uint8_t *data;

    REQUIRE(batch->magic == 2);
    if (batch_view_codec(batch) != COMPRESS_NONE) {
        buf_clear(scratch);
        rc = compress_decode(batch_view_codec(batch), records, records_size, size_max, scratch, e);
        records = scratch->data;
        records_size = scratch->size;
    }
    buf_append(out, batch->data, BATCH_VIEW_HEADER_BYTES);
    if (rc == RC_OK)
        rc = compress_encode(codec, records, records_size, out, e);
    if (rc != RC_OK)
        return rc;
    size = out->size - start;
    if (size - BATCH_VIEW_OVERHEAD_BYTES > INT32_MAX)
        return err_set(e, RC_LIMIT, "a batch of %zu bytes", size);
    data = out->data + start;
    codec_bytes_put_int32(data + BATCH_VIEW_LENGTH_AT, (int32_t)(size - BATCH_VIEW_OVERHEAD_BYTES));
    bits_set(data, BATCH_VIEW_CODEC_MASK, false);
    bits_set(data, (int)codec, true);
    crc_put(data, size);
    return RC_OK;
}

enum rc
batch_rewrite_empty(const struct batch_view *batch, struct buf *out, struct err *e)
{
    uint8_t *data = buf_reserve(out, BATCH_VIEW_HEADER_BYTES);

    REQUIRE(batch->magic == 2);
    if (data == NULL)
        return err_set(e, RC_LIMIT, "no room for a batch");
    memcpy(data, batch->data, BATCH_VIEW_HEADER_BYTES);
    codec_bytes_put_int32(
        data + BATCH_VIEW_LENGTH_AT, BATCH_VIEW_HEADER_BYTES - BATCH_VIEW_OVERHEAD_BYTES);
    bits_set(
        data, ~(BATCH_VIEW_LOG_APPEND_TIME | BATCH_VIEW_TRANSACTIONAL | BATCH_VIEW_CONTROL), false);
    codec_bytes_put_int64(data + BATCH_VIEW_BASE_TIMESTAMP_AT, BATCH_VIEW_NONE);
    codec_bytes_put_int32(data + BATCH_VIEW_RECORD_COUNT_AT, 0);
    crc_put(data, BATCH_VIEW_HEADER_BYTES);
    buf_commit(out, BATCH_VIEW_HEADER_BYTES);
    return RC_OK;
}
