/* Reading the WAL at a start: which files there are, which groups check out, and where the last one
 * ends. A lane reads a file while the groups of the one before are looked at. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/log/wal_format.h"

/* A file, or its beginning, that is read. */
struct reading {
    struct work_job job;
    struct disk *disk;
    uint64_t number;
    size_t size_max;
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
file_open(struct reading *reading, const char *name, struct disk_file **handle, int64_t *size)
{
    enum rc rc = disk_open(reading->disk, name, DISK_READ | DISK_DIRECT, handle, &reading->err);

    if (rc != RC_OK)
        return rc;
    rc = disk_size(*handle, size, &reading->err);
    if (rc == RC_OK && *size % DISK_ALIGN_BYTES == 0)
        return RC_OK;
    disk_close(*handle);
    return rc == RC_OK ? disk_open(reading->disk, name, DISK_READ, handle, &reading->err) : rc;
}

/* Reads what is wanted; err says how that went. */
static void
file_read(struct reading *reading)
{
    char name[WAL_NAME_BYTES];
    struct disk_file *handle;
    int64_t size;
    enum rc rc;

    err_clear(&reading->err);
    wal_format_name(name, reading->number);
    if (file_open(reading, name, &handle, &size) != RC_OK)
        return;
    if ((uint64_t)size < reading->size_max)
        reading->size_max = (size_t)size;
    rc = data_reserve(reading, reading->size_max);
    if (rc == RC_OK)
        rc = disk_read(
            handle, 0, reading->blob->data, reading->size_max, &reading->size, &reading->err);
    if (rc == RC_OK && reading->size < reading->size_max)
        (void)err_set(&reading->err, RC_TRUNCATED, "%zu bytes were read of %zu", reading->size,
            reading->size_max);
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
    s->ahead.size_max = SIZE_MAX;
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

/* Reads the first bytes of a file at once. */
static enum rc
now_read(struct scanner *s, const struct wal_found_file *file, size_t size_max)
{
    s->now.disk = s->options->disk;
    s->now.number = file->number;
    s->now.size_max = size_max;
    file_read(&s->now);
    if (s->now.err.code == RC_OK)
        return RC_OK;
    *s->e = s->now.err;
    return s->e->code;
}

/* What a header says counts only under its own name: after a power cut a file that was to be used
 * again can stand under its old name with its new header. */
static enum rc
header_read(struct scanner *s, struct wal_found_file *file)
{
    enum rc rc = now_read(s, file, WAL_FILE_HEADER_BYTES);

    if (rc != RC_OK || s->now.size < WAL_FILE_HEADER_BYTES)
        return rc;
    rc = wal_format_file_parse(data_of(s), &file->header, s->e);
    if (rc == RC_NOTFOUND)
        return RC_OK;
    if (rc == RC_OK && file->header.number == file->number) {
        file->used = true;
        sequence_seen(s->scan, file->header.after_sequence);
    }
    return rc;
}

static enum rc
malformed(const struct scanner *s, const struct wal_group_header *group)
{
    return err_set(s->e, RC_CORRUPT, "group %" PRIu64 " is malformed", group->sequence);
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
            return malformed(s, group);
        memcpy(&topic_id, at, sizeof topic_id);
        batch.partition = codec_bytes_int32(at + 16);
        batch.data = at + WAL_ENTRY_BYTES;
        batch.size = (uint32_t)codec_bytes_int32(at + 20);
        if ((size_t)(end - at) - WAL_ENTRY_BYTES < batch.size)
            return malformed(s, group);
        rc = s->found(s->arg, &batch, s->e);
        at += WAL_ENTRY_BYTES + batch.size;
    }
    return rc != RC_OK || at == end ? rc : malformed(s, group);
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
    const uint8_t *payload;

    if (!group_header_at(s, file, at, group) ||
        s->now.size - at - WAL_GROUP_HEADER_BYTES < group->payload_bytes)
        return false;
    payload = data_of(s) + at + WAL_GROUP_HEADER_BYTES;
    *bytes = wal_format_aligned(WAL_GROUP_HEADER_BYTES + (size_t)group->payload_bytes);
    return wal_format_crc(file->header.salt, group->sequence, payload, group->payload_bytes) ==
           group->crc;
}

/* Whether a write had begun at `at`, behind the last whole group. In a file that was used before,
 * bytes alone say nothing. */
static bool
is_torn(const struct scanner *s, const struct wal_found_file *file, size_t at)
{
    struct wal_group_header group;

    if (group_header_at(s, file, at, &group))
        return true;
    for (; at < s->now.size && !file->header.recycled; at++)
        if (data_of(s)[at] != 0)
            return true;
    return false;
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

/* Applies the groups up to `durable`; `is_last` where no used file follows. */
static enum rc
groups_scan(struct scanner *s, struct wal_found_file *file, uint64_t durable, bool is_last)
{
    struct wal_scan *scan = s->scan;
    size_t at = WAL_FILE_HEADER_BYTES, bytes;
    struct wal_group_header group;
    enum rc rc;

    for (; group_at(s, file, at, &group, &bytes); at += bytes) {
        sequence_seen(scan, group.sequence);
        if (group.sequence > durable) {
            log_notice("WAL-LOST-LEFT-OUT",
                "file %016" PRIx64 ": group %" PRIu64 " was reported lost and stays out",
                file->number, group.sequence);
            return RC_OK;
        }
        if (group.sequence <= scan->last_sequence ||
            (file->last_sequence != 0 && group.sequence != scan->last_sequence + 1))
            return err_set(s->e, RC_CORRUPT, "group %" PRIu64 " follows group %" PRIu64,
                group.sequence, scan->last_sequence);
        rc = entries_apply(s, &group, data_of(s) + at + WAL_GROUP_HEADER_BYTES);
        if (rc != RC_OK)
            return rc;
        scan->last_sequence = file->last_sequence = group.sequence;
        s->tail_file = file;
        s->tail_at = at;
        s->tail_bytes = bytes;
    }
    rc = tail_check(s, file, at);
    if (rc == RC_OK && is_last && is_torn(s, file, at))
        log_notice("WAL-TAIL-CUT",
            "file %016" PRIx64 ": a write that was under way at byte %zu is cut", file->number, at);
    return rc;
}

/* The next file that is used, or their count. */
static size_t
used_from(const struct wal_scan *scan, size_t index)
{
    while (index < scan->file_count && !scan->files[index].used)
        index++;
    return index;
}

/* Looks at a file that is being read, and has the next one read meanwhile. */
static enum rc
file_scan(struct scanner *s, size_t index)
{
    struct wal_scan *scan = s->scan;
    struct wal_found_file *file = &scan->files[index];
    size_t next = used_from(scan, index + 1);
    enum rc rc;

    if (file->header.after_sequence > scan->last_sequence) {
        if (s->tail_file != NULL)
            return err_set(s->e, RC_CORRUPT,
                "it continues group %" PRIu64 ", but the files before end with group %" PRIu64,
                file->header.after_sequence, scan->last_sequence);
        scan->last_sequence = file->header.after_sequence;
    }
    rc = ahead_take(s);
    if (rc != RC_OK)
        return rc;
    if (next < scan->file_count)
        ahead_begin(s, &scan->files[next]);
    return next == scan->file_count
               ? groups_scan(s, file, UINT64_MAX, true)
               : groups_scan(s, file, scan->files[next].header.after_sequence, false);
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
    char name[WAL_NAME_BYTES];
    struct wal_group_header group;
    struct disk_file *file;
    size_t bytes;
    enum rc rc;

    if (s->tail_file == NULL)
        return RC_OK;
    rc = now_read(s, s->tail_file, s->tail_at + s->tail_bytes);
    if (rc != RC_OK)
        return rc;
    if (!group_at(s, s->tail_file, s->tail_at, &group, &bytes))
        return err_set(s->e, RC_IO, "byte %zu read differently the second time", s->tail_at);
    wal_format_name(name, s->tail_file->number);
    rc = disk_open(s->options->disk, name, DISK_WRITE, &file, s->e);
    if (rc != RC_OK)
        return rc;
    rc = disk_write(file, 0, data_of(s), WAL_FILE_HEADER_BYTES, s->e);
    if (rc == RC_OK)
        rc = disk_write(
            file, (int64_t)s->tail_at, data_of(s) + s->tail_at, s->now.size - s->tail_at, s->e);
    if (rc == RC_OK)
        rc = disk_sync(file, s->e);
    disk_close(file);
    return rc;
}

static enum rc
files_scan(struct scanner *s)
{
    struct wal_scan *scan = s->scan;
    size_t i = used_from(scan, 0);
    enum rc rc = RC_OK;

    if (i < scan->file_count)
        ahead_begin(s, &scan->files[i]);
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
    return rc;
}
