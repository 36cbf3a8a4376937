/* Reading the WAL at a start: which files there are, which groups check out, and where the last one
 * ends. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "refbroker/log/wal_format.h"

struct scanner {
    struct disk *disk;
    wal_found_fn *found;
    void *arg;
    struct wal_scan *scan;
    uint8_t *data; /* of the file being read */
    size_t size;
    size_t capacity;
    /* The last group that was found; NULL: none yet. */
    const struct wal_found_file *tail_file;
    size_t tail_at;
    size_t tail_bytes;
    struct err *e;
};

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

static enum rc
data_reserve(struct scanner *s, size_t size)
{
    if (size <= s->capacity)
        return RC_OK;
    free(s->data);
    s->capacity = 0;
    s->data = disk_buffer_new(size);
    if (s->data == NULL)
        return err_set(s->e, RC_LIMIT, "no memory for %zu bytes", size);
    s->capacity = size;
    return RC_OK;
}

/* Past the page cache, which would hand the file over in small pieces; a file that somebody has cut
 * within a block cannot be read to its end so. */
static enum rc
file_open(struct scanner *s, const char *name, struct disk_file **handle, int64_t *size)
{
    enum rc rc = disk_open(s->disk, name, DISK_READ | DISK_DIRECT, handle, s->e);

    if (rc != RC_OK)
        return rc;
    rc = disk_size(*handle, size, s->e);
    if (rc == RC_OK && *size % DISK_ALIGN_BYTES == 0)
        return RC_OK;
    disk_close(*handle);
    return rc == RC_OK ? disk_open(s->disk, name, DISK_READ, handle, s->e) : rc;
}

/* Reads the file, or its first `size_max` bytes. */
static enum rc
file_read(struct scanner *s, const struct wal_found_file *file, size_t size_max)
{
    char name[WAL_NAME_BYTES];
    struct disk_file *handle;
    int64_t size;
    enum rc rc;

    wal_format_name(name, file->number);
    rc = file_open(s, name, &handle, &size);
    if (rc != RC_OK)
        return rc;
    if ((uint64_t)size < size_max)
        size_max = (size_t)size;
    rc = data_reserve(s, size_max);
    if (rc == RC_OK)
        rc = disk_read(handle, 0, s->data, size_max, &s->size, s->e);
    if (rc == RC_OK && s->size < size_max)
        rc = err_set(s->e, RC_TRUNCATED, "%zu bytes were read of %zu", s->size, size_max);
    disk_close(handle);
    return rc;
}

/* What a header says counts only under its own name: after a power cut a file that was to be used
 * again can stand under its old name with its new header. */
static enum rc
header_read(struct scanner *s, struct wal_found_file *file)
{
    enum rc rc = file_read(s, file, WAL_FILE_HEADER_BYTES);

    if (rc != RC_OK || s->size < WAL_FILE_HEADER_BYTES)
        return rc;
    rc = wal_format_file_parse(s->data, &file->header, s->e);
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
        uint32_t size;

        if ((size_t)(end - at) < WAL_ENTRY_BYTES)
            return malformed(s, group);
        memcpy(&topic_id, at, sizeof topic_id);
        size = (uint32_t)codec_bytes_int32(at + 20);
        if ((size_t)(end - at) - WAL_ENTRY_BYTES < size)
            return malformed(s, group);
        rc = s->found(s->arg, &topic_id, codec_bytes_int32(at + 16), at + WAL_ENTRY_BYTES, size,
            group->sequence, s->e);
        at += WAL_ENTRY_BYTES + size;
    }
    return rc != RC_OK || at == end ? rc : malformed(s, group);
}

static bool
group_header_at(const struct scanner *s, const struct wal_found_file *file, size_t at,
    struct wal_group_header *group)
{
    return s->size >= at && s->size - at >= WAL_GROUP_HEADER_BYTES &&
           wal_format_group_parse(s->data + at, file->header.salt, group);
}

/* The group at `at`, if it is whole; *bytes is its size with padding. */
static bool
group_at(const struct scanner *s, const struct wal_found_file *file, size_t at,
    struct wal_group_header *group, size_t *bytes)
{
    const uint8_t *payload;

    if (!group_header_at(s, file, at, group) ||
        s->size - at - WAL_GROUP_HEADER_BYTES < group->payload_bytes)
        return false;
    payload = s->data + at + WAL_GROUP_HEADER_BYTES;
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
    for (; at < s->size && !file->header.recycled; at++)
        if (s->data[at] != 0)
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

    for (size_t p = at; p < s->size; p += DISK_ALIGN_BYTES)
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
        rc = entries_apply(s, &group, s->data + at + WAL_GROUP_HEADER_BYTES);
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

static enum rc
file_scan(struct scanner *s, size_t index)
{
    struct wal_scan *scan = s->scan;
    struct wal_found_file *file = &scan->files[index];
    size_t next = index + 1;
    enum rc rc;

    if (file->header.after_sequence > scan->last_sequence) {
        if (s->tail_file != NULL)
            return err_set(s->e, RC_CORRUPT,
                "it continues group %" PRIu64 ", but the files before end with group %" PRIu64,
                file->header.after_sequence, scan->last_sequence);
        scan->last_sequence = file->header.after_sequence;
    }
    while (next < scan->file_count && !scan->files[next].used)
        next++;
    rc = file_read(s, file, SIZE_MAX);
    if (rc != RC_OK)
        return rc;
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
    rc = file_read(s, s->tail_file, s->tail_at + s->tail_bytes);
    if (rc != RC_OK)
        return rc;
    if (!group_at(s, s->tail_file, s->tail_at, &group, &bytes))
        return err_set(s->e, RC_IO, "byte %zu read differently the second time", s->tail_at);
    wal_format_name(name, s->tail_file->number);
    rc = disk_open(s->disk, name, DISK_WRITE, &file, s->e);
    if (rc != RC_OK)
        return rc;
    rc = disk_write(file, 0, s->data, WAL_FILE_HEADER_BYTES, s->e);
    if (rc == RC_OK)
        rc =
            disk_write(file, (int64_t)s->tail_at, s->data + s->tail_at, s->size - s->tail_at, s->e);
    if (rc == RC_OK)
        rc = disk_sync(file, s->e);
    disk_close(file);
    return rc;
}

enum rc
wal_recover_scan(
    struct disk *disk, wal_found_fn *found, void *arg, struct wal_scan *scan, struct err *e)
{
    struct scanner s = {.disk = disk, .found = found, .arg = arg, .scan = scan, .e = e};
    size_t i = 0;
    enum rc rc;

    memset(scan, 0, sizeof *scan);
    scan->next_sequence = 1;
    rc = disk_list(disk, WAL_FOLDER, name_found, scan, e);
    if (rc == RC_OK && scan->file_count > 0) {
        qsort(scan->files, scan->file_count, sizeof *scan->files, by_number);
        scan->last_number = scan->files[scan->file_count - 1].number;
    }
    for (i = 0; i < scan->file_count && rc == RC_OK; i++)
        if ((rc = header_read(&s, &scan->files[i])) != RC_OK)
            err_note(e, "WAL file %016" PRIx64, scan->files[i].number);
    for (i = 0; i < scan->file_count && rc == RC_OK; i++)
        if (scan->files[i].used && (rc = file_scan(&s, i)) != RC_OK)
            err_note(e, "WAL file %016" PRIx64, scan->files[i].number);
    if (rc == RC_OK && (rc = tail_rewrite(&s)) != RC_OK)
        err_note(e, "WAL file %016" PRIx64, s.tail_file->number);
    free(s.data);
    return rc;
}
