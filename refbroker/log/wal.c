#include "refbroker/log/wal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "refbroker/log/wal_filling.h"
#include "refbroker/log/wal_writer.h"

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
    struct wal_filling filling; /* as far as it was filled when batches came */
    uint64_t sequence;
    uint64_t file_number; /* where it was written; 0: nowhere */
    enum rc rc;
    struct err err;
};

/* A file that has a header, and may hold groups that are not in objects yet. */
struct wal_file {
    uint64_t number;
    uint64_t last_sequence;
    bool durable; /* it holds a group that is, and so does its header */
    bool spoilt;  /* it could not be recycled, and will be removed instead */
};

/* Files that can be used again, oldest first: no later one may lose its groups before it. */
struct recycle {
    struct work_job job;
    struct wal *wal;
    size_t done;
    size_t count;
    struct wal_file files[];
};

struct wal {
    struct wal_options options;
    struct wal_writer writer; /* the lane's */
    struct group *open;
    struct group *busy;       /* on the lane, or waiting for space */
    struct wal_filling spare; /* whose room the next group gets */
    struct wal_file *files;   /* written and not trimmed, by number */
    size_t file_count;
    struct recycle *recycle; /* under way */
    uint64_t trim_sequence;
    uint64_t next_sequence;
    int64_t retry_ms;
    struct err full_why;
    struct wal_load *loads; /* of what was found and not read, in the order of the files */
    size_t load_count;
    size_t loaded_count;
    struct err damage;
};

/* --- on the lane ----------------------------------------------------------------------------- */

static void
entry_fill(struct wal_filling *filling, const struct pending *entry)
{
    wal_filling_add(
        filling, &entry->partition->topic_id, entry->partition->index, entry->data, entry->size);
}

static size_t
group_index_bytes(const struct group *group)
{
    size_t size = wal_index_group_bytes();

    for (size_t i = 0; i < group->count; i++)
        size += wal_index_entry_bytes(group->entries[i].size);
    return size;
}

/* Notes what the group at byte `at` of the file holds. */
static void
group_index(const struct group *group, uint64_t at, struct wal_index *index)
{
    at += WAL_GROUP_HEADER_BYTES;
    wal_index_group(index, group->sequence, (uint32_t)group->count);
    for (size_t i = 0; i < group->count; i++) {
        const struct pending *entry = &group->entries[i];

        at += WAL_ENTRY_BYTES;
        wal_index_entry(index, &entry->partition->topic_id, entry->partition->index, entry->data,
            entry->size, at);
        at += entry->size;
    }
}

/* The lane's own filling, of a group that has grown too large for one, or has lost batches. */
static enum rc
group_fill_anew(struct group *group, size_t size, struct wal_filling *out)
{
    uint8_t *room;
    enum rc rc = wal_writer_room(&group->wal->writer, size, &room, &group->err);

    if (rc != RC_OK)
        return rc;
    *out = (struct wal_filling){.room = room, .room_bytes = size};
    for (size_t i = 0; i < group->count; i++)
        entry_fill(out, &group->entries[i]);
    return RC_OK;
}

static void
group_run(struct work_job *job)
{
    struct group *group = (struct group *)(void *)job;
    struct wal_writer *w = &group->wal->writer;
    size_t size = wal_format_aligned(WAL_GROUP_HEADER_BYTES + group->payload_bytes);
    struct wal_filling filling = group->filling;
    uint64_t at;

    group->file_number = 0;
    group->rc = wal_writer_reserve(w, size, group_index_bytes(group), &group->err);
    if (group->rc == RC_OK && filling.count < group->count)
        group->rc = group_fill_anew(group, size, &filling);
    if (group->rc != RC_OK)
        return;
    wal_filling_end(&filling, w->salt, group->sequence, size);
    group->file_number = w->number;
    at = (uint64_t)w->at;
    group->rc = wal_writer_put(w, filling.room, size, group->sequence, &group->err);
    if (group->rc == RC_OK)
        group_index(group, at, &w->index);
}

static void
recycle_run(struct work_job *job)
{
    struct recycle *recycle = (struct recycle *)(void *)job;
    struct err e;

    for (; recycle->done < recycle->count; recycle->done++) {
        struct wal_file *file = &recycle->files[recycle->done];

        if (wal_writer_recycle(&recycle->wal->writer, file->number, &file->spoilt, &e) == RC_OK)
            continue;
        log_warn("WAL-RECYCLE", "file %016" PRIx64 " stays for now: %s", file->number, e.text);
        return;
    }
}

/* --- on the owner's thread ------------------------------------------------------------------- */

static struct group *
group_new(struct wal *wal)
{
    struct group *group = xcalloc(1, sizeof *group);

    group->wal = wal;
    group->filling = wal->spare;
    wal->spare = (struct wal_filling){0};
    return group;
}

static void
pending_release(struct pending *entry)
{
    blob_unref(entry->blob);
    partition_release(entry->partition);
}

static void
group_free(struct group *group)
{
    if (group == NULL)
        return;
    for (size_t i = 0; i < group->count; i++)
        pending_release(&group->entries[i]);
    wal_filling_fini(&group->wal->spare);
    wal_filling_clear(&group->filling);
    group->wal->spare = group->filling;
    free(group->entries);
    free(group);
}

static void
file_note(struct wal *wal, uint64_t number, uint64_t sequence, bool durable)
{
    struct wal_file *file;

    if (wal->file_count == 0 || wal->files[wal->file_count - 1].number != number) {
        wal->files = xrealloc(wal->files, wal->file_count + 1, sizeof *wal->files);
        wal->files[wal->file_count++] = (struct wal_file){.number = number};
    }
    file = &wal->files[wal->file_count - 1];
    file->last_sequence = sequence;
    file->durable = file->durable || durable;
}

/* Moves the open group's batches of partitions that have stopped into a group of their own: nothing
 * is written behind a batch that is lost. */
static struct group *
stopped_take(struct wal *wal)
{
    struct group *open = wal->open, *stopped = group_new(wal);
    size_t kept = 0;

    stopped->entries = xcalloc(open->count, sizeof *stopped->entries);
    for (size_t i = 0; i < open->count; i++) {
        struct pending entry = open->entries[i];

        if (!entry.partition->stopped) {
            open->entries[kept++] = entry;
            continue;
        }
        open->payload_bytes -= WAL_ENTRY_BYTES + entry.size;
        stopped->entries[stopped->count++] = entry;
    }
    open->count = kept;
    wal_filling_clear(&open->filling);
    return stopped;
}

static void
group_tell(struct wal *wal, const struct group *group, uint64_t sequence, enum wal_outcome outcome)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct pending *entry = &group->entries[i];

        wal->options.done(wal->options.arg, entry->partition, entry->base_offset,
            entry->last_offset, sequence, outcome);
    }
}

static void
group_lost(struct wal *wal, const struct group *group)
{
    struct group *stopped;

    log_error("WAL-SYNC-FAILED", "group %" PRIu64 " of %zu batches: %s", group->sequence,
        group->count, group->err.text);
    group_tell(wal, group, group->sequence, WAL_LOST);
    stopped = stopped_take(wal);
    group_tell(wal, stopped, group->sequence, WAL_LOST);
    group_free(stopped);
}

static void
group_done(struct work_job *job)
{
    struct group *group = (struct group *)(void *)job;
    struct wal *wal = group->wal;

    if (group->rc == RC_NO_SPACE) {
        wal->full_why = group->err;
        wal->retry_ms = env_now_ms(wal->options.env) + RETRY_MS;
        log_warn("WAL-NO-SPACE", "%s; trying again", group->err.text);
        return;
    }
    wal->busy = NULL;
    wal->retry_ms = INT64_MAX;
    err_clear(&wal->full_why);
    if (group->file_number != 0)
        file_note(wal, group->file_number, group->sequence, group->rc == RC_OK);
    if (group->rc == RC_OK)
        group_tell(wal, group, group->sequence, WAL_DURABLE);
    else
        group_lost(wal, group);
    group_free(group);
}

/* --- loading -----------------------------------------------------------------------------------
 */

static void recycle_start(struct wal *wal);

static struct wal_load *
load_of(struct work_job *job)
{
    return (struct wal_load *)(void *)((char *)job - offsetof(struct wal_load, job));
}

static void
load_run(struct work_job *job)
{
    wal_load_run(load_of(job));
}

static void
load_done(struct work_job *job)
{
    struct wal_load *load = load_of(job);
    struct wal *wal = load->wal;

    if (load->err.code != RC_OK && wal->damage.code == RC_OK) {
        wal->damage = load->err;
        err_note(&wal->damage, "WAL file %016" PRIx64, load->number);
    }
    blob_unref(load->blob);
    wal->loaded_count++;
    if (wal->loaded_count == wal->load_count)
        recycle_start(wal);
}

/* One after the other: the device is no faster with several. */
static void
loads_start(struct wal *wal, struct wal_scan *scan)
{
    wal->loads = scan->loads;
    wal->load_count = scan->load_count;
    scan->loads = NULL;
    scan->load_count = 0;
    for (size_t i = 0; i < wal->load_count; i++) {
        wal->loads[i].wal = wal;
        wal->loads[i].job = (struct work_job){.run = load_run, .done = load_done};
        work_submit(wal->options.work, wal->options.load_lane, &wal->loads[i].job);
    }
}

bool
wal_is_loading(const struct wal *wal)
{
    return wal->loaded_count < wal->load_count || wal->damage.code != RC_OK;
}

bool
wal_is_loaded(const struct wal *wal, const struct blob *blob)
{
    for (size_t i = wal->loaded_count; i < wal->load_count; i++)
        if (wal->loads[i].blob == blob)
            return false;
    return true;
}

enum rc
wal_load_wait(struct wal *wal, struct err *e)
{
    work_wait(wal->options.work, wal->options.load_lane);
    if (wal->damage.code != RC_OK && e != NULL)
        *e = wal->damage;
    return wal->damage.code;
}

const struct err *
wal_damage(const struct wal *wal)
{
    return wal->damage.code == RC_OK ? NULL : &wal->damage;
}

/* --- opening and closing -----------------------------------------------------------------------
 */

static void
found_take(struct wal *wal, const struct wal_scan *scan)
{
    wal_writer_init(&wal->writer, wal->options.disk, wal->options.file_bytes,
        wal->options.index_bytes_max, env_random(wal->options.env), scan->last_number,
        scan->last_sequence);
    for (size_t i = 0; i < scan->file_count; i++) {
        const struct wal_found_file *file = &scan->files[i];

        if (file->last_sequence != 0)
            file_note(wal, file->number, file->last_sequence, true);
        else if (file->used)
            file_note(wal, file->number, file->header.after_sequence, false);
        else
            wal_writer_add_spare(&wal->writer, file->number);
    }
    wal->next_sequence = scan->next_sequence;
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
        rc = wal_recover_scan(options, found, found_arg, &scan, e);
    if (rc == RC_OK)
        found_take(wal, &scan);
    wal->open = group_new(wal);
    if (rc == RC_OK)
        loads_start(wal, &scan);
    wal_recover_free(&scan);
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
    REQUIRE((wal->busy == NULL || wal->retry_ms != INT64_MAX) && wal->recycle == NULL);
    if (wal->loaded_count < wal->load_count)
        work_wait(wal->options.work, wal->options.load_lane);
    wal_writer_fini(&wal->writer);
    free(wal->loads);
    free(wal->files);
    group_free(wal->open);
    group_free(wal->busy);
    wal_filling_fini(&wal->spare);
    free(wal);
}

/* What has become too much for one group will be split, and the lane fills it. */
static void
group_fill(struct group *group, const struct pending *entry)
{
    if (group->filling.count == group->count && wal_filling_reserve(&group->filling, entry->size))
        entry_fill(&group->filling, entry);
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
    group->entries[group->count] = (struct pending){batch->partition, blob_ref(batch->blob),
        batch->data, batch->size, batch->base_offset, batch->last_offset};
    group_fill(group, &group->entries[group->count]);
    group->payload_bytes += WAL_ENTRY_BYTES + batch->size;
    group->count++;
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
    return wal->busy == NULL && wal->open->count == 0 && wal->recycle == NULL &&
           !wal_is_loading(wal);
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
    struct recycle *recycle = (struct recycle *)(void *)job;
    struct wal *wal = recycle->wal;
    bool all = recycle->done == recycle->count;

    if (!all)
        wal->files[recycle->done].spoilt = recycle->files[recycle->done].spoilt;
    wal->file_count -= recycle->done;
    memmove(wal->files, wal->files + recycle->done, wal->file_count * sizeof *wal->files);
    wal->recycle = NULL;
    free(recycle);
    if (all)
        recycle_start(wal);
}

static void
recycle_start(struct wal *wal)
{
    struct recycle *recycle;
    size_t count = 0, last = wal->file_count;

    /* The last file is still written to, and what says how far the log got must not go before
     * something durable says more. */
    while (last > 0 && !wal->files[--last].durable)
        ;
    while (count < last && wal->files[count].last_sequence <= wal->trim_sequence)
        count++;
    if (count == 0 || wal->recycle != NULL || wal_is_loading(wal))
        return;
    recycle = xcalloc(1, sizeof *recycle + count * sizeof *recycle->files);
    memcpy(recycle->files, wal->files, count * sizeof *recycle->files);
    recycle->wal = wal;
    recycle->count = count;
    recycle->job.run = recycle_run;
    recycle->job.done = recycle_done;
    wal->recycle = recycle;
    work_submit(wal->options.work, wal->options.lane, &recycle->job);
}

void
wal_trim(struct wal *wal, uint64_t sequence)
{
    if (wal->trim_sequence < sequence)
        wal->trim_sequence = sequence;
    recycle_start(wal);
}

int64_t
wal_retry_ms(const struct wal *wal)
{
    return wal->retry_ms;
}
