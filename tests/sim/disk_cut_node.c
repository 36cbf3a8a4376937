#include "tests/sim/disk_cut_node.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define PAGE ((size_t)DISK_ALIGN_BYTES)

enum page_mark {
    PAGE_DIRTY = 1, /* shown, and not on the medium */
    PAGE_TAKEN = 2, /* takes space */
};

struct disk_cut_node *
disk_cut_node_new(bool is_folder)
{
    struct disk_cut_node *node = xcalloc(1, sizeof *node);

    node->is_folder = is_folder;
    return node;
}

void
disk_cut_node_free(struct disk_cut_node *node)
{
    free(node->shown);
    free(node->medium);
    free(node->page_marks);
    free(node->shown_names.rows);
    free(node->medium_names.rows);
    free(node->changes);
    free(node);
}

static bool
one_in(struct env *env, uint64_t n)
{
    return env_random_below(env, n) == 0;
}

/* --- files ----------------------------------------------------------------------------------- */

static size_t
pages_of(size_t size)
{
    return (size + PAGE - 1) / PAGE;
}

static void
reserve(struct disk_cut_node *node, size_t size)
{
    size_t old = node->page_capacity, pages = old < 4 ? 4 : old;

    while (pages < pages_of(size))
        pages *= 2;
    if (pages == old)
        return;
    node->shown = xrealloc(node->shown, pages, PAGE);
    node->medium = xrealloc(node->medium, pages, PAGE);
    node->page_marks = xrealloc(node->page_marks, pages, 1);
    memset(node->shown + old * PAGE, 0, (pages - old) * PAGE);
    memset(node->medium + old * PAGE, 0, (pages - old) * PAGE);
    memset(node->page_marks + old, 0, pages - old);
    node->page_capacity = pages;
}

size_t
disk_cut_node_pages(const struct disk_cut_node *node)
{
    size_t count = 0;

    for (size_t page = 0; page < node->page_capacity; page++)
        count += (node->page_marks[page] & PAGE_TAKEN) != 0;
    return count;
}

size_t
disk_cut_node_pages_new(const struct disk_cut_node *node, size_t at, size_t size)
{
    size_t count = 0;

    for (size_t page = at / PAGE; page < pages_of(at + size); page++)
        count += page >= node->page_capacity || (node->page_marks[page] & PAGE_TAKEN) == 0;
    return count;
}

static void
page_write_back(struct disk_cut_node *node, size_t page)
{
    memcpy(node->medium + page * PAGE, node->shown + page * PAGE, PAGE);
    node->page_marks[page] &= (uint8_t)~PAGE_DIRTY;
}

void
disk_cut_node_write(
    struct disk_cut_node *node, size_t at, const void *data, size_t size, struct env *env)
{
    size_t first = at / PAGE, end = pages_of(at + size);

    if (size == 0)
        return;
    reserve(node, at + size);
    memcpy(node->shown + at, data, size);
    if (node->shown_size < at + size)
        node->shown_size = at + size;
    for (size_t page = first; page < end; page++)
        node->page_marks[page] |= PAGE_DIRTY | PAGE_TAKEN;
    if (one_in(env, 8)) {
        size_t page = first + env_random_below(env, end - first);

        if ((page + 1) * PAGE <= node->medium_size)
            page_write_back(node, page);
    }
}

size_t
disk_cut_node_resize(struct disk_cut_node *node, size_t size)
{
    size_t freed = 0;

    reserve(node, size);
    if (size < node->shown_size) {
        memset(node->shown + size, 0, node->shown_size - size);
        for (size_t page = size / PAGE; page < pages_of(node->shown_size); page++) {
            node->page_marks[page] |= PAGE_DIRTY;
            if (page * PAGE >= size && node->page_marks[page] & PAGE_TAKEN) {
                node->page_marks[page] &= (uint8_t)~PAGE_TAKEN;
                freed++;
            }
        }
    }
    node->shown_size = size;
    return freed;
}

static void
medium_set_size(struct disk_cut_node *node, size_t size)
{
    node->medium_size = size;
    memset(node->medium + size, 0, node->page_capacity * PAGE - size);
}

static void
file_sync(struct disk_cut_node *node, bool failed, struct env *env)
{
    for (size_t page = 0; page < node->page_capacity; page++) {
        if ((node->page_marks[page] & PAGE_DIRTY) == 0)
            continue;
        if (failed && one_in(env, 2))
            node->page_marks[page] &= (uint8_t)~PAGE_DIRTY;
        else
            page_write_back(node, page);
    }
    if (node->page_capacity > 0)
        medium_set_size(node, failed && one_in(env, 2) ? node->medium_size : node->shown_size);
}

static size_t
size_after_cut(const struct disk_cut_node *node, enum disk_cut_loss loss, struct env *env)
{
    size_t low = node->medium_size, high = node->shown_size;

    if (loss == DISK_CUT_LOSE_ALL || low == high)
        return low;
    if (loss == DISK_CUT_LOSE_NONE || one_in(env, 3))
        return high;
    if (low > high || one_in(env, 2))
        return low;
    low += env_random_below(env, high - low);
    return loss == DISK_CUT_LOSE_SECTORS ? low : low / PAGE * PAGE;
}

static void
page_cut(struct disk_cut_node *node, size_t page, enum disk_cut_loss loss, struct env *env)
{
    if (loss == DISK_CUT_LOSE_NONE || (loss != DISK_CUT_LOSE_ALL && one_in(env, 2))) {
        page_write_back(node, page);
    } else if (loss == DISK_CUT_LOSE_SECTORS) {
        for (size_t at = page * PAGE; at < (page + 1) * PAGE; at += DISK_CUT_SECTOR_BYTES)
            if (one_in(env, 2))
                memcpy(node->medium + at, node->shown + at, DISK_CUT_SECTOR_BYTES);
    }
    node->page_marks[page] &= (uint8_t)~PAGE_DIRTY;
}

static void
file_cut(struct disk_cut_node *node, enum disk_cut_loss loss, struct env *env)
{
    size_t size = size_after_cut(node, loss, env);

    for (size_t page = 0; page < node->page_capacity; page++)
        if (node->page_marks[page] & PAGE_DIRTY)
            page_cut(node, page, loss, env);
    if (node->page_capacity == 0)
        return;
    medium_set_size(node, size);
    memcpy(node->shown, node->medium, node->page_capacity * PAGE);
    node->shown_size = size;
}

/* --- folders --------------------------------------------------------------------------------- */

static struct disk_cut_name *
name_find(const struct disk_cut_names *names, const char *name, size_t size)
{
    for (size_t i = 0; i < names->count; i++)
        if (strlen(names->rows[i].name) == size && memcmp(names->rows[i].name, name, size) == 0)
            return &names->rows[i];
    return NULL;
}

struct disk_cut_node *
disk_cut_node_find(const struct disk_cut_node *folder, const char *name, size_t size)
{
    const struct disk_cut_name *row = name_find(&folder->shown_names, name, size);

    return row == NULL ? NULL : row->node;
}

static void
name_set(struct disk_cut_names *names, const char *name, struct disk_cut_node *node)
{
    struct disk_cut_name *row = name_find(names, name, strlen(name));

    if (row == NULL) {
        if (names->count == names->capacity) {
            names->capacity = names->capacity == 0 ? 8 : names->capacity * 2;
            names->rows = xrealloc(names->rows, names->capacity, sizeof *names->rows);
        }
        row = &names->rows[names->count++];
        memcpy(row->name, name, strlen(name) + 1);
    }
    row->node = node;
}

/* Takes all names away from `node` but `kept`. A file has one name; it can have another one than
 * the change expects where an earlier change of it was lost. */
static void
names_clear(struct disk_cut_names *names, const struct disk_cut_node *node, const char *kept)
{
    for (size_t i = names->count; i-- > 0;)
        if (names->rows[i].node == node && strcmp(names->rows[i].name, kept) != 0)
            names->rows[i] = names->rows[--names->count];
}

static void
change_apply(struct disk_cut_names *names, const struct disk_cut_change *change)
{
    if (change->to[0] != '\0')
        name_set(names, change->to, change->node);
    names_clear(names, change->node, change->to);
}

void
disk_cut_node_rename(
    struct disk_cut_node *folder, const char *from, const char *to, struct disk_cut_node *node)
{
    struct disk_cut_change *change;

    REQUIRE(strlen(from) <= DISK_CUT_NAME_BYTES_MAX && strlen(to) <= DISK_CUT_NAME_BYTES_MAX);
    if (folder->change_count == folder->change_capacity) {
        folder->change_capacity = folder->change_capacity == 0 ? 8 : folder->change_capacity * 2;
        folder->changes =
            xrealloc(folder->changes, folder->change_capacity, sizeof *folder->changes);
    }
    change = &folder->changes[folder->change_count++];
    memcpy(change->from, from, strlen(from) + 1);
    memcpy(change->to, to, strlen(to) + 1);
    change->node = node;
    change_apply(&folder->shown_names, change);
}

static void
folder_sync(struct disk_cut_node *folder, bool failed, struct env *env)
{
    for (size_t i = 0; i < folder->change_count; i++)
        if (!failed || one_in(env, 2))
            change_apply(&folder->medium_names, &folder->changes[i]);
    folder->change_count = 0;
}

static void
folder_cut(struct disk_cut_node *folder, enum disk_cut_loss loss, struct env *env)
{
    size_t whole = loss == DISK_CUT_LOSE_ALL    ? 0
                   : loss == DISK_CUT_LOSE_NONE ? folder->change_count
                                                : env_random_below(env, folder->change_count + 1);
    struct disk_cut_names *shown = &folder->shown_names;
    const struct disk_cut_names *medium = &folder->medium_names;

    for (size_t i = 0; i < folder->change_count; i++)
        if (loss == DISK_CUT_LOSE_SECTORS ? one_in(env, 2) : i < whole)
            change_apply(&folder->medium_names, &folder->changes[i]);
    folder->change_count = 0;
    shown->count = 0;
    for (size_t i = 0; i < medium->count; i++)
        name_set(shown, medium->rows[i].name, medium->rows[i].node);
}

/* --- both ------------------------------------------------------------------------------------ */

void
disk_cut_node_sync(struct disk_cut_node *node, bool failed, struct env *env)
{
    if (node->is_folder)
        folder_sync(node, failed, env);
    else
        file_sync(node, failed, env);
}

void
disk_cut_node_cut(struct disk_cut_node *node, enum disk_cut_loss loss, struct env *env)
{
    node->locked_by = NULL;
    if (node->is_folder)
        folder_cut(node, loss, env);
    else
        file_cut(node, loss, env);
}

struct disk_cut_node *
disk_cut_node_folder(struct disk_cut_node *root, const char *path, const char **name)
{
    struct disk_cut_node *folder = root;
    const char *slash;

    *name = path;
    while (folder != NULL && (slash = strchr(*name, '/')) != NULL) {
        folder = disk_cut_node_find(folder, *name, (size_t)(slash - *name));
        *name = slash + 1;
    }
    return folder != NULL && folder->is_folder ? folder : NULL;
}
