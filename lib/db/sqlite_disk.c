#include "lib/db/sqlite_disk.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define PATH_BYTES_MAX 512

struct sqlite_disk {
    sqlite3_vfs vfs;
    struct disk *disk;
    struct err last;
    char name[32];
};

struct vfs_file {
    sqlite3_file base;
    struct sqlite_disk *owner;
    struct disk_file *file;
    bool name_is_new;
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

static int
vfs_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    struct vfs_file *f = file_of(file);

    return code_of(
        disk_write(f->file, at, data, (size_t)size, &f->owner->last), SQLITE_IOERR_WRITE);
}

static int
vfs_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct vfs_file *f = file_of(file);

    return code_of(disk_resize(f->file, size, &f->owner->last), SQLITE_IOERR_TRUNCATE);
}

static int
vfs_sync(sqlite3_file *file, int flags)
{
    struct vfs_file *f = file_of(file);
    enum rc rc = disk_sync(f->file, &f->owner->last);

    (void)flags;
    if (rc == RC_OK && f->name_is_new) {
        rc = disk_sync_folder(f->owner->disk, "", &f->owner->last);
        f->name_is_new = rc != RC_OK;
    }
    return code_of(rc, SQLITE_IOERR_FSYNC);
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
    rc = disk_open(owner->disk, path, mode, &f->file, &owner->last);
    if (rc == RC_NOTFOUND && flags & SQLITE_OPEN_CREATE) {
        rc = disk_open(owner->disk, path, mode | DISK_CREATE, &f->file, &owner->last);
        f->name_is_new = true;
    }
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
    enum rc rc = disk_remove(owner->disk, path, &owner->last);

    if (rc == RC_NOTFOUND)
        return SQLITE_IOERR_DELETE_NOENT;
    if (rc == RC_OK && sync_folder)
        rc = disk_sync_folder(owner->disk, "", &owner->last);
    return code_of(rc, SQLITE_IOERR_DELETE);
}

static int
vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    struct sqlite_disk *owner = vfs->pAppData;
    struct disk_file *file = NULL;
    enum rc rc = disk_open(owner->disk, path, DISK_READ, &file, &owner->last);

    (void)flags;
    *out = rc == RC_OK;
    if (rc == RC_OK)
        disk_close(file);
    return rc == RC_OK || rc == RC_NOTFOUND ? SQLITE_OK : SQLITE_IOERR_ACCESS;
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

const char *
sqlite_disk_name(const struct sqlite_disk *owner)
{
    return owner->name;
}

const struct err *
sqlite_disk_error(const struct sqlite_disk *owner)
{
    return &owner->last;
}
