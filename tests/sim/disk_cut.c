#include "tests/sim/disk_cut.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "tests/sim/disk_cut_node.h"
#include "tests/sim/disk_cut_place.h"

#define NO_LIMIT (UINT64_MAX / 2)

struct cut_disk {
    struct disk disk;
    struct env env;
    struct disk_cut_node *nodes; /* all of them */
    struct disk_cut_node *root;
    struct disk_cut_counts counts;
    uint64_t stop_at_step; /* 0: never */
    uint64_t faults[DISK_CUT_FAULTS];
    uint64_t pages_left; /* NO_LIMIT and what is near it: enough */
    uint64_t life;       /* handles of an earlier one are dead */
    bool stopped;
    struct disk_cut_place places;
};

struct cut_file {
    struct disk_file file;
    struct disk_cut_node *node;
    uint64_t life;
    unsigned flags;
};

static struct cut_disk *
disk_of(const struct disk *disk)
{
    union {
        const struct disk *in;
        struct cut_disk *out;
    } u = {.in = disk};

    return u.out;
}

static struct cut_file *
file_of(struct disk_file *file)
{
    return (struct cut_file *)(void *)file;
}

static struct disk_cut_node *
node_make(struct cut_disk *d, bool is_folder)
{
    struct disk_cut_node *old = d->nodes;

    d->nodes = disk_cut_node_new(is_folder);
    d->nodes->next = old;
    return d->nodes;
}

static enum rc
stopped(struct err *e)
{
    return err_set(e, RC_IO, "everything has stopped");
}

/* Counts a step; true where everything stops in the middle of it. */
static bool
step(struct cut_disk *d)
{
    d->stopped = ++d->counts.steps == d->stop_at_step;
    return d->stopped;
}

static bool
coin(struct cut_disk *d)
{
    return env_random_below(&d->env, 2) == 0;
}

/* Tells whether the planned fault happens now. */
static bool
strikes(struct cut_disk *d, enum disk_cut_fault fault)
{
    return d->faults[fault] > 0 && --d->faults[fault] == 0;
}

static bool
is_dead(const struct cut_disk *d, struct disk_file *file)
{
    return d->stopped || file_of(file)->life != d->life;
}

/* --- paths ----------------------------------------------------------------------------------- */

static struct disk_cut_node *
node_of(struct cut_disk *d, const char *path)
{
    const char *name;
    struct disk_cut_node *folder = disk_cut_node_folder(d->root, path, &name);

    if (*path == '\0')
        return d->root;
    return folder == NULL ? NULL : disk_cut_node_find(folder, name, strlen(name));
}

static enum rc
not_found(const char *what, const char *path, struct err *e)
{
    return err_set(e, RC_NOTFOUND, "cannot %s %s: it is not there", what, path);
}

/* --- files ----------------------------------------------------------------------------------- */

static enum rc
open_create(struct cut_disk *d, const char *path, struct disk_cut_node **node, struct err *e)
{
    const char *name;
    struct disk_cut_node *folder = disk_cut_node_folder(d->root, path, &name);
    bool stops;

    if (folder == NULL || *name == '\0')
        return not_found("make", path, e);
    if (strlen(name) > DISK_CUT_NAME_BYTES_MAX)
        return err_set(e, RC_IO, "cannot make %s: the name is too long", path);
    stops = step(d);
    if (!stops || coin(d)) {
        *node = node_make(d, false);
        disk_cut_node_rename(folder, "", name, *node);
    }
    return stops ? stopped(e) : RC_OK;
}

static enum rc
cut_open(struct disk *disk, const char *path, unsigned flags, struct disk_file **out, struct err *e)
{
    struct cut_disk *d = disk_of(disk);
    struct disk_cut_node *node;
    struct cut_file *file;
    enum rc rc = RC_OK;

    d->counts.opens++;
    if (d->stopped)
        return stopped(e);
    node = node_of(d, path);
    if (node != NULL && flags & DISK_EXCLUSIVE)
        return err_set(e, RC_EXISTS, "cannot open %s: it is there", path);
    if (node != NULL && node->is_folder)
        return err_set(e, RC_IO, "cannot open %s: it is a folder", path);
    if (node == NULL && (flags & DISK_CREATE) == 0)
        return not_found("open", path, e);
    if (node == NULL)
        rc = open_create(d, path, &node, e);
    if (rc != RC_OK)
        return rc;
    file = xcalloc(1, sizeof *file);
    file->file.disk = disk;
    file->node = node;
    file->life = d->life;
    file->flags = flags;
    *out = &file->file;
    return RC_OK;
}

static void
cut_close(struct disk_file *file)
{
    struct cut_file *f = file_of(file);

    if (f->life == disk_of(file->disk)->life && f->node->locked_by == f)
        f->node->locked_by = NULL;
    free(f);
}

static bool
is_unaligned(const struct cut_file *f, int64_t at, const void *data, size_t size)
{
    return f->flags & DISK_DIRECT && (at % DISK_ALIGN_BYTES != 0 || size % DISK_ALIGN_BYTES != 0 ||
                                         (uintptr_t)data % DISK_ALIGN_BYTES != 0);
}

static enum rc
cut_read(struct disk_file *file, int64_t at, void *data, size_t size, size_t *got, struct err *e)
{
    struct cut_disk *d = disk_of(file->disk);
    const struct disk_cut_node *node = file_of(file)->node;

    *got = 0;
    d->counts.reads++;
    if (is_dead(d, file))
        return stopped(e);
    if (strikes(d, DISK_CUT_FAIL_READ) || at < 0 || is_unaligned(file_of(file), at, data, size))
        return err_set(e, RC_IO, "a read of %zu bytes failed", size);
    if ((uint64_t)at >= node->shown_size || size == 0)
        return RC_OK;
    *got = node->shown_size - (size_t)at < size ? node->shown_size - (size_t)at : size;
    if (strikes(d, DISK_CUT_SHORT_READ))
        *got /= 2;
    memcpy(data, node->shown + at, *got);
    return RC_OK;
}

/* How much of a write finds space. */
static size_t
write_space(const struct cut_disk *d, const struct disk_cut_node *node, size_t at, size_t size)
{
    while (size > 0 && d->pages_left < disk_cut_node_pages_new(node, at, size)) {
        size_t over = (at + size) % DISK_ALIGN_BYTES;

        over = over == 0 ? DISK_ALIGN_BYTES : over;
        size = over < size ? size - over : 0;
    }
    return size;
}

/* A write that breaks off ends with a whole sector. */
static size_t
part_of_write(struct cut_disk *d, size_t at, size_t size)
{
    size_t end = at + (size_t)env_random_below(&d->env, size + 1);

    end -= end % DISK_CUT_SECTOR_BYTES;
    return end > at ? end - at : 0;
}

static enum rc
cut_write(struct disk_file *file, int64_t at, const void *data, size_t size, struct err *e)
{
    struct cut_disk *d = disk_of(file->disk);
    struct cut_file *f = file_of(file);
    size_t fits;
    bool stops, fails;

    d->counts.writes++;
    if (is_dead(d, file))
        return stopped(e);
    if (at < 0 || (f->flags & DISK_WRITE) == 0 || is_unaligned(f, at, data, size))
        return err_set(
            e, RC_IO, "a write of %zu bytes to byte %lld is refused", size, (long long)at);
    stops = step(d);
    fails = strikes(d, DISK_CUT_FAIL_WRITE);
    fits = write_space(d, f->node, (size_t)at, size);
    if (stops || fails)
        fits = part_of_write(d, (size_t)at, fits);
    d->pages_left -= disk_cut_node_pages_new(f->node, (size_t)at, fits);
    disk_cut_node_write(f->node, (size_t)at, data, fits, &d->env);
    d->counts.written_bytes += fits;
    if (stops)
        return stopped(e);
    if (fails)
        return err_set(e, RC_IO, "a write of %zu bytes failed", size);
    return fits == size ? RC_OK : err_set(e, RC_NO_SPACE, "no space for %zu bytes", size);
}

size_t
disk_cut_places(const struct disk *disk, const char *const **places)
{
    return disk_cut_place_all(&disk_of(disk)->places, places);
}

void
disk_cut_omit_place(struct disk *disk, const char *place)
{
    disk_of(disk)->places.omitted = place;
}

/* One sync of a file or a folder, with the faults that are planned for it. */
static enum rc
node_sync(struct cut_disk *d, struct disk_cut_node *node, const char *place, struct err *e)
{
    bool stops = step(d);
    bool fails = strikes(d, DISK_CUT_FAIL_SYNC);
    bool omitted = disk_cut_place_note(&d->places, place);

    omitted |= strikes(d, DISK_CUT_OMIT_SYNC);
    d->counts.syncs++;
    if (stops) /* It may have got anywhere; what did not is still dirty. */
        return stopped(e);
    if (omitted)
        return RC_OK;
    disk_cut_node_sync(node, fails, &d->env);
    return fails ? err_set(e, RC_IO, "a sync failed") : RC_OK;
}

static enum rc
cut_sync(struct disk_file *file, const char *place, struct err *e)
{
    struct cut_disk *d = disk_of(file->disk);

    return is_dead(d, file) ? stopped(e) : node_sync(d, file_of(file)->node, place, e);
}

static enum rc
cut_resize(struct disk_file *file, int64_t size, struct err *e)
{
    struct cut_disk *d = disk_of(file->disk);
    bool stops;

    d->counts.resizes++;
    if (is_dead(d, file))
        return stopped(e);
    if (size < 0 || (file_of(file)->flags & DISK_WRITE) == 0)
        return err_set(e, RC_IO, "a resize to %lld bytes is refused", (long long)size);
    stops = step(d);
    if (!stops || coin(d))
        d->pages_left += disk_cut_node_resize(file_of(file)->node, (size_t)size);
    return stops ? stopped(e) : RC_OK;
}

static enum rc
cut_size(struct disk_file *file, int64_t *size, struct err *e)
{
    struct cut_disk *d = disk_of(file->disk);

    if (is_dead(d, file))
        return stopped(e);
    *size = (int64_t)file_of(file)->node->shown_size;
    return RC_OK;
}

static enum rc
cut_lock(struct disk_file *file, struct err *e)
{
    struct cut_disk *d = disk_of(file->disk);
    struct cut_file *f = file_of(file);

    if (is_dead(d, file))
        return stopped(e);
    if (f->node->locked_by != NULL && f->node->locked_by != f)
        return err_set(e, RC_LOCKED, "the file is held by another process");
    f->node->locked_by = f;
    return RC_OK;
}

/* --- names ----------------------------------------------------------------------------------- */

static enum rc
cut_rename(struct disk *disk, const char *from, const char *to, struct err *e)
{
    struct cut_disk *d = disk_of(disk);
    const char *from_name, *to_name;
    struct disk_cut_node *folder, *node, *covered;
    bool stops;

    d->counts.renames++;
    if (d->stopped)
        return stopped(e);
    folder = disk_cut_node_folder(d->root, from, &from_name);
    node = node_of(d, from);
    if (folder == NULL || node == NULL || disk_cut_node_folder(d->root, to, &to_name) == NULL)
        return not_found("rename", from, e);
    REQUIRE(
        folder == disk_cut_node_folder(d->root, to, &to_name) && strcmp(from_name, to_name) != 0);
    stops = step(d);
    if (!stops || coin(d)) {
        covered = node_of(d, to);
        if (covered != NULL)
            d->pages_left += disk_cut_node_pages(covered);
        disk_cut_node_rename(folder, from_name, to_name, node);
    }
    return stops ? stopped(e) : RC_OK;
}

static enum rc
cut_remove(struct disk *disk, const char *path, struct err *e)
{
    struct cut_disk *d = disk_of(disk);
    struct disk_cut_node *folder, *node;
    const char *name;
    bool stops;

    d->counts.removes++;
    if (d->stopped)
        return stopped(e);
    folder = disk_cut_node_folder(d->root, path, &name);
    node = node_of(d, path);
    if (folder == NULL || node == NULL)
        return not_found("remove", path, e);
    if (node->is_folder)
        return err_set(e, RC_IO, "cannot remove %s: it is a folder", path);
    stops = step(d);
    if (!stops || coin(d)) {
        d->pages_left += disk_cut_node_pages(node);
        disk_cut_node_rename(folder, name, "", node);
    }
    return stops ? stopped(e) : RC_OK;
}

static enum rc
cut_make_folder(struct disk *disk, const char *path, struct err *e)
{
    struct cut_disk *d = disk_of(disk);
    struct disk_cut_node *folder, *node;
    const char *name;
    bool stops;

    d->counts.folders_made++;
    if (d->stopped)
        return stopped(e);
    node = node_of(d, path);
    if (node != NULL)
        return node->is_folder ? RC_OK
                               : err_set(e, RC_EXISTS, "cannot make folder %s: it is a file", path);
    folder = disk_cut_node_folder(d->root, path, &name);
    if (folder == NULL)
        return not_found("make folder", path, e);
    stops = step(d);
    if (!stops || coin(d))
        disk_cut_node_rename(folder, "", name, node_make(d, true));
    return stops ? stopped(e) : RC_OK;
}

static enum rc
cut_sync_folder(struct disk *disk, const char *path, const char *place, struct err *e)
{
    struct cut_disk *d = disk_of(disk);
    struct disk_cut_node *node;

    if (d->stopped)
        return stopped(e);
    node = node_of(d, path);
    if (node == NULL || !node->is_folder)
        return not_found("sync folder", path, e);
    d->counts.folder_syncs++;
    return node_sync(d, node, place, e);
}

static enum rc
cut_list(struct disk *disk, const char *path, disk_list_fn *fn, void *arg, struct err *e)
{
    struct cut_disk *d = disk_of(disk);
    struct disk_cut_name *rows;
    struct disk_cut_node *node;
    size_t count;

    d->counts.lists++;
    if (d->stopped)
        return stopped(e);
    node = node_of(d, path);
    if (node == NULL || !node->is_folder)
        return not_found("list", path, e);
    /* The callback may remove what it is told of. */
    count = node->shown_names.count;
    rows = xmemdup(node->shown_names.rows, count * sizeof *rows);
    for (size_t i = 0; i < count; i++)
        fn(arg, rows[i].name);
    free(rows);
    return RC_OK;
}

static void
cut_free(struct disk *disk)
{
    struct cut_disk *d = disk_of(disk);

    while (d->nodes != NULL) {
        struct disk_cut_node *node = d->nodes;

        d->nodes = node->next;
        disk_cut_node_free(node);
    }
    free(d);
}

static const struct disk_ops cut_ops = {
    .open = cut_open,
    .close = cut_close,
    .read = cut_read,
    .write = cut_write,
    .sync = cut_sync,
    .resize = cut_resize,
    .size = cut_size,
    .lock = cut_lock,
    .rename = cut_rename,
    .remove = cut_remove,
    .make_folder = cut_make_folder,
    .sync_folder = cut_sync_folder,
    .list = cut_list,
    .free = cut_free,
};

/* --- the world outside ----------------------------------------------------------------------- */

struct disk *
disk_cut_new(uint64_t seed)
{
    struct cut_disk *d = xcalloc(1, sizeof *d);

    d->disk.ops = &cut_ops;
    env_init_seeded(&d->env, seed, 0);
    d->root = node_make(d, true);
    d->pages_left = NO_LIMIT;
    return &d->disk;
}

static void /* NOLINTNEXTLINE(misc-no-recursion): as deep as the folders of a test */
mark_reachable(struct disk_cut_node *node)
{
    node->is_reachable = true;
    for (size_t i = 0; i < node->medium_names.count; i++)
        mark_reachable(node->medium_names.rows[i].node);
}

/* Frees what no name on the medium reaches; no handle is in use any more. */
static void
unreachable_free(struct cut_disk *d)
{
    struct disk_cut_node **at = &d->nodes, *node;

    for (node = d->nodes; node != NULL; node = node->next)
        node->is_reachable = false;
    mark_reachable(d->root);
    while ((node = *at) != NULL) {
        if (node->is_reachable) {
            at = &node->next;
            continue;
        }
        *at = node->next;
        disk_cut_node_free(node);
    }
}

static void
begin_again(struct cut_disk *d)
{
    d->stopped = false;
    d->stop_at_step = 0;
    d->pages_left = NO_LIMIT;
    d->life++;
    memset(d->faults, 0, sizeof d->faults);
}

void
disk_cut_power(struct disk *disk)
{
    struct cut_disk *d = disk_of(disk);
    enum disk_cut_loss loss = (enum disk_cut_loss)env_random_below(&d->env, DISK_CUT_LOSSES);

    for (struct disk_cut_node *node = d->nodes; node != NULL; node = node->next)
        disk_cut_node_cut(node, loss, &d->env);
    unreachable_free(d);
    begin_again(d);
    d->counts.cuts++;
}

void
disk_cut_kill(struct disk *disk)
{
    for (struct disk_cut_node *node = disk_of(disk)->nodes; node != NULL; node = node->next)
        node->locked_by = NULL;
    begin_again(disk_of(disk));
}

void
disk_cut_stop_at(struct disk *disk, uint64_t n)
{
    disk_of(disk)->stop_at_step = n == 0 ? 0 : disk_of(disk)->counts.steps + n;
}

bool
disk_cut_is_stopped(const struct disk *disk)
{
    return disk_of(disk)->stopped;
}

void
disk_cut_fault(struct disk *disk, enum disk_cut_fault fault, uint64_t n)
{
    disk_of(disk)->faults[fault] = n;
}

bool
disk_cut_fault_is_due(const struct disk *disk, enum disk_cut_fault fault)
{
    return disk_of(disk)->faults[fault] > 0;
}

void
disk_cut_limit(struct disk *disk, uint64_t bytes)
{
    disk_of(disk)->pages_left = bytes == UINT64_MAX ? NO_LIMIT : bytes / DISK_ALIGN_BYTES;
}

bool
disk_cut_flip(struct disk *disk, const char *path, int64_t at, uint8_t mask)
{
    struct disk_cut_node *node = node_of(disk_of(disk), path);

    if (node == NULL || node->is_folder || at < 0 || (size_t)at >= node->shown_size)
        return false;
    node->shown[at] ^= mask;
    if ((size_t)at < node->medium_size)
        node->medium[at] ^= mask;
    return true;
}

const struct disk_cut_counts *
disk_cut_counts(const struct disk *disk)
{
    return &disk_of(disk)->counts;
}
