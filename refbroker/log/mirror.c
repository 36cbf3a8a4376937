#include "refbroker/log/mirror.h"

#include "lib/base/xalloc.h"
#include "lib/wire/batch_rewrite.h"
#include "lib/wire/kerr.h"
#include "refbroker/log/append.h"

static void
refuse(struct mirror_result *result, int16_t error, const char *text)
{
    result->error = error;
    result->text = text;
}

/* The batch of a run that begins at `offset`, if there is one. */
static bool
find_in_run(const struct run *run, const struct blob *blob, int64_t offset, struct batch_view *out)
{
    struct batch_view_cursor cursor = {blob->data, run->size};
    bool found;
    struct err e;

    while (batch_view_next(&cursor, out, &found, &e) == RC_OK && found)
        if (out->base_offset >= offset)
            return out->base_offset == offset;
    return false;
}

/* Compares a batch below the log's end with what is there; false where the result is set. */
static bool
compare(struct broker *broker, struct partition *partition, const struct batch_view *batch,
    struct reader_waiter *waiter, struct mirror_result *result)
{
    const struct cached_batch *cached = NULL;
    const struct run *run = NULL;
    struct batch_view there = {.crc = ~batch->crc};
    struct blob *blob;
    int16_t error = 0;
    bool found = false;
    struct err e;

    /* What lies before the start is gone, and needs no comparison. */
    if (batch_view_last_offset(batch) < partition->log_start_offset)
        return true;
    if (batch->base_offset >= cache_start(partition)) {
        cached = cache_find(partition, batch->base_offset);
        found = cached != NULL && cached->base_offset == batch->base_offset &&
                batch_view_parse(cached->data, cached->size, &there, &e) == RC_OK;
    } else {
        run = run_index_find(&partition->runs, batch->base_offset);
    }
    if (run != NULL) {
        switch (reader_get(broker->reader, partition, run, waiter, &blob, &error)) {
        case READER_LOADING:
            result->loading = true;
            return false;
        case READER_FAILED:
            refuse(result, error, "what is there already cannot be read");
            return false;
        case READER_READY:
            found = find_in_run(run, blob, batch->base_offset, &there);
            break;
        }
    }
    if (found && there.crc == batch->crc && there.last_offset_delta == batch->last_offset_delta)
        return true;
    result->diverging_offset = batch->base_offset;
    refuse(result, KE_INVALID_RECORD, "the logs part here: another batch has this offset");
    return false;
}

void
mirror_append(struct broker *broker, struct partition *partition, struct blob *blob, uint8_t *data,
    size_t size, struct reader_waiter *waiter, struct mirror_result *result)
{
    struct batch_view_cursor cursor = {data, size};
    struct batch_view batch;
    bool found;
    struct err e;

    *result = (struct mirror_result){.diverging_offset = -1};
    while (result->error == 0 && !result->loading) {
        if (batch_view_next(&cursor, &batch, &found, &e) != RC_OK || (!found && cursor.size > 0)) {
            refuse(result, KE_CORRUPT_MESSAGE, "not a row of whole batches");
            return;
        }
        if (!found)
            return;
        if (batch.magic != 2 || batch.base_offset < 0 || batch.last_offset_delta < 0) {
            refuse(result, KE_UNSUPPORTED_FOR_MESSAGE_FORMAT, "only batches of format 2");
        } else if (batch.base_offset < partition->log_end_offset) {
            if (!compare(broker, partition, &batch, waiter, result))
                return;
        } else if (!batch_view_is_intact(&batch)) {
            refuse(result, KE_CORRUPT_MESSAGE, "a batch has a wrong CRC");
        } else {
            append_verbatim(
                broker, partition, blob, data + (batch.data - data), batch.size, result);
        }
    }
}
