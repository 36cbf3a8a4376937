/*
 * markers: puts what a broker calls things into requests, and markers into its answers.
 *
 * In requests the markers of memory.h become what this side calls the topic, member or producer,
 * also in the headers of record batches. In answers it is the other way round, and inside of texts,
 * too. Of ids that belong to nothing here only the fact is kept.
 */
#ifndef TESTS_DIFFER_MARKERS_H
#define TESTS_DIFFER_MARKERS_H

#include "lib/base/arena.h"
#include "tests/differ/memory.h"

/* One direction for one side; new texts and batches lie in the arena. */
struct markers {
    const struct memory *memory;
    size_t side;
    struct arena *arena;
};

void markers_to_side(const struct markers *markers, const struct wire_message *message,
    int16_t version, void *request);
void markers_from_side(const struct markers *markers, const struct wire_message *message,
    int16_t version, void *answer);

#endif
