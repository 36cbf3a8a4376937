#include "refbroker/log/cleaner_job.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/crc32c.h"
#include "refbroker/limits.h"
#include "refbroker/log/object.h"
#include "refbroker/log/reader.h"

#define OUT_BYTES_MAX ((size_t)1 << 30)

struct cleaner_job {
    struct store *store;
    struct wire_uuid topic_id;
    int32_t partition;
    int64_t first_dirty;
    int64_t log_start;
    struct run *runs; /* of the partition, as they were, up to the end of the range */
    size_t run_count;
    size_t next;    /* run */
    bool is_mapped; /* the keys are noted */
    struct cleaner_keys *keys;
    struct cleaner_txns *txns;
    struct cleaner_last *lasts;
    struct cleaner_rewrite rewrite;
    struct buf in;  /* one run */
    struct buf out; /* the object */
    struct object_run *new_runs;
    size_t new_count;
    size_t new_capacity;
    struct cleaner_step step;
};

/* --- on the owner's thread ------------------------------------------------------------------- */

static void
aborted_copy(struct cleaner_job *job, const struct partition *partition, int64_t end)
{
    struct aborted_txn *aborted = NULL, txn;
    size_t count = 0, capacity = 0, position = 0;

    while (partition->producers != NULL &&
           producers_aborted(partition->producers, 0, end, &position, &txn)) {
        if (count == capacity) {
            capacity = capacity == 0 ? 16 : capacity * 2;
            aborted = xrealloc(aborted, capacity, sizeof *aborted);
        }
        aborted[count++] = txn;
    }
    job->txns = cleaner_txns_new(aborted, count);
    free(aborted);
}

static void
lasts_copy(struct cleaner_job *job, const struct partition *partition)
{
    struct producer_info info;
    size_t position = 0, count = 0;

    if (partition->producers == NULL)
        return;
    job->lasts = xcalloc(producers_count(partition->producers) + 1, sizeof *job->lasts);
    while (producers_next(partition->producers, &position, &info))
        job->lasts[count++] =
            (struct cleaner_last){info.producer_id, info.last_offset, info.producer_epoch};
    cleaner_rewrite_sort(job->lasts, count);
    job->rewrite.lasts = job->lasts;
    job->rewrite.last_count = count;
}

struct cleaner_job *
cleaner_job_new(struct broker *broker, const struct partition *partition,
    const struct cleaner_range *range, size_t keys_bytes_max)
{
    struct cleaner_job *job = xcalloc(1, sizeof *job);
    const struct run_index *index = &partition->runs;

    job->store = broker->store;
    job->topic_id = partition->topic_id;
    job->partition = partition->index;
    job->first_dirty = range->first_dirty;
    job->log_start = partition->log_start_offset;
    while (job->run_count < index->count && index->runs[job->run_count].last_offset < range->end)
        job->run_count++;
    REQUIRE(job->run_count > 0);
    job->runs = xcalloc(job->run_count, sizeof *job->runs);
    memcpy(job->runs, index->runs, job->run_count * sizeof *job->runs);
    while (job->runs[job->next].last_offset < range->first_dirty)
        job->next++;
    job->keys = cleaner_keys_new(keys_bytes_max);
    cleaner_rewrite_init(&job->rewrite);
    aborted_copy(job, partition, range->end);
    lasts_copy(job, partition);
    cleaner_txns_rewind(job->txns, job->runs[job->next].base_offset);
    job->rewrite.keys = job->keys;
    job->rewrite.txns = job->txns;
    job->rewrite.upper_bound = range->end;
    job->rewrite.now_ms = env_wall_ms(broker->env);
    job->rewrite.delete_retention_ms = partition->topic->configs.values.delete_retention_ms;
    buf_init(&job->in, UINT32_MAX);
    buf_init(&job->out, OUT_BYTES_MAX);
    return job;
}

void
cleaner_job_free(struct cleaner_job *job)
{
    if (job == NULL)
        return;
    cleaner_rewrite_fini(&job->rewrite);
    cleaner_keys_free(job->keys);
    cleaner_txns_free(job->txns);
    buf_fini(&job->in);
    buf_fini(&job->out);
    free(job->lasts);
    free(job->runs);
    free(job->new_runs);
    free(job->step.runs);
    free(job);
}

/* --- on the lane ----------------------------------------------------------------------------- */

static enum rc
run_read(struct cleaner_job *job, const struct run *run, struct err *e)
{
    uint8_t *room;
    enum rc rc;

    buf_clear(&job->in);
    room = buf_reserve(&job->in, run->size);
    if (room == NULL)
        return err_set(e, RC_LIMIT, "no memory for a run of %u bytes", run->size);
    rc = reader_read(job->store, run, room, e);
    if (rc != RC_OK)
        return rc;
    buf_commit(&job->in, run->size);
    job->step.bytes_moved += run->size;
    job->step.runs_read++;
    return RC_OK;
}

/* Notes the keys of a run. */
static enum rc
run_map(struct cleaner_job *job, const struct run *run, bool *full, struct err *e)
{
    struct batch_view_cursor cursor;
    struct batch_view batch;
    bool found;
    enum rc rc = run_read(job, run, e);

    cursor = (struct batch_view_cursor){job->in.data, job->in.size};
    while (rc == RC_OK && !*full && (rc = batch_view_next(&cursor, &batch, &found, e)) == RC_OK &&
           found)
        rc = cleaner_rewrite_index(&job->rewrite, job->keys, &batch, job->first_dirty, full, e);
    return rc;
}

/* From noting to rewriting: what lies behind the last key noted is for the next round. */
static void
map_end(struct cleaner_job *job)
{
    while (job->run_count > 0 &&
           job->runs[job->run_count - 1].base_offset > job->rewrite.latest_offset)
        job->run_count--;
    job->next = 0;
    job->is_mapped = true;
    job->step.keys = cleaner_keys_count(job->keys);
    cleaner_txns_rewind(job->txns, job->log_start);
}

static enum rc
step_map(struct cleaner_job *job, struct err *e)
{
    size_t bytes = 0;
    bool full = false;
    enum rc rc = RC_OK;

    while (rc == RC_OK && !full && job->next < job->run_count && bytes < CLEANER_STEP_BYTES) {
        bytes += job->runs[job->next].size;
        rc = run_map(job, &job->runs[job->next++], &full, e);
    }
    if (rc == RC_OK && (full || job->next == job->run_count))
        map_end(job);
    return rc;
}

/* The run that a batch of `size` bytes at `position` of the object belongs to. */
static struct object_run *
new_run_for(struct cleaner_job *job, const struct batch_view *batch, size_t size, size_t position)
{
    struct object_run *run;

    if (job->new_count > 0 && job->new_runs[job->new_count - 1].run.size + size <= LIMIT_RUN_BYTES)
        return &job->new_runs[job->new_count - 1];
    if (job->new_count == job->new_capacity) {
        job->new_capacity = job->new_capacity == 0 ? 8 : job->new_capacity * 2;
        job->new_runs = xrealloc(job->new_runs, job->new_capacity, sizeof *job->new_runs);
    }
    run = &job->new_runs[job->new_count++];
    *run = (struct object_run){.topic_id = job->topic_id,
        .partition = job->partition,
        .run = {.base_offset = batch->base_offset,
            .max_timestamp = BATCH_VIEW_NONE,
            .log_append_time = -1,
            .position = (int64_t)position}};
    return run;
}

static enum rc
batch_clean(struct cleaner_job *job, const struct batch_view *batch, bool *changed, struct err *e)
{
    size_t start = job->out.size, size;
    struct batch_view kept;
    struct object_run *run;
    enum rc rc = cleaner_rewrite_batch(&job->rewrite, batch, &job->out, e);

    if (rc != RC_OK)
        return rc;
    size = job->out.size - start;
    *changed =
        *changed || size != batch->size || memcmp(job->out.data + start, batch->data, size) != 0;
    if (size == 0)
        return RC_OK;
    rc = batch_view_parse(job->out.data + start, size, &kept, e);
    if (rc != RC_OK)
        return rc;
    run = new_run_for(job, &kept, size, start);
    run->run.last_offset = batch_view_last_offset(&kept);
    run->run.size += (uint32_t)size;
    run->run.crc = crc32c_extend(run->run.crc, kept.data, size);
    if (kept.max_timestamp > run->run.max_timestamp)
        run->run.max_timestamp = kept.max_timestamp;
    return RC_OK;
}

static enum rc
run_clean(struct cleaner_job *job, const struct run *run, bool *changed, struct err *e)
{
    struct batch_view_cursor cursor;
    struct batch_view batch;
    bool found;
    enum rc rc = run_read(job, run, e);

    cursor = (struct batch_view_cursor){job->in.data, job->in.size};
    while (rc == RC_OK && (rc = batch_view_next(&cursor, &batch, &found, e)) == RC_OK && found)
        rc = batch_clean(job, &batch, changed, e);
    return rc;
}

static enum rc
object_write(struct cleaner_job *job, int64_t object_id, struct err *e)
{
    struct cleaner_step *step = &job->step;
    char key[READER_KEY_BYTES];
    enum rc rc;

    step->runs = xcalloc(job->new_count + 1, sizeof *step->runs);
    for (size_t i = 0; i < job->new_count; i++) {
        job->new_runs[i].run.object_id = object_id;
        step->runs[i] = job->new_runs[i].run;
    }
    step->run_count = job->new_count;
    if (job->new_count == 0)
        return RC_OK;
    object_end(&job->out, job->out.size, job->new_runs, job->new_count);
    if (buf_is_overflowed(&job->out))
        return err_set(e, RC_LIMIT, "a cleaned object of more than 1 GiB");
    reader_key(key, object_id);
    rc = store_put(job->store, key, job->out.data, job->out.size, e);
    step->object_bytes = job->out.size;
    step->bytes_moved += (int64_t)job->out.size;
    return rc;
}

static enum rc
step_rewrite(struct cleaner_job *job, int64_t object_id, struct err *e)
{
    struct cleaner_step *step = &job->step;
    size_t first = job->next, bytes = 0;
    bool changed = false;
    enum rc rc = RC_OK;

    buf_clear(&job->out);
    object_begin(&job->out);
    job->new_count = 0;
    job->rewrite.counts = (struct cleaner_counts){0};
    cleaner_txns_forget_gone(job->txns);
    while (rc == RC_OK && job->next < job->run_count &&
           (job->next == first || bytes + job->runs[job->next].size <= CLEANER_STEP_BYTES)) {
        bytes += job->runs[job->next].size;
        rc = run_clean(job, &job->runs[job->next++], &changed, e);
    }
    if (rc != RC_OK)
        return rc;
    step->counts = job->rewrite.counts;
    step->gone = cleaner_txns_gone(job->txns, &step->gone_count);
    step->is_last = job->next == job->run_count;
    step->first_dirty = job->rewrite.latest_offset + 1;
    step->first = job->runs[first].base_offset;
    step->last = job->runs[job->next - 1].last_offset;
    step->replaced = job->next - first;
    step->swaps = changed || job->new_count * 2 <= step->replaced;
    return step->swaps ? object_write(job, object_id, e) : RC_OK;
}

const struct cleaner_step *
cleaner_job_step(struct cleaner_job *job, int64_t object_id)
{
    struct cleaner_step *step = &job->step;

    free(step->runs);
    memset(step, 0, sizeof *step);
    step->rc =
        job->is_mapped ? step_rewrite(job, object_id, &step->err) : step_map(job, &step->err);
    return step;
}
