/*
 * disk_cut_node: one file or folder of a disk_cut, as it is shown and as it lies on the medium.
 *
 * Knows what a sync, a failed sync and a power cut do to it; the driver (disk_cut.c) knows paths,
 * handles, faults and space. Nodes are owned by the disk; names only point to them.
 */
#ifndef TESTS_SIM_DISK_CUT_NODE_H
#define TESTS_SIM_DISK_CUT_NODE_H

#include "lib/base/env.h"
#include "tests/sim/disk_cut.h"

struct disk_cut_node;

struct disk_cut_name {
    char name[DISK_CUT_NAME_BYTES_MAX + 1];
    struct disk_cut_node *node;
};

struct disk_cut_names {
    struct disk_cut_name *rows;
    size_t count;
    size_t capacity;
};

/* A change of a folder's names that is not on the medium yet: `node` leaves the name `from` ("":
 * it is new) for the name `to` ("": it is removed). */
struct disk_cut_change {
    char from[DISK_CUT_NAME_BYTES_MAX + 1];
    char to[DISK_CUT_NAME_BYTES_MAX + 1];
    struct disk_cut_node *node;
};

struct disk_cut_node {
    struct disk_cut_node *next; /* of all nodes of the disk */
    bool is_folder;
    bool is_reachable; /* scratch of the disk's own tidying */
    const void *locked_by;

    /* A file. Both contents are zero behind their sizes. */
    uint8_t *shown;
    uint8_t *medium;
    uint8_t *page_marks;
    size_t page_capacity;
    size_t shown_size;
    size_t medium_size;

    /* A folder. */
    struct disk_cut_names shown_names;
    struct disk_cut_names medium_names;
    struct disk_cut_change *changes;
    size_t change_count;
    size_t change_capacity;
};

/* How much of what was not synced a power cut takes. */
enum disk_cut_loss {
    DISK_CUT_LOSE_ALL,
    DISK_CUT_LOSE_NONE,
    DISK_CUT_LOSE_PAGES,   /* whole pages; names up to some moment */
    DISK_CUT_LOSE_SECTORS, /* single sectors; each name by itself */
    DISK_CUT_LOSSES,
};

struct disk_cut_node *disk_cut_node_new(bool is_folder);
void disk_cut_node_free(struct disk_cut_node *node);

/* Files. */

/* disk_cut_node_pages returns how many pages the file takes, disk_cut_node_pages_new how
 * many more it would take after a write. */
size_t disk_cut_node_pages(const struct disk_cut_node *node);
size_t disk_cut_node_pages_new(const struct disk_cut_node *node, size_t at, size_t size);
void disk_cut_node_write(
    struct disk_cut_node *node, size_t at, const void *data, size_t size, struct env *env);

/* disk_cut_node_resize returns the number of pages that it set free. */
size_t disk_cut_node_resize(struct disk_cut_node *node, size_t size);

/* Folders. */

struct disk_cut_node *disk_cut_node_find(
    const struct disk_cut_node *folder, const char *name, size_t size);

/* disk_cut_node_rename changes the names that are shown; "" as in struct disk_cut_change. A node
 * that had the name `to` before loses it. */
void disk_cut_node_rename(
    struct disk_cut_node *folder, const char *from, const char *to, struct disk_cut_node *node);

/* Both. */

/* disk_cut_node_sync brings the medium up to date; where `failed`, with a part of it only. */
void disk_cut_node_sync(struct disk_cut_node *node, bool failed, struct env *env);

/* disk_cut_node_cut loses what the loss and the dice say; what is shown is the medium then. */
void disk_cut_node_cut(struct disk_cut_node *node, enum disk_cut_loss loss, struct env *env);

/* disk_cut_node_folder walks from the root to the folder that holds the last name of path, and sets
 * *name to that name; NULL where a part of the way is missing. */
struct disk_cut_node *disk_cut_node_folder(
    struct disk_cut_node *root, const char *path, const char **name);

#endif
