/*
 * requests: random requests of a client that does not always know what it wants.
 *
 * For the comparison of two brokers (tests/kafka/differ.c): names come from a small pool, so that
 * requests meet what earlier ones made; numbers are small, at the ends of their range, or wrong.
 * The same env gives the same requests. Topic ids stand as REQUESTS_ID_BYTE and the number of the
 * name (requests_name); whoever sends them puts in the id that his broker knows.
 */
#ifndef TESTS_DIFFER_REQUESTS_H
#define TESTS_DIFFER_REQUESTS_H

#include "gen/messages.h"
#include "lib/base/arena.h"
#include "lib/base/env.h"

#define REQUESTS_NAMES 6
#define REQUESTS_ID_BYTE 0xee

struct requests_made {
    const struct wire_api *api;
    int16_t version;
    void *body;
    bool changes_topics; /* what it changes may be seen later than its answer */
};

/* What both brokers speak, by API key; max < min: not both. */
struct requests_versions {
    int16_t min[KM_API_COUNT];
    int16_t max[KM_API_COUNT];
};

/* requests_next makes the next request in the arena, which the caller resets between them. */
void requests_next(struct env *dice, const struct requests_versions *versions, int32_t node_id,
    struct arena *arena, struct requests_made *out);

/* requests_name is the name of a number below REQUESTS_NAMES. */
const char *requests_name(size_t number);

#endif
