/* Objects as files: written under another name, synced, renamed, and the folder synced. No key
 * begins like such a name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/store/store.h"

#define CHUNK_BYTES ((size_t)2 << 20)
#define PATH_BYTES_MAX 256
#define UNFINISHED ".unfinished-"

struct folder_store {
    struct store store;
    struct disk *disk;
    char *folder;
};

static struct folder_store *
folder_of(struct store *store)
{
    return (struct folder_store *)(void *)store;
}

static enum rc
path_of(const struct folder_store *f, const char *prefix, const char *key,
    char path[PATH_BYTES_MAX], struct err *e)
{
    int size = snprintf(path, PATH_BYTES_MAX, "%s/%s%s", f->folder, prefix, key);

    return size > 0 && size < PATH_BYTES_MAX ? RC_OK
                                             : err_set(e, RC_LIMIT, "the key %s is too long", key);
}

static enum rc
remove_if_there(struct folder_store *f, const char *path, struct err *e)
{
    enum rc rc = disk_remove(f->disk, path, e);

    if (rc != RC_NOTFOUND)
        return rc;
    err_clear(e);
    return RC_OK;
}

/*
 * Writes past the page cache: fresh pages for it cost more than everything else that happens to the
 * bytes. Such transfers are aligned, so they go through a buffer that is, and the last one is
 * longer than the object, which is cut afterwards.
 */
static enum rc
content_write(struct disk_file *file, const struct pieces *pieces, struct err *e)
{
    size_t size = pieces->size;
    size_t aligned = (size + DISK_ALIGN_BYTES - 1) / DISK_ALIGN_BYTES * DISK_ALIGN_BYTES;
    size_t chunk = aligned < CHUNK_BYTES ? aligned : CHUNK_BYTES;
    struct pieces_cursor cursor;
    enum rc rc = RC_OK;
    void *buffer = disk_buffer_new(chunk);

    pieces_seek(&cursor, pieces, 0);
    if (buffer == NULL)
        return err_set(e, RC_LIMIT, "no memory for %zu bytes", chunk);
    for (size_t at = 0; at < size && rc == RC_OK; at += chunk) {
        size_t part = pieces_read(&cursor, buffer, chunk);
        size_t whole = (part + DISK_ALIGN_BYTES - 1) / DISK_ALIGN_BYTES * DISK_ALIGN_BYTES;

        memset((uint8_t *)buffer + part, 0, whole - part);
        rc = disk_write(file, (int64_t)at, buffer, whole, e);
    }
    free(buffer);
    return rc == RC_OK && aligned != size ? disk_resize(file, (int64_t)size, e) : rc;
}

static enum rc
file_write(struct folder_store *f, const char *path, const struct pieces *pieces, struct err *e)
{
    struct disk_file *file;
    /* What an earlier try has left may be a file whose sync failed: it is not used again. */
    enum rc rc = remove_if_there(f, path, e);

    if (rc == RC_OK)
        rc = disk_open(
            f->disk, path, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE | DISK_DIRECT, &file, e);
    if (rc != RC_OK)
        return rc;
    rc = content_write(file, pieces, e);
    if (rc == RC_OK)
        rc = disk_sync(file, e);
    disk_close(file);
    return rc;
}

static enum rc
object_write(struct folder_store *f, const char *key, const struct pieces *pieces, struct err *e)
{
    char part[PATH_BYTES_MAX], path[PATH_BYTES_MAX];
    struct err ignored;
    enum rc rc = path_of(f, UNFINISHED, key, part, e);

    if (rc == RC_OK)
        rc = path_of(f, "", key, path, e);
    if (rc != RC_OK)
        return rc;
    rc = file_write(f, part, pieces, e);
    if (rc == RC_OK)
        rc = disk_rename(f->disk, part, path, e);
    if (rc == RC_OK)
        return disk_sync_folder(f->disk, f->folder, e);
    /* What is left of it takes space that may be what is missing; the next start removes it too. */
    if (disk_remove(f->disk, part, &ignored) != RC_OK)
        return rc;
    return rc;
}

static enum rc
folder_put(struct store *store, const char *key, const struct pieces *pieces, struct err *e)
{
    enum rc rc = object_write(folder_of(store), key, pieces, e);

    store_count(store, STORE_PUT, rc == RC_OK ? (int64_t)pieces->size : 0, rc != RC_OK);
    return rc;
}

static enum rc
range_read(
    struct folder_store *f, const char *key, int64_t at, void *data, size_t size, struct err *e)
{
    char path[PATH_BYTES_MAX];
    struct disk_file *file;
    size_t got = 0;
    enum rc rc = path_of(f, "", key, path, e);

    if (rc == RC_OK)
        rc = disk_open(f->disk, path, DISK_READ, &file, e);
    if (rc != RC_OK)
        return rc;
    rc = disk_read(file, at, data, size, &got, e);
    disk_close(file);
    return rc != RC_OK || got == size
               ? rc
               : err_set(e, RC_TRUNCATED, "%s ends %zu bytes too early", key, size - got);
}

static enum rc
folder_get(struct store *store, const char *key, int64_t at, void *data, size_t size, struct err *e)
{
    enum rc rc = range_read(folder_of(store), key, at, data, size, e);

    store_count(store, STORE_GET, rc == RC_OK ? (int64_t)size : 0, rc != RC_OK);
    return rc;
}

static enum rc
folder_remove(struct store *store, const char *key, struct err *e)
{
    struct folder_store *f = folder_of(store);
    char path[PATH_BYTES_MAX];
    enum rc rc = path_of(f, "", key, path, e);

    if (rc == RC_OK)
        rc = remove_if_there(f, path, e);
    store_count(store, STORE_DELETE, 0, rc != RC_OK);
    return rc;
}

/* The others go even where one does not. */
static enum rc
folder_remove_many(
    struct store *store, const char *const *keys, size_t count, bool *removed, struct err *e)
{
    struct err one;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < count; i++) {
        removed[i] = folder_remove(store, keys[i], &one) == RC_OK;
        if (removed[i])
            continue;
        rc = one.code;
        if (e != NULL)
            *e = one;
    }
    return rc;
}

struct listing {
    struct folder_store *folder;
    store_list_fn *fn;
    void *arg;
    bool unfinished; /* which names to tell */
};

static void
name_found(void *arg, const char *name)
{
    struct listing *listing = arg;
    bool unfinished = strncmp(name, UNFINISHED, strlen(UNFINISHED)) == 0;

    if (unfinished == listing->unfinished)
        listing->fn(listing->arg, name);
}

static enum rc
folder_list(struct store *store, store_list_fn *fn, void *arg, struct err *e)
{
    struct listing listing = {folder_of(store), fn, arg, false};
    enum rc rc = disk_list(listing.folder->disk, listing.folder->folder, name_found, &listing, e);

    store_count(store, STORE_LIST, 0, rc != RC_OK);
    return rc;
}

static void
folder_free(struct store *store)
{
    free(folder_of(store)->folder);
    free(store);
}

static const struct store_ops folder_ops = {
    .put = folder_put,
    .get = folder_get,
    .remove = folder_remove,
    .remove_many = folder_remove_many,
    .list = folder_list,
    .free = folder_free,
};

static void
unfinished_remove(void *arg, const char *name)
{
    struct folder_store *f = arg;
    char path[PATH_BYTES_MAX];
    struct err e;

    if (path_of(f, "", name, path, &e) == RC_OK && disk_remove(f->disk, path, &e) != RC_OK)
        return;
}

enum rc
store_open_folder(struct disk *disk, const char *folder, struct store **out, struct err *e)
{
    struct folder_store *f;
    struct listing listing;
    enum rc rc = disk_make_folder(disk, folder, e);

    if (rc == RC_OK)
        rc = disk_sync_folder(disk, "", e);
    if (rc != RC_OK)
        return rc;
    f = xcalloc(1, sizeof *f);
    f->store.ops = &folder_ops;
    f->disk = disk;
    f->folder = xstrdup(folder);
    listing = (struct listing){f, unfinished_remove, f, true};
    rc = disk_list(disk, folder, name_found, &listing, e);
    if (rc != RC_OK) {
        folder_free(&f->store);
        return rc;
    }
    *out = &f->store;
    return RC_OK;
}
