/*
 * sqlite_disk: sqlite's files on a struct disk.
 *
 * Registers a VFS that reaches files only through the disk given. The database is opened in
 * exclusive mode, so there is no shared memory and no file lock: the owner of the folder holds the
 * lock. A file that was made is also made durable by name with its first sync.
 */
#ifndef LIB_DB_SQLITE_DISK_H
#define LIB_DB_SQLITE_DISK_H

#include "lib/base/disk.h"

struct sqlite_disk;

/* sqlite_disk_new registers a VFS for disk under a unique name; sqlite_disk_free takes it away
 * again, after the last file is closed. */
struct sqlite_disk *sqlite_disk_new(struct disk *disk);
void sqlite_disk_free(struct sqlite_disk *vfs);

/* sqlite_disk_name is the name to give to sqlite3_open_v2. */
const char *sqlite_disk_name(const struct sqlite_disk *vfs);

/* sqlite_disk_error returns the last error of the disk, for the text behind sqlite's code. */
const struct err *sqlite_disk_error(const struct sqlite_disk *vfs);

#endif
