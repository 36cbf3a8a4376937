#include "refbroker/log/coordinated.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/pieces.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/limits.h"
#include "refbroker/log/fetch_wait.h"
#include "refbroker/log/object.h"
#include "refbroker/log/reader.h"
#include "refbroker/log/replay.h"

#define PRODUCERS_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* One batch of a file, and what the coordinator decided about it. */
struct entry {
    struct partition *partition; /* held */
    struct blob *blob;
    struct batch_view batch;
    struct append_waiter *waiter; /* NULL: nobody waits any more */
    int64_t position;             /* in the object */
    int16_t error;
    bool duplicate;
    int64_t base_offset;
    int64_t log_append_time;
};

enum file_state { FILE_PUTTING, FILE_PUT, FILE_COMMITTING };

/* First a job of a lane that writes objects, then, after those of all files before it, one of the
 * catalog. */
struct file {
    struct catalog_job commit;
    struct work_job put;
    struct coordinated *coordinated;
    struct entry
        *entries; /* sorted by partition when the file is closed, in order of arrival within one */
    size_t count;
    size_t capacity;
    size_t bytes;
    int64_t opened_ms;
    struct object_run *runs;
    size_t run_count;
    size_t object_bytes;
    int64_t object_id;
    int64_t now_ms;
    enum file_state state; /* once it is closed */
    enum rc rc;
    struct err err;
};

struct coordinated {
    struct broker *broker;
    struct file *open;   /* NULL: nothing waits */
    size_t busy;         /* files under way */
    struct file **files; /* under way, in the order in which they were closed */
    size_t bytes;        /* of batches in all files */
};

struct coordinated *
coordinated_new(struct broker *broker)
{
    struct coordinated *c = xcalloc(1, sizeof *c);

    c->broker = broker;
    return c;
}

static void
file_free(struct file *file)
{
    if (file == NULL)
        return;
    for (size_t i = 0; i < file->count; i++) {
        blob_unref(file->entries[i].blob);
        partition_release(file->entries[i].partition);
    }
    file->coordinated->bytes -= file->bytes;
    free(file->entries);
    free(file->runs);
    free(file);
}

void
coordinated_free(struct coordinated *c)
{
    if (c == NULL)
        return;
    file_free(c->open);
    for (size_t i = 0; i < c->busy; i++)
        file_free(c->files[i]);
    free(c->files);
    free(c);
}

/* --- on a lane that writes objects ------------------------------------------------------------ */

/* Offsets are the database's business here, so the object has no index of its own. */
static void
put_run(struct work_job *job)
{
    struct file *file = list_of(job, struct file, put);
    struct pieces_item *batches = xcalloc(file->count, sizeof *batches);
    char key[READER_KEY_BYTES];
    size_t position = OBJECT_HEADER_BYTES;

    for (size_t i = 0; i < file->count; i++) {
        struct entry *entry = &file->entries[i];

        entry->position = (int64_t)position;
        batches[i] = (struct pieces_item){entry->batch.data, entry->batch.size};
        position += entry->batch.size;
    }
    reader_key(key, file->object_id);
    file->rc = object_put(file->coordinated->broker->store, key, batches, file->count, NULL, 0,
        &file->object_bytes, &file->err);
    free(batches);
}

/* --- the coordinator: on the database's lane ------------------------------------------------- */

/* Decides about one batch: true where it gets the next offsets. */
static bool
entry_decide(struct entry *entry, struct producers *producers, int64_t next)
{
    struct producer_batch ask = replay_ask(&entry->batch);
    struct producer_first first;

    entry->error = KE_NONE;
    entry->duplicate = false;
    entry->base_offset = next;
    if (!batch_view_has_producer(&entry->batch))
        return true;
    switch (producers_check(producers, &ask, &first)) {
    case PRODUCER_APPEND:
        ask.base_offset = next;
        ask.last_offset = next + entry->batch.last_offset_delta;
        producers_note(producers, &ask);
        return true;
    case PRODUCER_DUPLICATE:
        entry->duplicate = true;
        entry->base_offset = first.base_offset;
        return false;
    case PRODUCER_FENCED:
        entry->error = KE_INVALID_PRODUCER_EPOCH;
        return false;
    case PRODUCER_OUT_OF_ORDER:
    case PRODUCER_BAD_TXN:
        entry->error = KE_OUT_OF_ORDER_SEQUENCE_NUMBER;
        return false;
    }
    return false;
}

/* Adds a batch to the last run where it continues it in object and offsets, or begins a new one. */
static void
run_extend(struct file *file, const struct entry *entry, bool first_of_partition)
{
    struct object_run *last =
        first_of_partition || file->run_count == 0 ? NULL : &file->runs[file->run_count - 1];
    const struct batch_view *batch = &entry->batch;

    if (last == NULL || last->run.position + last->run.size != entry->position ||
        last->run.last_offset + 1 != entry->base_offset ||
        last->run.size + batch->size > LIMIT_RUN_BYTES ||
        last->run.log_append_time != entry->log_append_time) {
        last = &file->runs[file->run_count++];
        *last = (struct object_run){.topic_id = entry->partition->topic_id,
            .partition = entry->partition->index,
            .run = {.base_offset = entry->base_offset,
                .max_timestamp = batch->max_timestamp,
                .log_append_time = entry->log_append_time,
                .object_id = file->object_id,
                .position = entry->position}};
    }
    last->run.last_offset = entry->base_offset + batch->last_offset_delta;
    last->run.size += (uint32_t)batch->size;
    last->run.crc = batch_view_crc_behind(last->run.crc, batch->data, batch->size);
    if (batch->max_timestamp > last->run.max_timestamp)
        last->run.max_timestamp = batch->max_timestamp;
    if (entry->log_append_time >= 0)
        last->run.max_timestamp = entry->log_append_time;
}

static enum rc
state_save(struct catalog *catalog, const struct partition *partition, int64_t end,
    const struct producers *producers, struct err *e)
{
    struct buf saved;
    enum rc rc;

    buf_init(&saved, PRODUCERS_BYTES_MAX);
    if (producers_count(producers) > 0)
        producers_save(producers, &saved);
    rc = buf_is_overflowed(&saved) ? err_set(e, RC_LIMIT, "too many producers in one partition")
                                   : catalog_put_committed(catalog, &partition->topic_id,
                                         partition->index, end, saved.data, saved.size, e);
    buf_fini(&saved);
    return rc;
}

/* Commits the batches [from, to) of one partition. */
static enum rc
partition_commit(struct catalog *catalog, struct file *file, size_t from, size_t to, struct err *e)
{
    const struct partition *partition = file->entries[from].partition;
    struct producers *producers = producers_new(LIMIT_PRODUCERS_PER_PARTITION_MAX);
    size_t first_run = file->run_count, size;
    const void *saved;
    int64_t next;
    enum rc rc = catalog_get_committed(
        catalog, &partition->topic_id, partition->index, &next, &saved, &size, e);
    bool gone = rc == RC_NOTFOUND;

    if (rc == RC_OK && size > 0)
        rc = producers_load(producers, saved, size, e);
    for (size_t i = from; i < to && (rc == RC_OK || gone); i++) {
        struct entry *entry = &file->entries[i];

        if (gone) {
            entry->error = KE_UNKNOWN_TOPIC_OR_PARTITION;
        } else if (entry_decide(entry, producers, next)) {
            run_extend(file, entry, file->run_count == first_run);
            next += entry->batch.last_offset_delta + 1;
        }
    }
    for (size_t i = first_run; i < file->run_count && rc == RC_OK; i++)
        rc =
            catalog_put_run(catalog, &partition->topic_id, partition->index, &file->runs[i].run, e);
    if (rc == RC_OK && file->run_count > first_run)
        rc = state_save(catalog, partition, next, producers, e);
    producers_free(producers);
    return gone ? RC_OK : rc;
}

static enum rc
commit_apply(struct catalog *catalog, struct catalog_job *job, struct err *e)
{
    struct file *file = (struct file *)(void *)job;
    enum rc rc =
        catalog_put_object(catalog, file->object_id, (int64_t)file->object_bytes, file->now_ms, e);

    file->run_count = 0;
    for (size_t from = 0, to; from < file->count && rc == RC_OK; from = to) {
        for (to = from + 1;
             to < file->count && file->entries[to].partition == file->entries[from].partition;)
            to++;
        rc = partition_commit(catalog, file, from, to, e);
    }
    return rc;
}

/* --- on the owner's thread ------------------------------------------------------------------- */

static void
file_leave(struct file *file)
{
    struct coordinated *c = file->coordinated;

    for (size_t i = 0; i < c->busy; i++)
        if (c->files[i] == file) {
            memmove(&c->files[i], &c->files[i + 1], (c->busy - i - 1) * sizeof(struct file *));
            break;
        }
    c->busy--;
}

static void
waiters_tell(struct file *file, int16_t error)
{
    struct broker *broker = file->coordinated->broker;

    for (size_t i = 0; i < file->count; i++) {
        struct entry *entry = &file->entries[i];
        struct append_waiter *waiter = entry->waiter;
        int16_t code = error != KE_NONE ? error : entry->error;

        if (code != KE_NONE)
            broker->stats.produce_refused_total++;
        else if (entry->duplicate)
            broker->stats.produce_duplicates_total++;
        if (waiter == NULL)
            continue;
        entry->waiter = NULL;
        waiter->base_offset = entry->base_offset;
        waiter->log_append_time = entry->log_append_time;
        waiter->done(broker, waiter, code);
    }
}

static void
failed(struct file *file, const struct err *e)
{
    if (!store_has_told(e->code))
        log_warn("COMMIT-FAILED", "a file of %zu batches: %s", file->count, e->text);
    file_leave(file);
    waiters_tell(file, KE_KAFKA_STORAGE_ERROR);
    file_free(file);
}

static void
runs_enter(struct file *file)
{
    struct broker *broker = file->coordinated->broker;

    for (size_t i = 0; i < file->run_count; i++) {
        const struct object_run *run = &file->runs[i];
        struct topic *topic = topics_find_id(&broker->topics, &run->topic_id);
        struct partition *partition =
            topic == NULL ? NULL : topics_partition(topic, run->partition);

        if (partition == NULL)
            continue;
        run_index_add(&partition->runs, &run->run);
        partition->log_end_offset = partition->committed_end = partition->high_watermark =
            run->run.last_offset + 1;
        fetch_wait_wake(broker, partition);
    }
}

static void
commit_done(struct catalog_job *job)
{
    struct file *file = (struct file *)(void *)job;
    struct stats *stats = &file->coordinated->broker->stats;

    if (job->rc != RC_OK) {
        failed(file, &job->err);
        return;
    }
    runs_enter(file);
    for (size_t i = 0; i < file->count; i++) {
        if (file->entries[i].error != KE_NONE || file->entries[i].duplicate)
            continue;
        stats->produce_batches_total++;
        stats->produce_bytes_total += (int64_t)file->entries[i].batch.size;
    }
    file_leave(file);
    waiters_tell(file, KE_NONE);
    file_free(file);
}

/* Objects are written beside each other, and committed in the order of arrival: a producer's later
 * batch must not be looked at before its earlier one. */
static void
commit_in_order(struct coordinated *c)
{
    for (size_t i = 0; i < c->busy && c->files[i]->state != FILE_PUTTING; i++) {
        struct file *file = c->files[i];

        if (file->state == FILE_COMMITTING)
            continue;
        file->state = FILE_COMMITTING;
        file->commit.apply = commit_apply;
        file->commit.done = commit_done;
        catalog_submit(c->broker->catalog, &file->commit);
    }
}

static void
put_done(struct work_job *job)
{
    struct file *file = list_of(job, struct file, put);
    struct coordinated *c = file->coordinated;

    if (file->rc == RC_OK)
        file->state = FILE_PUT;
    else
        failed(file, &file->err);
    commit_in_order(c);
}

/* By partition; the sort must keep the order of arrival, so it compares positions last. */
static int
by_partition(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    int order =
        memcmp(&x->partition->topic_id, &y->partition->topic_id, sizeof x->partition->topic_id);

    if (order == 0)
        order = (x->partition->index > y->partition->index) -
                (x->partition->index < y->partition->index);
    if (order != 0)
        return order;
    return (x->position > y->position) - (x->position < y->position);
}

static void
file_close(struct coordinated *c)
{
    struct broker *broker = c->broker;
    struct file *file = c->open;

    c->open = NULL;
    for (size_t i = 0; i < file->count; i++)
        file->entries[i].position = (int64_t)i;
    qsort(file->entries, file->count, sizeof *file->entries, by_partition);
    file->runs = xcalloc(file->count, sizeof *file->runs);
    file->object_id = broker_next_object_id(broker);
    file->now_ms = env_wall_ms(broker->env);
    file->put.run = put_run;
    file->put.done = put_done;
    c->files = xrealloc(c->files, c->busy + 1, sizeof(struct file *));
    c->files[c->busy++] = file;
    work_submit(broker->options.work, broker_put_lane(broker), &file->put);
}

static void
entry_add(struct coordinated *c, struct partition *partition, const struct append_batch *from,
    const struct batch_view *batch, struct append_waiter *waiter)
{
    struct file *file = c->open;

    if (file == NULL) {
        file = c->open = xcalloc(1, sizeof *file);
        file->coordinated = c;
        file->opened_ms = env_now_ms(c->broker->env);
    }
    if (file->count == file->capacity) {
        file->capacity = file->capacity == 0 ? 16 : file->capacity * 2;
        file->entries = xrealloc(file->entries, file->capacity, sizeof *file->entries);
    }
    partition_hold(partition);
    file->entries[file->count++] = (struct entry){.partition = partition,
        .blob = blob_ref(from->blob),
        .batch = *batch,
        .waiter = waiter,
        .base_offset = -1,
        .log_append_time = from->log_append_time};
    file->bytes += batch->size;
    c->bytes += batch->size;
}

void
coordinated_append(struct broker *broker, struct partition *partition,
    const struct append_batch *from, struct append_waiter *waiter, struct append_result *result)
{
    struct batch_view batch;
    struct err e;

    *result = (struct append_result){.base_offset = -1, .log_append_time = -1};
    REQUIRE(batch_view_parse(from->data, from->size, &batch, &e) == RC_OK);
    /* What Inkless answers to transactions: docs/design.md, coordinated path. */
    if (!batch_view_is_transactional(&batch)) {
        entry_add(broker->coordinated, partition, from, &batch, waiter);
        return;
    }
    broker->stats.produce_refused_total++;
    result->error = from->has_transactional_id ? KE_NOT_LEADER_OR_FOLLOWER
                                               : KE_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
}

static void
file_forget(struct file *file, const void *owner)
{
    for (size_t i = 0; file != NULL && i < file->count; i++)
        if (file->entries[i].waiter != NULL && file->entries[i].waiter->owner == owner)
            file->entries[i].waiter = NULL;
}

void
coordinated_forget(struct coordinated *c, const void *owner)
{
    file_forget(c->open, owner);
    for (size_t i = 0; i < c->busy; i++)
        file_forget(c->files[i], owner);
}

int64_t
coordinated_tick(struct coordinated *c)
{
    const struct broker_options *options = &c->broker->options;
    int64_t due;

    if (c->open == NULL)
        return INT64_MAX;
    due = c->open->opened_ms + options->commit_interval_ms;
    if (!c->broker->stopping && c->open->bytes < options->commit_bytes &&
        env_now_ms(c->broker->env) < due)
        return due;
    file_close(c);
    return INT64_MAX;
}

size_t
coordinated_bytes(const struct coordinated *c)
{
    return c->bytes;
}

bool
coordinated_is_idle(const struct coordinated *c)
{
    return c->open == NULL && c->busy == 0;
}
