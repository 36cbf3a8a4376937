/*
 * codec_diff: where two messages differ.
 */
#ifndef LIB_WIRE_CODEC_DIFF_H
#define LIB_WIRE_CODEC_DIFF_H

#include "lib/base/buf.h"
#include "lib/wire/desc.h"

/*
 * codec_diff compares two messages of one type in one version, appends one line `path: a, b` per
 * difference, in the notation of codec_tree.h, and returns their number. Arrays of different length
 * differ in `path[]`, and in the elements that both have. Where out is full lines are missing; the
 * number is right.
 */
size_t codec_diff(const struct wire_message *message, int16_t version, const void *a, const void *b,
    struct buf *out);

#endif
