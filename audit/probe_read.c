#include "audit/probe_read.h"

#include "lib/wire/kerr.h"

#define WAIT_MS 100
#define ANSWER_BYTES (16 * 1024 * 1024)

const struct wire_range probe_read_versions = {4, 12};

void
probe_read_request(struct km_fetch_request *request)
{
    request->replica_id = -1;
    request->max_wait_ms = WAIT_MS;
    request->min_bytes = 1;
    request->max_bytes = ANSWER_BYTES;
    request->session_epoch = -1;
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
    reading->empty = reading->next_offset > before ? 0 : reading->empty + 1;
    if (rc == RC_OK && reading->empty > PROBE_READ_EMPTY_MAX)
        rc = err_set(e, RC_PROTOCOL, "no batch at offset %lld", (long long)reading->next_offset);
    return rc;
}
