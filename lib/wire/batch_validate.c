#include "lib/wire/batch_validate.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/kerr.h"

#define ZSTD_PRODUCE_VERSION 7
#define RECORD_BYTES_MIN 7

struct row {
    int16_t code;
    const char *text;
};

static const struct row rows[] = {
    {KE_NONE, "fine"},
#define FAULT(name, code, text) {KE_##code, text},
#include "lib/wire/batch_validate.def"
#undef FAULT
};

int16_t
batch_validate_code(enum batch_validate_fault fault)
{
    return rows[fault].code;
}

const char *
batch_validate_text(enum batch_validate_fault fault)
{
    return rows[fault].text;
}

/* A cut batch is none, and its bytes are dropped. */
enum batch_validate_fault
batch_validate_find(
    const void *data, size_t size, int16_t produce_version, struct batch_view *batch)
{
    struct batch_view_cursor cursor = {data, size};
    struct batch_view second;
    bool found;

    if (batch_view_next(&cursor, batch, &found, NULL) != RC_OK)
        return BATCH_VALIDATE_LENGTH;
    if (!found)
        return BATCH_VALIDATE_NOTHING;
    if (batch->magic != 2)
        return BATCH_VALIDATE_MAGIC;
    if (batch_view_codec(batch) == COMPRESS_ZSTD && produce_version < ZSTD_PRODUCE_VERSION)
        return BATCH_VALIDATE_ZSTD_VERSION;
    if (batch_view_next(&cursor, &second, &found, NULL) != RC_OK)
        return BATCH_VALIDATE_LENGTH;
    return found ? BATCH_VALIDATE_BATCH_COUNT : BATCH_VALIDATE_OK;
}

static enum batch_validate_fault
header_check(const struct batch_view *batch, const struct batch_validate_rules *rules)
{
    if (batch->base_offset != 0)
        return BATCH_VALIDATE_BASE_OFFSET;
    if (batch->size > rules->batch_bytes_max)
        return BATCH_VALIDATE_SIZE;
    if (!batch_view_is_intact(batch))
        return BATCH_VALIDATE_CRC;
    if (batch_view_codec(batch) >= COMPRESS_CODECS)
        return BATCH_VALIDATE_CODEC;
    if (batch->last_offset_delta < 0)
        return BATCH_VALIDATE_OFFSET_RANGE;
    if (batch->record_count <= 0)
        return BATCH_VALIDATE_RECORD_COUNT;
    if (batch->record_count - 1 != batch->last_offset_delta)
        return BATCH_VALIDATE_COUNT_MISMATCH;
    if (batch_view_is_control(batch))
        return BATCH_VALIDATE_CONTROL;
    if (batch_view_has_producer(batch) && batch->base_sequence < 0)
        return BATCH_VALIDATE_SEQUENCE;
    return BATCH_VALIDATE_OK;
}

/* The subtraction wraps as Java's does. */
static bool
timestamp_is_far(int64_t timestamp, const struct batch_validate_rules *rules)
{
    uint64_t age = (uint64_t)rules->now_ms - (uint64_t)timestamp;

    return (int64_t)age > rules->timestamp_before_max_ms ||
           (int64_t)(0 - age) > rules->timestamp_after_max_ms;
}

static enum batch_validate_fault
record_check(const struct batch_view *batch, const struct batch_records_record *record,
    const struct batch_validate_rules *rules)
{
    if (rules->compacted && record->key_size < 0)
        return BATCH_VALIDATE_KEY_MISSING;
    if (!rules->log_append_time && record->timestamp != BATCH_VIEW_NONE)
        return timestamp_is_far(record->timestamp, rules) ? BATCH_VALIDATE_TIMESTAMP_RANGE
                                                          : BATCH_VALIDATE_OK;
    return batch_view_is_log_append_time(batch) ? BATCH_VALIDATE_TIMESTAMP_TYPE : BATCH_VALIDATE_OK;
}

/* Room for the errors of all records there can be, at the first one. */
static enum rc
error_add(struct batch_validate_result *result, struct batch_validate_record_error **errors,
    int32_t index, enum batch_validate_fault fault, struct arena *arena, struct err *e)
{
    size_t count_max = result->uncompressed_bytes / RECORD_BYTES_MIN + 1;

    if (*errors == NULL) {
        if (count_max > (size_t)result->batch.record_count)
            count_max = (size_t)result->batch.record_count;
        *errors = arena_array(arena, count_max, sizeof **errors);
        if (*errors == NULL)
            return err_set(e, RC_LIMIT, "no room for the errors of %zu records", count_max);
        result->errors = *errors;
        result->fault = BATCH_VALIDATE_RECORDS;
    }
    (*errors)[result->error_count++] = (struct batch_validate_record_error){index, fault};
    if (rows[fault].code == KE_INVALID_TIMESTAMP)
        result->fault = BATCH_VALIDATE_TIMESTAMPS;
    return RC_OK;
}

static void
record_note(
    struct batch_validate_result *result, const struct batch_records_record *record, int32_t index)
{
    if (record->timestamp > result->max_timestamp) {
        result->max_timestamp = record->timestamp;
        result->max_timestamp_offset_delta = index;
    }
    if (record->offset != index)
        result->offsets_dense = false;
}

static enum rc
records_check(struct batch_records *records, const struct batch_validate_rules *rules,
    struct arena *arena, struct batch_validate_result *result, struct err *e)
{
    struct batch_validate_record_error *errors = NULL;
    struct batch_records_record record;
    enum batch_validate_fault fault;
    enum rc rc = RC_OK;
    bool found;

    for (int32_t index = 0; rc == RC_OK; index++) {
        if (batch_records_next(records, &record, &found, NULL) != RC_OK) {
            result->fault = BATCH_VALIDATE_STRUCTURE;
            result->error_count = 0;
            break;
        }
        if (!found)
            break;
        fault = record_check(&result->batch, &record, rules);
        if (fault != BATCH_VALIDATE_OK)
            rc = error_add(result, &errors, index, fault, arena, e);
        else
            record_note(result, &record, index);
    }
    if (result->fault == BATCH_VALIDATE_OK && !result->offsets_dense &&
        batch_view_codec(&result->batch) != COMPRESS_NONE)
        result->fault = BATCH_VALIDATE_OFFSETS;
    return rc;
}

enum rc
batch_validate(const void *data, size_t size, const struct batch_validate_rules *rules,
    struct arena *arena, struct buf *scratch, struct batch_validate_result *result, struct err *e)
{
    struct batch_records records;
    enum rc rc;

    memset(result, 0, sizeof *result);
    result->max_timestamp = BATCH_VIEW_NONE;
    result->offsets_dense = true;
    result->fault = batch_validate_find(data, size, rules->produce_version, &result->batch);
    if (result->fault == BATCH_VALIDATE_OK)
        result->fault = header_check(&result->batch, rules);
    if (result->fault != BATCH_VALIDATE_OK)
        return RC_OK;
    rc = batch_records_open(&records, &result->batch, scratch, rules->uncompressed_bytes_max, NULL);
    result->uncompressed_bytes = (size_t)(records.end - records.at);
    if (rc != RC_OK) {
        result->fault =
            rc == RC_LIMIT ? BATCH_VALIDATE_UNCOMPRESSED_SIZE : BATCH_VALIDATE_COMPRESSION;
        return RC_OK;
    }
    rc = records_check(&records, rules, arena, result, e);
    if (rules->log_append_time) {
        result->max_timestamp = rules->now_ms;
        result->max_timestamp_offset_delta = 0;
    }
    return rc;
}
