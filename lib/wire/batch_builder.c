#include "lib/wire/batch_builder.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"
#include "lib/wire/varint.h"

#define MARKER_ABORT 0
#define MARKER_COMMIT 1

struct batch_builder_options
batch_builder_defaults(void)
{
    return (struct batch_builder_options){
        .producer_id = BATCH_VIEW_NONE,
        .append_time_ms = BATCH_VIEW_NONE,
        .delete_horizon_ms = BATCH_VIEW_NONE,
        .base_sequence = BATCH_VIEW_NONE,
        .leader_epoch = BATCH_VIEW_NONE,
        .producer_epoch = BATCH_VIEW_NONE,
    };
}

void
batch_builder_init(struct batch_builder *builder, size_t size_max)
{
    struct batch_builder_options options = batch_builder_defaults();

    buf_init(&builder->records,
        size_max < BATCH_VIEW_HEADER_BYTES ? 0 : size_max - BATCH_VIEW_HEADER_BYTES);
    batch_builder_start(builder, &options);
}

void
batch_builder_fini(struct batch_builder *builder)
{
    buf_fini(&builder->records);
}

void
batch_builder_start(struct batch_builder *builder, const struct batch_builder_options *options)
{
    builder->options = *options;
    buf_clear(&builder->records);
    builder->base_timestamp = options->delete_horizon_ms;
    builder->max_timestamp = BATCH_VIEW_NONE;
    builder->last_offset = options->base_offset > 0 ? options->base_offset - 1 : BATCH_VIEW_NONE;
    builder->record_count = 0;
}

static size_t
blob_size(const void *data, int32_t size)
{
    return data == NULL ? varint_size(-1) : varint_size(size) + (size_t)size;
}

static uint8_t *
blob_put(uint8_t *at, const void *data, int32_t size)
{
    at += varint_put(at, data == NULL ? -1 : size);
    if (data == NULL || size == 0)
        return at;
    memcpy(at, data, (size_t)size);
    return at + size;
}

static size_t
body_size(const struct batch_builder_record *record, int64_t timestamp_delta, int32_t offset_delta)
{
    size_t size = 1 + varint_size_long(timestamp_delta) + varint_size(offset_delta) +
                  blob_size(record->key, record->key_size) +
                  blob_size(record->value, record->value_size) + varint_size(record->header_count);

    for (int32_t i = 0; i < record->header_count; i++)
        size += varint_size(record->headers[i].key_size) + (size_t)record->headers[i].key_size +
                blob_size(record->headers[i].value, record->headers[i].value_size);
    return size;
}

static uint8_t *
body_put(uint8_t *at, const struct batch_builder_record *record, int64_t timestamp_delta,
    int32_t offset_delta)
{
    *at++ = 0;
    at += varint_put_long(at, timestamp_delta);
    at += varint_put(at, offset_delta);
    at = blob_put(at, record->key, record->key_size);
    at = blob_put(at, record->value, record->value_size);
    at += varint_put(at, record->header_count);
    for (int32_t i = 0; i < record->header_count; i++) {
        const struct batch_builder_header *header = &record->headers[i];

        /* The key of a header is never null. */
        at = blob_put(at, header->key == NULL ? "" : header->key, header->key_size);
        at = blob_put(at, header->value, header->value_size);
    }
    return at;
}

enum rc
batch_builder_append(
    struct batch_builder *builder, const struct batch_builder_record *record, struct err *e)
{
    int64_t base = builder->options.base_offset;
    int64_t timestamp_delta, base_timestamp = builder->base_timestamp;
    int32_t offset_delta;
    size_t size, prefix;
    uint8_t *room;

    if (base < 0 || record->offset <= builder->last_offset || record->offset - base > INT32_MAX)
        return err_set(e, RC_CONFLICT,
            "offset %" PRId64 " behind %" PRId64 " in a batch at %" PRId64, record->offset,
            builder->last_offset, base);
    if (builder->record_count == 0 && builder->options.delete_horizon_ms == BATCH_VIEW_NONE)
        base_timestamp = record->timestamp;
    timestamp_delta = (int64_t)((uint64_t)record->timestamp - (uint64_t)base_timestamp);
    offset_delta = (int32_t)(record->offset - base);
    size = body_size(record, timestamp_delta, offset_delta);
    prefix = size > INT32_MAX ? 0 : varint_size((int32_t)size);
    room = prefix == 0 ? NULL : buf_reserve(&builder->records, prefix + size);
    if (room == NULL) {
        builder->records.overflowed = false;
        return err_set(e, RC_LIMIT, "a record of %zu bytes does not fit into the batch", size);
    }
    room += varint_put(room, (int32_t)size);
    (void)body_put(room, record, timestamp_delta, offset_delta);
    size += prefix;
    buf_commit(&builder->records, size);
    builder->base_timestamp = base_timestamp;
    builder->last_offset = record->offset;
    builder->record_count++;
    if (record->timestamp > builder->max_timestamp)
        builder->max_timestamp = record->timestamp;
    return RC_OK;
}

size_t
batch_builder_size(const struct batch_builder *builder)
{
    return BATCH_VIEW_HEADER_BYTES + builder->records.size;
}

enum rc
batch_builder_reach(struct batch_builder *builder, int64_t offset, struct err *e)
{
    int64_t base = builder->options.base_offset;

    if (base < 0 || offset < base || offset < builder->last_offset || offset - base > INT32_MAX)
        return err_set(
            e, RC_CONFLICT, "last offset %" PRId64 " in a batch at %" PRId64, offset, base);
    builder->last_offset = offset;
    return RC_OK;
}

static int16_t
attributes_of(const struct batch_builder_options *options)
{
    int bits = (int)options->codec;

    if (options->append_time_ms != BATCH_VIEW_NONE)
        bits |= BATCH_VIEW_LOG_APPEND_TIME;
    if (options->transactional)
        bits |= BATCH_VIEW_TRANSACTIONAL;
    if (options->control)
        bits |= BATCH_VIEW_CONTROL;
    if (options->delete_horizon_ms != BATCH_VIEW_NONE)
        bits |= BATCH_VIEW_DELETE_HORIZON;
    return (int16_t)bits;
}

static void
header_put(const struct batch_builder *builder, uint8_t *p, size_t size)
{
    const struct batch_builder_options *options = &builder->options;
    bool append_time = options->append_time_ms != BATCH_VIEW_NONE;

    codec_bytes_put_int64(p, options->base_offset);
    codec_bytes_put_int32(p + BATCH_VIEW_LENGTH_AT, (int32_t)(size - BATCH_VIEW_OVERHEAD_BYTES));
    codec_bytes_put_int32(p + BATCH_VIEW_LEADER_EPOCH_AT, options->leader_epoch);
    p[BATCH_VIEW_MAGIC_AT] = 2;
    codec_bytes_put_int16(p + BATCH_VIEW_ATTRIBUTES_AT, attributes_of(options));
    codec_bytes_put_int32(p + BATCH_VIEW_LAST_OFFSET_DELTA_AT,
        (int32_t)(builder->last_offset - options->base_offset));
    codec_bytes_put_int64(p + BATCH_VIEW_BASE_TIMESTAMP_AT, builder->base_timestamp);
    codec_bytes_put_int64(p + BATCH_VIEW_MAX_TIMESTAMP_AT,
        append_time ? options->append_time_ms : builder->max_timestamp);
    codec_bytes_put_int64(p + BATCH_VIEW_PRODUCER_ID_AT, options->producer_id);
    codec_bytes_put_int16(p + BATCH_VIEW_PRODUCER_EPOCH_AT, options->producer_epoch);
    codec_bytes_put_int32(p + BATCH_VIEW_BASE_SEQUENCE_AT, options->base_sequence);
    codec_bytes_put_int32(p + BATCH_VIEW_RECORD_COUNT_AT, builder->record_count);
    codec_bytes_put_int32(p + BATCH_VIEW_CRC_AT,
        (int32_t)crc32c_of(p + BATCH_VIEW_ATTRIBUTES_AT, size - BATCH_VIEW_ATTRIBUTES_AT));
}

enum rc
batch_builder_finish(struct batch_builder *builder, struct buf *out, struct err *e)
{
    size_t start = out->size;
    uint8_t *header = buf_reserve(out, BATCH_VIEW_HEADER_BYTES);
    enum rc rc = RC_OK;

    if (builder->options.base_offset < 0 || builder->last_offset < builder->options.base_offset)
        return err_set(e, RC_CONFLICT, "a batch without records");
    if (header == NULL)
        return err_set(e, RC_LIMIT, "no room for a batch");
    buf_commit(out, BATCH_VIEW_HEADER_BYTES);
    if (builder->record_count > 0)
        rc = compress_encode(
            builder->options.codec, builder->records.data, builder->records.size, out, e);
    if (rc == RC_OK && out->size - start - BATCH_VIEW_OVERHEAD_BYTES > INT32_MAX)
        rc = err_set(e, RC_LIMIT, "a batch of %zu bytes", out->size - start);
    if (rc == RC_OK)
        header_put(builder, out->data + start, out->size - start);
    else
        out->size = start;
    return rc;
}

enum rc
batch_builder_marker(const struct batch_builder_marker *marker, struct buf *out, struct err *e)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder_record record = {
        .offset = marker->base_offset, .timestamp = marker->timestamp};
    struct batch_builder builder;
    uint8_t key[4], value[6];
    enum rc rc;

    options.base_offset = marker->base_offset;
    options.producer_id = marker->producer_id;
    options.producer_epoch = marker->producer_epoch;
    options.leader_epoch = marker->leader_epoch;
    options.transactional = true;
    options.control = true;
    /* Both begin with a version, which is 0. */
    codec_bytes_put_int16(key, 0);
    codec_bytes_put_int16(key + 2, marker->commit ? MARKER_COMMIT : MARKER_ABORT);
    codec_bytes_put_int16(value, 0);
    codec_bytes_put_int32(value + 2, marker->coordinator_epoch);
    record.key = key;
    record.key_size = sizeof key;
    record.value = value;
    record.value_size = sizeof value;
    batch_builder_init(&builder, 256);
    batch_builder_start(&builder, &options);
    rc = batch_builder_append(&builder, &record, e);
    if (rc == RC_OK)
        rc = batch_builder_finish(&builder, out, e);
    batch_builder_fini(&builder);
    return rc;
}
