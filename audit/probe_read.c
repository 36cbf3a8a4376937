#include "audit/probe_read.h"

#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/kerr.h"

#define WAIT_MS 100
/* Where a batch tells its size, behind its base offset; what is before it is not counted. */
#define SIZE_AT 8
#define SIZE_END 12U
#define BATCH_BYTES_MAX (64U << 20)

const struct wire_range probe_read_versions = {4, 12};

static bool
topic_ask(const struct audit_inventory *inventory, const struct inventory_run *run,
    struct arena *arena, probe_read_ask_fn *ask, void *arg, struct km_fetch_request_topic *out)
{
    out->topic = codec_string(inventory->topics[run->topic].name);
    out->partitions.items =
        codec_array(arena, &km_fetch_request_partition_desc, (int32_t)run->count);
    if (out->partitions.items == NULL)
        return false;
    out->partitions.count = (int32_t)run->count;
    for (size_t i = 0; i < run->count; i++) {
        out->partitions.items[i].partition = inventory->partitions[run->numbers[i]].partition;
        ask(arg, run->numbers[i], &out->partitions.items[i]);
    }
    return true;
}

bool
probe_read_ask(const struct audit_inventory *inventory, const struct inventory_run *runs,
    size_t run_count, struct arena *arena, probe_read_ask_fn *ask, void *arg,
    struct km_fetch_request *request)
{
    bool fits;

    request->replica_id = -1;
    request->max_wait_ms = WAIT_MS;
    request->min_bytes = 1;
    request->max_bytes = PROBE_READ_ANSWER_BYTES;
    request->session_epoch = -1;
    request->topics.items = codec_array(arena, &km_fetch_request_topic_desc, (int32_t)run_count);
    fits = !arena_is_full(arena);
    request->topics.count = fits ? (int32_t)run_count : 0;
    for (size_t i = 0; fits && i < run_count; i++)
        fits = topic_ask(inventory, &runs[i], arena, ask, arg, &request->topics.items[i]);
    return fits;
}

void
probe_read_answers(const struct audit_inventory *inventory, struct cluster_fan_batch *batch,
    probe_read_answer_fn *take, void *arg)
{
    const struct km_fetch_response *response = batch->response;

    for (int32_t i = 0; i < response->responses.count; i++) {
        const struct km_fetch_response_fetchable_topic_response *topic =
            &response->responses.items[i];
        uint32_t place = inventory_topic(inventory, topic->topic);

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            const struct km_fetch_response_partition_data *data = &topic->partitions.items[k];
            uint32_t number = inventory_partition(inventory, place, data->partition_index);

            if (number != INVENTORY_NO_NUMBER)
                take(arg, batch, number, data);
        }
    }
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
