#include "tests/sim/disk_cut_place.h"

#include <string.h>

#include "lib/base/xalloc.h"

bool
disk_cut_place_note(struct disk_cut_place *places, const char *name)
{
    size_t i = 0;

    while (i < places->count && strcmp(places->names[i], name) != 0)
        i++;
    if (i == places->count) {
        REQUIRE(places->count < DISK_CUT_PLACES_MAX);
        places->names[places->count++] = name;
    }
    return places->omitted != NULL && strcmp(places->omitted, name) == 0;
}

size_t
disk_cut_place_all(const struct disk_cut_place *places, const char *const **names)
{
    *names = places->names;
    return places->count;
}
