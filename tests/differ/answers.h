/*
 * answers: takes out of answers what differs by nature: order where there is none, the time, what
 * is only one broker's own, and what an earlier age of the memory has left behind.
 */
#ifndef TESTS_DIFFER_ANSWERS_H
#define TESTS_DIFFER_ANSWERS_H

#include "lib/base/arena.h"
#include "tests/differ/memory.h"

/* answers_settle changes one answer, whose names are markers already; what it makes anew lies in
 * the arena. */
void answers_settle(
    const struct memory *memory, const struct wire_api *api, struct arena *arena, void *answer);

/* answers_settle_pair changes both, where what is the same depends on the other. */
void answers_settle_pair(const struct wire_api *api, void *const answers[2]);

#endif
