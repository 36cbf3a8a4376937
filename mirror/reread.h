/*
 * reread: finds the first differing record of ranges that are known to differ, by reading both
 * sides again.
 *
 * REREAD_AT_ONCE ranges are read at a time, and their records are kept (struct difference_record)
 * until both sides are there: memory is bounded by that many ranges. Runs on a loop; nothing
 * blocks.
 */
#ifndef MIRROR_REREAD_H
#define MIRROR_REREAD_H

#include "mirror/difference.h"
#include "mirror/scan.h"

#define REREAD_AT_ONCE 16

struct reread;

struct reread_range {
    uint32_t number; /* of the partition; each at most once, ascending */
    int64_t from;
    int64_t to;
    struct difference difference; /* found is false where the range could not be read again, or is
                                     equal now */
};

/* reread_start begins; ranges (owned by the caller) are filled in until `end` is called. */
struct reread *reread_start(struct cluster *source, const struct selection *from,
    struct cluster *to, const struct selection *target, struct reread_range *ranges, size_t count,
    scan_end_fn *end, void *arg);
void reread_free(struct reread *reread);

#endif
