#include "audit/snapshot_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum rc
snapshot_file_open(struct snapshot_file *file, const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 1 : (size_t)(slash - path) + 1;

    file->disk = NULL;
    if (size >= sizeof file->folder)
        return err_set(e, RC_CONFIG, "%.60s...: the path is too long", path);
    memcpy(file->folder, slash == NULL ? "." : path, size);
    file->folder[size] = '\0';
    file->name = slash == NULL ? path : slash + 1;
    if (*file->name == '\0')
        return err_set(e, RC_CONFIG, "it takes the name of a file");
    /* A disk would make its folder. */
    if (access(file->folder, F_OK) != 0)
        return err_set_errno(e, RC_NOTFOUND, errno, "%s", file->folder);
    return disk_open_real(file->folder, &file->disk, e);
}

void
snapshot_file_close(struct snapshot_file *file)
{
    disk_free(file->disk);
}

bool
snapshot_file_is_there(const struct snapshot_file *file)
{
    struct disk_file *there;

    if (disk_open(file->disk, file->name, DISK_READ, &there, NULL) != RC_OK)
        return false;
    disk_close(there);
    return true;
}
