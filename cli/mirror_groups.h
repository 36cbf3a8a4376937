/*
 * mirror_groups: the offsets of groups beside a running mirror, pass after pass, and one line about
 * a pass.
 */
#ifndef CLI_MIRROR_GROUPS_H
#define CLI_MIRROR_GROUPS_H

#include "cli/pair.h"
#include "lib/base/buf.h"
#include "mirror/group_sync.h"
#include "mirror/pipe.h"

/* The flag that both commands have. */
#define MIRROR_GROUPS_OPTION(text)                                                                 \
    {                                                                                              \
        "groups", 'g', OPTION_TEXT, "PATTERN,...", NULL, 0, 0, text                                \
    }

struct mirror_groups {
    const char *patterns; /* NULL: no groups are wanted, and the functions below do nothing */
    struct pair *pair;
    const struct selection *from;
    struct selection *target;
    const struct pipe_partition *state; /* the target has all below next_offset */
    int64_t due_us;                     /* of the next pass */
    int64_t renew_us;                   /* of the next one that commits equal offsets, too */
    struct group_sync last;
    bool has_last;
    struct err failed; /* of the last pass, as a whole */
};

/* mirror_groups_pass makes a pass where one is due, or at once where is_last. */
void mirror_groups_pass(struct mirror_groups *groups, bool is_last);

/* mirror_groups_line appends how they stand, without a line's end. */
void mirror_groups_line(const struct mirror_groups *groups, struct buf *out);

/* mirror_groups_is_done tells whether the target had all after the last pass; true where none are
 * wanted. */
bool mirror_groups_is_done(const struct mirror_groups *groups);

void mirror_groups_fini(struct mirror_groups *groups);

/* mirror_groups_sum appends "12 groups, 40 partitions: 38 equal, 2 copied". */
void mirror_groups_sum(const struct group_sync *sync, struct buf *out);

/* mirror_groups_counts appends "38 equal, 2 copied" of whatever is not 0. */
void mirror_groups_counts(const uint32_t *counts, struct buf *out);

#endif
