/*
 * disk_cut: a disk in memory that forgets at a power cut what was not synced, and fails when asked.
 *
 * Every file has two contents: what the system shows (the page cache) and what lies on the medium;
 * every folder has two sets of names. disk_sync and disk_sync_folder make the second follow the
 * first. At a power cut each page of 4 KiB that was not synced is lost, kept or torn in sectors of
 * 512 bytes; a size that was not synced is the old one, the new one or one between; each creation,
 * renaming and removal of a folder that was not synced has happened or not, independently of the
 * others. All of that is decided by the seed: some cuts lose everything, some nothing, most a part.
 * Now and then a page reaches the medium by itself, as kernels do.
 *
 * A failed sync behaves as on Linux: some of its pages reached the medium, the others are taken for
 * clean, so that a later sync says RC_OK without writing them; only writing them again helps.
 *
 * Whatever changes something (making, writing, resizing, renaming or removing a file, making a
 * folder, both syncs) is a step; steps are counted from 1. After a stop every call fails with RC_IO
 * until disk_cut_power or disk_cut_kill; handles opened before that fail for ever and are closed as
 * usual.
 *
 * Limits: names of DISK_CUT_NAME_BYTES_MAX bytes; a file keeps its folder when it is renamed.
 * Thread-safe.
 */
#ifndef TESTS_SIM_DISK_CUT_H
#define TESTS_SIM_DISK_CUT_H

#include "lib/base/disk.h"

#define DISK_CUT_NAME_BYTES_MAX 255
#define DISK_CUT_SECTOR_BYTES 512
#define DISK_CUT_PLACES_MAX 64

struct disk_cut_counts {
    uint64_t opens;
    uint64_t reads;
    uint64_t writes;
    uint64_t written_bytes;
    uint64_t resizes;
    uint64_t syncs; /* of files and of folders, in one count */
    uint64_t folder_syncs;
    uint64_t renames;
    uint64_t removes;
    uint64_t folders_made;
    uint64_t lists;
    uint64_t steps;
    uint64_t cuts;
};

/* What goes wrong once, at the n-th call of its kind from now on. */
enum disk_cut_fault {
    DISK_CUT_FAIL_SYNC,  /* RC_IO */
    DISK_CUT_OMIT_SYNC,  /* RC_OK, and nothing is done: the sync is taken out of the program */
    DISK_CUT_FAIL_WRITE, /* RC_IO, a part is written */
    DISK_CUT_FAIL_READ,  /* RC_IO */
    DISK_CUT_SHORT_READ, /* ends too early, as if the file did */
    DISK_CUT_FAULTS,
};

/* disk_cut_new returns an empty disk, to be freed with disk_free. */
struct disk *disk_cut_new(uint64_t seed);

/* disk_cut_power cuts the power now (or where disk_cut_stop_at has stopped everything) and brings
 * it back. Faults that did not happen yet and the limit are forgotten. */
void disk_cut_power(struct disk *disk);

/* disk_cut_kill is the end of the process: locks are gone, nothing is lost. */
void disk_cut_kill(struct disk *disk);

/* disk_cut_stop_at stops everything in the middle of the n-th step from now on (1: the next).
 * disk_cut_is_stopped tells whether it came to that. */
void disk_cut_stop_at(struct disk *disk, uint64_t n);
bool disk_cut_is_stopped(const struct disk *disk);

/* disk_cut_fault plans a fault for the n-th call of its kind from now on (1: the next); 0 takes the
 * plan back. disk_cut_fault_is_due tells whether it has yet to happen. */
void disk_cut_fault(struct disk *disk, enum disk_cut_fault fault, uint64_t n);
bool disk_cut_fault_is_due(const struct disk *disk, enum disk_cut_fault fault);

/* disk_cut_omit_place takes all syncs of one place in the source (DISK_PLACE) out of the program,
 * NULL puts them back; power cuts change nothing in it. disk_cut_places lists the places from which
 * a sync was asked for so far. */
void disk_cut_omit_place(struct disk *disk, const char *place);
size_t disk_cut_places(const struct disk *disk, const char *const **places);

/* disk_cut_limit lets files take `bytes` more (in whole pages); RC_NO_SPACE beyond. UINT64_MAX
 * takes the limit away. What is removed gives its space back. */
void disk_cut_limit(struct disk *disk, uint64_t bytes);

/* disk_cut_flip changes bits of one byte of a file, in both contents; false where it is not there.
 */
bool disk_cut_flip(struct disk *disk, const char *path, int64_t at, uint8_t mask);

/* disk_cut_counts returns what was called since disk_cut_new. */
const struct disk_cut_counts *disk_cut_counts(const struct disk *disk);

#endif
