/*
 * tally: how often each API was asked, and how often Apache Kafka's answer had no error in it.
 * Requests that are always refused compare refusals and nothing else.
 */
#ifndef TESTS_DIFFER_TALLY_H
#define TESTS_DIFFER_TALLY_H

#include "gen/messages.h"
#include "tests/differ/requests.h"

struct tally {
    uint32_t asked[KM_API_COUNT];
    uint32_t succeeded[KM_API_COUNT];
};

/* tally_add counts one answer, which may be NULL: the connection was closed. */
void tally_add(struct tally *tally, const struct requests_made *made, const void *answer);

/* tally_print prints a line for each API that was asked, and returns how many of those that were
 * asked `enough` times have never succeeded. */
size_t tally_print(const struct tally *tally, uint32_t enough);

#endif
