/* Reading the WAL at a start: which files there are, which groups check out, and where the last one
 * ends. A lane reads a file while the groups of the one before are looked at. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/log/wal_format.h"

/* A file that is read. */
struct reading {
    struct work_job job;
    struct disk *disk;
    uint64_t number;
    struct blob *blob; /* what was read; batches that were found may keep it; or NULL */
    size_t size;
    struct err err;
};

struct scanner {
    const struct wal_options *options;
    wal_found_fn *found;
    void *arg;
    struct wal_scan *scan;
    struct reading now;   /* what is looked at */
    struct reading ahead; /* what a lane reads meanwhile */
    /* The last group that was found; NULL: none yet. */
    const struct wal_found_file *tail_file;
    size_t tail_at;
    size_t tail_bytes;
    struct err *e;
};

static const uint8_t *
data_of(const struct scanner *s)
{
    return s->now.blob->data;
}

static void
name_found(void *arg, const char *name)
{
    struct wal_scan *scan = arg;
    uint64_t number;

    if (!wal_format_number(name, &number))
        return;
    scan->files = xrealloc(scan->files, scan->file_count + 1, sizeof *scan->files);
    scan->files[scan->file_count++] = (struct wal_found_file){.number = number};
}

static int
by_number(const void *a, const void *b)
{
    const struct wal_found_file *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

static void
sequence_seen(struct wal_scan *scan, uint64_t sequence)
{
    if (scan->next_sequence <= sequence)
        scan->next_sequence = sequence + 1;
}

/* Memory that nobody keeps is used again: the first touch of other pages costs more. */
static enum rc
data_reserve(struct reading *reading, size_t size)
{
    struct blob *blob = reading->blob;

    if (blob != NULL && blob->refs == 1 && blob->size >= size)
        return RC_OK;
    blob_unref(blob);
    reading->blob = blob_new_direct(size);
    return reading->blob != NULL
               ? RC_OK
               : err_set(&reading->err, RC_LIMIT, "no memory for %zu bytes", size);
}

/* Past the page cache, which would hand the file over in small pieces; a file that somebody has cut
 * within a block cannot be read to its end so. */
static enum rc
file_open(struct disk *disk, const char *name, unsigned flags, struct disk_file **handle,
    int64_t *size, struct err *e)
{
    enum rc rc = disk_open(disk, name, flags | DISK_DIRECT, handle, e);

    if (rc != RC_OK)
        return rc;
    rc = disk_size(*handle, size, e);
    if (rc == RC_OK && *size % DISK_ALIGN_BYTES == 0)
        return RC_OK;
    disk_close(*handle);
    return rc == RC_OK ? disk_open(disk, name, flags, handle, e) : rc;
}

/* Reads all of a file; err says how that went. */
static void
file_read(struct reading *reading)
{
    char name[WAL_NAME_BYTES];
    struct disk_file *handle;
    int64_t size;
    enum rc rc;

    err_clear(&reading->err);
    wal_format_name(name, reading->number);
    if (file_open(reading->disk, name, DISK_READ, &handle, &size, &reading->err) != RC_OK)
        return;
    rc = data_reserve(reading, (size_t)size);
    reading->size = (size_t)size;
    if (rc == RC_OK &&
        disk_read_whole(handle, 0, reading->blob->data, reading->size, &reading->err) != RC_OK)
        reading->size = 0;
    disk_close(handle);
}

static void
job_run(struct work_job *job)
{
    file_read((struct reading *)(void *)((char *)job - offsetof(struct reading, job)));
}

static void
job_done(struct work_job *job)
{
    (void)job;
}

/* Has a lane read a file. */
static void
ahead_begin(struct scanner *s, const struct wal_found_file *file)
{
    s->ahead.disk = s->options->disk;
    s->ahead.number = file->number;
    s->ahead.job = (struct work_job){.run = job_run, .done = job_done};
    work_submit(s->options->work, s->options->lane, &s->ahead.job);
}

/* Waits for what a lane reads, which is looked at from now on. */
static enum rc
ahead_take(struct scanner *s)
{
    struct reading before = s->now;

    work_wait(s->options->work, s->options->lane);
    s->now = s->ahead;
    s->ahead = before;
    if (s->now.err.code == RC_OK)
        return RC_OK;
    *s->e = s->now.err;
    return s->e->code;
}

/* What a header says counts only under its own name: after a power cut a file that was to be used
 * again can stand under its old name with its new header. */
static enum rc
header_take(struct scanner *s, struct wal_found_file *file, const uint8_t *bytes)
{
    enum rc rc = wal_format_file_parse(bytes, &file->header, s->e);

    if (rc == RC_NOTFOUND)
        return RC_OK;
    if (rc == RC_OK && file->header.number == file->number) {
        file->used = true;
        sequence_seen(s->scan, file->header.after_sequence);
    }
    return rc;
}

/* Reads a file's header, and its index where it has one. */
static enum rc
header_read(struct scanner *s, struct wal_found_file *file)
{
    struct blob *blob = blob_new_direct(WAL_FILE_HEADER_BYTES);
    char name[WAL_NAME_BYTES];
    struct disk_file *handle;
    int64_t size;
    enum rc rc;

    wal_format_name(name, file->number);
    rc = blob == NULL ? err_set(s->e, RC_LIMIT, "no memory for a header")
                      : file_open(s->options->disk, name, DISK_READ, &handle, &size, s->e);
    if (rc == RC_OK) {
        if (size >= WAL_FILE_HEADER_BYTES) {
            rc = disk_read_whole(handle, 0, blob->data, WAL_FILE_HEADER_BYTES, s->e);
            if (rc == RC_OK)
                rc = header_take(s, file, blob->data);
        }
        if (rc == RC_OK && file->used &&
            (rc = wal_index_read(handle, size, file->header.salt, &file->index, s->e)) ==
                RC_NOTFOUND)
            rc = RC_OK;
        disk_close(handle);
    }
    blob_unref(blob);
    return rc;
}

static enum rc
malformed(const struct scanner *s, uint64_t sequence)
{
    return err_set(s->e, RC_CORRUPT, "group %" PRIu64 " is malformed", sequence);
}

static enum rc
entries_apply(struct scanner *s, const struct wal_group_header *group, const uint8_t *payload)
{
    const uint8_t *at = payload, *end = payload + group->payload_bytes;
    enum rc rc = RC_OK;

    for (uint32_t i = 0; i < group->entry_count && rc == RC_OK; i++) {
        struct wire_uuid topic_id;
        struct wal_found_batch batch = {
            .topic_id = &topic_id, .blob = s->now.blob, .sequence = group->sequence};

        if ((size_t)(end - at) < WAL_ENTRY_BYTES)
            return malformed(s, group->sequence);
        memcpy(&topic_id, at, sizeof topic_id);
        batch.partition = codec_bytes_int32(at + 16);
        batch.data = batch.head = at + WAL_ENTRY_BYTES;
        batch.size = batch.head_size = (uint32_t)codec_bytes_int32(at + 20);
        if ((size_t)(end - at) - WAL_ENTRY_BYTES < batch.size)
            return malformed(s, group->sequence);
        rc = s->found(s->arg, &batch, s->e);
        at += WAL_ENTRY_BYTES + batch.size;
    }
    return rc != RC_OK || at == end ? rc : malformed(s, group->sequence);
}

static bool
group_header_at(const struct scanner *s, const struct wal_found_file *file, size_t at,
    struct wal_group_header *group)
{
    return s->now.size >= at && s->now.size - at >= WAL_GROUP_HEADER_BYTES &&
           wal_format_group_parse(data_of(s) + at, file->header.salt, group);
}

/* The group at `at`, if it is whole; *bytes is its size with padding. */
static bool
group_at(const struct scanner *s, const struct wal_found_file *file, size_t at,
    struct wal_group_header *group, size_t *bytes)
{
    return wal_format_group_at(data_of(s), s->now.size, at, file->header.salt, group, bytes);
}

/* Whether a write had begun at `at`, behind the last whole group. In a file that was used before,
 * bytes alone say nothing. */
static bool
is_torn(const struct scanner *s, const struct wal_found_file *file, size_t at)
{
    struct wal_group_header group;

    if (group_header_at(s, file, at, &group))
        return true;
    if (at >= s->now.size || file->header.recycled)
        return false;
    /* One byte that is not zero, or two neighbours that differ. */
    return data_of(s)[at] != 0 ||
           memcmp(data_of(s) + at, data_of(s) + at + 1, s->now.size - at - 1) != 0;
}

/* Behind a torn group nothing newer can lie: one group is under way at a time. */
static enum rc
tail_check(struct scanner *s, const struct wal_found_file *file, size_t at)
{
    uint64_t last = s->scan->last_sequence;
    struct wal_group_header group;
    size_t bytes;

    for (size_t p = at; p < s->now.size; p += DISK_ALIGN_BYTES)
        if (group_at(s, file, p, &group, &bytes))
            return err_set(s->e, RC_CORRUPT,
                "group %" PRIu64 " is damaged, and newer groups lie behind it: acknowledged data "
                "is lost",
                last + 1);
    return RC_OK;
}

/* Whether a group counts, of which *counts is set where there is no error: those behind `durable`
 * were reported lost. */
static enum rc
group_see(struct scanner *s, const struct wal_found_file *file, uint64_t sequence, uint64_t durable,
    bool *counts)
{
    struct wal_scan *scan = s->scan;

    sequence_seen(scan, sequence);
    *counts = sequence <= durable;
    if (!*counts) {
        log_notice("WAL-LOST-LEFT-OUT",
            "file %016" PRIx64 ": group %" PRIu64 " was reported lost and stays out", file->number,
            sequence);
        return RC_OK;
    }
    if (sequence <= scan->last_sequence ||
        (file->last_sequence != 0 && sequence != scan->last_sequence + 1))
        return err_set(s->e, RC_CORRUPT, "group %" PRIu64 " follows group %" PRIu64, sequence,
            scan->last_sequence);
    return RC_OK;
}

/* Notes a group whose batches were applied; no bytes: it is known to be durable. */
static void
group_noted(
    struct scanner *s, struct wal_found_file *file, uint64_t sequence, size_t at, size_t bytes)
{
    s->scan->last_sequence = file->last_sequence = sequence;
    s->tail_file = file;
    s->tail_at = at;
    s->tail_bytes = bytes;
}

/* Applies the groups up to `durable`; `is_last` where no used file follows. */
static enum rc
groups_scan(struct scanner *s, struct wal_found_file *file, uint64_t durable, bool is_last)
{
    size_t at = WAL_FILE_HEADER_BYTES, bytes;
    struct wal_group_header group;
    bool counts = true;
    enum rc rc;

    for (; group_at(s, file, at, &group, &bytes); at += bytes) {
        rc = group_see(s, file, group.sequence, durable, &counts);
        if (rc == RC_OK && counts)
            rc = entries_apply(s, &group, data_of(s) + at + WAL_GROUP_HEADER_BYTES);
        if (rc != RC_OK || !counts)
            return rc;
        group_noted(s, file, group.sequence, at, bytes);
    }
    rc = tail_check(s, file, at);
    if (rc == RC_OK && is_last && is_torn(s, file, at))
        log_notice("WAL-TAIL-CUT",
            "file %016" PRIx64 ": a write that was under way at byte %zu is cut", file->number, at);
    return rc;
}

/* --- files with an index -----------------------------------------------------------------------
 */

/* Notes a file that is read later, into memory that nothing has touched yet. */
static struct wal_load *
load_add(struct scanner *s, const struct wal_found_file *file)
{
    struct wal_scan *scan = s->scan;
    struct blob *blob = blob_new_direct((size_t)file->index.groups_end);
    struct wal_load *load;

    if (blob == NULL) {
        err_set(s->e, RC_LIMIT, "no memory for %" PRIu64 " bytes", file->index.groups_end);
        return NULL;
    }
    scan->loads = xrealloc(scan->loads, scan->load_count + 1, sizeof *scan->loads);
    load = &scan->loads[scan->load_count++];
    *load = (struct wal_load){
        .disk = s->options->disk, .number = file->number, .salt = file->header.salt, .blob = blob};
    return load;
}

/* Applies a batch of an index. Of what lies in the index whole nothing else is read; where a head
 * is not enough (RC_TRUNCATED) the file is read at once. */
static enum rc
entry_apply(struct scanner *s, const struct wal_found_file *file, struct wal_load *load,
    const struct wal_index_entry *entry, uint64_t sequence)
{
    bool whole = entry->head_size == entry->size;
    struct wal_found_batch batch = {.topic_id = &entry->topic_id,
        .partition = entry->partition,
        .blob = whole ? file->index.blob : load->blob,
        .data = whole ? entry->head : load->blob->data + entry->place,
        .size = entry->size,
        .head = entry->head,
        .head_size = entry->head_size,
        .sequence = sequence};
    enum rc rc = s->found(s->arg, &batch, s->e);

    if (rc != RC_TRUNCATED || whole)
        return rc;
    wal_load_run(load);
    if (load->err.code != RC_OK) {
        *s->e = load->err;
        return s->e->code;
    }
    batch.head = batch.data;
    batch.head_size = batch.size;
    return s->found(s->arg, &batch, s->e);
}

/* As groups_scan. A file gets its index once all of its groups are durable. */
static enum rc
index_scan(struct scanner *s, struct wal_found_file *file, uint64_t durable)
{
    struct wal_load *load = load_add(s, file);
    struct wal_index_entry entry;
    uint64_t sequence = 0;
    uint32_t count;
    bool counts;
    enum rc rc = load == NULL ? s->e->code : RC_OK;

    while (rc == RC_OK && wal_index_next_group(&file->index, &sequence, &count)) {
        rc = group_see(s, file, sequence, durable, &counts);
        if (rc != RC_OK || !counts)
            return rc;
        for (uint32_t i = 0; i < count && rc == RC_OK; i++)
            rc = wal_index_next_entry(&file->index, &entry)
                     ? entry_apply(s, file, load, &entry, sequence)
                     : malformed(s, sequence);
        group_noted(s, file, sequence, 0, 0);
    }
    return rc != RC_OK || file->index.at == file->index.end ? rc : malformed(s, sequence);
}

/* What nobody has kept, or what has been read, needs no reading. */
static void
loads_sift(struct wal_scan *scan)
{
    size_t kept = 0;

    for (size_t i = 0; i < scan->load_count; i++)
        if (scan->loads[i].blob->refs > 1 && !scan->loads[i].is_over)
            scan->loads[kept++] = scan->loads[i];
        else
            blob_unref(scan->loads[i].blob);
    scan->load_count = kept;
}

/* --- all files ---------------------------------------------------------------------------------
 */

/* The next file that is used, or their count. */
static size_t
used_from(const struct wal_scan *scan, size_t index)
{
    while (index < scan->file_count && !scan->files[index].used)
        index++;
    return index;
}

/* Has the next file read that has no index. */
static void
whole_begin(struct scanner *s, size_t index)
{
    for (struct wal_scan *scan = s->scan; index < scan->file_count; index++)
        if (scan->files[index].used && scan->files[index].index.blob == NULL) {
            ahead_begin(s, &scan->files[index]);
            return;
        }
}

/* Looks at a file that is being read, and has the next one read meanwhile. */
static enum rc
file_scan(struct scanner *s, size_t index)
{
    struct wal_scan *scan = s->scan;
    struct wal_found_file *file = &scan->files[index];
    size_t next = used_from(scan, index + 1);
    bool is_last = next == scan->file_count;
    uint64_t durable = is_last ? UINT64_MAX : scan->files[next].header.after_sequence;
    enum rc rc;

    if (file->header.after_sequence > scan->last_sequence) {
        if (s->tail_file != NULL)
            return err_set(s->e, RC_CORRUPT,
                "it continues group %" PRIu64 ", but the files before end with group %" PRIu64,
                file->header.after_sequence, scan->last_sequence);
        scan->last_sequence = file->header.after_sequence;
    }
    if (file->index.blob != NULL)
        return index_scan(s, file, durable);
    rc = ahead_take(s);
    if (rc != RC_OK)
        return rc;
    whole_begin(s, index + 1);
    return groups_scan(s, file, durable, is_last);
}

/* The header, and behind it the last group, once more. */
static enum rc
tail_read(struct scanner *s, struct disk_file *file, uint8_t *out, size_t group_bytes)
{
    struct wal_group_header group;
    size_t bytes;
    enum rc rc = disk_read_whole(file, 0, out, WAL_FILE_HEADER_BYTES, s->e);

    if (rc == RC_OK)
        rc = disk_read_whole(
            file, (int64_t)s->tail_at, out + WAL_FILE_HEADER_BYTES, group_bytes, s->e);
    if (rc != RC_OK || wal_format_group_at(out + WAL_FILE_HEADER_BYTES, group_bytes, 0,
                           s->tail_file->header.salt, &group, &bytes))
        return rc;
    return err_set(s->e, RC_IO, "byte %zu read differently the second time", s->tail_at);
}

/*
 * The last group was read, but it need not be on the medium: the process may have died before its
 * sync, or after one that failed, which leaves pages that look clean. Whoever reads it now must
 * still find it after the next power cut, so it is written again, the same bytes to the same place,
 * and the header with it.
 */
static enum rc
tail_rewrite(struct scanner *s)
{
    const struct wal_found_file *tail = s->tail_file;
    char name[WAL_NAME_BYTES];
    struct disk_file *file;
    struct blob *blob;
    size_t left;
    int64_t size;
    enum rc rc;

    if (tail == NULL || s->tail_bytes == 0)
        return RC_OK;
    blob = blob_new_direct(WAL_FILE_HEADER_BYTES + s->tail_bytes);
    if (blob == NULL)
        return err_set(s->e, RC_LIMIT, "no memory for its last group");
    wal_format_name(name, tail->number);
    rc = file_open(s->options->disk, name, DISK_WRITE, &file, &size, s->e);
    if (rc == RC_OK) {
        /* The file may not have all of the padding. */
        left =
            (uint64_t)size - s->tail_at < s->tail_bytes ? (size_t)size - s->tail_at : s->tail_bytes;
        rc = tail_read(s, file, blob->data, left);
        if (rc == RC_OK)
            rc = disk_write(file, 0, blob->data, WAL_FILE_HEADER_BYTES, s->e);
        if (rc == RC_OK)
            rc = disk_write(
                file, (int64_t)s->tail_at, blob->data + WAL_FILE_HEADER_BYTES, left, s->e);
        if (rc == RC_OK)
            rc = disk_sync(file, s->e);
        disk_close(file);
    }
    blob_unref(blob);
    return rc;
}

static enum rc
files_scan(struct scanner *s)
{
    struct wal_scan *scan = s->scan;
    size_t i = used_from(scan, 0);
    enum rc rc = RC_OK;

    whole_begin(s, i);
    for (; i < scan->file_count && rc == RC_OK; i = used_from(scan, i + 1))
        if ((rc = file_scan(s, i)) != RC_OK)
            err_note(s->e, "WAL file %016" PRIx64, scan->files[i].number);
    /* Behind an error the next one may be under way still. */
    work_wait(s->options->work, s->options->lane);
    return rc;
}

enum rc
wal_recover_scan(const struct wal_options *options, wal_found_fn *found, void *arg,
    struct wal_scan *scan, struct err *e)
{
    struct err none = {0};
    struct scanner s = {
        .options = options, .found = found, .arg = arg, .scan = scan, .e = e == NULL ? &none : e};
    enum rc rc;

    memset(scan, 0, sizeof *scan);
    scan->next_sequence = 1;
    rc = disk_list(options->disk, WAL_FOLDER, name_found, scan, e);
    if (rc == RC_OK && scan->file_count > 0) {
        qsort(scan->files, scan->file_count, sizeof *scan->files, by_number);
        scan->last_number = scan->files[scan->file_count - 1].number;
    }
    for (size_t i = 0; i < scan->file_count && rc == RC_OK; i++)
        if ((rc = header_read(&s, &scan->files[i])) != RC_OK)
            err_note(s.e, "WAL file %016" PRIx64, scan->files[i].number);
    if (rc == RC_OK)
        rc = files_scan(&s);
    if (rc == RC_OK && (rc = tail_rewrite(&s)) != RC_OK)
        err_note(s.e, "WAL file %016" PRIx64, s.tail_file->number);
    blob_unref(s.now.blob);
    blob_unref(s.ahead.blob);
    loads_sift(scan);
    return rc;
}

void
wal_recover_free(struct wal_scan *scan)
{
    for (size_t i = 0; i < scan->file_count; i++)
        blob_unref(scan->files[i].index.blob);
    for (size_t i = 0; i < scan->load_count; i++)
        blob_unref(scan->loads[i].blob);
    free(scan->loads);
    free(scan->files);
}
