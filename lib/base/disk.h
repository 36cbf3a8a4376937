/*
 * disk: every file operation whose durability matters, through one seam.
 *
 * The log, the objects and the metadata database reach files only through a struct disk. The real
 * driver is the file system; the tests put another one in its place, which forgets at a power cut
 * whatever was not synced: file content by disk_sync, names by disk_sync_folder.
 *
 * Paths are relative to the disk's root, with '/' between parts. Errors: RC_NO_SPACE where the disk
 * is full, RC_NOTFOUND, RC_EXISTS, RC_LOCKED, RC_IO for the rest, with the path in the text. A
 * failed disk_sync says nothing about what reached the medium and must not be repeated on the same
 * file (the kernel may have dropped the pages): the caller gives the file up.
 *
 * Thread-safe as far as different files are concerned; one file has one user at a time.
 */
#ifndef LIB_BASE_DISK_H
#define LIB_BASE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum disk_open {
    DISK_READ = 0,
    DISK_WRITE = 1,     /* read and write */
    DISK_CREATE = 2,    /* make it if it is not there; with DISK_WRITE */
    DISK_EXCLUSIVE = 4, /* RC_EXISTS if it is there; with DISK_CREATE */
    DISK_DIRECT = 8, /* bypass the page cache where the file system can; transfers are then aligned
                        to DISK_ALIGN_BYTES */
};

#define DISK_ALIGN_BYTES 4096

/* disk_buffer_new returns memory for direct transfers, which the caller frees; NULL without memory.
 * From 2 MiB on it asks for huge pages, of which fewer have to be held for the device. */
void *disk_buffer_new(size_t size);

struct disk;
struct disk_file;

typedef void disk_list_fn(void *arg, const char *name);

struct disk_ops {
    enum rc (*open)(
        struct disk *, const char *path, unsigned flags, struct disk_file **, struct err *);
    void (*close)(struct disk_file *);
    enum rc (*read)(
        struct disk_file *, int64_t at, void *data, size_t size, size_t *got, struct err *);
    enum rc (*write)(struct disk_file *, int64_t at, const void *data, size_t size, struct err *);
    enum rc (*sync)(struct disk_file *, const char *place, struct err *);
    enum rc (*resize)(struct disk_file *, int64_t size, struct err *);
    enum rc (*size)(struct disk_file *, int64_t *size, struct err *);
    enum rc (*lock)(struct disk_file *, struct err *);
    enum rc (*rename)(struct disk *, const char *from, const char *to, struct err *);
    enum rc (*remove)(struct disk *, const char *path, struct err *);
    enum rc (*make_folder)(struct disk *, const char *path, struct err *);
    enum rc (*sync_folder)(struct disk *, const char *path, const char *place, struct err *);
    enum rc (*list)(struct disk *, const char *path, disk_list_fn *, void *arg, struct err *);
    void (*free)(struct disk *);
};

struct disk {
    const struct disk_ops *ops;
};

struct disk_file {
    struct disk *disk;
};

/* disk_open_real gives the file system below `root`, which is made, durably, if it is not there.
 * The caller frees it with disk_free. */
MUST_CHECK enum rc disk_open_real(const char *root, struct disk **out, struct err *e);
void disk_free(struct disk *disk);

/* disk_open opens a file; the caller closes it. */
MUST_CHECK enum rc disk_open(
    struct disk *disk, const char *path, unsigned flags, struct disk_file **out, struct err *e);
void disk_close(struct disk_file *file);

/* disk_read reads up to `size` bytes at a place; *got is less only at the end of the file. */
MUST_CHECK enum rc disk_read(
    struct disk_file *file, int64_t at, void *data, size_t size, size_t *got, struct err *e);

/* disk_read_whole reads `size` bytes: RC_TRUNCATED where there are fewer. */
MUST_CHECK enum rc disk_read_whole(
    struct disk_file *file, int64_t at, void *data, size_t size, struct err *e);

/* disk_write writes all of `size` bytes or fails; how much of a failed write is there is unknown.
 */
MUST_CHECK enum rc disk_write(
    struct disk_file *file, int64_t at, const void *data, size_t size, struct err *e);

/* The place in the source from which a sync is asked for: a simulated disk can take out one of them
 * and see whether anybody notices. */
#define DISK_PLACE __FILE__ ":" DISK_PLACE_TEXT(__LINE__)
#define DISK_PLACE_TEXT(line) DISK_PLACE_LITERAL(line)
#define DISK_PLACE_LITERAL(line) #line

/* disk_sync returns RC_OK when content and size are on the medium. */
#define disk_sync(file, e) disk_sync_at((file), DISK_PLACE, (e))
MUST_CHECK enum rc disk_sync_at(struct disk_file *file, const char *place, struct err *e);

MUST_CHECK enum rc disk_resize(struct disk_file *file, int64_t size, struct err *e);
MUST_CHECK enum rc disk_size(struct disk_file *file, int64_t *size, struct err *e);

/* disk_lock takes the file for this process until it is closed; RC_LOCKED where another process has
 * it. */
MUST_CHECK enum rc disk_lock(struct disk_file *file, struct err *e);

/* Names. They are durable only after disk_sync_folder of the folder that holds them. */
MUST_CHECK enum rc disk_rename(struct disk *disk, const char *from, const char *to, struct err *e);
MUST_CHECK enum rc disk_remove(struct disk *disk, const char *path, struct err *e);
MUST_CHECK enum rc disk_make_folder(struct disk *disk, const char *path, struct err *e);
#define disk_sync_folder(disk, path, e) disk_sync_folder_at((disk), (path), DISK_PLACE, (e))
MUST_CHECK enum rc disk_sync_folder_at(
    struct disk *disk, const char *path, const char *place, struct err *e);

/* disk_list calls fn with the name of each file of a folder, in no particular order. */
MUST_CHECK enum rc disk_list(
    struct disk *disk, const char *path, disk_list_fn *fn, void *arg, struct err *e);

#endif
