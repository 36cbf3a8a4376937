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
    bool cut; /* the file before ended in a torn group */
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
    scan->files[scan->file_count++] = (struct wal_file){.number = number};
}

static int
by_number(const void *a, const void *b)
{
    const struct wal_file *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

static enum rc
file_read(struct scanner *s, struct wal_file *file)
{
    char name[WAL_NAME_BYTES];
    struct disk_file *handle;
    enum rc rc;

    wal_format_name(name, file->number);
    rc = disk_open(s->disk, name, DISK_READ, &handle, s->e);
    if (rc != RC_OK)
        return rc;
    rc = disk_size(handle, &file->size, s->e);
    if (rc == RC_OK) {
        s->data = realloc(s->data, (size_t)file->size + 1);
        if (s->data == NULL)
            rc = err_set(s->e, RC_LIMIT, "no memory for %" PRId64 " bytes", file->size);
    }
    if (rc == RC_OK)
        rc = disk_read(handle, 0, s->data, (size_t)file->size, &s->size, s->e);
    disk_close(handle);
    return rc;
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
            return err_set(s->e, RC_CORRUPT, "group %" PRIu64 " is malformed", group->sequence);
        memcpy(&topic_id, at, sizeof topic_id);
        size = (uint32_t)codec_bytes_int32(at + 20);
        if ((size_t)(end - at) - WAL_ENTRY_BYTES < size)
            return err_set(s->e, RC_CORRUPT, "group %" PRIu64 " is malformed", group->sequence);
        rc = s->found(s->arg, &topic_id, codec_bytes_int32(at + 16), at + WAL_ENTRY_BYTES, size,
            group->sequence, s->e);
        at += WAL_ENTRY_BYTES + size;
    }
    return rc;
}

/* The group at `at`, if it is whole; *bytes is its size with padding. */
static bool
group_at(const struct scanner *s, size_t at, struct wal_group_header *group, size_t *bytes)
{
    const uint8_t *p = s->data + at;

    if (s->size - at < WAL_GROUP_HEADER_BYTES || !wal_format_group_parse(p, group))
        return false;
    if (s->size - at - WAL_GROUP_HEADER_BYTES < group->payload_bytes)
        return false;
    *bytes = wal_format_aligned(WAL_GROUP_HEADER_BYTES + (size_t)group->payload_bytes);
    return wal_format_crc(group->sequence, p + WAL_GROUP_HEADER_BYTES, group->payload_bytes) ==
           group->crc;
}

/* Behind a torn group nothing newer can lie: one group is under way at a time. */
static enum rc
tail_check(struct scanner *s, size_t at)
{
    uint64_t last = s->scan->last_sequence;
    struct wal_group_header group;
    size_t bytes;

    for (size_t p = at; p < s->size; p += DISK_ALIGN_BYTES)
        if (group_at(s, p, &group, &bytes) && group.sequence > last)
            return err_set(s->e, RC_CORRUPT,
                "group %" PRIu64 " is damaged, and newer groups lie behind it: acknowledged data "
                "is lost",
                last + 1);
    return RC_OK;
}

static enum rc
groups_scan(struct scanner *s, struct wal_file *file)
{
    struct wal_scan *scan = s->scan;
    size_t at = WAL_FILE_HEADER_BYTES, bytes;
    struct wal_group_header group;
    enum rc rc = RC_OK;

    while (rc == RC_OK && at < s->size && group_at(s, at, &group, &bytes)) {
        if (scan->last_sequence != 0 && group.sequence <= scan->last_sequence)
            break;
        if (scan->last_sequence != 0 && group.sequence > scan->last_sequence + 1 &&
            file->last_sequence != 0)
            return err_set(s->e, RC_CORRUPT, "group %" PRIu64 " follows group %" PRIu64,
                group.sequence, scan->last_sequence);
        rc = entries_apply(s, &group, s->data + at + WAL_GROUP_HEADER_BYTES);
        scan->last_sequence = file->last_sequence = group.sequence;
        at += bytes;
    }
    if (rc == RC_OK && at < s->size) {
        rc = tail_check(s, at);
        s->cut = codec_bytes_int32(s->data + at) != 0 && !group_at(s, at, &group, &bytes);
        if (rc == RC_OK && s->cut)
            log_notice("WAL-TAIL-CUT",
                "file %016" PRIx64 ": a write that was under way at byte %zu is cut", file->number,
                at);
    }
    return rc;
}

static enum rc
file_scan(struct scanner *s, struct wal_file *file)
{
    struct wal_file_header header;
    enum rc rc = file_read(s, file);

    if (rc != RC_OK)
        return rc;
    if (s->size < WAL_FILE_HEADER_BYTES)
        return RC_OK; /* made, and not yet given its header when the power went */
    rc = wal_format_file_parse(s->data, &header, s->e);
    if (rc == RC_NOTFOUND)
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    if (s->scan->last_sequence != 0 && header.after_sequence > s->scan->last_sequence)
        return err_set(s->e, RC_CORRUPT,
            "it continues group %" PRIu64 ", but the file before ends with group %" PRIu64,
            header.after_sequence, s->scan->last_sequence);
    if (s->scan->last_sequence == 0)
        s->scan->last_sequence = header.after_sequence;
    return groups_scan(s, file);
}

enum rc
wal_recover_scan(
    struct disk *disk, wal_found_fn *found, void *arg, struct wal_scan *scan, struct err *e)
{
    struct scanner s = {.disk = disk, .found = found, .arg = arg, .scan = scan, .e = e};
    enum rc rc;

    memset(scan, 0, sizeof *scan);
    rc = disk_list(disk, WAL_FOLDER, name_found, scan, e);
    if (rc == RC_OK && scan->file_count > 0)
        qsort(scan->files, scan->file_count, sizeof *scan->files, by_number);
    for (size_t i = 0; i < scan->file_count && rc == RC_OK; i++) {
        rc = file_scan(&s, &scan->files[i]);
        if (rc != RC_OK)
            err_note(e, "WAL file %016" PRIx64, scan->files[i].number);
        scan->last_number = scan->files[i].number;
    }
    free(s.data);
    return rc;
}
