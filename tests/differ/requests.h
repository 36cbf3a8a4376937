/*
 * requests: random requests of a client that does not always know what it wants.
 *
 * For the comparison of two brokers (tests/kafka/differ.c). The same env and memory give the same
 * requests. What brokers name stands as markers (memory.h); whoever sends them puts in what his
 * broker calls it.
 */
#ifndef TESTS_DIFFER_REQUESTS_H
#define TESTS_DIFFER_REQUESTS_H

#include "gen/messages.h"
#include "tests/differ/making.h"

struct requests_made {
    const struct wire_api *api;
    void *body;
    enum making_effect effect;
    int16_t version;
};

/* What both brokers speak, by API key; max < min: not both. */
struct requests_versions {
    int16_t min[KM_API_COUNT];
    int16_t max[KM_API_COUNT];
};

/* requests_next makes the next request in the arena, which the caller resets between them. */
void requests_next(struct env *dice, const struct requests_versions *versions,
    const struct memory *memory, struct arena *arena, struct requests_made *out);

#endif
