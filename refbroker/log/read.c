#include "refbroker/log/read.h"

#include "lib/base/xalloc.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/kerr.h"
#include "refbroker/limits.h"

#define FRAGMENTS_STEP 16
#define UNCOMPRESSED_BYTES_MAX ((size_t)256 * 1024 * 1024)

struct collector {
    struct request *request;
    struct wire_fragment *fragments;
    int32_t count;
    int32_t capacity;
    struct read_result *result;
};

/* Adds bytes to the result; neighbours in memory become one fragment. False without memory. */
static bool
collect(struct collector *c, struct blob *blob, const uint8_t *data, size_t size)
{
    struct wire_fragment *last = c->count == 0 ? NULL : &c->fragments[c->count - 1];

    c->result->size += (int32_t)size;
    if (last != NULL && last->data + last->size == data) {
        last->size += size;
        return true;
    }
    if (c->count == c->capacity) {
        struct wire_fragment *more;

        c->capacity = c->capacity == 0 ? FRAGMENTS_STEP : c->capacity * 2;
        more = arena_array(&c->request->arena, (size_t)c->capacity, sizeof *more);
        if (more == NULL)
            return false;
        for (int32_t i = 0; i < c->count; i++)
            more[i] = c->fragments[i];
        c->fragments = more;
    }
    request_hold(c->request, blob);
    c->fragments[c->count++] = (struct wire_fragment){data, size};
    return true;
}

static bool
fits(const struct read_ask *ask, const struct read_result *result, size_t size)
{
    if (result->size == 0 && ask->one_at_least)
        return true;
    return size <= (size_t)(ask->bytes_max > result->size ? ask->bytes_max - result->size : 0);
}

static void
from_cache(struct collector *c, const struct read_ask *ask, const struct cached_batch *batch)
{
    c->result->from_cache = true;
    for (; batch != NULL && batch->last_offset < ask->bound; batch = cache_next(batch)) {
        if (!fits(ask, c->result, batch->size) ||
            !collect(c, batch->blob, batch->data, batch->size))
            break;
        c->result->end_offset = batch->last_offset + 1;
    }
}

static void
from_run(struct collector *c, const struct read_ask *ask, const struct run *run, struct blob *blob)
{
    struct batch_view_cursor cursor = {blob->data, run->size};
    struct batch_view batch;
    bool found;
    struct err e;

    while (batch_view_next(&cursor, &batch, &found, &e) == RC_OK && found) {
        if (batch_view_last_offset(&batch) < ask->offset)
            continue;
        if (batch_view_last_offset(&batch) >= ask->bound || !fits(ask, c->result, batch.size) ||
            !collect(c, blob, batch.data, batch.size))
            break;
        c->result->end_offset = batch_view_next_offset(&batch);
    }
}

enum reader_state
read_batches(struct broker *broker, struct request *request, struct partition *partition,
    const struct read_ask *ask, struct reader_waiter *waiter, struct read_result *result,
    int16_t *error)
{
    struct collector c = {.request = request, .result = result};
    enum reader_state state = READER_READY;
    const struct run *run;
    struct blob *blob;

    *result = (struct read_result){.end_offset = ask->offset};
    if (ask->offset >= ask->bound)
        return READER_READY;
    run = ask->offset >= cache_start(partition) ? NULL
                                                : run_index_find(&partition->runs, ask->offset);
    if (run == NULL || run->base_offset >= cache_start(partition)) {
        from_cache(&c, ask, cache_find(partition, ask->offset));
    } else {
        state = reader_get(broker->reader, partition, run, waiter, &blob, error);
        if (state == READER_READY)
            from_run(&c, ask, run, blob);
    }
    result->fragments = c.fragments;
    result->fragment_count = c.count;
    return state;
}

/* --- timestamps ------------------------------------------------------------------------------ */

struct search {
    int64_t timestamp; /* wanted; with `largest` the best so far */
    int64_t from;
    int64_t bound;
    bool largest;
    int64_t offset; /* found; -1: none */
};

/* Looks at the records of one batch; true once the search is over. */
static bool
search_batch(struct search *s, const struct batch_view *batch, struct buf *scratch)
{
    struct batch_records_record record;
    struct batch_records records;
    bool found;
    struct err e;

    if (batch->max_timestamp < s->timestamp || batch_view_last_offset(batch) < s->from)
        return false;
    if (s->largest && s->offset >= 0 && batch->max_timestamp == s->timestamp)
        return false;
    if (batch_records_open(&records, batch, scratch, UNCOMPRESSED_BYTES_MAX, &e) != RC_OK)
        return false;
    while (batch_records_next(&records, &record, &found, &e) == RC_OK && found) {
        if (record.offset >= s->bound)
            return true;
        if (record.offset < s->from || record.timestamp < s->timestamp ||
            (s->largest && s->offset >= 0 && record.timestamp == s->timestamp))
            continue;
        s->offset = record.offset;
        s->timestamp = record.timestamp;
        if (!s->largest)
            return true;
    }
    return false;
}

static bool
search_run(struct search *s, const struct run *run, const struct blob *blob, struct buf *scratch)
{
    struct batch_view_cursor cursor = {blob->data, run->size};
    struct batch_view batch;
    bool found;
    struct err e;

    while (batch_view_next(&cursor, &batch, &found, &e) == RC_OK && found)
        if (batch.base_offset >= s->bound || search_batch(s, &batch, scratch))
            return true;
    return false;
}

static void
search_cache(struct search *s, const struct partition *partition, struct buf *scratch)
{
    const struct cached_batch *cached = cache_find(partition, s->from);
    struct batch_view batch;
    struct err e;

    for (; cached != NULL && cached->base_offset < s->bound; cached = cache_next(cached)) {
        REQUIRE(batch_view_parse(cached->data, cached->size, &batch, &e) == RC_OK);
        if (search_batch(s, &batch, scratch))
            return;
    }
}

static enum reader_state
search_all(struct broker *broker, struct partition *partition, struct search *s,
    struct reader_waiter *waiter, int16_t *error)
{
    int64_t cached_from = cache_start(partition);
    enum reader_state state = READER_READY;
    const struct run *run;
    struct blob *blob;
    struct buf scratch;
    bool over = false;

    buf_init(&scratch, UNCOMPRESSED_BYTES_MAX);
    run = run_index_find_timestamp(&partition->runs, s->from, s->timestamp);
    while (!over && run != NULL && run->base_offset < cached_from && state == READER_READY) {
        state = reader_get(broker->reader, partition, run, waiter, &blob, error);
        if (state == READER_READY)
            over = search_run(s, run, blob, &scratch);
        run = run_index_find_timestamp(
            &partition->runs, run->last_offset + 1, s->timestamp + (s->largest && s->offset >= 0));
    }
    if (!over && state == READER_READY) {
        if (s->from < cached_from)
            s->from = cached_from;
        search_cache(s, partition, &scratch);
    }
    buf_fini(&scratch);
    return state;
}

enum reader_state
read_find_timestamp(struct broker *broker, struct partition *partition, int64_t timestamp,
    int64_t from, int64_t bound, struct reader_waiter *waiter, int64_t *offset,
    int64_t *found_timestamp, int16_t *error)
{
    struct search s = {timestamp, from, bound, false, -1};
    enum reader_state state = search_all(broker, partition, &s, waiter, error);

    *offset = s.offset;
    *found_timestamp = s.offset < 0 ? -1 : s.timestamp;
    return state;
}

enum reader_state
read_find_max_timestamp(struct broker *broker, struct partition *partition, int64_t bound,
    struct reader_waiter *waiter, int64_t *offset, int64_t *timestamp, int16_t *error)
{
    enum reader_state state;
    struct search s;
    int64_t below = INT64_MAX;

    /* The largest timestamp of all runs is known without reading them, which leaves one run to
     * read; unless it is that of a batch whose records the cleaner took away. */
    do {
        s = (struct search){-1, partition->log_start_offset, bound, true, -1};
        for (size_t i = 0; i < partition->runs.count; i++)
            if (partition->runs.runs[i].max_timestamp > s.timestamp &&
                partition->runs.runs[i].max_timestamp < below &&
                partition->runs.runs[i].last_offset < bound)
                s.timestamp = partition->runs.runs[i].max_timestamp;
        below = s.timestamp;
        state = search_all(broker, partition, &s, waiter, error);
    } while (state == READER_READY && s.offset < 0 && below >= 0);
    *offset = s.offset;
    *timestamp = s.offset < 0 ? -1 : s.timestamp;
    return state;
}

enum reader_state
read_find_batch(struct broker *broker, struct partition *partition, int64_t timestamp, bool largest,
    struct reader_waiter *waiter, int64_t *base_offset, int64_t *last_offset,
    int64_t *max_timestamp, int16_t *error)
{
    struct batch_view_cursor cursor;
    struct batch_view batch;
    enum reader_state state;
    const struct run *run;
    struct blob *blob;
    bool found = true;
    struct err e;

    *base_offset = *last_offset = *max_timestamp = -1;
    for (size_t i = 0; largest && i < partition->runs.count; i++)
        if (i == 0 || partition->runs.runs[i].max_timestamp > timestamp)
            timestamp = partition->runs.runs[i].max_timestamp;
    run = run_index_find_timestamp(&partition->runs, partition->log_start_offset, timestamp);
    if (run == NULL)
        return READER_READY;
    state = reader_get(broker->reader, partition, run, waiter, &blob, error);
    if (state != READER_READY)
        return state;
    cursor = (struct batch_view_cursor){blob->data, run->size};
    while (batch_view_next(&cursor, &batch, &found, &e) == RC_OK && found)
        if (batch.max_timestamp >= timestamp) {
            *base_offset = batch.base_offset;
            *last_offset = batch_view_last_offset(&batch);
            *max_timestamp = batch.max_timestamp;
            break;
        }
    return READER_READY;
}
