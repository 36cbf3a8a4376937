/*
 * snapshot_file: a path as a file of a disk, where the folder is there already.
 */
#ifndef AUDIT_SNAPSHOT_FILE_H
#define AUDIT_SNAPSHOT_FILE_H

#include "lib/base/disk.h"

#define SNAPSHOT_FILE_PATH_MAX 4096

struct snapshot_file {
    struct disk *disk; /* of its folder */
    char folder[SNAPSHOT_FILE_PATH_MAX];
    const char *name; /* in it; view of the path */
};

/* snapshot_file_open finds the folder of a path; RC_NOTFOUND where there is none. The path must
 * outlive the file; snapshot_file_close frees what it holds, after a failure too. */
MUST_CHECK enum rc snapshot_file_open(struct snapshot_file *file, const char *path, struct err *e);
void snapshot_file_close(struct snapshot_file *file);

/* snapshot_file_is_there tells whether a file of that name exists and can be read. */
bool snapshot_file_is_there(const struct snapshot_file *file);

#endif
