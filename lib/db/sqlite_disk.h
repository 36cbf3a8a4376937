/*
 * sqlite_disk: sqlite's files on a struct disk.
 *
 * Registers a VFS that reaches files only through the disk given. The database is opened in
 * exclusive mode, so there is no shared memory and no file lock: the owner of the folder holds the
 * lock. The first sync of a file also makes its name durable. After a failed sync nothing is
 * written or synced any more: every commit fails until the database is opened again.
 */
#ifndef LIB_DB_SQLITE_DISK_H
#define LIB_DB_SQLITE_DISK_H

#include "lib/base/disk.h"

struct sqlite_disk;

/* sqlite_disk_new registers a VFS for disk under a unique name; sqlite_disk_free takes it away
 * again, after the last file is closed. */
struct sqlite_disk *sqlite_disk_new(struct disk *disk);
void sqlite_disk_free(struct sqlite_disk *vfs);

/*
 * sqlite_disk_settle is called before a database is opened. A process that died may have left
 * commits in the write-ahead log that no sync, or only a failed one, has covered: sqlite would show
 * them, and a power cut could still take them back. So a durable copy takes the log's place.
 */
MUST_CHECK enum rc sqlite_disk_settle(struct sqlite_disk *vfs, const char *path, struct err *e);

/* sqlite_disk_name is the name to give to sqlite3_open_v2. */
const char *sqlite_disk_name(const struct sqlite_disk *vfs);

/* sqlite_disk_take_error returns the last error of the disk, for the text behind sqlite's code, and
 * forgets it; RC_OK where there was none. */
struct err sqlite_disk_take_error(struct sqlite_disk *vfs);

#endif
