#include "lib/wire/batch_old.h"

#include <string.h>

#include "lib/wire/codec_bytes.h"

#define V0_KEY_AT 18
#define V1_KEY_AT 26
#define LENGTH_BYTES 4

static enum rc
blob_read(
    const uint8_t **at, const uint8_t *end, const uint8_t **data, int32_t *size, struct err *e)
{
    if (end - *at < LENGTH_BYTES)
        return err_set(e, RC_CORRUPT, "a message ends inside a length");
    *size = codec_bytes_int32(*at);
    *at += LENGTH_BYTES;
    *data = NULL;
    if (*size < 0) {
        *size = -1;
        return RC_OK;
    }
    if (*size > end - *at)
        return err_set(e, RC_CORRUPT, "%d bytes in a message that has %td", *size, end - *at);
    *data = *at;
    *at += *size;
    return RC_OK;
}

/* Kafka does not mind bytes behind the value, so neither do we. */
static enum rc
message_read(const struct batch_view *message, struct batch_records_record *out, struct err *e)
{
    const uint8_t *at = message->data + (message->magic == 0 ? V0_KEY_AT : V1_KEY_AT);
    const uint8_t *end = message->data + message->size;
    enum rc rc;

    memset(out, 0, sizeof *out);
    out->offset = message->base_offset;
    out->timestamp = message->base_timestamp;
    out->size = (int32_t)(message->size - BATCH_VIEW_OVERHEAD_BYTES);
    rc = blob_read(&at, end, &out->key, &out->key_size, e);
    return rc == RC_OK ? blob_read(&at, end, &out->value, &out->value_size, e) : rc;
}

/* The next message of a set inside a wrapper. A cut one ends the set. */
static enum rc
inner_next(
    const struct batch_records *records, struct batch_view *message, bool *found, struct err *e)
{
    struct batch_view_cursor cursor = {records->at, (size_t)(records->end - records->at)};
    enum rc rc = batch_view_next(&cursor, message, found, e);

    if (rc == RC_OK && *found && message->magic > 1)
        return err_set(e, RC_CORRUPT, "a message of magic 2 inside a wrapper");
    return rc;
}

/*
 * The set's offsets are absolute in v0. In v1 they are relative, and the wrapper's offset is that
 * of the last message; where it is 0 they are taken as they are (librdkafka once sent that).
 */
static enum rc
base_offset_find(struct batch_records *records, struct err *e)
{
    struct batch_records scan = *records;
    int64_t wrapper = records->batch.base_offset;
    struct batch_view message;
    int64_t last = -1;
    bool found;
    enum rc rc;

    for (;;) {
        rc = inner_next(&scan, &message, &found, e);
        if (rc != RC_OK)
            return rc;
        if (!found)
            break;
        last = message.base_offset;
        scan.at += message.size;
    }
    if (scan.at == records->at)
        return err_set(e, RC_CORRUPT, "a wrapper around nothing");
    if (records->batch.magic == 0 || wrapper == 0)
        return RC_OK;
    if (wrapper < last)
        return err_set(e, RC_CORRUPT, "a wrapper's offset is below that of its last message");
    records->base_offset = (int64_t)((uint64_t)wrapper - (uint64_t)last);
    return RC_OK;
}

enum rc
batch_old_open(struct batch_records *records, struct buf *scratch, size_t size_max, struct err *e)
{
    const struct batch_view *wrapper = &records->batch;
    enum compress_codec codec = batch_view_codec(wrapper);
    struct batch_records_record outer;
    enum rc rc;

    records->left = codec == COMPRESS_NONE ? 1 : -1;
    if (codec == COMPRESS_NONE)
        return RC_OK;
    if (codec >= COMPRESS_ZSTD)
        return err_set(e, RC_UNSUPPORTED, "codec %d in magic %d", (int)codec, wrapper->magic);
    rc = message_read(wrapper, &outer, e);
    if (rc != RC_OK)
        return rc;
    if (outer.value_size < 0)
        return err_set(e, RC_CORRUPT, "a wrapper around null");
    buf_clear(scratch);
    rc = (wrapper->magic == 0 ? compress_decode_old : compress_decode)(
        codec, outer.value, (size_t)outer.value_size, size_max, scratch, e);
    /* An empty buffer has no address. */
    records->at = scratch->size == 0 ? records->batch.data : scratch->data;
    records->end = records->at + scratch->size;
    return rc == RC_OK ? base_offset_find(records, e) : rc;
}

static enum rc
inner_read(
    struct batch_records *records, struct batch_records_record *out, bool *found, struct err *e)
{
    struct batch_view message;
    enum rc rc = inner_next(records, &message, found, e);

    if (rc != RC_OK || !*found)
        return rc;
    if (batch_view_codec(&message) != COMPRESS_NONE)
        return err_set(e, RC_CORRUPT, "a wrapper inside a wrapper");
    if (!batch_view_is_intact(&message))
        return err_set(e, RC_CORRUPT, "a message inside a wrapper has a wrong CRC");
    records->at += message.size;
    rc = message_read(&message, out, e);
    out->offset = (int64_t)((uint64_t)records->base_offset + (uint64_t)out->offset);
    if (message.magic > 0 && batch_view_is_log_append_time(&records->batch))
        out->timestamp = records->batch.max_timestamp;
    return rc;
}

enum rc
batch_old_next(
    struct batch_records *records, struct batch_records_record *out, bool *found, struct err *e)
{
    enum rc rc;

    *found = false;
    if (records->left == 0)
        return RC_OK;
    if (records->left < 0) {
        rc = inner_read(records, out, found, e);
        if (rc == RC_OK && !*found)
            records->left = 0;
        return rc;
    }
    records->left = 0;
    rc = message_read(&records->batch, out, e);
    *found = rc == RC_OK;
    return rc;
}
