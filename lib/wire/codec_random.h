/*
 * codec_random: messages that are valid and otherwise up to chance.
 *
 * For round trips, for comparing codecs, and as seeds of fuzzers. Every value that a version allows
 * can come: arrays of 0 to 3 elements, null where it is allowed, the ends of each number's range,
 * tags present and absent, text of more than one byte per character. Fields that the version lacks
 * keep their defaults. The same env gives the same message.
 */
#ifndef LIB_WIRE_CODEC_RANDOM_H
#define LIB_WIRE_CODEC_RANDOM_H

#include "lib/base/arena.h"
#include "lib/base/env.h"
#include "lib/base/err.h"
#include "lib/wire/desc.h"

/* codec_random fills out, the message's C struct, with content in the arena. RC_UNSUPPORTED for a
 * version outside the schema, RC_LIMIT where the arena is full. */
MUST_CHECK enum rc codec_random(const struct wire_message *message, int16_t version,
    struct env *env, struct arena *arena, void *out, struct err *e);

#endif
