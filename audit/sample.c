#include "audit/sample.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_records.h"

#define UNCOMPRESSED_BYTES_MAX ((size_t)64 << 20)
#define KEYS_MAX 1000000U /* of one partition that are remembered */

struct sized {
    int64_t size;
    uint32_t place;
};

static int
by_size(const void *a, const void *b)
{
    const struct sized *x = a, *y = b;

    return (x->size > y->size) - (x->size < y->size);
}

static int
by_rank(const void *a, const void *b)
{
    const struct sample_candidate *x = a, *y = b;

    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->is_decided != y->is_decided)
        return x->is_decided ? 1 : -1;
    return (x->partition > y->partition) - (x->partition < y->partition);
}

void
sample_order(struct sample_candidate *candidates, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        candidates[i].rank = i > 0 && candidates[i].topic == candidates[i - 1].topic
                                 ? candidates[i - 1].rank + 1
                                 : 0;
    qsort(candidates, count, sizeof *candidates, by_rank);
}

void
sample_share(const int64_t *sizes, uint64_t *parts, uint32_t count, uint64_t bytes_max)
{
    struct sized *sorted = xcalloc((size_t)count + 1, sizeof *sorted);
    uint64_t left = bytes_max;

    for (uint32_t i = 0; i < count; i++)
        sorted[i] = (struct sized){sizes[i] < 0 ? INT64_MAX : sizes[i], i};
    qsort(sorted, count, sizeof *sorted, by_size);
    /* What the small ones leave goes to the larger ones. */
    for (uint32_t i = 0; i < count; i++) {
        uint64_t part = left / (count - i);

        if ((uint64_t)sorted[i].size < part)
            part = (uint64_t)sorted[i].size;
        parts[sorted[i].place] = part;
        left -= part;
    }
    free(sorted);
}

void
sample_plan_make(struct sample_plan *plan, int64_t from, int64_t to, int64_t size, uint64_t part)
{
    uint64_t wanted = part / SAMPLE_SLICE_BYTES;
    int64_t span = saturate_subtract(to, from);

    memset(plan, 0, sizeof *plan);
    if (from < 0 || span <= 0 || part == 0)
        return;
    if (size >= 0 && (uint64_t)size <= part) {
        /* A log grows, and batches are not cut: no limit but the end. */
        plan->slices[0] = (struct sample_slice){from, to, UINT64_MAX};
        plan->count = 1;
        return;
    }
    wanted = wanted < 2 ? 2 : wanted > SAMPLE_SLICES_MAX ? SAMPLE_SLICES_MAX : wanted;
    if (wanted > (uint64_t)span)
        wanted = (uint64_t)span;
    plan->count = (uint32_t)wanted;
    for (uint32_t i = 0; i < plan->count; i++) {
        struct sample_slice *slice = &plan->slices[i];

        slice->bytes_max = part / plan->count;
        slice->from = from + span / plan->count * i;
    }
    /* The last one is to end where the log does, as far as its size tells. */
    if (size > 0 && plan->count > 1) {
        struct sample_slice *last = &plan->slices[plan->count - 1];
        double share = (double)last->bytes_max / (double)size;
        int64_t tail = to - 1 - (int64_t)((double)span * share);

        if (tail > last->from)
            last->from = tail;
    }
    for (uint32_t i = 0; i < plan->count; i++)
        plan->slices[i].to = i + 1 < plan->count ? plan->slices[i + 1].from : to;
}

void
sample_add(struct audit_sample *topic, const struct audit_sample *partition)
{
    topic->batches += partition->batches;
    topic->transactional += partition->transactional;
    topic->control += partition->control;
    topic->with_producer += partition->with_producer;
    topic->bytes += partition->bytes;
    topic->offsets += partition->offsets;
    topic->holes += partition->holes;
    topic->keyed += partition->keyed;
    topic->unkeyed += partition->unkeyed;
    topic->repeated += partition->repeated;
    topic->program += partition->program;
    if (partition->programs != NULL)
        topic->programs = partition->programs;
    topic->old_format += partition->old_format;
    topic->log_append_time += partition->log_append_time;
    topic->horizons += partition->horizons;
    topic->uncompressed_bytes += partition->uncompressed_bytes;
    topic->records += partition->records;
    topic->counted += partition->counted;
    topic->tombstones += partition->tombstones;
    topic->backwards += partition->backwards;
    if (partition->newest_ms > topic->newest_ms)
        topic->newest_ms = partition->newest_ms;
}

void
sample_reader_init(struct sample_reader *reader, struct audit_sample *sample, bool with_records)
{
    memset(reader, 0, sizeof *reader);
    reader->sample = sample;
    reader->with_records = with_records;
    reader->expected_offset = -1;
    reader->newest_ms = -1;
    map_init(&reader->keys);
    buf_init(&reader->scratch, UNCOMPRESSED_BYTES_MAX);
}

void
sample_reader_fini(struct sample_reader *reader)
{
    map_fini(&reader->keys, NULL);
    buf_fini(&reader->scratch);
}

void
sample_reader_slice(struct sample_reader *reader, int64_t from)
{
    reader->expected_offset = from;
    reader->newest_ms = -1;
}

/* FNV-1a, 64 bits: two keys of a partition meet by chance once in 10^7 samples of a million. */
static int64_t
hash(const uint8_t *key, int32_t size)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (int32_t i = 0; i < size; i++)
        h = (h ^ key[i]) * UINT64_C(0x100000001b3);
    return (int64_t)h;
}

const char *
sample_program(const uint8_t *key, int32_t size)
{
    static const struct {
        const char *begin;
        const char *inside; /* NULL: nothing */
        const char *program;
    } shapes[] = {
        {"{\"keytype\":\"", NULL, "a Schema Registry"},
        {"[\"", "\",{", "Kafka Connect"},
        {"connector-", NULL, "Kafka Connect"},
        {"task-", NULL, "Kafka Connect"},
        {"commit-", NULL, "Kafka Connect"},
        {"target-state-", NULL, "Kafka Connect"},
        {"session-key", NULL, "Kafka Connect"},
        {"logger-cluster-", NULL, "Kafka Connect"},
        {"status-connector-", NULL, "Kafka Connect"},
        {"status-task-", NULL, "Kafka Connect"},
        {"status-topic-", NULL, "Kafka Connect"},
    };

    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        size_t begin = strlen(shapes[i].begin);

        if ((size_t)size >= begin && memcmp(key, shapes[i].begin, begin) == 0 &&
            (shapes[i].inside == NULL ||
                memmem(key, (size_t)size, shapes[i].inside, strlen(shapes[i].inside)) != NULL))
            return shapes[i].program;
    }
    return NULL;
}

static void
key_take(struct sample_reader *reader, const struct batch_records_record *record)
{
    static char seen;
    struct audit_sample *sample = reader->sample;
    const char *program;

    if (record->key_size < 0) {
        sample->unkeyed++;
        return;
    }
    sample->keyed++;
    sample->tombstones += record->value_size < 0;
    program = sample_program(record->key, record->key_size);
    if (program != NULL) {
        sample->program++;
        sample->programs = program;
    }
    if (map_get_int(&reader->keys, hash(record->key, record->key_size)) != NULL)
        sample->repeated++;
    else if (map_count(&reader->keys) < KEYS_MAX)
        map_put_int(&reader->keys, hash(record->key, record->key_size), &seen);
}

static enum rc
records_take(struct sample_reader *reader, const struct batch_view *batch, struct err *e)
{
    struct batch_records_record record;
    struct batch_records records;
    bool found = false;
    enum rc rc;

    if (!batch_view_is_intact(batch))
        return err_set(e, RC_CORRUPT, "a batch with a wrong CRC");
    rc = batch_records_open(&records, batch, &reader->scratch, UNCOMPRESSED_BYTES_MAX, e);
    while (rc == RC_OK && (rc = batch_records_next(&records, &record, &found, e)) == RC_OK && found)
        key_take(reader, &record);
    return rc;
}

/* What the header says of time: control batches carry the broker's, not the producer's. */
static void
time_take(struct sample_reader *reader, const struct batch_view *batch)
{
    struct audit_sample *sample = reader->sample;
    int64_t newest_ms = batch->max_timestamp;

    if (newest_ms > sample->newest_ms)
        sample->newest_ms = newest_ms;
    if (newest_ms >= 0 && saturate_subtract(reader->newest_ms, newest_ms) > SAMPLE_BACKWARDS_MS)
        sample->backwards++;
    if (newest_ms > reader->newest_ms)
        reader->newest_ms = newest_ms;
}

static void
header_take(struct sample_reader *reader, const struct batch_view *batch)
{
    struct audit_sample *sample = reader->sample;

    if (batch_view_codec(batch) == COMPRESS_NONE)
        sample->uncompressed_bytes += batch->size;
    if (batch->magic < 2) {
        sample->old_format++;
    } else if (!batch_view_is_control(batch)) {
        sample->records += (uint64_t)batch->record_count;
        sample->counted++;
    }
    sample->log_append_time += batch_view_is_log_append_time(batch);
    sample->horizons += batch_view_delete_horizon_ms(batch) >= 0;
    if (!batch_view_is_control(batch))
        time_take(reader, batch);
}

enum rc
sample_reader_take(struct sample_reader *reader, const struct batch_view *batch, struct err *e)
{
    struct audit_sample *sample = reader->sample;
    bool control = batch_view_is_control(batch);

    sample->batches++;
    sample->bytes += batch->size;
    sample->control += control;
    sample->transactional += control || batch_view_is_transactional(batch);
    sample->with_producer += batch_view_has_producer(batch);
    header_take(reader, batch);
    sample->offsets += (uint64_t)batch_view_next_offset(batch) - (uint64_t)batch->base_offset;
    if (reader->expected_offset >= 0 && batch->base_offset > reader->expected_offset)
        sample->holes += (uint64_t)(batch->base_offset - reader->expected_offset);
    /* Wrappers of old formats do not tell their count. */
    if (batch->magic >= 2 && batch->record_count <= batch->last_offset_delta)
        sample->holes += (uint64_t)((int64_t)batch->last_offset_delta + 1 - batch->record_count);
    reader->expected_offset = batch_view_next_offset(batch);
    return reader->with_records && !control ? records_take(reader, batch, e) : RC_OK;
}
