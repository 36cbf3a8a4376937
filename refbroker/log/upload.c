#include "refbroker/log/upload.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "refbroker/limits.h"
#include "refbroker/log/cleaner.h"
#include "refbroker/log/cleaner_range.h"
#include "refbroker/log/object.h"
#include "refbroker/log/reader.h"
#include "refbroker/log/replay.h"
#include "refbroker/log/wal.h"

#define RETRY_MS 1000
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

/* One object: the pieces and runs that follow those of the part before. */
struct part {
    struct work_job put;
    struct upload *upload;
    int64_t object_id;
    size_t first_piece;
    size_t piece_count;
    size_t first_run;
    size_t run_count;
    size_t size;         /* up to the index */
    size_t object_bytes; /* with index and footer, once it is written */
    enum rc rc;
    struct err err;
};

/* A job of a lane that cuts, one for each part that writes it, then one of the catalog. */
struct upload {
    struct catalog_job commit;
    struct work_job cut;
    struct uploader *uploader;
    struct piece *pieces;
    size_t piece_count;
    size_t pieces_cut;
    size_t bytes; /* of all pieces */
    struct share *shares;
    size_t share_count;
    struct object_run *runs;
    size_t run_count;
    struct part parts[LANE_PUT_COUNT];
    size_t parts_max;
    size_t part_count;
    size_t parts_busy;
    bool waits_for_retry;  /* some parts could not be written */
    uint64_t wal_sequence; /* everything up to it is in these objects or earlier ones */
    int64_t now_ms;
    enum rc rc;
    struct err err;
};

struct uploader {
    struct broker *broker;
    struct upload *busy;
    int64_t oldest_ms; /* since when something waits; 0: nothing does */
    int64_t retry_ms;
    bool flush;
};

struct uploader *
uploader_new(struct broker *broker)
{
    struct uploader *uploader = xcalloc(1, sizeof *uploader);

    uploader->broker = broker;
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
    free(uploader);
}

/* --- on the lanes that write objects ---------------------------------------------------------- */

/* Where a run that begins now goes. */
static struct part *
part_for_run(struct upload *upload)
{
    struct part *part = &upload->parts[upload->part_count == 0 ? 0 : upload->part_count - 1];
    size_t bytes = upload->bytes / upload->parts_max;

    if (upload->part_count > 0 && (upload->part_count == upload->parts_max || part->size <= bytes))
        return part;
    part = &upload->parts[upload->part_count++];
    part->upload = upload;
    part->first_piece = upload->pieces_cut;
    part->first_run = upload->run_count;
    part->size = OBJECT_HEADER_BYTES;
    return part;
}

static struct object_run *
run_begin(struct upload *upload, const struct partition *partition, const struct piece *piece)
{
    struct part *part = part_for_run(upload);
    struct object_run *run = &upload->runs[upload->run_count++];

    part->run_count++;
    *run = (struct object_run){.topic_id = partition->topic_id,
        .partition = partition->index,
        .run = {.base_offset = piece->base_offset,
            .max_timestamp = piece->max_timestamp,
            .log_append_time = -1,
            .object_id = part->object_id,
            .position = (int64_t)part->size}};
    return run;
}

/* Cuts a share into runs. */
static void
share_cut(struct upload *upload, struct share *share)
{
    struct object_run *run = NULL;
    int64_t first_timestamp = -1; /* of the run */

    share->first_run = upload->run_count;
    for (size_t i = 0; i < share->piece_count; i++) {
        const struct piece *piece = &upload->pieces[share->first_piece + i];
        struct part *part;

        if (run == NULL || run->run.size + piece->size > LIMIT_RUN_BYTES ||
            saturate_subtract(piece->max_timestamp, first_timestamp) > share->segment_ms) {
            first_timestamp = piece->max_timestamp;
            run = run_begin(upload, share->partition, piece);
        }
        part = &upload->parts[upload->part_count - 1];
        part->piece_count++;
        part->size += piece->size;
        upload->pieces_cut++;
        run->run.last_offset = piece->last_offset;
        run->run.size += piece->size;
        run->run.crc = batch_view_crc_behind(run->run.crc, piece->data, piece->size);
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
cut_run(struct work_job *job)
{
    struct upload *upload = list_of(job, struct upload, cut);

    upload->rc = RC_OK;
    for (size_t i = 0; i < upload->share_count && upload->rc == RC_OK; i++) {
        share_cut(upload, &upload->shares[i]);
        upload->rc = share_replay(upload, &upload->shares[i], &upload->err);
    }
}

/* The batches are written from where they lie. */
static void
put_run(struct work_job *job)
{
    struct part *part = (struct part *)(void *)job;
    struct upload *upload = part->upload;
    struct pieces_item *batches = xcalloc(part->piece_count, sizeof *batches);
    char key[READER_KEY_BYTES];
    size_t bytes;

    for (size_t i = 0; i < part->piece_count; i++) {
        const struct piece *piece = &upload->pieces[part->first_piece + i];

        batches[i] = (struct pieces_item){piece->data, piece->size};
    }
    reader_key(key, part->object_id);
    part->rc = object_put(upload->uploader->broker->store, key, batches, part->piece_count,
        &upload->runs[part->first_run], part->run_count, &bytes, &part->err);
    if (part->rc == RC_OK)
        part->object_bytes = bytes;
    free(batches);
}

/* --- on the database's lane ------------------------------------------------------------------ */

static enum rc
commit_apply(struct catalog *catalog, struct catalog_job *job, struct err *e)
{
    struct upload *upload = (struct upload *)(void *)job;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < upload->part_count && rc == RC_OK; i++)
        rc = catalog_put_object(catalog, upload->parts[i].object_id,
            (int64_t)upload->parts[i].object_bytes, upload->now_ms, e);
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
failure_tell(struct uploader *uploader, const struct err *e)
{
    if (!store_has_told(e->code))
        log_warn("UPLOAD-FAILED", "%s; trying again", e->text);
    uploader->retry_ms = env_now_ms(uploader->broker->env) + RETRY_MS;
}

static void
failed(struct uploader *uploader, const struct err *e)
{
    failure_tell(uploader, e);
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

/* What is written stays so, and the rest is tried again; but a broker that ends does not wait for a
 * store. */
static void
put_failed(struct upload *upload, const struct err *e)
{
    struct uploader *uploader = upload->uploader;

    if (uploader->broker->stopping) {
        failed(uploader, e);
        return;
    }
    failure_tell(uploader, e);
    upload->waits_for_retry = true;
}

static void
put_done(struct work_job *job)
{
    struct upload *upload = ((struct part *)(void *)job)->upload;
    const struct part *bad = NULL;

    if (--upload->parts_busy > 0)
        return;
    for (size_t i = 0; i < upload->part_count; i++)
        if (upload->parts[i].rc != RC_OK)
            bad = &upload->parts[i];
    if (bad != NULL) {
        put_failed(upload, &bad->err);
        return;
    }
    upload->commit.apply = commit_apply;
    upload->commit.done = commit_done;
    catalog_submit(upload->uploader->broker->catalog, &upload->commit);
}

/* All that are not written yet. */
static void
parts_submit(struct upload *upload)
{
    struct broker *broker = upload->uploader->broker;

    upload->waits_for_retry = false;
    for (size_t i = 0; i < upload->part_count; i++) {
        struct part *part = &upload->parts[i];

        if (part->object_bytes > 0)
            continue;
        part->put.run = put_run;
        part->put.done = put_done;
        upload->parts_busy++;
        work_submit(broker->options.work, broker_put_lane(broker), &part->put);
    }
}

static void
cut_done(struct work_job *job)
{
    struct upload *upload = list_of(job, struct upload, cut);

    if (upload->rc != RC_OK)
        failed(upload->uploader, &upload->err);
    else
        parts_submit(upload);
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
        upload->bytes += batch->size;
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
parts_plan(struct upload *upload)
{
    struct broker *broker = upload->uploader->broker;

    upload->parts_max = upload->bytes / broker->options.upload_object_bytes;
    if (upload->parts_max < 1)
        upload->parts_max = 1;
    if (upload->parts_max > LANE_PUT_COUNT)
        upload->parts_max = LANE_PUT_COUNT;
    for (size_t i = 0; i < upload->parts_max; i++)
        upload->parts[i].object_id = broker_next_object_id(broker);
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
    parts_plan(upload);
    upload->now_ms = env_wall_ms(broker->env);
    upload->wal_sequence = wal_durable_sequence(broker->wal);
    upload->cut.run = cut_run;
    upload->cut.done = cut_done;
    uploader->busy = upload;
    work_submit(broker->options.work, broker_put_lane(broker), &upload->cut);
}

static int64_t
retry(struct uploader *uploader, int64_t now)
{
    if (now < uploader->retry_ms && !uploader->flush)
        return uploader->retry_ms;
    parts_submit(uploader->busy);
    return INT64_MAX;
}

int64_t
uploader_tick(struct uploader *uploader)
{
    struct broker *broker = uploader->broker;
    int64_t now = env_now_ms(broker->env);
    size_t waiting = broker->cache.uncommitted_bytes;
    int64_t due;

    if (uploader->busy != NULL && uploader->busy->waits_for_retry)
        return retry(uploader, now);
    if (waiting == 0) {
        uploader->oldest_ms = 0;
        uploader->flush = false;
        return INT64_MAX;
    }
    if (uploader->busy != NULL || cleaner_holds_uploads(broker->cleaner) ||
        wal_is_loading(broker->wal))
        return INT64_MAX;
    if (uploader->oldest_ms == 0)
        uploader->oldest_ms = now;
    due = uploader->oldest_ms + broker->options.upload_interval_ms;
    if (waiting >= broker->options.upload_bytes || broker->producers_blocked || uploader->flush)
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
