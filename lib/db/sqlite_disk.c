#include "lib/db/sqlite_disk.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define PATH_BYTES_MAX 512
#define SETTLE_BYTES ((size_t)256 * 1024)

struct sqlite_disk {
    sqlite3_vfs vfs;
    struct disk *disk;
    struct err last;
    bool sync_failed; /* nothing is written any more */
    char name[32];
};

struct vfs_file {
    sqlite3_file base;
    struct sqlite_disk *owner;
    struct disk_file *file;
    bool name_is_durable; /* by a sync of this handle: who made it may have died before his */
    bool delete_on_close;
    char path[PATH_BYTES_MAX];
};

static struct vfs_file *
file_of(sqlite3_file *file)
{
    return (struct vfs_file *)(void *)file;
}

static int
code_of(enum rc rc, int otherwise)
{
    return rc == RC_OK ? SQLITE_OK : rc == RC_NO_SPACE ? SQLITE_FULL : otherwise;
}

/* Syncs the folder that holds a file. */
static enum rc
folder_sync(struct sqlite_disk *owner, const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_BYTES_MAX];

    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 0 : (int)(slash - path), path);
    return disk_sync_folder(owner->disk, folder, e);
}

static int
vfs_close(sqlite3_file *file)
{
    struct vfs_file *f = file_of(file);

    disk_close(f->file);
    f->file = NULL;
    if (f->delete_on_close && disk_remove(f->owner->disk, f->path, &f->owner->last) != RC_OK)
        return SQLITE_IOERR_DELETE;
    return SQLITE_OK;
}

static int
vfs_read(sqlite3_file *file, void *data, int size, sqlite3_int64 at)
{
    struct vfs_file *f = file_of(file);
    size_t got;
    enum rc rc = disk_read(f->file, at, data, (size_t)size, &got, &f->owner->last);

    if (rc != RC_OK)
        return SQLITE_IOERR_READ;
    if (got == (size_t)size)
        return SQLITE_OK;
    memset((char *)data + got, 0, (size_t)size - got);
    return SQLITE_IOERR_SHORT_READ;
}

/* After a failed sync nobody knows what the medium holds. sqlite would try again at its next
 * checkpoint, and the kernel would say that all is well. */
static bool
is_closed(struct sqlite_disk *owner)
{
    if (owner->sync_failed)
        err_set(&owner->last, RC_IO, "an earlier sync failed");
    return owner->sync_failed;
}

static int
vfs_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    struct vfs_file *f = file_of(file);

    if (is_closed(f->owner))
        return SQLITE_IOERR_WRITE;
    return code_of(
        disk_write(f->file, at, data, (size_t)size, &f->owner->last), SQLITE_IOERR_WRITE);
}

static int
vfs_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct vfs_file *f = file_of(file);

    if (is_closed(f->owner))
        return SQLITE_IOERR_TRUNCATE;
    return code_of(disk_resize(f->file, size, &f->owner->last), SQLITE_IOERR_TRUNCATE);
}

static int
vfs_sync(sqlite3_file *file, int flags)
{
    struct vfs_file *f = file_of(file);
    enum rc rc;

    (void)flags;
    if (is_closed(f->owner))
        return SQLITE_IOERR_FSYNC;
    rc = disk_sync(f->file, &f->owner->last);
    if (rc == RC_OK && !f->name_is_durable)
        rc = folder_sync(f->owner, f->path, &f->owner->last);
    if (rc == RC_OK) {
        f->name_is_durable = true;
        return SQLITE_OK;
    }
    f->owner->sync_failed = true;
    return SQLITE_IOERR_FSYNC;
}

static int
vfs_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct vfs_file *f = file_of(file);
    int64_t bytes = 0;
    enum rc rc = disk_size(f->file, &bytes, &f->owner->last);

    *size = bytes;
    return code_of(rc, SQLITE_IOERR_FSTAT);
}

/* The folder's lock guards the file: there is nobody to keep out here. */
static int
vfs_lock(sqlite3_file *file, int level)
{
    (void)file;
    (void)level;
    return SQLITE_OK;
}

static int
vfs_reserved(sqlite3_file *file, int *out)
{
    (void)file;
    *out = 0;
    return SQLITE_OK;
}

static int
vfs_control(sqlite3_file *file, int op, void *arg)
{
    (void)file;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int
vfs_sector(sqlite3_file *file)
{
    (void)file;
    return DISK_ALIGN_BYTES;
}

static int
vfs_characteristics(sqlite3_file *file)
{
    (void)file;
    return 0;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_lock,
    .xCheckReservedLock = vfs_reserved,
    .xFileControl = vfs_control,
    .xSectorSize = vfs_sector,
    .xDeviceCharacteristics = vfs_characteristics,
};

static int
vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *flags_out)
{
    struct sqlite_disk *owner = vfs->pAppData;
    struct vfs_file *f = file_of(file);
    unsigned mode = flags & SQLITE_OPEN_READWRITE ? DISK_WRITE : DISK_READ;
    enum rc rc;

    memset(f, 0, sizeof *f);
    f->owner = owner;
    if (path == NULL || strlen(path) >= sizeof f->path)
        return SQLITE_CANTOPEN;
    snprintf(f->path, sizeof f->path, "%s", path);
    f->delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    if (flags & SQLITE_OPEN_CREATE)
        mode |= DISK_CREATE;
    rc = disk_open(owner->disk, path, mode, &f->file, &owner->last);
    if (rc != RC_OK)
        return code_of(rc, SQLITE_CANTOPEN);
    f->base.pMethods = &methods;
    if (flags_out != NULL)
        *flags_out = flags;
    return SQLITE_OK;
}

static int
vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    struct sqlite_disk *owner = vfs->pAppData;
    struct err e;
    enum rc rc = disk_remove(owner->disk, path, &e);

    if (rc == RC_NOTFOUND)
        return SQLITE_IOERR_DELETE_NOENT;
    if (rc != RC_OK)
        owner->last = e;
    if (rc == RC_OK && sync_folder)
        rc = folder_sync(owner, path, &owner->last);
    return code_of(rc, SQLITE_IOERR_DELETE);
}

static int
vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    struct sqlite_disk *owner = vfs->pAppData;
    struct disk_file *file = NULL;
    struct err e;
    enum rc rc = disk_open(owner->disk, path, DISK_READ, &file, &e);

    (void)flags;
    *out = rc == RC_OK;
    if (rc == RC_OK)
        disk_close(file);
    if (rc == RC_OK || rc == RC_NOTFOUND)
        return SQLITE_OK;
    owner->last = e;
    return SQLITE_IOERR_ACCESS;
}

static int
vfs_full_path(sqlite3_vfs *vfs, const char *path, int size, char *out)
{
    (void)vfs;
    return snprintf(out, (size_t)size, "%s", path) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

struct sqlite_disk *
sqlite_disk_new(struct disk *disk)
{
    static atomic_uint next;
    struct sqlite_disk *owner = xcalloc(1, sizeof *owner);
    sqlite3_vfs *plain = sqlite3_vfs_find(NULL);

    REQUIRE(plain != NULL);
    owner->disk = disk;
    snprintf(owner->name, sizeof owner->name, "disk-%u", next++);
    /* Randomness, time and sleep are the platform's. */
    owner->vfs = *plain;
    owner->vfs.iVersion = 1;
    owner->vfs.szOsFile = (int)sizeof(struct vfs_file);
    owner->vfs.mxPathname = PATH_BYTES_MAX - 1;
    owner->vfs.pNext = NULL;
    owner->vfs.zName = owner->name;
    owner->vfs.pAppData = owner;
    owner->vfs.xOpen = vfs_open;
    owner->vfs.xDelete = vfs_delete;
    owner->vfs.xAccess = vfs_access;
    owner->vfs.xFullPathname = vfs_full_path;
    REQUIRE(sqlite3_vfs_register(&owner->vfs, 0) == SQLITE_OK);
    return owner;
}

void
sqlite_disk_free(struct sqlite_disk *owner)
{
    if (owner == NULL)
        return;
    sqlite3_vfs_unregister(&owner->vfs);
    free(owner);
}

static enum rc
copy(struct disk_file *from, struct disk_file *to, struct err *e)
{
    int64_t size, at = 0;
    uint8_t *block = xmalloc(SETTLE_BYTES);
    size_t got;
    enum rc rc = disk_size(from, &size, e);

    while (rc == RC_OK && at < size) {
        rc = disk_read(from, at, block, SETTLE_BYTES, &got, e);
        if (rc == RC_OK && got == 0)
            rc = err_set(
                e, RC_TRUNCATED, "%lld bytes were read of %lld", (long long)at, (long long)size);
        if (rc == RC_OK)
            rc = disk_write(to, at, block, got, e);
        at += (int64_t)got;
    }
    free(block);
    return rc == RC_OK ? disk_sync(to, e) : rc;
}

/* Makes a durable copy of a file under another name. */
static enum rc
copy_durably(struct disk *disk, struct disk_file *from, const char *path, struct err *e)
{
    struct disk_file *to;
    enum rc rc = disk_remove(disk, path, e);

    if (rc == RC_OK || rc == RC_NOTFOUND)
        rc = disk_open(disk, path, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &to, e);
    if (rc != RC_OK)
        return rc;
    rc = copy(from, to, e);
    disk_close(to);
    return rc;
}

enum rc
sqlite_disk_settle(struct sqlite_disk *owner, const char *path, struct err *e)
{
    char wal[PATH_BYTES_MAX], settled[PATH_BYTES_MAX];
    struct disk_file *file;
    enum rc rc;

    if (snprintf(settled, sizeof settled, "%s-settled", path) >= (int)sizeof settled)
        return err_set(e, RC_LIMIT, "the path %s is too long", path);
    snprintf(wal, sizeof wal, "%s-wal", path);
    rc = disk_open(owner->disk, wal, DISK_READ, &file, e);
    if (rc == RC_OK) {
        rc = copy_durably(owner->disk, file, settled, e);
        disk_close(file);
        if (rc == RC_OK)
            rc = disk_rename(owner->disk, settled, wal, e);
        if (rc == RC_OK)
            rc = folder_sync(owner, wal, e);
    } else if (rc == RC_NOTFOUND) {
        rc = RC_OK;
    }
    if (rc == RC_OK)
        err_clear(e);
    return rc;
}

const char *
sqlite_disk_name(const struct sqlite_disk *owner)
{
    return owner->name;
}

struct err
sqlite_disk_take_error(struct sqlite_disk *owner)
{
    struct err last = owner->last;

    err_clear(&owner->last);
    return last;
}
