#include "refbroker/log/upload.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "lib/wire/crc32c.h"
#include "refbroker/limits.h"
#include "refbroker/log/cleaner.h"
#include "refbroker/log/cleaner_range.h"
#include "refbroker/log/object.h"
#include "refbroker/log/reader.h"
#include "refbroker/log/replay.h"
#include "refbroker/log/wal.h"

#define RETRY_MS 1000
#define OBJECT_BYTES_MAX ((size_t)1 << 31)
#define PRODUCERS_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* A batch to be written, kept by its blob. */
struct piece {
    struct blob *blob;
    const uint8_t *data;
    uint32_t size;
    int64_t base_offset;
    int64_t last_offset;
    int64_t max_timestamp;
};

/* One partition's share of the object. */
struct share {
    struct partition *partition; /* held */
    size_t first_piece;
    size_t piece_count;
    size_t first_run;
    size_t run_count;
    int64_t segment_ms;   /* a run spans no more */
    struct buf producers; /* saved state: before the first piece, then behind the last */
};

/* First a job of the I/O lane that writes the object, then one of the catalog. */
struct upload {
    struct catalog_job commit;
    struct work_job put;
    struct uploader *uploader;
    struct piece *pieces;
    size_t piece_count;
    struct share *shares;
    size_t share_count;
    struct object_run *runs;
    size_t run_count;
    size_t size;           /* of the object */
    uint64_t wal_sequence; /* everything up to it is in this object or an earlier one */
    int64_t object_id;
    int64_t now_ms;
    enum rc rc;
    struct err err;
};

struct uploader {
    struct broker *broker;
    struct upload *busy;
    struct buf object; /* the I/O lane's: built here each time, since fresh memory costs more than
                          the copy */
    int64_t oldest_ms; /* since when something waits; 0: nothing does */
    int64_t retry_ms;
    bool flush;
};

struct uploader *
uploader_new(struct broker *broker)
{
    struct uploader *uploader = xcalloc(1, sizeof *uploader);

    uploader->broker = broker;
    buf_init(&uploader->object, OBJECT_BYTES_MAX);
    return uploader;
}

static void
upload_free(struct upload *upload)
{
    for (size_t i = 0; i < upload->piece_count; i++)
        blob_unref(upload->pieces[i].blob);
    for (size_t i = 0; i < upload->share_count; i++) {
        buf_fini(&upload->shares[i].producers);
        partition_release(upload->shares[i].partition);
    }
    free(upload->pieces);
    free(upload->shares);
    free(upload->runs);
    free(upload);
}

void
uploader_free(struct uploader *uploader)
{
    if (uploader == NULL)
        return;
    if (uploader->busy != NULL)
        upload_free(uploader->busy);
    buf_fini(&uploader->object);
    free(uploader);
}

/* --- on the I/O lane ------------------------------------------------------------------------- */

/* Cuts a share into runs and appends its bytes. */
static void
share_write(struct upload *upload, struct share *share, struct buf *out)
{
    struct object_run *run = NULL;
    int64_t first_timestamp = -1; /* of the run */

    share->first_run = upload->run_count;
    for (size_t i = 0; i < share->piece_count; i++) {
        const struct piece *piece = &upload->pieces[share->first_piece + i];

        if (run == NULL || run->run.size + piece->size > LIMIT_RUN_BYTES ||
            saturate_subtract(piece->max_timestamp, first_timestamp) > share->segment_ms) {
            first_timestamp = piece->max_timestamp;
            run = &upload->runs[upload->run_count++];
            *run = (struct object_run){.topic_id = share->partition->topic_id,
                .partition = share->partition->index,
                .run = {.base_offset = piece->base_offset,
                    .max_timestamp = piece->max_timestamp,
                    .log_append_time = -1,
                    .object_id = upload->object_id,
                    .position = (int64_t)out->size}};
        }
        buf_append(out, piece->data, piece->size);
        run->run.last_offset = piece->last_offset;
        run->run.size += piece->size;
        run->run.crc = crc32c_extend(run->run.crc, piece->data, piece->size);
        if (piece->max_timestamp > run->run.max_timestamp)
            run->run.max_timestamp = piece->max_timestamp;
    }
    share->run_count = upload->run_count - share->first_run;
}

/*
 * Brings the producer state from the last committed batch to the last one of the share. The
 * partition's own state will not do: it knows of batches that are not durable yet, and a snapshot
 * that remembers a batch which then is lost would answer the retry of that batch as a duplicate.
 */
static enum rc
share_replay(const struct upload *upload, struct share *share, struct err *e)
{
    struct producers *producers = producers_new(LIMIT_PRODUCERS_PER_PARTITION_MAX);
    struct batch_view batch;
    enum rc rc = RC_OK;

    if (share->producers.size > 0)
        rc = producers_load(producers, share->producers.data, share->producers.size, e);
    for (size_t i = 0; i < share->piece_count && rc == RC_OK; i++) {
        const struct piece *piece = &upload->pieces[share->first_piece + i];

        rc = batch_view_parse(piece->data, piece->size, &batch, e);
        if (rc == RC_OK)
            replay_batch(producers, &batch);
    }
    buf_clear(&share->producers);
    if (rc == RC_OK && producers_count(producers) > 0)
        producers_save(producers, &share->producers);
    if (rc == RC_OK && buf_is_overflowed(&share->producers))
        rc = err_set(e, RC_LIMIT, "too many producers in one partition");
    producers_free(producers);
    return rc;
}

static void
put_run(struct work_job *job)
{
    struct upload *upload = list_of(job, struct upload, put);
    char key[READER_KEY_BYTES];
    struct buf *out = &upload->uploader->object;

    buf_clear(out);
    object_begin(out);
    upload->rc = RC_OK;
    for (size_t i = 0; i < upload->share_count && upload->rc == RC_OK; i++) {
        share_write(upload, &upload->shares[i], out);
        upload->rc = share_replay(upload, &upload->shares[i], &upload->err);
    }
    object_end(out, upload->runs, upload->run_count);
    upload->size = out->size;
    reader_key(key, upload->object_id);
    if (buf_is_overflowed(out))
        upload->rc = err_set(&upload->err, RC_LIMIT, "an object of more than 2 GiB");
    if (upload->rc == RC_OK)
        upload->rc =
            store_put(upload->uploader->broker->store, key, out->data, out->size, &upload->err);
}

/* --- on the database's lane ------------------------------------------------------------------ */

static enum rc
commit_apply(struct catalog *catalog, struct catalog_job *job, struct err *e)
{
    struct upload *upload = (struct upload *)(void *)job;
    enum rc rc =
        catalog_put_object(catalog, upload->object_id, (int64_t)upload->size, upload->now_ms, e);

    for (size_t i = 0; i < upload->run_count && rc == RC_OK; i++)
        rc = catalog_put_run(
            catalog, &upload->runs[i].topic_id, upload->runs[i].partition, &upload->runs[i].run, e);
    for (size_t i = 0; i < upload->share_count && rc == RC_OK; i++) {
        const struct share *share = &upload->shares[i];
        const struct piece *last = &upload->pieces[share->first_piece + share->piece_count - 1];

        rc = catalog_put_committed(catalog, &share->partition->topic_id, share->partition->index,
            last->last_offset + 1, share->producers.data, share->producers.size, e);
    }
    return rc;
}

/* --- on the owner's thread ------------------------------------------------------------------- */

static void
failed(struct uploader *uploader, const struct err *e)
{
    if (!store_has_told(e->code))
        log_warn("UPLOAD-FAILED", "%s; trying again", e->text);
    uploader->retry_ms = env_now_ms(uploader->broker->env) + RETRY_MS;
    upload_free(uploader->busy);
    uploader->busy = NULL;
}

static void
commit_done(struct catalog_job *job)
{
    struct upload *upload = (struct upload *)(void *)job;
    struct uploader *uploader = upload->uploader;
    struct broker *broker = uploader->broker;

    if (job->rc != RC_OK) {
        failed(uploader, &job->err);
        return;
    }
    for (size_t i = 0; i < upload->share_count; i++) {
        struct share *share = &upload->shares[i];
        struct partition *partition = share->partition;

        if (partition->topic == NULL)
            continue;
        for (size_t k = 0; k < share->run_count; k++)
            run_index_add(&partition->runs, &upload->runs[share->first_run + k].run);
        partition->committed_end =
            upload->pieces[share->first_piece + share->piece_count - 1].last_offset + 1;
        free(partition->committed_producers);
        partition->committed_producers =
            buf_take(&share->producers, &partition->committed_producers_size);
        run_index_trim(&partition->runs, partition->log_start_offset);
        cache_commit(partition, partition->committed_end);
    }
    wal_trim(broker->wal, upload->wal_sequence);
    upload_free(upload);
    uploader->busy = NULL;
}

static void
put_done(struct work_job *job)
{
    struct upload *upload = list_of(job, struct upload, put);
    struct uploader *uploader = upload->uploader;

    if (upload->rc != RC_OK) {
        failed(uploader, &upload->err);
        return;
    }
    upload->commit.apply = commit_apply;
    upload->commit.done = commit_done;
    catalog_submit(uploader->broker->catalog, &upload->commit);
}

/* Takes over the durable batches of a partition that lie in no object. */
static void
share_take(struct upload *upload, struct partition *partition)
{
    struct cached_batch *batch = cache_find(partition, partition->committed_end);
    struct share *share;
    size_t first = upload->piece_count;

    for (; batch != NULL && batch->last_offset < partition->high_watermark;
         batch = cache_next(batch)) {
        if ((upload->piece_count & (upload->piece_count + 1)) == 0)
            upload->pieces =
                xrealloc(upload->pieces, (upload->piece_count + 1) * 2, sizeof *upload->pieces);
        upload->pieces[upload->piece_count++] = (struct piece){blob_ref(batch->blob), batch->data,
            batch->size, batch->base_offset, batch->last_offset, batch->max_timestamp};
    }
    if (upload->piece_count == first)
        return;
    upload->shares = xrealloc(upload->shares, upload->share_count + 1, sizeof *upload->shares);
    share = &upload->shares[upload->share_count++];
    memset(share, 0, sizeof *share);
    partition_hold(partition);
    share->partition = partition;
    share->first_piece = first;
    share->piece_count = upload->piece_count - first;
    share->segment_ms = cleaner_range_segment_ms(&partition->topic->configs.values);
    buf_init(&share->producers, PRODUCERS_BYTES_MAX);
    buf_append(
        &share->producers, partition->committed_producers, partition->committed_producers_size);
}

static void
start(struct uploader *uploader)
{
    struct broker *broker = uploader->broker;
    struct upload *upload = xcalloc(1, sizeof *upload);
    struct topic *topic;
    size_t position = 0;

    while ((topic = topics_next(&broker->topics, &position)) != NULL)
        for (int32_t i = 0; i < topic->partition_count; i++)
            share_take(upload, topic->partitions[i]);
    if (upload->piece_count == 0) {
        upload_free(upload);
        return;
    }
    upload->uploader = uploader;
    upload->runs = xcalloc(upload->piece_count, sizeof *upload->runs);
    upload->object_id = broker_next_object_id(broker);
    upload->now_ms = env_wall_ms(broker->env);
    upload->wal_sequence = wal_durable_sequence(broker->wal);
    upload->put.run = put_run;
    upload->put.done = put_done;
    uploader->busy = upload;
    work_submit(broker->options.work, LANE_IO, &upload->put);
}

int64_t
uploader_tick(struct uploader *uploader)
{
    struct broker *broker = uploader->broker;
    int64_t now = env_now_ms(broker->env);
    size_t waiting = broker->cache.uncommitted_bytes;
    int64_t due;

    if (waiting == 0) {
        uploader->oldest_ms = 0;
        uploader->flush = false;
        return INT64_MAX;
    }
    if (uploader->busy != NULL || cleaner_holds_uploads(broker->cleaner))
        return INT64_MAX;
    if (uploader->oldest_ms == 0)
        uploader->oldest_ms = now;
    due = uploader->oldest_ms + broker->options.upload_interval_ms;
    if (waiting >= broker->options.upload_bytes || uploader->flush)
        due = now;
    if (due < uploader->retry_ms)
        due = uploader->retry_ms;
    if (due > now)
        return due;
    uploader->oldest_ms = now;
    start(uploader);
    return INT64_MAX;
}

void
uploader_flush(struct uploader *uploader)
{
    uploader->flush = true;
}

bool
uploader_is_idle(const struct uploader *uploader)
{
    return uploader->busy == NULL;
}
