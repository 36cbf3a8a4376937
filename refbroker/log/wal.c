#include "refbroker/log/wal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/log/wal_format.h"

#define RETRY_MS 500

struct pending {
    struct partition *partition;
    struct blob *blob;
    const uint8_t *data;
    uint32_t size;
    int64_t base_offset;
    int64_t last_offset;
};

struct group {
    struct work_job job;
    struct wal *wal;
    struct pending *entries;
    size_t count;
    size_t capacity;
    size_t payload_bytes;
    uint64_t sequence;
    uint64_t file_number; /* where it was written */
    enum rc rc;
    bool synced;
    struct err err;
};

struct recycle {
    struct work_job job;
    struct wal *wal;
    uint64_t number;
};

/* What the lane owns: the file that is written, and files that can be used again. */
struct writer {
    struct disk_file *file;
    uint64_t number;
    int64_t at;
    int64_t size;
    uint64_t last_number;
    uint64_t durable_sequence;
    uint64_t *spares;
    size_t spare_count;
    uint8_t *buffer; /* aligned */
    size_t buffer_size;
};

struct wal {
    struct wal_options options;
    struct writer writer;
    struct group *open;
    struct group *busy;     /* on the lane, or waiting for space */
    struct wal_file *files; /* written and not trimmed, by number */
    size_t file_count;
    uint64_t next_sequence;
    int64_t retry_ms;
    struct err full_why;
};

/* --- on the lane ----------------------------------------------------------------------------- */

static void
writer_close(struct writer *w)
{
    disk_close(w->file);
    w->file = NULL;
}

/* A file of at least `size` bytes under the next number: a spare one under its new name, or a new
 * one. */
static enum rc
writer_take_file(struct wal *wal, int64_t size, char name[WAL_NAME_BYTES], struct err *e)
{
    struct writer *w = &wal->writer;
    struct disk *disk = wal->options.disk;
    char old[WAL_NAME_BYTES];
    enum rc rc = RC_OK;

    wal_format_name(name, w->last_number + 1);
    if (w->spare_count > 0) {
        wal_format_name(old, w->spares[w->spare_count - 1]);
        rc = disk_rename(disk, old, name, e);
        if (rc == RC_OK)
            w->spare_count--;
    }
    if (rc == RC_OK)
        rc = disk_open(disk, name, DISK_WRITE | DISK_CREATE | DISK_DIRECT, &w->file, e);
    if (rc == RC_OK)
        rc = disk_size(w->file, &w->size, e);
    if (rc == RC_OK && w->size < size) {
        rc = disk_resize(w->file, size, e);
        w->size = size;
    }
    return rc;
}

static enum rc
writer_next_file(struct wal *wal, size_t need, struct err *e)
{
    struct writer *w = &wal->writer;
    struct wal_file_header header = {w->last_number + 1, w->durable_sequence};
    int64_t size = (int64_t)wal->options.file_bytes;
    char name[WAL_NAME_BYTES];
    enum rc rc;

    writer_close(w);
    if (size < (int64_t)(WAL_FILE_HEADER_BYTES + need))
        size = (int64_t)(WAL_FILE_HEADER_BYTES + need);
    rc = writer_take_file(wal, size, name, e);
    if (rc == RC_OK) {
        wal_format_file_header(w->buffer, &header);
        rc = disk_write(w->file, 0, w->buffer, WAL_FILE_HEADER_BYTES, e);
    }
    if (rc == RC_OK)
        rc = disk_sync(w->file, e);
    if (rc == RC_OK)
        rc = disk_sync_folder(wal->options.disk, WAL_FOLDER, e);
    if (rc != RC_OK) {
        writer_close(w);
        return rc;
    }
    w->number = ++w->last_number;
    w->at = WAL_FILE_HEADER_BYTES;
    return RC_OK;
}

static enum rc
writer_reserve(struct writer *w, size_t size, struct err *e)
{
    void *buffer;

    if (size <= w->buffer_size)
        return RC_OK;
    if (posix_memalign(&buffer, DISK_ALIGN_BYTES, size) != 0)
        return err_set(e, RC_NO_SPACE, "no memory for a group of %zu bytes", size);
    free(w->buffer);
    w->buffer = buffer;
    w->buffer_size = size;
    return RC_OK;
}

/* The one copy that a batch undergoes on its way to the disk. */
static void
group_build(const struct group *group, uint8_t *out, size_t size)
{
    struct wal_group_header header = {
        group->sequence, (uint32_t)group->count, (uint32_t)group->payload_bytes, 0};
    uint8_t *at = out + WAL_GROUP_HEADER_BYTES;

    for (size_t i = 0; i < group->count; i++) {
        const struct pending *entry = &group->entries[i];

        memcpy(at, &entry->partition->topic_id, sizeof(struct wire_uuid));
        codec_bytes_put_int32(at + 16, entry->partition->index);
        codec_bytes_put_int32(at + 20, (int32_t)entry->size);
        memcpy(at + WAL_ENTRY_BYTES, entry->data, entry->size);
        at += WAL_ENTRY_BYTES + entry->size;
    }
    header.crc =
        wal_format_crc(group->sequence, out + WAL_GROUP_HEADER_BYTES, group->payload_bytes);
    wal_format_group_header(out, &header);
    memset(at, 0, size - (size_t)(at - out));
}

static void
group_run(struct work_job *job)
{
    struct group *group = (struct group *)(void *)job;
    struct wal *wal = group->wal;
    struct writer *w = &wal->writer;
    size_t size = wal_format_aligned(WAL_GROUP_HEADER_BYTES + group->payload_bytes);

    group->synced = false;
    group->rc = writer_reserve(w, size, &group->err);
    if (group->rc == RC_OK && (w->file == NULL || w->size - w->at < (int64_t)size))
        group->rc = writer_next_file(wal, size, &group->err);
    if (group->rc != RC_OK)
        return;
    group_build(group, w->buffer, size);
    group->file_number = w->number;
    group->rc = disk_write(w->file, w->at, w->buffer, size, &group->err);
    if (group->rc == RC_NO_SPACE)
        return;
    group->synced = true;
    if (group->rc == RC_OK)
        group->rc = disk_sync(w->file, &group->err);
    if (group->rc != RC_OK) {
        /* What this file holds from here on is unknown: nothing is written to it again. */
        writer_close(w);
        return;
    }
    w->at += (int64_t)size;
    w->durable_sequence = group->sequence;
}

/* A file whose groups are all in objects loses its header, durably, before it is used again:
 * recovery must not take its old groups for new ones. */
static void
recycle_run(struct work_job *job)
{
    struct recycle *recycle = (struct recycle *)(void *)job;
    struct wal *wal = recycle->wal;
    struct writer *w = &wal->writer;
    char name[WAL_NAME_BYTES];
    struct disk_file *file;
    struct err e;
    enum rc rc;

    wal_format_name(name, recycle->number);
    rc = disk_open(wal->options.disk, name, DISK_WRITE | DISK_DIRECT, &file, &e);
    if (rc == RC_OK) {
        memset(w->buffer, 0, WAL_FILE_HEADER_BYTES);
        rc = disk_write(file, 0, w->buffer, WAL_FILE_HEADER_BYTES, &e);
        if (rc == RC_OK)
            rc = disk_sync(file, &e);
        disk_close(file);
    }
    if (rc != RC_OK) {
        log_warn("WAL-RECYCLE", "file %016" PRIx64 " stays as it is: %s", recycle->number, e.text);
        return;
    }
    w->spares = xrealloc(w->spares, w->spare_count + 1, sizeof *w->spares);
    w->spares[w->spare_count++] = recycle->number;
}

/* --- on the owner's thread ------------------------------------------------------------------- */

static struct group *
group_new(struct wal *wal)
{
    struct group *group = xcalloc(1, sizeof *group);

    group->wal = wal;
    return group;
}

static void
group_free(struct group *group)
{
    if (group == NULL)
        return;
    free(group->entries);
    free(group);
}

static void
file_note(struct wal *wal, uint64_t number, uint64_t sequence)
{
    if (wal->file_count == 0 || wal->files[wal->file_count - 1].number != number) {
        wal->files = xrealloc(wal->files, wal->file_count + 1, sizeof *wal->files);
        wal->files[wal->file_count++] = (struct wal_file){.number = number};
    }
    wal->files[wal->file_count - 1].last_sequence = sequence;
}

static void
group_done(struct work_job *job)
{
    struct group *group = (struct group *)(void *)job;
    struct wal *wal = group->wal;
    bool lost = group->rc != RC_OK;

    if (lost && !group->synced) {
        wal->full_why = group->err;
        wal->retry_ms = env_now_ms(wal->options.env) + RETRY_MS;
        log_warn("WAL-NO-SPACE", "%s; trying again", group->err.text);
        return;
    }
    wal->busy = NULL;
    wal->retry_ms = INT64_MAX;
    err_clear(&wal->full_why);
    if (lost)
        log_error("WAL-SYNC-FAILED", "group %" PRIu64 " of %zu batches: %s", group->sequence,
            group->count, group->err.text);
    file_note(wal, group->file_number, group->sequence);
    for (size_t i = 0; i < group->count; i++) {
        struct pending *entry = &group->entries[i];

        wal->options.done(wal->options.arg, entry->partition, entry->base_offset,
            entry->last_offset, group->sequence, lost ? WAL_LOST : WAL_DURABLE);
        blob_unref(entry->blob);
        partition_release(entry->partition);
    }
    group_free(group);
}

enum rc
wal_open(const struct wal_options *options, wal_found_fn *found, void *found_arg, struct wal **out,
    struct err *e)
{
    struct wal *wal = xcalloc(1, sizeof *wal);
    struct wal_scan scan = {0};
    enum rc rc = disk_make_folder(options->disk, WAL_FOLDER, e);

    wal->options = *options;
    wal->retry_ms = INT64_MAX;
    if (rc == RC_OK)
        rc = disk_sync_folder(options->disk, "", e);
    if (rc == RC_OK)
        rc = wal_recover_scan(options->disk, found, found_arg, &scan, e);
    if (rc == RC_OK)
        rc = writer_reserve(&wal->writer, DISK_ALIGN_BYTES, e);
    for (size_t i = 0; i < scan.file_count && rc == RC_OK; i++) {
        struct wal_file *file = &scan.files[i];

        if (file->last_sequence != 0) {
            file_note(wal, file->number, file->last_sequence);
        } else {
            wal->writer.spares = xrealloc(
                wal->writer.spares, wal->writer.spare_count + 1, sizeof *wal->writer.spares);
            wal->writer.spares[wal->writer.spare_count++] = file->number;
        }
    }
    wal->writer.last_number = scan.last_number;
    wal->writer.durable_sequence = scan.last_sequence;
    wal->next_sequence = scan.last_sequence + 1;
    wal->open = group_new(wal);
    free(scan.files);
    if (rc != RC_OK) {
        wal_close(wal);
        return rc;
    }
    *out = wal;
    return RC_OK;
}

void
wal_close(struct wal *wal)
{
    if (wal == NULL)
        return;
    REQUIRE(wal->busy == NULL || wal->retry_ms != INT64_MAX);
    writer_close(&wal->writer);
    free(wal->writer.buffer);
    free(wal->writer.spares);
    free(wal->files);
    group_free(wal->open);
    group_free(wal->busy);
    free(wal);
}

void
wal_append(struct wal *wal, const struct cached_batch *batch)
{
    struct group *group = wal->open;

    if (group->count == group->capacity) {
        group->capacity = group->capacity == 0 ? 64 : group->capacity * 2;
        group->entries = xrealloc(group->entries, group->capacity, sizeof *group->entries);
    }
    partition_hold(batch->partition);
    group->entries[group->count++] = (struct pending){batch->partition, blob_ref(batch->blob),
        batch->data, batch->size, batch->base_offset, batch->last_offset};
    group->payload_bytes += WAL_ENTRY_BYTES + batch->size;
}

/* Moves what exceeds a group's size into the next one. */
static struct group *
group_split(struct group *group)
{
    struct group *rest = group_new(group->wal);
    size_t bytes = 0, kept = 0;

    while (
        kept < group->count &&
        (kept == 0 || bytes + WAL_ENTRY_BYTES + group->entries[kept].size <= WAL_GROUP_BYTES_MAX))
        bytes += WAL_ENTRY_BYTES + group->entries[kept++].size;
    rest->count = rest->capacity = group->count - kept;
    if (rest->count > 0) {
        rest->entries = xmemdup(group->entries + kept, rest->count * sizeof *rest->entries);
        rest->payload_bytes = group->payload_bytes - bytes;
        group->count = kept;
        group->payload_bytes = bytes;
    }
    return rest;
}

void
wal_flush(struct wal *wal)
{
    struct group *group = wal->busy;

    if (group != NULL) {
        if (env_now_ms(wal->options.env) < wal->retry_ms)
            return;
        wal->retry_ms = INT64_MAX;
    } else {
        if (wal->open->count == 0)
            return;
        group = wal->open;
        wal->open = group_split(group);
        group->sequence = wal->next_sequence++;
        group->job.run = group_run;
        group->job.done = group_done;
        wal->busy = group;
    }
    work_submit(wal->options.work, wal->options.lane, &group->job);
}

bool
wal_is_idle(const struct wal *wal)
{
    return wal->busy == NULL && wal->open->count == 0;
}

bool
wal_is_full(const struct wal *wal, const char **why)
{
    if (why != NULL)
        *why = wal->full_why.text;
    return wal->full_why.code != RC_OK;
}

size_t
wal_pending_bytes(const struct wal *wal)
{
    return wal->open->payload_bytes + (wal->busy == NULL ? 0 : wal->busy->payload_bytes);
}

uint64_t
wal_durable_sequence(const struct wal *wal)
{
    return wal->next_sequence - (wal->busy == NULL ? 1 : 2);
}

static void
recycle_done(struct work_job *job)
{
    free(job);
}

void
wal_trim(struct wal *wal, uint64_t sequence)
{
    size_t gone = 0;

    /* The last file is still written to. */
    while (gone + 1 < wal->file_count && wal->files[gone].last_sequence <= sequence) {
        struct recycle *recycle = xcalloc(1, sizeof *recycle);

        recycle->wal = wal;
        recycle->number = wal->files[gone++].number;
        recycle->job.run = recycle_run;
        recycle->job.done = recycle_done;
        work_submit(wal->options.work, wal->options.lane, &recycle->job);
    }
    if (gone == 0)
        return;
    memmove(wal->files, wal->files + gone, (wal->file_count - gone) * sizeof *wal->files);
    wal->file_count -= gone;
}

int64_t
wal_retry_ms(const struct wal *wal)
{
    return wal->retry_ms;
}
