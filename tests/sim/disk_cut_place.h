/*
 * disk_cut_place: the places in the source from which a disk was asked to sync, and the one that is
 * taken out. Part of disk_cut; names are string literals (DISK_PLACE).
 */
#ifndef TESTS_SIM_DISK_CUT_PLACE_H
#define TESTS_SIM_DISK_CUT_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/sim/disk_cut.h"

struct disk_cut_place {
    const char *names[DISK_CUT_PLACES_MAX];
    size_t count;
    const char *omitted; /* NULL: none */
};

/* disk_cut_place_note remembers a place and tells whether its syncs are taken out. */
bool disk_cut_place_note(struct disk_cut_place *places, const char *name);

/* disk_cut_place_all sets *names to those seen and returns how many they are. */
size_t disk_cut_place_all(const struct disk_cut_place *places, const char *const **names);

#endif
