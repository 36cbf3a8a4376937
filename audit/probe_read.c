#include "audit/probe_read.h"

#include "lib/wire/codec_bytes.h"
#include "lib/wire/kerr.h"

#define WAIT_MS 100
/* Where a batch tells its size, behind its base offset; what is before it is not counted. */
#define SIZE_AT 8
#define SIZE_END 12U
#define BATCH_BYTES_MAX (64U << 20)

const struct wire_range probe_read_versions = {4, 12};

void
probe_read_request(struct km_fetch_request *request)
{
    request->replica_id = -1;
    request->max_wait_ms = WAIT_MS;
    request->min_bytes = 1;
    request->max_bytes = PROBE_READ_ANSWER_BYTES;
    request->session_epoch = -1;
}

uint32_t
probe_read_ask_bytes(const struct probe_read *reading, uint64_t left)
{
    uint32_t bytes =
        left < PROBE_READ_PARTITION_BYTES ? (uint32_t)left : PROBE_READ_PARTITION_BYTES;

    return bytes < reading->batch_bytes ? reading->batch_bytes : bytes;
}

/* How large the batch is of which there is a beginning; 0 where that does not tell. */
static uint32_t
begun_bytes(const struct batch_view_cursor *cursor)
{
    uint32_t size;

    if (cursor->size < SIZE_END)
        return 0;
    size = (uint32_t)codec_bytes_int32(cursor->data + SIZE_AT);
    return size < BATCH_BYTES_MAX ? size + SIZE_END : 0;
}

bool
probe_read_has_moved(
    struct probe_read *reading, const struct km_fetch_response_partition_data *data)
{
    if (data->error_code != KE_OFFSET_OUT_OF_RANGE ||
        data->log_start_offset <= reading->next_offset || reading->empty >= PROBE_READ_EMPTY_MAX)
        return false;
    reading->empty++;
    reading->next_offset = data->log_start_offset;
    return true;
}

bool
probe_read_is_at_end(
    const struct probe_read *reading, const struct km_fetch_response_partition_data *data)
{
    return data->records.size <= 0 && reading->next_offset >= data->high_watermark;
}

enum rc
probe_read_batches(struct probe_read *reading, const struct wire_records *bytes,
    probe_read_fn *take, void *arg, struct err *e)
{
    struct batch_view_cursor cursor = {bytes->data, bytes->size < 0 ? 0 : (size_t)bytes->size};
    int64_t before = reading->next_offset;
    bool found, enough = false;
    struct batch_view batch;
    enum rc rc;

    while ((rc = batch_view_next(&cursor, &batch, &found, e)) == RC_OK && found) {
        if (batch_view_next_offset(&batch) <= reading->next_offset)
            continue;
        rc = take(arg, &batch, &enough, e);
        if (rc != RC_OK || enough)
            break;
        reading->next_offset = batch_view_next_offset(&batch);
    }
    reading->batch_bytes = rc == RC_OK && !enough && !found ? begun_bytes(&cursor) : 0;
    reading->empty = reading->next_offset > before ? 0 : reading->empty + 1;
    if (rc == RC_OK && reading->empty > PROBE_READ_EMPTY_MAX)
        rc = err_set(e, RC_PROTOCOL, "no batch at offset %lld", (long long)reading->next_offset);
    return rc;
}
