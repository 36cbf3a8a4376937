#include "refbroker/log/wal_writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"

void
wal_writer_init(struct wal_writer *w, struct disk *disk, size_t file_bytes, size_t index_bytes_max,
    uint64_t salt, uint64_t last_number, uint64_t durable_sequence)
{
    memset(w, 0, sizeof *w);
    w->disk = disk;
    w->file_bytes = file_bytes;
    w->salt_base = salt;
    w->last_number = last_number;
    w->durable_sequence = durable_sequence;
    w->settled = last_number == 0;
    wal_index_init(&w->index, index_bytes_max);
}

static void
file_close(struct wal_writer *w)
{
    disk_close(w->file);
    w->file = NULL;
}

void
wal_writer_fini(struct wal_writer *w)
{
    file_close(w);
    wal_index_fini(&w->index);
    free(w->buffer);
    free(w->spares);
}

void
wal_writer_add_spare(struct wal_writer *w, uint64_t number)
{
    w->spares = xrealloc(w->spares, w->spare_count + 1, sizeof *w->spares);
    w->spares[w->spare_count++] = number;
}

enum rc
wal_writer_room(struct wal_writer *w, size_t size, uint8_t **out, struct err *e)
{
    if (w->buffer_bytes < size) {
        free(w->buffer);
        w->buffer = disk_buffer_new(size);
        w->buffer_bytes = w->buffer == NULL ? 0 : size;
        if (w->buffer == NULL)
            return err_set(e, RC_NO_SPACE, "no memory for a group of %zu bytes", size);
    }
    *out = w->buffer;
    return RC_OK;
}

/* A file of at least `size` bytes under the next number: a spare one under its new name, or a new
 * one. */
static enum rc
file_take(
    struct wal_writer *w, int64_t size, char name[WAL_NAME_BYTES], bool *recycled, struct err *e)
{
    char old[WAL_NAME_BYTES];
    enum rc rc = RC_OK;

    wal_format_name(name, w->last_number + 1);
    if (w->spare_count > 0) {
        wal_format_name(old, w->spares[w->spare_count - 1]);
        rc = disk_rename(w->disk, old, name, e);
        if (rc == RC_OK)
            w->spare_count--;
    }
    if (rc == RC_OK)
        rc = disk_open(w->disk, name, DISK_WRITE | DISK_CREATE | DISK_DIRECT, &w->file, e);
    if (rc == RC_OK)
        rc = disk_size(w->file, &w->size, e);
    *recycled = rc == RC_OK && w->size > 0;
    if (rc == RC_OK && w->size < size) {
        rc = disk_resize(w->file, size, e);
        w->size = size;
    }
    return rc;
}

/* After a failed sync of the folder nobody knows which names the medium has: a file could come back
 * under an old name, with what it held then. So no file is emptied any more. */
static enum rc
names_sync(struct wal_writer *w, struct err *e)
{
    enum rc rc = disk_sync_folder(w->disk, WAL_FOLDER, e);

    if (rc != RC_OK)
        w->cannot_recycle = true;
    return rc;
}

/* The header becomes durable with the first group, of `size` bytes and index_bytes in the index;
 * the name must be before it. */
static enum rc
file_next(struct wal_writer *w, size_t group_bytes, size_t index_bytes, struct err *e)
{
    uint64_t number = w->last_number + 1;
    struct wal_file_header header = {number, w->durable_sequence, w->salt_base + number, false};
    int64_t size = (int64_t)w->file_bytes;
    char name[WAL_NAME_BYTES];
    uint8_t *room = NULL;
    size_t need;
    enum rc rc = wal_writer_room(w, WAL_FILE_HEADER_BYTES, &room, e);

    file_close(w);
    wal_index_begin(&w->index);
    need = WAL_FILE_HEADER_BYTES + group_bytes + wal_index_room(&w->index, index_bytes);
    if (size < (int64_t)need)
        size = (int64_t)need;
    if (rc == RC_OK)
        rc = file_take(w, size, name, &header.recycled, e);
    if (rc == RC_OK) {
        wal_format_file_header(room, &header);
        rc = disk_write(w->file, 0, room, WAL_FILE_HEADER_BYTES, e);
    }
    if (rc == RC_NO_SPACE) {
        file_close(w);
        return rc;
    }
    /* A number that met an error is given up, and with it the file: after a failed sync of the
     * folder nothing makes this name durable. */
    w->last_number = number;
    if (rc == RC_OK)
        rc = names_sync(w, e);
    if (rc != RC_OK) {
        file_close(w);
        return rc;
    }
    w->number = number;
    w->salt = header.salt;
    w->at = WAL_FILE_HEADER_BYTES;
    return RC_OK;
}

/* Ends a file that is full. What it holds is durable, and a start that finds no index, or a part of
 * one, reads all of it: there is nothing to sync. */
static void
index_write(struct wal_writer *w)
{
    size_t size = wal_index_room(&w->index, 0);
    uint8_t *room = NULL;
    struct err e;
    enum rc rc;

    if (size == 0)
        return;
    rc = wal_writer_room(w, size, &room, &e);
    if (rc == RC_OK) {
        wal_index_format(&w->index, w->salt, (uint64_t)w->at, room);
        rc = disk_write(w->file, w->size - (int64_t)size, room, size, &e);
    }
    if (rc != RC_OK)
        log_warn("WAL-NO-INDEX", "file %016" PRIx64 ": %s", w->number, e.text);
}

enum rc
wal_writer_reserve(struct wal_writer *w, size_t size, size_t index_bytes, struct err *e)
{
    int64_t need = (int64_t)(size + wal_index_room(&w->index, index_bytes));
    bool is_full = w->file != NULL && w->size - w->at < need;

    if (is_full)
        index_write(w);
    return w->file == NULL || is_full ? file_next(w, size, index_bytes, e) : RC_OK;
}

enum rc
wal_writer_put(
    struct wal_writer *w, const uint8_t *group, size_t size, uint64_t sequence, struct err *e)
{
    enum rc rc = disk_write(w->file, w->at, group, size, e);

    if (rc == RC_NO_SPACE)
        return rc;
    if (rc == RC_OK) {
        rc = disk_sync(w->file, e);
        if (rc == RC_NO_SPACE) /* Not to be tried again like a write. */
            rc = RC_IO;
    }
    if (rc != RC_OK) {
        /* What this file holds from here on is unknown: nothing is written to it again. */
        file_close(w);
        return rc;
    }
    w->at += (int64_t)size;
    w->durable_sequence = sequence;
    return RC_OK;
}

static enum rc
file_clear(struct wal_writer *w, const char *name, struct err *e)
{
    struct disk_file *file;
    uint8_t *room = NULL;
    enum rc rc = wal_writer_room(w, WAL_FILE_HEADER_BYTES, &room, e);

    if (rc == RC_OK)
        rc = disk_open(w->disk, name, DISK_WRITE | DISK_DIRECT, &file, e);
    if (rc != RC_OK)
        return rc;
    memset(room, 0, WAL_FILE_HEADER_BYTES);
    rc = disk_write(file, 0, room, WAL_FILE_HEADER_BYTES, e);
    if (rc == RC_OK)
        rc = disk_sync(file, e);
    disk_close(file);
    return rc;
}

static enum rc
file_remove(struct wal_writer *w, const char *name, struct err *e)
{
    enum rc rc = disk_remove(w->disk, name, e);

    return rc == RC_OK || rc == RC_NOTFOUND ? names_sync(w, e) : rc;
}

/*
 * A process before this one may have died while it recycled: what looks empty or gone now could
 * come back at a power cut, older than a file that has not come back. So before the first file is
 * recycled, all that is to stay forgotten is forgotten once more.
 */
static enum rc
spares_settle(struct wal_writer *w, struct err *e)
{
    char name[WAL_NAME_BYTES];
    enum rc rc = RC_OK;

    for (size_t i = w->spare_count; i-- > 0 && rc == RC_OK;) {
        wal_format_name(name, w->spares[i]);
        if (file_clear(w, name, e) == RC_OK)
            continue;
        w->spares[i] = w->spares[--w->spare_count];
        rc = file_remove(w, name, e);
    }
    if (rc == RC_OK)
        rc = names_sync(w, e);
    w->settled = rc == RC_OK;
    return rc;
}

enum rc
wal_writer_recycle(struct wal_writer *w, uint64_t number, bool *spoilt, struct err *e)
{
    char name[WAL_NAME_BYTES];
    enum rc rc = RC_OK;

    if (w->cannot_recycle)
        return err_set(e, RC_IO, "nothing is recycled until the next start");
    wal_format_name(name, number);
    if (!w->settled)
        rc = spares_settle(w, e);
    if (rc != RC_OK)
        return rc;
    if (*spoilt)
        return file_remove(w, name, e);
    rc = file_clear(w, name, e);
    if (rc == RC_OK)
        wal_writer_add_spare(w, number);
    else
        *spoilt = true;
    return rc;
}
