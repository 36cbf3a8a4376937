#include "refbroker/log/cleaner_rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/batch_rewrite.h"

#define UNCOMPRESSED_BYTES_MAX ((size_t)256 * 1024 * 1024)

enum retention { DELETE, DELETE_EMPTY, RETAIN_EMPTY };

/* What is to happen to a batch. */
struct verdict {
    enum retention retention;
    bool drop_records;
    bool marker_of_nothing; /* its horizon begins to run */
};

/* What the records of a batch come to. */
struct survey {
    int32_t read;
    int32_t kept;
    bool tombstones; /* among those kept */
};

void
cleaner_rewrite_init(struct cleaner_rewrite *rw)
{
    memset(rw, 0, sizeof *rw);
    rw->latest_offset = -1;
    batch_builder_init(&rw->builder, UNCOMPRESSED_BYTES_MAX);
    buf_init(&rw->scratch, UNCOMPRESSED_BYTES_MAX);
}

void
cleaner_rewrite_fini(struct cleaner_rewrite *rw)
{
    batch_builder_fini(&rw->builder);
    buf_fini(&rw->scratch);
    free(rw->headers);
}

static int
by_producer_id(const void *a, const void *b)
{
    int64_t first = ((const struct cleaner_last *)a)->producer_id;
    int64_t second = ((const struct cleaner_last *)b)->producer_id;

    return (first > second) - (first < second);
}

void
cleaner_rewrite_sort(struct cleaner_last *lasts, size_t count)
{
    if (count > 1)
        qsort(lasts, count, sizeof *lasts, by_producer_id);
}

enum rc
cleaner_rewrite_index(struct cleaner_rewrite *rw, struct cleaner_keys *keys,
    const struct batch_view *batch, int64_t from, bool *full, struct err *e)
{
    struct batch_records_record record;
    struct batch_records records;
    bool found, aborted = cleaner_txns_read(rw->txns, batch);
    enum rc rc = RC_OK;

    *full = false;
    if (!aborted && !batch_view_is_control(batch) && batch->record_count > 0) {
        rc = batch_records_open(&records, batch, &rw->scratch, UNCOMPRESSED_BYTES_MAX, e);
        while (rc == RC_OK && (rc = batch_records_next(&records, &record, &found, e)) == RC_OK &&
               found) {
            if (record.key_size < 0 || record.offset < from)
                continue;
            if (!cleaner_keys_put(keys, record.key, (size_t)record.key_size, record.offset)) {
                *full = true;
                return RC_OK;
            }
            rw->latest_offset = record.offset;
        }
    }
    if (rc == RC_OK && batch_view_last_offset(batch) >= from)
        rw->latest_offset = batch_view_last_offset(batch);
    return rc;
}

/* Whether a producer's sequence, or its epoch, would be lost with the batch. */
static bool
is_last_of_producer(const struct cleaner_rewrite *rw, const struct batch_view *batch)
{
    struct cleaner_last wanted = {.producer_id = batch->producer_id};
    const struct cleaner_last *last;

    if (!batch_view_has_producer(batch) || rw->last_count == 0)
        return false;
    last = bsearch(&wanted, rw->lasts, rw->last_count, sizeof wanted, by_producer_id);
    if (last == NULL)
        return false;
    if (last->last_offset >= 0)
        return batch_view_last_offset(batch) == last->last_offset;
    return batch_view_is_control(batch) && batch->producer_epoch == last->producer_epoch;
}

static struct verdict
judge(struct cleaner_rewrite *rw, const struct batch_view *batch)
{
    bool can_go = cleaner_txns_read(rw->txns, batch), control = batch_view_is_control(batch);
    int64_t horizon = batch_view_delete_horizon_ms(batch);
    struct verdict verdict = {.drop_records = can_go, .marker_of_nothing = can_go && control};

    if (control)
        verdict.drop_records = can_go && horizon != BATCH_VIEW_NONE && horizon <= rw->now_ms;
    if (is_last_of_producer(rw, batch) || batch_view_next_offset(batch) == rw->upper_bound)
        verdict.retention = RETAIN_EMPTY;
    else
        verdict.retention = verdict.drop_records ? DELETE : DELETE_EMPTY;
    return verdict;
}

static bool
stays(const struct cleaner_rewrite *rw, const struct batch_view *batch,
    const struct batch_records_record *record)
{
    int64_t horizon = batch_view_delete_horizon_ms(batch);

    if (batch_view_is_control(batch) || record->offset > rw->latest_offset)
        return true;
    if (record->key_size < 0 ||
        record->offset < cleaner_keys_get(rw->keys, record->key, (size_t)record->key_size))
        return false;
    return record->value_size >= 0 || horizon == BATCH_VIEW_NONE || rw->now_ms < horizon;
}

/* `opened` is a place to begin from: it is decompressed once and walked twice. */
static enum rc
survey_batch(struct cleaner_rewrite *rw, const struct batch_view *batch,
    const struct batch_records *opened, struct survey *survey, struct err *e)
{
    struct batch_records records = *opened;
    struct batch_records_record record;
    bool found;
    enum rc rc;

    while ((rc = batch_records_next(&records, &record, &found, e)) == RC_OK && found) {
        survey->read++;
        if (!stays(rw, batch, &record))
            continue;
        survey->kept++;
        survey->tombstones = survey->tombstones || record.value_size < 0;
    }
    return rc;
}

static int32_t
headers_read(struct cleaner_rewrite *rw, const struct batch_records_record *record)
{
    struct batch_records_headers left = record->headers;
    struct batch_records_header header;
    int32_t count = 0;

    while (batch_records_header_next(&left, &header)) {
        if (count == rw->header_capacity) {
            rw->header_capacity = rw->header_capacity == 0 ? 8 : rw->header_capacity * 2;
            rw->headers = xrealloc(rw->headers, (size_t)rw->header_capacity, sizeof *rw->headers);
        }
        rw->headers[count++] = (struct batch_builder_header){
            .key = header.key,
            .value = header.value_size < 0 ? NULL : header.value,
            .key_size = header.key_size,
            .value_size = header.value_size,
        };
    }
    return count;
}

static enum rc
record_copy(struct cleaner_rewrite *rw, const struct batch_records_record *record, struct err *e)
{
    struct batch_builder_record copy = {
        .offset = record->offset,
        .timestamp = record->timestamp,
        .key = record->key_size < 0 ? NULL : record->key,
        .value = record->value_size < 0 ? NULL : record->value,
        .key_size = record->key_size,
        .value_size = record->value_size,
        .header_count = headers_read(rw, record),
    };

    copy.headers = rw->headers;
    return batch_builder_append(&rw->builder, &copy, e);
}

static enum rc
rebuild(struct cleaner_rewrite *rw, const struct batch_view *batch,
    const struct batch_records *opened, int64_t horizon, struct buf *out, struct err *e)
{
    struct batch_builder_options options = {
        .base_offset = batch->base_offset,
        .producer_id = batch->producer_id,
        .append_time_ms =
            batch_view_is_log_append_time(batch) ? batch->max_timestamp : BATCH_VIEW_NONE,
        .delete_horizon_ms = horizon,
        .codec = batch_view_codec(batch),
        .base_sequence = batch->base_sequence,
        .leader_epoch = batch->leader_epoch,
        .producer_epoch = batch->producer_epoch,
        .transactional = batch_view_is_transactional(batch),
        .control = batch_view_is_control(batch),
    };
    struct batch_records records = *opened;
    struct batch_records_record record;
    bool found;
    enum rc rc;

    batch_builder_start(&rw->builder, &options);
    while ((rc = batch_records_next(&records, &record, &found, e)) == RC_OK && found) {
        if (stays(rw, batch, &record))
            rc = record_copy(rw, &record, e);
        if (rc != RC_OK)
            return rc;
    }
    if (rc == RC_OK)
        rc = batch_builder_reach(&rw->builder, batch_view_last_offset(batch), e);
    return rc == RC_OK ? batch_builder_finish(&rw->builder, out, e) : rc;
}

static enum rc
append(struct buf *out, const struct batch_view *batch, struct err *e)
{
    buf_append(out, batch->data, batch->size);
    return buf_is_overflowed(out) ? err_set(e, RC_LIMIT, "no room for a batch") : RC_OK;
}

static enum rc
filter(struct cleaner_rewrite *rw, const struct batch_view *batch, const struct verdict *verdict,
    struct buf *out, struct err *e)
{
    int64_t horizon = batch_view_delete_horizon_ms(batch);
    struct batch_records records = {.left = 0};
    struct survey survey = {0};
    bool set_horizon;
    enum rc rc = RC_OK;

    if (!verdict->drop_records && batch->record_count > 0) {
        rc = batch_records_open(&records, batch, &rw->scratch, UNCOMPRESSED_BYTES_MAX, e);
        if (rc == RC_OK)
            rc = survey_batch(rw, batch, &records, &survey, e);
    }
    if (rc != RC_OK)
        return rc;
    rw->counts.records_kept += survey.kept;
    if (survey.kept == 0)
        return verdict->retention == RETAIN_EMPTY ? batch_rewrite_empty(batch, out, e) : RC_OK;
    set_horizon = horizon == BATCH_VIEW_NONE && (survey.tombstones || verdict->marker_of_nothing);
    if (survey.kept == survey.read && !set_horizon)
        return append(out, batch, e);
    if (set_horizon)
        horizon = rw->now_ms + rw->delete_retention_ms;
    return rebuild(rw, batch, &records, horizon, out, e);
}

enum rc
cleaner_rewrite_batch(
    struct cleaner_rewrite *rw, const struct batch_view *batch, struct buf *out, struct err *e)
{
    struct verdict verdict = judge(rw, batch);
    size_t start = out->size;
    enum rc rc = RC_OK;

    rw->counts.records_read += batch->record_count;
    rw->counts.bytes_read += (int64_t)batch->size;
    if (verdict.retention != DELETE)
        rc = filter(rw, batch, &verdict, out, e);
    if (rc == RC_OK)
        rw->counts.bytes_kept += (int64_t)(out->size - start);
    return rc;
}
