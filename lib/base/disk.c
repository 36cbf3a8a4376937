#include "lib/base/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/xalloc.h"

#define PATH_BYTES_MAX 4096
#define HUGE_PAGE_BYTES ((size_t)2 << 20)

struct real_disk {
    struct disk disk;
    int root_fd;
    char *root;
};

struct real_file {
    struct disk_file file;
    int fd;
    char *path;
};

void *
disk_buffer_new(size_t size)
{
    bool is_large = size >= HUGE_PAGE_BYTES;
    void *buffer;

    if (posix_memalign(&buffer, is_large ? HUGE_PAGE_BYTES : DISK_ALIGN_BYTES,
            size == 0 ? DISK_ALIGN_BYTES : size) != 0)
        return NULL;
    if (is_large) /* A wish: kernels without huge pages refuse it. */
        (void)madvise(buffer, size / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES, MADV_HUGEPAGE);
    return buffer;
}

static struct real_disk *
real_of(struct disk *disk)
{
    return (struct real_disk *)(void *)disk;
}

static struct real_file *
file_of(struct disk_file *file)
{
    return (struct real_file *)(void *)file;
}

static enum rc
fail(struct err *e, const char *what, const char *path)
{
    int number = errno;
    enum rc code = number == ENOSPC || number == EDQUOT ? RC_NO_SPACE
                   : number == ENOENT                   ? RC_NOTFOUND
                   : number == EEXIST                   ? RC_EXISTS
                                                        : RC_IO;

    return err_set_errno(e, code, number, "cannot %s %s", what, path);
}

static enum rc
real_open(
    struct disk *disk, const char *path, unsigned flags, struct disk_file **out, struct err *e)
{
    int mode = (flags & DISK_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC;
    struct real_file *file;
    int fd;

    if (flags & DISK_CREATE)
        mode |= O_CREAT;
    if (flags & DISK_EXCLUSIVE)
        mode |= O_EXCL;
    fd = openat(real_of(disk)->root_fd, path, mode | (flags & DISK_DIRECT ? O_DIRECT : 0), 0644);
    /* A file system that cannot bypass the cache says EINVAL, and may have made the file by then;
     * the caller's syncs make the write durable all the same. */
    if (fd < 0 && errno == EINVAL && flags & DISK_DIRECT)
        fd = openat(real_of(disk)->root_fd, path, mode & ~O_EXCL, 0644);
    if (fd < 0)
        return fail(e, "open", path);
    file = xcalloc(1, sizeof *file);
    file->file.disk = disk;
    file->fd = fd;
    file->path = xstrdup(path);
    *out = &file->file;
    return RC_OK;
}

static void
real_close(struct disk_file *file)
{
    close(file_of(file)->fd);
    free(file_of(file)->path);
    free(file);
}

static enum rc
real_read(struct disk_file *file, int64_t at, void *data, size_t size, size_t *got, struct err *e)
{
    uint8_t *p = data;

    *got = 0;
    while (*got < size) {
        ssize_t n = pread(file_of(file)->fd, p + *got, size - *got, at + (int64_t)*got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(e, "read", file_of(file)->path);
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return RC_OK;
}

static enum rc
real_write(struct disk_file *file, int64_t at, const void *data, size_t size, struct err *e)
{
    const uint8_t *p = data;
    size_t done = 0;

    while (done < size) {
        ssize_t n = pwrite(file_of(file)->fd, p + done, size - done, at + (int64_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(e, "write", file_of(file)->path);
        done += (size_t)n;
    }
    return RC_OK;
}

static enum rc
real_sync(struct disk_file *file, const char *place, struct err *e)
{
    (void)place;
    return fdatasync(file_of(file)->fd) == 0 ? RC_OK : fail(e, "sync", file_of(file)->path);
}

static enum rc
real_resize(struct disk_file *file, int64_t size, struct err *e)
{
    return ftruncate(file_of(file)->fd, size) == 0 ? RC_OK : fail(e, "resize", file_of(file)->path);
}

static enum rc
real_size(struct disk_file *file, int64_t *size, struct err *e)
{
    struct stat st;

    if (fstat(file_of(file)->fd, &st) != 0)
        return fail(e, "measure", file_of(file)->path);
    *size = st.st_size;
    return RC_OK;
}

static enum rc
real_lock(struct disk_file *file, struct err *e)
{
    if (flock(file_of(file)->fd, LOCK_EX | LOCK_NB) == 0)
        return RC_OK;
    if (errno == EWOULDBLOCK)
        return err_set(e, RC_LOCKED, "%s is held by another process", file_of(file)->path);
    return fail(e, "lock", file_of(file)->path);
}

static enum rc
real_rename(struct disk *disk, const char *from, const char *to, struct err *e)
{
    int root = real_of(disk)->root_fd;

    return renameat(root, from, root, to) == 0 ? RC_OK : fail(e, "rename", from);
}

static enum rc
real_remove(struct disk *disk, const char *path, struct err *e)
{
    return unlinkat(real_of(disk)->root_fd, path, 0) == 0 ? RC_OK : fail(e, "remove", path);
}

static enum rc
real_make_folder(struct disk *disk, const char *path, struct err *e)
{
    int root = real_of(disk)->root_fd;
    struct stat st;

    if (mkdirat(root, path, 0755) == 0)
        return RC_OK;
    if (errno != EEXIST)
        return fail(e, "make folder", path);
    if (fstatat(root, path, &st, 0) == 0 && S_ISDIR(st.st_mode))
        return RC_OK;
    errno = EEXIST;
    return fail(e, "make folder", path);
}

static enum rc
real_sync_folder(struct disk *disk, const char *path, const char *place, struct err *e)
{
    int fd = openat(
        real_of(disk)->root_fd, *path == '\0' ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum rc rc = RC_OK;

    (void)place;
    if (fd < 0)
        return fail(e, "open folder", path);
    if (fsync(fd) != 0)
        rc = fail(e, "sync folder", path);
    close(fd);
    return rc;
}

static enum rc
real_list(struct disk *disk, const char *path, disk_list_fn *fn, void *arg, struct err *e)
{
    int fd = openat(
        real_of(disk)->root_fd, *path == '\0' ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dirent *entry;
    enum rc rc = RC_OK;
    DIR *dir;

    if (fd < 0)
        return fail(e, "open folder", path);
    dir = fdopendir(fd);
    if (dir == NULL) {
        rc = fail(e, "list", path);
        close(fd);
        return rc;
    }
    while (errno = 0, (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            fn(arg, entry->d_name);
    if (errno != 0) /* A list that ends early must not pass for a whole one. */
        rc = fail(e, "list", path);
    closedir(dir);
    return rc;
}

static void
real_free(struct disk *disk)
{
    close(real_of(disk)->root_fd);
    free(real_of(disk)->root);
    free(disk);
}

static const struct disk_ops real_ops = {
    .open = real_open,
    .close = real_close,
    .read = real_read,
    .write = real_write,
    .sync = real_sync,
    .resize = real_resize,
    .size = real_size,
    .lock = real_lock,
    .rename = real_rename,
    .remove = real_remove,
    .make_folder = real_make_folder,
    .sync_folder = real_sync_folder,
    .list = real_list,
    .free = real_free,
};

/* The root's own name, which no disk_sync_folder reaches. A parent that may not be read cannot be
 * synced, and had to be there before. */
static enum rc
root_sync_name(int fd, const char *root, struct err *e)
{
    int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum rc rc = RC_OK;

    if (parent < 0)
        return errno == EACCES ? RC_OK : fail(e, "open the folder that holds", root);
    if (fsync(parent) != 0 && errno != EINVAL && errno != EROFS)
        rc = fail(e, "sync the folder that holds", root);
    close(parent);
    return rc;
}

enum rc
disk_open_real(const char *root, struct disk **out, struct err *e)
{
    struct real_disk *disk;
    enum rc rc;
    int fd;

    if (mkdir(root, 0755) != 0 && errno != EEXIST)
        return fail(e, "make folder", root);
    fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(e, "open folder", root);
    rc = root_sync_name(fd, root, e);
    if (rc != RC_OK) {
        close(fd);
        return rc;
    }
    disk = xcalloc(1, sizeof *disk);
    disk->disk.ops = &real_ops;
    disk->root_fd = fd;
    disk->root = xstrdup(root);
    *out = &disk->disk;
    return RC_OK;
}

void
disk_free(struct disk *disk)
{
    if (disk != NULL)
        disk->ops->free(disk);
}

enum rc
disk_open(
    struct disk *disk, const char *path, unsigned flags, struct disk_file **out, struct err *e)
{
    return disk->ops->open(disk, path, flags, out, e);
}

void
disk_close(struct disk_file *file)
{
    if (file != NULL)
        file->disk->ops->close(file);
}

enum rc
disk_read(struct disk_file *file, int64_t at, void *data, size_t size, size_t *got, struct err *e)
{
    return file->disk->ops->read(file, at, data, size, got, e);
}

enum rc
disk_read_whole(struct disk_file *file, int64_t at, void *data, size_t size, struct err *e)
{
    size_t got = 0;
    enum rc rc = disk_read(file, at, data, size, &got, e);

    if (rc == RC_OK && got < size)
        rc = err_set(e, RC_TRUNCATED, "%zu bytes were read of %zu", got, size);
    return rc;
}

enum rc
disk_write(struct disk_file *file, int64_t at, const void *data, size_t size, struct err *e)
{
    return file->disk->ops->write(file, at, data, size, e);
}

enum rc
disk_sync_at(struct disk_file *file, const char *place, struct err *e)
{
    return file->disk->ops->sync(file, place, e);
}

enum rc
disk_resize(struct disk_file *file, int64_t size, struct err *e)
{
    return file->disk->ops->resize(file, size, e);
}

enum rc
disk_size(struct disk_file *file, int64_t *size, struct err *e)
{
    return file->disk->ops->size(file, size, e);
}

enum rc
disk_lock(struct disk_file *file, struct err *e)
{
    return file->disk->ops->lock(file, e);
}

enum rc
disk_rename(struct disk *disk, const char *from, const char *to, struct err *e)
{
    return disk->ops->rename(disk, from, to, e);
}

enum rc
disk_remove(struct disk *disk, const char *path, struct err *e)
{
    return disk->ops->remove(disk, path, e);
}

enum rc
disk_make_folder(struct disk *disk, const char *path, struct err *e)
{
    return disk->ops->make_folder(disk, path, e);
}

enum rc
disk_sync_folder_at(struct disk *disk, const char *path, const char *place, struct err *e)
{
    return disk->ops->sync_folder(disk, path, place, e);
}

enum rc
disk_list(struct disk *disk, const char *path, disk_list_fn *fn, void *arg, struct err *e)
{
    return disk->ops->list(disk, path, fn, arg, e);
}
