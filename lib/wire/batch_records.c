#include "lib/wire/batch_records.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/batch_old.h"
#include "lib/wire/varint.h"

enum rc
batch_records_open(struct batch_records *records, const struct batch_view *batch,
    struct buf *scratch, size_t size_max, struct err *e)
{
    enum compress_codec codec = batch_view_codec(batch);
    enum rc rc;

    memset(records, 0, sizeof *records);
    records->batch = *batch;
    if (batch->magic < 2)
        return batch_old_open(records, scratch, size_max, e);
    records->base_offset = batch->base_offset;
    records->left = batch->record_count;
    if (batch->record_count < 0)
        return err_set(e, RC_CORRUPT, "a batch of %d records", batch->record_count);
    if (batch->record_count == 0)
        return RC_OK;
    records->at = batch->data + BATCH_VIEW_HEADER_BYTES;
    records->end = batch->data + batch->size;
    if (codec == COMPRESS_NONE)
        return RC_OK;
    buf_clear(scratch);
    rc = compress_decode(
        codec, records->at, (size_t)(records->end - records->at), size_max, scratch, e);
    /* An empty buffer has no address. */
    records->at = scratch->size == 0 ? records->batch.data : scratch->data;
    records->end = records->at + scratch->size;
    return rc;
}

/* A length and that many bytes at *at; a negative length is null. */
static bool
blob_read(const uint8_t **at, const uint8_t *end, const uint8_t **data, int32_t *size)
{
    size_t used = varint_get(*at, (size_t)(end - *at), size);

    if (used == 0)
        return false;
    *at += used;
    *data = NULL;
    if (*size < 0) {
        *size = -1;
        return true;
    }
    if (*size > end - *at)
        return false;
    *data = *at;
    *at += *size;
    return true;
}

static bool
headers_walk(struct batch_records_headers headers, const uint8_t **end)
{
    struct batch_records_header header;

    for (; headers.left > 0; headers.left--)
        if (!blob_read(&headers.at, headers.end, &header.key, &header.key_size) ||
            header.key_size < 0 ||
            !blob_read(&headers.at, headers.end, &header.value, &header.value_size))
            return false;
    *end = headers.at;
    return true;
}

/* Reads what follows a record's length; false unless it fills exactly [at, end). */
static bool
body_read(const struct batch_records *records, const uint8_t *at, const uint8_t *end,
    struct batch_records_record *out)
{
    int64_t timestamp_delta;
    int32_t offset_delta;
    size_t used;

    if (at == end)
        return false;
    at++; /* attributes, of which no bit has a meaning */
    used = varint_get_long(at, (size_t)(end - at), &timestamp_delta);
    if (used == 0)
        return false;
    at += used;
    used = varint_get(at, (size_t)(end - at), &offset_delta);
    if (used == 0)
        return false;
    at += used;
    if (!blob_read(&at, end, &out->key, &out->key_size) ||
        !blob_read(&at, end, &out->value, &out->value_size))
        return false;
    used = varint_get(at, (size_t)(end - at), &out->headers.left);
    if (used == 0)
        return false;
    at += used;
    if (out->headers.left < 0 || out->headers.left > end - at)
        return false;
    out->headers.at = at;
    out->headers.end = end;
    /* Sums wrap: the numbers are a peer's. */
    out->offset = (int64_t)((uint64_t)records->base_offset + (uint64_t)(int64_t)offset_delta);
    out->timestamp =
        batch_view_is_log_append_time(&records->batch)
            ? records->batch.max_timestamp
            : (int64_t)((uint64_t)records->batch.base_timestamp + (uint64_t)timestamp_delta);
    return headers_walk(out->headers, &at) && at == end;
}

enum rc
batch_records_next(
    struct batch_records *records, struct batch_records_record *out, bool *found, struct err *e)
{
    int32_t index = records->batch.record_count - records->left;
    int32_t body;
    size_t used;

    *found = false;
    if (records->batch.magic < 2)
        return batch_old_next(records, out, found, e);
    if (records->left == 0)
        return RC_OK;
    used = varint_get(records->at, (size_t)(records->end - records->at), &body);
    if (used == 0 || body < 0 || body > records->end - records->at - (ptrdiff_t)used)
        return err_set(e, RC_CORRUPT, "record %d does not fit into its batch", index);
    if (!body_read(records, records->at + used, records->at + used + body, out))
        return err_set(e, RC_CORRUPT, "record %d is malformed", index);
    records->at += used + (size_t)body;
    out->size = (int32_t)used + body;
    records->left--;
    if (records->left == 0 && records->at != records->end)
        return err_set(e, RC_CORRUPT, "%td bytes behind record %d, the last",
            records->end - records->at, index);
    *found = true;
    return RC_OK;
}

bool
batch_records_header_next(struct batch_records_headers *headers, struct batch_records_header *out)
{
    bool good;

    if (headers->left == 0)
        return false;
    headers->left--;
    good = blob_read(&headers->at, headers->end, &out->key, &out->key_size) &&
           blob_read(&headers->at, headers->end, &out->value, &out->value_size);
    REQUIRE(good);
    return true;
}
