/*
 * doubled: which keys of a request come more than once, found without comparing each with each, so
 * that a long request costs no square of its length.
 */
#ifndef REFBROKER_API_DOUBLED_H
#define REFBROKER_API_DOUBLED_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/map.h"
#include "lib/wire/desc.h"

struct doubled {
    struct map counts; /* key -> once or more often */
};

void doubled_init(struct doubled *doubled);
void doubled_fini(struct doubled *doubled);

/* doubled_note takes a key, doubled_is tells whether it was noted more than once. */
void doubled_note(struct doubled *doubled, const void *key, size_t size);
bool doubled_is(const struct doubled *doubled, const void *key, size_t size);

/* doubled_any tells whether two of `count` structs of `size` bytes begin with the same text. */
bool doubled_any(const void *items, size_t size, int32_t count);

#endif
